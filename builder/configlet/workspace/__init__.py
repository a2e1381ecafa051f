"""The operator's folders as values. Reads files and nothing else; writes nothing."""

from configlet.workspace.files import find_root, fingerprint, sites
from configlet.workspace.load import Loaded, cache_of, every_way, load

__all__ = ["Loaded", "cache_of", "every_way", "find_root", "fingerprint", "load", "sites"]

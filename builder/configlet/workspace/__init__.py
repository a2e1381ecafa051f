"""The operator's folders as values. Reads files and nothing else; writes nothing."""

from configlet.workspace.files import find_root, fingerprint, sites
from configlet.workspace.load import Loaded, every_way, load

__all__ = ["Loaded", "every_way", "find_root", "fingerprint", "load", "sites"]

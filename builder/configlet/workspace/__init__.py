"""The operator's folders as values. Reads files and nothing else; writes nothing."""

from configlet.workspace.files import find_root, sites
from configlet.workspace.load import Loaded, load

__all__ = ["Loaded", "find_root", "load", "sites"]

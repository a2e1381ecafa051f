"""Which gate can see each flow: what sees what as data, gates, paths, and what nobody guards. Pure."""

from configlet.place.ends import End, ends_of
from configlet.place.gates import Placement, place
from configlet.place.local import Hop
from configlet.place.paths import Path, paths

__all__ = ["End", "Hop", "Path", "Placement", "ends_of", "paths", "place"]

"""The proof that a text means its gates' laws, over the whole packet space. Pure."""

from configlet.prove.compare import forget
from configlet.prove.gates import prove
from configlet.prove.say import show

__all__ = ["forget", "prove", "show"]

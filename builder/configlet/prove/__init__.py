"""The proof that a text means its gates' laws, over the whole packet space. Pure."""

from configlet.prove.gates import prove
from configlet.prove.say import show

__all__ = ["prove", "show"]

"""What a policy says for nothing, twice, or against itself. Pure."""

from configlet.analyse.policy import analyse

__all__ = ["analyse"]

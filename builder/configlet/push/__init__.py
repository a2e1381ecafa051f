"""Carry a plan to devices so that it can always be taken back, say truly what became of each, and recover."""

from configlet.push.means import Clock, Means, Step
from configlet.push.push import exit_status, push
from configlet.push.recover import recover
from configlet.push.waves import waves

__all__ = ["Clock", "Means", "Step", "exit_status", "push", "recover", "waves"]

"""Exit statuses (DESIGN 9), and which one wins when several apply."""

from __future__ import annotations

from collections.abc import Iterable

from configlet.model.problem import Problem, Refused

OK = 0
FAILED = 1
RED = 3
PARTIAL = 4
LOCKED = 5
NO_CONSENT = 6
UNKNOWN_STATE = 7
NOTHING = 8
USAGE = 64
INVALID = 65
INTERNAL = 70
INTERRUPTED = 130

_ORDER = (INTERRUPTED, INTERNAL, USAGE, INVALID, UNKNOWN_STATE, PARTIAL, LOCKED, NO_CONSENT, RED, FAILED, NOTHING)


def worst(statuses: Iterable[int]) -> int:
    """The one that wins; nothing at all is 8, for silence is not success."""
    found = set(statuses)
    if not found:
        return NOTHING
    return next((s for s in _ORDER if s in found), OK if found == {OK} else FAILED)


def of_problems(problems: Iterable[Problem]) -> int:
    """65 when anything is invalid, else 3; a refusal is never a success."""
    return INVALID if any(p.nature == "invalid" for p in problems) else RED


def of_refusal(refused: Refused) -> int:
    """The status of a refusal; a site that another run holds is 5, a journal that ended in the middle of a run 7."""
    from configlet.journal import Locked, Unwritable

    if isinstance(refused, Unwritable):
        return UNKNOWN_STATE if refused.open else FAILED
    return LOCKED if isinstance(refused, Locked) else of_problems(refused.problems)

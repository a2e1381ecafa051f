"""A frozen class of ours does what the standard library's does: equal, hashed, shown, copied, pickled, never changed."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from configlet.model import frozen


def made(how: Callable[..., Any]) -> Any:
    """One and the same class by either maker."""

    @how(frozen=True, slots=True)
    class Sample:
        """Words about it."""

        first: int
        second: str
        """Words about a field."""
        third: tuple[int, ...] = (1, 2)
        fourth: dict[str, int] = dataclasses.field(default_factory=dict)

        @property
        def size(self) -> int:
            """One of its own."""
            return len(self.third)

    return Sample


@frozen.dataclass(frozen=True, slots=True)
class One:
    """A class of a module, as pickles need it."""

    only: object


@frozen.dataclass(frozen=True, slots=True)
class Own:
    """A class with a hash and an equality of its own."""

    name: str
    other: int = 0

    def __hash__(self) -> int:
        return 7

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Own) and self.name == other.name


OURS, THEIRS = made(frozen.dataclass), made(dataclasses.dataclass)


@pytest.mark.parametrize("given", [(1, "a"), (1, "a", (3,)), (1, "a", (), {"x": 1})])
def test_it_is_made_shown_and_taken_apart_as_the_librarys(given: tuple[Any, ...]) -> None:
    ours, theirs = OURS(*given), THEIRS(*given)
    assert repr(ours) == repr(theirs) and ours.size == theirs.size
    assert dataclasses.asdict(ours) == dataclasses.asdict(theirs) and dataclasses.astuple(ours) == dataclasses.astuple(theirs)
    changed = dataclasses.replace(ours, first=9)
    assert (changed.first, changed.second) == (9, "a") and changed != ours and ours == OURS(*given) != theirs
    assert copy.deepcopy(ours) == ours == copy.copy(ours)


def test_it_says_of_itself_what_the_librarys_does() -> None:
    ours, theirs = (inspect.signature(each).parameters.values() for each in (OURS, THEIRS))
    assert [(p.name, p.kind, p.annotation) for p in ours] == [(p.name, p.kind, p.annotation) for p in theirs]
    assert (OURS.__slots__, OURS.__match_args__, OURS.__doc__) == (THEIRS.__slots__, THEIRS.__match_args__, THEIRS.__doc__)
    assert [f.name for f in dataclasses.fields(OURS)] == [f.name for f in dataclasses.fields(THEIRS)]
    assert (OURS.__qualname__, OURS.__module__) == (THEIRS.__qualname__, THEIRS.__module__)
    assert OURS(1, "a").fourth is not OURS(1, "a").fourth
    with pytest.raises(TypeError):
        OURS(1)


def test_nobody_changes_it() -> None:
    ours = OURS(1, "a")
    for change in (lambda: setattr(ours, "first", 2), lambda: delattr(ours, "first"), lambda: setattr(ours, "none", 2)):
        with pytest.raises(dataclasses.FrozenInstanceError):
            change()
    assert ours == OURS(1, "a") and not hasattr(ours, "__dict__")


def test_equal_ones_have_one_hash_and_pickles_bring_it_back() -> None:
    made_of = made(frozen.dataclass)
    assert hash(One((1, 2))) == hash(One((1, 2))) and len({One(1), One(1), One(2)}) == 2
    assert pickle.loads(pickle.dumps(One("x"))) == One("x")
    assert made_of(1, "a") != OURS(1, "a")
    assert Own("a", 1) == Own("a", 2) and hash(Own("a")) == 7
    with pytest.raises(TypeError):
        hash(OURS(1, "a"))


def test_it_refuses_what_it_does_not_make() -> None:
    with pytest.raises(TypeError):
        frozen.dataclass(frozen=True, slots=True, order=True)
    with pytest.raises(AssertionError):
        frozen.dataclass(frozen=False, slots=True)

"""A table's frame, which is all of its text but its long lists, as a pattern and the words in which alike tables differ:
names of maps and chains, addresses that rules ask for or elements have, and whatever is quoted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import count, groupby
from operator import itemgetter
from typing import Any, NamedTuple

_QUOTED, _NAMED = ('"',), ("\tmap ", "\tchain ", " jump ", "\tjump ", " goto ", "\tgoto ", "@")
_LISTED = "\t\t\t"
LONGEST = 1 << 16
"""Characters of a frame above which hardly another one is like it."""


class Framed(NamedTuple):
    """A frame: ``words`` are distinct, in order of appearance, and the ``pattern`` is all else."""

    pattern: tuple[str, str, tuple[int, ...]]
    words: Sequence[str]
    ahead: Sequence[str]
    """What stands ahead of each word of the frame and says what it is."""

    @property
    def named(self) -> int:
        """How often the names of maps and chains stand in the frame."""
        return sum(ahead in _NAMED for ahead in self.ahead)

    @property
    def addresses(self) -> list[int]:
        """Of each address that stands in the frame the place among the words."""
        places = self.pattern[-1]
        return [
            place
            for ahead, place in zip(self.ahead, places, strict=True)
            if ahead not in _NAMED and ahead not in _QUOTED
        ]


class Frames:
    """How the words of a grammar's frames are found: each kind by what stands ahead of it."""

    def __init__(self, grammar: Mapping[str, Any]) -> None:
        asking = [text for text, said in grammar["selectors"].items() if said["value"] == "address"]
        short = [text for text in asking if not any(text.endswith(f" {other}") for other in asking)]
        asked = (*(f"{blank}{text} " for text in short for blank in " \t"), _LISTED)
        word = "|".join(
            (
                rf'{_behind(_QUOTED)}[^"\n]*"',
                _behind(_NAMED) + grammar["parts"]["name"],
                rf"{_behind(asked)}(?=[0-9a-f]*[.:][0-9a-f:])[0-9a-f:./-]+(?= )",
            )
        )
        self._split = re.compile(f"({_either((*_QUOTED, *_NAMED, *asked))})({word})").split

    def of(self, frame: str) -> Framed | None:
        """The pattern and words of a frame; None where a word holds what is not printed, for which its line is refused, and
        where the frame is long."""
        if len(frame) > LONGEST:
            return None
        parts = self._split(frame)
        said, ahead = parts[2::3], parts[1::3]
        words = [*dict.fromkeys(said)]
        if not "".join(words).isprintable():
            return None
        places = tuple(map(dict(zip(words, count())).__getitem__, said))
        return Framed(("\0".join(parts[::3]), "\0".join(ahead), places), words, ahead)


def _either(ahead: Iterable[str]) -> str:
    """A pattern of these texts by their first letters, for which the engine looks ahead of all else."""
    by_first = groupby(sorted(ahead), key=itemgetter(0))
    return "|".join(re.escape(one) + f"(?:{'|'.join(re.escape(text[1:]) for text in of)})" for one, of in by_first)


def _behind(ahead: Iterable[str]) -> str:
    return f"(?:{'|'.join(f'(?<={re.escape(text)})' for text in ahead)})"

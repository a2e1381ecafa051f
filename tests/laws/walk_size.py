"""What pairs of 20,000 entries cost, in a process of their own: ``python -m tests.laws.walk_size KIND FAMILY``.

KIND: ``one`` (a law of one list), ``two`` (a law of two), ``other`` (the text has another structure: ports as value and
mask, prefixes split, 20,000 against 36,000), or SHAPE-WAY as in ``walk_shapes``. Prints one JSON object: entries, CPU
seconds for the equal and for an unequal pair (least of 7; the packets of both directions are asked for, as a proof does),
the same of the walk alone where it is the kind that is asked for, peak memory of the whole process in MB, lists included.
"""

from __future__ import annotations

import gc
import json
import random
import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from configlet.model.net import Family
from configlet.packets.atoms import each_way
from configlet.packets.walk import differ
from tests.laws import walk_shapes
from tests.laws.walk_lists import Rows, law_permits, long_rows, permits, replies, restructured, rewritten

T = TypeVar("T")
SIZE = 20_000
Pair = tuple[list[Rows], Rows]


def pair_of(kind: str, family: Family) -> Pair:
    """An equal pair: the law's lists, and a text that means the same."""
    dice = random.Random(7)
    if "-" in kind:
        shape, way = (getattr(walk_shapes, name) for name in kind.split("-"))
        law = shape(dice, family, SIZE)
        return [law], way(dice, list(law))
    if kind == "two":
        law = long_rows(dice, family, SIZE // 2, beside=False)
        back = replies(family, law)
        return [law, back], rewritten(dice, back) + rewritten(dice, law)
    law = long_rows(dice, family, SIZE)
    return [law], restructured(family, law) if kind == "other" else rewritten(dice, law)


def spoiled(law: list[Rows], text: Rows) -> Rows:
    """The text with one row wider by one port, in its second half."""
    for at in range(len(text) // 2, len(text)):
        permit, box = text[at]
        if permit and box[0] == (6, 6) and box[3] != (0, 65535):
            wider = (*box[:3], (box[3][0], box[3][1] + 1), *box[4:])
            point = (*(low for low, _ in box[:3]), box[3][1] + 1, *(low for low, _ in box[4:]))
            if not law_permits(law, point):
                return [*text[:at], type(text[at])(permit, wider), *text[at + 1 :]]
    raise AssertionError("no row was found to spoil")


def least(work: Callable[[], T]) -> tuple[T, float]:
    """The answer, and the least CPU time of seven."""
    seconds = []
    for _ in range(7):
        gc.collect()
        started = time.process_time()
        answer = work()
        seconds.append(time.process_time() - started)
    return answer, min(seconds)


def main(kind: str, family: Family) -> None:
    """Measure and print."""
    gc.set_threshold(200_000, 50, 50)  # as the command does: cli/start.py
    law, text = pair_of(kind, family)
    other = walk_shapes.unequal(random.Random(8), law, text)[0] if "-" in kind else spoiled(law, text)
    nothing, equal = least(lambda: each_way(family, law, text))
    found, unequal = least(lambda: each_way(family, law, other))
    assert nothing == (None, None), nothing
    for passed, box in zip((True, False), found, strict=True):
        if box is not None:
            assert isinstance(box, tuple), box
            point = tuple(low for low, _ in box)
            assert (permits(other, point), law_permits(law, point)) == (passed, not passed)
    assert found != (None, None)
    said = {"law": [len(rows) for rows in law], "text": len(text), "equal": round(equal, 3), "unequal": round(unequal, 3)}
    if "-" not in kind:
        said |= {"walk": [round(least(partial(differ, family, law, rows))[1], 3) for rows in (text, other)]}
    said |= {"peak": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)}
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], 4 if sys.argv[2] == "4" else 6)

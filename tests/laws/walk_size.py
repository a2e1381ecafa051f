"""What pairs of 20,000 entries cost, in a process of their own: ``python -m tests.laws.walk_size KIND FAMILY``.

KIND: ``one`` (a law of one list), ``two`` (a law of two), ``other`` (the text has another structure: ports as value and
mask, prefixes split, 20,000 against 36,000). Prints one JSON object: entries, CPU seconds of the walk for the equal and
for an unequal pair (least of 7), peak memory of the whole process in MB, lists included.
"""

from __future__ import annotations

import gc
import json
import random
import resource
import sys
import time
from collections.abc import Callable

from configlet.model.net import Family
from configlet.model.policy import Box
from configlet.packets.walk import Overrun, differ
from tests.laws.walk_lists import Rows, law_permits, long_rows, permits, replies, restructured, rewritten

SIZE = 20_000
Pair = tuple[list[Rows], Rows]


def pair_of(kind: str, family: Family) -> Pair:
    """An equal pair: the law's lists, and a text that means the same."""
    dice = random.Random(7)
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


def least(work: Callable[[], Box | Overrun | None]) -> tuple[Box | Overrun | None, float]:
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
    other = spoiled(law, text)
    found, equal = least(lambda: differ(family, law, text))
    box, unequal = least(lambda: differ(family, law, other))
    assert found is None and isinstance(box, tuple), (found, box)
    point = tuple(low for low, _ in box)
    assert law_permits(law, point) != permits(other, point)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    counts = {"law": [len(rows) for rows in law], "text": len(text)}
    said = {**counts, "equal": round(equal, 3), "unequal": round(unequal, 3), "peak": round(peak)}
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], 4 if sys.argv[2] == "4" else 6)

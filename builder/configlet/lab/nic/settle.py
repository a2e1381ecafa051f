"""When a simulated NIC's namespace is told what the NIC holds: not after each of thousands of lines, as each telling is whole."""

from __future__ import annotations

import time
from collections.abc import Callable

SHARE = 9.0
"""How many times as long as a telling took the next one waits, so that telling takes a tenth of the time."""


class Settle:
    """Tells what a NIC holds at once, or soon after when it was told just now; all in the thread that serves the NIC."""

    def __init__(self, tell: Callable[[], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._tell, self._clock = tell, clock
        self._waits, self._next = False, 0.0

    def changed(self) -> None:
        """The NIC holds something else. Raises what the telling raises."""
        self._waits = True
        self.due()

    def due(self) -> None:
        """Tell what was not told yet, once it is time. Raises what the telling raises."""
        if self._waits and self._clock() >= self._next:
            self.now()

    def hurry(self, patience: float) -> bool:
        """From any other thread: have the one that serves the NIC tell now what was not told yet; whether it did."""
        end = time.monotonic() + patience
        while self._waits and time.monotonic() < end:
            self._next = 0.0
            time.sleep(0.01)
        return not self._waits

    def now(self) -> None:
        """Tell what was not told yet, before anybody looks at the NIC. Raises what the telling raises."""
        if self._waits:
            began = self._clock()
            try:
                self._tell()
                self._waits = False
            finally:
                ended = self._clock()
                self._next = ended + SHARE * (ended - began)

"""The management side of a simulated switch: whether it answers, and how its connections are cut."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Management:
    """Reachable until it is cut; whoever holds a connection open is told to drop it. Safe from several threads."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._until = 0.0
        self._lock = threading.Lock()
        self._connections: dict[int, Callable[[], None]] = {}
        self._count = 0

    @property
    def reachable(self) -> bool:
        """Whether the management interface answers at the moment."""
        return time.monotonic() >= self._until

    def cut(self, seconds: float) -> None:
        """Drop every connection, and answer nobody for this many seconds of the device's clock."""
        self._until = time.monotonic() + seconds / self._speed
        with self._lock:
            for drop in self._connections.values():
                drop()

    def restore(self) -> None:
        """Answer again."""
        self._until = 0.0

    def watch(self, drop: Callable[[], None]) -> Callable[[], None]:
        """Register how a connection is dropped (called from any thread); returns what forgets it."""
        with self._lock:
            self._count += 1
            key = self._count
            self._connections[key] = drop
        return lambda: self._forget(key)

    def _forget(self, key: int) -> None:
        with self._lock:
            self._connections.pop(key, None)

"""Which packet is whose: the shots by what they are recognised by, and what was seen of each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from configlet.lab.traffic_frames import ICMP, Seen
from configlet.lab.traffic_values import Heard, Key, Sense, Shot, key_of


@dataclass(slots=True)
class Book:
    """The shots of one run and their fates."""

    shots: dict[int, Shot]
    by_key: dict[Key, Shot] = field(default_factory=dict)
    heard: dict[int, set[int]] = field(default_factory=dict)
    answered: set[int] = field(default_factory=set)
    stopped: dict[int, str] = field(default_factory=dict)

    def hear(self, shot: Shot, namespace: str, interface: str, sense: Sense) -> bool:
        """Note that an ear of this shot heard it; False when it has no such ear."""
        found = False
        for number, ear in enumerate(shot.ears):
            if ear.namespace == namespace and ear.sense == sense and ear.interface in ("", interface):
                self.heard.setdefault(shot.number, set()).add(number)
                found = True
        return found

    def missing(self) -> list[Shot]:
        """Wanted shots that some ear did not hear, or whose answer has not come."""
        return [s for s in self.shots.values() if s.wanted and not self.complete(s)]

    def complete(self, shot: Shot) -> bool:
        """Whether everything that can come has come."""
        heard = self.heard.get(shot.number, set())
        return heard >= set(range(len(shot.ears) - shot.silent)) and (not shot.answer or shot.number in self.answered)

    def report(self) -> tuple[Heard, ...]:
        """What became of every shot, in order."""
        return tuple(
            Heard(n, tuple(sorted(self.heard.get(n, ()))), n in self.answered, self.stopped.get(n, ""))
            for n in sorted(self.shots)
        )


def open_book(shots: Iterable[Shot]) -> Book:
    """A book of these shots. Raises ValueError when two cannot be told apart."""
    book = Book({shot.number: shot for shot in shots})
    for shot in book.shots.values():
        key = key_of(shot.packet)
        if key in book.by_key:
            raise ValueError(f"shots {book.by_key[key].number} and {shot.number} look alike")
        book.by_key[key] = shot
    return book


def answered_key(seen: Seen) -> Key:
    """The key of the packet that this one would answer."""
    if seen.proto == ICMP[seen.family]:
        asked = {0: 8, 129: 128}.get(seen.dport >> 8, 255)
        return seen.family, seen.proto, seen.dst, seen.src, seen.sport, asked << 8, False
    return seen.family, seen.proto, seen.dst, seen.src, seen.dport, seen.sport, False

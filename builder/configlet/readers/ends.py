"""The addresses and ports of access lists: what one clause says, and those that were met before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from configlet.model.net import KEPT, PORTS
from configlet.readers.spans import BITS, Span, Unreadable, address, netmask, prefix, shared, wildcard

MOST = 4096
"""How many are remembered: more distinct addresses than that are not met again soon, and cost memory."""
_MOST_PORTS = 65536


class Single(dict[str, Span]):
    """Address clauses that are one span, by their text; KeyError for those that are not, or are not understood."""

    def __init__(self, family: int, groups: tuple[str, ...]) -> None:
        super().__init__()
        self.family, self.groups = family, groups

    def __missing__(self, text: str) -> Span:
        """Look at it for the first time. What begins as a group means what the group of its text means."""
        if text.startswith(self.groups):
            raise KeyError(text)
        if len(self) >= MOST:
            self.clear()
        try:
            span = shared(text) if self.family == 4 else None
            if span is None:
                span, *others = addresses(text, self.family)
                if others:
                    raise KeyError(text)
        except Unreadable:
            raise KeyError(text) from None
        span = self[text] = KEPT.get(span, span)
        return span


class SinglePorts(dict[str, Span]):
    """Ports of one protocol that are one span, by their text; KeyError for those that are not, or are not understood.

    ``read`` gives the spans of a text that begins as no group of ``groups``. Raises Unreadable. ``known`` are texts that were
    understood before.
    """

    def __init__(
        self, read: Callable[[str], Sequence[Span]], groups: tuple[str, ...], known: Mapping[str, Span]
    ) -> None:
        super().__init__(known)
        self[""] = PORTS
        self.read, self.groups = read, groups

    def __missing__(self, text: str) -> Span:
        """Look at them for the first time."""
        if text.startswith(self.groups):
            raise KeyError(text)
        try:
            found = self.read(text)
        except Unreadable:
            raise KeyError(text) from None
        if len(found) != 1:
            raise KeyError(text)
        if len(self) >= _MOST_PORTS:
            self.clear()
            self[""] = PORTS
        span = self[text] = KEPT.get(found[0], found[0])
        return span


def addresses(text: str, family: int) -> tuple[Span, ...]:
    """The addresses of a clause that names no group. Raises Unreadable."""
    if text == "any":
        return ((0, (1 << BITS[family]) - 1),)
    if "/" in text:
        base, _, mask = text.partition("/")
        return (netmask(base, mask) if "." in mask else prefix(text, family),)
    first, _, rest = text.partition(" ")
    if first == "host" or not rest:
        value = address(rest or first, family)
        return ((value, value),)
    if family != 4:
        raise Unreadable("IPv6 has no wildcards")
    return wildcard(first, rest)

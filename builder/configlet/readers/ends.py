"""The address clauses of access lists: what one says, and those that were met before."""

from __future__ import annotations

from configlet.readers.spans import BITS, Span, Unreadable, address, netmask, prefix, shared, wildcard

MOST = 4096
"""How many are remembered: more distinct addresses than that are not met again soon, and cost memory."""


class Single(dict[str, "Span | None"]):
    """Address clauses that are one span, by their text; None for those that are not, or are not understood."""

    def __init__(self, family: int, groups: tuple[str, ...]) -> None:
        super().__init__()
        self.family, self.groups = family, groups

    def __missing__(self, text: str) -> Span | None:
        """Look at it for the first time. What begins as a group means what the group of its text means."""
        if text.startswith(self.groups):
            return None
        if len(self) >= MOST:
            self.clear()
        try:
            span = shared(text) if self.family == 4 else None
            if span is None:
                span, *others = addresses(text, self.family)
                if others:
                    return None
        except Unreadable:
            return None
        self[text] = span
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

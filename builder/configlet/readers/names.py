"""Protocols, ports and ICMP types of a text as intervals, by the grammar's own tables of names."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from configlet.model.net import KEPT
from configlet.readers.grammar import by_key
from configlet.readers.spans import Span, Unreadable, complement, number

HIGHEST = 65535
"""The last port."""


class Names:
    """The names of a grammar. A table may differ by family (protocols, ICMP) or by protocol (ports)."""

    def __init__(self, grammar: Mapping[str, Any]) -> None:
        names = grammar["names"]
        self.any = grammar["any"]
        self.ported: list[int] = grammar["ported"]
        self.code_word = grammar.get("code_word", "")
        self.icmp_of: Mapping[int, int] = grammar["icmp_of"]
        self.protos = {family: by_key(names["proto"], family) for family in (4, 6)}
        self.portnames = {proto: by_key(names["portname"], proto) for proto in self.ported}
        self.types: Mapping[int, Mapping[str, list[int]]] = names["icmp"]

    def proto(self, text: str, family: int) -> Span:
        """The protocol, or all of them. Raises Unreadable."""
        if text == self.any[family]:
            return 0, 255
        value = self.protos[family].get(text)
        value = number(text, 255) if value is None else value
        return value, value

    def ports(self, text: str, proto: Span) -> list[Span]:
        """An operator and its ports. Raises Unreadable, also for a protocol that has none."""
        if proto[0] != proto[1] or proto[0] not in self.ported:
            raise Unreadable("Ports stand beside a protocol that has none")
        operator, _, said = text.partition(" ")
        if operator == "eq" and " " not in said:
            value = self._port(said, proto[0])
            return [(value, value)]
        values = [self._port(word, proto[0]) for word in said.split()]
        if operator == "range":
            low, high = values
            if low > high:
                raise Unreadable("This range is reversed")
            return [(low, high)]
        if operator in ("gt", "lt"):
            span = (values[0] + 1, HIGHEST) if operator == "gt" else (0, values[0] - 1)
            if span[0] > span[1]:
                raise Unreadable("No port is left")
            return [span]
        if operator not in ("eq", "neq"):
            raise Unreadable("This operator is not known")
        spans = [(value, value) for value in sorted(set(values))]
        return spans if operator == "eq" else complement(spans, HIGHEST)

    def kept(self, proto: Span) -> dict[str, Span]:
        """The ports that policies with many lists say, by the texts of which ``ports`` reads each of them alone."""
        if proto[0] != proto[1] or proto[0] not in self.ported:
            return {}
        known = dict(self._kept)
        for name in self.portnames[proto[0]]:  # a name may be a number
            known.pop(f"eq {name}", None)
        return known

    @cached_property
    def _kept(self) -> Mapping[str, Span]:
        return {f"eq {span[0]}": span for span in KEPT if span[0] == span[1] <= HIGHEST}

    def icmp(self, text: str, proto: Span, family: int) -> Span:
        """A type, with or without its code, as ``type*256+code``. Raises Unreadable."""
        if proto != (self.icmp_of[family],) * 2:
            raise Unreadable("An ICMP type stands beside another protocol")
        first, *rest = (word for word in text.split() if word != self.code_word)
        named = self.types[family].get(first)
        values = list(named) if named is not None else [number(first, 255)]
        values += [number(word, 255) for word in rest]
        if len(values) > 2:
            raise Unreadable("This ICMP name has a code already")
        low = values[0] * 256
        return (low + values[1],) * 2 if len(values) == 2 else (low, low + 255)

    def _port(self, text: str, proto: int) -> int:
        value = self.portnames[proto].get(text)
        return number(text, HIGHEST) if value is None else int(value)

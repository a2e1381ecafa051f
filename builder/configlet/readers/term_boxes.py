"""The leaves of one entry, put together to boxes of packets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, NamedTuple

from configlet.readers.clauses import BIT, PORTS, Box, non_first
from configlet.readers.conditions import ANY, MOST, merged, ports_of
from configlet.readers.grammar import by_key
from configlet.readers.names import Names
from configlet.readers.spans import Span, Unreadable

TCP: Span = (6, 6)


@dataclass(slots=True)
class Term:
    """One entry as read: what its leaves ask, and where each of them stands."""

    name: str
    place: tuple[int, int]
    path: str
    asked: dict[str, Any] = field(default_factory=dict)
    leaves: list[str] = field(default_factory=list)
    normal: list[str] = field(default_factory=list)
    label: str = ""


class _Shape(NamedTuple):
    """What an entry asks besides its addresses."""

    permit: bool
    proto: Span
    sports: tuple[Span, ...]
    uppers: tuple[Span, ...]
    """Destination ports, or ICMP types."""
    flag: Span
    fragment: Span
    also_fragments: bool
    known: bool

    def boxes(self, sources: Sequence[Span], destinations: Sequence[Span]) -> tuple[Box, ...]:
        """The boxes between two ends, in order of the text."""
        spans = product(sources, self.sports, destinations, self.uppers)
        found = tuple((self.proto, d, s, dp, sp, self.flag, self.fragment) for s, sp, d, dp in spans)
        return (*found, *non_first(self.proto, sources, destinations)) if self.also_fragments else found


_APART = frozenset(("source", "destination", "source.except", "destination.except", "priority"))
"""What most entries say differently, and what decides nothing but addresses and rank."""


class Boxes:
    """What a grammar's entries mean; what they ask besides addresses is understood once and remembered."""

    def __init__(self, grammar: Mapping[str, Any], names: Names) -> None:
        self.grammar, self.names = grammar, names
        self.apart = _APART.difference(name for pair in grammar.get("same", ()) for name in pair)
        self.known: dict[tuple[str, Span], list[Span]] = {}
        self.shapes: dict[object, tuple[_Shape, ...]] = {}

    def of(self, term: Term, family: int, *, foreign: bool = False) -> tuple[bool, tuple[Box, ...], bool]:
        """Whether an entry permits, its boxes, and whether what it does to fragments is known. Raises Unreadable.

        An entry that names several protocols, or ports of either side, is as many side by side. Of a ``foreign`` one less is
        required.
        """
        asked, apart = term.asked, self.apart
        said = tuple([tuple(v) if isinstance(v, list) else v for name, v in asked.items() if name not in apart])
        key = family, foreign, tuple(asked), said
        shapes = self.shapes.get(key)
        if shapes is None:
            if len(self.shapes) >= MOST:
                self.shapes.clear()
            shapes = self.shapes[key] = tuple(self._shapes(asked, family, foreign))
        sources, destinations = (_addresses(asked, end, family) for end in ("source", "destination"))
        boxes = tuple([box for shape in shapes for box in shape.boxes(sources, destinations)])
        return shapes[0].permit, boxes, all(shape.known for shape in shapes)

    def _shapes(self, asked: Mapping[str, Any], family: int, foreign: bool) -> Iterator[_Shape]:
        protos = asked.get("proto")
        each = [asked]
        if isinstance(protos, list):
            each = [{**asked, "proto": proto} for proto in dict.fromkeys(protos)]
        if "ports" in asked:
            each = [side for one in each for side in _either(one)]
        for one in each:
            yield _Asked(self.grammar, self.names, one, family, self.known, foreign).shape()


def _either(asked: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """An entry whose ports may stand on either side is two side by side. Raises Unreadable."""
    if "sport" in asked or "dport" in asked:
        raise Unreadable("Ports of either side stand beside ports of one")
    rest = {name: value for name, value in asked.items() if name != "ports"}
    yield from ({**rest, side: asked["ports"]} for side in ("sport", "dport"))


@dataclass(frozen=True, slots=True)
class _Asked:
    """One entry's leaves, put together."""

    grammar: Mapping[str, Any]
    names: Names
    asked: Mapping[str, Any]
    family: int
    known: dict[tuple[str, Span], list[Span]]
    """Ports that were understood before."""
    foreign: bool = False

    def shape(self) -> _Shape:
        """What the entry asks besides its addresses. Raises Unreadable."""
        asked, grammar, family = self.asked, self.grammar, self.family
        permit = self.permit()
        required = grammar.get("required", ())
        for name in grammar.get("running", {}).get("required", required) if self.foreign else required:
            names = name if isinstance(name, list) else [name]
            if not any(one in asked for one in names):
                raise Unreadable(f"This entry does not say its {' or '.join(names)}")
        if "state" in asked or "state.off" in asked:
            raise Unreadable("The state of a connection is not known to a list that remembers none")
        for one, other in grammar.get("same", ()):
            if asked.get(one) != asked.get(other):
                raise Unreadable(f"The {one} and the {other} of this entry are not the same")
        proto: Span = asked.get("proto", (0, 255))
        sports, dports = self.ports("sport", proto), self.ports("dport", proto)
        types = self.types(proto)
        flags = asked.get("established")
        if flags and proto != TCP:
            raise Unreadable("Only TCP has flags")
        upper = bool(sports or dports or types or flags)
        if types and (sports or dports):
            raise Unreadable("This entry asks for ports and for an ICMP type")
        fragment, proto, silent = self.fragment(proto, permit, upper)
        treats = by_key(grammar["fragments_of_port_lines"], family)
        also = treats == "by-address" and permit and bool(sports or dports) and not flags
        uppers = tuple(types or dports or [PORTS])
        known = not upper or silent or treats != "unknown"
        flag = (1, 1) if flags else BIT
        return _Shape(permit, proto, tuple(sports or [PORTS]), uppers, flag, fragment, also, known)

    def permit(self) -> bool:
        action = self.asked.get("action", self.grammar.get("no_action"))
        if action is None:
            raise Unreadable("This entry does not say whether it permits")
        return bool(action != "deny")

    def fragment(self, proto: Span, permit: bool, upper: bool) -> tuple[Span, Span, bool]:
        """The fragment bit, the protocol, and whether the entry speaks of fragments."""
        said = self.asked.get("fragments")
        header = self.grammar.get("fragment_header", {}).get(self.family)
        if header is not None and proto == (header, header):
            said, proto = "all", (0, 255)
        later = self.asked.get("first_fragment")
        if said == "some" and later == "no":
            said = "later"
        elif said == "some" or later is not None:
            raise Unreadable("Fragments of one kind are asked for that is not modelled")
        if said is None:
            # A header that comes first is the one that is looked at: a fragment has another one there.
            bound = header is not None and proto != (0, 255)
            return ((0, 0) if upper or bound else BIT), proto, bound
        if upper:
            raise Unreadable("A fragment has no ports, types or flags")
        if said == "all" and permit:
            raise Unreadable("An entry that passes all fragments passes first ones with any port")
        return (1, 1), proto, True

    def ports(self, side: str, proto: Span) -> list[Span]:
        asked, names = self.asked, self.names
        lowest = self.grammar.get("ports", {}).get("lowest", 0)
        if side in asked:
            texts = asked[side] if isinstance(asked[side], list) else [asked[side]]
            return [span for text in texts if text for span in self.port(text, proto, lowest)]
        low, high, value = (asked.get(f"{side}.{part}") for part in ("low", "high", "value"))
        operator = asked.get(f"{side}.operator")
        if value is not None:
            if operator not in ("eq", "ge", "le") or low is not None or high is not None:
                raise Unreadable("Ports have no operator that is known")
            (span,) = self.port(value, proto, lowest)
            return [span if operator == "eq" else (span[0], 65535) if operator == "ge" else (0, span[1])]
        if low is None and high is None and operator is None:
            return []
        if low is None or high is None or operator is not None:
            raise Unreadable("Half a range of ports is not modelled")
        return names.ports(f"range {low} {high}", proto)

    def port(self, text: str, proto: Span, lowest: int) -> list[Span]:
        found = self.known.get((text, proto))
        if found is None:
            if len(self.known) >= MOST:
                self.known.clear()
            found = self.known[text, proto] = ports_of(self.names, text, proto, lowest)
        return found

    def types(self, proto: Span) -> list[Span]:
        asked = self.asked
        if "type" not in asked:
            if "code" in asked:
                raise Unreadable("An ICMP code has no type")
            return []
        if proto != (self.names.icmp_of[self.family],) * 2:
            raise Unreadable("An ICMP type stands beside another protocol")
        codes = asked.get("code")
        if isinstance(asked["type"], list):
            if codes is not None and len(asked["type"]) > 1:
                raise Unreadable("An ICMP code stands beside several types")
            if codes is None:
                return list(asked["type"])
        low, high = asked["type"][0] if isinstance(asked["type"], list) else asked["type"]
        if codes is None:
            return [(low, high)]
        if low == high:
            raise Unreadable("This ICMP name has a code already")
        return [(low + code, low + code) for code in (codes if isinstance(codes, list) else [codes])]


def _addresses(asked: Mapping[str, Any], end: str, family: int) -> tuple[Span, ...]:
    """The addresses of one end. Raises Unreadable where none is left."""
    said, excepted = asked.get(end), asked.get(f"{end}.except", ())
    if not excepted:
        if said is None:
            return (ANY[family],)
        if not isinstance(said, list):
            return (said,)
        if len(said) == 1:
            return (said[0],)
    spans = [(span, True) for span in (said if isinstance(said, list) else [said])] if said is not None else []
    found = merged([*spans, *((span, False) for span in excepted)])
    if not found:
        raise Unreadable("No address is left")
    return found

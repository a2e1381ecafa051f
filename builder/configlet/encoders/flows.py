"""Fitted permits as the flow rules of a NIC in its own words: one prefix or address an end, one port or mask a side. Pure.

Nothing depends on an order that a NIC may not keep: permits come first where there is an order, and win by looking at more
fields where there is none; what closes the rest looks at the ethertype alone. The formats are the platform's operands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address
from math import prod
from typing import Any, NamedTuple

from configlet.encoders.spent import Spent, too_much
from configlet.model.block import Block, Sets, items, sets_of
from configlet.model.gate import Table
from configlet.model.net import BITS, FAMILIES, TOP, Family, Spans, prefixes
from configlet.model.policy import ANY_BIT, ANY_PORT, ANY_PROTO, DPORT, DST, FLAG, FRAG, PROTO, SPORT, SRC, Entry, Rule
from configlet.model.problem import Refused, refuse
from configlet.packets.near import Near

PORTED = (6, 17)
ICMP: dict[Family, int] = {4: 1, 6: 58}
_PORTS: Spans = (ANY_PORT,)


class Flow(NamedTuple):
    """One rule of a NIC: words of each field, in the platform's order; "" where it does not look."""

    family: Family
    proto: int | None
    words: tuple[str, ...]
    fragment: bool


def artifact(operands: Mapping[str, Any], tables: Sequence[Table]) -> str:
    """The lines for one host's NICs. Raises Refused when they do not fit, or for what the NIC cannot say."""
    lines: list[str] = []
    for name in sorted({name for table in tables for name in table.gate.binding.split()}):
        mine = [table for table in tables if name in table.gate.binding.split()]
        too_much(spent(operands, mine), f"{mine[0].gate.owner}/{name}")
        found = dict.fromkeys(flow for table in mine for flow in _flows(operands, table))
        lines += _lines(operands, name, list(found))
    return "\n".join([operands["head"], *lines]) + "\n"


def spent(operands: Mapping[str, Any], tables: Sequence[Table]) -> Spent:
    """How many rules these tables are, counted before any is written, and the record's limit."""
    costs: Counter[tuple[str, object]] = Counter()
    limit = tables[0].gate.capability.capacity if tables else 0
    closing = sum(len(lines) for lines in operands["close"].values())
    for table in tables:
        for sets, rule in _rows(operands, table):
            costs[rule.name, rule.place] += prod(_size(part) for part in _parts(operands, table.family, sets, rule))
    return Spent({"rules": (costs.total() + closing, limit)}, costs)


def _rows(operands: Mapping[str, Any], table: Table) -> list[tuple[Sets, Rule]]:
    """Rows once each, without those inside another, as all are permits. To a NIC that does not see fragments a row of
    fragments alone says nothing of its own, and to one that sees no types all of ICMPv6 holds its listeners. Where
    fragments have rules of their own, a row of both is two."""
    hidden = "fragment" in table.gate.capability.blind_to
    found: dict[Sets, Rule] = {}
    for item in items(table.rows):
        like: Entry = item.like if isinstance(item, Block) else item
        sets = sets_of(item)
        if not (hidden and sets[FRAG][0][0]):
            for part in _told_apart(sets) if "fragments" in operands else (sets,):
                found.setdefault(part, like.rule)
    near = Near(list(found))
    return [(sets, rule) for at, (sets, rule) in enumerate(found.items()) if all(n == at for n in near.holding(sets))]


def _told_apart(sets: Sets) -> tuple[Sets, ...]:
    """What is whole, and later fragments, which have no ports; one of them where a row asks for that alone."""
    proto, dst, src, dport, sport, flag, frag = sets
    if frag != (ANY_BIT,):
        return (sets,)
    whole = (proto, dst, src, dport, sport, flag, ((0, 0),))
    return (whole, (*whole[:6], ((1, 1),))) if dport == sport == _PORTS and flag == (ANY_BIT,) else (whole,)


def _flows(operands: Mapping[str, Any], table: Table) -> Iterator[Flow]:
    for sets, rule in _rows(operands, table):
        made = _parts(operands, table.family, sets, rule)
        numbers, *parts = [list[Any](part.make()) if isinstance(part, _Many) else list(part) for part in made]
        for proto in numbers:
            for words in _product(parts):
                yield Flow(table.family, proto, words, sets[FRAG][0][0] == 1)


def _product(parts: Sequence[Sequence[Any]]) -> Iterator[tuple[str, ...]]:
    if not parts:
        yield ()
        return
    for first in parts[0]:
        for rest in _product(parts[1:]):
            yield (first, *rest)


def _parts(operands: Mapping[str, Any], family: Family, sets: Sets, rule: Rule) -> list[_Part]:
    """Protocols, then the words of each field: as many rules as their product. Counted without being written."""
    said, protos = operands["words"], _protocols(sets[PROTO])
    echo = sets[PROTO] == ((ICMP[family],) * 2,)
    ports: list[_Part] = [[""], [""]]
    if not echo and (sets[DPORT] != _PORTS or sets[SPORT] != _PORTS):
        if not all(low == high and low in PORTED for low, high in sets[PROTO]):
            raise _unsaid(rule, "asks for ports of a protocol that is neither TCP nor UDP")
        ports = [_ports(said[name], sets[level]) for name, level in (("sport", SPORT), ("dport", DPORT))]
    return [
        protos,
        _ends(said["src"], family, sets[SRC]),
        _ends(said["dst"], family, sets[DST]),
        *ports,
        _types(said, sets[DPORT], rule) if echo and sets[DPORT] != _PORTS else [""],
        _flags(said, sets, rule),
    ]


class _Many(NamedTuple):
    """Words of which it is known how many they are before any is written: a prefix of IPv6 has more than anybody counts."""

    size: int
    make: Callable[[], Iterable[str]]


_Part = Sequence[Any] | _Many


def _size(part: _Part) -> int:
    return part.size if isinstance(part, _Many) else len(part)


def _protocols(spans: Spans) -> Sequence[Any]:
    return [None] if spans == (ANY_PROTO,) else [one for low, high in spans for one in range(low, high + 1)]


def _ends(said: Mapping[str, str], family: Family, spans: Spans) -> _Part:
    if spans == ((0, TOP[family]),):
        return [""]
    one = said["one"]
    if "prefix" not in said:
        count = sum(high - low + 1 for low, high in spans)
        return _Many(count, lambda: (one.format(_text(family, a)) for low, high in spans for a in range(low, high + 1)))
    found = [piece for span in spans for piece in prefixes(family, span)]
    return [(one if bits == BITS[family] else said["prefix"]).format(_text(family, low), bits) for low, bits in found]


def _text(family: Family, value: int) -> str:
    return str(IPv4Address(value)) if family == 4 else str(IPv6Address(value))


def _ports(said: Mapping[str, str], spans: Spans) -> _Part:
    """Ports one by one, as ranges, or as values with the mask of the bits that count: what the platform has a word for."""
    one = said["one"]
    if spans == _PORTS:
        return [""]
    if "range" in said:
        return [(one if low == high else said["range"]).format(low, high) for low, high in spans]
    if "mask" not in said:
        count = sum(high - low + 1 for low, high in spans)
        return _Many(count, lambda: (one.format(port) for low, high in spans for port in range(low, high + 1)))
    blocks = [piece for span in spans for piece in prefixes(4, span)]
    return [(one if bits == 32 else said["mask"]).format(low, 65536 - (1 << (32 - bits))) for low, bits in blocks]


def _types(said: Mapping[str, str], spans: Spans, rule: Rule) -> Sequence[Any]:
    if "type" not in said:
        raise _unsaid(rule, "asks for a type of ICMP")
    out = []
    for low, high in spans:
        at = low
        while at <= high:
            if at % 256 == 0 and at + 255 <= high:
                out.append(said["type"].format(at >> 8))
                at += 256
            else:
                out.append(said["code"].format(at >> 8, at & 255))
                at += 1
    return out


def _flags(said: Mapping[str, Any], sets: Sets, rule: Rule) -> Sequence[Any]:
    if sets[FLAG] == (ANY_BIT,):
        return [""]
    if sets[PROTO] != ((6, 6),) or "flags" not in said:
        raise _unsaid(rule, "asks for TCP flags")
    return list(said["flags"][sets[FLAG][0][0]])


def _lines(operands: Mapping[str, Any], nic: str, flows: Sequence[Flow]) -> Iterator[str]:
    """What passes, in the order in which it was found, then what closes the rest, family by family."""
    said = operands["words"]
    for flow in flows:
        src, dst, sport, dport, *more = flow.words
        words = {"nic": nic, "src": src, "dst": dst, "sport": sport, "dport": dport,
                 "more": "".join(more) + (said["fragment"] if flow.fragment else "")}  # fmt: skip
        kinds = operands["types"][flow.family]
        named = flow.proto in kinds
        words["proto"] = "" if named or flow.proto is None else said["proto"].format(flow.proto)
        words["type"] = kinds[flow.proto if named else "any"].format_map(words)
        yield operands["fragments" if flow.fragment else "line"][flow.family].format_map(words)
    for family in FAMILIES:
        yield from (line.format(nic=nic) for line in operands["close"].get(family, ()))


def _unsaid(rule: Rule, what: str) -> Refused:
    return refuse(
        "Row that the NIC cannot say",
        f'The rule "{rule.name}" {what}, and rules of this NIC have no word for it. Guard this flow at another gate.',
        rule.place,
        nature="red",
    )

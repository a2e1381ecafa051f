"""Cases beside the templates: rows in a compact form, and the exact text that a platform gives for them.

A row is ``permit tcp 10.0.0.0/8 10.1.0.1 to 22 from 1024-65535`` with ``established``, ``fragments`` or ``all`` behind it;
``type 8`` or ``type 3/4`` for ICMP. Of a case the law is its rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from configlet.model.gate import Gate, Law, Table
from configlet.model.net import TOP, Addresses, Family, Span, span_of
from configlet.model.platform import Platform
from configlet.model.policy import Box, Entry, Rule
from configlet.model.problem import Place, refuse

PROTOS: Mapping[str, Span] = {
    "ip": (0, 255), "icmp": (1, 1), "igmp": (2, 2), "tcp": (6, 6), "udp": (17, 17), "icmpv6": (58, 58), "ospf": (89, 89),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """One case file: what it is about, its tables, and the text that they must give."""

    path: Path
    about: str
    kind: str
    tables: tuple[Table, ...]
    text: str


def read(platform: Platform, path: Path, document: Mapping[str, Any]) -> Case:
    """A case of a kind that is an access list. Raises Refused at the row that cannot be read."""
    gone = [key for key in ("about", "kind", "tables", "text") if key not in document]
    if gone:
        raise refuse("Case that is incomplete", f"The case lacks {', '.join(gone)}.", Place(str(path)))
    kind = document["kind"]
    if kind != "acl":
        detail = f"Only cases of access lists are read here, and this one is of {kind}. Write its text by hand."
        raise refuse("Case that cannot be filled", detail, Place(str(path)))
    tables = tuple(_tables(platform, kind, document["tables"], path))
    return Case(path, document["about"], kind, tables, document["text"])


def _tables(platform: Platform, kind: str, said: list[Mapping[str, Any]], path: Path) -> Iterator[Table]:
    capability = platform.kinds[kind].capability
    for one in said:
        family: Family = one["family"]
        entries = tuple(_row(item, family, path, number) for number, item in enumerate(one["rows"], 1))
        name = f"device/{one['binding']}/{one['direction']}/v{family}"
        gate = Gate(
            name,
            "device",
            platform.name,
            "acl",
            one["binding"],
            one["direction"],
            (family,),
            "",
            ("order-gateways",),
            capability,
        )
        yield Table(gate, "", family, Law(family, (entries,)), entries)


def _row(item: Mapping[str, Any], family: Family, path: Path, number: int) -> Entry:
    try:
        permit, box = _box(str(item["row"]).split(), family)
    except (KeyError, ValueError, IndexError, StopIteration) as error:
        detail = f'The row {number} "{item.get("row", "")}" cannot be read: {error}.'
        raise refuse("Case with a row that is none", detail, Place(str(path))) from None
    none = Addresses()
    place = Place("policy.yaml", number, 3)
    rule = Rule(item["rule"], "policy", "allow" if permit else "deny", none, none, (), item.get("log", False), place)
    return Entry(permit, box, rule, item.get("reply", False))


def _box(words: list[str], family: Family) -> tuple[bool, Box]:
    proto = PROTOS[words[1]] if words[1] in PROTOS else (int(words[1]), int(words[1]))
    source, destination = _end(words[2], family), _end(words[3], family)
    dport: Span = (0, 65535)
    sport, flag, fragment = dport, (0, 1), (0, 0)
    rest = iter(words[4:])
    for word in rest:
        if word in ("to", "type"):
            dport = _numbers(next(rest), types=word == "type")
        elif word == "from":
            sport = _numbers(next(rest), types=False)
        else:
            flag = (1, 1) if word == "established" else flag
            fragment = {"established": fragment, "fragments": (1, 1), "all": (0, 1)}[word]
    return {"permit": True, "deny": False}[words[0]], (proto, destination, source, dport, sport, flag, fragment)


def _end(text: str, family: Family) -> Span:
    if text == "any":
        return 0, TOP[family]
    low, dash, high = text.partition("-")
    return (_end(low, family)[0], _end(high, family)[1]) if dash else span_of(ip_network(text))


def _numbers(text: str, *, types: bool) -> Span:
    if types and "/" in text:
        kind, code = text.split("/")
        return (int(kind) * 256 + int(code),) * 2
    low, _, high = text.partition("-")
    first, last = int(low), int(high or low)
    return (first * 256, last * 256 + 255) if types else (first, last)

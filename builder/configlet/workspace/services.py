"""Services: how protocols, ports and ICMP types are written, and the terms that they mean."""

from __future__ import annotations

import re
from typing import Any

from configlet.model.inventory import Term
from configlet.model.net import PORTS, Family, Span
from configlet.workspace import forms
from configlet.workspace.suggest import did_you_mean

PORTED = {"tcp": 6, "udp": 17, "sctp": 132}
CONTROL: dict[str, tuple[int, Family]] = {"icmp": (1, 4), "icmpv6": (58, 6)}
PROTOCOLS = (*PORTED, *CONTROL, "ip")

# IANA, "Internet Control Message Protocol (ICMP) Parameters" and "ICMPv6 Parameters" (2026), names in lower case.
TYPES: dict[str, dict[str, int]] = {
    "icmp": {
        "echo-reply": 0,
        "destination-unreachable": 3,
        "source-quench": 4,
        "redirect": 5,
        "echo-request": 8,
        "router-advertisement": 9,
        "router-solicitation": 10,
        "time-exceeded": 11,
        "parameter-problem": 12,
        "timestamp-request": 13,
        "timestamp-reply": 14,
        "photuris": 40,
        "extended-echo-request": 42,
        "extended-echo-reply": 43,
    },
    "icmpv6": {
        "destination-unreachable": 1,
        "packet-too-big": 2,
        "time-exceeded": 3,
        "parameter-problem": 4,
        "echo-request": 128,
        "echo-reply": 129,
        "multicast-listener-query": 130,
        "multicast-listener-report": 131,
        "multicast-listener-done": 132,
        "router-solicitation": 133,
        "router-advertisement": 134,
        "neighbor-solicitation": 135,
        "neighbor-advertisement": 136,
        "redirect": 137,
        "multicast-listener-report-v2": 143,
    },
}
_CODE = re.compile(r"(0|[1-9][0-9]{0,3})(?:\.(0|[1-9][0-9]{0,3}))?", re.ASCII)


def complaint(item: Any) -> str | None:
    """What is wrong with one term as written, or None."""
    if isinstance(item, str):
        return _text_complaint(item)
    if isinstance(item, dict):
        return _map_complaint(item)
    return "A term is text such as tcp/443, or a map such as {udp: 53, from: ephemeral}."


def term(item: str | dict[str, Any], ephemeral: Span) -> Term:
    """The meaning of a term that ``complaint`` accepted."""
    if isinstance(item, dict):
        word = next(key for key in item if key != "from")
        source = item.get("from", "0-65535")
        sport = ephemeral if source == "ephemeral" else forms.span(str(source))
        return Term(PORTED[word], sport, forms.span(str(item[word])))
    word, _, rest = item.partition("/")
    if word in PORTED:
        return Term(PORTED[word], PORTS, forms.span(rest) if rest else PORTS)
    if word in CONTROL:
        number, family = CONTROL[word]
        return Term(number, dport=_types(word, rest) if rest else PORTS, family=family)
    return Term(int(rest))


def _types(word: str, rest: str) -> Span:
    if rest in TYPES[word]:
        return TYPES[word][rest] * 256, TYPES[word][rest] * 256 + 255
    kind, _, code = rest.partition(".")
    low = int(kind) * 256
    return (low + int(code), low + int(code)) if code else (low, low + 255)


def _text_complaint(item: str) -> str | None:
    word, slash, rest = item.partition("/")
    if word not in PROTOCOLS:
        return f"`{item[:60]}` begins with no protocol that is known: {', '.join(PROTOCOLS)}.{did_you_mean(word, PROTOCOLS)}"
    if not slash and word != "ip":
        return None
    if word in PORTED:
        return forms.ports(rest)
    if word in CONTROL:
        return _type_complaint(word, rest)
    if re.fullmatch(r"0|[1-9][0-9]{0,2}", rest, re.ASCII) and int(rest) <= 255:
        return None
    return f"`{item[:60]}` is not a protocol number from ip/0 to ip/255."


def _type_complaint(word: str, rest: str) -> str | None:
    if rest in TYPES[word]:
        return None
    match = _CODE.fullmatch(rest)
    if match is None:
        return f"`{rest[:60]}` is no {word} type of IANA's list.{did_you_mean(rest, tuple(TYPES[word]))}"
    return "ICMP types and codes end at 255." if any(int(part) > 255 for part in match.groups() if part) else None


def _map_complaint(item: dict[str, Any]) -> str | None:
    words = [key for key in item if key != "from"]
    if len(words) != 1 or words[0] not in PORTED:
        return f"A map of this kind has one of {', '.join(PORTED)}, and may have `from` for source ports."
    source = item.get("from", "ephemeral")
    for value in (item[words[0]], source):
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            return "A port or range such as 9001-9016 belongs here."
    wrong = forms.ports(str(item[words[0]]))
    return wrong or (None if source == "ephemeral" else forms.ports(str(source)))


def is_literal(word: str) -> bool:
    """Whether it is a term such as tcp/22 rather than the name of a service."""
    return "/" in word or word in PROTOCOLS

"""Flow rules of a NIC, one a line, as first-match lists: by priority, or by which fields a rule looks at.

A grammar says the words, what each means, and how rules are ordered; what a NIC does with packets that no rule matches is
a line of its own at the end, so that a table without what closes it is refuted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from ipaddress import ip_network
from typing import Any

from configlet.model.gate import Line, Reading, Texts
from configlet.model.net import TOP, Family, Span, span_of
from configlet.model.policy import ANY_BIT, ANY_PORT, ANY_PROTO
from configlet.model.problem import Place, refuse
from configlet.model.running import Running
from configlet.packets.boxes import full, meet
from configlet.packets.near import Near
from configlet.readers.shown import listed
from configlet.readers.whole import whole

FAMILIES: tuple[Family, Family] = (4, 6)
WHOLE: Span = (0, 0)


@dataclass(frozen=True, slots=True)
class Rule:
    """One line: the fields that it looks at, and its values."""

    number: int
    text: str
    permit: bool
    priority: int
    family: Family
    fields: frozenset[str]
    proto: Span = ANY_PROTO
    src: Span = (0, 0)
    dst: Span = (0, 0)
    sport: Span = ANY_PORT
    dport: Span = ANY_PORT
    flag: Span = ANY_BIT
    fragment: Span = ANY_BIT
    half: str = ""

    @property
    def box(self) -> tuple[Span, ...]:
        """What it matches, as a box."""
        return self.proto, self.dst, self.src, self.dport, self.sport, self.flag, self.fragment


@dataclass(slots=True)
class _Values:
    """What the words of one line have said so far."""

    family: int = 0
    said: dict[str, Any] = field(default_factory=dict)
    turned: bool = False


class FlowReader:
    """The reader of a grammar of flow rules."""

    def __init__(self, grammar: Mapping[str, Any]) -> None:
        self.grammar = grammar
        self.line = re.compile(grammar["line"])
        self.words = [(re.compile(word["is"] + r"(?= |$)"), word) for word in grammar["words"]]
        self.blind = frozenset(grammar.get("blind_to", ()))
        self.default = str(grammar["default"])
        self.families = tuple(f for f in FAMILIES if f in grammar.get("families", FAMILIES))
        self.protocols = tuple((n, n) for n in grammar.get("protocols", ())) or (ANY_PROTO,)

    def running(self, text: str, file: str) -> Running:
        """What a whole text says, as one."""
        return whole(self.read, text, file)

    def read(self, text: str, file: str) -> Reading:
        """One list for each NIC and family. Raises Refused for what is not known."""
        if not text.strip():
            return Reading({}, 0, 0)
        read = len([line for line in text.splitlines() if line.strip()])
        lines = listed(self.grammar["shown"], text, file) if "shown" in self.grammar else text.splitlines()
        if lines[0] != self.grammar["head"]:
            raise refuse("Text that is no table of a NIC", f'It must begin with "{self.grammar["head"]}".', Place(file))
        by_nic: dict[str, list[Rule]] = {}
        for number, line in enumerate(lines[1:], 2):
            if line.strip():
                found = self.line.fullmatch(line)
                if not found:
                    raise _odd(file, number, f'"{line.strip()[:80]}" is no line that such a table has')
                by_nic.setdefault(found["nic"], []).append(self._rule(found, line, number, file))
        lists: dict[tuple[str, str, int], Sequence[Line]] = {}
        for nic, rules in by_nic.items():
            for family in self.families:
                lists[nic, self.grammar["direction"], family] = tuple(self._list(family, rules, file))
        canonical = "\n".join([lines[0], *sorted(line.replace(" in_hw", "") for line in lines[1:] if line)]) + "\n"
        return Reading(lists, read, read, False, partial(Texts, canonical))

    def _rule(self, found: re.Match[str], line: str, number: int, file: str) -> Rule:
        groups = found.groupdict()
        values = _Values()
        self._take(values, self.grammar["types"].get(groups["type"]), (), file, number)
        rest = groups["words"]
        while rest:
            for pattern, word in self.words:
                matched = pattern.match(rest)
                if matched:
                    self._take(values, word, matched.groups(), file, number)
                    rest = rest[matched.end() :]
                    break
            else:
                raise _odd(file, number, f'"{rest.strip()[:60]}" is a word that is not known')
        if values.family not in FAMILIES:
            raise _odd(file, number, "the rule does not say IPv4 or IPv6")
        return self._made(values, groups, line, number, file)

    def _take(self, values: _Values, word: Mapping[str, Any] | None, groups: Sequence[str], file: str, number: int) -> None:
        if word is None:
            raise _odd(file, number, "a type of flow that is not known")
        values.family = word.get("family", values.family)
        for name in ("proto", "flag", "fragment", "half"):
            if name in word:
                self._set(values, name, word[name], file, number)
        if "field" in word:
            name = word["after"] if values.turned and "after" in word else word["field"]
            self._set(values, name, ("range", *groups) if word.get("form") == "range" else groups, file, number)
        values.turned = values.turned or "turn" in word

    def _set(self, values: _Values, name: str, value: Any, file: str, number: int) -> None:
        if name in values.said:
            raise _odd(file, number, f"the rule says {name} twice")
        values.said[name] = value

    def _made(self, values: _Values, groups: Mapping[str, str], line: str, number: int, file: str) -> Rule:
        family: Family = 4 if values.family == 4 else 6
        every, said = (0, TOP[family]), values.said
        proto = said.get("proto")
        try:
            priority = _number(groups.get("prio") or "0")
            protos = ANY_PROTO if proto is None else (_number(proto[0]),) * 2 if isinstance(proto, tuple) else (proto, proto)
            src, dst = (_end(family, said[name]) if name in said else every for name in ("src", "dst"))
            sport, dport = (_port(said[name]) if name in said else ANY_PORT for name in ("sport", "dport"))
            dport = _type(said) if "type" in said else dport
        except ValueError as error:
            raise _odd(file, number, str(error)) from None
        if {"sport", "dport"} & set(said) and protos not in ((6, 6), (17, 17)):
            raise _odd(file, number, "ports without TCP or UDP")
        if ("type" in said and protos not in ((1, 1), (58, 58))) or ("flag" in said and protos != (6, 6)):
            raise _odd(file, number, "a type without ICMP, or flags without TCP")
        flag, fragment = (((said[n],) * 2 if n in said else ANY_BIT) for n in ("flag", "fragment"))
        if not 0 <= protos[0] <= protos[1] <= 255:
            raise _odd(file, number, "a protocol beyond 255")
        ported = bool({"sport", "dport", "type", "flag"} & set(said))
        return Rule(
            number, line.strip(), self.grammar["verdicts"][groups["verdict"]], priority, family,
            frozenset(said) - {"half"}, protos, src, dst, sport, dport, flag,
            WHOLE if ported and fragment == ANY_BIT else fragment, said.get("half", ""),
        )  # fmt: skip

    def _list(self, family: Family, rules: Sequence[Rule], file: str) -> Iterator[Line]:
        mine = [rule for rule in rules if rule.family == family]
        ordered, order = list(_halves(mine, file)), self.grammar["order"]
        if order != "text":
            ordered.sort(key=lambda rule: (rule.priority, not rule.permit))
            (_by_fields if order == "specificity" else _by_priority)(ordered, file)
        for rule in ordered:
            for proto in (p for p in self.protocols if rule.proto in (ANY_PROTO, p) or p == ANY_PROTO):
                yield from self._seen(replace(rule, proto=proto if rule.proto == ANY_PROTO else rule.proto))
        for proto in self.protocols:
            yield Line(True, (proto, *full(family)[1:]), 0, f"no rule matches, and what it does then is to {self.default}")

    def _seen(self, rule: Rule) -> Iterator[Line]:
        """A rule's packets; to a NIC that does not see fragments these may look like any packet of the rule's."""
        if "fragment" not in self.blind:
            yield Line(rule.permit, rule.box, rule.number, rule.text)
            return
        if rule.permit or rule.fragment == ANY_BIT:
            yield Line(rule.permit, replace(rule, sport=ANY_PORT, dport=ANY_PORT, fragment=(1, 1)).box, rule.number, rule.text)
        yield Line(rule.permit, replace(rule, fragment=WHOLE).box, rule.number, rule.text)


def _halves(rules: Sequence[Rule], file: str) -> Iterator[Rule]:
    """ACK or RST is two rules of one verdict; one of them alone is no class of ours. Raises Refused."""
    halves = [rule for rule in rules if rule.half]
    for rule in rules:
        other = next((r for r in halves if r.half != rule.half and r.box == rule.box and r.permit == rule.permit), None)
        if not rule.half or other:
            yield rule
        else:
            raise _odd(file, rule.number, "a rule of ACK alone, or of RST alone, is no class of packets that is known")


def _by_fields(rules: Sequence[Rule], file: str) -> None:
    """Raises Refused where a permit meets a deny that does not look at fewer of the same fields."""
    permits = [rule for rule in rules if rule.permit]
    near = Near([tuple((span,) for span in rule.box) for rule in permits])  # type: ignore[misc]
    for deny in (rule for rule in rules if not rule.permit):
        for number in near.meeting(tuple((span,) for span in deny.box)):  # type: ignore[arg-type]
            if not deny.fields < permits[number].fields:
                raise _odd(file, permits[number].number, f"which of this rule and line {deny.number} wins is not certain")


def _by_priority(rules: Sequence[Rule], file: str) -> None:
    """Raises Refused where rules of one priority and other verdicts share a packet: which wins is not defined."""
    for deny in (rule for rule in rules if not rule.permit):
        for other in rules:
            if other.permit and other.priority == deny.priority and meet(other.box, deny.box):  # type: ignore[arg-type]
                raise _odd(file, other.number, f"this rule and line {deny.number} have one priority and other verdicts")


def _end(family: Family, said: Sequence[str]) -> Span:
    text = "/".join(said)
    length = text.partition("/")[2]
    if length.isdigit():
        _number(length)
    network = ip_network(text)
    if network.version != family:
        raise ValueError("an address of the other family")
    return span_of(network)


def _number(text: str) -> int:
    """A number as people write it: what begins with 0 is octal for ethtool, tc and testpmd. Raises ValueError."""
    value = int(text)
    if text != str(value):
        raise ValueError(f"{text} is a number that begins with 0")
    return value


def _port(said: Sequence[str]) -> Span:
    if said[0] == "range":
        first, last = _number(said[1]), _number(said[2] or said[1])
        if not 0 <= first <= last <= 65535:
            raise ValueError("a range of ports that is reversed matches nothing")
        return first, last
    low, mask = (*said[0].split("/"), *said[1:], "65535")[:2]
    value, bits = _number(low), int(mask, 0)
    free = bits ^ 0xFFFF
    if not 0 <= value <= 65535 or bits > 0xFFFF or free & (free + 1) or value & free:
        raise ValueError("ports that are no port and no aligned block")
    return value, value | free


def _type(said: Mapping[str, Sequence[str]]) -> Span:
    kind = _number(said["type"][0])
    if "code" in said:
        return (kind * 256 + _number(said["code"][0]),) * 2
    return kind * 256, kind * 256 + 255


def _odd(file: str, number: int, what: str) -> Exception:
    return refuse("Table of a NIC that cannot be read", f"{what}. Nothing is known of what it passes.", Place(file, number))

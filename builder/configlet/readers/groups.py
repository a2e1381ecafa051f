"""Object groups: addresses and services under a name that the entries of a list use.

Inside a group of networks stands a netmask, in an entry a wildcard (reference: switches, section 3); both are read in
bits. A group that is undefined, empty or part of itself is refused where it is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from configlet.model.frozen import dataclass
from configlet.readers.grammar import Clauses, Source
from configlet.readers.names import Names
from configlet.readers.spans import BITS, Span, Unreadable, address, netmask, prefix, wildcard
from configlet.readers.tree import Stanza
from configlet.readers.written import ports_text

GROUP = "object-group "
"""How a clause begins that names a group."""

_PORTS: Span = (0, 65535)
_Member = TypeVar("_Member")
_Key = TypeVar("_Key", str, tuple[str, str])


@dataclass(frozen=True, slots=True)
class Part:
    """One service of a group: protocol, source ports, and destination ports or an ICMP type."""

    proto: Span
    sports: tuple[Span, ...]
    dports: tuple[Span, ...]
    ports: bool
    icmp: bool


class GroupGrammar:
    """What the grammar says of groups; a grammar need not know any."""

    def __init__(self, grammar: Mapping[str, Any], names: Names, parts: Mapping[str, str]) -> None:
        said = grammar.get("groups")
        self.known = said is not None
        self.words: tuple[str, ...] = (GROUP,)
        if said is None:
            return
        self.names = names
        self.meaningless = re.compile(said["meaningless"])
        self.nested = re.compile(said["nested"])
        kinds = {kind: said[kind] for kind in ("network", "network6", "port", "service") if kind in said}
        self.words = tuple(f"{kind.get('word', GROUP.strip())} " for kind in kinds.values())
        self.stanzas = {kind: re.compile(rules["stanza"]) for kind, rules in kinds.items()}
        self.networks = {
            kind: {form: re.compile(pattern) for form, pattern in rules["forms"].items()}
            for kind, rules in kinds.items()
            if "forms" in rules
        }
        self.port = re.compile(kinds["port"]["form"]) if "port" in kinds else None
        if "service" in kinds:
            self.service = Clauses(said["service"]["entry"], parts)
            self.both = said["service"]["both"]

    def kind(self, header: str) -> tuple[str, str] | None:
        """The kind and name of the group that a header begins; None when it begins none."""
        for kind, pattern in self.stanzas.items() if self.known else ():
            if found := pattern.fullmatch(header):
                return kind, found["name"]
        return None


class Groups:
    """The groups of one text."""

    def __init__(self, grammar: GroupGrammar) -> None:
        self.grammar = grammar
        self.stanzas: dict[tuple[str, str], Stanza] = {}
        self.networks: dict[tuple[str, str], tuple[Span, ...]] = {}
        self.portlists: dict[str, tuple[str, ...]] = {}
        self.services: dict[str, tuple[Part, ...]] = {}

    def take(self, stanza: Stanza) -> bool:
        """Whether this stanza is a group; if so it is kept and read. Raises Refused for what is not known in it."""
        key = self.grammar.kind(stanza.header.text)
        if key is None:
            return False
        if key in self.stanzas or ("service" in self.grammar.stanzas and any(n == key[1] for _, n in self.stanzas)):
            stanza.header.refuse("This group stands twice in the text")
        self.stanzas[key] = stanza
        kind, name = key
        if kind in ("network", "network6"):
            self.networks[key] = tuple(span for line in self._lines(stanza) for span in self._network(line, kind))
        elif kind == "port":
            self.portlists[name] = tuple(self._port(line) for line in self._lines(stanza))
        else:
            self.services[name] = tuple(part for line in self._lines(stanza) for part in self._service(line))
        return True

    def network(self, clause: str, family: int = 4) -> tuple[Span, ...]:
        """The addresses of ``object-group NAME``. Raises Unreadable."""
        return _found(self.networks, ("network" if family == 4 else "network6", clause.rpartition(" ")[2]))

    def ports(self, clause: str, proto: Span) -> list[Span]:
        """The ports of ``portgroup NAME``, their names read as those of the protocol. Raises Unreadable."""
        texts = _found(self.portlists, clause.rpartition(" ")[2])
        return [span for text in texts for span in self.grammar.names.ports(text, proto)]

    def service(self, clause: str) -> tuple[Part, ...]:
        """The services of ``object-group NAME``. Raises Unreadable."""
        return _found(self.services, clause.removeprefix(GROUP))

    def canonical(self, used: set[str] | None) -> Iterator[str]:
        """The groups in one form; where ``used`` is given, those that it names and what they hold."""
        wanted = set(self._held(used)) if used is not None else {name for _, name in self.stanzas}
        for (kind, name), stanza in sorted(self.stanzas.items(), key=lambda item: item[0]):
            if name in wanted:
                yield stanza.header.text
                members = sorted(self._lines(stanza), key=lambda line: self._order(kind, line))
                yield from (f" {self._said(kind, line)}" for line in members)
                yield "!"

    def _held(self, used: Iterable[str]) -> Iterator[str]:
        """Names, and those of the groups within them; no group holds itself, as each stands before what names it."""
        for name in used:
            yield name
            stanza = next((s for (_, known), s in self.stanzas.items() if known == name), None)
            inner = (self.grammar.nested.fullmatch(line.text) for line in (self._lines(stanza) if stanza else ()))
            yield from self._held([found["name"] for found in inner if found])

    def _order(self, kind: str, line: Source) -> tuple[object, ...]:
        """Members by what they hold: their order means nothing, and nobody says that a device keeps it."""
        if kind in ("network", "network6"):
            return self._network(line, kind)
        if kind == "port":
            return (line.text,)
        part = self._service(line)[0]
        return part.proto, part.sports, part.dports

    def _said(self, kind: str, line: Source) -> str:
        """One member, whatever names the device prints for its ports."""
        if kind != "service" or self.grammar.nested.fullmatch(line.text):
            return line.text
        found = self.grammar.service.match(line)
        proto = self.grammar.names.proto("tcp" if found["proto"] == self.grammar.both["word"] else found["proto"], 4)
        sport, dport = (self.grammar.names.ports(found[g], proto) if found[g] else None for g in ("sport", "dport"))
        words = [found["proto"], *(["source", ports_text(sport)] if sport else []), *([ports_text(dport)] if dport else [])]
        return " ".join([*words, *([found["icmp"]] if found["icmp"] else [])])

    def _lines(self, stanza: Stanza) -> Iterator[Source]:
        return (line for line in stanza.lines if not self.grammar.meaningless.fullmatch(line.text))

    def _port(self, line: Source) -> str:
        found = self.grammar.port.fullmatch(line.text) if self.grammar.port else None
        if found is None:
            line.refuse("This line is no member of a group of ports")
        return found["ports"]

    def _network(self, line: Source, kind: str) -> tuple[Span, ...]:
        family = 6 if kind == "network6" else 4
        forms = {"nested": self.grammar.nested, **self.grammar.networks[kind]}
        found = next(((form, match) for form, p in forms.items() if (match := p.fullmatch(line.text))), None)
        if found is None:
            line.refuse("This line is no member of a group of networks")
        try:
            if found[0] == "nested":
                return _found(self.networks, (kind, found[1]["name"]))
            return (_span(*found, family),) if found[0] != "wildcard" else wildcard(found[1]["address"], found[1]["mask"])
        except Unreadable as why:
            line.refuse(str(why), line.text.rfind(" ") + 1)

    def _service(self, line: Source) -> tuple[Part, ...]:
        names, both = self.grammar.names, self.grammar.both
        try:
            if found := self.grammar.nested.fullmatch(line.text):
                return _found(self.services, found["name"])
            found = self.grammar.service.match(line)
            protos = (
                [(n, n) for n in both["means"]] if found["proto"] == both["word"] else [names.proto(found["proto"], 4)]
            )
            return tuple(_part(names, found, proto) for proto in protos)
        except Unreadable as why:
            line.refuse(str(why))


def _found(known: Mapping[_Key, tuple[_Member, ...]], key: _Key) -> tuple[_Member, ...]:
    """The members of a group. Raises Unreadable for one that has none."""
    name = key if isinstance(key, str) else key[1]
    if key not in known:
        raise Unreadable(f"The group {name} does not stand before this line")
    if not known[key]:
        raise Unreadable(f"The group {name} is empty; what an empty group matches is not known")
    return known[key]


def _part(names: Names, found: re.Match[str], proto: Span) -> Part:
    sports = names.ports(found["sport"], proto) if found["sport"] else [_PORTS]
    dports = names.ports(found["dport"], proto) if found["dport"] else [_PORTS]
    if found["icmp"]:
        dports = [names.icmp(found["icmp"], proto, 4)]
    return Part(proto, tuple(sports), tuple(dports), bool(found["sport"] or found["dport"]), bool(found["icmp"]))


def _span(form: str, found: re.Match[str], family: int) -> Span:
    """The addresses of one member, by its form. Raises Unreadable."""
    if form == "any":
        return 0, (1 << BITS[family]) - 1
    if form == "host":
        value = address(found["address"], family)
        return value, value
    if form == "prefix":
        return prefix(found["prefix"], family)
    if form == "range":
        low, high = address(found["low"], family), address(found["high"], family)
        if low > high:
            raise Unreadable("This range is reversed")
        return low, high
    return netmask(found["address"], found["mask"])

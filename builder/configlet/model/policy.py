"""The policy expanded: ordered rules over address sets, and the boxes that a table is made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import compress, takewhile
from operator import and_, attrgetter
from typing import Literal

from configlet.model.frozen import dataclass
from configlet.model.inventory import Action, Term
from configlet.model.net import PORTS, Addresses, Family, Span
from configlet.model.problem import Place

Origin = Literal["failsafe", "infrastructure", "policy", "intra", "observe", "reply", "default"]
WRITTEN: frozenset[Origin] = frozenset(("policy", "intra", "observe"))
"""Origins of what the operator says of segments: it stands behind what the network itself needs and keeps closed."""

Box = tuple[Span, Span, Span, Span, Span, Span, Span]
"""proto, dst, src, dport (ICMP: type*256+code), sport, flag class (0 new, 1 ACK or RST), fragment (1 non-first)."""

_SOURCE, _DESTINATION = attrgetter("source"), attrgetter("destination")

PROTO, DST, SRC, DPORT, SPORT, FLAG, FRAG = range(7)
ANY_PROTO: Span = (0, 255)
ANY_PORT: Span = PORTS
ANY_BIT: Span = (0, 1)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule whose names are resolved. Both ends are taken in the realms that they share."""

    name: str
    origin: Origin
    action: Action
    source: Addresses
    destination: Addresses
    terms: tuple[Term, ...]
    log: bool
    place: Place | None
    reason: str = ""


def written_from(rules: Iterable[Rule]) -> int:
    """How many rules stand ahead of the first that the operator wrote of segments."""
    return sum(1 for _ in takewhile(lambda rule: rule.origin not in WRITTEN, rules))


_Ends = tuple[Sequence[int], Sequence[int], Mapping[int, Addresses]]
_known: list[tuple[tuple[Rule, ...], _Ends]] = []


def _ends_of(rules: tuple[Rule, ...]) -> _Ends:
    """The identities of both ends of each rule, and what they are; of the rules that were asked about last it is kept."""
    if not _known or _known[0][0] is not rules:
        both = [*map(_SOURCE, rules), *map(_DESTINATION, rules)]
        numbers = [*map(id, both)]
        _known[:] = [(rules, (numbers[: len(rules)], numbers[len(rules) :], dict(zip(numbers, both, strict=True))))]
    return _known[0][1]


@dataclass(frozen=True, slots=True)
class Policy:
    """First match wins; what no rule matches is denied (DESIGN 5.1)."""

    rules: tuple[Rule, ...]
    realms: tuple[str, ...]

    def speaking(self, realm: str, family: Family) -> Iterator[Rule]:
        """The rules of which both ends have addresses in a realm and family, in order."""
        sources, destinations, ends = _ends_of(self.rules)
        there = {number for number, end in ends.items() if end.of(realm, family)}.__contains__
        return compress(self.rules, map(and_, map(there, sources), map(there, destinations)))

    def numbered(self) -> tuple[Sequence[int], Sequence[int], Mapping[int, Addresses]]:
        """The source and the destination of each rule by their identity, and what these are."""
        return _ends_of(self.rules)

    def ends(self) -> Mapping[int, Addresses]:
        """Every set of addresses that stands at an end of a rule, by its identity: most stand in many rules."""
        return _ends_of(self.rules)[2]


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet. ``dport`` of ICMP is type*256+code; ``established`` is TCP with ACK or RST; ``fragment`` non-first."""

    realm: str
    family: Family
    proto: int
    src: int
    dst: int
    sport: int = 0
    dport: int = 0
    established: bool = False
    fragment: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a filter table: a box of packets, what happens to them, and the rule that it comes from."""

    permit: bool
    box: Box
    rule: Rule
    reply: bool = False
    """True when the row passes replies of its rule rather than initiations."""

    def over(self, box: Box) -> Entry:
        """The same row over another box."""
        return Entry(self.permit, box, self.rule, self.reply)

    @property
    def log(self) -> bool:
        """Whether hits are to be logged; replies never are."""
        return self.rule.log and not self.reply

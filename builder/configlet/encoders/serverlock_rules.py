"""What a NIC's local addresses may send and receive, cut to what one rule can say: exact values and ids. Pure.

A rule has no mask, no range and no negation, and which of two rules of different kinds wins is not published. So there
are permits only, each without what the policy denies; permits that overlap say the same in both directions. What is
denied is closed by one rule for each family that looks at the ethertype alone. Were such a rule to win over a permit, the
NIC would pass too little, and never too much.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from configlet.encoders.classes import Classes, classes_of
from configlet.encoders.mcdi import ALLOW, CLOSE, Rule
from configlet.model import policy
from configlet.model.block import Block, Sets, items, sets_of
from configlet.model.net import FAMILIES, TOP, Family, Spans
from configlet.model.policy import ANY_BIT, ANY_PORT, ANY_PROTO, DPORT, DST, FRAG, SPORT, SRC, Entry
from configlet.model.problem import refuse
from configlet.packets.near import Near
from configlet.packets.sets import inside, meet, minus_all

LOCAL, REMOTE, LOCAL_PORT, REMOTE_PORT = DST, SRC, DPORT, SPORT
"""A packet as the NIC sees it, whichever way it goes: the local end stands where a received packet has it."""
PORTED = (6, 17)
WIDEST = 256
"""Local addresses that one row may stand for: a local end is an exact address."""
_PORTS: Spans = (ANY_PORT,)

Rows = Mapping[tuple[str, Family], Sequence[Entry]]
"""("in" or "out", family) to permits, as the law with the NIC's blindness has them."""


@dataclass(frozen=True, slots=True)
class Part:
    """What passes, with the verdicts on receiving and sending, and the rule that it comes from."""

    sets: Sets
    rx: int
    tx: int
    rule: policy.Rule


@dataclass(slots=True)
class Compiled:
    """The rules in order with what each comes from, and the classes that their ids stand for."""

    rules: dict[Rule, policy.Rule | None]
    remotes: dict[Family, Classes]
    subnets: dict[Family, int]
    """What is added to a class of a family to make it its id, before the NIC's own least id."""
    local_ports: Classes
    remote_ports: Classes
    costs: Counter[tuple[str, object]] = field(default_factory=Counter)


def compiled(rows: Rows, cuts: int) -> Compiled:
    """The rules for these rows. ``cuts``: how many borders a port tree has room for. Raises Refused."""
    parts = {f: list(_parts(rows.get(("in", f), ()), rows.get(("out", f), ()))) for f in FAMILIES}
    every = [part.sets for found in parts.values() for part in found]
    local, remote = (_port_classes([sets[level] for sets in every], cuts) for level in (LOCAL_PORT, REMOTE_PORT))
    peers = {f: classes_of(p.sets[REMOTE] for p in found if _wide(f, p.sets[REMOTE])) for f, found in parts.items()}
    out = Compiled({}, peers, {4: 0, 6: peers[4].count}, local, remote)
    for family, found in parts.items():
        for part in found:
            for made in _rules(family, part, out):
                if made not in out.rules:
                    out.rules[made] = part.rule
                    out.costs[part.rule.name, part.rule.place] += 1
    for family in FAMILIES:
        out.rules[Rule(family, CLOSE, CLOSE)] = None
    return out


def _parts(received: Sequence[Entry], sent: Sequence[Entry]) -> Iterator[Part]:
    """What passes both ways, what is only received, what is only sent: no packet is in two of them."""
    come = dict(_seen(received, turned=False))
    go = dict(_seen(sent, turned=True))
    alike = [sets for sets in come if sets in go]
    rest_come, rest_go = ([s for s in found if s not in other] for found, other in ((come, go), (go, come)))
    both = [Part(sets, ALLOW, ALLOW, come[sets]) for sets in alike]
    near_go, near_come = Near(list(go)), Near(list(come))
    all_go, all_come = list(go), list(come)
    for sets in rest_come:
        others = [all_go[n] for n in near_go.meeting(sets)]
        both += [Part(m, ALLOW, ALLOW, come[sets]) for other in others if (m := meet(sets, other))]
    yield from _outermost(both)
    for sets in rest_come:
        others = [all_go[n] for n in near_go.meeting(sets)]
        yield from (Part(piece, ALLOW, CLOSE, come[sets]) for piece in minus_all(sets, others))
    for sets in rest_go:
        others = [all_come[n] for n in near_come.meeting(sets)]
        yield from (Part(piece, CLOSE, ALLOW, go[sets]) for piece in minus_all(sets, others))


def _outermost(parts: Sequence[Part]) -> Iterator[Part]:
    """Without parts that lie in others."""
    ordered = list({part.sets: part for part in parts}.values())
    near = Near([part.sets for part in ordered])
    for at, part in enumerate(ordered):
        if not any(n != at and inside(part.sets, ordered[n].sets) for n in near.meeting(part.sets)):
            yield part


def _seen(rows: Sequence[Entry], *, turned: bool) -> Iterator[tuple[Sets, policy.Rule]]:
    """Rows as the NIC sees packets: local and remote end, and neither flag nor fragment."""
    for item in items(rows):
        like = item.like if isinstance(item, Block) else item
        sets = sets_of(item)
        if sets[FRAG][0][0]:
            continue
        proto, dst, src, dport, sport = sets[:5]
        ported = all(low == high and low in PORTED for low, high in proto)
        if not ported and (dport, sport) != (_PORTS, _PORTS):
            raise refuse(
                "Ports that the NIC does not see",
                f'The rule "{like.rule.name}" asks for ports of a protocol that is neither TCP nor UDP. A ServerLock rule '
                "has ports of those two. Allow the protocol as a whole, or guard this flow at another gate.",
                like.rule.place,
                nature="red",
            )
        ends = (dst, src, dport, sport) if not turned else (src, dst, sport, dport)
        yield (proto, *ends, (ANY_BIT,), ((0, 0),)), like.rule


def _port_classes(found: Iterable[Spans], cuts: int) -> Classes:
    """Classes of port sets as they are; where those need more borders than a tree has, of their ranges alone."""
    wide = [spans for spans in found if spans != _PORTS and (len(spans) > 1 or spans[0][0] < spans[0][1])]
    classes = classes_of(wide)
    if _borders(classes) > cuts:
        classes = classes_of((span,) for spans in wide for span in spans if span[0] < span[1])
    if _borders(classes) > cuts:
        raise refuse(
            "Port ranges larger than the NIC's tree",
            f"The port ranges of these rules have {_borders(classes):,} borders, and one tree of this NIC has room for "
            f"{cuts:,}. Use ranges that more rules share.",
            nature="red",
        )
    return classes


def _borders(classes: Classes) -> int:
    ends = {low for (low, _), _ in classes.pieces} | {high + 1 for (_, high), _ in classes.pieces}
    return len(ends - {0, 65536})


def _wide(family: Family, spans: Spans) -> bool:
    """Whether a set of remote addresses is asked for by its id: more than one address, and not all."""
    return spans != ((0, TOP[family]),) and (len(spans) > 1 or spans[0][0] < spans[0][1])


def _rules(family: Family, part: Part, out: Compiled) -> Iterator[Rule]:
    protos, locals_, remotes, local_ports, remote_ports = part.sets[:5]
    for local in _locals(family, locals_, part.rule):
        for remote, subnet in _remotes(family, remotes, out):
            for proto in _protocols(protos):
                for lp, lr in _ports(local_ports, out.local_ports):
                    for rp, rr in _ports(remote_ports, out.remote_ports):
                        yield Rule(family, part.rx, part.tx, local, remote, subnet, proto, lp, rp, lr, rr)


def _locals(family: Family, spans: Spans, rule: policy.Rule) -> Iterable[int | None]:
    if spans == ((0, TOP[family]),):
        return (None,)
    if sum(high - low + 1 for low, high in spans) > WIDEST:
        raise refuse(
            "Local end that is no address",
            f'The rule "{rule.name}" needs a table for more than {WIDEST} local addresses at once. A NIC\'s rule has one '
            "exact local address. Guard groups and prefixes at another gate.",
            rule.place,
            nature="red",
        )
    return (one for low, high in spans for one in range(low, high + 1))


def _remotes(family: Family, spans: Spans, out: Compiled) -> Iterable[tuple[int | None, int | None]]:
    if not _wide(family, spans):
        return ((None if spans[0][0] != spans[0][1] else spans[0][0], None),)
    return ((None, out.subnets[family] + mark) for mark in out.remotes[family].of[spans])


def _protocols(spans: Spans) -> Iterable[int | None]:
    return (None,) if spans == (ANY_PROTO,) else (one for low, high in spans for one in range(low, high + 1))


def _ports(spans: Spans, classes: Classes) -> Iterator[tuple[int | None, int | None]]:
    """Exact ports, and ids of ranges."""
    if spans == _PORTS:
        yield None, None
    elif spans in classes.of:
        yield from ((None, mark) for mark in classes.of[spans])
    else:
        for span in spans:
            if span[0] == span[1]:
                yield span[0], None
            else:
                yield from ((None, mark) for mark in classes.of[span,])

"""Rules as rows and blocks: a rule with many ends or ports is one block for each protocol, never its product."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from configlet.model.block import Block
from configlet.model.inventory import Term
from configlet.model.net import Family, Span, Spans, merge
from configlet.model.policy import ANY_BIT, ANY_PORT, ANY_PROTO, DST, FRAG, SRC, Entry, Policy, Rule
from configlet.packets.boxes import ICMP, TCP, UDP
from configlet.packets.entries import WHOLE
from configlet.packets.reply import MULTICAST, reply_list
from configlet.packets.sets import common, put, without

Item = Entry | Block[Entry]

_PORTED, _ESTABLISHED = ((TCP, TCP), (UDP, UDP)), (1, 1)
_HERE, _THERE = (1, 1), (2, 2)
"""Two unicast addresses that stand for the sets of a block while its reply is found."""


def blocks(policy: Policy, realm: str, family: Family) -> tuple[Item, ...]:
    """The same first-match list as ``entries``, with a block wherever a rule has several ends or ports."""
    found: list[Item] = []
    of, to, ends = policy.numbered()
    spans = {number: end.of(realm, family) for number, end in ends.items()}.__getitem__  # most ends stand in many rules
    protos: dict[int | None, Span] = {None: ANY_PROTO}
    for rule, sources, destinations in zip(policy.rules, map(spans, of), map(spans, to), strict=True):
        if not (sources and destinations):
            continue
        terms = rule.terms
        if not len(sources) == len(destinations) == len(terms) == 1:
            found += rule_blocks(rule, realm, family)
            continue
        term = terms[0]
        if term.family is None or term.family == family:
            proto = term.proto
            span = protos.get(proto) or protos.setdefault(proto, (proto, proto))  # type: ignore[arg-type]
            dport = ANY_PORT if proto is None else term.dport
            box = (span, destinations[0], sources[0], dport, term.sport, ANY_BIT, WHOLE)
            found.append(Entry(rule.action == "allow", box, rule))
    return tuple(found)


def rule_blocks(rule: Rule, realm: str, family: Family) -> Iterator[Item]:
    """One rule. Ports of one protocol that touch are joined; a port never meets another protocol."""
    sources, destinations = rule.source.of(realm, family), rule.destination.of(realm, family)
    if not sources or not destinations:
        return
    permit = rule.action == "allow"
    for proto, sport, dports in _services(rule.terms, family):
        box = (proto, destinations[0], sources[0], dports[0], sport, ANY_BIT, WHOLE)
        entry = Entry(permit, box, rule)
        if len(sources) == len(destinations) == len(dports) == 1:
            yield entry
        else:
            yield Block(((proto,), destinations, sources, dports, (sport,), (ANY_BIT,), (WHOLE,)), entry)


def _services(terms: tuple[Term, ...], family: Family) -> Iterator[tuple[Span, Span, Spans]]:
    """Protocol, source ports and destination ports; of one protocol and source port together."""
    if len(terms) == 1 and terms[0].family in (None, family):
        term = terms[0]
        yield (ANY_PROTO, term.sport, (ANY_PORT,)) if term.proto is None else (
            (term.proto, term.proto), term.sport, (term.dport,))  # fmt: skip
        return
    found: dict[tuple[Span, Span], list[Span]] = {}
    for term in terms:
        if term.family in (None, family):
            proto = ANY_PROTO if term.proto is None else (term.proto, term.proto)
            found.setdefault((proto, term.sport), []).append(term.dport if term.proto is not None else ANY_PORT)
    for (proto, sport), dports in found.items():
        joined = merge(dports)
        # Of ICMP each span of types answers by itself, so it stands alone.
        for spans in [(span,) for span in joined] if proto == (ICMP[family],) * 2 else [joined]:
            yield proto, sport, spans


def replies(items: Iterable[Item], family: Family) -> Iterator[Item]:
    """``reply_list`` for rows and blocks."""
    for item in items:
        yield from replied(item, family)


def replied(item: Item, family: Family) -> tuple[Item, ...]:
    """The replies to a row or a block, of which most have one."""
    if isinstance(item, Block):
        return tuple(_reply_blocks(item, family))
    proto, dst, src, dport, sport, flag, fragment = item.box
    if proto == ANY_PROTO and not item.permit and dport == sport == ANY_PORT:
        return (Entry(False, (proto, src, dst, sport, dport, flag, fragment), item.rule, reply=True),)
    low, high = MULTICAST[family]
    if proto[0] != proto[1] or proto[0] == ICMP[family] or fragment != WHOLE or (low <= dst[1] and dst[0] <= high):
        return reply_list((item,), family)
    if proto[0] == TCP:
        if not flag[1]:
            return ()
        flag = (1, 1)
    return (Entry(item.permit, (proto, src, dst, sport, dport, flag, fragment), item.rule, reply=True),)


def turned(items: Iterable[Item], family: Family) -> Iterator[Entry | None]:
    """Of each row its only reply where that does the same between the same two ends, and a look shows it: what ``replied``
    says. None of any other, and of blocks."""
    low, high = MULTICAST[family]
    for item in items:
        if not isinstance(item, Entry):
            yield None
            continue
        proto, dst, src, dport, sport, flag, fragment = item.box
        if proto in _PORTED:
            if fragment != WHOLE or flag != ANY_BIT or (low <= dst[1] and dst[0] <= high):
                yield None
                continue
            if proto[0] == TCP:
                flag = _ESTABLISHED
        elif item.permit or proto != ANY_PROTO or dport != ANY_PORT or sport != ANY_PORT:
            yield None
            continue
        yield Entry(item.permit, (proto, src, dst, sport, dport, flag, fragment), item.rule, True)


def _reply_blocks(block: Block[Entry], family: Family) -> Iterator[Item]:
    """The replies of one of its rows between two addresses, then with all of its ends and ports again."""
    # A deny keeps its groups, so that what is closed both ways is the same row in both lists.
    targets = without(block.sets[DST], (MULTICAST[family],)) if block.permit else block.sets[DST]
    if not targets:
        return
    proto, _, _, dport, sport, flag, fragment = (spans[0] for spans in block.sets)
    if proto == ANY_PROTO and not block.permit and dport == sport == ANY_PORT and block.count > 1:
        row = Entry(False, (proto, _THERE, _HERE, sport, dport, flag, fragment), block.like.rule, reply=True)
        yield Block(((proto,), block.sets[SRC], targets, (sport,), (dport,), (flag,), (fragment,)), row)
        return
    one = block.like.over((proto, _HERE, _THERE, dport, sport, flag, fragment))
    for row in reply_list((one,), family):
        p, _, _, dp, sp, fl, fr = row.box
        dports: Spans = (dp,)
        sports: Spans = (sp,)
        if fr != (1, 1) and len(block.sets[3]) > 1:
            sports = block.sets[3]
        first = (p, block.sets[SRC][0], targets[0], dports[0], sports[0], fl, fr)
        if len(targets) == len(block.sets[SRC]) == len(dports) == len(sports) == 1:
            yield row.over(first)
        else:
            yield Block(((p,), block.sets[SRC], targets, dports, sports, (fl,), (fr,)), row)


def cut(item: Item, level: int, spans: Spans) -> Iterable[Item]:
    """What of a row or block has one of its addresses in the spans."""
    if isinstance(item, Block):
        inside = common(item.sets[level], spans)
        return single(Block(put(item.sets, level, inside), item.like)) if inside else ()
    lo, hi = item.box[level]
    if len(spans) == 1 and spans[0][0] <= lo and hi <= spans[0][1]:
        return (item,)
    return _cut(item, level, spans)


def _cut(item: Entry, level: int, spans: Spans) -> Iterator[Entry]:
    box = item.box
    lo, hi = box[level]
    for a, b in spans:
        x, y = lo if lo > a else a, hi if hi < b else b
        if x <= y:
            yield item if (x, y) == (lo, hi) else item.over((*box[:level], (x, y), *box[level + 1 :]))  # type: ignore[arg-type]


def single(block: Block[Entry]) -> Iterator[Item]:
    """The block, or its row where there is only one."""
    if block.count == 1:
        yield from block.rows()
    else:
        yield block


def rule_of(item: Item) -> Rule:
    """The rule of a row or a block."""
    return item.like.rule if isinstance(item, Block) else item.rule


def fragments(item: Item) -> Spans:
    """What a row or a block says of the fragment bit."""
    return item.sets[FRAG] if isinstance(item, Block) else (item.box[FRAG],)

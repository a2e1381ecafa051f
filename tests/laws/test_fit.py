"""Rows mean their law: whatever the rules, the fitted rows pass a packet exactly when a list of the law does."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest

from configlet.fit.acl import acl_rows
from configlet.fit.host import host_rows
from configlet.fit.law import ITSELF, Scope, at_locals
from configlet.fit.units import typed
from configlet.model.block import items, sets_of
from configlet.model.gate import Law
from configlet.model.net import Addresses, Span, prefixes
from configlet.model.policy import ANY_BIT, ANY_PORT, ANY_PROTO, DST, SRC, Entry, Packet, Rule, written_from
from configlet.packets.verdict import first, passes, reverse
from configlet.prove import prove
from configlet.readers import read
from configlet.render import render
from tests.builders import acl, host, platform, routed_lists

NET = 0x0A000000
SPANS = [
    (NET, NET + 255),
    (NET, NET + 127),
    (NET + 64, NET + 64),
    (NET + 256, NET + 511),
    (NET + 300, NET + 300),
    (0, 0xDFFFFFFF),
]
PORTS = [ANY_PORT, (22, 22), (80, 90), (85, 85), (1024, 65535)]


def rule(name: str) -> Rule:
    return Rule(name, "policy", "allow", Addresses(), Addresses(), (), False, None)


def random_entry(rng: random.Random, number: int) -> Entry:
    proto = rng.choice([ANY_PROTO, (6, 6), (6, 6), (17, 17), (1, 1), (47, 47)])
    ported = proto in ((6, 6), (17, 17))
    dport = rng.choice(PORTS) if ported else rng.choice([ANY_PORT, (2048, 2303)]) if proto == (1, 1) else ANY_PORT
    sport = rng.choice([ANY_PORT, ANY_PORT, (1024, 65535)]) if ported else ANY_PORT
    box = (proto, rng.choice(SPANS), rng.choice(SPANS), dport, sport, ANY_BIT, (0, 0))
    return Entry(rng.random() < 0.65, box, rule(f"r{number}"))


def packets(rng: random.Random, count: int) -> Iterator[Packet]:
    ends = sorted({edge for lo, hi in SPANS for edge in (lo, hi, min(hi + 1, 0xDFFFFFFF))})
    ports = [0, 21, 22, 23, 79, 80, 85, 90, 91, 1023, 1024, 65535]
    for _ in range(count):
        proto = rng.choice([6, 6, 6, 17, 1, 47, 200])
        fragment = rng.random() < 0.1
        dport = (
            0
            if fragment or proto in (47, 200)
            else rng.choice([0, 2048, 8 * 256 + 3, 13 * 256, 14 * 256])
            if proto == 1
            else rng.choice(ports)
        )
        sport = rng.choice(ports) if proto in (6, 17) and not fragment else 0
        yield Packet(
            "r",
            4,
            proto,
            rng.choice(ends),
            rng.choice(ends),
            sport,
            dport,
            proto == 6 and not fragment and rng.random() < 0.5,
            fragment,
        )


@pytest.mark.parametrize("match", [False, True])
@pytest.mark.parametrize("direction", ["in", "out"])
def test_rows_of_a_stateless_gate_pass_what_its_law_passes(direction: str, match: bool) -> None:
    rng = random.Random(7)
    scope = Scope(((NET, NET + 255),), (), match)
    for _ in range(60):
        entries = tuple(random_entry(rng, n) for n in range(rng.randrange(1, 9)))
        law = Law(4, routed_lists(entries, scope, direction, 4))
        rows = acl_rows(law)
        for packet in packets(rng, 150):
            said = first(rows, packet)
            assert (said is not None and said.permit) == passes(law, packet)[0], (packet, entries)


@pytest.mark.parametrize("direction", ["in", "out"])
def test_fragments_of_every_protocol_but_some_pass_alone(direction: str) -> None:
    """Where fragments are judged, a deny of a protocol holds for its fragments too, and a permit behind it for the others'."""
    here, there = (NET, NET + 255), (NET + 256, NET + 511)
    deny = Entry(False, ((6, 6), here, there, ANY_PORT, ANY_PORT, ANY_BIT, (0, 0)), rule("deny"))
    permit = Entry(True, (ANY_PROTO, here, there, ANY_PORT, ANY_PORT, ANY_BIT, (0, 0)), rule("permit"))
    law = Law(4, routed_lists((deny, permit), Scope((here,), (), True), direction, 4))
    rows = acl_rows(law)
    for proto in (1, 6, 17, 47):
        for ends in ((NET + 1, NET + 300), (NET + 300, NET + 1)):
            packet = Packet("r", 4, proto, *ends, 0, 0, False, True)
            said = first(rows, packet)
            assert (said is not None and said.permit) == passes(law, packet)[0], packet


def with_infrastructure(rng: random.Random, entries: tuple[Entry, ...], addresses: list[int]) -> tuple[Entry, ...]:
    """A policy behind what the network needs of its own addresses, and the denies that keep all else from them."""
    needed = replace(rule("pings"), origin="infrastructure")
    closed = replace(rule("infrastructure addresses"), origin="infrastructure")
    every, out = (0, 0xFFFFFFFF), []
    for address in addresses:
        one = (address, address)
        proto = rng.choice([(1, 1), (89, 89), ANY_PROTO])
        out.append(Entry(True, (proto, one, rng.choice(SPANS), ANY_PORT, ANY_PORT, ANY_BIT, (0, 0)), needed))
    for address in addresses:
        one = (address, address)
        for ends in ((one, every), (every, one)):
            out.append(Entry(False, (ANY_PROTO, *ends, ANY_PORT, ANY_PORT, ANY_BIT, (0, 0)), closed))
    return (*out, *entries)


@pytest.mark.parametrize("direction", ["in", "out"])
def test_fragments_meet_what_the_network_keeps_closed(direction: str) -> None:
    rng = random.Random(17)
    scope = Scope(((NET, NET + 255),), (), True)
    passed = 0
    for _ in range(60):
        entries = tuple(random_entry(rng, n) for n in range(rng.randrange(1, 7)))
        law = Law(4, routed_lists(with_infrastructure(rng, entries, [NET + 1, NET + 257, NET + 64]), scope, direction, 4))
        rows = acl_rows(law)
        for packet in packets(rng, 100):
            for one in (packet, replace(packet, fragment=True, established=False, sport=0, dport=0)):
                said, wanted = first(rows, one), passes(law, one)[0]
                assert (said is not None and said.permit) == wanted, (one, entries)
                passed += wanted and one.fragment
    assert passed > 100


def test_fragments_take_rows_for_rules_and_for_closed_addresses_and_not_for_their_products() -> None:
    """A deny that is cut out of a permit of IPv6 leaves a hundred prefixes, at each end."""
    near, far = ((0x20010DB8 << 96) + (n << 64) for n in (1, 2))
    ends = [(net, net + (1 << 64) - 1) for net in (near, far)]
    closed = replace(rule("infrastructure addresses"), origin="infrastructure")
    every = (0, (1 << 128) - 1)

    def entry(permit: bool, dst: Span, src: Span, of: Rule) -> Entry:
        return Entry(permit, (ANY_PROTO, dst, src, ANY_PORT, ANY_PORT, ANY_BIT, (0, 0)), of)

    own = [(net + 1 + n, net + 1 + n) for net in (near, far) for n in range(4)]
    denies = [entry(False, *pair, closed) for one in own for pair in ((one, every), (every, one))]
    entries = (*denies, entry(True, ends[1], ends[0], rule("allow")))
    rows = acl_rows(Law(6, routed_lists(entries, Scope((ends[0],), (), True), "in", 6)))
    lines = [len(prefixes(6, row.box[DST])) * len(prefixes(6, row.box[SRC])) for row in rows if row.box[6] == (1, 1)]
    assert sum(lines) <= len(denies) + 2


def test_the_law_of_a_stateless_gate_is_initiations_in_scope_and_replies_of_the_other_direction() -> None:
    rng = random.Random(11)
    scope = Scope(((NET, NET + 255),), (), False)
    seen = {True: 0, False: 0}
    for _ in range(60):
        entries = tuple(random_entry(rng, n) for n in range(rng.randrange(1, 9)))
        law = Law(4, routed_lists(entries, scope, "in", 4))
        for packet in packets(rng, 150):
            inside = NET <= packet.src <= NET + 255 and not NET <= packet.dst <= NET + 255
            back = reverse(packet)
            starts = allowed(entries, packet)
            answers = back is not None and allowed(entries, back) and (packet.proto != 6 or packet.established)
            expected = inside and not packet.fragment and (starts or answers)
            seen[expected] += 1
            assert passes(law, packet)[0] == expected, (packet, entries)
    assert min(seen.values()) > 150


def allowed(entries: tuple[Entry, ...], packet: Packet) -> bool:
    hit = first(entries, packet)
    return hit is not None and hit.permit


def test_rows_of_a_host_pass_what_the_policy_passes_and_of_each_part_the_permits_are_disjoint() -> None:
    rng = random.Random(13)
    closed = 0
    for _ in range(120):
        entries = tuple(random_entry(rng, n) for n in range(rng.randrange(1, 9)))
        many = rng.randrange(7)
        entries = tuple(network(e) if n < many else e for n, e in enumerate(entries))
        own = written_from(e.rule for e in entries)
        law = Law(4, (at_locals(entries, ((NET + 64, NET + 64),)),))
        rows = host_rows(law)
        for packet in packets(rng, 150):
            for part in (entries[:own], entries[own:]):
                names = {e.rule.name for e in part}
                assert sum(1 for row in rows if row.permit and row.rule.name in names and first([row], packet)) <= 1
            local = NET + 64 in (packet.src, packet.dst)
            meant = local and not packet.fragment and allowed(entries, packet)
            assert allowed(tuple(rows), packet) == meant, packet
            closed += any(not row.permit and first([row], packet) for row in rows)
    assert closed > 60


GATEWAYS = [(NET + 1, NET + 1), (NET + 257, NET + 257), (NET + 64, NET + 64), (NET + 600, NET + 603)]


def with_the_networks_own(rng: random.Random) -> tuple[Entry, ...]:
    """Random rules: first permits of the network, then addresses that it keeps closed both ways, then the operator's."""
    entries = [random_entry(rng, n) for n in range(rng.randrange(1, 12))]
    many, everything = rng.randrange(7), (0, 0xFFFFFFFF)
    closed = network(Entry(False, (ANY_PROTO,) * 7, rule("infrastructure addresses")))
    ends = [(one, everything) for one in rng.sample(GATEWAYS, rng.randrange(4))]
    shut = [closed.over((ANY_PROTO, *way, ANY_PORT, ANY_PORT, ANY_BIT, (0, 0))) for pair in ends for way in (pair, pair[::-1])]
    own = [network(replace(entry, permit=True)) for entry in entries[:many]]
    return (*own, *shut, *(replace(e, rule=replace(e.rule, log=rng.random() < 0.1)) for e in entries[many:]))


@pytest.mark.parametrize("seed", range(120))
def test_whatever_the_network_needs_and_the_operator_says_is_written_for_a_switch_and_proved(seed: int) -> None:
    rng = random.Random(seed)
    entries, direction = with_the_networks_own(rng), rng.choice(["in", "out"])
    law = Law(4, routed_lists(entries, Scope(((NET, NET + 255),), (), rng.random() < 0.7), direction, 4))
    table = replace(acl(tuple(acl_rows(law)), 4, direction=direction), law=law)
    made = render("leaf1", platform("eos"), "acl", [table])
    assert {proof.verdict for proof in prove(made, read(platform("eos"), "acl", made.text, made.file))} == {"PROVED"}


def _wide(entry: Entry) -> Entry:
    """The same of IPv6: each address a /72, the broadest span everything."""
    proto, dst, src, dport, *rest = entry.box
    ends = [(0, (1 << 128) - 1) if lo == 0 else (LONG + ((lo - NET) << 56), LONG + ((hi - NET + 1) << 56) - 1)
            for lo, hi in (dst, src)]  # fmt: skip
    icmp = proto == (1, 1)
    types = (128 << 8, (128 << 8) + 255) if icmp and dport != ANY_PORT else dport
    return entry.over(((58, 58) if icmp else proto, *ends, types, *rest))  # type: ignore[arg-type]


LONG = 0x20010DB8 << 96


def test_a_list_takes_lines_for_what_the_law_says_and_not_for_products_of_it() -> None:
    """What is no prefix of IPv6 is a hundred of them at each end, so nothing broad may be cut by what lies inside it."""
    lines = Counter[str]()
    for seed in range(150):
        rng = random.Random(seed)
        entries = tuple(map(_wide, with_the_networks_own(rng)))
        scope = Scope(((LONG, LONG + (1 << 64) - 1),), (), rng.random() < 0.7)
        law = Law(6, routed_lists(entries, scope, rng.choice(["in", "out"]), 6))
        said, rows = (sum(typed(6, sets_of(row)) for part in of for row in items(part)) for of in (law.lists, [acl_rows(law)]))
        assert rows <= 10 * said, (seed, rows, said)
        lines += Counter(rows=rows, said=said)
    assert lines["rows"] <= 1.3 * lines["said"], lines


def itself(mine: Iterable[Span]) -> list[Entry]:
    """What a host says to itself, which is decided before the policy is asked."""
    return [Entry(True, (ANY_PROTO, one, one, ANY_PORT, ANY_PORT, ANY_BIT, (0, 0)), ITSELF) for one in mine]


def test_a_rule_inside_a_segment_is_two_rows_of_its_prefix_as_a_host_talks_to_itself_before_it() -> None:
    here = (NET + 64, NET + 64)
    inside = Entry(True, ((6, 6), SPANS[0], SPANS[0], (80, 80), ANY_PORT, ANY_BIT, (0, 0)), rule("inside"))
    towards, origin = at_locals((inside,), (here,))
    own = itself([here])
    assert tuple(host_rows(Law(4, ((*own, towards, origin),)))) == (*own, towards, origin)
    assert [row.box[DST] for row in host_rows(Law(4, ((towards, origin),)))[1:]] == [(NET, NET + 63), (NET + 65, NET + 255)]


def test_only_what_a_host_says_to_itself_may_be_in_two_rows_of_the_written_part() -> None:
    rng = random.Random(29)
    shared = 0
    for _ in range(120):
        entries = tuple(random_entry(rng, n) for n in range(rng.randrange(1, 9)))
        entries = tuple(replace(e, rule=replace(e.rule, log=rng.random() < 0.2)) for e in entries)
        mine = [(NET + 64, NET + 64), (NET + 300, NET + 300)][: rng.randrange(1, 3)]
        law = Law(4, ((*itself(mine), *at_locals(entries, tuple(mine))),))
        rows = host_rows(law)
        written = [row for row in rows if row.rule is not ITSELF]
        for packet in packets(rng, 150):
            hits = [row for row in written if first([row], packet)]
            shared += len(hits) > 1
            assert len({row.permit for row in hits}) <= 1 or packet.src == packet.dst
            assert sum(row.permit for row in hits) <= 1 or (packet.src == packet.dst and len(hits) == 2), packet
            assert allowed(tuple(rows), packet) == passes(law, packet)[0], packet
    assert shared > 20


@pytest.mark.parametrize("seed", range(90))
def test_whatever_a_host_of_one_or_two_addresses_is_told_is_written_and_proved(seed: int) -> None:
    rng = random.Random(seed)
    entries = [random_entry(rng, n) for n in range(rng.randrange(1, 12))]
    many, mine = rng.randrange(6), [(NET + 64, NET + 64), (NET + 300, NET + 300)][: rng.randrange(1, 3)]
    entries = [replace(e, rule=replace(e.rule, log=rng.random() < 0.2)) for e in entries]
    entries = [network(e) if n < many else e for n, e in enumerate(entries)]
    law = Law(4, ((*(itself(mine) if seed % 3 else ()), *at_locals(tuple(entries), tuple(mine))),))
    table = host(tuple(host_rows(law)), ["10.0.0.64", "10.0.1.44"][: len(mine)])
    made = render("ogw1", platform("nftables"), "filter-table", [replace(table, law=law), host((), (), 6)])
    proofs = prove(made, read(platform("nftables"), "filter-table", made.text, made.file))
    assert {proof.verdict for proof in proofs} == {"PROVED"}


def test_a_gateway_that_is_closed_is_one_row_and_cuts_no_prefix_of_a_rule() -> None:
    here, gateway = (NET + 300, NET + 300), (NET + 1, NET + 1)
    deny = network(Entry(False, (ANY_PROTO, here, gateway, ANY_PORT, ANY_PORT, ANY_BIT, (0, 0)), rule("closed")))
    far = network(Entry(False, (ANY_PROTO, here, (NET + 999, NET + 999), ANY_PORT, ANY_PORT, ANY_BIT, (0, 0)), rule("far")))
    ports = [(22, 22), (80, 80), (443, 443)]
    permits = [Entry(True, ((6, 6), here, SPANS[0], port, ANY_PORT, ANY_BIT, (0, 0)), rule(f"p{port[0]}")) for port in ports]
    assert tuple(host_rows(Law(4, ((deny, far, *permits),)))) == (deny, *permits)


def network(entry: Entry) -> Entry:
    return replace(entry, rule=replace(entry.rule, origin="infrastructure"))

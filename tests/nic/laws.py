"""The laws of a ServerLock NIC, in any number: what it passes is what the model says; a change cut off anywhere ends well."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from configlet.drivers import serverlock_phases as phases
from configlet.drivers.base import Rejected, Trouble
from configlet.drivers.serverlock import ServerlockDriver
from configlet.lab.nic.manager import Here, Manager
from configlet.lab.nic.serverlock import NONE, ServerLockNic, Settings
from configlet.model.gate import Table
from configlet.model.net import FAMILIES, Family
from configlet.model.policy import ANY_PORT, DST, SRC, Entry, Packet
from configlet.model.problem import Refused
from configlet.packets.blind import exposure, seen
from configlet.packets.verdict import first, passes
from configlet.readers import read
from configlet.render import render
from tests.nic.bench import change, target
from tests.nic.ground import LOCALS, SERVERLOCK, Local, local, peers, rule, services, tables, verdicts
from tests.xdp.frames import frame

HIDDEN = SERVERLOCK.kinds["filter-table"].capability.blind_to


def text_of(found: Sequence[Table]) -> str:
    return render("me1", SERVERLOCK, "filter-table", found).text


def loaded(text: str, names: Sequence[str] = ("ens1",), settings: Settings | None = None) -> dict[str, ServerLockNic]:
    """NICs that hold a text, brought there message by message."""
    nics = {name: ServerLockNic(settings or Settings()) for name in names}
    phases.replace([phases.Nic(name, nic.exchange) for name, nic in nics.items()], text)
    return nics


def shown_by(nics: dict[str, ServerLockNic]) -> str:
    return ServerlockDriver(target(), lambda *_: "", Here(Manager(nics))).running()


def proved(count: int) -> tuple[int, int]:
    """Of so many random tables, how many are proved after they were read out of the NIC, and how many were refused."""
    good = refused = 0
    for seed in range(count):
        dice = random.Random(seed)
        policies = [local(dice, family, dice.choice((1, 4, 8, 20)), dice.choice((1, 3, 6))) for family in FAMILIES]
        found = tables(SERVERLOCK, policies)
        try:
            text = text_of(found)
        except Refused as refusal:
            refused += true_refusal(refusal, found)
            continue
        good += verdicts(SERVERLOCK, found, shown_by(loaded(text))) == {"PROVED"}
    return good, refused


def true_refusal(refusal: Refused, found: Sequence[Table]) -> bool:
    """Whether the model says, too, that the table cannot stand: here always for its size."""
    assert "needs" in str(refusal) or "borders" in str(refusal), refusal
    return True


def table_of(found: Sequence[Table], direction: str, family: Family) -> Table:
    return next(t for t in found if t.gate.direction == direction and t.family == family)


def five_thousand(dice: random.Random, limit: int = 5000, locals_: int = 64, statements: int = 380) -> Local:
    """A policy whose table has exactly so many filters: segments of peers by services, over many local addresses."""
    entries: list[Entry] = []
    mine = (LOCALS[4], LOCALS[4] + locals_ - 1)
    ends = tuple((a, a) for a in range(mine[0], mine[1] + 1))
    groups = [[peers(dice, 4) for _ in range(dice.randint(1, 12))] for _ in range(40)]
    for number in range(1, statements + 1):
        of = rule(f"statement {number}", "deny" if dice.random() < 0.05 else "allow", number)
        here = dice.choice(ends)
        for there in dice.choice(groups):
            for proto, ports in {services(dice, 4) for _ in range(2)}:
                ends_of = (here, there) if dice.random() < 0.8 else (there, here)
                entries.append(Entry(of.action == "allow", (proto, *ends_of, ports, ANY_PORT, (0, 1), (0, 0)), of))
    policy = Local(4, ends, tuple(entries))
    room = limit - filters(tables(SERVERLOCK, [policy]))
    assert room > 0, room
    return more(policy, room)


def more(policy: Local, room: int, start: int = 0) -> Local:
    """The policy with so many filters more: a peer of its own and one port for each."""
    extra = []
    for number in range(start, start + room):
        of = rule(f"alone {number}", line=10_000 + number)
        peer, here = 0xC6336400 + number // len(policy.spans), policy.spans[number % len(policy.spans)]
        extra.append(Entry(True, ((6, 6), here, (peer, peer), (7000, 7000), ANY_PORT, (0, 1), (0, 0)), of))
    return replace(policy, entries=(*policy.entries, *extra))


def filters(found: Sequence[Table]) -> int:
    from configlet.encoders import serverlock

    return serverlock.spent(SERVERLOCK.kinds["filter-table"].operands, found).units["filters"][0]


@dataclass
class Agreement:
    """How many packets were judged, how many passed, and those on which the NIC and the model differ."""

    packets: int = 0
    passed: int = 0
    wrong: tuple[tuple[Packet, str], ...] = ()


def agree(nic: ServerLockNic, found: Sequence[Table], packets: Sequence[Packet], seed: int = 1) -> Agreement:
    """The NIC's verdict on each packet, both ways, beside the law with the NIC's blindness."""
    dice, out = random.Random(seed), Agreement()
    laws = {(t.gate.direction, t.family): by_local(t) for t in found}
    for packet in packets:
        for direction in ("in", "out"):
            rows = laws[direction, packet.family]
            hit = first(rows.get(packet.dst if direction == "in" else packet.src, ()), packet)
            wanted = hit is not None and hit.permit
            given = nic.passes(frame(packet, dice, 0.0), received=direction == "in")
            out.packets += 1
            out.passed += given
            if wanted != given:
                out.wrong += ((packet, direction),)
    return out


def by_local(table: Table) -> dict[int, list[Entry]]:
    """The permits of each local address: all of a gate's law names one."""
    out: dict[int, list[Entry]] = {}
    for entry in table.law.lists[0]:
        out.setdefault(entry.box[DST if table.gate.direction == "in" else SRC][0], []).append(entry)
    return out


def exposed(policies: Sequence[Local], found: Sequence[Table], packets: Sequence[Packet]) -> tuple[int, int]:
    """Brute force: packets that the blind law passes and the law does not, and how many of them the exposure list has."""
    missing = there = 0
    for policy in policies:
        for direction in ("in", "out"):
            table = table_of(found, direction, policy.family)
            strict = policy.law(direction)
            listed = list(exposure(strict, table.law))
            for packet in (p for p in packets if p.family == policy.family):
                beyond = passes(table.law, packet)[0] and not passes(strict, packet)[0]
                hit = first(listed, packet)
                there += beyond
                missing += beyond != (hit is not None)
    return there, missing


def variants(packet: Packet, dice: random.Random) -> Iterator[Packet]:
    """The packet with each value of what the NIC does not see: the flag, the type, the fragment."""
    yield packet
    yield replace(packet, established=packet.proto == 6 and not packet.established)
    echo = 1 if packet.family == 4 else 58
    if packet.proto == echo:
        yield replace(packet, dport=dice.choice((0, 8, 13, 128, 129, 3)) << 8)
    yield replace(packet, fragment=True, sport=0, dport=0, established=False)


def power_lost_everywhere(count: int, before: str, after: str, settings: Settings) -> Counter[str]:
    """A loss of power at each of so many messages, on either member of a bond: what it leaves, and what recovery makes of it."""
    tally: Counter[str] = Counter()
    for at in range(count):
        for name in ("ens1", "ens2"):
            for acts in (False, True):
                nics = loaded(before, ("ens1", "ens2"), settings)
                manager = Manager(nics, faults={name: (at, acts)})
                driver = ServerlockDriver(target(), canonical, Here(manager))
                tally[_cut_off(driver, manager, change(before, after))] += 1
                states = {state(nic, before, after) for nic in nics.values()}
                assert states <= {"old", "new", "blocked"}, (at, name, acts, states)
                if manager.pending and name in manager.faults:
                    manager.faults.clear()
                    driver.revert(manager.pending.token)
                ended = {state(nic, before, after) for nic in nics.values()}
                assert ended in ({"old"}, {"new"}), (at, name, acts, ended)
    return tally


def canonical(platform: str, kind: str, text: str) -> str:
    return read(SERVERLOCK, kind, text, "nic").canonical


def _cut_off(driver: ServerlockDriver, manager: Manager, what: object) -> str:
    try:
        driver.load(what)  # type: ignore[arg-type]
        token = driver.commit(600)
    except Trouble as trouble:
        return type(trouble).__name__
    try:
        driver.confirm(token)
    except Rejected:
        raise
    except Trouble:
        return "confirmation lost"
    return "kept"


def state(nic: ServerLockNic, before: str, after: str) -> str:
    """What a NIC does now: old, new, blocked, or anything else."""
    if nic.override != NONE:
        return "blocked"
    held = canonical("serverlock", "filter-table", nic.dump("ens1")) if nic.active.rules else ""
    names = {"old": before, "new": after}
    for word, text in names.items():
        wanted = canonical("serverlock", "filter-table", text) if text else ""
        if _bare(held) == _bare(wanted):
            return word
    return "other"


def _bare(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("message")]


__all__ = ["HIDDEN", "Counter", "Packet", "first", "seen"]

"""What the sixth issue must show of NIC filter tables, at full size."""

from __future__ import annotations

import random
import sys
import time
from functools import partial
from itertools import islice

from configlet.model.problem import Refused
from tests.nic import flow_laws, judges, laws
from tests.nic.ground import SERVERLOCK, Local, local, packets, tables, verdicts
from tests.show_run import Shown
from tests.xdp.frames import frame
from tests.xdp.kernel import impossible

FILTERS, LOCALS, PACKETS, TABLES = 5000, 64, 20_000, 1000
NOTHING = Local(6, (), ())


def line_2() -> Shown:
    """5,000 filters over 64 local addresses in a simulated ServerLock NIC."""
    dice = random.Random(7)
    policy = laws.five_thousand(dice, FILTERS, LOCALS, 60)
    found = tables(SERVERLOCK, [policy, NOTHING])
    text = laws.text_of(found)
    nic = laws.loaded(text)["ens1"]
    proved = verdicts(SERVERLOCK, found, laws.shown_by({"ens1": nic})) == {"PROVED"}
    said = list(islice(packets(dice, [policy]), PACKETS))
    agreed, words = judged(policy, nic, said)
    some = [v for p in said[:400] for v in laws.variants(p, dice)]
    there, missing = laws.exposed([policy], found, some)
    over = _over(policy)
    tally = lost_power()
    met = proved + agreed + (missing == 0 < there) + over + (tally["other"] == 0)
    return met, 5, (
        f"{text.count('message 010f'):,} filters over {LOCALS} local addresses, read back "
        f"{'PROVED' if proved else 'NOT PROVED'}; {words}; {there:,} exposed packets among {len(some):,} tried both ways, "
        f"{missing} of them not in the list; the 5,001st {'refused' if over else 'NOT REFUSED'} before a message; power lost "
        f"at every message of both members: {dict(tally)}"
    )


def judged(policy: Local, nic: laws.ServerLockNic, said: list[laws.Packet]) -> tuple[bool, str]:
    """Whether NIC, model, the kernel's nftables and rte_acl agree on every packet, both ways."""
    dice = random.Random(1)
    frames = [frame(packet, dice, 0.0) for packet in said]
    good, words = True, []
    found = tables(SERVERLOCK, [policy])
    for direction in ("in", "out"):
        table = laws.table_of(found, direction, 4)
        of, rows = laws.by_local(table), list(table.law.lists[0])
        ends = [p.dst if direction == "in" else p.src for p in said]
        model = [laws.first(of.get(end, ()), p) is not None for end, p in zip(ends, said, strict=True)]
        card = [nic.passes(f, received=direction == "in") for f in frames]
        others = {"rte_acl": judges.rte_acl(rows, said) if not judges.impossible_acl() else None,
                  "nftables": judges.nftables(rows, frames) if not judges.impossible_kernel() else None}  # fmt: skip
        wrong = {name: sum(a != b for a, b in zip(model, judge, strict=True))
                 for name, judge in (("NIC", card), *others.items()) if judge is not None}  # fmt: skip
        good &= not any(wrong.values()) and len(wrong) == 3
        words.append(f"{direction}: {len(said):,} packets, {sum(model):,} pass, differing from the model {wrong}")
    return good, "; ".join(words)


def _over(policy: Local) -> bool:
    try:
        laws.text_of(tables(SERVERLOCK, [laws.more(policy, 1, 900_000), NOTHING]))
    except Refused as refused:
        return "needs 5,001 filters and has room for 5,000" in str(refused)
    return False


def lost_power() -> laws.Counter[str]:
    """A loss of power at each message of a change on a bond, with an override that survives it and one that does not."""
    policies = [[local(random.Random(seed), 4, 3, 1), NOTHING] for seed in (24, 28)]
    before, after = (laws.text_of(tables(SERVERLOCK, policy, "ens1 ens2")) for policy in policies)
    tally: laws.Counter[str] = laws.Counter()
    for persists in (False, True):
        count = after.count("message") + 14
        tally += laws.power_lost_everywhere(count, before, after, laws.Settings(override_persists=persists))
    return tally


def line_6() -> Shown:
    """Random tables of every NIC platform and of XDP: proved after read-back, or refused for a reason that holds."""
    words, met, asked = [], 0, 0
    for name in ("serverlock", *flow_laws.NAMES, "xdp"):
        if name == "xdp" and impossible():
            words.append(f"xdp: cannot be loaded here: {impossible()}")
            asked += 1
            continue
        began = time.process_time()
        sys.stderr.write(f"line 6: {name}, {TABLES:,} tables ...\n")
        count = {"serverlock": laws.proved, "xdp": _xdp}.get(name, partial(flow_laws.proved, name))
        good, refused = count(TABLES)
        asked += 1
        took = time.process_time() - began
        sys.stderr.write(f"line 6: {name}: {good:,} PROVED, {refused:,} refused, {took:.0f} s of CPU\n")
        met += good >= 0.7 * TABLES and good + refused == TABLES
        words.append(f"{name}: {good:,} of {TABLES:,} PROVED after read-back, {refused:,} refused, the model confirms why")
    return met, asked, "; ".join(words)


def _xdp(count: int) -> tuple[int, int]:
    from tests.xdp.laws import proved

    return proved(count)

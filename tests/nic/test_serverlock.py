"""ServerLock: what the NIC passes is what the model says, both members of a bond or none, and never a filter too many."""

from __future__ import annotations

import random
import struct
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import islice

import pytest

from configlet.drivers import serverlock_phases as phases
from configlet.drivers.base import Lost, Rejected, TakenBack, Trouble
from configlet.drivers.serverlock import ServerlockDriver
from configlet.encoders import serverlock
from configlet.lab.nic.manager import Here, Manager
from configlet.lab.nic.serverlock import BLOCK, NONE, ServerLockNic, Settings
from configlet.model.net import FAMILIES
from configlet.model.plan import Change
from configlet.model.problem import Refused
from configlet.readers import read
from tests.builders import rows
from tests.nic import judges, laws
from tests.nic.bench import change, target
from tests.nic.ground import LOCALS, SERVERLOCK, Local, gate, local, packets, tables, verdicts
from tests.nic.shown import NOTHING, judged

HERE = "192.0.2.11"
MINE = (LOCALS[4], LOCALS[4])


def policy(*said: str) -> Local:
    return Local(4, (MINE,), rows(said))


def text(*said: str, binding: str = "ens1") -> str:
    return laws.text_of(tables(SERVERLOCK, [policy(*said), NOTHING], binding))


def driver(manager: Manager) -> ServerlockDriver:
    return ServerlockDriver(target(), laws.canonical, Here(manager))


def test_random_tables_are_proved_after_they_were_read_out_of_the_nic() -> None:
    assert laws.proved(12) == (12, 0)


@pytest.mark.parametrize("settings", [Settings(), Settings(default_passes=True)], ids=["default drops", "default passes"])
def test_the_nic_passes_what_the_model_says(settings: Settings) -> None:
    for seed in range(2):
        dice = random.Random(seed)
        policies = [local(dice, family, 8, 2) for family in FAMILIES]
        found = tables(SERVERLOCK, policies)
        nic = laws.loaded(laws.text_of(found), settings=settings)["ens1"]
        tally = laws.agree(nic, found, list(islice(packets(dice, policies), 300)))
        assert not tally.wrong
        assert tally.passed


def test_were_the_broad_rule_to_win_nothing_would_pass_that_must_not() -> None:
    dice = random.Random(3)
    policies = [local(dice, family, 8, 2) for family in FAMILIES]
    found = tables(SERVERLOCK, policies)
    nic = laws.loaded(laws.text_of(found), settings=Settings(broad_wins=True, default_passes=True))["ens1"]
    tally = laws.agree(nic, found, list(islice(packets(dice, policies), 300)))
    assert tally.passed == 0


def test_the_exposure_is_listed_whole() -> None:
    dice = random.Random(11)
    policies = [local(dice, family, 8, 2) for family in FAMILIES]
    found = tables(SERVERLOCK, policies)
    tried = [v for p in islice(packets(dice, policies), 400) for v in laws.variants(p, dice)]
    there, missing = laws.exposed(policies, found, tried)
    assert there > 50
    assert missing == 0


@pytest.mark.skipif(bool(judges.impossible_kernel() or judges.impossible_acl()), reason="nftables or rte_acl is not here")
def test_nic_model_nftables_and_rte_acl_agree() -> None:
    dice = random.Random(7)
    made = laws.five_thousand(dice, 300, 8, 6)
    nic = laws.loaded(laws.text_of(tables(SERVERLOCK, [made, NOTHING])))["ens1"]
    good, words = judged(made, nic, list(islice(packets(dice, [made]), 1000)))
    assert good, words


def test_a_filter_too_many_is_refused_with_count_limit_and_what_costs_most() -> None:
    operands = SERVERLOCK.kinds["filter-table"].operands
    small = {"sizes": {**operands["sizes"], "filters": 500}}
    full = laws.five_thousand(random.Random(1), 500, 8, 4)
    serverlock.artifact(small, tables(SERVERLOCK, [full, NOTHING]))
    with pytest.raises(Refused) as refused:
        serverlock.artifact(small, tables(SERVERLOCK, [laws.more(full, 1, 900_000), NOTHING]))
    assert "needs 501 filters and has room for 500" in str(refused.value)
    assert "policy.yaml:" in str(refused.value)


def test_a_power_loss_anywhere_leaves_old_new_or_blocked_and_recovery_ends_it() -> None:
    before = text(f"permit tcp 10.0.0.0/24 {HERE} to 22", binding="ens1 ens2")
    after = text(f"permit udp 10.0.0.1 {HERE} to 53", binding="ens1 ens2")
    tally = laws.power_lost_everywhere(after.count("message") + 12, before, after, Settings(override_persists=True))
    assert {"TakenBack", "kept", "Lost"} <= set(tally)


class Careless(Here):
    """A session in which, before one message, something happens that nobody is told of, or that the manager refuses."""

    def __init__(self, manager: Manager, name: str, at: int, act: Callable[[], None]) -> None:
        super().__init__(manager)
        self.name, self.left, self.act = name, at, act

    def ask(self, line: str) -> str:
        if line.startswith(f"mcdi {self.name} "):
            self.left -= 1
            if self.left == -1:
                self.act()
        return super().ask(line)


def ended(nics: Mapping[str, ServerLockNic], pushing: ServerlockDriver, what: Change, before: str, after: str) -> str:
    """What a commit said; both members are closed, or both the same."""
    said = "kept"
    try:
        pushing.load(what)
        pushing.commit(600)
    except Trouble as trouble:
        said = type(trouble).__name__
    states = {laws.state(nic, before, after) for nic in nics.values()}
    assert states in ({"old"}, {"new"}, {"blocked"}), (said, states)
    assert said != "Rejected" or states == {"old"}
    if pushing.pending():
        pushing.revert(str(pushing.pending()))
        assert {laws.state(nic, before, after) for nic in nics.values()} == {"old"}
    return said


@pytest.mark.parametrize("first", [False, True], ids=["a second table", "the first"])
@pytest.mark.parametrize("what", ["silent", "refused"])
def test_a_nic_that_begins_anew_unnoticed_or_a_manager_that_refuses_never_leaves_a_mixed_table(what: str, first: bool) -> None:
    both = "ens1 ens2"
    old = text(f"permit tcp 10.9.0.0/24 {HERE} to 443", f"permit udp any {HERE} to 500-503", binding=both)
    before = "" if first else old
    after = text(f"permit udp 10.0.0.1 {HERE} to 53", f"permit tcp 172.16.0.0/13 {HERE} to 1-1023", binding=both)
    tally: Counter[str] = Counter()
    for at in range(after.count("message") + 9):
        for name in ("ens1", "ens2"):
            nics = laws.loaded(before, ("ens1", "ens2"))
            manager = Manager(nics)

            def refuse() -> None:
                raise Rejected("not now")

            session = Careless(manager, name, at, nics[name].lose_power if what == "silent" else refuse)
            pushing = ServerlockDriver(target(), laws.canonical, session)
            tally[ended(nics, pushing, change(before, after), before, after)] += 1
    assert {"Lost"} <= set(tally)


BEFORE, AFTER = (text(f"permit tcp 10.0.0.{n} {HERE} to 22") for n in (1, 2))


def committed(now: list[float]) -> tuple[ServerLockNic, ServerlockDriver, str]:
    """A NIC that has AFTER for 60 s unless it is confirmed, who pushed it, and the token; ``now`` holds the manager's clock."""
    manager = Manager(laws.loaded(BEFORE), clock=lambda: now[0])
    pushing = driver(manager)
    pushing.load(change(BEFORE, AFTER))
    return manager.nics["ens1"], pushing, pushing.commit(60)


def test_a_manager_that_cannot_take_a_change_back_tries_again() -> None:
    now = [0.0]
    nic, pushing, token = committed(now)
    now[0] = 61.0
    nic.settings = replace(nic.settings, filters=1)
    assert pushing.pending() == token
    nic.settings = Settings()
    assert pushing.pending() is None
    assert laws.state(nic, BEFORE, AFTER) == "old"


def test_both_members_of_a_bond_are_loaded_or_none() -> None:
    before, after = (text(f"permit tcp 10.0.0.{n} {HERE} to 22", binding="ens1 ens2") for n in (1, 2))
    nics = laws.loaded(before, ("ens1", "ens2"))
    small = ServerLockNic(Settings(filters=2))
    small.active = nics["ens2"].active
    small.cached = nics["ens2"].cached
    manager = Manager({"ens1": nics["ens1"], "ens2": small})
    pushing = driver(manager)
    pushing.load(change(before, after))
    with pytest.raises(TakenBack):
        pushing.commit(60)
    assert manager.pending is None
    assert {laws.state(nic, before, after) for nic in manager.nics.values()} == {"old"}


def test_nothing_is_sent_to_a_nic_of_other_sizes_or_that_no_longer_holds_what_was_planned() -> None:
    good = text(f"permit tcp any {HERE} to 22")
    nic = ServerLockNic(Settings(entries=64, nodes=900))
    manager = Manager({"ens1": nic})
    with pytest.raises(Rejected, match="64 entries"):
        driver(manager).load(change("", good))
    assert not nic.active.rules
    assert nic.override == NONE
    held = Manager(laws.loaded(good))
    with pytest.raises(Rejected, match="stale"):
        driver(held).load(change("", text(f"permit tcp any {HERE} to 23")))


def test_a_way_back_is_kept_by_the_manager_and_taken_when_its_time_is_up() -> None:
    now = [0.0]
    nic, pushing, token = committed(now)
    assert pushing.pending() == token
    assert laws.state(nic, BEFORE, AFTER) == "new"
    now[0] = 61.0
    assert pushing.pending() is None
    assert laws.state(nic, BEFORE, AFTER) == "old"
    with pytest.raises(Rejected):
        pushing.confirm(token)


def test_counters_tell_sent_from_received() -> None:
    good = text(f"permit udp any {HERE} to 53")
    manager = Manager(laws.loaded(good))
    nic = manager.nics["ens1"]
    dice = random.Random(0)
    packet = laws.Packet("", 4, 17, 0x0A000001, LOCALS[4], 4000, 53)
    answer = replace(packet, src=packet.dst, dst=packet.src, sport=53, dport=4000)
    for one, received, times in ((packet, True, 3), (answer, False, 2)):
        for _ in range(times):
            assert nic.passes(laws.frame(one, dice, 0.0), received=received)
    assert driver(manager).counters() == {"counter 1": (2, 3)}


def test_the_simulated_nic_refuses_what_it_does_not_know() -> None:
    nic = ServerLockNic()
    card = phases.Nic("ens1", nic.exchange)
    with pytest.raises(ValueError, match="header"):
        nic.exchange(b"\0")
    for command, payload in ((0x10E, b""), (phases.RULE, bytes(91)), (phases.RULE, struct.pack("<I", 1 << 11) + bytes(88)),
                             (phases.RESET, b""), (phases.NODE, bytes(8)), (phases.OVERRIDE, struct.pack("<I", 7)),
                             (phases.CACHE, struct.pack("<I", phases.ROLLBACK)), (phases.LOCAL_TREE, b"\0\0")):  # fmt: skip
        with pytest.raises(phases.Answered):
            card.ask(command, payload)
    assert not nic.active.rules


def test_a_first_push_that_fails_stays_blocked_until_it_is_recovered() -> None:
    good = text(f"permit tcp any {HERE} to 22")
    manager = Manager({"ens1": ServerLockNic(Settings(filters=2))})
    pushing = driver(manager)
    pushing.load(change("", good))
    with pytest.raises(Lost, match="nothing was ever committed"):
        pushing.commit(60)
    assert manager.nics["ens1"].override == BLOCK
    pushing.revert(str(pushing.pending()))
    assert manager.nics["ens1"].override == NONE


@pytest.mark.parametrize(
    ("old", "new"),
    [("message 010f", "message 010e"), ("message 0115", "message 0117"), ("configlet-serverlock 1", "configlet-serverlock 2")],
)
def test_a_line_that_is_not_known_makes_the_text_unreadable(old: str, new: str) -> None:
    with pytest.raises(Refused) as refused:
        read(SERVERLOCK, "filter-table", text(f"permit tcp 10.0.0.0/8 {HERE} to 22").replace(old, new, 1), "nic")
    assert str(refused.value).startswith("nic:")


def test_every_changed_bit_of_the_tables_is_refused_or_refuted_or_means_the_same() -> None:
    found = tables(SERVERLOCK, [policy(f"permit tcp 10.0.0.0/8 {HERE} to 22", f"permit udp any {HERE} to 53-60"), NOTHING])
    good = laws.text_of(found)
    dice, caught = random.Random(2), 0
    tried = list(islice(packets(dice, [policy(f"permit tcp 10.0.0.0/8 {HERE} to 22", f"permit udp any {HERE} to 53-60")]), 200))
    lines = [n for n, line in enumerate(good.splitlines()) if line.startswith("message")]
    for _ in range(150):
        broken = good.splitlines()
        at = dice.choice(lines)
        word, code, payload = broken[at].split(" ")
        data = bytearray.fromhex(payload)
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        broken[at] = f"{word} {code} {data.hex()}"
        made = "\n".join(broken) + "\n"
        try:
            proven = verdicts(SERVERLOCK, found, made) == {"PROVED"}
        except Refused:
            proven = False
        caught += not proven
        if proven:
            try:
                nic = laws.loaded(made)["ens1"]
            except Lost:  # the NIC itself refused the message
                continue
            assert not laws.agree(nic, found, tried).wrong, broken[at]
    assert caught > 100


def test_what_a_rule_cannot_say_is_refused_with_its_place() -> None:
    for said in (f"permit 132 any {HERE} to 80", "permit udp any 239.1.0.0/16 to 5000"):
        wide = Local(4, (MINE, (0xEF010000, 0xEF01FFFF)), rows((said,)))
        with pytest.raises(Refused) as refused:
            laws.text_of(tables(SERVERLOCK, [wide, NOTHING]))
        assert refused.value.problems[0].place is not None
    assert gate(SERVERLOCK, "in", ()).capability.blind_to == ("tcp-flags", "icmp-type", "fragment")

"""A push to a host with a real nft over real SSH: what becomes of it, and what the outcome says."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from configlet import drivers
from configlet.drivers.base import Driver, Lost, Rejected, Target, Unreachable, Untrusted
from configlet.model.plan import Change
from tests.lab.push_bench import Bench, Host, bench, canonical, change, host, needs_namespaces, table, wait_until

__all__ = ["bench"]
pytestmark = needs_namespaces

OPEN = ""
OLD, NEW = table(22), table(22, 80)


@pytest.fixture
def me1(bench: Bench) -> Iterator[Host]:
    with host(bench.root) as found:
        bench.add("me1", "nftables", found.port)
        yield found


def test_a_push_is_kept_and_saved_for_the_next_start(bench: Bench, me1: Host) -> None:
    outcome = bench.push(change("me1", OPEN, OLD))["me1"]
    assert (outcome.result, me1.ports()) == ("Kept", [22])
    me1.run("nft flush ruleset")
    me1.run(f"CONFIGLET_STATE_DIR={me1.state} sh {me1.state}/guard.sh boot")
    assert me1.ports() == [22]


def test_a_push_and_its_opposite_restore_the_host(bench: Bench, me1: Host) -> None:
    for before, after, ports in ((OPEN, OLD, [22]), (OLD, NEW, [22, 80]), (NEW, OLD, [22]), (OLD, OPEN, [])):
        outcome = bench.push(change("me1", before, after))["me1"]
        assert (outcome.result, me1.ports()) == ("Kept", ports), outcome
    assert me1.run("nft list ruleset") == ""


def test_a_connection_that_dies_after_the_commit_is_reverted_by_the_host_itself(bench: Bench, me1: Host) -> None:
    bench.push(change("me1", OPEN, OLD))
    me1.cut_after, me1.dark = "commit", 4.0
    outcome = bench.push(change("me1", OLD, NEW), seconds=40)["me1"]
    assert outcome.result == "Reverted"
    assert "its own timer" in outcome.reason
    assert me1.ports() == [22]
    assert not (me1.state / "pending").exists()


def test_a_connection_that_dies_while_confirming_is_asked_again_and_kept(bench: Bench, me1: Host) -> None:
    me1.cut_after, me1.dark = "confirm", 1.0
    outcome = bench.push(change("me1", OPEN, OLD), seconds=1000)["me1"]
    assert (outcome.result, me1.ports()) == ("Kept", [22])
    assert "asked again" in outcome.reason


def test_a_text_that_nft_refuses_leaves_the_host_untouched(bench: Bench, me1: Host) -> None:
    bad = table(22).replace("drop", "tumble")
    outcome = bench.push(change("me1", OPEN, bad))["me1"]
    assert (outcome.result, me1.ports()) == ("Untouched", [])
    assert "tumble" in outcome.reason


# Simulated: nft 0.9.9, whose grammar has no counter in a map.
BEFORE_1_0 = """#!/bin/sh
case "$*" in
--version) echo 'nftables v0.9.9 (Prudence Pimpleton)' && exit ;;
*-f*) ;;
*) exec /usr/sbin/nft "$@" ;;
esac
for file; do :; done
text=$(if [ "$file" = - ]; then cat; else cat "$file"; fi)
if printf '%s\n' "$text" | grep -B 3 'counter$' | grep -q ': verdict$'; then
    echo 'text:7:3-9: Error: syntax error, unexpected counter' >&2
    exit 1
fi
case "$*" in *-c*) check=-c ;; esac
printf '%s\n' "$text" | /usr/sbin/nft ${check-} -f -
"""
LOADS_AND_DIES = """#!/bin/sh
[ "$*" != --version ] || exec echo 'nftables v1.0.0 (Fearless Fosdick #2)'
exec /usr/sbin/nft "$@"
"""
COUNTING = OLD.replace(
    "{\n\tchain", "{\n\tmap m {\n\t\ttype ipv4_addr : verdict\n\t\tflags interval\n\t\tcounter\n\t}\n\tchain", 1
)


def test_an_nft_that_counts_no_elements_is_named_and_another_fault_is_told_in_its_own_words(
    bench: Bench, me1: Host, tmp_path: Path
) -> None:
    for name, text in (("old", BEFORE_1_0), ("first", LOADS_AND_DIES)):
        tool = tmp_path / name / "nft"
        tool.parent.mkdir()
        tool.write_text(text)
        tool.chmod(0o755)
    assert bench.push(change("me1", OPEN, NEW))["me1"].result == "Kept"
    outcomes = []
    for me1.tools in (str(tmp_path / "old"), str(tmp_path / "first"), ""):
        for text in (COUNTING, COUNTING.replace("counter drop", "counter tumble")):
            outcome = bench.push(change("me1", NEW, text))["me1"]
            outcomes.append((outcome.result, me1.ports(), outcome.reason))
            if outcome.result == "Kept":
                assert bench.push(change("me1", text, NEW))["me1"].result == "Kept"
    assert [said[:2] for said in outcomes] == [("Untouched", [22, 80])] * 4 + [("Kept", [22]), ("Untouched", [22, 80])]
    for (_, _, reason), version in zip(outcomes[:4], ("v0.9.9", "v0.9.9", "v1.0.0", "v1.0.0"), strict=True):
        assert f"nftables {version}" in reason and "nft 1.0.1 and Linux 5.7" in reason and "Error" not in reason
    assert "tumble" in outcomes[5][2] and "1.0.1" not in outcomes[5][2]


def test_a_stale_plan_touches_nothing(bench: Bench, me1: Host) -> None:
    bench.push(change("me1", OPEN, OLD))
    outcome = bench.push(change("me1", OPEN, NEW))["me1"]
    assert (outcome.result, me1.ports()) == ("Untouched", [22])
    assert "stale" in outcome.reason


def test_a_table_that_changes_between_staging_and_commit_is_not_overwritten(bench: Bench, me1: Host) -> None:
    bench.push(change("me1", OPEN, OLD))
    driver = bench.connect("me1")
    driver.load(change("me1", OLD, NEW))
    me1.run("nft add rule inet configlet input tcp dport 443 drop")
    with pytest.raises(Rejected, match="changed since"):
        driver.commit(100)
    assert me1.ports() == [22, 443]


def test_the_counters_of_living_rules_come_back_with_a_revert(bench: Bench, me1: Host) -> None:
    me1.run("ip link set lo up")
    bench.push(change("me1", OPEN, OLD))
    me1.run("timeout 0.2 bash -c 'echo > /dev/tcp/127.0.0.1/22' || true")

    def probe(target: Target, change: Change, driver: Driver) -> None:
        raise Rejected("no packet came through")

    assert bench.push(change("me1", OLD, NEW), probe=probe)["me1"].result == "Reverted"
    assert "counter packets 0 " not in me1.run("nft list table inet configlet")


def test_the_timer_outlives_the_connection_and_another_one_confirms(bench: Bench, me1: Host) -> None:
    first = bench.connect("me1")
    first.load(change("me1", OPEN, OLD))
    token = first.commit(2000)
    first.close()
    second = bench.connect("me1")
    assert second.pending() == token
    second.confirm(token)
    assert (second.pending(), me1.ports()) == (None, [22])
    with pytest.raises(Rejected):
        second.confirm(token)
    with pytest.raises(Rejected):
        second.revert(token)


def test_a_timer_that_somebody_killed_is_made_good_when_the_host_is_asked(bench: Bench, me1: Host) -> None:
    driver = bench.connect("me1")
    driver.load(change("me1", OPEN, OLD))
    driver.commit(20)
    os.killpg(int((me1.state / "pending" / "timer").read_text()), 9)
    wait_until(lambda: driver.pending() is None)
    assert me1.ports() == []


def test_a_change_from_before_a_restart_is_forgotten(bench: Bench, me1: Host) -> None:
    driver = bench.connect("me1")
    driver.load(change("me1", OPEN, OLD))
    driver.commit(2000)
    (me1.state / "pending" / "boot").write_text("another one\n")
    assert driver.pending() is None


def test_reading_a_host_leaves_nothing_behind(bench: Bench, me1: Host) -> None:
    driver = bench.connect("me1")
    assert (driver.running(), driver.pending()) == (OPEN, None)
    driver.close()
    assert not me1.state.exists()


def test_what_was_staged_and_not_committed_is_dropped_on_leaving(bench: Bench, me1: Host) -> None:
    driver = bench.connect("me1")
    driver.load(change("me1", OPEN, OLD))
    driver.close()
    assert list((me1.state / "staged").iterdir()) == []


def test_an_unknown_or_changed_host_key_gets_no_password(bench: Bench, me1: Host) -> None:
    known = bench.root / "known_hosts"
    name, kind, _ = known.read_text().split()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(bench.root / "other")], check=True)
    other = (bench.root / "other.pub").read_text().split()[1]
    for text, why in (("", "not in"), (f"{name} {kind} {other}\n", "another host key")):
        known.write_text(text)
        with pytest.raises(Untrusted, match=f"{why}.*No credential was sent"):
            bench.connect("me1")


def test_a_wrong_password_and_a_dead_address_are_unreachable_and_nothing_is_shown(
    bench: Bench, me1: Host, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BENCH_PASSWORD", "canary-7f3")
    with pytest.raises(Unreachable, match="refused the name or the password") as wrong:
        bench.connect("me1")
    bench.add("me2", "nftables", 1)
    with pytest.raises(Unreachable, match="cannot be reached"):
        bench.connect("me2")
    assert "canary" not in str(wrong.value)
    assert capfd.readouterr() == ("", "")


def test_one_red_host_takes_its_wave_back_and_the_next_wave_is_not_begun(bench: Bench, tmp_path: Path) -> None:
    """The canary is kept, its colleagues of the red wave are reverted, the rest is untouched; all are true."""
    folders = [tmp_path / f"h{number}" for number in range(3)]
    for folder in folders:
        folder.mkdir()

    def probe(target: Target, change: Change, driver: Driver) -> None:
        if target.owner == "h2":
            raise Lost("nobody answers there")

    with host(folders[0]) as h0, host(folders[1]) as h1, host(folders[2]) as h2:
        for name, found in (("h0", h0), ("h1", h1), ("h2", h2)):
            bench.add(name, "nftables", found.port)
            bench.targets[name] = replace(bench.targets[name], trust=tmp_path / name)
        bench.targets["h3"] = bench.targets["h2"]
        bench.targets["h3"] = replace(bench.targets["h0"], owner="h3")
        changes = [change(name, OPEN, OLD) for name in ("h0", "h1", "h2")]
        outcomes = bench.push(*changes, probe=probe, pairs={})
        assert {name: outcome.result for name, outcome in outcomes.items()} == {
            "h0": "Kept", "h1": "Reverted", "h2": "Reverted",
        }  # fmt: skip
        assert "because of h2" in outcomes["h1"].reason
        assert (h0.ports(), h1.ports(), h2.ports()) == ([22], [], [])


def test_canonical_of_the_bench_sees_a_lost_rule(me1: Host) -> None:
    assert canonical("nftables", "filter-table", OLD) != canonical("nftables", "filter-table", NEW)
    assert drivers.find("nftables") is not drivers.find("eos")

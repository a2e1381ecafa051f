"""A site whose gate is a table in a NIC: planned, pushed with the host's own table, found again, and taken back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from configlet import drivers, pipeline
from configlet.cli import aim
from configlet.journal import folder, opened
from configlet.lab.nic.flower import FlowerNic
from configlet.lab.nic.manager import Manager
from configlet.lab.nic.serverlock import ServerLockNic
from configlet.lab.probe_plan import plan_probes
from configlet.model.plan import Change, Plan, host_of
from configlet.place.ends import ends_of
from configlet.place.local import TAGGED, hops_at
from configlet.plan import back
from configlet.push import push, waves
from tests.lab.desk import SITE, TODAY, accept, cure, workspace
from tests.lab.push_bench import Bench, bench, host, needs_namespaces
from tests.nic import laws
from tests.nic.test_push import door, login
from tests.nic.tools import tools

__all__ = ["bench", "login"]
OWN, NICS = "me1", "me1/tcflower"


def site(root: Path) -> pipeline.Site:
    """`desk` with a ConnectX-6 in switchdev mode, a table in it, and a workload of DPDK behind it."""
    at = workspace(root)
    accept(at)
    cure(at)
    said = at.read_text().replace("stack: onload", "stack: dpdk").replace("filter_table: simnic", "filter_table: tcflower")
    at.write_text(said.replace("model: solarflare-x2-serverlock", "model: mellanox-connectx6"))
    return pipeline.open_site(root, SITE, TODAY)


def plan(root: Path, running: dict[str, str], store: pipeline.Store | None = None) -> Plan:
    return pipeline.plan(root, SITE, TODAY, running, "lab", {OWN}, store)


def test_a_plan_knows_a_nics_tables_from_those_of_its_host(tmp_path: Path) -> None:
    opened_site = site(tmp_path)
    assert set(aim.targets(opened_site.inventory, tmp_path, opened_site.platforms)) == {"leaf1", OWN, NICS}
    texts = {a.platform: a.text for a in pipeline.render(tmp_path, SITE, TODAY)}
    store = pipeline.Store(tmp_path)
    for _ in range(2):  # the second time from what was remembered
        assert not plan(tmp_path, {OWN: texts["nftables"], NICS: texts["tcflower"]}, store).changes
        for running, changed in (({OWN: "", NICS: texts["tcflower"]}, OWN), ({OWN: texts["nftables"], NICS: ""}, NICS)):
            made = plan(tmp_path, running, store)
            assert [change.owner for change in made.changes] == [changed]
            assert not made.problems
        for own in (texts["nftables"], ""):
            unread = plan(tmp_path, {OWN: own}, store)
            assert [p for p in unread.problems if p.startswith(f"{NICS}: what it runs is not known")], unread.problems


def test_a_plan_says_how_far_an_applications_console_is_to_be_trusted_changed_or_not(tmp_path: Path) -> None:
    site(tmp_path)
    at = tmp_path / "inventory" / SITE / "site.yaml"
    at.write_text(at.read_text().replace("filter_table: tcflower", "filter_table: rteflow"))
    texts = {a.platform: a.text for a in pipeline.render(tmp_path, SITE, TODAY)}
    for running in ("", texts["rteflow"]):
        made = plan(tmp_path, {OWN: texts["nftables"], "me1/rteflow": running})
        assert {change.owner for change in made.changes} == (set() if running else {"me1/rteflow"})
        assert [r for r in made.risks if r.startswith("me1/rteflow: ") and "no proof of what the NIC holds" in r], made.risks


def test_a_host_and_its_nics_are_never_in_one_wave_and_the_nics_go_first() -> None:
    names = sorted(f"me{n}{part}" for n in range(4) for part in ("", "/ntuple", "/tcflower"))
    found = waves([Change(name, "", "filter-table", "", "", "", "", "") for name in names], {"me0": "me1"})
    assert sorted(change.owner for wave in found for change in wave) == names
    for wave in found:
        hosts = [host_of(change.owner) for change in wave]
        assert len(set(hosts)) == len(hosts)
        assert not {"me0", "me1"} <= set(hosts)
    order = [change.owner for wave in found for change in wave]
    assert all(order.index(f"me{n}/{part}") < order.index(f"me{n}") for n in range(4) for part in ("ntuple", "tcflower"))


def test_a_table_that_goes_from_a_nic_goes_last_and_one_that_cannot_be_read_stops_the_plan(tmp_path: Path) -> None:
    site(tmp_path)
    texts = {a.platform: a.text for a in pipeline.render(tmp_path, SITE, TODAY)}
    at = tmp_path / "inventory" / SITE / "site.yaml"
    at.write_text(at.read_text().replace(", filter_table: tcflower", ""))
    for running in (texts["tcflower"], "", "what is this", None):
        shown = {OWN: ""} | ({} if running is None else {NICS: running})
        made = pipeline.plan(tmp_path, SITE, TODAY, shown, "lab", {OWN}, left={NICS: "tcflower"})
        order = [change.owner for wave in waves(made.changes, {}) for change in wave]
        assert order == ([OWN, NICS] if running == texts["tcflower"] else [OWN])
        said = [p for p in made.problems if p.startswith(NICS) and "no table any more" in p]
        assert bool(said) == (running in ("what is this", None)), made.problems
        assert bool([f for f in made.flows if f.opened]) == (running == texts["tcflower"])


@needs_namespaces
def test_both_tables_of_a_host_are_pushed_one_after_the_other_and_taken_back(bench: Bench, tmp_path: Path) -> None:
    root, nic = tmp_path / "site", FlowerNic()
    root.mkdir()
    canonical = aim.canonical(site(root))
    with tools(tmp_path / "tools", ens1=nic) as told, host(bench.root) as me1:
        me1.tools = str(told.folder)
        bench.add(OWN, "nftables", me1.port)
        bench.add(NICS, "tcflower", me1.port)

        def pushed(what: Plan) -> set[str]:
            with opened(folder(tmp_path, SITE), SITE) as log:
                found = push(what, bench.targets, drivers.opener(canonical), log, canonical=canonical, seconds=2000, margin=3)
            return {f"{outcome.owner} {outcome.result}" for outcome in found}

        first = plan(root, {OWN: "", NICS: ""})
        assert [[c.owner for c in wave] for wave in waves(first.changes, {})] == [[NICS], [OWN]]
        assert pushed(first) == {f"{OWN} Kept", f"{NICS} Kept"}
        assert nic.rules
        texts = {a.platform: a.text for a in pipeline.render(root, SITE, TODAY)}
        assert not plan(root, {OWN: texts["nftables"], NICS: f"# configlet tcflower 1\n# shown ens1\n{nic.listing()}"}).changes
        assert pushed(back(first, (OWN, NICS), date="2026-11-24", version="0")) == {f"{OWN} Kept", f"{NICS} Kept"}
        assert not nic.rules


def of_serverlock(root: Path) -> tuple[Path, str]:
    """A site's file, and what it says where its NIC has a ServerLock table.

    It judges both ways and remembers no connection, so what is left open are replies.
    """
    at = workspace(root)
    accept(at)
    cure(at)
    said = at.read_text().replace("filter_table: simnic", "filter_table: serverlock")
    return at, said.replace("{what: unguarded, from: me1, to: floor", "{what: reply-exposure, from: floor, to: floor")


@pytest.mark.usefixtures("login")
def test_a_serverlock_table_goes_through_the_manager_that_the_inventory_names(tmp_path: Path) -> None:
    at, said = of_serverlock(tmp_path)
    blind = "  - {{what: blindness, gate: me1/ens1/{}, reason: it sees no fragments, until: 2026-12-31}}\n"
    at.write_text(said + "".join(map(blind.format, ("in", "out"))))
    lacking = pipeline.check(tmp_path, SITE, TODAY)
    assert [p for p in lacking.findings if "from their manager alone" in str(p) and p.place], lacking.findings
    manager_of = "    manager: {address: 192.0.2.30, credentials: env/BENCH}\n    nics: {ens1: {model: solarflare"
    at.write_text(at.read_text().replace("    nics: {ens1: {model: solarflare", manager_of))
    opened_site = pipeline.open_site(tmp_path, SITE, TODAY)
    reached = aim.targets(opened_site.inventory, tmp_path, opened_site.platforms)
    assert {o: t.address for o, t in reached.items()} == {
        "leaf1": "192.0.2.21", OWN: "192.0.2.103", "me1/serverlock": "192.0.2.30"
    }  # fmt: skip
    texts = {a.platform: a.text for a in pipeline.render(tmp_path, SITE, TODAY)}
    made = plan(tmp_path, {OWN: texts["nftables"], "me1/serverlock": ""})
    assert [change.owner for change in made.changes] == ["me1/serverlock"]
    canonical, nics = aim.canonical(opened_site), {"ens1": ServerLockNic()}
    with door(Manager(nics), tmp_path) as target, opened(folder(tmp_path, SITE), SITE) as log:
        targets = {"me1/serverlock": replace(target, owner="me1/serverlock")}
        (found,) = push(made, targets, drivers.opener(canonical), log, canonical=canonical, seconds=600, margin=1)
        assert found.result == "Kept", found
    shown = laws.shown_by(nics)
    assert not plan(tmp_path, {OWN: texts["nftables"], "me1/serverlock": shown}).changes


def test_the_probe_knows_what_an_accepted_blindness_passes_and_nothing_more(tmp_path: Path) -> None:
    at, said = of_serverlock(tmp_path)
    said = said.replace("  orders: [udp/9001]", "  orders: [udp/9001]\n  calls: [tcp/1-65535]")
    calls = "  - {name: the engine calls, from: [me1], to: [client1], service: [calls], action: allow, reason: it asks}\n"
    said = said.replace("  - {name: nobody else reaches", f"{calls}  - {{name: nobody else reaches")
    blind = "".join(
        f"  - {{what: blindness, gate: me1/ens1/{way}, reason: no flags, until: 2026-12-31}}\n" for way in ("in", "out")
    )
    for accepted in (blind, ""):
        at.write_text(said + accepted)
        probes = plan_probes(pipeline.open_site(tmp_path, SITE, TODAY)).probes
        found = [p for p in probes if p.kind == "pair" and p.target == "me1" and not p.expected]
        excused = {(p.source, p.shot.packet.proto) for p in found if "no flags" in p.gap}
        assert excused == ({("client1", 6)} if accepted else set())
        assert {("client1", 17), ("client2", 6), ("client2", 17)} <= {(p.source, p.shot.packet.proto) for p in found}


@pytest.mark.parametrize("foreign", ["filter protocol all pref 4 bpf chain 0 handle 0x1 x.o direct-action", "  in_hw_not"])
def test_what_somebody_else_has_put_into_the_nic_makes_it_unreadable(tmp_path: Path, foreign: str) -> None:
    site(tmp_path)
    texts = {a.platform: a.text for a in pipeline.render(tmp_path, SITE, TODAY)}
    nic = FlowerNic()
    for line in texts["tcflower"].splitlines()[1:]:
        nic.command(line)
    shown = f"# configlet tcflower 1\n# shown ens1\n{nic.listing()}{foreign}\n"
    made = plan(tmp_path, {OWN: texts["nftables"], NICS: shown})
    assert [p for p in made.problems if p.startswith(f"{NICS}: what it runs is not known")], made.problems


@pytest.mark.parametrize("intra", ["open", "policy"])
def test_later_fragments_pass_a_nic_that_tells_them_apart_where_the_segment_matches_them(tmp_path: Path, intra: str) -> None:
    site(tmp_path)
    at = tmp_path / "inventory" / SITE / "site.yaml"
    old, new = "intra: policy, fragments: drop, encap: none}\nhosts", f"intra: {intra}, fragments: match, encap: none}}\nhosts"
    said = at.read_text().replace(old, new)
    assert "fragments: match" in said
    at.write_text(said.replace("service: [orders], action: allow", "service: [any], action: allow"))
    (text,) = (a.text for a in pipeline.render(tmp_path, SITE, TODAY) if a.platform == "tcflower")
    found = pipeline.check(tmp_path, SITE, TODAY)
    assert not [p for p in found.findings if "not proved" in p.summary], found.findings
    assert any("prio 10 " in line and "frag/nofirstfrag action pass" in line for line in text.splitlines())


@pytest.mark.parametrize(
    ("name", "stack", "guards"), [("tcflower", "dpdk", False), ("rteflow", "dpdk", False), ("simnic", "onload", True)]
)
def test_a_table_whose_rules_are_for_untagged_frames_guards_no_workload_that_tags_them(
    tmp_path: Path, name: str, stack: str, guards: bool
) -> None:
    site(tmp_path)
    at = tmp_path / "inventory" / SITE / "site.yaml"
    said = at.read_text().replace("filter_table: tcflower", f"filter_table: {name}").replace("stack: dpdk", f"stack: {stack}")
    if guards:
        said = said.replace("model: mellanox-connectx6", "model: solarflare-x2-serverlock")
    tagged = said.replace("    workloads: {me1:", "    interfaces: {v30: {members: [ens1], vlan: 30}}\n    workloads: {me1:")
    tagged = tagged.replace(f"on: [ens1], segment: floor, stack: {stack}", f"on: [v30], segment: floor, stack: {stack}")
    for text, sees in ((said, name != "rteflow"), (tagged, guards)):
        at.write_text(text)
        opened_site = pipeline.open_site(tmp_path, SITE, TODAY)
        ends = {e.workload.name: e for e in ends_of(opened_site.inventory, "trading", 4) if e.workload}
        hops = [h for h in hops_at(opened_site.placement, ends["me1"], "receives", ends["client2"]) if h.gate.binding == "ens1"]
        assert [h.sees for h in hops] == [sees], hops
        assert (hops[0].sentence == TAGGED) == (text == tagged and not guards)

"""What `check` finds red: what no gate sees, replies past a written deny, a closed way in, a table that does not fit."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from configlet import pipeline
from configlet.cli.check import to_data
from configlet.model.gate import Proof, Witness
from configlet.model.inventory import PolicyTest, Selector
from configlet.model.net import Addresses
from configlet.model.policy import ANY_BIT, ANY_PORT, DPORT, DST, Entry, Packet, Rule
from configlet.model.problem import Place, Problem, Refused
from configlet.packets.boxes import full, meet
from configlet.packets.verdict import first
from configlet.pipeline.check import decided, locked_out, way_in
from configlet.pipeline.expected import run_test
from configlet.pipeline.report import GroupSaid, Report
from configlet.pipeline.site import open_site

ROOT = Path(__file__).resolve().parents[2]
TODAY = date(2026, 11, 24)
Edit = Callable[[str, str, str], None]


@pytest.fixture
def edit(tmp_path: Path) -> Edit:
    shutil.copytree(ROOT / "inventory" / "dc1", tmp_path / "inventory" / "dc1")

    def change(file: str, old: str, new: str) -> None:
        path = tmp_path / "inventory" / "dc1" / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return change


def found(root: Path) -> tuple[int, tuple[Problem, ...]]:
    report = pipeline.check(root, "dc1", TODAY)
    return report.status, tuple(p for p in report.findings if p.severity == "error")


def test_the_sample_site_is_green(edit: Edit, tmp_path: Path) -> None:
    assert found(tmp_path) == (0, ())


def test_a_workload_that_bypasses_the_kernel_is_unguarded_inside_its_segment_until_somebody_accepts_it(
    edit: Edit, tmp_path: Path
) -> None:
    edit("accept.yaml", "workload: me1", "workload: ogw1")
    status, problems = found(tmp_path)
    assert status == 3
    assert [p.summary for p in problems] == ["Unguarded flow"]
    assert '"me1"' in problems[0].detail and "DPDK" in problems[0].detail
    assert "The cheapest cure: a " in problems[0].detail
    assert problems[0].place is not None and problems[0].place.file.endswith("hosts.yaml")


def test_machines_are_told_all_that_a_proof_holds() -> None:
    witness = Witness("too open", "a packet", ((6, 6), (1, 2)), "a line", "a rule", "all of it")
    proofs = (Proof("leaf1/Vlan10 in", "PROVED", 3, 4), Proof("leaf1/Vlan10 out", "REFUTED", 1, 2, (witness,), "why"))
    report = Report("dc1", {}, (), (GroupSaid(("leaf1",), proofs, 7, 6),), (), (), 0.0)
    assert to_data(report)["proofs"] == [asdict(proof) for proof in proofs]


def test_an_acceptance_ends_on_its_day(edit: Edit, tmp_path: Path) -> None:
    edit("accept.yaml", "until: 2027-12-31", "until: 2026-11-23")
    with pytest.raises(Refused) as refused:
        found(tmp_path)
    assert all(p.nature == "red" for p in refused.value.problems)


def test_a_segment_that_is_open_inside_has_nothing_unguarded(edit: Edit, tmp_path: Path) -> None:
    (tmp_path / "inventory" / "dc1" / "accept.yaml").write_text("accept: []\n")
    segments = tmp_path / "inventory" / "dc1" / "segments.yaml"
    segments.write_text(segments.read_text().replace("intra: policy", "intra: open"))
    tests = tmp_path / "inventory" / "dc1" / "tests.yaml"
    tests.write_text(
        "".join(line for line in tests.read_text().splitlines(True) if "client2, service: any" not in line)
    )
    assert found(tmp_path) == (0, ())


DENY = """policy:
  - name: the engine never speaks first
    from: [matching]
    to: [order-gateways]
    service: [any]
    action: deny
    reason: a written deny that replies of the order path cross
"""


def test_replies_that_cross_a_written_deny_between_two_that_bypass_the_kernel_are_red(
    edit: Edit, tmp_path: Path
) -> None:
    edit("policy.yaml", "policy:\n", DENY)
    status, problems = found(tmp_path)
    assert status == 3
    assert {p.summary for p in problems} == {"Reply exposure that meets a written deny"}
    assert any("orders reach the engine" in p.detail and "the engine never speaks first" in p.detail for p in problems)
    accepted = (
        "  - {what: reply-exposure, from: matching, to: order-gateways, reason: replies only, until: 2027-01-31}\n"
    )
    assert "{what: reply-exposure, from: matching, to: order-gateways" in problems[0].detail
    edit("accept.yaml", "accept:\n", "accept:\n" + accepted)
    assert found(tmp_path)[0] == 0


def test_without_failsafe_the_way_in_is_closed_and_red(edit: Edit, tmp_path: Path) -> None:
    site = tmp_path / "inventory" / "dc1" / "site.yaml"
    text = site.read_text()
    site.write_text(text[: text.index("# First on every gate")] + text[text.index("infrastructure:") :])
    status, problems = found(tmp_path)
    assert status == 3
    closed = [p for p in problems if p.summary == "Way in closed"]
    assert len(closed) == 19 and all(p.place is not None for p in closed)


def test_a_way_in_is_open_where_first_match_passes_a_packet_of_it() -> None:
    dice, seen, cells = random.Random(3), Counter[str](), (5, 15, 25, 35, 45, 65520, 65530)
    rule = Rule("one", "policy", "allow", Addresses(), Addresses(), (), False, None)
    for _ in range(2000):
        entries = []
        for _ in range(dice.randrange(1, 7)):
            at, low = dice.randrange(4), dice.choice([0, 10, 20])
            dst, ports = (at, at + dice.randrange(3)), (low, low + dice.choice([9, 19, 65515]))
            box = (dice.choice([(6, 6), (0, 255), (17, 17)]), dst, (7, 7), ports, ANY_PORT, ANY_BIT, (0, 0))
            entries.append(Entry(dice.random() < 0.5, box, rule))
        port = dice.choice([None, 15])
        asked = way_in(IPv4Address(7), port, (dice.randrange(6),) * 2)
        part, entry = decided([e for e in entries if meet(e.box, way_in(IPv4Address(7), port, full(4)[DST]))], asked)
        truth = {dport: first(entries, Packet("r", 4, 6, 7, asked[DST][0], 49152, dport)) for dport in cells}
        passes = [p for p, by in truth.items() if by and by.permit and port in (None, p)]
        assert bool(entry and entry.permit) is bool(passes)
        assert meet(part, asked) == part
        if not passes:
            assert entry in [by for p, by in truth.items() if part[DPORT][0] <= p <= part[DPORT][1]]
        seen[f"{bool(passes)} {len({by and by.permit for by in truth.values()}) > 1}"] += 1
    assert min(seen["True True"], seen["False True"], seen["False False"]) > 100, seen


def test_a_table_that_does_not_fit_is_refused_with_the_rules_that_cost_most(edit: Edit, tmp_path: Path) -> None:
    ports = ", ".join(f"tcp/{port}" for port in range(1, 8000, 2))
    (tmp_path / "inventory" / "dc1" / "more.yaml").write_text(f"services:\n  many: [{ports}]\n")
    edit("policy.yaml", "service: [fix]", "service: [many]")
    with pytest.raises(Refused) as refused:
        found(tmp_path)
    said = str(refused.value)
    assert "has room for" in said and '"clients place orders"' in said
    assert all(p.nature == "red" for p in refused.value.problems)


def test_a_policy_test_that_is_half_true_is_red_with_a_packet_of_each_side(edit: Edit, tmp_path: Path) -> None:
    edit("tests.yaml", "service: tcp/9017, expect: deny", "service: tcp/9016-9017, expect: deny")
    status, problems = found(tmp_path)
    assert status == 3 and [p.summary for p in problems] == ["Policy test is red"]
    assert "allowed: tcp" in problems[0].detail and "denied: tcp" in problems[0].detail


def test_a_table_that_sees_only_what_is_received_does_not_guard_an_end_alone(edit: Edit, tmp_path: Path) -> None:
    edit("hosts.yaml", "  client1:  # desk 4\n", "  client1:\n    platform: xdp\n")
    status, problems = found(tmp_path)
    assert status == 3
    assert [p.summary for p in problems] == ["Unguarded flow", "Unguarded management"]
    assert '"client1"' in problems[0].detail and "only what is received" in problems[0].detail
    assert "192.0.2.101" in problems[1].detail and "client1/xdp" in problems[1].detail


def other(edit: Edit, platform: str) -> None:
    """The first leaf of dc1 on a platform that nothing of ours changes."""
    edit("devices.yaml", "platform: eos", f"platform: {platform}")
    edit("devices.yaml", "platform: eos", f"platform: {platform}")


def test_the_way_to_a_platform_without_a_driver_is_closed_only_where_no_port_is_open(edit: Edit, tmp_path: Path) -> None:
    other(edit, "aoscx")
    assert not list(locked_out(open_site(tmp_path, "dc1", TODAY)))
    edit("site.yaml", "service: [ssh, eapi]", "service: [ping]")
    assert any("leaf1" in problem.detail for problem in locked_out(open_site(tmp_path, "dc1", TODAY)))


def test_what_a_text_cannot_say_is_told_with_its_owner_and_platform(edit: Edit, tmp_path: Path) -> None:
    other(edit, "os10")
    with pytest.raises(Refused) as refused:
        found(tmp_path)
    for problem in refused.value.problems:
        assert problem.detail.startswith(("leaf1 (os10): ", "leaf2 (os10): ")) and problem.place is not None


def test_a_management_address_of_a_family_that_no_controller_has_is_no_way_in(edit: Edit, tmp_path: Path) -> None:
    edit("devices.yaml", "address: 192.0.2.21", 'address: "2001:db8:99::21"')
    edit("segments.yaml", "prefixes: [192.0.2.0/24]", 'prefixes: [192.0.2.0/24, "2001:db8:99::/64"]')
    (problem,) = locked_out(open_site(tmp_path, "dc1", TODAY))
    assert problem.summary == "No way in" and "leaf1" in problem.detail and problem.place is not None


ENDS = ("any", "clients", "exchange-a", "order-gateways", "market-data", "ogw1")


def test_a_test_says_the_same_whether_it_is_asked_box_by_box_or_as_two_lists() -> None:
    site = open_site(ROOT, "dc1", TODAY)
    services = {test.service.name: test.service for test in site.inventory.tests}
    seen = set()
    for source in ENDS[:3]:
        for target in ENDS:
            for name in ("any", "fix"):
                ends = [Selector(end, (), Place("tests.yaml")) for end in (source, target)]
                test = PolicyTest(*ends, services[name], "deny", Place("tests.yaml"))
                said, walked = run_test(site, test), run_test(site, test, 0)
                assert said.ok == walked.ok, (source, target, name, said, walked)
                words = [sorted(line.partition(":")[0] for line in one.detail.splitlines()) for one in (said, walked)]
                assert words[0] == words[1]
                seen.add((said.ok, len(words[0])))
    assert {(True, 1), (False, 1), (False, 2)} <= seen, seen

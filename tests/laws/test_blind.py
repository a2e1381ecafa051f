"""A gate that a flow does not meet is never called its guard: every stack by every table of a host, and inside a host."""

from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from configlet.model.problem import Refused
from configlet.pipeline.check import gap_problems, split_gaps
from configlet.pipeline.site import Site, open_site
from configlet.place.stacks import ROWS, Row, cell

SAMPLE = Path(__file__).parents[2] / "scripts" / "bypass"
TODAY = date(2026, 11, 24)
SHARED = {"kernel", "af_packet", "af_xdp", "onload", "rdma"}
HOST = """  {name}:
    management: {{address: 192.0.2.1{n}, credentials: env/DESK}}
    managed: {managed}
    platform: {platform}
    nics: {{ens1: {{model: virtio, attached: [leaf1/Ethernet{n}]}}}}
    workloads:
"""
WORKLOAD = "      {name}: {{addresses: [10.1.30.{n}], on: [ens1], segment: floor, stack: {stack}}}\n"
DENY = "policy:\n  - {name: nobody, from: [floor], to: [floor], service: [any], action: deny, reason: the law wants one}\n"


UPPER = """  upper: {realm: trading, vlan: 31, prefixes: [10.1.31.0/24], intra: policy, fragments: drop, encap: none,
          gateways: {on: [leaf1], mode: anycast, irb: symmetric, filter: [in, out]}}
"""
PLAIN = "10.1.30.0/24], intra: policy, fragments: drop, encap: none"
GATED = PLAIN + ", gateways: {on: [leaf1], mode: anycast, irb: symmetric, filter: [in, out]}}"
DENY_ALL = DENY.replace("[floor]", "[floor, upper]")


@dataclass(frozen=True)
class Desk:
    """A host, by what stands on it."""

    name: str
    number: int
    platform: str
    managed: bool
    serverlock: bool

    def said(self, works: Sequence[Work]) -> str:
        head = HOST.format(name=self.name, n=self.number, managed=str(self.managed).lower(), platform=self.platform)
        card = "model: solarflare-x2-serverlock, filter_table: serverlock," if self.serverlock else "model: virtio,"
        return head.replace("model: virtio,", card) + "".join(work.said() for work in works if work.host is self)


@dataclass(frozen=True)
class Work:
    """A workload, perhaps with a service on another stack."""

    name: str
    host: Desk
    segment: str
    stack: Row
    also: Row | None

    @property
    def stacks(self) -> list[Row]:
        return [self.stack, *([self.also] if self.also else [])]

    def said(self) -> str:
        net, n = (30 if self.segment == "floor" else 31), 100 + int(self.name.lstrip("mew"))
        also = f", also: {{orders: {self.also}}}" if self.also else ""
        return (
            f"      {self.name}: {{addresses: [10.1.{net}.{n}], on: [ens1], segment: {self.segment}, "
            f"stack: {self.stack}{also}}}\n"
        )

    def seen(self, way: str, alone: bool) -> bool:
        """Whether one table at its host sees all of this direction."""
        tables = [t for t in (self.host.platform, "serverlock" if self.host.serverlock else "") if t]
        counted = [t for t in tables if t == "nftables" or not alone] if self.host.managed else []
        cells = [[cell(stack, table) for stack in self.stacks] for table in counted]
        return any(all(c.tx if way == "sends" else c.rx for c in row) for row in cells)


def site(
    root: Path, hosts: str, more: str = "", policy: str = "", fragments: str = "drop", services: str = "services:\n",
    folders: Path | None = None,
) -> Site:  # fmt: skip
    """The desk, with these hosts, where nobody may talk to anybody but by the rules of ``policy``."""
    for name in ("configlets", "inventory"):
        shutil.copytree(SAMPLE / name, root / name)
    if folders:
        shutil.copytree(folders, root / "configlets", dirs_exist_ok=True)
    (root / "pyproject.toml").write_text('[project]\nname = "desk"\nversion = "0"\n')
    path = root / "inventory" / "desk" / "site.yaml"
    text = path.read_text()
    text = text[: text.index("hosts:\n")] + f"hosts:\n{hosts}" + text[text.index("services:\n") : text.index("policy:\n")]
    if more:
        text = text.replace(f"{PLAIN}}}", GATED).replace("hosts:\n", f"{more}hosts:\n", 1)
    text = text.replace("fragments: drop", f"fragments: {fragments}").replace("services:\n", services, 1)
    rules, _, rest = policy.partition("accept:\n")
    denies = (DENY_ALL if more else DENY).removeprefix("policy:\n")
    path.write_text(f"{text}policy:\n{rules}{denies}" + (f"accept:\n{rest}" if rest else ""))
    return open_site(root, "desk", TODAY)


def host(platform: str, *stacks: Row, managed: bool = True) -> str:
    """A host whose workloads are me1, me2 and so on."""
    said = HOST.format(name="me", n=10, managed=str(managed).lower(), platform=platform)
    return said + "".join(WORKLOAD.format(name=f"me{n}", n=10 + n, stack=stack) for n, stack in enumerate(stacks, 1))


STRANGER = HOST.format(name="you", n=30, managed="false", platform="nftables") + WORKLOAD.format(
    name="you", n=30, stack="kernel"
)


def unguarded(found: Site) -> set[tuple[str, str]]:
    return {(gap.source.name, gap.target.name) for gap in split_gaps(found)[0] if gap.what == "unguarded"}


@pytest.mark.parametrize("platform", ["nftables", "xdp"])
@pytest.mark.parametrize("stack", ROWS)
def test_a_flow_is_unguarded_exactly_where_the_table_of_stacks_says_blind(
    tmp_path: Path, platform: str, stack: Row
) -> None:
    found = unguarded(site(tmp_path, host(platform, stack) + STRANGER))
    seen = cell(stack, platform)
    assert (("you", "me1") in found, ("me1", "you") in found) == (not seen.rx, not seen.tx)


@pytest.mark.parametrize("platform", ["nftables", "xdp"])
@pytest.mark.parametrize("stack", ROWS)
def test_what_a_table_sees_it_judges_as_local(tmp_path: Path, platform: str, stack: Row) -> None:
    (gate,) = site(tmp_path, host(platform, stack) + STRANGER).placement.of_owner("me")
    mine = any(span == (0x0A011E0B, 0x0A011E0B) for _, span in gate.locals)
    assert mine == cell(stack, platform).rx


@pytest.mark.parametrize("seed", range(12))
def test_what_is_unguarded_on_random_hosts_is_what_each_pair_says_by_itself(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    kinds = [(dice.choice(["nftables", "xdp"]), True, dice.random() < 0.5) for _ in range(2)] + [("nftables", False, False)]
    hosts = [Desk(f"h{n}", n, *kind) for n, kind in enumerate(kinds, 1)]
    works = [
        Work(f"w{n}", host, dice.choice(["floor", "upper"]), dice.choice(ROWS), dice.choice([None, None, *ROWS]))
        for n, host in enumerate(hosts * 3, 1)
    ]
    found = unguarded(site(tmp_path, "".join(h.said(works) for h in hosts), UPPER))
    asked = {(a.name, b.name) for a in works for b in works if a is not b}
    assert found & asked == {(a.name, b.name) for a in works for b in works if a is not b and missed(a, b)}


def missed(a: Work, b: Work) -> bool:
    """Whether no gate sees all that a sends to b: not at a, not at b, and no gateway between them."""
    alone = a.host is b.host and (a.segment == b.segment or bool(SHARED & {*a.stacks} and SHARED & {*b.stacks}))
    routed = a.segment != b.segment and not alone
    return not (routed or a.seen("sends", alone) or b.seen("receives", alone))


def test_a_service_past_the_kernel_beside_a_stack_that_the_host_sees_is_unguarded(tmp_path: Path) -> None:
    me = Work("me1", Desk("me", 10, "nftables", True, False), "floor", "kernel", "onload")
    opened = site(tmp_path, me.host.said([me]) + STRANGER)
    assert {("you", "me1"), ("me1", "you")} <= unguarded(opened)
    told = " ".join(problem.detail for problem in gap_problems(opened, split_gaps(opened)[0]))
    assert "me/nftables (orders): Onload runs" in told


def test_a_card_holds_no_more_than_its_model_says(tmp_path: Path) -> None:
    text = host("nftables", "af_xdp").replace("model: virtio,", "model: mellanox-connectx6, filter_table: ntuple,")
    gates = site(tmp_path, text + STRANGER).placement.of_owner("me")
    assert {gate.platform: gate.capability.capacity for gate in gates} == {"nftables": 2000, "ntuple": 1024}


def test_a_table_in_the_nic_of_a_host_that_nobody_manages_is_refused(tmp_path: Path) -> None:
    text = host("nftables", "onload", managed=False).replace("model: virtio,", "model: virtio, filter_table: ntuple,")
    with pytest.raises(Refused, match="nobody would keep this table"):
        site(tmp_path, text)


def test_inside_a_host_the_table_at_its_nic_guards_nothing(tmp_path: Path) -> None:
    opened = site(tmp_path, host("xdp", "kernel", "kernel"))
    assert {("me1", "me2"), ("me2", "me1")} <= unguarded(opened)
    told = " ".join(problem.detail for problem in gap_problems(opened, split_gaps(opened)[0]))
    assert "never leaves it" in told


def test_inside_a_host_its_own_ip_hooks_guard_what_the_kernel_serves(tmp_path: Path) -> None:
    assert not {("me1", "me2"), ("me2", "me1")} & unguarded(site(tmp_path, host("nftables", "kernel", "kernel")))


def test_inside_a_host_no_table_at_a_nic_is_said_to_cure(tmp_path: Path) -> None:
    opened = site(tmp_path, host("nftables", "onload", "onload"))
    inside = [gap for gap in split_gaps(opened)[0] if gap.source.workload and gap.target.workload]
    (problem,) = gap_problems(opened, [inside[0]])
    assert "on different hosts" in problem.detail


RACK = HOST.format(name="you", n=30, managed="true", platform="xdp") + WORKLOAD.format(name="you", n=30, stack="kernel")
CARD = "model: solarflare-x2-serverlock, filter_table: serverlock,"
WAY = "  - {name: way in, from: [management], to: [management], service: [any], action: allow, reason: the law wants one}\n"


def to_management(found: Site) -> set[tuple[str, str]]:
    return {pair for pair in unguarded(found) if pair[1].startswith("management of ")}


@pytest.mark.parametrize("platform, missed", [("nftables", False), ("xdp", True)])
@pytest.mark.parametrize("card", ["", CARD])
def test_management_that_only_tables_at_nics_could_meet_is_unguarded(
    tmp_path: Path, platform: str, card: str, missed: bool
) -> None:
    text = host(platform, "kernel").replace("model: virtio,", card or "model: virtio,")
    opened = site(tmp_path, text + STRANGER)
    sources = {"management", "management of you"}
    assert to_management(opened) == {(source, "management of me") for source in sources if missed}
    told = [p for p in gap_problems(opened, split_gaps(opened)[0]) if p.summary == "Unguarded management"]
    assert len(told) == missed
    for problem in told:
        assert "platform: nftables" in problem.detail and "me/xdp" in problem.detail and "192.0.2.110" in problem.detail
        assert problem.nature == "red" and str(problem.place).startswith("inventory/desk/site.yaml:")


def test_management_of_a_host_that_nobody_manages_is_not_ours_to_judge(tmp_path: Path) -> None:
    assert not to_management(site(tmp_path, host("xdp", "kernel", managed=False) + STRANGER))


def test_what_the_policy_lets_reach_management_is_not_unguarded(tmp_path: Path) -> None:
    opened = site(tmp_path, host("xdp", "kernel") + RACK, policy=WAY)
    assert not to_management(opened)


def test_unguarded_management_can_be_accepted_for_a_time(tmp_path: Path) -> None:
    line = "  - {what: unguarded, from: management, to: management, reason: out of band, until: 2026-12-24}\n"
    opened = site(tmp_path, host("xdp", "kernel") + STRANGER, policy=f"accept:\n{line}")
    assert not to_management(opened) and len([gap for gap, _ in split_gaps(opened)[1] if gap.target.manages]) == 2

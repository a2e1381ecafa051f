"""`configlet analyse`: what an operator sees of a policy that says things twice or against itself."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli_run import DAY, ROOT, configlet

POLICY = """policy:
  - {name: half a, from: [low], to: [risk], service: [ssh], action: allow, reason: one half}
  - {name: half b, from: [high], to: [risk], service: [ssh, dns], action: deny, reason: the other half}
  - {name: both, from: [wide], to: [risk], service: [ssh], action: allow, reason: never reached}
  - {name: some ports, from: [low], to: [matching], service: [tcp/7000-7010], action: deny, reason: crosses the next}
  - {name: other ports, from: [wide], to: [me1], service: [tcp/7005-7020], action: allow, reason: crosses the one before}
  - {name: a part, from: [low], to: [databases], service: [postgres], action: allow, reason: said again below}
  - {name: the whole, from: [wide], to: [databases], service: [postgres], action: allow, reason: says it all}
  - {name: all ports, from: [low], to: [virtual], service: [tcp], action: allow, reason: too many, expires: 2026-11-28}
"""
SETS = "addresses: {low: [198.51.100.0/25], high: [198.51.100.128/25], wide: [198.51.100.0/24], nobody: [10.9.0.0/16]}\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    site = tmp_path / "inventory" / "dc1"
    shutil.copytree(ROOT / "inventory" / "dc1", site)
    (site / "policy.yaml").write_text(POLICY)
    (site / "tests.yaml").write_text("tests: []\n")
    (site / "addresses.yaml").write_text(SETS)
    return tmp_path


def findings(root: Path, *more: str) -> tuple[int, dict[tuple[str, str], dict[str, object]]]:
    ended = configlet("analyse", "dc1", "--at", DAY, "--json", *more, cwd=root)
    said = json.loads(ended.stdout)
    assert said["version"] == 1 and said["command"] == "analyse" and said["status"] == ended.returncode
    return ended.returncode, {(f["kind"], f.get("rule") or f["name"]): f for f in said["findings"]}


def add(root: Path, file: str, rule: str) -> None:
    """A rule more at the end of a file."""
    with (root / "inventory" / "dc1" / file).open("a") as out:
        out.write(f"  - {{{rule}, reason: r}}\n")


def named(finding: dict[str, object]) -> list[str]:
    return [other["name"] for other in finding["others"]]  # type: ignore[attr-defined]


def test_a_permit_that_two_rules_together_shadow_is_found_with_both_and_their_places(root: Path) -> None:
    status, found = findings(root)
    assert status == 0
    both = found["fully-shadowed", "both"]
    assert named(both) == ["half a", "half b"]
    assert [other["place"] for other in both["others"]] == [  # type: ignore[attr-defined]
        "inventory/dc1/policy.yaml:2:5",
        "inventory/dc1/policy.yaml:3:5",
    ]
    assert both["place"] == "inventory/dc1/policy.yaml:4:5"
    packet = both["packets"][0]  # type: ignore[index]
    assert packet["decided_by"]["name"] == "half b", "where one decides the other way, it is shown"
    assert "198.51.100." in packet["packet"] and "does not happen" in str(both["says"])


def test_a_rule_that_speaks_of_infrastructure_only_is_told_what_denies_it(root: Path) -> None:
    policy = root / "inventory" / "dc1" / "policy.yaml"
    policy.write_text(
        policy.read_text() + "  - {name: to the gateway, from: [low], to: [gate], service: [ssh], action: allow, reason: no}\n"
    )
    (root / "inventory" / "dc1" / "addresses.yaml").write_text(SETS.replace("nobody:", "gate: [10.0.0.1/32], nobody:"))
    said = findings(root)[1]["fully-shadowed", "to the gateway"]
    assert named(said) == ["infrastructure addresses"] and "some are denied there" in str(said["says"])
    assert said["others"][0]["place"] is None  # type: ignore[index]


def test_each_kind_is_found_and_nothing_else_of_these_rules(root: Path) -> None:
    _, found = findings(root)
    assert {key for key in found if key[0] != "unused-name"} == {
        ("fully-shadowed", "both"),
        ("contradicting", "other ports"),
        ("redundant", "a part"),
        ("too-wide", "all ports"),
        ("expiring", "all ports"),
        ("guard", "half b"),
    }
    assert ("unused-name", "nobody") in found and ("unused-name", "quotes") in found
    assert ("unused-name", "postgres") not in found
    assert named(found["redundant", "a part"]) == ["the whole"]
    assert found["redundant", "a part"]["packets"][0]["without_it"]["name"] == "the whole"  # type: ignore[index]
    assert named(found["contradicting", "other ports"]) == ["some ports"]


def test_a_segment_is_used_by_whoever_manages_the_site_and_is_managed_there(root: Path) -> None:
    site = root / "inventory" / "dc1"
    text = (site / "site.yaml").read_text()
    (site / "site.yaml").write_text(text.replace("controller: [192.0.2.10]", "controller: [203.0.113.9]"))
    more = "segments:\n"
    for name, prefix in (("office", "203.0.113.0/28"), ("spare", "203.0.113.64/28")):
        more += f"  {name}: {{realm: mgmt, vlan: {len(name)}, prefixes: [{prefix}], intra: policy}}\n"
    (site / "office.yaml").write_text(more)
    found = findings(root)[1]
    assert ("unused-name", "spare") in found and ("unused-name", "office") not in found


def test_what_outside_leaves_out_is_used_and_a_segment_with_workloads_is_told_with_them(root: Path) -> None:
    found = findings(root)[1]
    said = str(found["unused-name", "clients"]["says"])
    assert "2 workloads" in said and "nothing else speaks of it" not in said
    add(root, "policy.yaml", "name: out, from: [mon1], to: [outside], service: [dns], action: allow")
    found = findings(root)[1]
    assert ("unused-name", "clients") not in found, "it is not outside"


def test_a_written_rule_of_the_network_that_takes_packets_of_a_deny_is_told(root: Path) -> None:
    """The policy's author reads a deny that does not hold; what is derived is told by `why` and `matrix`."""
    add(root, "site.yaml", "name: repairs, from: [low], to: [matching, risk], service: [tcp/7000-7001]")
    found = findings(root)[1]["contradicting", "some ports"]
    assert named(found) == ["repairs"] and found["packets"][0]["decided_by"]["name"] == "repairs"  # type: ignore[index]


def test_a_segment_that_is_open_inside_for_nothing_is_told_so(root: Path) -> None:
    add(root, "policy.yaml", "name: shut, from: [virtual], to: [virtual], service: [any], action: deny")
    said = findings(root)[1]["fully-shadowed", "intra of virtual"]
    assert "`intra: policy`" in str(said["says"]) and "Remove it" not in str(said["says"]) and named(said) == ["shut"]


def test_a_finding_is_as_severe_as_the_site_says(root: Path) -> None:
    site = root / "inventory" / "dc1" / "site.yaml"
    text = site.read_text()
    site.write_text(text.replace("  lab: only\n", "  lab: only\n  severity: {fully-shadowed: error, redundant: ignore}\n"))
    status, found = findings(root)
    assert status == 3 and found["fully-shadowed", "both"]["severity"] == "error"
    assert found["redundant", "a part"]["severity"] == "ignore"
    said = configlet("analyse", "dc1", "--at", DAY, cwd=root).stdout
    assert said.index("ERROR  fully-shadowed") < said.index("WARNING  contradicting")
    assert "redundant" not in said and "analyse: RED (1 error, " in said
    assert "redundant" in configlet("analyse", "dc1", "--at", DAY, "--all", cwd=root).stdout
    checked = configlet("check", "dc1", "--at", DAY, cwd=root)
    assert checked.returncode == 3
    assert "inventory/dc1/policy.yaml:4:5: Rule that never matches" in checked.stderr
    assert "nobody would miss" not in checked.stderr


def test_what_is_found_is_a_warning_of_check_and_said_once(root: Path) -> None:
    said = configlet("check", "dc1", "--at", DAY, cwd=root).stderr
    assert said.count('"both": Every packet') == 1 and said.count("expires soon") == 1
    assert "warning: inventory/dc1/policy.yaml:4:5: Rule that never matches" in said
    assert 'inventory/dc1/policy.yaml:3:5 deny "half b"' in said


def test_dc1_itself_has_nothing_but_guards() -> None:
    ended = configlet("analyse", "dc1", "--at", DAY)
    assert ended.returncode == 0
    assert ended.stdout.splitlines()[-1] == "analyse: ok (0 errors, 0 warnings, 6 ignored)"

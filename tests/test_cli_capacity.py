"""`configlet capacity`: used of how many, what costs most, and what one more rule would cost, exactly."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.cli_run import DAY, ROOT, configlet

RULE = "  - {name: more, from: [clients], to: [ogw1], service: [tcp/7000-7003], action: allow, reason: a test}\n"


def gates(*more: str, cwd: Path = ROOT) -> dict[str, dict]:
    ended = configlet("capacity", "dc1", "--at", DAY, "--json", *more, cwd=cwd)
    assert ended.returncode == 0, ended.stderr
    said = json.loads(ended.stdout)
    return {name: gate for gate in said["gates"] for name in (gate["gate"], *gate["like"])}


def test_every_gate_of_the_site_is_there_with_what_it_uses() -> None:
    found = gates()
    assert {"leaf1/Vlan120/in/v4", "me1/nftables", "border1/Ethernet1/out/v6"} <= set(found)
    for gate in found.values():
        for unit in gate["units"].values():
            assert 0 <= unit["used"] <= unit["of"]
        assert gate["dearest"]
        assert gate["full"] is False


def test_what_one_more_rule_would_cost_is_what_it_costs_when_it_is_written(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "inventory" / "dc1", tmp_path / "inventory" / "dc1")
    asked = gates("--from", "clients", "--to", "ogw1", "--service", "tcp/7000-7003", cwd=tmp_path)
    policy = tmp_path / "inventory" / "dc1" / "policy.yaml"
    policy.write_text(policy.read_text().rstrip("\n") + "\n" + RULE)
    written = gates(cwd=tmp_path)
    assert set(asked) == set(written)
    touched = 0
    for name, gate in asked.items():
        for unit, said in gate["units"].items():
            assert said["used"] + gate["more"][unit] == written[name]["units"][unit]["used"], (name, unit)
        touched += any(gate["more"].values())
    assert touched >= 4


def test_people_see_the_fullest_gate_first_and_what_costs_most_there() -> None:
    ended = configlet("capacity", "dc1", "--at", DAY)
    assert ended.returncode == 0
    lines = ended.stdout.splitlines()
    shares = [float(line.split("%")[0].split()[-1]) for line in lines if "%" in line]
    assert shares == sorted(shares, reverse=True)
    assert any("costs most:" in line and "policy.yaml:" in line for line in lines)
    assert lines[-1].startswith("capacity: ok")


def test_a_rule_needs_two_ends_that_the_site_has() -> None:
    assert configlet("capacity", "dc1", "--at", DAY, "--from", "clients").returncode == 64
    assert configlet("capacity", "dc1", "--at", DAY, "--from", "clints", "--to", "ogw1").returncode == 65


def test_a_rule_that_is_not_asked_about_whole_or_that_no_packet_matches_is_refused() -> None:
    ended = configlet("capacity", "dc1", "--at", DAY, "--service", "ssh")
    assert ended.returncode == 64 and "--from and --to" in ended.stderr
    for words in (("management", "ogw1"), ("client1", "me2", "--service", "icmpv6")):
        ended = configlet("capacity", "dc1", "--at", DAY, "--from", words[0], "--to", *words[1:])
        assert ended.returncode == 65 and "Rule that no packet can match" in ended.stderr and ended.stdout == ""

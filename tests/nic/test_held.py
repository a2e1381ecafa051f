"""What a simulated NIC's namespace holds: any number of rules, in an ordinary user's namespace, and never half of two tables."""

from __future__ import annotations

import json
import subprocess

import pytest

from configlet.lab.nic.held import AT_ONCE, Chain, steps
from configlet.lab.nic_tables import HOOK, received
from tests.lab.push_bench import needs_namespaces

RULE = "meta protocol ip meta l4proto 17 ip saddr 10.44.{}.{} ip daddr 10.44.0.7 th sport 40000 th dport 7009 counter accept"


def many(count: int, last: str = "counter drop") -> tuple[Chain, ...]:
    return received([[*(RULE.format(n // 256, n % 256) for n in range(count)), last]])


def shown(text: str) -> str:
    """What `nft list tables bridge` would print after these transactions."""
    names: list[str] = []
    for line in text.splitlines():
        match line.split():
            case ["add", "table", "bridge", name] if name not in names:
                names.append(name)
            case ["delete", "table", "bridge", name]:
                names.remove(name)
    return "".join(f"table bridge {name}\n" for name in names)


@pytest.mark.parametrize("count", [0, 1, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 5 * AT_ONCE])
def test_no_step_is_large_only_the_last_is_met_by_packets_and_all_rules_are_in_order(count: int) -> None:
    there = "table bridge nic_simulated_1\ntable bridge nic_simulated_7\ntable bridge foreign\n"
    made = list(steps(many(count), there))
    assert all(len(step.splitlines()) <= AT_ONCE + 10 for step in made)
    assert not any(" hook " in step or "delete" in step for step in made[:-1])
    assert f"{{ {HOOK.format(0)} }}" in made[-1]
    lines = "".join(made).splitlines()
    assert [x.partition(" held0 ")[2] for x in lines if x.startswith("add rule") and " held0 " in x] == [*many(count)[0].rules]
    before = "".join(line.replace("table", "add table", 1) + "\n" for line in there.splitlines())
    assert shown(before + "".join(made)) == "table bridge foreign\ntable bridge nic_simulated_2\n"
    assert list(steps((), there)) == ["delete table bridge nic_simulated_1\ndelete table bridge nic_simulated_7\n"]
    assert not list(steps((), ""))


@needs_namespaces
def test_a_kernel_takes_thousands_of_rules_of_an_ordinary_user_and_then_a_few() -> None:
    script = []
    there = ""
    for count in (2000, 3):
        for step in steps(many(count), there):
            script.append(step)
            there = shown("".join(f"add {line}\n" for line in there.splitlines()) + step)
    work = (
        "import json, subprocess, sys\n"
        "for step in json.load(sys.stdin): subprocess.run(['nft', '-f', '-'], input=step, text=True, check=True)\n"
        "print(subprocess.run(['nft', '-j', 'list', 'ruleset'], capture_output=True, text=True, check=True).stdout)\n"
    )
    ended = subprocess.run(
        ["unshare", "-Urn", "python3", "-c", work], input=json.dumps(script), capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr[-500:]
    held = json.loads(ended.stdout)["nftables"]
    assert len([one for one in held if "table" in one]) == 1
    assert len([one for one in held if "rule" in one]) == 3 + 2

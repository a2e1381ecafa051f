"""Sites with many rules for the analysis: ``python -m tests.laws.analysis_size KIND RULES DIR`` writes one to DIR.

KIND: ``sets`` (rules between 400 address sets, some broad, 8 % denies, every fiftieth a copy or a part of another),
``entries`` (one source, one destination, one port each), ``groups`` (100 sources x 10 services x 100 destinations in
each rule), ``hostile`` (random intervals in every field, half of them denies).
"""

from __future__ import annotations

import random
import shutil
import sys
from collections.abc import Iterator
from ipaddress import IPv4Address, ip_network, summarize_address_range
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PORTS = (22, 53, 80, 123, 443, 514, 3306, 5432, 6379, 8080, 8443, 9001, 9100, 9200)


def write(kind: str, rules: int, folder: Path) -> None:
    """dc1 with another policy, other address sets and other services."""
    site = folder / "inventory" / "dc1"
    shutil.copytree(ROOT / "inventory" / "dc1", site)
    (site / "tests.yaml").write_text("tests: []\n")
    dice = random.Random(5)
    sets, lines = KINDS[kind](dice, rules)
    text = [f"  s{number}: [{', '.join(prefixes)}]" for number, prefixes in enumerate(sets)]
    (site / "more.yaml").write_text("\n".join(["addresses:", "  partners: [198.51.100.64/27]", *text]) + "\n")
    (site / "addresses.yaml").unlink()
    (site / "policy.yaml").write_text("\n".join(["policy:", *lines]) + "\n")


def line(number: int, source: str, target: str, service: str, action: str) -> str:
    """One rule."""
    return (
        f"  - {{name: rule {number}, from: [{source}], to: [{target}], service: [{service}], action: {action}, "
        "reason: a rule among many}"
    )


Drawn = tuple[list[list[str]], Iterator[str]]


def sets_of(dice: random.Random, rules: int) -> Drawn:
    """Rules between sets."""
    bases = [f"10.{dice.randrange(64, 255)}.{dice.randrange(256)}.0/{dice.choice([24, 26, 28])}" for _ in range(380)]
    nets = [ip_network(base, strict=False) for base in bases] + [ip_network(f"10.{64 + 8 * i}.0.0/13") for i in range(20)]
    sets = [[str(net)] for net in nets]

    def lines() -> Iterator[str]:
        made: list[tuple[str, str, str]] = []
        for number in range(rules):
            if made and number % 50 == 0:
                source, target, service = dice.choice(made)
            else:
                ends = [dice.randrange(380) if dice.random() < 0.97 else dice.randrange(380, 400) for _ in range(2)]
                source, target = (f"s{end}" for end in ends)
                service = ", ".join(f"tcp/{port}" for port in sorted(dice.sample(PORTS, dice.choice([1, 1, 2]))))
            made.append((source, target, service))
            yield line(number, source, target, service, "deny" if dice.random() < 0.08 else "allow")

    return sets, lines()


def entries_of(dice: random.Random, rules: int) -> Drawn:
    """One source, one destination, one port each."""
    count = rules // 4
    sets = [[f"10.{dice.randrange(64, 255)}.{dice.randrange(256)}.{dice.randrange(256)}/32"] for _ in range(count)]

    def lines() -> Iterator[str]:
        for number in range(rules):
            source, target = dice.randrange(count), dice.randrange(count)
            yield line(number, f"s{source}", f"s{target}", f"tcp/{dice.randrange(1, 65536)}", "allow")

    return sets, lines()


def groups_of(dice: random.Random, rules: int) -> Drawn:
    """Each rule a hundred times ten times a hundred."""
    nets = [f"10.{64 + i // 256}.{i % 256}.0/25" for i in range(6000)]
    sets = [dice.sample(nets, 100) for _ in range(60)]

    def lines() -> Iterator[str]:
        for number in range(rules):
            service = ", ".join(f"tcp/{port}" for port in sorted(dice.sample(range(1, 2000), 10)))
            yield line(number, f"s{dice.randrange(60)}", f"s{dice.randrange(60)}", service, dice.choice(["allow"] * 9 + ["deny"]))

    return sets, lines()


def hostile_of(dice: random.Random, rules: int) -> Drawn:
    """Random intervals in every field."""
    low, high = int(IPv4Address("10.64.0.0")), int(IPv4Address("10.255.255.255"))

    def interval() -> list[str]:
        a, b = sorted((dice.randint(low, high) >> 8 << 8, dice.randint(low, high) >> 8 << 8))
        return [str(net) for net in summarize_address_range(IPv4Address(a), IPv4Address(b | 255))]

    sets = [interval() for _ in range(rules)]

    def lines() -> Iterator[str]:
        for number in range(rules):
            a, b = sorted((dice.randrange(1, 65536), dice.randrange(1, 65536)))
            service = f"{dice.choice(['tcp', 'udp'])}/{a}-{b}"
            ends = dice.randrange(rules), dice.randrange(rules)
            yield line(number, f"s{ends[0]}", f"s{ends[1]}", service, dice.choice(["allow", "deny"]))

    return sets, lines()


KINDS = {"sets": sets_of, "entries": entries_of, "groups": groups_of, "hostile": hostile_of}

if __name__ == "__main__":
    write(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))

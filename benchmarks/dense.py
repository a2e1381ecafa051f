"""A site whose rules overlap much: each names one to three of 200 segments and 400 address sets, and services that cross.

    python benchmarks/dense.py DIR --rules 5000
    configlet analyse dense --workspace DIR
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network
from pathlib import Path

SEGMENTS, SETS, SERVICES = 200, 400, 100
SITE = """site: {name: dense, lab: only, controller: [10.240.0.10]}
failsafe:
  - {name: repair, from: [controller], to: [management], service: [ssh], reason: the way in}
"""


def write(folder: Path, rules: int, seed: int = 1) -> Path:
    """The site's folder under ``folder/inventory``; nothing of an older one may be there."""
    dice = random.Random(seed)
    segments, sets = [f"s{n:03}" for n in range(SEGMENTS)], [f"a{n:03}" for n in range(SETS)]
    services = [f"v{n:02}" for n in range(SERVICES)]
    files = {
        "site.yaml": [SITE],
        "segments.yaml": ["segments:\n", *_segments(segments)],
        "addresses.yaml": ["addresses:\n", *(f"  {name}: [{', '.join(_prefixes(dice))}]\n" for name in sets)],
        "services.yaml": ["services:\n  ssh: [tcp/22]\n", *(f"  {n}: [{', '.join(_ports(dice))}]\n" for n in services)],
        "policy.yaml": ["policy:\n", *_rules(dice, rules, [*segments, *sets], services)],
    }
    site = folder / "inventory" / "dense"
    site.mkdir(parents=True)
    for name, parts in files.items():
        (site / name).write_text("".join(parts), encoding="utf-8")
    return site


def _segments(names: Sequence[str]) -> Iterator[str]:
    rest = "intra: policy, fragments: drop, encap: none}\n"
    for n, name in enumerate(names):
        yield f"  {name}: {{realm: prod, vlan: {100 + n}, prefixes: [10.{n}.0.0/16], {rest}"
    yield f"  management: {{realm: mgmt, prefixes: [10.240.0.0/16], {rest}"


def _prefixes(dice: random.Random) -> list[str]:
    nets = (((10 << 24) + dice.randrange(SEGMENTS << 16), dice.choice([16, 20, 24, 28, 32])) for _ in range(dice.randint(1, 5)))
    return sorted({str(IPv4Network(net, strict=False)) for net in nets})


def _ports(dice: random.Random) -> list[str]:
    def one() -> str:
        low, proto = dice.randrange(1, 60000), dice.choice(["tcp", "udp"])
        return f"{proto}/{low}" if dice.random() < 0.7 else f"{proto}/{low}-{low + dice.randrange(1, 3000)}"

    return sorted({one() for _ in range(dice.randint(1, 3))})


def _rules(dice: random.Random, count: int, names: Sequence[str], services: Sequence[str]) -> Iterator[str]:
    for n in range(count):
        source, target = (", ".join(dice.sample(names, dice.randint(1, 3))) for _ in range(2))
        service = ", ".join(dice.sample(services, dice.randint(1, 3))) if dice.random() < 0.9 else "any"
        action = "deny" if dice.random() < 0.1 else "allow"
        yield (
            f"  - {{name: r{n}, from: [{source}], to: [{target}], service: [{service}], action: {action}, reason: dice, "
            "owner: dice}\n"
        )


def main() -> None:
    """Write one site."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    asked.add_argument("folder", type=Path, help="the workspace: DIR/inventory/dense is written")
    asked.add_argument("--rules", type=int, default=5000)
    asked.add_argument("--seed", type=int, default=1)
    given = asked.parse_args()
    print(write(given.folder, given.rules, given.seed))


if __name__ == "__main__":
    main()

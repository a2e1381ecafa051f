"""Policies of one shape each, as operators have them, to try the analysis with: what makes their rules overlap differs.

    python benchmarks/shapes.py DIR SHAPE --rules 20000
    configlet analyse SHAPE --workspace DIR

``SHAPES`` has their names. Addresses are private or documentation ones; the same for the same numbers and seed.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import NamedTuple

Line = tuple[str, str, str, str]
"""Whence, where to, which service, and allow or deny."""
PORTS = (22, 25, 53, 80, 123, 161, 389, 443, 514, 636, 1433, 1521, 3306, 5432, 5672, 6379, 8080, 8443, 9001, 9100, 9200)
SITE = """site: {{name: {name}, lab: only, controller: [192.168.0.10]}}
failsafe:
  - {{name: repair, from: [controller], to: [management], service: [ssh], reason: the way in}}
"""


class Drawn(NamedTuple):
    """Prefixes of segments ``s0``, ``s1`` ..., of address sets ``a0`` ..., and the rules."""

    segments: Sequence[Sequence[str]]
    sets: Sequence[Sequence[str]]
    rules: Iterator[Line]


def segments(dice: random.Random, count: int) -> Drawn:
    """400 flat segments, one to three known services."""
    ends = _names("s", 400)
    return Drawn(_flat(400), (), _between(dice, count, ends, lambda: _known(dice, 3)))


def dual(dice: random.Random, count: int) -> Drawn:
    """400 flat segments of both families, any port."""
    return Drawn(_flat(400, six=True), (), _between(dice, count, _names("s", 400), lambda: _port(dice)))


def hosts(dice: random.Random, count: int) -> Drawn:
    """4,000 single addresses in 200 segments, known services; every twentieth end is a whole segment."""
    sets, ends = [[_four(dice.randrange(200 << 8), 32)] for _ in range(4000)], _names("a", 4000)
    return Drawn(_flat(200), sets, _between(dice, count, [*ends, *_names("s", 200)], lambda: _known(dice)))


def nested(dice: random.Random, count: int) -> Drawn:
    """1,500 prefixes of all lengths from /8 to /32, any port."""
    sets = [[_four(dice.randrange(1 << 24), dice.randint(8, 32))] for _ in range(1500)]
    return Drawn((), sets, _between(dice, count, _names("a", 1500), lambda: _port(dice)))


def nested6(dice: random.Random, count: int) -> Drawn:
    """The same of IPv6, from /32 to /128."""
    sets = [[_six(dice.randrange(1 << 96), dice.randint(32, 128))] for _ in range(1500)]
    return Drawn((), sets, _between(dice, count, _names("a", 1500), lambda: _port(dice)))


def tree(dice: random.Random, count: int) -> Drawn:
    """A plan of addresses of 4 areas of 8 places of 12 racks of 4 hosts: an end at any level, known services."""
    levels: list[list[int]] = [[area << 20 for area in range(4)]]
    for width, step in ((8, 16), (12, 8), (4, 0)):
        levels.append([base | 1 + n << step for base in levels[-1] for n in range(width)])
    nets = [(base, length) for level, length in zip(levels, (12, 16, 24, 32), strict=True) for base in level]
    names = [_names("a", len(nets))[sum(map(len, levels[:k])) : sum(map(len, levels[: k + 1]))] for k in range(4)]
    ends = [name for k, part in enumerate((2, 8, 45, 45)) for name in dice.choices(names[k], k=part * 40)]
    return Drawn((), [[_four(*net)] for net in nets], _between(dice, count, ends, lambda: _known(dice, 2)))


def any1(dice: random.Random, count: int) -> Drawn:
    """As ``segments``; a hundredth of the rules has ``any`` at one end."""
    return _some_any(dice, count, 0.01)


def any10(dice: random.Random, count: int) -> Drawn:
    """As ``segments``; a tenth of the rules has ``any`` at one end."""
    return _some_any(dice, count, 0.1)


def anyhosts(dice: random.Random, count: int) -> Drawn:
    """As ``hosts``; a twentieth of the rules has ``any`` at one end and one port."""
    drawn = hosts(dice, count)
    return drawn._replace(rules=_opened(dice, 0.05, drawn.rules))


def ranges(dice: random.Random, count: int) -> Drawn:
    """400 flat segments, ranges of ports."""
    return Drawn(_flat(400), (), _between(dice, count, _names("s", 400), lambda: _range(dice)))


def groups(dice: random.Random, count: int) -> Drawn:
    """1,000 segments in 300 named groups of 2 to 40; three of four ends are a group."""
    nets = _flat(1000)
    sets = [[net[0] for net in dice.sample(nets, dice.choice((2, 3, 5, 10, 20, 40)))] for _ in range(300)]
    ends = [*_names("a", 300) * 10, *_names("s", 1000)]
    return Drawn(nets, sets, _between(dice, count, ends, lambda: _port(dice)))


def denies(dice: random.Random, count: int) -> Drawn:
    """A tenth in front are denies: known services of ``any`` to a segment, and pairs of segments; then allows."""

    def rules() -> Iterator[Line]:
        ends = _names("s", 400)
        for n in range(count // 10):
            source = "any" if n % 5 == 0 else dice.choice(ends)
            yield source, dice.choice(ends), f"tcp/{dice.choice((23, 69, 135, 139, 445, 3389))}" if n % 5 == 0 else "any", "deny"
        yield from _between(dice, count - count // 10, ends, lambda: _port(dice), 0)

    return Drawn(_flat(400), (), rules())


def twice(dice: random.Random, count: int) -> Drawn:
    """As ``hosts``; of ten rules three say again what an earlier one says, or a part of it."""

    def rules() -> Iterator[Line]:
        drawn = list(hosts(dice, count - 3 * count // 10).rules)
        for n, line in enumerate(drawn):
            yield line
            if n * 3 // 7 != (n + 1) * 3 // 7:
                yield dice.choice(drawn[: n + 1])

    base = hosts(dice, 0)
    return Drawn(base.segments, base.sets, rules())


def zones(dice: random.Random, count: int) -> Drawn:
    """30 zones of 20 networks; an end is a zone, a network or a host of one; ranges and known services."""
    sets = [[_four(zone << 16 | n << 8, 24) for n in range(20)] for zone in range(30)]
    sets += [[_four(zone << 16 | n << 8, 24)] for zone in range(30) for n in range(20)]
    sets += [[_four(dice.randrange(30) << 16 | dice.randrange(20) << 8 | dice.randrange(256), 32)] for _ in range(2000)]
    names = _names("a", len(sets))
    ends = [*dice.choices(names[:30], k=100), *dice.choices(names[30:630], k=900), *dice.choices(names[630:], k=2000)]
    return Drawn((), sets, _between(dice, count, ends, lambda: _range(dice) if dice.random() < 0.2 else _known(dice)))


SHAPES: dict[str, Callable[[random.Random, int], Drawn]] = {
    shape.__name__: shape
    for shape in (
        segments, dual, hosts, nested, nested6, tree, any1, any10, anyhosts, ranges, groups, denies, twice, zones,
    )
}  # fmt: skip


def write(folder: Path, shape: str, rules: int, seed: int = 1) -> Path:
    """The site's folder under ``folder/inventory``; nothing of an older one may be there."""
    drawn = SHAPES[shape](random.Random(seed), rules)
    rest = "intra: policy, fragments: drop, encap: none}\n"
    files = {
        "site.yaml": [SITE.format(name=shape)],
        "segments.yaml": [
            "segments:\n",
            *(
                f"  s{n}: {{realm: prod, vlan: {100 + n}, prefixes: [{', '.join(nets)}], {rest}"
                for n, nets in enumerate(drawn.segments)
            ),
            f"  management: {{realm: mgmt, prefixes: [192.168.0.0/16], {rest}",
            f"  rest: {{realm: prod, vlan: 99, prefixes: [172.16.0.0/24], {rest}",
        ],
        "services.yaml": ["services:\n  ssh: [tcp/22]\n"],
        "policy.yaml": [
            "policy:\n",
            *(
                f"  - {{name: r{n}, from: [{source}], to: [{target}], service: [{service}], action: {action}, reason: dice}}\n"
                for n, (source, target, service, action) in enumerate(drawn.rules)
            ),
        ],
    }
    if drawn.sets:
        lines = (f"  a{n}: [{', '.join(sorted(set(nets)))}]\n" for n, nets in enumerate(drawn.sets))
        files["addresses.yaml"] = ["addresses:\n", *lines]
    site = folder / "inventory" / shape
    site.mkdir(parents=True)
    for name, parts in files.items():
        (site / name).write_text("".join(parts), encoding="utf-8")
    return site


def _names(kind: str, count: int) -> list[str]:
    return [f"{kind}{n}" for n in range(count)]


def _four(base: int, length: int) -> str:
    return str(IPv4Network(((10 << 24) + base, length), strict=False))


def _six(base: int, length: int) -> str:
    return f'"{IPv6Network(((0x20010DB8 << 96) + base, length), strict=False)}"'


def _flat(count: int, *, six: bool = False) -> list[list[str]]:
    return [[_four(n << 8, 24), *([_six(n << 64, 64)] if six else ())] for n in range(count)]


def _between(
    dice: random.Random, count: int, ends: Sequence[str], service: Callable[[], str], denied: float = 0.05
) -> Iterator[Line]:
    for _ in range(count):
        yield dice.choice(ends), dice.choice(ends), service(), "deny" if dice.random() < denied else "allow"


def _some_any(dice: random.Random, count: int, part: float) -> Drawn:
    drawn = segments(dice, count)
    return drawn._replace(rules=_opened(dice, part, drawn.rules))


def _opened(dice: random.Random, part: float, rules: Iterator[Line]) -> Iterator[Line]:
    for source, target, service, action in rules:
        if dice.random() >= part:
            yield source, target, service, action
        else:
            yield *(("any", target) if dice.random() < 0.5 else (source, "any")), service, action


def _known(dice: random.Random, most: int = 1) -> str:
    return ", ".join(f"tcp/{port}" for port in sorted(dice.sample(PORTS, dice.randint(1, most))))


def _port(dice: random.Random) -> str:
    return f"{dice.choice(('tcp', 'tcp', 'tcp', 'udp'))}/{dice.randrange(1, 65536)}"


def _range(dice: random.Random) -> str:
    low = dice.randrange(1, 60000)
    return f"{dice.choice(('tcp', 'udp'))}/{low}-{low + dice.choice((1, 10, 100, 1000, 5000))}"


def main() -> None:
    """Write one site."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    asked.add_argument("folder", type=Path, help="the workspace: DIR/inventory/SHAPE is written")
    asked.add_argument("shape", choices=SHAPES)
    asked.add_argument("--rules", type=int, default=20_000)
    asked.add_argument("--seed", type=int, default=1)
    given = asked.parse_args()
    print(write(given.folder, given.shape, given.rules, given.seed))


if __name__ == "__main__":
    main()

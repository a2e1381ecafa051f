"""Sites of any size: a whole site folder, valid, the same for the same numbers and seed.

    python benchmarks/sites.py DIR --switches 400 --hosts 10000 --rules 50000

Two leaves are a pair and route two segments; four segments are the tiers of one application; partners enter at the
borders. Files are split as people split them: hosts by rack, policy by application. Addresses are private or
documentation ones. What the rules are made of is said at ``MIX``.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

TIERS = ("web", "app", "cache", "db")
MIX = {"between": 42, "inside": 25, "shared": 12, "other": 8, "partner": 4, "host": 2, "deny": 7}
"""Of a hundred rules: between the tiers of one application, inside one tier, towards shared services, towards another
application, from a partner, from one host of the operators or between two hosts, and denies between applications."""
SHARED_APPS = 10
SPEEDY = ("onload", "af_xdp", "dpdk")


@dataclass(frozen=True, slots=True)
class Size:
    """What is asked for. ``six`` of a hundred applications have IPv6 too."""

    switches: int = 400
    hosts: int = 10_000
    rules: int = 50_000
    six: int = 25
    seed: int = 1
    name: str = "big"


@dataclass(frozen=True, slots=True)
class Tier:
    """One segment: the tier of an application, on a pair of leaves."""

    number: int
    app: int
    tier: str
    pair: int
    six: bool
    speedy: bool
    hosts: tuple[str, ...]

    @property
    def name(self) -> str:
        """The segment's name."""
        return f"app{self.app:03}-{self.tier}"

    @property
    def vlan(self) -> int:
        """Unique on its pair."""
        return 100 + self.number % 2


def plan(size: Size) -> tuple[Tier, ...]:
    """The segments with their hosts."""
    pairs = (size.switches - borders(size)) // 2
    if pairs < 1:
        raise SystemExit("at least 3 switches: a border and a pair of leaves")
    dice = random.Random(size.seed)
    count = pairs * 2
    apps = (count + 3) // 4
    six = {app for app in range(apps) if dice.randrange(100) < size.six or app == 0}
    speedy = {app for app in range(apps) if app % 10 == 3}
    names = iter(range(1, size.hosts + 1))
    out = []
    for number in range(count):
        share = size.hosts * (number + 1) // count - size.hosts * number // count
        if share > 240:
            raise SystemExit("at most 240 hosts for each segment: ask for more switches")
        app, tier = divmod(number, 4)
        hosts = tuple(f"h{next(names):05}" for _ in range(share))
        out.append(Tier(number, app, TIERS[tier], number // 2, app in six, app in speedy and tier == 2, hosts))
    return tuple(out)


def borders(size: Size) -> int:
    """How many of the switches are borders: one in a hundred, at least one, so that the leaves are even."""
    least = max(1, size.switches // 100)
    return least + (size.switches - least) % 2


def v4(tier: Tier, host: int) -> str:
    """An address of a segment."""
    return str(IPv4Address(int(IPv4Address("10.16.0.0")) + tier.number * 256 + host))


def v6(tier: Tier, host: int) -> str:
    """The same for IPv6."""
    return str(IPv6Address(int(IPv6Address("2001:db8:1::")) + (tier.number << 64) + host))


def management(index: int) -> str:
    """The management address of the nth device or host."""
    return str(IPv4Address(int(IPv4Address("10.240.0.0")) + 256 + index))


def site_files(size: Size) -> Iterator[tuple[str, str]]:
    """Every file's path inside the site's folder, and its text."""
    tiers = plan(size)
    yield "site.yaml", _site(size)
    yield "devices.yaml", "".join(_devices(size))
    yield "links.yaml", "".join(_links(size))
    yield "segments.yaml", "".join(_segments(tiers))
    yield "services.yaml", "".join(_services())
    index = size.switches
    for pair in range(tiers[-1].pair + 1):
        lines = ["hosts:\n"]
        for tier in tiers[2 * pair : 2 * pair + 2]:
            for at, host in enumerate(tier.hosts):
                index += 1
                lines += _host(tier, at, host, index)
        yield f"hosts/rack-{pair + 1:03}.yaml", "".join(lines) if len(lines) > 1 else "hosts: {}\n"
    yield from _policies(size, tiers)
    yield "tests.yaml", "".join(_tests(tiers))
    accepted = list(_accepted(tiers))
    yield "accept.yaml", "accept:\n" + "".join(accepted) if accepted else "accept: []\n"


def write(folder: Path, size: Size) -> Path:
    """The site's folder under ``folder/inventory``; nothing of an older one may be there."""
    site = folder / "inventory" / size.name
    site.mkdir(parents=True)
    for name, text in site_files(size):
        path = site / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return site


def _partners(size: Size) -> list[str]:
    return [f"partner{n + 1:02}" for n in range(min(28, 4 * borders(size), 1 + size.rules // 100))]


def _site(size: Size) -> str:
    externals = []
    for n, name in enumerate(_partners(size)):
        base = int(IPv4Address("198.51.100.0" if n < 14 else "203.0.113.0")) + 16 * (n % 14)
        externals.append(
            f"  {name}:\n    prefixes: [{IPv4Address(base)}/28]\n    realm: prod\n"
            f"    enters: [border{n % borders(size) + 1}/Ethernet{n // borders(size) + 1}]\n"
            f"    addresses: [{IPv4Address(base + 1)}/28]\n"
        )
    return (
        f"site:\n  name: {size.name}\n  lab: only\n  controller: [10.240.0.10]\n  icmp_errors_from: [core-links]\n\n"
        f"externals:\n{''.join(externals)}\n"
        "failsafe:\n  - name: controller reaches management\n    from: [controller]\n    to: [management]\n"
        "    service: [ssh, eapi]\n    reason: the way by which everything else is repaired\n"
    )


def _switches(size: Size) -> list[str]:
    leaves = size.switches - borders(size)
    return [*(f"leaf{n + 1}" for n in range(leaves)), *(f"border{n + 1}" for n in range(borders(size)))]


def _devices(size: Size) -> Iterator[str]:
    yield "devices:\n"
    for index, name in enumerate(_switches(size)):
        leaf = name.startswith("leaf")
        pair = f"    pair: leaf{(index ^ 1) + 1}\n" if leaf else ""
        loop = IPv4Address(int(IPv4Address("10.255.0.0")) + index + 1)
        yield (
            f"  {name}:\n    platform: eos\n    model: {'7280R' if leaf else '7500R'}\n"
            f"    role: {'leaf' if leaf else 'border'}\n{pair}    addresses: [{loop}]\n"
            f"    management: {{address: {management(index)}, credentials: env/{size.name.upper()}}}\n"
        )


def _links(size: Size) -> Iterator[str]:
    yield "links:\n"
    leaves = [name for name in _switches(size) if name.startswith("leaf")]
    for index, leaf in enumerate(leaves):
        a4, a6 = int(IPv4Address("10.254.0.0")) + 2 * index, int(IPv6Address("2001:db8:0:fe::")) + 2 * index
        far = f"border{index % borders(size) + 1}/Ethernet{100 + index // borders(size)}"
        yield (
            f"  {leaf}/Ethernet97:\n    to: {far}\n    name: core-links\n    realm: prod\n"
            f'    addresses: [{IPv4Address(a4)}/31, {IPv4Address(a4 + 1)}/31, "{IPv6Address(a6)}/127", '
            f'"{IPv6Address(a6 + 1)}/127"]\n'
        )
    for index in range(0, len(leaves), 2):
        yield f"  {leaves[index]}/Ethernet98: {{to: {leaves[index + 1]}/Ethernet98}}\n"


def _segments(tiers: tuple[Tier, ...]) -> Iterator[str]:
    yield "segments:\n"
    for tier in tiers:
        six = f', "{v6(tier, 0)}/64"' if tier.six else ""
        a, b = 2 * tier.pair + 1, 2 * tier.pair + 2
        yield (
            f"  {tier.name}:\n    realm: prod\n    vlan: {tier.vlan}\n    prefixes: [{v4(tier, 0)}/24{six}]\n"
            f"    intra: {'open' if tier.speedy else 'policy'}\n    fragments: drop\n    encap: none\n"
            f"    gateways: {{on: [leaf{a}, leaf{b}], mode: anycast, irb: symmetric, filter: [in, out]}}\n"
            f"    labels: {{app: app{tier.app:03}, tier: {tier.tier}}}\n"
        )
    yield (
        "  management:\n    realm: mgmt\n    prefixes: [10.240.0.0/16]\n    intra: policy\n    fragments: drop\n"
        "    encap: none\n"
    )


def _services() -> Iterator[str]:
    yield "services:\n  ssh: [tcp/22]\n  eapi: [tcp/443]\n"


def _stack(tier: Tier, at: int) -> str:
    if tier.speedy and at % 2:
        return SPEEDY[at // 2 % len(SPEEDY)]
    if tier.tier == "db" and tier.app % 10 == 5 and at == 0:
        return "rdma"
    return "container" if tier.tier == "app" else "kernel"


def _host(tier: Tier, at: int, host: str, index: int) -> Iterator[str]:
    a, b = 2 * tier.pair + 1, 2 * tier.pair + 2
    port = 1 + at // 2 + (0 if tier.number % 2 == 0 else 200)
    yield f"  {host}:\n    management: {{address: {management(index)}, credentials: env/HOSTS}}\n    nics:\n"
    if tier.tier == "db":
        port = 1 + at + (0 if tier.number % 2 == 0 else 300)
        yield f"      ens1: {{model: intel-e810, attached: [leaf{a}/Ethernet{port}]}}\n"
        yield f"      ens2: {{model: intel-e810, attached: [leaf{b}/Ethernet{port}]}}\n    interfaces:\n"
        yield f"      bond0: {{members: [ens1, ens2], mode: lacp, vlan: {tier.vlan}}}\n"
    else:
        yield f"      ens1: {{model: intel-e810, attached: [leaf{a if at % 2 == 0 else b}/Ethernet{port}]}}\n"
    six = f', "{v6(tier, 10 + at)}"' if tier.six else ""
    yield (
        f"    workloads:\n      {host}:\n        addresses: [{v4(tier, 10 + at)}{six}]\n"
        f"        on: [{'bond0' if tier.tier == 'db' else 'ens1'}]\n        segment: {tier.name}\n"
        f"        stack: {_stack(tier, at)}\n"
    )


def _accepted(tiers: tuple[Tier, ...]) -> Iterator[str]:
    for tier in tiers:
        for at, host in enumerate(tier.hosts):
            if _stack(tier, at) == "rdma":
                yield (
                    f"  - what: unguarded\n    workload: {host}\n    reason: RDMA inside one segment\n"
                    "    until: 2029-12-31\n"
                )


def _policies(size: Size, tiers: tuple[Tier, ...]) -> Iterator[tuple[str, str]]:
    apps = tiers[-1].app + 1
    for app in range(apps):
        count = size.rules * (app + 1) // apps - size.rules * app // apps
        dice = random.Random(size.seed * 1_000_003 + app)
        rules = list(_Rules(size, tiers, app, dice).rules(count))
        yield f"policy/app{app:03}.yaml", f"tier: {app}\npolicy:\n" + "".join(rules) if rules else f"tier: {app}\n"


class _Rules:
    """The rules of one application: nothing twice, nothing that a rule before it decides."""

    def __init__(self, size: Size, tiers: tuple[Tier, ...], app: int, dice: random.Random) -> None:
        self.size, self.tiers, self.app, self.dice = size, tiers, app, dice
        self.mine = [t for t in tiers if t.app == app]
        self.others = [t for t in tiers if t.app != app]
        self.partners = _partners(size)
        self.used: set[tuple[str, str, str]] = set()

    def rules(self, count: int) -> Iterator[str]:
        kinds = self.dice.choices(list(MIX), list(MIX.values()), k=count)
        denies = iter(self._denies())
        for number, drawn in enumerate(sorted(kinds, key=lambda k: k != "deny")):
            pair = next(denies, None) if drawn == "deny" else None
            kind = "between" if drawn == "deny" and pair is None else drawn
            name, log = f"app{self.app:03} {number:04} {kind}", number % 3 == 0
            if pair:
                yield _text(name, *pair, "any", "deny", "separation of duties", log=log)
                continue
            source, target = self._ends(kind)
            yield _text(name, source, target, self._service(source, target), "allow", f"change {self.app}-{number}")

    def _denies(self) -> list[tuple[str, str]]:
        """What is closed for good: partners but for the web tier, and the next application. No rule opens it again."""
        found = [(p, tier.name) for p in self.partners for tier in self.mine[1:]]
        found += [(a.name, b.name) for a in self.mine for b in self.others if b.app == self.app + 1]
        return self.dice.sample(found, len(found))

    def _ends(self, kind: str) -> tuple[str, str]:
        pick, mine = self.dice.choice, self.mine
        # Not where a deny stands, nor where replies would cross one.
        others = [t for t in self.others if abs(t.app - self.app) > 1]
        shared = [t for t in others if t.app < SHARED_APPS]
        shut = [t for t in mine if not t.speedy]
        if kind == "inside" and shut:
            tier = pick(shut)
            return tier.name, tier.name
        if kind == "shared" and shared:
            return pick(mine).name, pick(shared).name
        if kind == "other" and others:
            return pick(mine).name, pick(others).name
        if kind == "partner":
            return pick(self.partners), mine[0].name
        hosts = self.tiers[0].hosts[:8] if self.app != 1 else ()
        if kind == "host" and hosts:
            one, other = pick(mine), pick(mine)
            if one.hosts and other.hosts and one != other and self.dice.random() < 0.5:
                return pick(one.hosts), pick(other.hosts)
            return pick(hosts), other.name
        source, target = self.dice.sample(mine, 2) if len(mine) > 1 else mine * 2
        return source.name, target.name

    def _service(self, source: str, target: str) -> str:
        while True:
            port, proto = self.dice.randrange(1025, 60000), "udp" if self.dice.random() < 0.15 else "tcp"
            low = f"{proto}/{port}"
            said = f"{low}-{port + self.dice.randrange(1, 16)}" if self.dice.random() < 0.1 else low
            if (source, target, low) not in self.used:
                self.used.add((source, target, low))
                return said


def _text(name: str, source: str, target: str, service: str, action: str, reason: str, *, log: bool = False) -> str:
    return (
        f"  - name: {name}\n    from: [{source}]\n    to: [{target}]\n    service: [{service}]\n    action: {action}\n"
        + ("    log: true\n" if log else "")
        + f"    reason: {reason}\n    owner: team-{name[3:6]}\n"
    )


def _tests(tiers: tuple[Tier, ...]) -> Iterator[str]:
    yield "tests:\n"
    for tier in tiers[:200]:
        other = tiers[(tier.number + 9) % len(tiers)]
        if tier.hosts and other.hosts and other.app != tier.app:
            yield f"  - {{from: outside, to: {tier.hosts[0]}, service: tcp/22, expect: deny}}\n"
    if tiers[0].hosts:
        yield f"  - {{from: outside, to: {tiers[0].name}, service: any, expect: deny}}\n"


def main() -> None:
    """Write one site."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    asked.add_argument("folder", type=Path, help="the workspace: DIR/inventory/NAME is written")
    for name in ("switches", "hosts", "rules", "six", "seed"):
        asked.add_argument(f"--{name}", type=int, default=getattr(Size(), name))
    asked.add_argument("--name", default=Size().name)
    given = vars(asked.parse_args())
    folder = given.pop("folder")
    print(write(folder, Size(**given)))


if __name__ == "__main__":
    main()

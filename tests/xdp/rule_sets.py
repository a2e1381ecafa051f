"""Rule sets in the shapes that real ones have, and in those that hurt: for laws and for measurements alike."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from configlet.model.net import TOP, Addresses, Family, Span
from configlet.model.policy import ANY_BIT, ANY_PORT, ANY_PROTO, Box, Entry, Rule

WHOLE: Span = (0, 0)
LOCAL4, LOCAL6 = 0xC000020B, 0x20010DB8000100200000000000000011
_TCP = (
    22, 25, 53, 80, 88, 110, 111, 143, 179, 389, 443, 445, 465, 514, 587, 636, 993, 995, 1433, 1521, 2049, 3306, 3389, 5432,
    5672, 6379, 8080, 8443, 9092, 9200,
)  # fmt: skip
_UDP = (53, 67, 69, 123, 161, 162, 500, 514, 1812, 4500, 4789, 6081)
_RANGES: tuple[tuple[int, Span], ...] = (
    (6, (9001, 9016)), (6, (20000, 20100)), (17, (33000, 33999)), (6, (5900, 5910)), (17, (16384, 32767)),
    (6, (1024, 1055)),
)  # fmt: skip
SERVICES: tuple[tuple[int, Span], ...] = (
    *((6, (port, port)) for port in _TCP),
    *((17, (port, port)) for port in _UDP),
    *_RANGES,
)
"""Forty-eight services: single ports and a few ranges."""


def rule(name: str, action: str = "allow") -> Rule:
    nobody = Addresses()
    return Rule(name, "policy", "allow" if action == "allow" else "deny", nobody, nobody, (), False, None)


def prefix(family: Family, address: int, length: int) -> Span:
    size = 1 << ((32 if family == 4 else 128) - length)
    low = address & ~(size - 1)
    return low, low + size - 1


def entry(of: Rule, proto: Span, dst: Span, src: Span, dport: Span = ANY_PORT, sport: Span = ANY_PORT,
          flag: Span = ANY_BIT, fragment: Span = WHOLE) -> Entry:  # fmt: skip
    box: Box = (proto, dst, src, dport, sport, flag, fragment)
    return Entry(of.action == "allow", box, of)


def segment(dice: random.Random, count: int, family: Family = 4, locals_: int = 1) -> list[Entry]:
    """Statements of some prefixes times some well-known services, as a segmentation policy has them."""
    blocks = [prefix(4, 0x0A000000 | block << 18, 14) for block in range(64)]
    out: list[Entry] = []
    while len(out) < count:
        of = rule(f"statement {len(out)}", "deny" if dice.random() < 0.05 else "allow")
        services = dice.sample(SERVICES, dice.randint(3, 18))
        block = dice.choice(blocks)
        prefixes = []
        for _ in range(dice.randint(5, 80)):
            length = dice.choices((32, 27, 24, 16), (60, 8, 30, 2))[0]
            length = dice.randint(26, 28) if length == 27 else length
            prefixes.append(prefix(4, dice.randint(*block), length))
        if family == 6:
            prefixes = [_six(span) for span in prefixes]
        local = (LOCAL4 if family == 4 else LOCAL6) + dice.randrange(locals_)
        out += [entry(of, (p, p), (local, local), src, ports) for src in prefixes for p, ports in services]
    return out[:count]


def _six(span: Span) -> Span:
    """An IPv4 prefix as an IPv6 one: /16 to /56, /24 to /64, /32 to /128, the rest between."""
    length = 32 - (span[1] - span[0]).bit_length()
    low = 0x20010DB8 << 96 | (span[0] >> 8) << 64 | (span[0] & 255)
    return prefix(6, low, {16: 56, 24: 64, 32: 128}.get(length, 96 + length))


def scattered(dice: random.Random, count: int, family: Family = 4, locals_: int = 1) -> list[Entry]:
    """Five-tuples of every shape with overlapping priorities: nothing like a policy, and the worst for a table."""
    popular = [dice.randint(1, 65535) for _ in range(40)]
    out = []
    for number in range(count):
        length = dice.randint(8, 32) if family == 4 else dice.choice((16, 32, 48, 56, 63, 64, 65, 80, 96, 112, 127, 128))
        base = dice.randrange(1 << 32) if family == 4 else 0x2001 << 112 | dice.randrange(1 << 112)
        proto = dice.choices((6, 17, -1, 1 if family == 4 else 58), (68, 25, 5, 2))[0]
        of = rule(f"filter {number}", "deny" if dice.random() < 0.3 else "allow")
        local = (LOCAL4 if family == 4 else LOCAL6) + dice.randrange(locals_)
        ports, sports = ANY_PORT, ANY_PORT
        if proto in (6, 17):
            ports = _ports(dice, popular)
            sports = _ports(dice, popular) if dice.random() < 0.1 else ANY_PORT
        elif proto > 0:
            kind = dice.choice((0, 3, 8, 11) if family == 4 else (1, 2, 128, 129))
            ports = (kind << 8, kind << 8 | 255)
        span = ANY_PROTO if proto < 0 else (proto, proto)
        out.append(entry(of, span, (local, local), prefix(family, base, length), ports, sports))
    return out


def _ports(dice: random.Random, popular: list[int]) -> Span:
    kind = dice.random()
    if kind < 0.6:
        port = dice.choice(popular)
        return port, port
    if kind < 0.8:
        port = dice.randint(1, 65535)
        return port, port
    if kind < 0.85:
        return ANY_PORT
    low = dice.randint(0, 65000)
    return low, dice.randint(low, min(low + dice.choice((10, 1000, 20000)), 65535))


def few(dice: random.Random, family: Family) -> list[Entry]:
    return scattered(dice, dice.choice((0, 1, 2, 10)), family)


def classes(dice: random.Random, family: Family) -> list[Entry]:
    """Exactly 63, 64, 65, 128 or 129 classes."""
    local = LOCAL4 if family == 4 else LOCAL6
    peers = [prefix(family, _somewhere(dice, family), dice.choice((8, 24, 32))) for _ in range(4)]
    count = dice.choice((62, 63, 64, 127, 128))
    of = [rule(f"r{i}", dice.choice(("allow", "allow", "deny"))) for i in range(count)]
    return [entry(of[i], (6, 6), (local, local), dice.choice(peers), (2 * i + 1, 2 * i + 1)) for i in range(count)]


def nested(dice: random.Random, family: Family) -> list[Entry]:
    """A chain of prefixes from the shortest to a single address, allow and deny in turn, in a random order."""
    bits = 32 if family == 4 else 128
    address, local = _somewhere(dice, family), LOCAL4 if family == 4 else LOCAL6
    steps = range(bits + 1) if family == 4 else sorted(dice.sample(range(bits + 1), 40))
    out = []
    for length in steps:
        of = rule(f"/{length}", "deny" if length % 2 else "allow")
        low = dice.choice((0, 20, 22))
        out.append(entry(of, (6, 6), (local, local), prefix(family, address, length), (low, dice.randint(low, 90))))
    dice.shuffle(out)
    return out


def hole(dice: random.Random, family: Family) -> list[Entry]:
    """A deny inside an allow inside a deny, written in the order that makes each count."""
    local = LOCAL4 if family == 4 else LOCAL6
    out = []
    for _ in range(12):
        at = _somewhere(dice, family)
        lengths = sorted(dice.sample(range(8, 33) if family == 4 else range(32, 129), 4), reverse=True)
        for index, length in enumerate(lengths):
            of = rule(f"hole {index}", "deny" if index % 2 == 0 else "allow")
            ports = dice.choice((ANY_PORT, (80, 80), (1, 1023)))
            out.append(entry(of, (6, 6), (local, local), prefix(family, at, length), ports))
    return out


def neighbours(dice: random.Random, family: Family) -> list[Entry]:
    """Four to nine intervals in one block, then two, then seventeen; ranges of addresses, not prefixes."""
    local = LOCAL4 if family == 4 else LOCAL6
    out = []
    for count in (3, 4, 5, 8, 9, 17):
        at = _somewhere(dice, family) & ~0xFFFFF
        for index in range(count):
            low = at + index * dice.choice((2, 300, 5000))
            of = rule(f"n{count}.{index}", dice.choice(("allow", "deny")))
            out.append(entry(of, (17, 17), (local, local), (low, low + dice.choice((0, 1, 6, 299))), (53, 53 + index % 3)))
    return out


def source_ports(dice: random.Random, family: Family) -> list[Entry]:
    """Filters on source ports, alone and crossing, up to many pieces in one cell."""
    local = LOCAL4 if family == 4 else LOCAL6
    peers = [prefix(family, _somewhere(dice, family), dice.choice((0, 8, 24, 32))) for _ in range(3)]
    out = []
    for index in range(dice.choice((1, 8, 9, 10, 80, 360))):
        low = dice.randint(0, 65535)
        of = rule(f"s{index}", dice.choice(("allow", "deny")))
        high = min(65535, low + dice.choice((0, 0, 5, 3000)))
        ports = dice.choice((ANY_PORT, (443, 443), (0, 1023)))
        proto = dice.choice((6, 17))
        out.append(entry(of, (proto, proto), (local, local), dice.choice(peers), ports, (low, high)))
    return out


def kinds_of_packet(dice: random.Random, family: Family) -> list[Entry]:
    """Flags, fragments, ICMP types and codes, protocols by number and in ranges."""
    local = LOCAL4 if family == 4 else LOCAL6
    out = []
    for index in range(40):
        of = rule(f"k{index}", dice.choice(("allow", "allow", "deny")))
        src = prefix(family, _somewhere(dice, family), dice.choice((0, 8, 16, 24)))
        kind = dice.randrange(6)
        if kind == 0:
            flag = dice.choice(((0, 0), (1, 1)))
            out.append(entry(of, (6, 6), (local, local), src, ANY_PORT, dice.choice((ANY_PORT, (443, 443))), flag))
        elif kind == 1:
            proto = dice.choice(((17, 17), (6, 6), ANY_PROTO, (40, 60)))
            out.append(entry(of, proto, (local, local), src, fragment=dice.choice(((1, 1), ANY_BIT))))
        elif kind == 2:
            echo = 1 if family == 4 else 58
            low = dice.choice((0, 3 << 8, 8 << 8, 128 << 8, 8 << 8 | 3))
            out.append(entry(of, (echo, echo), (local, local), src, (low, min(65535, low + dice.choice((0, 255, 700))))))
        elif kind == 3:
            proto = dice.choice((1, 2, 47, 50, 58, 89, 112, 132))
            out.append(entry(of, (proto, proto), (local, local), src))
        elif kind == 4:
            low = dice.randint(0, 255)
            out.append(entry(of, (low, dice.randint(low, 255)), (local, local), src))
        else:
            out.append(entry(of, (132, 132), (local, local), src, (3868, 3868)))
    return out


def anywhere(dice: random.Random, family: Family) -> list[Entry]:
    """Destinations that are no single local address: groups, ranges, the whole space, and locals inside them."""
    wide: list[Span] = [(0, TOP[family]), (LOCAL4 - 5, LOCAL4 + 9), (0xE0000000, 0xEFFFFFFF), (0xEF010100, 0xEF0101FF)]
    if family == 6:
        wide = [(0, TOP[6]), prefix(6, LOCAL6, 64), prefix(6, 0xFF02 << 112, 16), prefix(6, LOCAL6, 127)]
    local = LOCAL4 if family == 4 else LOCAL6
    out = []
    for index in range(30):
        of = rule(f"w{index}", dice.choice(("allow", "allow", "deny")))
        dst = dice.choice([*wide, (local, local), (local + 1, local + 1)])
        proto, ports = dice.choice(((6, (22, 22)), (17, ANY_PORT), (58, (133 << 8, 136 << 8 | 255)), (2, ANY_PORT)))
        if proto == 58 and family == 4:
            ports = ANY_PORT
        out.append(entry(of, (proto, proto), dst, prefix(family, _somewhere(dice, family), dice.choice((0, 8, 24))), ports))
    return out


def access_list(dice: random.Random, family: Family) -> list[Entry]:
    """ClassBench-like: a few networks on both sides, port classes, many local addresses."""
    nets = [prefix(family, _somewhere(dice, family), dice.choice((16, 20, 24, 28, 32))) for _ in range(30)]
    local = LOCAL4 if family == 4 else LOCAL6
    out = []
    for index in range(250):
        of = rule(f"a{index}", dice.choice(("allow", "allow", "allow", "deny")))
        mine = local + dice.randrange(8)
        proto = dice.choice((6, 6, 6, 17, 1 if family == 4 else 58))
        ports = ANY_PORT
        if proto in (6, 17):
            ports = dice.choice((ANY_PORT, (80, 80), (443, 443), (1024, 65535), (0, 1023), (6000, 6063)))
        dst = dice.choice(((mine, mine), (mine, mine), (local & ~7, local | 7)))
        out.append(entry(of, (proto, proto), dst, dice.choice(nets), ports))
    return out


def _somewhere(dice: random.Random, family: Family) -> int:
    return dice.randrange(1 << 32) if family == 4 else 0x20010DB8 << 96 | dice.randrange(1 << 96)


Make = Callable[[random.Random, Family], list[Entry]]
KINDS: dict[str, Make] = {
    "few": few,
    "segment": lambda dice, family: segment(dice, 400, family),
    "segment on many addresses": lambda dice, family: segment(dice, 600, family, 64),
    "scattered": lambda dice, family: scattered(dice, 150, family),
    "scattered on many addresses": lambda dice, family: scattered(dice, 400, family, 64),
    "classes at the border of a block": classes,
    "nested prefixes": nested,
    "a deny in an allow in a deny": hole,
    "intervals at the border of a line": neighbours,
    "source ports": source_ports,
    "flags, fragments, ICMP, protocols": kinds_of_packet,
    "destinations beyond the local addresses": anywhere,
    "access list": access_list,
}


def edges(dice: random.Random, span: Span, top: int, *, outside: bool = False) -> int:
    """A number in a span, often at its ends; or just outside, where there is room."""
    low, high = span
    if outside:
        return max(0, min(top, dice.choice((low - 1, high + 1))))
    return dice.choice((low, high, dice.randint(low, high)))


def each(seed: int, family: Family) -> Iterator[tuple[str, list[Entry]]]:
    for name, make in KINDS.items():
        yield name, make(random.Random(f"{seed} {name} {family}"), family)

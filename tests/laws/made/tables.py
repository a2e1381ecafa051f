"""Filter tables of a host, made by chance: long and short lists, keys of every type, chains that ask for more."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

SELECTORS = (
    "ip saddr",
    "ip daddr",
    "ip6 saddr",
    "meta l4proto",
    "ct original ip saddr",
    "ct original ip daddr",
    "ct original ip6 saddr",
    "ct original proto-src",
    "ct original proto-dst",
    "ct protocol",
)
KEYS = {
    "ct original ip saddr": "ipv4_addr",
    "ct original ip daddr": "ipv4_addr",
    "ct original ip6 saddr": "ipv6_addr",
    "ct original ip6 daddr": "ipv6_addr",
    "ct original proto-dst": "inet_service",
    "ct original proto-src": "inet_service",
    "ct protocol": "inet_proto",
    "ip saddr": "ipv4_addr",
}
LABELS = ("a rule", "orders, of desks { 4; 7 } : all", "", "ü", "a  b", "x" * 60)
STATEMENTS = (
    "ip saddr 10.0.0.0/8",
    "ip daddr 10.1.2.3",
    "ip daddr { 10.1.2.3, 10.2.0.0/16 }",
    "ip6 saddr ff00::/8",
    "ip saddr != 10.0.0.0/8",
    "ct original ip saddr 10.0.0.0/8",
    "ct original ip6 daddr ::1",
    "meta l4proto { 1, 6 }",
    "meta l4proto 6",
    "meta l4proto { 1, 2, 6, 17, 58 }",
    "ct protocol 6",
    "ct protocol { 6, 17 }",
    "icmp type 8",
    "icmp type != { 8, 13, 15, 17 }",
    "icmpv6 type 133-136",
    "icmp type 3 icmp code 1-4",
    "tcp dport 22",
    "udp sport 1-1023",
    "th dport 53",
    "ct original proto-dst 22-80",
    "ct state invalid,untracked",
    "ct state established,related",
    "ct state new",
    "ip frag-off & 0x1fff != 0",
    "frag frag-off != 0",
)
HEAD = """\
table inet configlet
delete table inet configlet
table inet configlet {
"""
HOOK = "\tchain {hook} {{\n\t\ttype filter hook {hook} priority -10; policy {policy};\n{rules}\t}}\n"


def statement(dice: random.Random) -> str:
    """One condition."""
    return dice.choice(STATEMENTS)


def table(dice: random.Random) -> str:
    """A table; not every one is taken by the kernel, or by the reader."""
    keys = [_keys(dice) for _ in range(dice.randrange(1, 5))]
    ends = ["end0", "end1", "more"]
    maps = "".join(_map(dice, f"m{n}", [KEYS[key] for key in of], ends) for n, of in enumerate(keys))
    here = "".join(f"\t\t{_before(dice, of)}{' . '.join(of)} vmap @m{n}\n" for n, of in enumerate(keys))
    chains = (
        '\tchain end0 {\n\t\tcounter drop comment "the end"\n\t}\n'
        '\tchain end1 {\n\t\tlog prefix "x: " group 5\n\t\tcounter accept comment "logged"\n\t}\n'
        f'\tchain more {{\n\t\t{dice.choice(STATEMENTS[10:12])} counter accept comment "more"\n\t}}\n'
        f"\tchain here {{\n{here}\t}}\n"
    )
    first = ['ip frag-off & 0x1fff != 0 counter drop comment "f"', 'frag frag-off != 0 counter drop comment "f"']
    extra = [f"{statement(dice)} counter {dice.choice(('accept', 'drop'))}" for _ in range(dice.randrange(3))]
    judge = [*first, *extra, *dice.sample(["jump here", "ct original ip daddr vmap @to"], dice.randrange(1, 3))]
    to = "".join(f"\t\t\t10.1.{n}.0/24 : jump here,\n" for n in range(dice.randrange(1, 3)))
    maps += f"\tmap to {{\n\t\ttype ipv4_addr : verdict\n\t\tflags interval\n\t\telements = {{\n{to}\t\t}}\n\t}}\n"
    chains += "\tchain judge {\n" + "".join(f"\t\t{rule}\n" for rule in judge) + "\t}\n"
    hooks = dice.sample(["input", "forward", "output"], dice.randrange(1, 4))
    policy = dice.choice(("drop", "drop", "accept"))
    return (
        HEAD
        + maps
        + chains
        + "".join(HOOK.format(hook=h, policy=policy, rules="\t\tjump judge\n") for h in hooks)
        + "}\n"
    )


def _keys(dice: random.Random) -> list[str]:
    end = dice.choice(list(KEYS))
    return (
        [end] if dice.random() < 0.4 else [end, dice.choice(["ct original proto-dst", "ct original proto-src", *KEYS])]
    )


def _before(dice: random.Random, keys: Sequence[str]) -> str:
    """Ports are asked for where the protocol is settled, mostly."""
    if any("proto-" in key for key in keys) and dice.random() < 0.95:
        return "meta l4proto { 1, 6 } ct protocol 6 "
    return dice.choice(("", "", "ct protocol 17 ", f"{statement(dice)} "))


def _map(dice: random.Random, name: str, kinds: Sequence[str], ends: Sequence[str]) -> str:
    counting = dice.random() < 0.5
    keys = list(
        dict.fromkeys(" . ".join(_part(dice, kind) for kind in kinds) for _ in range(dice.choice((1, 3, 12, 40))))
    )
    elements = "".join(
        f"\t\t\t{key}{verdict},\n" for key, verdict in zip(keys, _verdicts(dice, ends, counting), strict=False)
    )
    head = f"\t\ttype {' . '.join(kinds)} : verdict\n\t\tflags interval\n" + ("\t\tcounter\n" if counting else "")
    return f"\tmap {name} {{\n{head}\t\telements = {{\n{elements}\t\t}}\n\t}}\n"


def _verdicts(dice: random.Random, ends: Sequence[str], counting: bool) -> Iterator[str]:
    jumps = dice.random() < 0.4
    while True:
        if jumps and dice.random() < 0.5:
            yield f" : {dice.choice(('goto', 'jump'))} {dice.choice(ends)}"
            continue
        label = f' comment "{dice.choice(LABELS)}"' if dice.random() < 0.8 else ""
        counter = dice.choice(("", "", " counter", " counter packets 3 bytes 180")) if counting else ""
        yield f"{counter}{label} : {dice.choice(('accept', 'drop'))}"


def _part(dice: random.Random, kind: str) -> str:
    if kind == "inet_proto":
        return dice.choice(["tcp", "udp", *map(str, range(256))])
    if kind == "inet_service":
        low = dice.randrange(1, 60000)
        return str(low) if dice.random() < 0.8 else f"{low}-{low + dice.randrange(1, 20)}"
    a, b = dice.randrange(256), dice.randrange(256)
    if kind == "ipv4_addr":
        return dice.choice((f"10.{a}.{b}.7", f"10.{a}.{b}.0/24", f"10.{a}.{b}.4-10.{a}.{b}.9"))
    return dice.choice((f"2001:db8:{a:x}::{b:x}", f"2001:db8:{a:x}:{b:x}::/64"))

"""The same filters in the forms of others: nftables three ways, iptables, ipset. Each is a text that a tool loads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address

from benchmarks.xdp.ground import run
from configlet.model.net import Span
from configlet.model.policy import DPORT, DST, PROTO, SRC, Entry

NAMES = {6: "tcp", 17: "udp"}
SINK = "table ip sink {\nchain c {\ntype filter hook prerouting priority -150; policy drop;\n}\n}\n"
"""Where every packet ends that the table under test accepts: the way after a verdict is the same for all."""
CHAIN = "type filter hook prerouting priority -300; policy drop;"


def net(span: Span) -> str:
    return f"{IPv4Address(span[0])}/{33 - (span[1] - span[0] + 1).bit_length()}"


def ports(span: Span, sign: str = "-") -> str:
    return str(span[0]) if span[0] == span[1] else f"{span[0]}{sign}{span[1]}"


def verdict(entry: Entry) -> str:
    return "accept" if entry.permit else "drop"


def statements(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """The filters of each statement together, in order."""
    last: list[Entry] = []
    for entry in entries:
        if last and last[-1].rule is not entry.rule:
            yield last
            last = []
        last.append(entry)
    if last:
        yield last


def nft_linear(entries: Sequence[Entry]) -> tuple[str, int]:
    lines = [
        f"ip saddr {net(e.box[SRC])} ip daddr {net(e.box[DST])} {NAMES[e.box[PROTO][0]]} dport {ports(e.box[DPORT])} {verdict(e)}"
        for e in entries
    ]
    return f"table ip bench {{\nchain c {{\n{CHAIN}\n" + "\n".join(lines) + "\n}\n}\n", len(lines)


def nft_sets(entries: Sequence[Entry]) -> tuple[str, int]:
    """One rule a statement: a set of its prefixes and a set of its services."""
    lines = []
    for group in statements(entries):
        nets = ", ".join(_apart({e.box[SRC] for e in group}))
        services = ", ".join(sorted({f"{NAMES[e.box[PROTO][0]]} . {ports(e.box[DPORT])}" for e in group}))
        lines.append(f"ip saddr {{ {nets} }} meta l4proto . th dport {{ {services} }} {verdict(group[0])}")
    return f"table ip bench {{\nchain c {{\n{CHAIN}\n" + "\n".join(lines) + "\n}\n}\n", len(lines)


def _apart(spans: set[Span]) -> list[str]:
    """Prefixes without those inside others."""
    out: list[Span] = []
    for span in sorted(spans, key=lambda s: (s[0], -s[1])):
        if not out or span[1] > out[-1][1]:
            out.append(span)
    return [net(span) for span in out]


def disjoint(entries: Sequence[Entry]) -> list[Entry]:
    """Filters that share no packet with one before, as a concatenated map refuses the others."""
    taken: dict[tuple[Span, Span], set[Span]] = {}
    around: dict[tuple[Span, Span], set[Span]] = {}
    out = []
    for entry in entries:
        key, span = (entry.box[PROTO], entry.box[DPORT]), entry.box[SRC]
        mine, outer = taken.setdefault(key, set()), around.setdefault(key, set())
        above = [(span[0] & ~((1 << n) - 1), span[0] | ((1 << n) - 1)) for n in (0, 4, 5, 6, 8, 16)]
        above = [a for a in above if a[0] <= span[0] and span[1] <= a[1]]
        if span in outer or any(a in mine for a in above):
            continue
        mine.add(span)
        outer.update(above)
        out.append(entry)
    return out


def nft_pipapo(entries: Sequence[Entry]) -> tuple[str, int]:
    """One concatenated verdict map of disjoint boxes."""
    alone = disjoint(entries)
    elements = ",\n".join(
        f"{net(e.box[SRC])} . {NAMES[e.box[PROTO][0]]} . {ports(e.box[DPORT])} : {verdict(e)}" for e in alone
    )
    kind = "type ipv4_addr . inet_proto . inet_service : verdict; flags interval;"
    look = "ip saddr . meta l4proto . th dport vmap @m"
    table = f"map m {{\n{kind}\nelements = {{ {elements} }}\n}}\nchain c {{\n{CHAIN}\n{look}\n}}"
    return f"table ip bench {{\n{table}\n}}\n", len(alone)


def iptables(entries: Sequence[Entry]) -> tuple[str, int]:
    lines = [
        f"-A PREROUTING -s {net(e.box[SRC])} -d {net(e.box[DST])} -p {NAMES[e.box[PROTO][0]]} "
        f"--dport {ports(e.box[DPORT], ':')} -j {verdict(e).upper()}"
        for e in entries
    ]
    return "*raw\n:PREROUTING DROP [0:0]\n" + "\n".join(lines) + "\nCOMMIT\n", len(lines)


def ipset(entries: Sequence[Entry]) -> tuple[str, int]:
    """hash:net,port of what is allowed; ranges of more than sixteen ports cannot be held and are left out."""
    found = {
        f"add s {net(e.box[SRC])},{NAMES[e.box[PROTO][0]]}:{port}"
        for e in entries
        if e.permit and e.box[DPORT][1] - e.box[DPORT][0] < 16
        for port in range(e.box[DPORT][0], e.box[DPORT][1] + 1)
    }
    head = "create s hash:net,port hashsize 65536 maxelem 1000000\n"
    return head + "\n".join(sorted(found)) + "\n", len(found)


def load(form: str, text: str) -> None:
    """Load a form in the namespace that we are in."""
    run("nft", "flush", "ruleset")
    run("nft", "-f", "-", text=SINK)
    if form.startswith("nft"):
        run("nft", "-f", "-", text=text)
    elif form == "iptables":
        run("iptables-restore", text=text)
    elif form == "ipset":
        run("ipset", "destroy", check=False)
        run("ipset", "restore", text=text)
        rule = "-A PREROUTING -m set --match-set s src,dst -j ACCEPT"
        run("iptables-restore", text=f"*raw\n:PREROUTING DROP [0:0]\n{rule}\nCOMMIT\n")


FORMS = {
    "nft linear": nft_linear, "nft sets": nft_sets, "nft pipapo": nft_pipapo, "iptables": iptables, "ipset": ipset,
}  # fmt: skip

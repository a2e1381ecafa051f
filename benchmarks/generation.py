"""From a policy in YAML to text: ours proven, the peers' generated, the same policy in the same run."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from statistics import fmean

from benchmarks.measure import Cost, middle, once
from benchmarks.peers import AERLEON, CAPIRCA, PEERS, Peer, installed, text_of
from benchmarks.policies import GUARDED, Policy, grouped, unique, workspace

CASES: tuple[tuple[str, ...], ...] = (("eos",), ("ios",), ("nftables",), ("eos", "ios", "nftables"))
OURS = "configlet"
Flow = tuple[IPv4Network, IPv4Network, int]


@dataclass(frozen=True, slots=True)
class Row:
    """One tool on one case: the median cost, and whether its text says exactly the policy ("" when it does)."""

    case: str
    tool: str
    cost: Cost
    said: str
    lines: int


def command() -> list[str]:
    """Ours: YAML to proven text in files. Nothing unproven is written."""
    return [sys.executable, "-P", "-m", "configlet", "prove", "bench", "--out", "out"]


def case_name(platforms: Sequence[str]) -> str:
    """``eos``, or ``eos + ios + nftables``."""
    return " + ".join(platforms)


def policy_of(count: int, platforms: Sequence[str]) -> Policy:
    """Shape ``u``; where a host is among the gates, its 16 addresses are the destinations, as it judges no other."""
    return unique(count, GUARDED if "nftables" in platforms else None)


def side_by_side(count: int, runs: int, scratch: Path, peers: Sequence[Peer] = PEERS) -> Iterator[Row]:
    """Shape ``u``: every case with every tool that has its platforms; of all three together the peer that is compared."""
    for platforms in CASES:
        chosen = [p for p in peers if len(platforms) == 1 or p is AERLEON]
        yield from _case(policy_of(count, platforms), platforms, runs, scratch, chosen)


def groups(rules: int, runs: int, scratch: Path, peers: Sequence[Peer] = (AERLEON, CAPIRCA)) -> Iterator[Row]:
    """Shape ``o`` for switches: a text with groups where a platform has them, else every pair of addresses."""
    for platforms in (("eos",), ("ios",)):
        yield from _case(grouped(rules), platforms, runs, scratch, peers)


def tell(words: str) -> None:
    """Say at once what a run gave, to whoever waits."""
    print(f"  {words}", file=sys.stderr, flush=True)


def _case(
    policy: Policy, platforms: Sequence[str], runs: int, scratch: Path, peers: Sequence[Peer]
) -> Iterator[Row]:
    """One policy with every tool that has the platforms: each peer once, and ours ``runs`` times before, between and
    behind them."""
    known = [installed(p) for p in peers if set(platforms) <= set(p.platforms)]
    costs: dict[str, list[Cost]] = {}
    said: dict[str, tuple[str, int]] = {}
    for tool in _turns(known, runs):
        with tempfile.TemporaryDirectory(dir=scratch) as folder:
            place, name = Path(folder) / "policy", tool.name if tool else OURS
            cost, texts = _peer(tool, policy, platforms, place) if tool else _ours(policy, platforms, place)
        tell(f"{policy.name} {case_name(platforms)}: {name} {cost.cpu:.2f} s CPU, {cost.peak:.0f} MiB")
        costs.setdefault(name, []).append(cost)
        wrong = [(p, compared(policy, text, p)) for p, text in texts.items()] if tool else []
        told = "; ".join(f"{p}: {text}" for p, text in wrong if text) if tool else "proven"
        said[name] = told, sum(text.count("\n") for text in texts.values())
    for tool_name, found in costs.items():
        yield Row(case_name(platforms), tool_name, middle(found), *said[tool_name])


def _turns(peers: Sequence[Peer], runs: int) -> Iterator[Peer | None]:
    """Ours (None) and the peers in turns; a peer takes minutes, so that it is run once."""
    for turn in range(max(runs, len(peers))):
        if turn < runs:
            yield None
        yield from peers[turn : turn + 1]


def _ours(policy: Policy, platforms: Sequence[str], folder: Path) -> tuple[Cost, dict[str, str]]:
    """What is written is proven; a text of single lines is compared like a peer's all the same."""
    workspace(policy, platforms, folder)
    cost = once(command(), folder)
    texts = {file.name.split(".")[1]: file.read_text() for file in (folder / "out").iterdir()}
    for platform, text in texts.items():
        plain = platform != "nftables" and "object-group" not in text
        if plain and (wrong := compared(policy, text, platform)):
            raise ValueError(f"ours for {platform}: {wrong}")
    return cost, texts


def _peer(peer: Peer, policy: Policy, platforms: Sequence[str], folder: Path) -> tuple[Cost, dict[str, str]]:
    peer.write(policy, platforms, folder)
    return once(peer.command, folder), {p: text_of(folder, p) for p in platforms}


def growth(platform: str, sizes: Sequence[int], runs: int, scratch: Path) -> dict[int, Cost]:
    """What ours costs on average at each size; size 0 is the start-up: a policy of one term.

    Sizes are compared with each other here, and a machine that is slow while one of them runs would look like growth: they
    take turns, and small ones have more of them, so that what else the machine does falls on all alike.
    """
    found: dict[int, list[Cost]] = {}
    for size in (size for _ in range(runs) for size in _mixed((0, *sizes))):
        policy = policy_of(max(size, 1), (platform,))
        with tempfile.TemporaryDirectory(dir=scratch) as folder:
            workspace(policy, (platform,), Path(folder) / "policy")
            cost = once(command(), Path(folder) / "policy")
        tell(f"{policy.name} {platform}: {cost.cpu:.2f} s CPU, {cost.peak:.0f} MiB")
        found.setdefault(size, []).append(cost)
    return {size: Cost(fmean(c.cpu for c in costs), max(c.peak for c in costs)) for size, costs in sorted(found.items())}


TURNS = 4
"""Times that a small size is run where the largest is run once."""


def _mixed(sizes: Sequence[int]) -> Iterator[int]:
    """One round of all sizes: each as often as half the largest is large, ``TURNS`` times at most, between the others."""
    half = max(sizes) // 2
    for turn in range(TURNS):
        yield from (size for size in sizes if turn < min(TURNS, half // size if size else TURNS) or turn == 0)


def per_term(found: dict[int, Cost], least: int = 5000) -> dict[int, float]:
    """CPU seconds a term at each size from ``least`` on, without the start-up."""
    return {size: (cost.cpu - found[0].cpu) / size for size, cost in found.items() if size >= least}


def spread(costs: dict[int, float]) -> float:
    """How far the cost of a term strays from the middle of the least and the greatest: 0.2 is 20 %."""
    least, most = min(costs.values()), max(costs.values())
    return (most - least) / (most + least)


def flows(policy: Policy) -> frozenset[Flow]:
    """Every address pair and port that the policy allows."""
    return frozenset(
        (source, target, policy.services[term.service])
        for term in policy.terms
        for a in term.sources
        for source in policy.objects[a]
        for b in term.destinations
        for target in policy.objects[b]
    )


def compared(policy: Policy, text: str, platform: str) -> str:
    """What a text of permits alone says beyond or short of the policy; "" when it is the same set of flows.

    Only TCP lines with two address parts and one port count; as no deny stands among them, equal sets mean the same.
    """
    want, got = flows(policy), frozenset(_said(text, platform))
    if want == got:
        return ""
    beyond, short = sorted(got - want, key=str), sorted(want - got, key=str)
    parts = []
    if beyond:
        parts.append(f"{len(beyond):,} lines pass what the policy does not")
    if short:
        parts.append(f"{len(short):,} of {len(want):,} flows have no line of their own")
    return ", ".join(parts)


_LINE = re.compile(r"\bpermit tcp (?P<ends>.+) eq (?P<port>\d+)(?: log)?$")
_CHAIN = re.compile(r"ip saddr (\S+) ip daddr (\S+) tcp dport (\d+) ct state new accept")


def _said(text: str, platform: str) -> Iterator[Flow]:
    for line in text.splitlines():
        if platform == "nftables":
            if found := _CHAIN.search(line):
                yield IPv4Network(found[1]), IPv4Network(found[2]), int(found[3])
        elif found := _LINE.search(line.strip()):
            source, target = _ends(found["ends"].split())
            yield source, target, int(found["port"])


def _ends(words: list[str]) -> tuple[IPv4Network, IPv4Network]:
    """Two ends of a line: ``host A``, ``A/len`` or ``A WILDCARD``."""
    out: list[IPv4Network] = []
    while words:
        word = words.pop(0)
        if word == "host":
            out.append(IPv4Network(words.pop(0)))
        elif "/" in word:
            out.append(IPv4Network(word))
        else:
            mask = int(IPv4Address(words.pop(0))) ^ 0xFFFFFFFF
            out.append(IPv4Network((int(IPv4Address(word)), mask.bit_count())))
    source, target = out
    return source, target


def ratio(rows: Sequence[Row], case: str, tool: str) -> float | None:
    """How many times our CPU seconds a tool takes on a case; None when it has no such row."""
    by = {(row.case, row.tool): row.cost.cpu for row in rows}
    return by[case, tool] / by[case, OURS] if (case, tool) in by else None


"""The filter tables of NICs on the lab's NICs: simulated, an nftables bridge table in the namespace that the NIC is.

It holds the rows of the gate, the same that the platform's encoder or template was given. What a NIC of some make really
does with its messages is for that make's own simulator; here real packets meet what the gate says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from configlet.lab.enter import run_in
from configlet.lab.nic.held import LISTED, Chain, steps
from configlet.lab.state import ready, state_of
from configlet.lab.topology_host import FUNCTION, PORT
from configlet.lab.topology_values import nic_namespace
from configlet.model.gate import Table
from configlet.model.net import FAMILIES, TOP, Family, address_text
from configlet.model.policy import ANY_PORT, ANY_PROTO, DPORT, DST, FLAG, FRAG, PROTO, SPORT, SRC, Entry
from configlet.model.problem import Refused, refuse
from configlet.pipeline.artifacts import each_artifact, proven, unproven
from configlet.pipeline.site import Site, open_site
from configlet.place.local import mechanism
from configlet.place.stacks import IN_NIC

HOOK = "type filter hook forward priority {}; policy accept;"
_ENTERS = {"in": f'iifname "{PORT}*"', "out": f'iifname "{FUNCTION}*"'}
_PORTS = (6, 17, 132)
_ICMP: dict[Family, int] = {4: 1, 6: 58}
_LATER: dict[Family, str] = {4: "ip frag-off & 0x1fff != 0", 6: "exthdr frag exists"}


def load(root: Path, site: str, today: date) -> tuple[str, ...]:
    """Put the tables into every NIC of a running lab, in one transaction each; the gates that are closed now.

    A NIC whose table was taken out of the inventory becomes open. Raises Refused when no lab is up, or a text of a NIC is
    not proven.
    """
    state = state_of(root, site)
    namespaces = ready(state)["namespaces"]
    opened = open_site(root, site, today)
    tables = _proven(opened)
    for host in opened.inventory.hosts:
        for nic in host.nics:
            name = nic_namespace(host.name, nic.name)
            mine = [t for t in tables if t.gate.owner == host.name and t.gate.binding == nic.name]
            if name in namespaces:
                _apply(state.path, name, judges(mine))
            elif mine:
                raise refuse("NIC that the lab has not", f"The lab has no NIC {name}. Take it down and up again.", nic.place)
    return tuple(sorted({table.gate.name for table in tables}))


def _proven(site: Site) -> list[Table]:
    owners = {g.owner for g in site.placement.gates if mechanism(g) in IN_NIC}
    made = [proven(site, a) for a in each_artifact(site, owners) if mechanism(a.tables[0].gate) in IN_NIC]
    wrong = list(unproven(proof for one in made for proof in one.proofs))
    if wrong:
        raise Refused(wrong)
    return [table for one in made for table in one.artifact.tables]


def _apply(state: Path, namespace: str, chains: Sequence[Chain]) -> None:
    def nft(argv: Sequence[str], text: str | None = None) -> str:
        done = run_in(state, namespace, argv, stdin=text)
        if done.returncode:
            raise refuse("simulated NIC did not take its table", f"{namespace}: {done.stderr.strip()}", nature="red")
        return done.stdout

    for step in steps(chains, nft(LISTED)):
        nft(["nft", "-f", "-"], step)


def judges(tables: Sequence[Table]) -> tuple[Chain, ...]:
    """What a NIC holds; without tables nothing, so that it passes all."""
    if not tables:
        return ()
    jumps = [
        f"{_ENTERS[direction]} meta protocol {'ip' if family == 4 else 'ip6'} jump {direction}_{family}"
        for direction in sorted({t.gate.direction for t in tables})
        for family in FAMILIES
    ]
    return (*map(_chain, tables), Chain("judge", tuple(jumps), HOOK.format(0)))


def received(parts: Sequence[Sequence[str]]) -> tuple[Chain, ...]:
    """What a NIC holds, from lists of rules for what it receives, each in its order.

    A packet must pass all of them; what no rule of a list matches passes that list.
    """
    held = [part for part in parts if part]
    lists = (Chain(f"held{number}", tuple(part)) for number, part in enumerate(held))
    hooks = (Chain(f"judge{n}", (f"{_ENTERS['in']} jump held{n}",), HOOK.format(n)) for n in range(len(held)))
    return (*lists, *hooks)


def _chain(table: Table) -> Chain:
    rows = (f"{' '.join(_matches(row, table.family))} counter {'accept' if row.permit else 'drop'}" for row in table.rows)
    return Chain(f"{table.gate.direction}_{table.family}", (*rows, "counter drop"))


def _matches(row: Entry, family: Family) -> Iterator[str]:
    box, word = row.box, "ip" if family == 4 else "ip6"
    if box[PROTO] != ANY_PROTO:
        yield f"meta l4proto {_span(box[PROTO])}"
    for level, field in ((SRC, "saddr"), (DST, "daddr")):
        if box[level] != (0, TOP[family]):
            lo, hi = (address_text(family, value) for value in box[level])
            yield f"{word} {field} {lo if lo == hi else f'{lo}-{hi}'}"
    if box[FRAG] != (0, 1):
        yield _LATER[family] if box[FRAG] == (1, 1) else _whole(family)
    yield from _ports(row, family)
    if box[PROTO] == (6, 6) and box[FLAG] != (0, 1):
        yield f"tcp flags & (ack | rst) {'!=' if box[FLAG] == (1, 1) else '=='} 0"


def _whole(family: Family) -> str:
    return _LATER[family].replace("!=", "==").replace("exists", "missing")


def _ports(row: Entry, family: Family) -> Iterator[str]:
    box = row.box
    if box[PROTO] == (_ICMP[family],) * 2 and box[DPORT] != ANY_PORT:
        lo, hi = box[DPORT]
        yield f"@th,0,16 {lo}-{hi}" if lo != hi else f"@th,0,16 {lo}"
        return
    for level, field in ((SPORT, "sport"), (DPORT, "dport")):
        if box[level] != ANY_PORT:
            if box[PROTO][0] not in _PORTS or box[PROTO][0] != box[PROTO][1]:
                raise refuse("row that the simulated NIC cannot hold", f"Ports of protocol {box[PROTO]} in {row.rule.name}.")
            yield f"th {field} {_span(box[level])}"


def _span(span: tuple[int, int]) -> str:
    return str(span[0]) if span[0] == span[1] else f"{span[0]}-{span[1]}"

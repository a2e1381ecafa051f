"""The tables of a site: for each gate and family its law and its rows, within the gate's capacity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from configlet.fit.acl import acl_rows
from configlet.fit.host import host_rows
from configlet.fit.law import Laws
from configlet.model.gate import Gate, Table
from configlet.model.inventory import Inventory
from configlet.model.net import PORTS, prefixes
from configlet.model.policy import DPORT, DST, PROTO, SRC, Entry, Policy
from configlet.model.problem import Problem, Refused


def tables(inventory: Inventory, policy: Policy, gates: Iterable[Gate]) -> tuple[Table, ...]:
    """Every gate's tables. Raises Refused when one does not fit: the count, the limit, and the rules that cost most."""
    laws = Laws(inventory, policy)
    rows: dict[int, tuple[Entry, ...]] = {}
    out: list[Table] = []
    for gate in gates:
        for family in gate.families:
            law = laws.host(gate, family) if gate.stateful else laws.routed(gate, family)
            if id(law) not in rows:
                rows[id(law)] = host_rows(law) if gate.stateful else acl_rows(law)
            out.append(Table(gate, gate.realm, family, law, rows[id(law)]))
    problems = list(_too_large(out))
    if problems:
        raise Refused(problems)
    return tuple(out)


def cost(table: Table, row: Entry) -> int:
    """How many entries of the gate's own units a row takes."""
    matches = dict(table.gate.capability.match)
    if matches.get("address") != "prefix":
        return 1
    count = len(prefixes(table.family, row.box[SRC])) * len(prefixes(table.family, row.box[DST]))
    lo, hi = row.box[DPORT]
    icmp = row.box[PROTO] in ((1, 1), (58, 58)) and (lo, hi) != PORTS and lo != hi
    return count * ((hi // 256) - (lo // 256) + 1 if icmp else 1)


def _too_large(found: Iterable[Table]) -> Iterator[Problem]:
    sums: Counter[str] = Counter()
    by_gate: dict[str, Counter[str]] = {}
    limits: dict[str, int] = {}
    for table in found:
        name = table.gate.name
        limits[name] = table.gate.capability.capacity
        for row in table.rows:
            price = cost(table, row)
            sums[name] += price
            by_gate.setdefault(name, Counter())[row.rule.name] += price
    for name, total in sums.items():
        if total > limits[name]:
            most = ", ".join(f'"{rule}" {count:,}' for rule, count in by_gate[name].most_common(3))
            yield Problem(
                "Table larger than its gate",
                f"{name} needs {total:,} entries and has room for {limits[name]:,}. Nothing was rendered. "
                f"The rules that cost most: {most}.",
                nature="red",
            )

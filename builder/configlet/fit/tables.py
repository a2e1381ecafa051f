"""The tables of a site: for each gate and family its law and its rows, within the gate's capacity."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from configlet.fit.acl import acl_rows, counted_rows
from configlet.fit.budget import too_large
from configlet.fit.host import host_rows, towards_rows
from configlet.fit.law import Laws
from configlet.fit.units import by_groups
from configlet.model.block import Block, items, listed
from configlet.model.gate import Gate, Law, Table
from configlet.model.net import Family
from configlet.model.policy import Entry
from configlet.model.problem import Problem, Refused
from configlet.model.told import Faced
from configlet.packets.blind import accelerable, blind, permits, permitted
from configlet.packets.blocks import rule_of


def tables(laws: Laws, gates: Iterable[Gate]) -> tuple[Table, ...]:
    """Every gate's tables. Raises Refused when one does not fit: the count, the limit, and the rules that cost most.

    What a table costs is counted before any of its rows is written out.
    """
    out = counted(laws, gates)
    problems = [*(_uncounted(out) if laws.observed else ()), *too_large(out, laws.models, laws.lines)]
    if problems:
        raise Refused(problems)
    # Rows of routed laws are held as long as their laws are, so they are known by identity from one of a pair to the other.
    written: dict[object, Sequence[Entry]] = {}
    return tuple(_written(table, laws.written if table.gate.kind == "acl" else written) for table in out)


def counted(laws: Laws, gates: Iterable[Gate]) -> list[Table]:
    """Every gate's tables as they are counted: rows that stand for many stay blocks, and nothing is too large."""
    out: list[Table] = []
    for gate in gates:
        for family in gate.families:
            law, fit = _law(laws, gate, family)
            out.append(Table(gate, gate.realm, family, law, fit(law) if gate.kind != "acl" else _shared(laws, law)))
    return out


def _uncounted(found: Iterable[Table]) -> Iterator[Problem]:
    """A gate that would let pass what is only observed, and of which nobody could read how much that was."""
    told: set[str] = set()
    for table in (t for t in found if not t.gate.capability.observes and t.gate.name not in told):
        if not any(rule_of(item).origin == "observe" for part in table.law.lists for item in items(part)):
            continue
        rule = next((rule_of(item) for item in permits(table.law) if rule_of(item).origin == "observe"), None)
        if rule:
            told.add(table.gate.name)
            yield Problem(
                "Gate that cannot observe",
                f"{table.gate.name} ({table.gate.platform}) would have to let pass what no rule allows, and nothing of ours "
                "reads there how often that happened. Observe between segments that only hosts with nftables guard, or "
                "write `enforcement: full`.",
                rule.place,
                nature="red",
            )


def _law(laws: Laws, gate: Gate, family: Family) -> tuple[Law, Callable[[Law], Sequence[Entry]]]:
    """A gate's law, and how its rows are made from it."""
    if gate.kind == "acl":
        return laws.routed(gate, family), acl_rows
    if gate.stateful:
        has = any(of == family for of, _ in gate.locals)
        return laws.host(gate, family), host_rows if has else partial(_bare, laws)
    law = laws.towards(gate, family)
    hidden = gate.capability.blind_to
    if hidden or not gate.capability.ordered:
        # With its blindness a law is permits alone, and those are the rows, as of a gate whose order is not the text's.
        law = blind(law, hidden)
        return (law if gate.capability.drops else accelerable(law)), permitted
    return law, towards_rows


def _bare(laws: Laws, law: Law) -> Sequence[Entry]:
    """The rows of a law that all hosts without an address of a family have."""
    if id(law) not in laws.bare_rows:
        laws.bare_rows[id(law)] = host_rows(law)
    return laws.bare_rows[id(law)]


def _shared(laws: Laws, law: Law) -> Sequence[Entry]:
    """The rows of a routed law, which both of a pair have."""
    if id(law) not in laws.fitted:
        rows, lines = counted_rows(law, laws.plain.get(id(law)))
        laws.fitted[id(law)] = rows
        if lines:
            laws.lines[id(rows)] = lines
    return laws.fitted[id(law)]


def _written(table: Table, known: dict[object, Sequence[Entry]]) -> Table:
    """The table with the rows that are lines one by one; blocks stay where they are written as groups, and where whoever
    writes them words each as a whole: in an access list that has no groups, and ahead of a face."""
    record = table.gate.capability
    groups = table.family in record.groups
    if (table.gate.kind == "acl" or isinstance(table.rows, Faced)) and not groups:
        return table
    key = id(table.rows), groups, record.groups_from, record.groups_services
    if key not in known:
        known[key] = fitted(table.rows, table.gate, table.family) if groups else tuple(table.rows)
    return table if known[key] is table.rows else Table(table.gate, table.realm, table.family, table.law, known[key])


def fitted(rows: Sequence[Entry], gate: Gate, family: Family) -> Sequence[Entry]:
    """The rows with a block wherever groups are the shorter form for this gate, and single rows else."""
    record = gate.capability
    return listed(
        part
        for item in items(rows)
        for part in (
            item.rows()
            if isinstance(item, Block) and not by_groups(family, item.sets, record.groups_from, record.groups_services)
            else (item,)
        )
    )

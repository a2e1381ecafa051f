"""Workloads that leave the table of their host for a stack past the kernel, or come back: what must happen in which order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from configlet import drivers
from configlet.model.block import items, sets_of
from configlet.model.gate import Reading
from configlet.model.inventory import Host, Workload
from configlet.model.policy import DST, SRC
from configlet.pipeline.site import Site
from configlet.place.gates import table_sees
from configlet.place.local import mechanism, stacks_of
from configlet.place.stacks import IN_NIC, cell
from configlet.plan import Item


def moves(site: Site, found: Iterable[Item]) -> dict[str, tuple[str, ...]]:
    """By host a sentence for each workload whose gate is another than that of what runs: the new one closes before the old
    one opens."""
    items = list(found)
    # A NIC that held nothing of ours guarded nobody, so nobody comes from it.
    bare = {item.artifact.owner for item in items if item.own and item.running is not None and not item.running.canonical}
    running = {
        item.artifact.owner: item.running
        for item in items
        if item.artifact.kind == "filter-table" and item.running is not None and not item.own
    }
    hosts = {host.name: host for host in site.inventory.hosts} if running else {}
    return {
        name: tuple(
            sentence
            for work in hosts[name].workloads
            for sentence in _move(site, hosts[name], work, judged=_judges(reading, work), bare=name in bare)
        )
        for name, reading in running.items()
    }


def _move(site: Site, host: Host, work: Workload, *, judged: bool, bare: bool) -> Iterator[str]:
    table, cards = f"{host.name}/{host.platform}", ", ".join(_cards(site, host, work))
    taken = table_sees(host, work)
    if judged and not taken and cards and _driven(site, host, work):
        yield (
            f"{work.name} leaves {table} for the stack {work.stack}: this push closes {cards} first, then {table}, which drops "
            "from then on what still comes by the kernel; then move the application. To lose no connection, push the NIC's "
            "table before the stack is changed here"
        )
    elif judged and not taken:
        first = f"load the table of {cards}" if cards else "have a gate that sees it: there is none, and it will be unguarded"
        yield (
            f"{work.name} leaves {table} for the stack {work.stack}: first {first}; then move the application; then push "
            f"this, after which {table} drops what still comes to it by the kernel"
        )
    elif taken and not judged and cards and not bare:
        yield f"{work.name} comes to {table}: push this first, then move the application; take its rules out of {cards} last"


def _driven(site: Site, host: Host, work: Workload) -> bool:
    """Whether a push reaches all the tables in the workload's NICs."""
    return all(site.platforms[n.filter_table].driver in drivers.names() for n in host.nics_of(work) if n.filter_table)


def _judges(running: Reading, work: Workload) -> bool:
    """Whether a text that runs lets anything pass that has one of the workload's addresses as an end, and no other."""
    own = {(int(a), int(a)) for a in work.addresses}
    rows = (item for lines in running.lists.values() for item in items(lines) if item.permit)
    return any(own & {*sets_of(row)[level]} for row in rows for level in (DST, SRC))


def _cards(site: Site, host: Host, work: Workload) -> list[str]:
    names = {nic.name for nic in host.nics_of(work)}
    gates = [g for g in site.placement.of_owner(host.name) if mechanism(g) in IN_NIC and g.binding in names]
    return [g.name for g in gates if all(cell(stack, mechanism(g)).rx for stack in stacks_of(work))]

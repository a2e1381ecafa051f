"""What the tables of a gate cost, counted in blocks before any row is written out, and who costs most."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter, itemgetter
from types import MappingProxyType

from configlet.fit.units import ICMPS, by_groups, grouped, lengths, many, typed, types
from configlet.model.block import Block, Sets, items, sets_of
from configlet.model.gate import Capability, Table
from configlet.model.net import PORTS, Family, Spans, merge
from configlet.model.policy import DPORT, DST, PROTO, SRC, Entry, Rule
from configlet.model.problem import Place, Problem
from configlet.packets.sets import within

_BOX, _PROTO = attrgetter("box"), itemgetter(PROTO)
NOTHING: Mapping[int, int] = MappingProxyType({})
_PLAIN = ((6, 6), (17, 17))
"""Protocols of which a row between two prefixes is one line."""


@dataclass(slots=True)
class Cost:
    """The cost of one gate: lines as they are typed, entries as they are held, and what each rule takes of them."""

    typed: int = 0
    held: int = 0
    rules: dict[int, int] = field(default_factory=dict)
    """By the identity of a rule, as a rule's value is long."""
    known: dict[int, Rule] = field(default_factory=dict)
    groups: set[object] = field(default_factory=set)

    def take(self, rule: Rule, count: int) -> None:
        """A rule takes so much."""
        key = id(rule)
        self.known[key] = rule
        self.rules[key] = self.rules.get(key, 0) + count


def too_large(found: Iterable[Table], models: Mapping[str, str], lines: Mapping[int, int] = NOTHING) -> Iterator[Problem]:
    """A problem for every gate whose tables do not fit: both counts, the limit, and the rules that cost most. ``lines``: of
    lists by the identity of their rows what they cost at most, where that is known."""
    tables: dict[str, list[Table]] = {}
    known: dict[object, Cost] = {}
    for table in found:
        if table.gate.kind == "acl" or table.gate.capability.ordered:  # else counted where it is cut to what hardware can say
            tables.setdefault(table.gate.name, []).append(table)
    for name, of in tables.items():
        gate, record = of[-1].gate, of[-1].gate.capability
        held = record.holds(models.get(gate.owner, ""))
        most = (_most(table) if gate.stateful else lines.get(id(table.rows)) or _lines(table) for table in of)
        if sum(most) <= min(record.capacity, held):
            continue
        parts = [_known(table, known) for table in of]
        if sum(part.typed for part in parts) > record.capacity or sum(part.held for part in parts) > held:
            yield _problem(name, _together(parts), record, held)


def _known(table: Table, known: dict[object, Cost]) -> Cost:
    key = id(table.rows), table.gate.kind, table.gate.capability
    if key not in known:
        known[key] = cost(table)
    return known[key]


def _most(table: Table) -> int:
    """No less than a host's table costs: where no two of its addresses touch, a row is an element at one of them."""
    mine = {span for family, span in table.gate.locals if family == table.family}
    addresses = sum(high - low + 1 for low, high in mine)
    apart = len(merge(mine)) == addresses
    return len(table.rows) * (1 if apart else addresses) + 2 * addresses


def _lines(table: Table) -> int:
    """No less than a list costs: as if each row between two ends were as long as the longest at both."""
    return at_most(table.family, items(table.rows))


def at_most(family: Family, found: Sequence[Entry | Block[Entry]]) -> int:
    """The same of its rows."""
    blocks = [item for item in found if not isinstance(item, Entry)]  # the type that nearly all have is seen at once
    boxes = [item.box for item in found if isinstance(item, Entry)] if blocks else list(map(_BOX, found))
    rows = len(boxes)
    if not ICMPS.isdisjoint(map(_PROTO, boxes)):
        rows += sum(types(box[DPORT]) for box in boxes if box[PROTO] in ICMPS and box[DPORT] != PORTS)
    to, start = ({lengths(family, span) for span in set(map(itemgetter(at), boxes))} for at in (DST, SRC))
    return rows * max(to, default=1) * max(start, default=1) + sum(typed(family, block.sets) for block in blocks)


def most_of(total: Cost) -> list[tuple[tuple[str, Place | None], int]]:
    """The three rules that cost most: name, place, and count."""
    most = sorted(total.rules.items(), key=lambda item: -item[1])[:3]
    return [((total.known[key].name, total.known[key].place), count) for key, count in most]


def _together(parts: Iterable[Cost]) -> Cost:
    total = Cost()
    for part in parts:
        total.typed += part.typed
        total.held += part.held
        for key, count in part.rules.items():
            total.take(part.known[key], count)
    return total


def _problem(name: str, total: Cost, record: Capability, held: int) -> Problem:
    if total.typed == total.held and record.capacity == held:
        said = f"{name} needs {total.held:,} entries and has room for {held:,}"
    else:
        said = (
            f"{name} needs {total.typed:,} lines and takes {record.capacity:,}; with its groups expanded it needs "
            f"{total.held:,} entries and has room for {held:,}"
        )
    most = "".join(
        f'\n"{rule}" {count:,}' + (f" ({place})" if place else "") for (rule, place), count in most_of(total)
    )
    return Problem(
        "Table larger than its gate",
        f"{said}. Nothing was rendered. Narrow these rules, or join their addresses to prefixes. "
        f"The rules that cost most: {most}",
        next((place for (_, place), _ in most_of(total)), None),
        nature="red",
    )


def cost(table: Table) -> Cost:
    """What one table costs. Of blocks the sets are counted, never the rows."""
    return _host_cost(table) if table.gate.stateful else _list_cost(table)


def _list_cost(table: Table) -> Cost:
    out, record, family = Cost(), table.gate.capability, table.family
    prefixed = ("address", "prefix") in record.match and ("address", "range") not in record.match
    for item in items(table.rows):
        if isinstance(item, Entry) and item.box[PROTO] in _PLAIN:
            count = lengths(family, item.box[DST]) * lengths(family, item.box[SRC]) if prefixed else 1
            out.held += count
            out.typed += count
            out.take(item.rule, count)
            continue
        sets, entry = sets_of(item), _like(item)
        count = typed(family, sets) if prefixed else _product(sets)
        out.held += count
        out.take(entry.rule, count)
        said = family, sets, record.groups_from, record.groups_services
        if isinstance(item, Block) and family in record.groups and by_groups(*said):
            made = grouped(sets, record.groups_services)
            out.typed += made.lines
            for spans in made[1:]:
                if spans and spans not in out.groups:
                    out.groups.add(spans)
                    out.typed += 1 + (len(spans) if spans is made.services else many(family, spans))
        else:
            out.typed += count
    return out


def _end(item: Entry | Block[Entry], level: int) -> Spans:
    return item.sets[level] if isinstance(item, Block) else (item.box[level],)


def _product(sets: Sets) -> int:
    count = 1
    for spans in sets:
        count *= len(spans)
    return count


def _like(item: Entry | Block[Entry]) -> Entry:
    return item.like if isinstance(item, Block) else item


def _host_cost(table: Table) -> Cost:
    """Elements of maps: addresses of the host of which the rows say the same share theirs. The few rows that have neither
    end at the host are statements.
    """
    out = Cost()
    mine = merge(span for family, span in table.gate.locals if family == table.family)
    here: dict[Spans, bool] = {}
    ends: dict[int, dict[Spans, list[Entry | Block[Entry]]]] = {DST: {}, SRC: {}}
    for item in items(table.rows):
        for level, of in ends.items():
            spans = _end(item, level)
            if spans not in here:
                here[spans] = within(spans, mine)
            if here[spans]:
                of.setdefault(spans, []).append(item)
                break
    for level, of in ends.items():
        groups, seen = list(of.values()), set[tuple[int, ...]]()
        for numbers in _pieces(list(of)):
            out.held += 1
            for item in (row for number in numbers for row in groups[number] if numbers not in seen):
                count = _product(item.sets) // len(item.sets[level]) if isinstance(item, Block) else 1
                out.held += count
                out.take(_like(item).rule, count)
            seen.add(numbers)
    out.typed = out.held
    return out


def _pieces(rows: list[Spans]) -> Iterator[tuple[int, ...]]:
    """The numbers of the rows that hold each piece, where the pieces end at all ends of their spans."""
    events: dict[int, list[tuple[bool, int]]] = {}
    for number, spans in enumerate(rows):
        for low, high in spans:
            events.setdefault(low, []).append((True, number))
            events.setdefault(high + 1, []).append((False, number))
    active: set[int] = set()
    for border in sorted(events):
        for begins, number in sorted(events[border]):
            (active.add if begins else active.discard)(number)
        if active:
            yield tuple(sorted(active))

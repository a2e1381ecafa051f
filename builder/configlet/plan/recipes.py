"""How a list that is in force is replaced, step by step, so that no state on the way loses or leaks a packet.

Two recipes. *Sequence delta*: what comes is added from the top down, then what goes is removed from the bottom up; the
first entry that a packet meets is then always the one of the old list or the one of the new. *Swap*: the new list is
built under its second name, where nothing binds it, and the binding changes from the one to the other in one line.

Neither is believed: every state that is in force on the way is computed and proven to pass what both lists pass and to
deny what both deny. What cannot be proven is not a recipe.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from typing import Any

from configlet.model.block import Block, listed
from configlet.model.frozen import dataclass
from configlet.model.gate import Line, Reading
from configlet.model.net import Family
from configlet.model.platform import Kind
from configlet.model.policy import Box
from configlet.model.problem import refuse
from configlet.packets.atoms import difference
from configlet.packets.boxes import box_text, full
from configlet.packets.walk import Overrun
from configlet.plan.recipes_lists import (
    Impossible,
    Key,
    Lists,
    Members,
    Name,
    Named,
    Step,
    Unit,
    Units,
    after,
    lines,
    lists_of,
)

LONGEST_DELTA = 64
"""Steps; above it a swap is shorter, and proves less on the way."""
WIDEST = 1 << 16
"""Free numbers that are looked at between two entries."""
_Goal = Mapping[Key, Units]
_Rows = tuple[Line | Block[Line], ...]
_NOWHERE: Name = (0, "")
_NONE: Mapping[Named, Members] = {}


@dataclass(frozen=True, slots=True)
class Way:
    """What is sent to go from what runs to what is wanted, and what is sent to go back after that was confirmed."""

    load: str
    undo: str


def way(kind: Kind, running: Reading, desired: Reading) -> Way:
    """Both ways between two readings, by the recipes that the platform names (``change`` of its manifest).

    Raises Refused (red) when no recipe can be proven.
    """
    change = {**kind.change, "name": kind.operands["name"]}
    old, new = lists_of(change["commands"], running), lists_of(change["commands"], desired)
    there, reached = route(change, old, _goal(new), new.groups)
    back, _ = route(change, _settled(reached), _goal(old), old.groups)
    return Way(_text(change, there), _text(change, back))


def _settled(reached: Lists) -> Lists:
    """What is left once the change is confirmed: lists that nothing binds go, then groups that no list names."""
    left = Lists({n: u for n, u in reached.lists.items() if n in _used(reached)}, reached.bound)
    named = left.named()
    return Lists(left.lists, left.bound, {g: members for g, members in reached.groups.items() if g[1] in named})


def route(
    change: Mapping[str, Any], held: Lists, goal: _Goal, groups: Mapping[Named, Members] = _NONE
) -> tuple[tuple[Step, ...], Lists]:
    """Proven steps from what is held to what is wanted at each binding, and what is held then.

    Lists that nothing binds are in nobody's way: those left over are dropped first, new ones are built before anything
    that is in force changes, and those that a swap leaves stand until the confirmation, so that going back is one line.
    """
    first = tuple(Step("drop", name) for name in held.lists if name not in _used(held))
    first += tuple(_grouping(_run(held, first), goal, groups))
    clean = _run(held, first)
    building: list[Step] = []
    changing: list[Step] = []
    for key in sorted({*clean.bound, *goal}):
        if _said(clean.at(key)) != _said(goal.get(key)):
            build, swap = _recipe(change, clean, key, goal.get(key))
            building += build
            changing += swap
    steps = (*first, *building, *changing)
    return steps, _run(held, steps)


def _grouping(held: Lists, goal: _Goal, groups: Mapping[Named, Members]) -> Iterator[Step]:
    """Groups that no list names any more are forgotten, and those that the goal names made. Raises Refused for a group in
    use that holds other than its name says: somebody changed it by hand, and it cannot be mended while it is in use.
    """
    named, wanted = held.named(), {name for units in goal.values() for unit in units for name in unit.groups}
    for group, members in sorted(held.groups.items()):
        if group[1] not in named and (group[1] not in wanted or groups.get(group) != members):
            yield Step("forget", _NOWHERE, group=group)
        elif group[1] in wanted and groups.get(group) != members:
            detail = (
                f"The object group {group[1]} is in use and holds other than its name says, so somebody changed it by "
                "hand. Its members cannot be mended one by one without passing or dropping packets on the way. Enter "
                "what the plan shows of it by hand, or unbind its list."
            )
            raise refuse("Object group that was changed in use", detail, nature="red")
    for group, members in sorted(groups.items()):
        if group[1] in wanted and held.groups.get(group) != members:
            yield Step("define", _NOWHERE, group=group, members=members)


def _recipe(change: Mapping[str, Any], held: Lists, key: Key, new: Units | None) -> tuple[tuple[Step, ...], ...]:
    """What is built beside and what is changed in force, for one binding. Raises Refused when nothing is proven."""
    why: list[str] = []
    for recipe in dict.fromkeys((change["recipe"][key[2]], change["otherwise"])):
        try:
            build, swap = _RECIPES[recipe](change, held, key, new)
            unproven(held, (*build, *swap), key)
            return build, swap
        except Impossible as error:
            why.append(f"{recipe}: {error}")
    detail = f"The list at {key[0]} {key[1]} cannot be replaced in service. " + ". ".join(why) + "."
    raise refuse("No proven way to replace a list", detail, nature="red")


def _delta(change: Mapping[str, Any], held: Lists, key: Key, new: Units | None) -> tuple[tuple[Step, ...], ...]:
    old, name = held.at(key), (key[2], held.bound.get(key, ""))
    if not old or not new:
        raise Impossible("there is no list to change, or none to change it to")
    codes = SequenceMatcher(None, [u.said for u in old], [u.said for u in new], autojunk=False).get_opcodes()
    coming: list[Step] = []
    going: list[Step] = []
    for tag, i1, i2, j1, j2 in codes:
        if tag == "equal":
            continue
        low = old[i1 - 1].number if i1 else change["sequence"]["lowest"] - 1
        high = min(old[i2].numbers) if i2 < len(old) else None
        taken = {number for unit in old[i1:i2] for number in unit.numbers}
        coming += [Step("add", name, unit) for unit in _numbered(change, low, high, taken, new[j1:j2])]
        going += [Step("remove", name, unit) for unit in old[i1:i2]]
    if len(coming) + len(going) > LONGEST_DELTA:
        raise Impossible(f"{len(coming) + len(going)} steps are more than {LONGEST_DELTA}")
    return (), (*coming, *reversed(going))


def _numbered(change: Mapping[str, Any], low: int, high: int | None, taken: set[int], units: Units) -> Iterator[Unit]:
    """The units with free numbers. Each remark has one of its own: whether it may share its entry's is nowhere said.

    Where a remark is not numbered by its command, the device counts on by itself, and room is left for that.
    """
    numbers = iter(_room(change["sequence"], low, high, taken, sum(1 + len(unit.remarks) for unit in units)))
    for unit in units:
        marks = tuple(next(numbers) for _ in unit.remarks)
        yield replace(unit, marks=marks, number=next(numbers))


def _room(sequence: Mapping[str, int], low: int, high: int | None, taken: set[int], many: int) -> list[int]:
    """Free numbers between two entries that stay, spread evenly so that the next change finds room too."""
    last, step = max({low, *taken}), sequence["step"]
    if high is None:
        return [_allowed(sequence, last + step * (n + 1)) for n in range(many)]
    free = [number for number in range(low + 1, min(high, low + WIDEST)) if number not in taken]
    if len(free) < many:
        raise Impossible(f"the numbers between {low} and {high} leave no room for {many} entries")
    return [free[(2 * n + 1) * len(free) // (2 * many)] for n in range(many)]


def _allowed(sequence: Mapping[str, int], number: int) -> int:
    if number > sequence["highest"]:
        raise Impossible(f"the number {number} is above {sequence['highest']}")
    return number


def _swap(change: Mapping[str, Any], held: Lists, key: Key, new: Units | None) -> tuple[tuple[Step, ...], ...]:
    bound = held.bound.get(key)
    if new is None:
        assert bound is not None
        return (), (Step("unbind", (key[2], bound), key=key),)
    name = _free(change, held, key)
    build = tuple(Step("add", name, unit) for unit in _numbered(change, 0, None, set(), new))
    return build, (Step("bind", name, key=key),)


def _free(change: Mapping[str, Any], held: Lists, key: Key) -> Name:
    """The name of the two that nothing has now."""
    base = change["name"].format(binding=key[0], direction=key[1], family=key[2])
    other = change["alternate"].format(name=base)
    for name in (base, other):
        if (key[2], name) not in held.lists:
            return key[2], name
    raise Impossible(f"both {base} and {other} are taken")


_RECIPES = {"sequence-delta": _delta, "swap": _swap}


def unproven(held: Lists, steps: Sequence[Step], key: Key) -> None:
    """Prove every state that the steps put in force at a binding. Raises Impossible at the first that is not."""
    states = [held]
    for step in steps:
        states.append(after(states[-1], step))
    family: Family = 4 if key[2] == 4 else 6
    seen = [_rows(state.at(key), family) for state in states]
    for number, rows in enumerate(seen):
        if rows not in (seen[0], seen[-1]) and (number == 0 or rows != seen[number - 1]):
            _sound(family, seen[0], seen[-1], rows)


def _sound(family: Family, old: _Rows, new: _Rows, now: _Rows) -> None:
    """Nothing passes that both deny, and nothing is denied that both pass. Raises Impossible."""
    opened = _passed(family, (old, new), now)
    closed = _passed(family, (_not(family, old), _not(family, new)), _not(family, now))
    for found, what in ((opened, "would pass"), (closed, "would be dropped")):
        if isinstance(found, Overrun):
            raise Impossible("a state on the way could not be proven within the budget")
        if found is not None:
            raise Impossible(f"{box_text(family, found)} {what} on the way")


def _not(family: Family, rows: _Rows) -> _Rows:
    """The list that passes exactly what the other denies."""
    return (*(_turned(row) for row in rows), _everything(family))


def _turned(row: Line | Block[Line]) -> Line | Block[Line]:
    if isinstance(row, Block):
        return Block(row.sets, row.like._replace(permit=not row.permit))
    return row._replace(permit=not row.permit)


def _passed(family: Family, law: tuple[_Rows, _Rows], now: _Rows) -> Box | Overrun | None:
    """Packets that now pass, and that neither of two lists passes."""
    old, new = law
    return difference(family, (_listed(old), _listed(new)), _listed(now), "too open")


def _listed(rows: _Rows) -> Sequence[Line]:
    return listed(rows)


def _everything(family: Family) -> Line:
    return Line(True, full(family), 0, "")


def _rows(units: Units | None, family: Family) -> _Rows:
    return (_everything(family),) if units is None else tuple(row for unit in units for row in unit.rows)


def _run(held: Lists, steps: Sequence[Step]) -> Lists:
    for step in steps:
        held = after(held, step)
    return held


def _goal(lists: Lists) -> _Goal:
    return {key: units for key in lists.bound if (units := lists.at(key)) is not None}


def _used(held: Lists) -> set[Name]:
    return {(key[2], name) for key, name in held.bound.items()}


def _said(units: Units | None) -> list[object] | None:
    return None if units is None else [unit.said for unit in units]


def _text(change: Mapping[str, Any], steps: tuple[Step, ...]) -> str:
    return "".join(f"{line}\n" for line in lines(change["commands"], steps))

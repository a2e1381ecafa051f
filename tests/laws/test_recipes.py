"""While a list is replaced in service, no packet that passes before and after is lost, and none that is denied leaks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configlet import platforms, readers
from configlet.drivers import cli_lists
from configlet.model.gate import Line
from configlet.model.platform import Platform
from configlet.model.policy import Packet
from configlet.model.problem import Refused
from configlet.packets.boxes import change as over
from configlet.packets.boxes import full
from configlet.packets.verdict import first
from configlet.plan.recipes import LONGEST_DELTA, _goal, route, unproven, way
from configlet.plan.recipes_lists import Impossible, Key, Lists, Step, Unit, Units, after, lines
from configlet.platforms.content import search

KEY: Key = ("Vlan120", "in", 4)
NAME, SECOND = (4, "cfglt-Vlan120-in-v4"), (4, "cfglt-Vlan120-in-v4.2")
PORTS = range(6)
PACKETS = [Packet("", 4, 6, 1, 2, dport=port, established=flag) for port in PORTS for flag in (False, True)]


@cache
def ios() -> Platform:
    return platforms.load(search(None))["ios"]


def recipe(name: str) -> dict[str, Any]:
    kind = ios().kinds["acl"]
    return {**kind.change, "name": kind.operands["name"], "recipe": {4: name, 6: name}, "otherwise": name}


def unit(number: int, permit: bool, low: int, high: int, flag: int | None = None, remark: str = "") -> Unit:
    box = over(over(full(4), 0, (6, 6)), 3, (low, high))
    box = box if flag is None else over(box, 5, (flag, flag))
    text = f"{'permit' if permit else 'deny'} tcp any any range {low} {high} {flag}"
    marks = (number - 1,) if remark else ()
    return Unit(number, text, (remark,) if remark else (), (Line(permit, box, number, text),), marks)


entries = st.builds(
    lambda permit, ends, flag, remark: (permit, min(ends), max(ends), flag, remark),
    st.booleans(), st.tuples(st.integers(0, 5), st.integers(0, 5)), st.sampled_from([None, None, 1]),
    st.sampled_from(["", "", "one", "two"]),
)  # fmt: skip
texts = st.lists(entries, min_size=1, max_size=7, unique_by=lambda entry: entry[:4])
steps_of = st.sampled_from([2, 3, 10])


def held(said: list[Any], step: int = 10, name: str = NAME[1]) -> Lists:
    units = tuple(unit(step * n, *entry) for n, entry in enumerate(said, 1))
    return Lists({(4, name): units}, {KEY: name})


def passes(found: Lists) -> list[bool]:
    """Which packets pass, judged one by one and by nothing that the recipe is made with."""
    units = found.at(KEY)
    rows = None if units is None else [row for unit in units for row in unit.rows]
    hits = [None if rows is None else first(rows, packet) for packet in PACKETS]
    return [rows is None or (hit is not None and hit.permit) for hit in hits]


def states(found: Lists, steps: tuple[Step, ...]) -> Iterator[Lists]:
    for step in steps:
        found = after(found, step)
        yield found


def harm(old: Lists, steps: tuple[Step, ...]) -> bool:
    """Whether a packet that is judged alike before and after is judged otherwise on the way."""
    seen = [passes(old), *map(passes, states(old, steps))]
    return any(
        before == behind != now for state in seen for before, now, behind in zip(seen[0], state, seen[-1], strict=True)
    )


@settings(max_examples=300, deadline=None)
@given(texts, texts, steps_of, st.sampled_from(["sequence-delta", "swap"]))
def test_on_the_way_from_any_list_to_any_other_nothing_is_lost_and_nothing_leaks(
    old: list[Any], new: list[Any], step: int, name: str
) -> None:
    before, goal = held(old, step), _goal(held(new))
    try:
        steps, reached = route(recipe(name), before, goal)
    except Refused as refused:
        assert name == "sequence-delta"
        assert "on the way" not in str(refused), "additions from the top, removals from the bottom are always proven"
        return
    assert not harm(before, steps)
    assert [u.said for u in reached.at(KEY) or ()] == [u.said for u in goal[KEY]]
    numbers = [number for u in reached.at(KEY) or () for number in (*u.marks, u.number)]
    assert numbers == sorted(set(numbers))


@settings(max_examples=300, deadline=None)
@given(texts, texts, st.randoms(use_true_random=False))
def test_an_order_of_steps_is_proven_exactly_when_it_harms_no_packet(old: list[Any], new: list[Any], dice: Any) -> None:
    before = held(old)
    try:
        steps, _ = route(recipe("sequence-delta"), before, _goal(held(new)))
    except Refused:
        return
    mixed = list(steps)
    dice.shuffle(mixed)
    try:
        unproven(before, mixed, KEY)
    except Impossible:
        # A state may be without any entry on the way; the packets of the whole family are more than those sent here.
        assert harm(before, tuple(mixed)) or any(found.at(KEY) is None for found in states(before, tuple(mixed)))
    else:
        assert not harm(before, tuple(mixed))


def test_the_usual_ways_are_refused_with_the_packet_that_they_would_lose_or_leak() -> None:
    allow, shut = unit(10, True, 2, 2), unit(20, False, 3, 3)
    before = Lists({NAME: (allow, shut, unit(30, True, 3, 5))}, {KEY: NAME[1]})

    def there(*found: Unit) -> list[Step]:
        return [Step("add", NAME, u) for u in found]

    def gone(*found: Unit) -> list[Step]:
        return [Step("remove", NAME, u) for u in found]

    with pytest.raises(Impossible, match="tcp 2 would be dropped"):
        unproven(before, [*gone(allow), *there(allow)], KEY)
    with pytest.raises(Impossible, match="tcp 3 would pass"):
        unproven(before, [*gone(shut), *there(shut)], KEY)
    with pytest.raises(Impossible, match="would pass"):
        unproven(before, [Step("unbind", NAME, key=KEY), Step("bind", NAME, key=KEY)], KEY)
    with pytest.raises(Impossible, match="is bound"):
        unproven(before, [Step("drop", NAME)], KEY)
    unproven(before, [*there(unit(5, True, 0, 0)), *gone(allow)], KEY)


def test_without_room_for_a_number_or_with_an_entry_that_moves_the_list_is_swapped_and_back_again() -> None:
    named = {**recipe("swap"), "recipe": {4: "sequence-delta"}}
    one, two, end = (True, 1, 1, None, ""), (True, 2, 2, None, ""), (False, 0, 5, None, "")
    for old, new, step in (([one, end], [one, two, end], 1), ([one, two, end], [two, one, end], 10)):
        before = held(old, step)
        steps, reached = route(named, before, _goal(held(new)))
        assert [step.verb for step in steps] == ["add"] * len(new) + ["bind"]
        assert reached.bound == {KEY: SECOND[1]}
        assert reached.lists[NAME] == before.lists[NAME]
        again, last = route(recipe("swap"), reached, _goal(held(old)))
        assert (again[0].verb, again[0].name) == ("drop", NAME)
        assert last.bound == {KEY: NAME[1]}
    steps, _ = route(named, held([one, end]), _goal(held([one, two, end])))
    assert [step.verb for step in steps] == ["add"]


def test_a_change_of_many_entries_is_swapped() -> None:
    named = {**recipe("swap"), "recipe": {4: "sequence-delta"}}
    many = [(True, n, n, None, "") for n in range(100, 100 + LONGEST_DELTA + 1)]
    steps, _ = route(named, held([(False, 0, 5, None, "")]), _goal(held([*many, (False, 0, 5, None, "")])))
    assert steps[-1].verb == "bind"


def test_a_list_that_nothing_binds_is_dropped_first_and_a_bound_one_never() -> None:
    left: Units = (unit(10, True, 0, 0),)
    before = Lists({**held([(True, 1, 1, None, "")]).lists, SECOND: left}, {KEY: NAME[1]})
    steps, _ = route(recipe("swap"), before, _goal(held([(True, 2, 2, None, "")])))
    assert (steps[0].verb, steps[0].name) == ("drop", SECOND)
    assert [step.name for step in steps[1:]] == [SECOND, SECOND]


TEXT = """ip access-list extended cfglt-Vlan120-in-v4
 10 remark clients
 10 permit tcp 10.1.20.0 0.0.0.255 host 10.1.30.1 eq 443
 20 permit tcp 10.1.20.0 0.0.0.255 host 10.1.30.1 eq 80
 30 remark default deny
 30 deny ip any any
!
ipv6 access-list cfglt-Vlan120-in-v6
 remark default deny
 sequence 10 deny ipv6 any any
!
interface Vlan120
 ip access-group cfglt-Vlan120-in-v4 in
 ipv6 traffic-filter cfglt-Vlan120-in-v6 in
!
"""


NEW = """ip access-list extended cfglt-Vlan120-in-v4
 10 remark clients
 20 permit tcp 10.1.20.0 0.0.0.255 host 10.1.30.1 eq 443
 30 permit tcp 10.1.20.0 0.0.0.255 host 10.1.30.1 eq 80
 40 remark default deny
 50 deny ip any any
ipv6 access-list cfglt-Vlan120-in-v6
 remark default deny
 sequence 20 deny ipv6 any any
interface Vlan120
 ip access-group cfglt-Vlan120-in-v4 in
 ipv6 traffic-filter cfglt-Vlan120-in-v6 in
"""


def test_the_words_are_those_of_the_platform() -> None:
    kind = ios().kinds["acl"]
    running = readers.read(ios(), "acl", TEXT, "runs")
    new = TEXT.replace(" 20 permit tcp 10.1.20.0 0.0.0.255 host 10.1.30.1 eq 80\n", " 20 permit udp any any eq 53\n")
    found = way(kind, running, readers.read(ios(), "acl", new, "wanted"))
    assert found.load == "ip access-list extended cfglt-Vlan120-in-v4\n 21 permit udp any any eq 53\n no 20\n"
    assert found.undo == (
        "ip access-list extended cfglt-Vlan120-in-v4\n 20 permit tcp 10.1.20.0 0.0.0.255 host 10.1.30.1 eq 80\n no 21\n"
    )
    found = way(kind, readers.read(ios(), "acl", "", "nothing"), running)
    assert found.load == NEW
    assert found.undo.splitlines()[:3] == [
        "interface Vlan120", " no ip access-group cfglt-Vlan120-in-v4 in", " no ipv6 traffic-filter cfglt-Vlan120-in-v6 in"
    ]  # fmt: skip
    assert list(lines(kind.change["commands"], (Step("drop", SECOND),))) == [f"no ip access-list extended {SECOND[1]}"]


V4 = [f"permit tcp any host 10.1.30.{n} eq {80 + n}" for n in range(4)] + [
    f"deny udp host 10.1.20.{n} any" for n in range(3)
]
V6 = [f"permit tcp any host 2001:db8::{n} eq {80 + n}" for n in range(1, 4)] + ["permit icmp any any 128"]
END = {4: "deny ip any any", 6: "deny ipv6 any any"}
HEAD = {4: "ip access-list extended cfglt-Vlan120-in-v4", 6: "ipv6 access-list cfglt-Vlan120-in-v6"}
BIND = {4: "ip access-group cfglt-Vlan120-in-v4 in", 6: "ipv6 traffic-filter cfglt-Vlan120-in-v6 in"}


def written(family: int, said: list[tuple[str, str]], step: int) -> str:
    """A list as the device shows it; each entry may have a remark, which has no number of its own in IPv6."""
    word, number, out = "sequence " * (family == 6), 0, [HEAD[family]]
    for remark, entry in [("first", f"deny {END[family].split()[1]} any any fragments"), *said, ("end", END[family])]:
        for text in [f"remark {remark}"] * bool(remark) + [entry]:
            number += step
            out.append(f" {text}" if family == 6 and text.startswith("remark") else f" {word}{number} {text}")
    return "\n".join(out) + "\n"


def shape(family: int, pool: list[str]) -> st.SearchStrategy[str | None]:
    said = st.lists(st.tuples(st.sampled_from(["", "", "one", "two"]), st.sampled_from(pool)), unique_by=lambda e: e[1])
    return st.none() | st.builds(written, st.just(family), said, st.sampled_from([1, 2, 10]))


def whole(four: str | None, six: str | None) -> str:
    bound = [f" {BIND[family]}\n" for family, text in ((4, four), (6, six)) if text]
    return (four or "") + (six or "") + ("interface Vlan120\n" + "".join(bound) if bound else "")


device = st.builds(whole, shape(4, V4), shape(6, V6))


@settings(max_examples=200, deadline=None)
@given(device, device)
def test_the_driver_s_own_understanding_of_the_lines_comes_to_what_is_wanted_there_and_back(old: str, new: str) -> None:
    """Plan and driver know what a line does by themselves; where they differ nothing is sent."""
    running, wanted = (readers.read(ios(), "acl", text, "t") for text in (old, new))
    found = way(ios().kinds["acl"], running, wanted)
    there = cli_lists.entered(cli_lists.shown(old), found.load.splitlines())
    assert readers.read(ios(), "acl", there.text(), "t").canonical == wanted.canonical
    back = cli_lists.entered(cli_lists.shown(there.text()), found.undo.splitlines())
    assert readers.read(ios(), "acl", back.text(), "t").canonical == running.canonical

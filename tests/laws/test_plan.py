"""A plan says exactly what changes, both ways, and which flows it opens and closes; load and undo are inverse."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configlet.model.gate import Artifact, Line, Reading, Texts
from configlet.model.plan import Plan
from configlet.model.policy import Box
from configlet.model.problem import Refused
from configlet.plan import Item, back, compared, from_dict, from_json, plan_of, to_json, verify
from configlet.plan.texts import RESET, load_text
from tests.lab.eos_bench import make
from tests.lab.push_bench import canonical

EVERY: Box = ((0, 255), (0, 2**32 - 1), (0, 2**32 - 1), (0, 65535), (0, 65535), (0, 1), (0, 1))


def box(ports: tuple[int, int], destination: int | None = None) -> Box:
    dst = (0, 2**32 - 1) if destination is None else (destination, destination)
    return ((6, 6), dst, (0, 2**32 - 1), ports, (0, 65535), (0, 1), (0, 0))


def permit(label: str, *ports: int, destination: int | None = None) -> Line:
    return Line(True, box((ports[0], ports[-1]), destination), 1, f"permit {label}", label)


def deny(label: str, *ports: int) -> Line:
    return Line(False, box((ports[0], ports[-1])), 1, f"deny {label}", label)


def reading(text: str, *lines: Line, notes: tuple[str, ...] = ()) -> Reading:
    lists = {("Vlan120", "in", 4): lines} if lines else {}
    return Reading(lists, 1, 1, texts=lambda: Texts(text), notes=notes)  # type: ignore[arg-type]


def item(owner: str, running: Reading | None, desired: Reading, doubt: str = "") -> Item:
    artifact = Artifact(owner, "eos", "acl", desired.canonical, (), f"{owner}.eos.acl")
    return Item(artifact, desired, running.canonical if running else "", running, doubt)


def planned(*items: Item, **more: Any) -> Plan:
    return plan_of(compared(items), site="dc1", target="lab", date="2026-11-24", version="0", inventory="abc", **more)


A, B = "ip access-list cfglt-a\n   10 permit tcp any any\n", "ip access-list cfglt-a\n   10 permit udp any any\n"


def test_only_devices_that_differ_are_changed_and_the_order_of_reading_is_no_matter() -> None:
    items = [
        item("leaf2", reading(A), reading(B)),
        item("leaf1", reading(A), reading(B)),
        item("z", reading(A), reading(A)),
    ]
    plan = planned(*items)
    assert [change.owner for change in plan.changes] == ["leaf1", "leaf2"]
    assert plan == planned(*reversed(items))
    assert planned(items[2]).changes == ()
    assert "-   10 permit tcp any any\n+   10 permit udp any any" in plan.changes[0].diff


def test_a_foreign_list_and_a_device_that_was_not_read_are_problems() -> None:
    plan = planned(
        item("leaf1", reading(A, notes=("Vlan120 in is bound to OTHER",)), reading(A)),
        item("leaf2", None, reading(A), "no answer"),
        problems=("red",),
    )
    assert plan.problems == (
        "red",
        "leaf1: Vlan120 in is bound to OTHER",
        "leaf2: what it runs is not known: no answer",
    )
    assert plan.changes == ()


def test_a_list_of_ours_that_lost_its_binding_is_no_problem_as_the_change_binds_it() -> None:
    plan = planned(item("leaf1", reading(A, notes=("not bound: leaf1 running:1:1",)), reading(B)))
    assert plan.problems == () and [change.owner for change in plan.changes] == ["leaf1"]


def test_a_plan_survives_its_file_and_any_change_of_it_is_refused() -> None:
    plan = planned(item("leaf1", reading(A, permit("x", 22)), reading(B, permit("y", 23))), risks=("one",))
    text = to_json(plan)
    assert from_json(text) == plan
    assert verify(plan)
    for old, new in (
        ("leaf1", "leaf7"),
        ('"opened": true', '"opened": false'),
        ("permit udp", "permit tcp"),
        ("lab", "site"),
    ):
        assert old in text
        with pytest.raises(Refused, match="changed"):
            from_json(text.replace(old, new))


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"format": "configlet-plan/2", "plan": {}}', "\x00"])
def test_what_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        from_json(text)


def test_a_plan_with_a_missing_an_unknown_or_a_misshapen_field_is_refused() -> None:
    good = asdict(planned(item("leaf1", reading(A, permit("x", 22)), reading(B, permit("y", 23)))))
    assert from_dict(json.loads(json.dumps(good))).changes[0].owner == "leaf1"

    def places(value: Any) -> Any:
        if isinstance(value, dict):
            for key in value:
                yield value, key
                yield from places(value[key])
        elif isinstance(value, (list, tuple)):
            for inner in value:
                yield from places(inner)

    count = sum(1 for _ in places(good))
    for number in range(count):
        for spoil in ("remove", "add", "misshape"):
            copy = json.loads(json.dumps(good))
            holder, key = list(places(copy))[number]
            if spoil == "remove":
                del holder[key]
            elif spoil == "add":
                holder["surplus"] = 1
            else:
                holder[key] = 1.5
            with pytest.raises(Refused):
                from_dict(copy)


def test_the_plan_back_is_the_opposite_and_twice_back_is_the_plan() -> None:
    plan = planned(
        item("leaf1", reading(A, permit("x", 22)), reading(B, permit("y", 23))),
        item("leaf2", reading(B, permit("y", 23)), reading(A, permit("x", 22))),
    )
    there = back(plan, {"leaf1", "leaf2"}, date=plan.date, version=plan.version)
    assert verify(there)
    assert [(c.before, c.after, c.load, c.undo) for c in there.changes] == [
        (c.after, c.before, c.undo, c.load) for c in plan.changes
    ]
    assert {(f.rule, f.opened) for f in there.flows} == {(f.rule, not f.opened) for f in plan.flows}
    assert back(there, {"leaf1", "leaf2"}, date=plan.date, version=plan.version).changes == plan.changes
    assert [c.owner for c in back(plan, {"leaf2"}, date=plan.date, version=plan.version).changes] == ["leaf2"]


def flows(before: tuple[Line, ...], after: tuple[Line, ...]) -> list[tuple[str, str]]:
    plan = planned(item("leaf1", reading("a" if before else "", *before), reading("b" if after else "", *after)))
    return [("opens" if flow.opened else "closes", flow.rule) for flow in plan.flows]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ((permit("ssh", 22),), (permit("ssh", 22), permit("web", 80)), [("opens", "web")]),
        ((permit("ssh", 22), permit("web", 80)), (permit("ssh", 22),), [("closes", "web")]),
        ((permit("ssh", 22),), (permit("shell", 22),), []),
        ((permit("ssh", 22),), (permit("ssh", 23),), [("opens", "ssh"), ("closes", "ssh")]),
        ((permit("ssh", 22),), (deny("no", 22), permit("ssh", 22)), [("closes", "ssh")]),
        ((permit("all", 0, 65535),), (permit("ssh", 22), permit("all", 0, 65535)), []),
        ((deny("no", 22), permit("all", 1, 99)), (permit("ssh", 22), permit("all", 1, 99)), [("opens", "ssh")]),
        ((), (permit("ssh", 22),), [("closes", "no filter: everything passes")]),
        ((permit("ssh", 22),), (), [("opens", "no filter: everything passes")]),
        (
            (permit("ssh", 22),),
            (permit("ssh", 22), permit("web", 80), permit("replies: web", 81)),
            [("opens", "web")],
        ),
        ((permit("ssh", 22),), (permit("ssh", 22), permit("replies: web", 81)), [("opens", "replies: web")]),
    ],
)
def test_flows_are_named_by_the_rule_that_lets_them_pass(
    before: tuple[Line, ...], after: tuple[Line, ...], said: list[tuple[str, str]]
) -> None:
    assert flows(before, after) == said


lines = st.lists(
    st.builds(
        lambda permits, label, low, size: Line(permits, box((low, low + size)), 1, "", label),
        st.booleans(),
        st.sampled_from("xyz"),
        st.integers(0, 20),
        st.integers(0, 6),
    ),
    min_size=1,
    max_size=6,
)


def passed(found: list[Line], port: int) -> str | None:
    """The rule that lets a port pass; None when none does."""
    line = next((line for line in found if line.box[3][0] <= port <= line.box[3][1]), None)
    return line.label if line is not None and line.permit else None


@given(lines, lines)
def test_the_flows_are_those_that_asking_every_port_finds(before: list[Line], after: list[Line]) -> None:
    ports = range(40)
    opened = {passed(after, p) for p in ports if passed(after, p) is not None and passed(before, p) is None}
    closed = {passed(before, p) for p in ports if passed(before, p) is not None and passed(after, p) is None}
    wanted = {("opens", r) for r in opened} | {("closes", r) for r in closed}
    assert set(flows(tuple(before), tuple(after))) == wanted
    with mock.patch("configlet.plan.flows.AT_ONCE", 0):
        assert set(flows(tuple(before), tuple(after))) == wanted


def test_one_flow_at_many_gates_is_one_flow_with_its_gates_opened_first() -> None:
    before, after = reading("a", permit("old", 1)), reading("b", permit("web", 80))
    plan = planned(*(item(f"leaf{n}", before, after) for n in range(4)))
    assert [(flow.opened, flow.rule, len(flow.gates)) for flow in plan.flows] == [(True, "web", 4), (False, "old", 4)]
    assert plan.flows[0].gates[0] == "leaf0/Vlan120/in/v4"
    assert ":80, " in plan.flows[0].example


acls = st.dictionaries(
    st.tuples(st.sampled_from(["Vlan110", "Vlan120"]), st.sampled_from(["in", "out"]), st.sampled_from(["ip", "ipv6"])),
    st.lists(
        st.tuples(st.sampled_from(["permit", "deny"]), st.sampled_from(["tcp", "udp", "ip"])), min_size=1, max_size=4
    ),
    max_size=6,
)


def text_of(found: dict[tuple[str, str, str], list[tuple[str, str]]]) -> str:
    """A device's sections, as an artifact says them."""
    out, bound = [], dict[str, list[str]]()
    for (interface, direction, family), entries in found.items():
        name = f"cfglt-{interface}-{direction}-{'v4' if family == 'ip' else 'v6'}"
        out.append(f"{family} access-list {name}")
        for number, (action, proto) in enumerate(entries, 1):
            word = "ipv6" if (proto, family) == ("ip", "ipv6") else proto
            out += [f"   {20 * number - 10} remark rule {number}", f"   {20 * number} {action} {word} any any"]
        bound.setdefault(interface, []).append(f"   {family} access-group {name} {direction}")
    out += [line for interface, lines in bound.items() for line in (f"interface {interface}", *lines)]
    return "".join(f"{line}\n" for line in out)


@settings(max_examples=40, deadline=None)
@given(acls, acls)
def test_load_and_undo_are_inverse_on_a_switch(one: Any, other: Any) -> None:
    switch = make()
    states = [canonical("eos", "acl", text_of(found)) for found in (one, other)]
    for before, after in (("", states[0]), (states[0], states[1]), (states[1], states[0]), (states[0], "")):
        lines = [line.strip() for line in load_text("acl", before, after, after).splitlines()]
        if lines:
            switch.run(["enable", "configure session s", *lines, "end", "configure session s commit"], "text")
            switch.run(["enable", "configure session t", "end", "configure session t abort"], "text")
        assert sections(switch.running_text()) == sections(after)
    switch.stop()


def sections(text: str) -> str:
    """Our sections with the bindings in one order."""
    found = canonical("eos", "acl", text)
    head, *rest = found.split("interface ")
    return head + "".join("".join(sorted(block.splitlines(keepends=True))) for block in rest)


def test_a_list_that_did_not_change_is_not_sent() -> None:
    both = text_of({("Vlan110", "in", "ip"): [("permit", "tcp")], ("Vlan120", "in", "ip"): [("permit", "udp")]})
    other = text_of({("Vlan110", "in", "ip"): [("permit", "tcp")], ("Vlan120", "in", "ip"): [("deny", "udp")]})
    sent = load_text("acl", both, other, other)
    assert "Vlan110" not in sent
    assert sent.startswith("no ip access-list cfglt-Vlan120-in-v4\nip access-list cfglt-Vlan120-in-v4\n")
    assert load_text("acl", both, both, both) == ""


def test_a_table_is_replaced_whole_and_no_table_is_its_removal() -> None:
    table = "table inet configlet {\n}\n"
    assert load_text("filter-table", "", "x", table) == RESET + table
    assert load_text("filter-table", "", "x", RESET + table) == RESET + table
    assert load_text("filter-table", "x", "", "") == RESET


def test_a_plan_is_a_value_that_shows_a_changed_digest() -> None:
    plan = planned(item("leaf1", reading(A), reading(B)))
    assert not verify(replace(plan, risks=("more",)))

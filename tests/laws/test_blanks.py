"""Law: what is found from the blanks of a shape is what its items say one by one: their values, whether they surely keep
the schema, and the rules that they are."""

from __future__ import annotations

import random
from collections import Counter
from itertools import islice
from typing import Any

import pytest

from configlet.model.problem import Place
from configlet.workspace import accept
from configlet.workspace.blanks import columns_in, form_of, values_of
from configlet.workspace.build import _hosts
from configlet.workspace.cache import NOTHING
from configlet.workspace.document import Document, Part, join, quick_part
from configlet.workspace.schema import INVENTORY
from configlet.workspace.shape import Run
from configlet.workspace.shapes import Shapes
from configlet.workspace.strict import read
from configlet.workspace.validate import _is_sure
from configlet.workspace.words import Words, rules_of
from tests.laws.made import documents, texts


def _said(run: Run) -> list[Any]:
    form = run.shape.form
    return [*values_of(form, run.columns.__getitem__)] if columns_in(form) else [form] * run.items


def _items(part: Part, key: str) -> list[Any]:
    value = part[key]
    return [{name: value[name]} for name in value] if isinstance(value, dict) else value


def _checked(part: Part) -> Counter[tuple[bool, bool]]:
    """Whether sections are surely right, and whether they are."""
    seen = Counter[tuple[bool, bool]]()
    for key, stretches in part.stretches.items():
        assert [value for each in stretches for value in each.ordered([*map(_said, each.runs)])] == _items(part, key)
        if key in INVENTORY and key != "site":
            right = accept.doubtful(key, part[key]) == set()
            sure = _is_sure(key, [part])
            assert right or not sure
            seen[sure, right] += 1
    return seen


@pytest.mark.parametrize("seed", range(4))
def test_what_stands_in_blanks_is_what_the_items_say(seed: int) -> None:
    dice, seen = random.Random(seed), Counter[tuple[bool, bool]]()
    for _ in range(60):
        base, shapes = texts.repeated(dice), Shapes()
        for number in range(12):
            text = texts.spoiled(base, dice) if number else base
            part = quick_part("f", text.encode(), shapes, NOTHING)
            seen += _checked(part) if part else Counter()
    assert seen[True, True] > 100 and seen[False, False] > 5 and seen[False, True] * 50 < seen[True, True]


def test_what_is_surely_right_is_right() -> None:
    dice, seen = random.Random(7), Counter[tuple[bool, bool]]()
    for _ in range(3_000):
        text = texts.styled(documents.document(dice, items=4), dice)
        part = quick_part("f", text.encode(), Shapes(), NOTHING)
        seen += _checked(part) if part else Counter()
    assert seen[True, True] > 300 and seen[False, False] > 100 and seen[False, True] * 20 < seen[True, True]


@pytest.mark.parametrize("text", ["addresses:\n" + "- s{n}: [10.0.0.0/8]\n" * 60, "tests:\n" + "  from{n}: x\n" * 60])
def test_a_list_is_no_map(text: str) -> None:
    numbered = "".join(line.replace("{n}", str(n)) + "\n" for n, line in enumerate(text.splitlines()))
    part = quick_part("f", numbered.encode(), Shapes(), NOTHING)
    assert part is not None and _checked(part) == {(False, False): 1}


RULES = (
    "- {{name: rule {n}, from: [a{n}, b], to: [c], service: [tcp/{n}, ssh], action: allow, reason: 'no: {n}'}}\n",
    "- name: rule {n}\n  from: [b]\n  to: [a{n}, b]\n  service: [any]\n  action: deny\n  reason: it\n  log: true\n",
    "- name: rule {n}\n  from: [b]\n  to: [{{app: x{n}}}]\n  service: [ssh]\n  action: allow\n  reason: it\n"
    "  expires: 2027-06-30\n",
    "- name: rule {n}\n  from: [c, 'site:b']\n  to:\n  - b\n  - {{app: x1}}\n  service: [udp/{n}]\n  action: allow\n"
    "  reason: 100% of it\n  owner: us\n",
)


def test_rules_by_their_blanks_are_those_of_a_strict_look() -> None:
    dice, by_blanks = random.Random(8), 0
    for _ in range(40):
        some = dice.sample(RULES, dice.randrange(1, 5))
        text = "policy:\n" + "".join(dice.choice(some).format(n=dice.randrange(20)) for _ in range(60))
        node, problems = read(text.encode(), "f")
        quick, shapes = quick_part("f", text.encode(), Shapes(), NOTHING), Shapes()
        assert node is not None and not problems and quick is not None
        by_blanks += "policy" in quick.stretches
        found = [rules_of(_joined(part), "policy", Words("site", {}, (1, 2))) for part in (quick, Part("f", text.encode(), node))]
        assert found[0] == found[1] and len(found[0]) == 60
        assert {type(rule.place) for rule in found[0]} == {Place}
        shared = {id(one) for rule in found[0] for one in (*rule.sources, *rule.destinations) if one.name == "b"}
        assert len(shared) <= 2, "what stands in many rules is one object"
        assert shapes.made == 0
    assert by_blanks == 40


HOSTS = (
    "  h{n}:\n    nics: {{ens{n}: {{model: virtio, attached: [leaf1/E{n}]}}}}\n    management: {{address: 10.0.0.{n}, "
    "credentials: env/X}}\n    workloads: {{w{n}: {{addresses: [10.1.0.{n}, '2001:db8::{n}'], on: [ens{n}], segment: web, "
    "stack: kernel, labels: {{tier: t{n}}}, also: {{tcp/{n}: dpdk}}}}}}\n",
    "  h{n}:\n    workloads:\n      z{n}: {{addresses: [10.1.0.{n}], on: [bond0], segment: web, stack: kernel}}\n"
    "    nics:\n      ens2: {{model: virtio, attached: [leaf1/E{n}]}}\n      ens1: {{model: virtio, attached: [leaf2/E{n}], "
    "filter_table: serverlock}}\n    manager: {{address: 10.0.1.{n}, credentials: env/X}}\n    managed: false\n"
    "    interfaces: {{bond0: {{members: [ens1, ens2], mode: lacp, vlan: {n}}}}}\n",
    "  h{n}:\n    platform: xdp\n    nics: {{e1: {{model: virtio, attached: [leaf1/E{n}]}}}}\n"
    "    interfaces: {{b: {{members: [e1], vlan: 7}}, a: {{members: [e1], vlan: {n}}}}}\n"
    "    workloads: {{y{n}: {{addresses: [10.1.0.{n}], on: [b], segment: web, stack: kernel}},\n"
    "                x{n}: {{addresses: [10.2.0.{n}], on: [a], segment: app, stack: dpdk}}}}\n",
)


def test_hosts_by_their_blanks_are_those_of_a_strict_look() -> None:
    dice, by_blanks = random.Random(9), 0
    for _ in range(40):
        some = dice.sample(HOSTS, dice.randrange(1, 4))
        raw = ("hosts:\n" + "".join(dice.choice(some).format(n=n) for n in range(1, 60))).encode()
        node, problems = read(raw, "f")
        quick = quick_part("f", raw, Shapes(), NOTHING)
        assert node is not None and not problems and quick is not None
        by_blanks += "hosts" in quick.stretches
        found = [_hosts(_joined(part)) for part in (quick, Part("f", raw, node))]
        assert found[0] == found[1] and len(found[0]) == 59
        assert quick.names("hosts") == [*node.value["hosts"]]
    assert by_blanks > 10


def _joined(part: Part) -> Document:
    return join([part], [])


def test_a_form_has_a_blank_where_its_template_has_a_hole() -> None:
    template = '{"%s":["%s"],"a%%sb":["%s","%s"],"n":%s,"t":"100%% %%"}'
    form = form_of(template, (1,))
    rows = ("k", 'x","y', "p", "q", "17"), ("l", "z", "r", "s", "true")
    columns = [*zip(*rows, strict=True)]
    first, second = islice(values_of(form, columns.__getitem__), 2)
    assert first == {"k": ["x", "y"], "a%sb": ["p", "q"], "n": 17, "t": "100% %"}
    assert second == {"l": ["z"], "a%sb": ["r", "s"], "n": True, "t": "100% %"}

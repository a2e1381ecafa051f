"""A change of a configuration in braces replaces what differs, whole, and touches nothing else; its undo brings back what was."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from configlet.lab.parsers.junos_text import statements
from configlet.lab.switch_junos_tree import Load, Node, show, tidy
from configlet.model.braces import parts
from configlet.model.problem import Refused
from configlet.plan.candidate import candidate_text, units
from tests.lab.junos_bench import change, junos, make_junos, reading, shown, text_of

PORTS = st.lists(st.integers(1, 5), min_size=0, max_size=4, unique=True)
PLACES = st.sampled_from(["irb 110", "irb 120"])
State = dict[str, tuple[list[int], list[int], tuple[int, ...]]]
"""Interface to the ports of its filter of either family, and the families that have one."""
STATES = st.dictionaries(PLACES, st.tuples(PORTS, PORTS, st.sampled_from([(4, 6), (4,), (6,)])), max_size=2)
THEIRS = """firewall {
    family inet {
        filter theirs {
            term 1 {
                then {
                    count x;
                    accept;
                }
            }
        }
    }
}
"""
WHOLE = make_junos()._state.whole


def loaded(root: Node, text: str) -> Node:
    """A configuration after a text was loaded into it."""
    load = Load(root.copy())
    load.text(statements(text))
    assert load.complaints == []
    tidy(load.root)
    return load.root


def said(root: Node) -> str:
    return "\n".join(show(root)) + "\n"


def sections(chosen: State) -> str:
    """One text with the filters of several interfaces, as a device would show it."""
    root = WHOLE
    for place, (v4, v6, families) in chosen.items():
        root = loaded(root, text_of(*v4, six=tuple(v6), interface=place, families=families))
    return shown(said(root))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STATES, STATES)
def test_there_and_back_from_any_state_to_any_other(old: State, new: State) -> None:
    here = loaded(loaded(WHOLE, THEIRS), sections(old))
    wanted = change("leaf1", said(here), sections(new))
    there = loaded(here, wanted.load)
    assert reading(said(there)).canonical == reading(sections(new)).canonical == wanted.after
    back = loaded(there, wanted.undo)
    assert reading(said(back)).canonical == wanted.before
    assert sorted(show(back)) == sorted(show(here)), "remarks or what is not ours came back otherwise"
    gone = change("leaf1", said(there), "")
    assert sorted(show(loaded(there, gone.load))) == sorted(show(loaded(WHOLE, THEIRS)))
    same = {place for place in {*old, *new} if old.get(place) == new.get(place)}
    for place in same:
        assert f"cfglt-{place.replace('irb ', 'Vlan')}-" not in wanted.load


def test_what_is_the_same_is_not_sent_and_what_goes_is_named() -> None:
    here = said(loaded(WHOLE, text_of(22, 80)))
    assert change("leaf1", here, text_of(22, 80)).load == ""
    one = change("leaf1", here, text_of(22, 443)).load
    assert one.count("replace: filter cfglt-Vlan120-in-v4 {") == 1 and "v6" not in one and "interfaces" not in one
    gone = change("leaf1", here, "").load
    assert "delete: filter cfglt-Vlan120-in-v6;" in gone and gone.count("delete: input;") == 2


def test_a_statement_that_is_not_ours_or_a_text_of_another_form_is_refused() -> None:
    patterns = junos().kinds["acl"].change["units"]
    with pytest.raises(Refused, match="no part that is ours"):
        candidate_text(patterns, "", "set system host-name x\n", ("", ""))
    with pytest.raises(Refused, match="braces"):
        units(patterns, "firewall { family inet {")
    with pytest.raises(Refused, match="is not in the text"):
        candidate_text(patterns, "", "set firewall family inet filter cfglt-a term 1 then accept\n", ("", ""))


def test_of_a_whole_configuration_only_what_filters_is_read_and_what_else_filters_is_refused() -> None:
    secret = 'system {\n    root-authentication {\n        encrypted-password "$6$; { x"; ## SECRET-DATA\n    }\n}\n'
    remark = "/*\n * two lines; {\n */\n"
    whole = secret + remark + said(loaded(WHOLE, THEIRS + text_of(22)))
    kept = shown(whole)
    assert "theirs" not in kept and "address" not in kept and "password" not in kept
    assert reading(whole).canonical == reading(text_of(22)).canonical
    for other in (
        "forwarding-options {\n    family inet {\n        filter {\n            input x;\n        }\n    }\n}\n",
        "groups {\ng {\ninterfaces {\n<*> {\nunit 0 {\nfamily inet {\nfilter {\ninput x;\n}\n}\n}\n}\n}\n}\n}\n",
    ):
        with pytest.raises(Refused):
            reading(whole + other)


@pytest.mark.parametrize("text", ["a {\n", "}\n", "a\n", "/* never ends\n", "a { b; }\n"])
def test_a_text_that_is_not_one_statement_a_line_is_an_error(text: str) -> None:
    with pytest.raises(ValueError):
        list(parts(text))

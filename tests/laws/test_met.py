"""Laws of spans that were met before: what is given is equal, few are held, and a law and a text have the same objects."""

from __future__ import annotations

import random

import pytest

from configlet.model import net
from configlet.model.net import Addresses, Span, met
from configlet.model.policy import DST, SRC, Entry, Policy, Rule
from configlet.packets.blocks import blocks
from configlet.readers.ends import Single, SinglePorts
from configlet.workspace.services import term
from tests.builders import span


def test_what_is_given_is_equal_and_few_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(net, "_MOST", 16)
    dice = random.Random(7)
    for _ in range(2000):
        low = dice.randrange(40)
        some = low, low + dice.randrange(3)
        assert met(some) == some
        assert met((some[0], some[1])) is met(some)
        assert len(net._MET) <= 16


def _read(text: str) -> list[Span]:
    low, _, high = text.partition("-")
    return [(int(low), int(high or low))]


@pytest.mark.parametrize(("ports", "text"), [("41234", "41234"), ("41300-41399", "41300-41399")])
def test_ports_of_a_term_and_of_a_text_are_one_object(ports: str, text: str) -> None:
    assert SinglePorts(_read, ("group ",))[text] is term(f"tcp/{ports}", (32768, 60999)).dport
    assert SinglePorts(_read, ("group ",))[text] is term({"udp": ports}, (32768, 60999)).dport


def test_ends_of_a_row_and_of_a_text_are_one_object() -> None:
    ends = [Addresses((("prod", 4, (span(text, 4),)),)) for text in ("10.3.0.0/24", "10.4.0.9")]
    rule = Rule("one", "policy", "allow", *ends, (term("tcp/41234", (32768, 60999)),), False, None)
    (row,) = blocks(Policy((rule,), ("prod",)), "prod", 4)
    assert isinstance(row, Entry)
    assert Single(4, ("group ",))["10.3.0.0/24"] is row.box[SRC]
    assert Single(4, ("group ",))["host 10.4.0.9"] is row.box[DST]

"""Credentials are resolved in one place and show themselves nowhere; drivers are found by name."""

from __future__ import annotations

import pickle
import traceback

import pytest

from configlet import drivers
from configlet.drivers.secrets import Secret, resolve
from configlet.model.problem import Refused

CANARY = "canary-91b2"


def test_a_secret_shows_itself_in_no_form_but_when_asked() -> None:
    found = resolve("env/DC1", {"DC1_USERNAME": "admin", "DC1_PASSWORD": CANARY})
    assert (found.username, found.password.reveal()) == ("admin", CANARY)
    for shown in (repr(found), str(found), f"{found.password}", f"{found.password!r:>40}", repr([found.password])):
        assert CANARY not in shown
    with pytest.raises(TypeError):
        pickle.dumps(found.password)
    assert not hasattr(Secret(CANARY), "__dict__")


def test_a_traceback_with_a_secret_in_its_frames_does_not_show_it() -> None:
    secret = Secret(CANARY)
    try:
        raise ValueError(secret)
    except ValueError as error:
        text = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert "***" in text
    assert CANARY not in text.replace(f"CANARY = '{CANARY}'", "")


@pytest.mark.parametrize(
    "given", [{}, {"DC1_USERNAME": "a"}, {"DC1_PASSWORD": CANARY}, {"DC1_USERNAME": "a", "DC1_PASSWORD": ""}]
)
def test_what_is_missing_is_named_and_nothing_else(given: dict[str, str]) -> None:
    with pytest.raises(Refused) as refused:
        resolve("env/DC1", given)
    said = str(refused.value)
    assert ("DC1_USERNAME is not set" in said or "DC1_PASSWORD is not set" in said) or "are not set" in said
    assert CANARY not in said


@pytest.mark.parametrize("reference", ["", "DC1", "env/", "env/DC 1", "env/DC1\n", "file/x", "env/1DC", "vault/dc1"])
def test_another_kind_of_reference_is_refused(reference: str) -> None:
    with pytest.raises(Refused, match="env/NAME"):
        resolve(reference, {})


def test_drivers_are_found_by_name_and_an_unknown_one_is_refused_with_those_that_are_there() -> None:
    assert drivers.find("eos") is not drivers.find("nftables")
    with pytest.raises(Refused, match=r"eos.*nftables"):
        drivers.find("ios-xyz")

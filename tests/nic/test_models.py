"""NIC models as data: each mechanism is a platform, says what its record must say, and where that was learnt."""

from __future__ import annotations

import pytest

from configlet.model.problem import Refused
from configlet.platforms import load
from configlet.platforms.content import search
from configlet.platforms.nics import mechanisms, models, narrowed

MODELS = models(search(None))
PLATFORMS = load(search(None))
MUST = {"match", "blind_to", "order", "directions", "stateful", "default", "update", "logging", "counters", "families",
        "latency", "controlled_by"}  # fmt: skip


def record(platform: str):
    return PLATFORMS[platform].kinds["filter-table"].capability


def test_the_cards_that_the_issue_names_are_there() -> None:
    assert set(MODELS) >= {"solarflare-x2-serverlock", "solarflare-sfn8000", "solarflare-x2", "solarflare-x3", "amd-x4",
                           "mellanox-connectx6", "intel-x520", "intel-x710", "intel-e810", "virtio"}  # fmt: skip


@pytest.mark.parametrize(("name", "platform"), [(n, p) for n, m in MODELS.items() for p in m.mechanisms])
def test_a_mechanism_is_a_platform_whose_record_says_the_same(name: str, platform: str) -> None:
    said, there = MODELS[name].mechanisms[platform], record(platform)
    assert set(said) >= MUST
    assert tuple(said["blind_to"]) == there.blind_to
    assert tuple(said["directions"]) == there.directions
    assert set(said["families"]) >= set(there.families)
    assert said["controlled_by"] == there.controlled_by
    assert said["update"] == there.update


def test_a_card_narrows_the_record_or_refuses_it_with_a_sentence() -> None:
    assert narrowed(record("ntuple"), MODELS["mellanox-connectx6"], "ntuple").capacity == 1024
    assert narrowed(record("ntuple"), MODELS["solarflare-x2"], "ntuple").capacity == 16384
    assert narrowed(record("tcflower"), MODELS["amd-x4"], "tcflower").capacity == 0
    for name, platform, why in (("virtio", "ntuple", "no filter table"), ("intel-x710", "ntuple", "One set of fields"),
                                ("intel-e810", "ntuple", "not stated"), ("solarflare-x2", "serverlock", "and not")):  # fmt: skip
        with pytest.raises(Refused, match=why):
            narrowed(record(platform), MODELS[name], platform)


def test_no_card_offers_a_table_that_it_cannot_hold() -> None:
    """What `check` calls the cheapest cure must not be what it refuses next."""
    for name, model in MODELS.items():
        held = [m for m in model.mechanisms if m in PLATFORMS and "refused" not in model.mechanisms[m]]
        assert list(mechanisms(search(None), name)) == held
    assert not mechanisms(search(None), "intel-e810")

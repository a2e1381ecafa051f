"""The faults that a long run plants are still faults of the engine as it is."""

from pathlib import Path

import pytest

from soak.soak_walk import BROKEN

PACKETS = Path(__file__).resolve().parents[2] / "builder" / "configlet" / "packets"


@pytest.mark.parametrize("fault", BROKEN, ids=[what for _, _, _, what in BROKEN])
def test_each_planted_fault_has_one_place_in_the_engine(fault: tuple[str, str, str, str]) -> None:
    file, old, new, _ = fault
    assert (PACKETS / file).read_text().count(old) == 1
    assert old != new

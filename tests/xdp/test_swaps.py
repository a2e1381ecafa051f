"""No packet sees a mixed table."""

from __future__ import annotations

import pytest

from tests.xdp.kernel import impossible
from tests.xdp.swaps import swapped

pytestmark = pytest.mark.skipif(bool(impossible()), reason=f"the XDP program cannot be loaded here: {impossible()}")


def test_every_packet_during_swaps_has_the_verdict_of_one_generation() -> None:
    found = swapped(100, 300)
    assert found.wrong == 0
    assert found.both and found.packets > 100_000

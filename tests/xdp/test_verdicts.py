"""Two verdicts of one packet agree: the program under the kernel's test run, and the model's first match."""

from __future__ import annotations

import pytest

from tests.xdp.kernel import impossible
from tests.xdp.laws import COUNTED, malformed, verdicts

pytestmark = pytest.mark.skipif(bool(impossible()), reason=f"the XDP program cannot be loaded here: {impossible()}")


def test_the_verdict_of_every_packet_is_the_models_on_every_kind_of_rule_set() -> None:
    found = list(verdicts(packets=240, seeds=1))
    assert len(found) >= 12
    assert [tally for tally in found if tally.wrong] == []
    assert sum(t.passed for t in found) > sum(t.packets for t in found) // 10


def test_malformed_and_truncated_frames_are_dropped_and_counted_and_nothing_else() -> None:
    escaped, said = malformed(4000)
    assert escaped == 0
    assert set(said) == set(COUNTED)
    assert sum(said.values()) == 4000

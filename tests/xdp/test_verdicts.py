"""Two verdicts of one packet agree: the program under the kernel's test run, and the model's first match."""

from __future__ import annotations

import random

import pytest

from configlet.encoders.xdp import encode
from configlet.model.policy import ANY_PROTO, Packet
from tests.xdp.frames import frame
from tests.xdp.kernel import DROP, PASS, generation_of, impossible, verdict
from tests.xdp.laws import COUNTED, malformed, verdicts
from tests.xdp.rule_sets import LOCAL4, entry, rule

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


@pytest.mark.parametrize(("many", "step"), [(1, 1), (2, 2), (5, 13), (40, 2)])
def test_a_destination_that_shares_a_bucket_with_local_addresses_is_judged_by_none_of_their_tables(many: int, step: int) -> None:
    dice, open_ = random.Random(3), rule("everything")
    places = range(LOCAL4, LOCAL4 + step * many, step)
    encoded = encode({("towards", 4): [entry(open_, ANY_PROTO, (at, at), (0, 2**32 - 1)) for at in places]})
    headers = len(encoded.arrays["locals"]) // 32
    assert headers < 20 * many  # so that most of the others meet one that is used
    with generation_of(encoded) as generation:
        for at in (0, *range(LOCAL4 - 200, LOCAL4 + 200)):
            for peer, proto in ((0x0A000001, 6), (5, 6), (5, 17)):  # an empty place that was taken for one would judge 0.0.0.5
                packet = Packet("", 4, proto, peer, at, 1024, 443)
                assert verdict(generation, frame(packet, dice)) == (PASS if at in places else DROP), hex(at)

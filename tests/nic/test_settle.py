"""A simulated NIC's namespace is told what the NIC holds in a share of the time, and always before anybody looks."""

from __future__ import annotations

import random
import threading
import time

import pytest

from configlet.lab.nic.settle import SHARE, Settle


class Nic:
    """A NIC of so many rules, which takes a thousandth of a pretended second for each of them to tell."""

    def __init__(self) -> None:
        self.time, self.rules, self.told, self.tellings = 0.0, 0, 0, 0.0
        self.settle = Settle(self.tell, lambda: self.time)

    def tell(self) -> None:
        self.time += self.rules / 1000
        self.tellings += self.rules / 1000
        self.told = self.rules

    def line(self) -> None:
        self.time += 0.02
        self.rules += 1
        self.settle.changed()


def test_telling_thousands_of_lines_takes_a_share_of_the_time() -> None:
    nic = Nic()
    for _ in range(5_000):
        nic.line()
    assert nic.tellings < nic.time / SHARE + 5
    nic.settle.now()
    assert nic.told == 5_000


@pytest.mark.parametrize("seed", range(20))
def test_who_looks_sees_every_line_and_who_waits_does_too(seed: int) -> None:
    dice, nic = random.Random(seed), Nic()
    for _ in range(200):
        dice.choice([nic.line, nic.line, nic.settle.now, nic.settle.due])()
    nic.line()
    nic.time += SHARE * nic.rules
    nic.settle.due()
    assert nic.told == nic.rules


def test_whoever_is_about_to_send_packets_has_all_told_by_the_thread_that_serves_the_nic() -> None:
    told, rules, clock, over = [0], [0], [0.0], threading.Event()

    def tell() -> None:
        clock[0] += 1000
        told[0] = rules[0]

    settle = Settle(tell, lambda: clock[0])

    def served() -> None:
        for _ in range(40):
            rules[0] += 1
            settle.changed()
        while not over.is_set():
            settle.due()
            time.sleep(0.005)

    thread = threading.Thread(target=served)
    thread.start()
    while rules[0] < 40:
        time.sleep(0.001)
    assert told[0] < 40  # and no time goes by until the next telling
    assert settle.hurry(5)
    assert told[0] == 40
    over.set()
    thread.join()


def test_one_that_cannot_be_told_is_said() -> None:
    def tell() -> None:
        raise OSError("no")

    settle = Settle(tell)
    with pytest.raises(OSError, match="no"):
        settle.changed()
    assert not settle.hurry(0.05)


def test_what_could_not_be_told_is_told_again_before_anybody_looks() -> None:
    wrong = [OSError("no"), None]

    def tell() -> None:
        if problem := wrong.pop(0):
            raise problem

    settle = Settle(tell)
    with pytest.raises(OSError, match="no"):
        settle.changed()
    settle.now()
    assert not wrong

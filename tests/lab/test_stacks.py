"""What sees what: every cell has its sentence and source, and workloads on a real kernel behave as their cells say."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator

import pytest

from configlet.hostside import bpf
from configlet.place.stacks import MECHANISMS, ROWS, TABLE
from tests.lab.stacks_bench import (
    NEAR,
    VLAN_MAC,
    Cable,
    Xsk,
    attach,
    cable,
    detach,
    hears,
    kernel_ear,
    opened,
    packet_ear,
    programs,
    udp,
)

BPF = pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("clang"), reason="an XDP program takes root and clang")
WIRES = pytest.mark.skipif(os.geteuid() != 0, reason="the two hosts are made by root")


@pytest.fixture
def wire() -> Iterator[Cable]:
    with cable() as made:
        yield made


def test_every_cell_has_its_sentence_and_source() -> None:
    assert set(TABLE) == set(MECHANISMS)
    for mechanism in MECHANISMS:
        assert set(TABLE[mechanism]) == set(ROWS), mechanism
        for row, cell in TABLE[mechanism].items():
            assert cell.sentence.endswith(".") and len(cell.sentence) > 30 and cell.source, (mechanism, row)


@WIRES
def test_the_kernels_socket_is_behind_the_table(wire: Cable) -> None:
    assert TABLE["nftables"]["kernel"].rx
    with opened(kernel_ear(wire.near, "10.9.9.1")) as (ear,):
        wire.send("10.9.9.1", NEAR, b"kernel")
        assert not hears(ear, b"kernel")


@WIRES
def test_a_packet_socket_receives_and_sends_past_the_hosts_table(wire: Cable) -> None:
    assert not TABLE["nftables"]["af_packet"].rx and not TABLE["nftables"]["af_packet"].tx
    with opened(packet_ear(wire.near, "ens1"), packet_ear(wire.far, "far0")) as (ear, far):
        wire.send("10.9.9.1", NEAR, b"to a packet socket")
        assert hears(ear, b"to a packet socket")
        ear.send(udp(bytes(6), b"\xff" * 6, "10.9.9.1", "10.9.9.2", b"from a packet socket"))
        assert hears(far, b"from a packet socket")


@WIRES
def test_a_macvlan_container_receives_and_sends_past_the_hosts_table(wire: Cable) -> None:
    assert not TABLE["nftables"]["container-macvlan"].rx and not TABLE["nftables"]["container-macvlan"].tx
    with opened(kernel_ear(wire.held, "10.9.9.3"), packet_ear(wire.far, "far0")) as (ear, far):
        wire.send("10.9.9.3", VLAN_MAC, b"to a macvlan")
        assert hears(ear, b"to a macvlan")
        ear.sendto(b"from a macvlan", ("10.9.9.2", 40000))
        assert hears(far, b"from a macvlan", 1.5)


@BPF
def test_an_xdp_table_sees_what_packet_sockets_and_macvlans_receive_and_not_what_they_send(wire: Cable) -> None:
    for row in ("af_packet", "container-macvlan"):
        assert TABLE["xdp"][row].rx and not TABLE["xdp"][row].tx
    with programs() as (library, made):
        attach(wire, library, made.program_fd("deny"))
        ears = packet_ear(wire.near, "ens1"), kernel_ear(wire.held, "10.9.9.3"), packet_ear(wire.far, "far0")
        with opened(*ears) as (tap, held, far):
            wire.send("10.9.9.1", NEAR, b"to a packet socket")
            wire.send("10.9.9.3", VLAN_MAC, b"to a macvlan")
            assert not hears(tap, b"to a") and not hears(held, b"to a")
            tap.send(udp(bytes(6), b"\xff" * 6, "10.9.9.1", "10.9.9.2", b"from a packet socket"))
            assert hears(far, b"from a packet socket")
        detach(wire, library)


@BPF
def test_an_af_xdp_socket_takes_packets_before_the_hosts_table_and_leaves_no_place_for_an_xdp_table(wire: Cable) -> None:
    assert not TABLE["nftables"]["af_xdp"].rx and not TABLE["xdp"]["af_xdp"].rx
    with programs() as (library, made):
        attach(wire, library, made.program_fd("take"))
        application = Xsk(wire, library, made)
        wire.send("10.9.9.1", NEAR, b"to an AF_XDP socket")
        deadline = time.monotonic() + 1
        while not application.taken() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert any(b"to an AF_XDP socket" in packet for packet in application.taken())
        with pytest.raises(bpf.Trouble):
            attach(wire, library, made.program_fd("deny"))
        detach(wire, library)
        application.socket.close()

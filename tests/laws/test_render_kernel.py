"""Laws of the host's table that the kernel itself judges: real nft, real packets, in namespaces of our own."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from configlet.model.gate import Line, Table
from configlet.model.policy import Entry
from configlet.platforms import cases
from configlet.readers import read
from configlet.readers.counts import counts
from configlet.render import render
from tests.builders import host, platform, row, rows
from tests.cases import document, tables_of
from tests.chains import in_chains

NFT = platform("nftables")
BENCH = Path(__file__).with_name("kernel_bench.py")
HERE4, HERE6, THERE4 = "10.1.20.11", "2001:db8:1:20::11", "10.1.20.1"
LOOSE6 = [row("permit icmpv6 any any type 133-136", 6, name="neighbour discovery", origin="infrastructure")]


@cache
def possible() -> bool:
    if not all(shutil.which(tool, path="/usr/sbin:/usr/bin:/sbin:/bin") for tool in ("nft", "unshare", "ip")):
        return False
    done = subprocess.run(["unshare", "-Urn", "nft", "list", "ruleset"], capture_output=True, check=False)
    return done.returncode == 0


pytestmark = pytest.mark.skipif(not possible(), reason="needs nft, ip and user namespaces")


def table(four: Sequence[Entry] = (), six: Sequence[Entry] = ()) -> list[Table]:
    return [host(four, [HERE4, HERE6]), host(six, [HERE4, HERE6], 6)]


def text_of(four: Sequence[Entry] = (), six: Sequence[Entry] = ()) -> str:
    return render("host1", NFT, "filter-table", table(four, six)).text


def bench(request: dict[str, Any]) -> dict[str, Any]:
    done = subprocess.run(
        ["unshare", "-Urn", sys.executable, str(BENCH)],
        input=json.dumps(request),
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def speak(text: str, **action: Any) -> dict[str, Any]:
    return bench({"table": text, "speak": [action]})["spoken"][0]  # type: ignore[no-any-return]


def canonical(text: str) -> str:
    return read(NFT, "filter-table", text, "text").canonical


def test_what_nft_lists_has_the_canonical_form_of_what_was_rendered_and_loads_again() -> None:
    texts = [render("h", NFT, "filter-table", tables_of(document(path))).text for path in cases(NFT)]
    again = "(echo 'table inet configlet'; echo 'delete table inet configlet'; cat listed) | nft -f -"
    twice = "printf %s \"$t\" >text && nft -f text && nft -f text"
    script = f"cd $(mktemp -d) || exit 1; while IFS= read -r -d '' t; do {twice} && "
    script += f"nft -nn list table inet configlet >listed && {again} && cat listed && printf '\\0' || exit 1; done"
    done = subprocess.run(
        ["unshare", "-Urn", "bash", "-c", script],
        input="\0".join(texts) + "\0",
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    listed = done.stdout.split("\0")[:-1]
    assert len(listed) == len(texts) >= 8
    assert [canonical(shown) for shown in listed] == [canonical(text) for text in texts]


PORTS, SOURCES = (21, 22, 23, 79, 80, 81), ("10.1.10.5", "10.1.10.255", "10.1.11.0", "10.9.0.1")
SOURCES6 = ("2001:db8:1:10::5", "2001:db8:1:11::", "2001:db8:9::1")


def random_rows(dice: random.Random, family: int) -> list[Entry]:
    prefixes = ("10.1.10.0/24", "10.1.0.0/16", "10.1.10.5", "any") if family == 4 else (
        "2001:db8:1:10::/64", "2001:db8:1::/48", "2001:db8:1:10::5", "any")  # fmt: skip
    icmp, types = ("icmp", (3, 8, 11, 13, 14, 0)) if family == 4 else ("icmpv6", (1, 3, 128, 129, 131))
    texts = []
    for _ in range(dice.randint(2, 6)):
        verdict, source = dice.choice(["permit", "permit", "deny"]), dice.choice(prefixes)
        here = HERE4 if family == 4 else HERE6
        what = dice.choice(["tcp", "udp", icmp, "tcp-all", "ip"])
        if what in ("tcp", "udp"):
            low = dice.choice(PORTS)
            sport = dice.choice(["", "", " from 1024-65535"])
            texts.append(
                f"{verdict} {what} {source} {here} to {low}-{dice.choice([p for p in PORTS if p >= low])}{sport}"
            )
        elif what == icmp:
            texts.append(f"{verdict} {icmp} {source} {here} type {dice.choice(types)}")
        else:
            texts.append(f"{verdict} {what.split('-')[0]} {source} {here}")
    return list(rows(texts, 6 if family == 6 else 4))


def networks(dice: random.Random, family: int) -> list[Entry]:
    """Rows of the network's own, denies among them: they stand ahead of what the operator wrote, in maps of their own."""
    some = random_rows(dice, family)[: dice.randint(0, 3)]
    return [replace(entry, rule=replace(entry.rule, name=f"own {at}", origin="infrastructure")) for at, entry in enumerate(some)]


def random_packets(dice: random.Random, family: int, first: int) -> list[dict[str, Any]]:
    types = (0, 3, 8, 11, 13, 14, 5) if family == 4 else (1, 3, 4, 128, 129, 131)
    found = []
    for number in range(first, first + 60):
        proto = dice.choice([6, 17, 1 if family == 4 else 58])
        # Each packet has a source port of its own, so that none belongs to the connection of another.
        sport, dport = dice.choice([100, 2000]) + number, dice.choice(PORTS)
        if proto in (1, 58):
            sport, dport = 0, dice.choice(types) * 256
        src, dst = (dice.choice(SOURCES), HERE4) if family == 4 else (dice.choice(SOURCES6), HERE6)
        found.append({"number": number, "proto": proto, "src": src, "dst": dst, "sport": sport, "dport": dport})
    return found


def point(packet: dict[str, Any]) -> tuple[int, ...]:
    ends = int(ip_address(packet["dst"])), int(ip_address(packet["src"]))
    return packet["proto"], *ends, packet["dport"], packet["sport"], 0, 0


def passes(lines: Sequence[Line | Entry], packet: dict[str, Any]) -> bool:
    at = point(packet)
    return next((x.permit for x in lines if all(lo <= v <= hi for (lo, hi), v in zip(x.box, at, strict=True))), False)


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 4, 5, 6, 7])
def test_the_kernel_judges_every_packet_as_the_rows_say_and_as_the_reader_reads(seed: int) -> None:
    dice = random.Random(seed)
    four, six = ([*networks(dice, family), *random_rows(dice, family)] for family in (4, 6))
    six = [*LOOSE6, *six]
    text = text_of(four, six)
    packets = [*random_packets(dice, 4, 1), *random_packets(dice, 6, 101)]
    arrived = set(bench({"table": text, "packets": packets})["arrived"])
    lists = read(NFT, "filter-table", text, "text").lists
    for packet in packets:
        family = 6 if ":" in packet["src"] else 4
        meant = passes(six if family == 6 else four, packet)
        assert passes(lists["input", "both", family], packet) == meant, packet
        assert (packet["number"] in arrived) == meant, packet
    assert arrived and len(arrived) < len(packets)


TOWARDS, BEYOND = f"permit tcp 10.1.0.0/16 {HERE4} to 7000", f"permit tcp {HERE4} 10.1.0.0/16 to 7000"
UDP = f"permit udp 10.1.0.0/16 {HERE4} to 7000"


def test_replies_pass_and_the_other_way_needs_a_rule_of_its_own() -> None:
    text = text_of(rows([TOWARDS]))
    assert speak(text, to="host", proto="tcp", port=7000)["said"] == "connected"
    assert speak(text, to="host", proto="tcp", port=7001)["said"] == "TimeoutError"
    assert speak(text, to="far", proto="tcp", port=7000)["said"] in ("TimeoutError", "PermissionError")
    assert speak(text_of(rows([BEYOND])), to="far", proto="tcp", port=7000)["said"] == "connected"
    assert speak(text_of(rows([UDP])), to="host", proto="udp", port=7000)["said"] == "y"


def test_an_icmp_error_passes_with_its_connection_in_both_directions() -> None:
    assert (
        speak(text_of(rows([UDP])), to="host", proto="udp", port=7000, closed=True)["said"] == "ConnectionRefusedError"
    )
    out = text_of(rows([f"permit udp {HERE4} 10.1.0.0/16 to 7000"]))
    assert speak(out, to="far", proto="udp", port=7000, closed=True)["said"] == "ConnectionRefusedError"
    assert speak(text_of(), to="host", proto="udp", port=7000, closed=True)["said"] == "TimeoutError"


def test_a_living_connection_that_a_change_forbids_is_dead_and_one_that_it_keeps_lives() -> None:
    before = text_of(rows([TOWARDS]))
    forbidden = text_of(rows([UDP]))
    kept = text_of(rows([UDP, TOWARDS]))
    dead = speak(before, to="host", proto="tcp", port=7000, flip=forbidden)
    alive = speak(before, to="host", proto="tcp", port=7000, flip=kept)
    assert (dead["before"], dead["after"]) == ("x", "TimeoutError")
    assert (alive["before"], alive["after"]) == ("x", "x")


def test_a_living_connection_from_the_host_dies_too() -> None:
    dead = speak(text_of(rows([BEYOND])), to="far", proto="tcp", port=7000, flip=text_of())
    assert (dead["before"], dead["after"]) in [("x", "TimeoutError"), ("x", "PermissionError")]


def test_a_written_deny_of_the_other_way_does_not_cut_the_errors_of_an_allowed_connection() -> None:
    text = text_of(rows([f"deny ip {THERE4} {HERE4}", f"permit udp {HERE4} {THERE4} to 7000"], log=True))
    assert speak(text, to="far", proto="udp", port=7000, closed=True)["said"] == "ConnectionRefusedError"
    assert speak(text, to="far", proto="udp", port=7000)["said"] == "y"


COUNTED = [
    f"permit tcp 10.1.10.0/24 {HERE4} to 80-81",
    f"deny tcp 10.1.0.0/16 {HERE4} to 22",
    f"deny 47 10.1.0.0/16 {HERE4}",
    f"deny ip 10.9.0.0/16 {HERE4}",
]
COUNTED6 = [f"deny udp 2001:db8:1:10::/64 {HERE6} to 53", f"deny ip 2001:db8:9::/48 {HERE6}"]


def test_real_packets_count_for_their_rule_alike_with_elements_that_decide_in_chains_and_taken_back() -> None:
    """A SYN that passes is answered with a reset, which its connection's rule lets pass and counts, too."""
    names = ("web", "no ssh", "no tunnel", "no 'outside' $ { ; } , here", "no names", "no other net")
    made = [*rows(COUNTED), *rows(COUNTED6, 6)]
    made = [replace(e, rule=replace(e.rule, name=name, log=name == "no ssh")) for e, name in zip(made, names, strict=True)]
    text = text_of(made[:4], made[4:])
    ends = {"10": "10.1.10.5", "11": "10.1.11.5", "9": "10.9.0.1", "six": "2001:db8:1:10::5", "six9": "2001:db8:9::1"}
    sent = [("10", 6, 80, 3), ("10", 6, 81, 2), ("11", 6, 22, 4), ("11", 47, 0, 2), ("9", 17, 99, 5)]
    sent += [("six", 17, 53, 6), ("six9", 6, 1, 7)]
    packets = [
        {"number": 100 * at + n + 1, "proto": proto, "src": ends[end], "dst": HERE6 if "six" in end else HERE4,
         "sport": 2000 + 100 * at + n, "dport": dport}
        for at, (end, proto, dport, many) in enumerate(sent)
        for n in range(many)
    ]  # fmt: skip
    told_of = ("web", "no ssh", "no tunnel", "no 'outside' _ { ; } , here", "no names", "no other net")
    expected = dict(zip(told_of, (10, 4, 2, 5, 6, 7), strict=True))
    back = "table inet configlet\ndelete table inet configlet\n"
    for form in (text, in_chains(text), back + canonical(text), back + canonical(in_chains(text))):
        told = counts(NFT, "filter-table", bench({"table": form, "packets": packets})["listed"])
        assert {name: told.get(name, (0, 0))[0] for name in expected} == expected

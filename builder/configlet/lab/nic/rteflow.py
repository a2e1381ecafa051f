"""A simulated DPDK application with one port and testpmd's console: its answers, its numbers, frames judged.

Written from testpmd's source and from what testpmd 22.11 printed; strict: what is not known is `Bad arguments`. As a
program it is typed to over a terminal, echoes as testpmd does, and does as the file FAULTS says:
``python -m configlet.lab.nic.rteflow DEVICE LOG FAULTS``.
"""

from __future__ import annotations

import json
import os
import re
import socketserver
import sys
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import NamedTuple

from configlet.lab.nic.ntuple import ARP
from configlet.lab.nic.packets import Seen, seen

_WORD = r"(?:(?: (?:src|dst) (?:spec|is|prefix|mask) [0-9a-f.:]+)|(?: proto is \d+))*"
_RULE = re.compile(
    rf"flow (create|validate) (\d+) priority (\d+) ingress pattern eth / (ipv[46])({_WORD})(?: / (tcp|udp)({_WORD}))? / end "
    r"actions (?:queue index (\d+)|(drop)) / end"
)
BAD, PROMPT = "Bad arguments\n", "testpmd> "
_CAUGHT = "port_flow_complain(): Caught PMD error type {}\n"
_PROTO = {"tcp": 6, "udp": 17}
_ETHER = {"ipv4": 0x0800, "ipv6": 0x86DD}


class Flow(NamedTuple):
    """A rule: IP version, protocol if it says one, source and destination (span if any; port's value, mask), verdict."""

    version: int
    proto: int | None
    ends: tuple[tuple[tuple[int, int] | None, tuple[int, int]], ...]
    passes: bool


@dataclass(slots=True)
class Console:
    """One application with port 0. ``room`` is what its driver takes, ``queues`` how many queues it receives on."""

    room: int = 100_000
    queues: int = 4
    device: str = "0000:3b:00.0"
    rules: dict[int, str] = field(default_factory=dict)

    def ask(self, line: str) -> str:
        """What the console prints, "" where testpmd is silent."""
        if line == "show port summary all":
            return (
                "Number of available ports: 1\nPort MAC Address       Name         Driver         Status   Link\n"
                f"0    02:00:00:00:00:01 {self.device} net_simulated  up       10 Gbps\n"
            )
        if found := re.fullmatch(r"flow (list|flush|destroy|query) (\d+)(?: rule (\d+)| \d+ count)?", line):
            return self._of_port(found)
        said = _RULE.fullmatch(line)
        if not said or not _sound(said):
            return BAD if line.startswith(("flow ", "show ")) else "Command not found\n"
        if said[2] != "0":
            return _CAUGHT.format("1 (cause unspecified): No such device: No such device")
        if said[8] and int(said[8]) >= self.queues:
            return _CAUGHT.format("16 (specific action): queue index out of range: Numerical result out of range")
        if said[1] == "validate":
            return "Flow rule validated\n"
        if len(self.rules) >= self.room:
            return _CAUGHT.format("1 (cause unspecified): hardware is full: No space left on device")
        number = next(reversed(self.rules)) + 1 if self.rules else 0  # as testpmd counts: from the last one that is left
        self.rules[number] = line
        return f"Flow rule #{number} created\n"

    def passes(self, frame: bytes) -> bool:
        """The verdict on a received frame: the lowest priority that matches, else it is delivered."""
        packet = seen(frame)
        if packet is None or packet.ether == ARP:
            return packet is not None
        found = [said for line in self.rules.values() if (said := _RULE.fullmatch(line)) and _matches(said, packet)]
        return not found or min(found, key=lambda said: int(said[3]))[9] is None

    def flows(self) -> Iterator[Flow]:
        """Its rules, the first that matches decides."""
        found = [said for line in self.rules.values() if (said := _RULE.fullmatch(line))]
        for said in sorted(found, key=lambda said: int(said[3])):
            addresses, ports = _pairs(said[5]), _pairs(said[7] or "")
            version = int(said[4][-1])
            proto = _PROTO[said[6]] if said[6] else int(addresses["proto is"]) if "proto is" in addresses else None
            ends = tuple((_span(addresses, end, version), _port(ports, end)) for end in ("src", "dst"))
            yield Flow(version, proto, ends, said[9] is None)

    def _of_port(self, found: re.Match[str]) -> str:
        what, port, number = found.groups()
        if (what == "destroy") != (number is not None) or (what == "query") != found[0].endswith(" count"):
            return BAD
        if port != "0":
            return f"Invalid port {port}\n"
        if what == "destroy":
            return f"Flow rule #{number} destroyed\n" if self.rules.pop(int(number), None) else ""
        if what == "query":
            return f"Flow rule #{found[0].split()[3]} not found\n"
        if what == "flush":
            self.rules.clear()
        return self._list() if what == "list" and self.rules else ""

    def _list(self) -> str:
        rows = []
        for number, line in self.rules.items():
            said = _RULE.fullmatch(line)
            assert said
            items = " ".join(["ETH", said[4].upper(), *([said[6].upper()] if said[6] else [])])
            rows.append((int(said[3]), number, f"{items} => {'DROP' if said[9] else 'QUEUE'}"))
        return "ID\tGroup\tPrio\tAttr\tRule\n" + "".join(f"{n}\t0\t{prio}\ti--\t{words}\n" for prio, n, words in sorted(rows))


def _pairs(words: str) -> dict[str, str]:
    said = iter(words.split())
    return {f"{name} {how}": value for name, how, value in zip(said, said, said, strict=True)}


def _span(said: dict[str, str], end: str, version: int) -> tuple[int, int] | None:
    if f"{end} is" in said:
        network = ip_network(said[f"{end} is"])
    elif f"{end} spec" in said:
        network = ip_network(f"{said[f'{end} spec']}/{said[f'{end} prefix']}")
    else:
        return None
    if network.version != version:
        raise ValueError(network)
    return int(network[0]), int(network[-1])


def _port(said: dict[str, str], end: str) -> tuple[int, int]:
    """Value and mask."""
    if f"{end} is" in said:
        return int(said[f"{end} is"]), 0xFFFF
    return (int(said[f"{end} spec"]), int(said[f"{end} mask"])) if f"{end} spec" in said else (0, 0)


def _sound(said: re.Match[str]) -> bool:
    """Whether its values are values."""
    try:
        for end in ("src", "dst"):
            _span(_pairs(said[5]), end, int(said[4][-1]))
            value, mask = _port(_pairs(said[7] or ""), end)
            if not 0 <= value <= 0xFFFF or not 0 <= mask <= 0xFFFF:
                return False
    except (ValueError, KeyError):
        return False
    return True


def _matches(said: re.Match[str], packet: Seen) -> bool:
    addresses, ports = _pairs(said[5]), _pairs(said[7] or "")
    proto = _PROTO[said[6]] if said[6] else int(addresses.get("proto is", packet.proto))
    if packet.ether != _ETHER[said[4]] or packet.proto != proto:
        return False
    for end, address, port in (("src", packet.src, packet.sport), ("dst", packet.dst, packet.dport)):
        span, (value, mask) = _span(addresses, end, int(said[4][-1])), _port(ports, end)
        if (span and not span[0] <= int.from_bytes(address, "big") <= span[1]) or port & mask != value & mask:
            return False
    return True


def typed(read: Callable[[], bytes], write: Callable[[str], None], answer: Callable[[str], str]) -> None:
    """Be typed to as testpmd is, key by key, until nothing comes any more."""
    line = ""
    write(PROMPT)
    while keys := read().decode(errors="replace"):
        for key in keys:
            if key == "\x0b":
                line = ""
            elif key in "\r\n":
                write("\r\n")
                write((answer(line) if line else "").replace("\n", "\r\n") + PROMPT)
                line = ""
            elif key != "\x01":
                line += key
                write(key)


def serve(console: Console, path: Path, changed: Callable[[], None]) -> socketserver.BaseServer:
    """The console at a socket, in a thread of its own, one client after the other; ``changed`` after each command."""

    class Door(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            def answer(line: str) -> str:
                said = console.ask(line)
                changed()
                return said

            with suppress(OSError):
                typed(lambda: bytes(self.request.recv(4096)), lambda text: self.request.sendall(text.encode()), answer)

    at = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    server = socketserver.UnixStreamServer(f"/proc/self/fd/{at}/{path.name}", Door)  # a socket's path is short
    os.close(at)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server


def main(device: str, log: Path, faults: Path) -> None:
    """Be typed to until the terminal is closed. FAULTS: {"die" | "hang" | "refuse" | "mute": after so many changes}."""
    tty.setraw(0)
    console, changes = Console(device=device), 0

    def answer(line: str) -> str:
        nonlocal changes
        fault = json.loads(faults.read_text()) if faults.is_file() else {}
        changing = line.startswith(("flow create", "flow destroy"))
        now = {what for what, after in fault.items() if changing and changes >= after}
        changes = (changes + changing) if fault else 0
        return _answer(console, line, log, now)

    typed(lambda: os.read(0, 4096), _print, answer)


def _print(text: str) -> None:
    os.write(1, text.encode())


def _answer(console: Console, line: str, log: Path, fault: set[str]) -> str:
    if "die" in fault:
        os._exit(1)
    refused = _CAUGHT.format("1 (cause unspecified): refused: Operation not supported") if "refuse" in fault else ""
    said = refused or console.ask(line)
    if not refused:
        with log.open("a") as file:
            file.write(f"{line}\n")
    if "hang" in fault:
        time.sleep(600)
    return "" if "mute" in fault else said


if __name__ == "__main__":
    main(sys.argv[1], *map(Path, sys.argv[2:4]))

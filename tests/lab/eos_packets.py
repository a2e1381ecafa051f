"""Sends packets through the ruleset of a simulated switch. Run inside a network namespace of its own.

Standard input is JSON, a list of rounds ``{"rulesets": [text, ...], "packets": [hex, ...], "expected": N}``: each
packet is an IP packet that enters by ``Vlan110``, ``expected`` is how many should be seen. The switch end and the far
end of each wire are in the same namespace; frames leave towards a MAC address that nobody has, so that only the
sniffer takes them. Standard output is JSON: for each packet of each round the interfaces on whose wire it (or an
answer with its last eight bytes) was seen.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from pathlib import Path

WIRES = {"Vlan110": ("far110", "10.1.10", "2001:db8:1:10::"), "Vlan120": ("far120", "10.1.20", "2001:db8:1:20::")}
GHOST = "02:00:00:00:99:99"
NFT = next(path for path in ("/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft") if Path(path).exists())


def wire() -> None:
    script = ["link set lo up"]
    for near, (far, v4, v6) in WIRES.items():
        script += [f"link add {near} address 02:00:00:00:01:{near[4:6]} type veth peer name {far}"]
        script += [f"link set {far} up", f"link set {near} up"]
        script += [f"addr add {v4}.1/24 dev {near}", f"addr add {v6}1/64 dev {near} nodad"]
        for host in range(2, 10):
            script += [f"neigh add {address} lladdr {GHOST} dev {near}" for address in (f"{v4}.{host}", f"{v6}{host}")]
    for key in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
        Path("/proc/sys/net", key).write_text("1")
    for key in ("ipv4/conf/all/rp_filter", "ipv4/conf/default/rp_filter"):
        Path("/proc/sys/net", key).write_text("0")
    subprocess.run(["ip", "-batch", "-"], input="\n".join(script), text=True, check=True)
    for far, _, _ in WIRES.values():
        Path(f"/proc/sys/net/ipv6/conf/{far}/disable_ipv6").write_text("1")


def sniffers() -> dict[str, socket.socket]:
    found = {}
    for near, (far, _, _) in WIRES.items():
        found[near] = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        found[near].bind((far, 3))
        found[near].setblocking(False)
    return found


def collect(sockets: dict[str, socket.socket], marks: list[bytes], expected: int) -> list[list[str]]:
    """Wait a moment for what should not be seen, and longer as long as something that should be seen is missing."""
    seen: dict[bytes, set[str]] = {mark: set() for mark in marks}
    start = time.monotonic()
    while (gone := time.monotonic() - start) < 0.03 or (gone < 2 and sum(map(bool, seen.values())) < expected):
        for near, sock in sockets.items():
            try:
                frame, address = sock.recvfrom(2048)
            except BlockingIOError:
                continue
            if address[2] != socket.PACKET_OUTGOING and frame[-8:] in seen:
                seen[frame[-8:]].add(near)
        time.sleep(0.0005)
    return [sorted(seen[mark]) for mark in marks]


def main() -> None:
    rounds = json.load(sys.stdin)
    wire()
    sockets = sniffers()
    head = bytes.fromhex("020000000111" + "020000000002")
    found = []
    for order in rounds:
        for text in order["rulesets"]:
            subprocess.run([NFT, "-f", "-"], input=text, text=True, check=True)
        packets = [bytes.fromhex(packet) for packet in order["packets"]]
        for packet in packets:
            sockets["Vlan110"].send(head + (b"\x08\x00" if packet[0] >> 4 == 4 else b"\x86\xdd") + packet)
        found.append(collect(sockets, [packet[-8:] for packet in packets], order["expected"]))
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()

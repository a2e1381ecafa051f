"""Real packets between two network namespaces of our own: run by the tests as ``unshare -Urnm python kernel_bench.py``.

Reads a request in JSON from stdin, answers in JSON. The namespace that it starts in is the host; ``far`` is everybody else.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

HOST4, HOST6 = "10.1.20.11", "2001:db8:1:20::11"
FAR4, FAR6 = "10.1.20.1", "2001:db8:1:20::1"
LIBC = ctypes.CDLL(None, use_errno=True)


def run(*argv: str, text: str | None = None) -> str:
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(argv)}: {done.stderr}")
    return done.stdout


def enter(descriptor: int) -> None:
    if LIBC.setns(descriptor, 0x40000000):
        raise OSError(ctypes.get_errno(), "setns")


def build() -> tuple[int, int]:
    """Two namespaces joined by a cable; every address of the far side is reached by it."""
    host = os.open("/proc/self/ns/net", os.O_RDONLY)
    if LIBC.unshare(0x40000000):
        raise OSError(ctypes.get_errno(), "unshare")
    far = os.open("/proc/self/ns/net", os.O_RDONLY)
    enter(host)
    run("ip", "link", "add", "ens1", "type", "veth", "peer", "name", "far0")
    move("far0", far)
    for end, name, mine4, mine6 in ((host, "ens1", HOST4, HOST6), (far, "far0", FAR4, FAR6)):
        enter(end)
        run("ip", "link", "set", "lo", "up")
        run("ip", "addr", "add", f"{mine4}/24", "dev", name)
        run("ip", "addr", "add", f"{mine6}/64", "dev", name, "nodad")
        for key in ("all", name):
            Path(f"/proc/sys/net/ipv4/conf/{key}/rp_filter").write_text("0")
        Path(f"/proc/sys/net/ipv6/conf/{name}/accept_dad").write_text("0")
        run("ip", "link", "set", name, "up")
    macs = {}
    for end, name in ((host, "ens1"), (far, "far0")):
        enter(end)
        macs[end] = json.loads(run("ip", "-j", "link", "show", name))[0]["address"]
    for end, name, via4, via6, other in ((host, "ens1", FAR4, FAR6, far), (far, "far0", HOST4, HOST6, host)):
        enter(end)
        for via in (via4, via6):
            run("ip", "neigh", "replace", via, "lladdr", macs[other], "dev", name, "nud", "permanent")
            run("ip", *(["-6"] if ":" in via else []), "route", "replace", "default", "via", via, "dev", name)
    return host, far


def move(name: str, far: int) -> None:
    """Moves a link into a namespace that has no process of its own, by netlink (RTM_SETLINK, IFLA_NET_NS_FD)."""
    index = socket.if_nametoindex(name)
    attribute = struct.pack("=HHI", 8, 28, far)
    body = struct.pack("=BxHiII", 0, 0, index, 0, 0) + attribute
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as link:
        link.send(struct.pack("=IHHII", 16 + len(body), 19, 5, 1, 0) + body)
        answer = link.recv(4096)
    (error,) = struct.unpack_from("=i", answer, 16)
    if error:
        raise OSError(-error, "moving a link")


def checksum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def upper(packet: dict[str, Any], pseudo: bytes) -> bytes:
    """The transport header with a correct checksum; the packet's number is its payload."""
    mark = struct.pack("!I", packet["number"])
    proto, sport, dport = packet["proto"], packet["sport"], packet["dport"]
    if proto == 6:
        made, at = struct.pack("!HHIIBBHHH", sport, dport, packet["number"], 0, 0x50, 0x02, 1024, 0, 0), 16
    elif proto == 17:
        made, at = struct.pack("!HHHH", sport, dport, 12, 0) + mark, 6
    else:
        made, at = struct.pack("!BBHHH", dport >> 8, dport & 255, 0, 7, packet["number"] & 0xFFFF) + mark, 2
    data = made if proto == 1 else pseudo + struct.pack("!I" if ":" in packet["src"] else "!H", len(made)) + made
    if ":" in packet["src"]:
        data = pseudo + struct.pack("!I3xB", len(made), proto) + made
    elif proto != 1:
        data = pseudo + struct.pack("!xBH", proto, len(made)) + made
    return made[:at] + struct.pack("!H", checksum(data)) + made[at + 2 :]


def datagram(packet: dict[str, Any]) -> bytes:
    six = ":" in packet["src"]
    family = socket.AF_INET6 if six else socket.AF_INET
    ends = socket.inet_pton(family, packet["src"]) + socket.inet_pton(family, packet["dst"])
    body = upper(packet, ends)
    if six:
        return struct.pack("!IHBB", 6 << 28, len(body), packet["proto"], 255) + ends + body
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), packet["number"], 0, 64, packet["proto"], 0) + ends
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + body


def arrived(host: int, far: int, packets: list[dict[str, Any]]) -> list[int]:
    """The numbers of those packets that a socket on the host is given."""
    enter(host)
    ears = [socket.socket(socket.AF_INET, socket.SOCK_RAW, proto) for proto in (1, 6, 17)]
    ears += [socket.socket(socket.AF_INET6, socket.SOCK_RAW, proto) for proto in (6, 17, 58)]
    enter(far)
    wires = {
        False: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW),
        True: socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW),
    }
    heard: set[int] = set()
    for packet in packets:
        six = ":" in packet["src"]
        wires[six].sendto(datagram(packet), (packet["dst"], 0))
        heard |= listen(ears, 0.0)
    heard |= listen(ears, 0.3)
    return sorted(heard)


def listen(ears: list[socket.socket], patience: float) -> set[int]:
    heard: set[int] = set()
    while ready := select.select(ears, [], [], patience)[0]:
        for ear in ready:
            data = ear.recv(2048)
            body = data[20:] if ear.family == socket.AF_INET else data
            if ear.proto == 6:
                heard.add(struct.unpack_from("!I", body, 4)[0])
            else:
                heard.add(struct.unpack_from("!I", body, 8)[0] if len(body) >= 12 else -1)
    return heard


def load(host: int, text: str) -> None:
    enter(host)
    run("nft", "-f", "-", text=text)


def spoken(host: int, far: int, action: dict[str, Any]) -> dict[str, Any]:
    """A conversation: what a client on one side gets from a server on the other."""
    server_end, client_end = (host, far) if action["to"] == "host" else (far, host)
    kind = socket.SOCK_STREAM if action["proto"] == "tcp" else socket.SOCK_DGRAM
    address = (HOST4 if action["to"] == "host" else FAR4, action["port"])
    enter(server_end)
    server = socket.socket(socket.AF_INET, kind)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if not action.get("closed"):
        server.bind(address)
        if kind == socket.SOCK_STREAM:
            server.listen()
    enter(client_end)
    client = socket.socket(socket.AF_INET, kind)
    client.settimeout(0.4)
    try:
        client.connect(address)
        if kind == socket.SOCK_STREAM:
            return {"said": "connected", **flip(host, action, server, client)}
        client.send(b"x")
        if action.get("closed"):
            client.recv(10)
        server.settimeout(0.4)
        _, who = server.recvfrom(10)
        server.sendto(b"y", who)
        return {"said": client.recv(10).decode()}
    except OSError as error:
        return {"said": type(error).__name__}
    finally:
        server.close()
        client.close()


def flip(host: int, action: dict[str, Any], server: socket.socket, client: socket.socket) -> dict[str, Any]:
    """Whether a living connection still carries data after another table is loaded."""
    peer, _ = server.accept()
    peer.settimeout(0.6)
    answers = []
    for text in (None, action.get("flip")):
        if text:
            load(host, text)
        try:
            client.send(b"x")
            answers.append(peer.recv(10).decode())
        except OSError as error:
            answers.append(type(error).__name__)
    peer.close()
    return {"before": answers[0], "after": answers[1]}


def main() -> None:
    request = json.load(sys.stdin)
    host, far = build()
    load(host, request["table"])
    answer: dict[str, Any] = {}
    if "packets" in request:
        answer["arrived"] = arrived(host, far, request["packets"])
    answer["spoken"] = []
    for action in request.get("speak", []):
        load(host, action.get("table", request["table"]))
        answer["spoken"].append(spoken(host, far, action))
    enter(host)
    answer["listed"] = run("nft", "-nn", "list", "table", "inet", "configlet")
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()

"""Foreign judges of the same five-tuples: the kernel's nftables on real packets, and DPDK's rte_acl."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address
from pathlib import Path

from configlet.model.net import TOP, Span, prefixes
from configlet.model.policy import ANY_PORT, ANY_PROTO, Entry, Packet

NAMES = {6: "tcp", 17: "udp"}
ROOT = Path(__file__).resolve().parents[2]


def impossible_kernel() -> str:
    """Why the kernel cannot be asked here, "" when it can."""
    if not shutil.which("nft"):
        return "nft is not here (Debian: apt-get install nftables)"
    made = subprocess.run(["unshare", "-Urn", "true"], capture_output=True, check=False)
    return "" if made.returncode == 0 else "no namespaces of our own"


def impossible_acl() -> str:
    return "" if shutil.which("dpdk-test-acl") else "dpdk-test-acl is not here (Debian: apt-get install dpdk)"


def nftables(entries: Sequence[Entry], frames: Sequence[bytes]) -> list[bool]:
    """Which frames the kernel lets out of an interface with these IPv4 permits at its egress, and a drop behind them."""
    request = {"rules": _nft(entries), "frames": [frame.hex() for frame in frames]}
    around = {"PYTHONPATH": str(ROOT / "builder"), "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}
    done = subprocess.run(
        ["unshare", "-Urn", sys.executable, "-S", __file__], input=json.dumps(request), capture_output=True, text=True,
        check=False, env={**os.environ, **around},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    passed = set(json.loads(done.stdout))
    return [number in passed for number in range(len(frames))]


def _nft(entries: Sequence[Entry]) -> list[str]:
    """The table, then its rules in parts that a namespace of ours may load at once."""
    hook = 'type filter hook egress device "a0" priority 0; policy drop;'
    lines = [f"add rule netdev t c {_statement(e)}\n" for e in entries if e.box[6] == (0, 0)]
    parts = ("".join(lines[n : n + 100]) for n in range(0, len(lines), 100))
    return [f"table netdev t {{\nchain c {{\n{hook}\n}}\n}}\n", *parts]


def _statement(entry: Entry) -> str:
    proto, dst, src, dport, sport, *_ = entry.box
    words = [f"ip {name} {_range(span)}" for name, span in (("saddr", src), ("daddr", dst)) if span != (0, TOP[4])]
    if proto != ANY_PROTO:
        words.append(f"meta l4proto {proto[0]}" if proto[0] == proto[1] else f"meta l4proto {proto[0]}-{proto[1]}")
    words += [f"th {name} {span[0]}-{span[1]}" for name, span in (("sport", sport), ("dport", dport)) if span != ANY_PORT]
    return " ".join(["ether type ip", *words, "accept"])


def _range(span: Span) -> str:
    low, high = map(str, map(IPv4Address, span))
    return low if low == high else f"{low}-{high}"


def rte_acl(entries: Sequence[Entry], packets: Sequence[Packet]) -> list[bool]:
    """Which IPv4 packets match any of these permits."""
    lines = [line for e in entries if e.box[6] == (0, 0) for line in _acl(e)]
    with tempfile.TemporaryDirectory() as folder:
        rules, trace = Path(folder) / "rules", Path(folder) / "trace"
        rules.write_text("".join(lines))
        trace.write_text("".join(f"{p.src}\t{p.dst}\t{p.sport}\t{p.dport}\t{p.proto}\n" for p in packets))
        done = subprocess.run(
            ["dpdk-test-acl", "-l", "0", "--no-huge", "--no-pci", "-m", "2048", f"--file-prefix=n{os.getpid()}", "--",
             f"--rulesf={rules}", f"--tracef={trace}", f"--tracenum={len(packets)}", f"--rulenum={len(lines) + 1}",
             "--bldcat=1", "--runcat=1", "--verbose=2"], capture_output=True, text=True, check=False,
        )  # fmt: skip
    found = re.findall(r"ipv4_5tuple: (\d+), category: 0, result: (\d+)", done.stdout)
    assert len(found) == len(packets), (done.returncode, len(found), (done.stdout + done.stderr)[-1500:])
    out = [False] * len(packets)
    for line, result in found:
        out[int(line) - 1] = int(result) != 4294967295
    return out


def _acl(entry: Entry) -> Iterator[str]:
    proto, dst, src, dport, sport, *_ = entry.box
    numbers = [(0, "0x00")] if proto == ANY_PROTO else [(n, "0xff") for n in range(proto[0], proto[1] + 1)]
    for s, s_bits in prefixes(4, src):
        for d, d_bits in prefixes(4, dst):
            for number, mask in numbers:
                yield (
                    f"@{IPv4Address(s)}/{s_bits}\t{IPv4Address(d)}/{d_bits}\t{sport[0]} : {sport[1]}\t{dport[0]} : {dport[1]}\t"
                    f"{number:#04x}/{mask}\n"
                )


def run(*words: str, text: str | None = None) -> None:
    done = subprocess.run(words, input=text, text=True, check=False, capture_output=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}: {done.stderr[:600]}")


def _main() -> None:
    """In a namespace of our own: the table at one end of a cable, and what comes out at the other."""
    request = json.load(sys.stdin)
    run("ip", "link", "add", "a0", "type", "veth", "peer", "name", "b0")
    for name in ("a0", "b0"):
        Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6").write_text("1")
        run("ip", "link", "set", name, "up")
    for part in request["rules"]:
        run("nft", "-f", "-", text=part)
    ears = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    ears.bind(("b0", 3))
    ears.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    ears.setblocking(False)
    mouth = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    mouth.bind(("a0", 0))
    passed = []
    for number, frame in enumerate(request["frames"]):
        mark = b"CFGL" + number.to_bytes(4, "big")
        try:
            mouth.send(bytes.fromhex(frame) + mark)
        except OSError:
            continue
        try:
            while True:
                data = ears.recv(4096)
                if data[-8:-4] == b"CFGL":
                    passed.append(int.from_bytes(data[-4:], "big"))
        except BlockingIOError:
            pass
    import time

    time.sleep(0.2)
    try:
        while True:
            data = ears.recv(4096)
            if data[-8:-4] == b"CFGL":
                passed.append(int.from_bytes(data[-4:], "big"))
    except BlockingIOError:
        pass
    json.dump(passed, sys.stdout)


if __name__ == "__main__":
    _main()

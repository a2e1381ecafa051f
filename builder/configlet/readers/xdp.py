"""XDP tables, as carried to a host or dumped out of its kernel, as first-match lists."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from configlet.model.gate import Line, Reading, Texts
from configlet.model.net import BITS, TOP, Family, Span
from configlet.model.policy import ANY_BIT, ANY_PORT, ANY_PROTO
from configlet.model.problem import Place, refuse
from configlet.model.running import Running
from configlet.packets.boxes import box_text
from configlet.readers.whole import whole
from configlet.readers.xdp_dump import CONSTANTS, ELEMENTS, PAIRS, Dump, Numbers, dump_of
from configlet.readers.xdp_services import DROPS, Services

CHUNK, LINE64, LINE32, WIDE64 = 9, 10, 11, 15
SHOWN = 2000
"""Lines for people in the canonical text; what the tables hold stands below them in any case."""

Found = tuple[Span, int]
"""Peers, and the reference that their address leads to."""


class XdpReader:
    """The reader of these tables; its grammar is the layout of the kernel's maps."""

    def __init__(self, grammar: Mapping[str, Any]) -> None:
        self.direction = str(grammar["direction"])

    def read(self, text: str, file: str) -> Reading:
        """One list for each family, of the interfaces that are named. Raises Refused for what is not known."""
        if not text.strip():
            return Reading({}, 0, 0)
        dump = dump_of(text, file)
        services = Services(dump)
        lists = {4: tuple(_four(dump, services, file)), 6: tuple(_six(dump, services))}
        binding = " ".join(sorted(dump.attach))
        keyed = {(binding, self.direction, family): lines for family, lines in lists.items()} if binding else {}
        stateful = bool(dump.constants["use_connections"])
        return Reading(keyed, dump.total, dump.total, stateful, partial(Texts, "\n".join(_canonical(dump, lists)) + "\n"))

    def running(self, text: str, file: str) -> Running:
        """What a whole configuration says, or the line at which it was not understood."""
        return whole(self.read, text, file)


def _four(dump: Dump, services: Services, file: str) -> Iterator[Line]:
    """Single local addresses first, then destinations by the longest prefix: as the program asks."""
    for address, header in _headers(dump, file):
        yield from _table(services, 4, (address, address), list(_trie(dump, header)))
    for (bits, raw), header in sorted(dump.lookups["dst4"].items(), key=lambda item: -int(item[0][0])):
        low = int.from_bytes(bytes(raw), "big")
        yield from _table(services, 4, _prefix(4, low, int(bits)), list(_trie(dump, header)))


def _headers(dump: Dump, file: str) -> Iterator[tuple[int, Numbers]]:
    mask, multiplier = dump.constants["locals_mask"], dump.constants["multiplier"]
    for index, bucket in enumerate(dump.arrays["locals"]):
        used = [header for header in (bucket[:8], bucket[8:]) if header[3]]
        if len({header[0] for header in used}) != len(used):
            raise _odd(file, f"bucket {index} has one address twice")
        for header in used:
            if (header[0] * multiplier & 0xFFFFFFFF) >> 16 & mask != index:
                raise _odd(file, f"bucket {index} has an address that is looked for elsewhere")
            yield header[0], header


def _trie(dump: Dump, header: Numbers) -> Iterator[Found]:
    """Every interval of peers under one header, in order."""
    _, root, shift, _, pre, *_ = header
    for low, high, ref in _chunks(dump, root, shift, pre):
        yield from _walk(dump, ref, low, high, shift - 8, pre)


def _chunks(dump: Dump, root: int, shift: int, pre: int) -> Iterator[tuple[int, int, int]]:
    """The slots of the root: (first address, last address, reference)."""
    size = 1 << (shift - pre)
    for slot in range(-(-(1 << 32) // size)):
        chunk = root + (slot >> 8)
        ref = dump.arrays["nodes"][chunk][slot & 255] if chunk < len(dump.arrays["nodes"]) else DROPS
        yield slot * size, slot * size + size - 1, ref


def _walk(dump: Dump, ref: int, low: int, high: int, shift: int, pre: int) -> Iterator[Found]:
    kind, index = ref >> 28, ref & 0x0FFFFFFF
    if kind == CHUNK and shift >= 0:
        nodes = dump.arrays["nodes"]
        if index >= len(nodes):
            yield (low, high), DROPS
            return
        size, copies = (1 << (shift - pre), 1) if shift >= pre else (1, 1 << (pre - shift))
        for slot in range(0, 256, copies):
            first = low + slot // copies * size
            yield from _walk(dump, nodes[index][slot], first, first + size - 1, shift - 8, pre)
    elif kind in (LINE32, LINE64, WIDE64):
        yield from _line(dump, kind, index, low, high)
    else:
        yield (low, high), ref


def _line(dump: Dump, kind: int, index: int, low: int, high: int) -> Iterator[Found]:
    table, cuts, bits = {LINE32: ("lines32", 4, 16), LINE64: ("lines64", 8, 16), WIDE64: ("wides64", 7, 24)}[kind]
    if index >= len(dump.arrays[table]):
        yield (low, high), DROPS
        return
    line, mask = dump.arrays[table][index], (1 << bits) - 1
    places = [start for start in line[:cuts] if start <= mask]
    borders = {low, high + 1}
    for base in range(low & ~mask, high + 1, mask + 1):
        borders |= {at for at in (base, *(base + start for start in places)) if low < at <= high}
    ordered = sorted(borders)
    for first, after in itertools.pairwise(ordered):
        yield (first, after - 1), line[cuts + sum(start <= first & mask for start in line[:cuts])]


def _table(services: Services, family: Family, local: Span, found: Iterable[Found]) -> Iterator[Line]:
    """The permits of one destination, then a deny of all else to it: no later table is asked."""
    spans: list[Found] = []
    for span, ref in found:
        if spans and spans[-1][1] == ref and spans[-1][0][1] + 1 == span[0]:
            spans[-1] = ((spans[-1][0][0], span[1]), ref)
        else:
            spans.append((span, ref))
    for span, ref in spans:
        yield from _permits(services, family, local, span, ref)
    yield Line(False, _everything(local, (0, TOP[family])), 0, "default deny")


def _permits(services: Services, family: Family, local: Span, peer: Span, ref: int) -> Iterator[Line]:
    for proto, dport, sport, flag, fragment, label in services.of(family, ref):
        yield Line(True, (proto, local, peer, dport, sport, flag, fragment), 0, label, label)


def _everything(local: Span, peer: Span) -> tuple[Span, ...]:
    return (ANY_PROTO, local, peer, ANY_PORT, ANY_PORT, ANY_BIT, ANY_BIT)


def _six(dump: Dump, services: Services) -> Iterator[Line]:
    for (raw, side, _), (number, _) in dump.lookups["local6"].items():
        address = int.from_bytes(bytes(raw), "big")
        if not side:
            yield from _table6(dump, services, (address, address), number)
    for (bits, side6, raw), (number, _) in sorted(dump.lookups["dst6"].items(), key=lambda item: -int(item[0][0])):
        if side6 == bytes(4):
            low = int.from_bytes(bytes(raw), "big")
            yield from _table6(dump, services, _prefix(6, low, int(bits) - 32), number)


def _table6(dump: Dump, services: Services, local: Span, number: int) -> Iterator[Line]:
    """Peers by the longest prefix that is asked for: addresses and prefixes inside a known /64, that /64, shorter ones."""
    for peer, ref in _peers6(dump, number):
        yield from _permits(services, 6, local, peer, ref)
        yield Line(False, _everything(local, peer), 0, "default deny")
    yield Line(False, _everything(local, (0, TOP[6])), 0, "default deny")


def _peers6(dump: Dump, number: int) -> Iterator[Found]:
    mine = {bytes(raw): v for (raw, t, _), v in dump.lookups["h64"].items() if t == number}
    whole: dict[bytes, list[tuple[int, int]]] = {}
    for (raw, table, _), (ref, _) in dump.lookups["h128"].items():
        if table == number:
            whole.setdefault(bytes(raw)[:8], []).append((int.from_bytes(bytes(raw), "big"), ref))
    inside: dict[int, list[tuple[int, int, int]]] = {}
    for (bits, ident, raw), (ref, _) in dump.lookups["l128"].items():
        inside.setdefault(int(ident), []).append((int(bits) - 32, int.from_bytes(bytes(raw), "big"), ref))
    for high, (ref, more, ident, _) in mine.items():
        base = int.from_bytes(high, "big") << 64
        yield from (((address, address), value) for address, value in (whole.get(high, ()) if more else ()))
        for bits, low, value in sorted(inside.get(ident, ()) if more == 2 else (), reverse=True):
            yield _prefix(6, base + low, 64 + bits), value
        yield (base, base + (1 << 64) - 1), ref
    short = [(int(b) - 32, int.from_bytes(bytes(raw), "big") << 64, v[0])
             for (b, t, raw), v in dump.lookups["l6"].items() if t == number]  # fmt: skip
    for bits, low, ref in sorted(short, reverse=True):
        yield _prefix(6, low, bits), ref


def _prefix(family: Family, low: int, bits: int) -> Span:
    size = 1 << (BITS[family] - bits)
    return low & ~(size - 1), low | (size - 1)


def _canonical(dump: Dump, lists: Mapping[int, tuple[Line, ...]]) -> Iterator[str]:
    yield "configlet-xdp 1"
    yield from (f"attach {name}" for name in sorted(dump.attach))
    families: tuple[Family, Family] = (4, 6)
    passing = [(family, line) for family in families for line in lists[family] if line.permit]
    for family, line in passing[:SHOWN]:
        proto, dst, src, dport, sport, flag, fragment = line.box
        yield f"# {box_text(family, (proto, dst, src, dport, sport, flag, fragment))}: {line.label}"
    if len(passing) > SHOWN:
        yield f"# and {len(passing) - SHOWN:,} more"
    yield from (f"constant {name} {dump.constants[name]}" for name in CONSTANTS)
    yield from (dump.raw[name] for name in (*ELEMENTS, *PAIRS))


def _odd(file: str, what: str) -> Exception:
    return refuse("Table that cannot be read", f"{what}. Nothing is known of what these tables pass.", Place(file))

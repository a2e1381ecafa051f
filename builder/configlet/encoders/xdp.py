"""Fitted rows to the maps of one XDP generation (reference: builder/bpf/tables.h). Pure: same rows, same bytes."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from configlet.encoders import xdp_layout as at
from configlet.encoders import xdp_six
from configlet.encoders.xdp_classes import Spec, classes_of
from configlet.encoders.xdp_layout import Encoded
from configlet.encoders.xdp_peers import Root, Trie, walk
from configlet.encoders.xdp_rows import Rows
from configlet.encoders.xdp_store import Store
from configlet.encoders.xdp_text import text
from configlet.model.gate import Table
from configlet.model.net import BITS, Family, Span, prefixes
from configlet.model.policy import DST, SRC, Entry
from configlet.model.problem import refuse

Per = Literal["verdict", "rule", "row"]
Side = Literal["towards", "leaving"]
Key = tuple[Side, Family]
Lists = Mapping[Key, Sequence[Entry]]
"""First-match rows with default deny, towards the local addresses and (where connections are remembered) from them."""

CONSTANTS: dict[str, int] = {
    "locals_mask": 0, "leaving_mask": 0, "multiplier": 1, "blocks": 1, "steps": 0, "use_sport": 0, "use_counters": 1,
    "use_connections": 0, "events": 0, "ethertype0": 0, "ethertype1": 0, "ethertype2": 0, "ethertype3": 0,
    "timeout_tcp": 0, "timeout_other": 0,
}  # fmt: skip
"""The constants of a generation, in their order in memory."""
_MULTIPLIERS = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F, 0x165667B1)
_HEADER = struct.Struct("<8I")
_NUMBER = struct.Struct("<II")
_Peer = tuple[int, Span, int]


@dataclass(frozen=True, slots=True)
class Region:
    """A prefix of destinations (of what leaves: of sources), and the spans whose rows judge it."""

    side: Side
    family: Family
    low: int
    high: int
    spans: tuple[Span, ...]


@dataclass(slots=True)
class Sorted:
    """The rows of all lists, numbered in order: what each asks for, and where it counts."""

    specs: dict[Spec, int]
    results: list[int]
    names: list[str]
    by_span: dict[Key, dict[Span, list[_Peer]]]


def encode(lists: Lists, *, per: Per = "rule", ethertypes: Sequence[int] = (), constants: Mapping[str, int] = {}) -> Encoded:
    """One generation. Raises Refused for what no table can hold.

    ``per`` says what is told apart, and so counted: each row, each rule, or only what passes and what does not. The less it
    is, the more the tables share.
    """
    ordered = _sort(lists, per)
    classes = classes_of(list(ordered.specs) or [(4, (0, 0), (0, 65535), (0, 65535), (0, 1), (1, 1))])
    store = Store()
    rows = Rows(store, classes.covers, classes.count, [*ordered.results, at.DEFAULT])
    arrays, lookups = _local_tables(ordered, rows, store)
    said = {
        **CONSTANTS,
        **arrays.constants,
        "blocks": -(-classes.count // 64),
        "steps": rows.steps,
        "use_sport": int(any(spec[3] != (0, 65535) for spec in ordered.specs)),
        **{f"ethertype{i}": value for i, value in enumerate(ethertypes)},
        **constants,
    }
    names = b"".join(name.encode()[:95].ljust(96, b"\0") for name in ordered.names)
    made = {"locals": arrays.towards, "leaving": arrays.leaving, "svc": classes.table, **store.arrays, "names": names}
    facts = {"classes": classes.count, "filters": len(ordered.results), **arrays.facts, **store.facts}
    return Encoded(said, made, lookups, facts)


def _sort(lists: Lists, per: Per) -> Sorted:
    """Every row with a number; the earlier, the smaller."""
    out = Sorted({}, [], ["deny default deny"] if per != "verdict" else ["deny", "allow"], {})
    known: dict[tuple[int, bool, bool], int] = {}
    for key in sorted(lists):
        by_span = out.by_span.setdefault(key, {})
        local, peer = (DST, SRC) if key[0] == "towards" else (SRC, DST)
        specs: dict[tuple[Span, ...], int] = {}
        for entry in lists[key]:
            box = entry.box
            asked = box[:1] + box[3:]
            spec = specs.get(asked)
            if spec is None:
                spec = specs[asked] = out.specs.setdefault((key[1], *asked), len(out.specs))
            number = len(out.results)
            if box[local] not in by_span:
                by_span[box[local]] = []
            by_span[box[local]].append((number, box[peer], spec))
            if per == "verdict":
                out.results.append((1 if entry.permit else at.DENY) | (at.LOG if entry.log else 0))
                continue
            mark = (id(entry.rule), entry.permit, entry.reply)
            if per == "row" or mark not in known:
                known[mark] = _result(out.names, entry, number if per == "row" else None)
            out.results.append(known[mark])
    return out


def _result(names: list[str], entry: Entry, row: int | None) -> int:
    """A new result with its name."""
    number = len(names)
    if number >= at.RESULTS:
        raise refuse("More results than can be counted", f"{number:,} results do not fit. Count by rule instead.")
    which = "" if row is None else f"{row} "
    names.append(f"{'allow' if entry.permit else 'deny'} {which}{'replies of ' if entry.reply else ''}{entry.rule.name}")
    return number | (0 if entry.permit else at.DENY) | (at.LOG if entry.log else 0)


def regions(side: Side, family: Family, spans: Iterable[Span]) -> Iterator[Region]:
    """Every prefix of which some row speaks, with the rows that hold for it where no longer prefix is found."""
    spans = list(spans)
    wide = [span for span in spans if span[0] != span[1]]
    size = BITS[family]
    found = {(low, low + (1 << (size - bits)) - 1) for span in spans for low, bits in prefixes(family, span)}
    single = set(spans) - set(wide)
    for low, high in sorted(found):
        around = [span for span in wide if span[0] <= low and high <= span[1]]
        around += [(low, high)] if (low, high) in single else []
        yield Region(side, family, low, high, tuple(around))


@dataclass(slots=True)
class Locals:
    """What the local addresses became: the two hashed arrays and their masks."""

    towards: bytes
    leaving: bytes
    constants: dict[str, int]
    facts: dict[str, int]


def _local_tables(ordered: Sorted, rows: Rows, store: Store) -> tuple[Locals, dict[str, dict[bytes, bytes]]]:
    lookups: dict[str, dict[bytes, bytes]] = {name: {} for name in at.KEYS}
    roots: dict[tuple[_Peer, ...], Root] = {}
    numbers: dict[tuple[_Peer, ...], int] = {}
    single: dict[Side, dict[int, Root]] = {"towards": {}, "leaving": {}}
    intervals = 0
    for (side, family), by_span in ordered.by_span.items():
        for region in regions(side, family, by_span):
            peers = tuple(sorted(peer for span in region.spans for peer in by_span[span]))
            if family == 6:
                if peers not in numbers:
                    numbers[peers] = len(numbers)
                    found, _ = walk(rows, 6, peers)
                    xdp_six.write(found, at.DEFAULT, numbers[peers], lookups)
                _place6(region, numbers[peers], lookups)
                continue
            if peers not in roots:
                _, cut = walk(rows, 4, peers)
                intervals += len(cut)
                roots[peers] = Trie(store, cut).root()
            _place4(region, roots[peers], single[side], lookups)
    towards, leaving, masks = _hashed(single)
    facts = {"tables": len(roots) + len(numbers), "intervals": intervals, "prefixes6": len(lookups["l6"])}
    return Locals(towards, leaving, masks, facts), lookups


def _place4(region: Region, root: Root, single: dict[int, Root], lookups: dict[str, dict[bytes, bytes]]) -> None:
    if region.low == region.high:
        single[region.low] = root
        return
    if region.side == "leaving":
        raise _wide_leaving()
    bits = 32 - (region.high - region.low).bit_length()
    lookups["dst4"][struct.pack("<I", bits) + region.low.to_bytes(4, "big")] = _header(0, root)


def _place6(region: Region, number: int, lookups: dict[str, dict[bytes, bytes]]) -> None:
    side = int(region.side == "leaving")
    if region.low == region.high:
        lookups["local6"][region.low.to_bytes(16, "big") + _NUMBER.pack(side, 0)] = _NUMBER.pack(number, 0)
        return
    bits = 128 - (region.high - region.low).bit_length()
    lookups["dst6"][_NUMBER.pack(32 + bits, side) + region.low.to_bytes(16, "big")] = _NUMBER.pack(number, 0)


def _wide_leaving() -> Exception:
    return refuse(
        "Row that no XDP table can hold",
        "Connections are remembered for single local addresses, and a row from a range of them was given.",
    )


def _header(address: int, root: Root) -> bytes:
    return _HEADER.pack(address, root.chunk, root.shift, 1, root.pre, 0, 0, 0)


def _hashed(single: Mapping[Side, Mapping[int, Root]]) -> tuple[bytes, bytes, dict[str, int]]:
    """Both arrays of buckets of two, under one multiplier that fills no bucket beyond that."""
    for multiplier in _MULTIPLIERS:
        both = [_buckets(single[side], multiplier) for side in ("towards", "leaving")]
        (towards, one), (leaving, other) = both
        if towards and leaving:
            return towards, leaving, {"locals_mask": one, "leaving_mask": other, "multiplier": multiplier}
    raise refuse(
        "Local addresses that no table can hold", f"{len(single['towards']):,} addresses collide too often.", nature="red"
    )


def _buckets(found: Mapping[int, Root], multiplier: int) -> tuple[bytes, int]:
    """Buckets and mask; no bytes when even 65,536 buckets do not suffice."""
    size = 1
    while size <= 65536:
        buckets: list[list[bytes]] = [[] for _ in range(size)]
        for address, root in sorted(found.items()):
            buckets[(address * multiplier & 0xFFFFFFFF) >> 16 & (size - 1)].append(_header(address, root))
        if all(len(bucket) <= 2 for bucket in buckets):
            return b"".join(b"".join(bucket).ljust(64, b"\0") for bucket in buckets), size - 1
        size *= 2
    return b"", 0


def artifact(operands: Mapping[str, Any], tables: Sequence[Table]) -> str:
    """A host's tables as the text that is carried to it. Raises Refused."""
    if operands["count"] not in get_args(Per):
        detail = f'The operand `count` of the platform is "{operands["count"]}". Write one of {", ".join(get_args(Per))}.'
        raise refuse("Operand that is not known", detail)
    lists: dict[Key, Sequence[Entry]] = {}
    for table in tables:
        key: Key = ("towards", table.family)
        if key in lists:
            raise refuse("Row that no XDP table can hold", "A host has one table for each family, and two were given.")
        lists[key] = table.rows
    encoded = encode(lists, per=operands["count"], ethertypes=operands["ethertypes"], constants=operands["constants"])
    return text(encoded, sorted({name for table in tables for name in table.gate.binding.split()}))

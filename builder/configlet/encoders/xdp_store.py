"""Where lines, blocks and chunks are kept: equal ones once, each named by a reference."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import cached_property

from configlet.encoders import xdp_layout as at
from configlet.encoders.xdp_layout import CHUNK, LINE32, LINE64, OVER16, OVER32, OVER64, PARENT, WIDE64

Cuts = tuple[int, ...]
Values = tuple[int, ...]

_LINE32 = struct.Struct("<4H6I")
_LINE64 = struct.Struct("<8H12I")
_WIDE64 = struct.Struct("<16I")
_OVER16 = struct.Struct("<2H3I")
_CHUNK = struct.Struct("<256I")
_BLOCK = struct.Struct("<64I")
_POINTERS = struct.Struct("<16I")


class Store:
    """The shared arrays of one generation while they grow."""

    def __init__(self) -> None:
        self._lines32: dict[tuple[Cuts, Values, int], int] = {}
        self._lines64: dict[tuple[Cuts, Values, int], int] = {}
        self._wides64: dict[tuple[Cuts, Values], int] = {}
        self._overs16: dict[tuple[int, int, int, int], int] = {}
        self._blocks: dict[Values, int] = {}
        self._rows: dict[Values, int] = {}
        self._chunks: list[Values] = []
        self._runs: dict[tuple[Values, ...], int] = {}

    def address_line(self, cuts: Cuts, values: Values) -> int:
        """An interval line over the low 16 bits of an address."""
        return self._line(LINE32, LINE64, cuts, values, 0)

    def overlay(self, changes: Sequence[tuple[int, int, int]], parent: int) -> int | None:
        """What differs from a parent in runs (first class, last class, reference); None when no line holds it."""
        if len(changes) == 1:
            key = (*changes[0], parent)
            return OVER16 | self._overs16.setdefault(key, len(self._overs16))
        cuts: list[int] = []
        values = [PARENT]
        for low, high, ref in changes:
            if (cuts and cuts[-1] == low) or low == 0:
                values[-1] = ref
            else:
                cuts.append(low)
                values.append(ref)
            cuts.append(high + 1)
            values.append(PARENT)
        if len(cuts) > 8 or cuts[-1] > 65535:
            return None
        return self._line(OVER32, OVER64, tuple(cuts), tuple(values), parent)

    def sport_line(self, cuts: Cuts, values: Values) -> int:
        """An interval line over source ports, up to nine values."""
        return LINE64 | self._lines64.setdefault((cuts, values, 0), len(self._lines64))

    def class_line(self, cuts: Cuts, values: Values) -> int:
        """A line over classes, up to nine values: an overlay whose parent is never asked."""
        return OVER64 | self._lines64.setdefault((cuts, values, 0), len(self._lines64))

    def wide_line(self, cuts: Cuts, values: Values) -> int:
        """An interval line over the low 24 bits of an address."""
        return WIDE64 | self._wides64.setdefault((cuts, values), len(self._wides64))

    def _line(self, small: int, large: int, cuts: Cuts, values: Values, parent: int) -> int:
        if len(cuts) <= 4:
            return small | self._lines32.setdefault((cuts, values, parent), len(self._lines32))
        return large | self._lines64.setdefault((cuts, values, parent), len(self._lines64))

    def block(self, values: Values) -> int:
        """The number of a block of up to 64 cells."""
        return self._blocks.setdefault(values, len(self._blocks))

    def row(self, blocks: Values) -> int:
        """A row by the numbers of its blocks; a row of one block has the block's own number."""
        if len(blocks) == 1:
            return at.ROW | blocks[0]
        return at.ROW | self._rows.setdefault(blocks, len(self._rows))

    def chunk(self, refs: Values) -> int:
        """One chunk of a trie."""
        return CHUNK | self.run((refs,))

    def run(self, chunks: tuple[Values, ...]) -> int:
        """The number of the first of these consecutive chunks."""
        first = self._runs.get(chunks)
        if first is None:
            first = self._runs[chunks] = len(self._chunks)
            self._chunks += chunks
        return first

    @cached_property
    def arrays(self) -> dict[str, bytes]:
        """The bytes of every array; each has at least one element."""
        pointers = [number for row in self._rows for number in row]
        pointers += [0] * (-len(pointers) % 16)
        return {
            "nodes": b"".join(_CHUNK.pack(*refs) for refs in self._chunks) or bytes(1024),
            "lines32": b"".join(_pack32(*key) for key in self._lines32) or bytes(32),
            "lines64": b"".join(_pack64(*key) for key in self._lines64) or bytes(64),
            "wides64": b"".join(_pack_wide(*key) for key in self._wides64) or bytes(64),
            "overs16": b"".join(_OVER16.pack(*key, 0) for key in self._overs16) or bytes(16),
            "cells": b"".join(_BLOCK.pack(*b, *(b[-1:] * (64 - len(b)))) for b in self._blocks) or bytes(256),
            "rowptr": b"".join(_POINTERS.pack(*pointers[i : i + 16]) for i in range(0, len(pointers), 16)) or bytes(64),
        }

    @property
    def facts(self) -> dict[str, int]:
        """How many there are of each."""
        rows = self._rows or self._blocks
        return {
            "rows": len(rows), "blocks": len(self._blocks), "chunks": len(self._chunks), "line32": len(self._lines32),
            "line64": len(self._lines64), "wide64": len(self._wides64), "over16": len(self._overs16),
        }  # fmt: skip


def _pack32(cuts: Cuts, values: Values, parent: int) -> bytes:
    return _LINE32.pack(*cuts, *([0xFFFF] * (4 - len(cuts))), *values, *([values[-1]] * (5 - len(values))), parent)


def _pack64(cuts: Cuts, values: Values, parent: int) -> bytes:
    fill = [values[-1]] * (9 - len(values))
    return _LINE64.pack(*cuts, *([0xFFFF] * (8 - len(cuts))), *values, *fill, parent, 0, 0)


def _pack_wide(cuts: Cuts, values: Values) -> bytes:
    fill = [values[-1]] * (8 - len(values))
    return _WIDE64.pack(*cuts, *([0xFFFFFFFF] * (7 - len(cuts))), *values, *fill, 0)

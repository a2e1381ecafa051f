"""The reader of a grammar file, compiled once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from configlet.model.gate import Reading
from configlet.model.problem import Place, refuse
from configlet.model.running import Running
from configlet.readers.grammar import load

MOST = 200
"""Characters of a pattern that are shown."""


class Reader(Protocol):
    """Anything that turns a text into what it means."""

    def read(self, text: str, file: str) -> Reading:
        """The meaning of a text. Raises Refused."""
        ...

    def running(self, text: str, file: str) -> Running:
        """The access lists of a whole running configuration, each read completely or named with what is wrong."""
        ...


KEPT = 16
"""Readers of which the file is not looked at again, by the identity of what they are of, which is held."""
_KEPT: dict[int, tuple[object, Path, Reader]] = {}


def reader(path: Path, of: object = None) -> Reader:
    """The compiled reader of a grammar, one for each version of its file, which is looked at for every text; for those ``of`` one
    object, what was read of a platform once, only for the first of them. Raises Refused."""
    known = _KEPT.get(id(of))
    if known and known[1] is path:
        return known[2]
    found = _reader(path, path.stat().st_mtime_ns)
    if of is not None:
        if len(_KEPT) >= KEPT:
            _KEPT.clear()
        _KEPT[id(of)] = of, path, found
    return found


@lru_cache(maxsize=32)
def _reader(path: Path, _: int) -> Reader:
    grammar = load(path)
    try:
        return _built(grammar, path)
    except re.error as error:
        pattern = str(error.pattern)
        shown = pattern if len(pattern) <= MOST else f"{pattern[:MOST]}…"
        detail = f'{error}, in the pattern "{shown}". Correct the grammar.'
    except KeyError as error:
        detail = f"The key {error} is missing, or what it is in. Write it; docs/add-a-platform.md names them."
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        detail = f"{error}. Something in it is of another kind than a reader needs: compare with a grammar that ships."
    raise refuse("Reader that cannot be built", detail, Place(str(path)))


def _built(grammar: Mapping[str, Any], path: Path) -> Reader:
    if grammar.get("meaning") == "acl":
        from configlet.readers.acl import AclReader

        return AclReader(grammar)
    if grammar.get("meaning") == "terms":
        from configlet.readers.terms import TermReader

        return TermReader(grammar)
    if grammar.get("meaning") == "chains":
        from configlet.readers.chains import ChainReader

        return ChainReader(grammar)
    if grammar.get("meaning") == "filter-table":
        from configlet.readers.filter_table import FilterTableReader

        return FilterTableReader(grammar)
    if grammar.get("meaning") == "xdp-tables":
        from configlet.readers.xdp import XdpReader

        return XdpReader(grammar)
    if grammar.get("meaning") == "serverlock-tables":
        from configlet.readers.serverlock import ServerlockReader

        return ServerlockReader(grammar)
    if grammar.get("meaning") == "flows":
        from configlet.readers.flows import FlowReader

        return FlowReader(grammar)
    known = "acl, terms, chains, filter-table, xdp-tables, serverlock-tables and flows"
    detail = f'The grammar says that its text means "{grammar.get("meaning")}". Known are {known}.'
    raise refuse("Reader without a meaning", detail, Place(str(path)))

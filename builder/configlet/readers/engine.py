"""The reader of a grammar file, compiled once."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Protocol

from configlet.model.gate import Reading
from configlet.model.problem import Place, refuse
from configlet.model.running import Running
from configlet.readers.grammar import load


class Reader(Protocol):
    """Anything that turns a text into what it means."""

    def read(self, text: str, file: str) -> Reading:
        """The meaning of a text. Raises Refused."""
        ...

    def running(self, text: str, file: str) -> Running:
        """The access lists of a whole running configuration, each read completely or named with what is wrong."""
        ...


def reader(path: Path) -> Reader:
    """The compiled reader of a grammar, one for each version of its file. Raises Refused."""
    return _reader(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=32)
def _reader(path: Path, _: int) -> Reader:
    grammar = load(path)
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

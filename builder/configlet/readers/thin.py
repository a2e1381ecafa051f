"""A frame without what stands in it many times over, so that more tables are of one pattern: chains that only decide, and
rules of a chain that ask for one source, one destination and the same else, and then lead to such a chain.

Chains that follow one another leave one of them, with a name of ours. Rules that follow one another leave one that looks up
both addresses in a list of ours, of which the first element that has them counts: the frame of a table that does the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

from configlet.readers.columns import Columns
from configlet.readers.spans import Unreadable, known_addresses

MARK = "again_and_again_"
"""How our names begin; a frame that has this somewhere is left as it is."""
SHAPES = 256
"""Chains, but for names and what they quote, that are remembered."""
_ADDRESS = "[0-9a-f.:/-]+"
_ELSE = "(?: [a-z0-9 {},!=-]*?)?"
_KIND = {4: "ipv4_addr", 6: "ipv6_addr"}
Decides = Callable[[str], "tuple[bool, int] | None"]


class Thin(NamedTuple):
    """What is left of a frame; ``lists`` are the rules that are not in it, in order, by the types of what they ask for, ``ends``
    the chains, which permit or not, and ``total`` how many lines all of these are more than those that came into the frame."""

    frame: str
    lists: Sequence[tuple[tuple[str, ...], Columns]]
    ends: Mapping[str, bool]
    total: int


class Thinner:
    """How such chains and rules are found. ``decides``: whether a chain of these lines only decides, and how, and how many lines
    it has."""

    def __init__(self, grammar: Mapping[str, Any], decides: Decides) -> None:
        name = grammar["parts"]["name"]
        begun = _begun("\tchain ")
        self._chain = re.compile(rf"{begun}({name}) \{{\n((?:\t\t[^\n{{}};]+\n){{1,3}})\t\}}\n", re.MULTILINE)
        self._decides = decides
        self._known: dict[str, tuple[bool, int] | None] = {}
        self._asked = [*_pairs(grammar["selectors"])]
        self._rules = [_rules(source, target, name) for _, source, target in self._asked]

    def of(self, frame: str) -> Thin | None:
        """What is left of a frame; None where it has nothing of all that, or is not surely the same so."""
        if MARK in frame:
            return None
        chains = self._without_chains(frame)
        if chains is None:
            return None
        left, ends, total = chains
        lists: list[tuple[tuple[str, ...], Columns]] = []
        for (family, source, target), (run, each) in zip(self._asked, self._rules, strict=True):
            at, parts = 0, list[str]()
            for found in run.finditer(left):
                columns = _columns(each.findall(found[0]), family)
                if columns is None:
                    return None
                parts += left[at : found.start()], f"\t\t{found[1].lstrip()} {source} . {target} vmap @{MARK}{len(lists)}\n"
                lists.append(((_KIND[family],) * 2, columns))
                total -= 1
                at = found.end()
            left = "".join((*parts, left[at:]))
        return Thin(left, lists, ends, total) if ends or lists else None

    def _without_chains(self, frame: str) -> tuple[str, Mapping[str, bool], int] | None:
        ends: dict[str, bool] = {}
        parts, quoted = list[str](), list[str]()
        at, last, total, many = -1, 0, 0, 0
        for found in self._chain.finditer(frame):
            name, body = found.groups()
            said = body.split('"')
            shape = '""'.join(said[::2])
            known = self._shaped(shape) if len(said) % 2 else None
            if known is None:
                continue
            if name in ends:
                return None
            quoted += said[1::2]
            ends[name], lines = known
            total += lines
            if found.start() != at:
                parts += frame[last : found.start()], f"\tchain {MARK}{many} {{\n{shape}\t}}\n"
                total -= lines
                many += 1
            last = at = found.end()
        if not "".join(quoted).isprintable():
            return None
        return "".join((*parts, frame[last:])), ends, total

    def _shaped(self, shape: str) -> tuple[bool, int] | None:
        if shape not in self._known:
            if len(self._known) >= SHAPES:
                self._known.clear()
            self._known[shape] = self._decides(shape)
        return self._known[shape]


def _pairs(selectors: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[int, str, str]]:
    """The families, and how a packet's own source and destination are asked for."""
    for family in _KIND:
        said = {
            one["field"]: text
            for text, one in selectors.items()
            if (one.get("family"), one["of"], one["value"]) == (family, "packet", "address")
        }
        if said.keys() >= {"source", "destination"}:
            yield family, said["source"], said["destination"]


def _rules(source: str, target: str, name: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Rules that follow one another, with what all ask for besides, and of each its addresses and its chain."""
    begin, one = f"\t\t{source} ", rf"{_ADDRESS} {target} {_ADDRESS}"
    together = rf"{_begun(begin)}{one}({_ELSE}) (goto|jump) {name}\n(?:{begin}{one}\1 \2 {name}\n)*"
    each = rf"^\t\t{source} (\S+) {target} (\S+).* ({name})$"
    return re.compile(together, re.MULTILINE), re.compile(each, re.MULTILINE)


def _begun(text: str) -> str:
    """A pattern of a line that begins with a text: the engine looks for that first, and not at the begin of each line."""
    return f"{text}(?<=^{text})"


def _columns(found: Sequence[tuple[str, str, str]], family: int) -> Columns | None:
    sources, targets, chains = zip(*found, strict=True)
    try:
        axes = [tuple([known_addresses(text, family) for text in texts]) for texts in (sources, targets)]
    except Unreadable:
        return None
    return Columns("", 0, axes, chains, _nobody, counting=False)


def _nobody() -> NoReturn:
    raise AssertionError

"""How a grammar writes the lists of one family: its clauses, its remarks, and what it leaves open at the end of a list."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from operator import itemgetter
from typing import Any

from configlet.model.frozen import dataclass
from configlet.readers.clauses import WORDS, Box
from configlet.readers.grammar import Clauses, by_key, steps


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a grammar writes the lists of one family."""

    clauses: Clauses
    remark: re.Pattern[str]
    words: Callable[[Sequence[str]], Sequence[str]]
    """What a matched entry says (``clauses.WORDS``), of all groups of its pattern."""
    at_end: tuple[Box, ...]
    """Packets of which it is not known what the device does with them at the end of a list."""
    lines: re.Pattern[str] | None
    """Every line below a header that is an entry or a remark as above, by ``COLUMNS``; None where its grammar may not say so."""
    numbered: tuple[str, ...]
    """The beginnings of its words that have a digit of their own, with 0 for that: without them, it tells no digits apart."""


COLUMNS = ("number", "text", "head", "source", "sport", "destination", "dport", "rest")
"""The groups of ``Dialect.lines`` in their order: of a remark the text; of an entry action and protocol, its ends, and what
stands behind them."""
_CLASS = re.compile(r"\[[^\]]*\]")
_ALIKE = re.compile(r"\\d|\{[0-9,]+\}")
"""Sets of characters; and what else in a pattern takes all digits to be alike."""
_ORDER = ("action", "proto", "source", "sport", "destination", "dport")
_NUMBER = re.compile(r"(?P<number>(?P<left>\(\?:)?(?:[a-z]+ )?\(\?P<number>\\d\+\)(?(left) \)\?))")
"""A pattern that begins with a number, and may leave it out."""
_REMARK = re.compile(_NUMBER.pattern + r"(?(left)| )(?P<rest>(?!permit|deny)[a-z]+ \(\?P<text>\.\*\))")
"""A remark: a number, a word, and anything."""
_ACTION = "(?P<action>permit|deny)"
_CROSSES = re.compile(r"\[\^|\\[^dwS\W]|\(\?[^:=!P]|\(\?P=")
"""What may take a line's end for a character, or look back at the number: a set of all but some, escapes, flags, and the like."""

_WORD = re.compile(r"\(\?= \|\$\)|\(\?!\(\?:(?:\(\?:)?[a-z0-9|-]+\)?\)\(\?: \|\$\)\)")
"""A word's end; and a word that is none of some, which looks no further than its own end."""


def dialect(grammar: Mapping[str, Any], parts: Mapping[str, str], family: int) -> Dialect:
    """The lists of one family."""
    every = (0, (1 << (32 if family == 4 else 128)) - 1)
    at_end: list[Box] = [
        ((proto, proto), every, every, (256 * kind, 256 * kind + 255), (0, 65535), (0, 1), (0, 0))
        for proto, kind in grammar.get("unwritten", {}).get(family, ())
    ]
    remark, entry = by_key(grammar["lines"]["remark"], family), by_key(grammar["entry"], family)
    clauses = Clauses(entry, parts)
    picked = itemgetter(*(clauses.whole.groupindex[word] - 1 for word in WORDS))
    lines = _lines(grammar, remark, entry, parts)
    numbered = None if lines is None else _numbered(lines.pattern)
    return Dialect(clauses, re.compile(remark), picked, tuple(at_end), None if numbered is None else lines, numbered or ())


def _lines(
    grammar: Mapping[str, Any], remark: str, entry: Sequence[Mapping[str, Any]], parts: Mapping[str, str]
) -> re.Pattern[str] | None:
    """Entries and remarks as one pattern, if each line by itself then says what it says alone.

    A line begins with its number, and then says by one word which of the two it is. No part of the pattern matches a line's
    end, so that none sees another line.
    """
    first: str = entry[0]["pattern"]
    one, two = _NUMBER.match(first), _REMARK.fullmatch(remark)
    if one is None or two is None or one["number"] != two["number"] or not all(map(_sign, grammar["comment"])):
        return None
    behind = [{**entry[0], "pattern": first[one.end() :]}, *entry[1:]] if one["left"] else entry[1:]
    if not behind[0]["pattern"].startswith(_ACTION) or (not one["left"] and one.end() < len(first)):
        return None
    pattern = f"^ +{one['number']}{'' if one['left'] else ' '}(?:{two['rest']}|{_columns(behind, parts)})$"
    if not pattern.isprintable() or _CROSSES.search(pattern):
        return None
    found = re.compile(pattern, re.MULTILINE)
    return found if tuple(found.groupindex) == COLUMNS and found.groups == len(COLUMNS) else None


def _numbered(pattern: str) -> tuple[str, ...] | None:
    """The words of a pattern as ``Dialect.numbered``; None where it tells digits apart in another way."""
    if any(map(str.isdigit, "".join(_CLASS.findall(pattern)).replace("0-9", ""))):
        return None
    rest = _ALIKE.sub("", _CLASS.sub("", pattern))
    return None if re.search(r"(?<![a-z])\d", rest) else tuple({f"{word}0" for word in re.findall(r"([a-z]+)\d", rest)})


def _columns(clauses: Sequence[Mapping[str, Any]], parts: Mapping[str, str]) -> str:
    """The clauses of an entry behind its number, with groups for what is looked up together; of no use where they stand in
    another order, or several in one."""
    pieces = [step.removeprefix(before) for before, step in pairwise(["", *steps(clauses, parts)])]
    if len(pieces) < len(_ORDER) or any(f"(?P<{name}>" not in piece for name, piece in zip(_ORDER, pieces, strict=False)):
        return ""
    head, rest = (_unnamed("".join(some)) for some in (pieces[:2], pieces[6:]))
    if re.search(r"\(\?[=!]", _WORD.sub("", head)):  # what stands behind could decide what the same first words are
        return ""
    return f"(?P<head>{head}){''.join(pieces[2:6])}(?P<rest>{rest})"


def _unnamed(pattern: str) -> str:
    return re.sub(r"\(\?P<[a-z]+>", "(?:", pattern)


def _sign(mark: str) -> bool:
    """Whether a comment begins as no entry does."""
    return bool(mark) and not mark[0].isalnum()

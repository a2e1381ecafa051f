"""Text of Junos configurations: statements in braces to a tree, and lines of whole paths."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(r'/\*(.*?)\*/|#[^\n]*|"((?:[^"\\]|\\.)*)"|([{};\[\]])|([^\s{};\[\]"]+)', re.DOTALL)
TAGS = ("replace:", "delete:")
"""What a text to be loaded may put before a statement."""
REFUSED_TAGS = ("inactive:", "protect:", "active:", "insert:", "rename:")


class Malformed(Exception):  # noqa: N818 - it is what happened
    """A text that is no configuration. ``line`` counts from 1."""

    def __init__(self, line: int, why: str, word: str = "") -> None:
        self.line, self.why, self.word = line, why, word
        super().__init__(f"line {line}: {why}" + (f": {word}" if word else ""))


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: its words, what stands in its braces (None: it ends with a semicolon), the comment before it.

    ``members`` are the values of a list in brackets, which stands last.
    """

    line: int
    words: tuple[str, ...]
    inner: tuple[Statement, ...] | None
    comment: str = ""
    tag: str = ""
    members: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its words, as they are printed without their values in brackets."""
        return " ".join(self.words)


@dataclass(frozen=True, slots=True)
class _Token:
    line: int
    kind: str
    text: str


def statements(text: str) -> tuple[Statement, ...]:
    """The statements of a configuration in braces. Raises Malformed."""
    return _block(_Tokens(list(_tokens(text))), 0)


def words_of(line: str, number: int = 1) -> list[str]:
    """The words of a line of ``set``; a word in quotes keeps them when it holds what must be quoted."""
    found = list(_tokens(line))
    if any(token.kind in "{};" for token in found):
        raise Malformed(number, "syntax error", line)
    return [token.text for token in found if token.kind != "comment"]


def _tokens(text: str) -> Iterator[_Token]:
    line, at = 1, 0
    for match in _TOKEN.finditer(text):
        between = text[at : match.start()]
        if between.strip():
            raise Malformed(line + between.count("\n"), "syntax error", between.strip())
        line += between.count("\n")
        comment, quoted, mark, word = match.groups()
        if comment is not None:
            yield _Token(line, "comment", comment.strip())
        elif quoted is not None:
            yield _Token(line, "word", quoted if re.fullmatch(r"[^\s{};\[\]\"#]+", quoted) else f'"{quoted}"')
        elif mark is not None:
            yield _Token(line, mark, mark)
        elif word is not None:
            yield _Token(line, "word", word)
        line += match[0].count("\n")
        at = match.end()
    if text[at:].strip():
        raise Malformed(line, "syntax error", text[at:].strip())


class _Tokens:
    """A cursor over tokens."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens, self.at = tokens, 0

    @property
    def line(self) -> int:
        """Where the next token stands; where the last one stood, at the end."""
        return self.tokens[min(self.at, len(self.tokens) - 1)].line if self.tokens else 1

    def peek(self) -> str:
        """The kind of the next token, "" at the end."""
        return self.tokens[self.at].kind if self.at < len(self.tokens) else ""

    def take(self) -> _Token:
        """The next token."""
        self.at += 1
        return self.tokens[self.at - 1]


def _block(tokens: _Tokens, depth: int) -> tuple[Statement, ...]:
    found: list[Statement] = []
    comment = ""
    while kind := tokens.peek():
        if kind == "comment":
            comment = tokens.take().text
        elif kind == "}" and depth:
            return tuple(found)
        else:
            found.append(_statement(tokens, depth, comment))
            comment = ""
    if depth:
        raise Malformed(tokens.line, "missing '}'")
    return tuple(found)


def _statement(tokens: _Tokens, depth: int, comment: str) -> Statement:
    line, words, members, tag = tokens.line, [], (), ""  # type: tuple[int, list[str], tuple[str, ...], str]
    while (kind := tokens.peek()) == "word":
        words.append(tokens.take().text)
    if words and words[0] in TAGS + REFUSED_TAGS:
        tag = words.pop(0)
    if tag in REFUSED_TAGS or not words:
        raise Malformed(line, "syntax error", tag or kind)
    if kind == "[":
        members = _members(tokens)
        kind = tokens.peek()
    if kind == ";":
        tokens.take()
        return Statement(line, tuple(words), None, comment, tag, members)
    if kind != "{" or members:
        raise Malformed(line, "syntax error, expecting ';' or '{'", words[-1])
    tokens.take()
    inner = _block(tokens, depth + 1)
    tokens.take()
    return Statement(line, tuple(words), inner, comment, tag)


def _members(tokens: _Tokens) -> tuple[str, ...]:
    line, found = tokens.line, []  # type: tuple[int, list[str]]
    tokens.take()
    while tokens.peek() == "word":
        found.append(tokens.take().text)
    if tokens.peek() != "]" or not found:
        raise Malformed(line, "syntax error, expecting ']'")
    tokens.take()
    return tuple(found)

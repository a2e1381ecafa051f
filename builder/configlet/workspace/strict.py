"""Strict YAML: a tree with the place of every key and value, built from the C parser's events.

The builder reads only what the parser hands it. It refuses what surprises people: duplicate keys, anchors and aliases,
tags, merge keys, second documents, tabs, characters that cannot be seen, deep nesting. Scalars are read as YAML 1.2:
``true``, ``false``, ``null`` and decimal integers are what they look like, everything else is a string.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any, NamedTuple

from configlet.model.problem import Place, Problem

DEPTH = 32
BYTES = 64 * 1024 * 1024
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,18})")
_PLAIN = bytes(range(0x20, 0x7F)) + b"\n"
"""What stands in most files, and is what it looks like."""
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}


class Node(NamedTuple):
    """A value with its place; maps and lists also have their members as nodes."""

    value: Any
    file: str
    line: int
    column: int
    key_line: int
    key_column: int
    members: dict[str, Node] | list[Node] | None = None

    @property
    def place(self) -> Place:
        """Where it begins: its key when it stands in a map."""
        return Place(self.file, self.key_line, self.key_column)

    @property
    def value_place(self) -> Place:
        """Where its value begins."""
        return Place(self.file, self.line, self.column)


class _Stop(Exception):  # noqa: N818 - it is what happened
    """The rest of the file cannot be read."""


class _Open:
    """A map or list that is not closed yet."""

    __slots__ = ("column", "key", "key_column", "key_line", "line", "members", "value")

    def __init__(self, mapping: bool, line: int, column: int) -> None:
        self.line, self.column = line, column
        self.value: Any = {} if mapping else []
        self.members: Any = {} if mapping else []
        self.key: str | None = None
        self.key_line, self.key_column = line, column


def text_of(raw: bytes) -> str | None:
    """The text of a file when nothing is wrong with its characters."""
    try:
        return _text(raw, "")
    except _Stop:
        return None


def read(raw: bytes, file: str) -> tuple[Node | None, tuple[Problem, ...]]:
    """The tree of one file, or the complaints about it. ``file`` is the name for places."""
    problems: list[Problem] = []
    try:
        text = _text(raw, file)
        node = _tree(text, file, problems)
    except _Stop as stop:
        problems.append(stop.args[0])
        node = None
    return (None if problems else node), tuple(problems)


def _stop(summary: str, detail: str, place: Place) -> _Stop:
    return _Stop(Problem(summary, detail, place))


def _text(raw: bytes, file: str) -> str:
    if len(raw) > BYTES:
        raise _stop(
            "File too large", "A file may have 64 MB at most. Split it, for instance one per rack.", Place(file)
        )
    if not raw.translate(None, _PLAIN):
        return raw.decode("ascii")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8")
        raise _stop(
            "Not UTF-8",
            f"Byte 0x{raw[error.start]:02x} is not UTF-8 text. Save the file as UTF-8.",
            _position(before, len(before), file),
        ) from None
    text = text.replace("\r\n", "\n")
    if not text.replace("\n", "").isprintable():
        at = next(i for i, char in enumerate(text) if char != "\n" and not char.isprintable())
        raise _unseen(text[at], _position(text, at, file))
    return text


def _position(text: str, at: int, file: str) -> Place:
    return Place(file, text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1)


def _unseen(char: str, place: Place) -> _Stop:
    if char == "\t":
        return _stop("Tab", "A tab looks like spaces and is not. Use spaces.", place)
    name = unicodedata.name(char, "control character")
    return _stop(
        "Character that cannot be seen",
        f"U+{ord(char):04X} ({name}) hides what is written, and devices may act on it. Remove it.",
        place,
    )


def _tree(text: str, file: str, problems: list[Problem]) -> Node:
    import yaml

    if not hasattr(yaml, "CSafeLoader"):
        raise _stop("No C parser", "PyYAML was built without libyaml. Install a PyYAML wheel that has it.", Place(file))
    try:
        root = _assemble(yaml, text, file, problems)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
        words = error.problem or error.context or "it cannot be parsed"
        raise _stop("Not YAML", f"The parser says: {words}. Check indentation, quotes and brackets.", place) from None
    except yaml.YAMLError as error:
        raise _stop("Not YAML", f"The file cannot be parsed: {error}.", Place(file)) from None
    if root is None:
        raise _stop("Empty file", "The file has no content. Write something into it, or remove it.", Place(file))
    if not isinstance(root.value, dict):
        detail = "A file is a map of names such as `segments:` or `policy:` at its top."
        raise _stop("Not a map", detail, root.value_place)
    return root


def _assemble(yaml: Any, text: str, file: str, problems: list[Problem]) -> Node | None:
    scalar, alias = yaml.ScalarEvent, yaml.AliasEvent
    mapping, sequence = yaml.MappingStartEvent, yaml.SequenceStartEvent
    ends = (yaml.MappingEndEvent, yaml.SequenceEndEvent)
    stack: list[_Open] = []
    root: Node | None = None
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        kind = type(event)
        if kind is scalar:
            mark = event.start_mark
            line, column = mark.line + 1, mark.column + 1
            if event.anchor or event.tag:
                problems.append(_fancy(event, Place(file, line, column)))
            root = _scalar(event, stack, file, line, column, problems)
        elif kind is mapping or kind is sequence:
            _open(event, kind is mapping, stack, file, problems)
        elif kind in ends:
            root = _close(stack, file)
        elif kind is alias:
            mark = event.start_mark
            place = Place(file, mark.line + 1, mark.column + 1)
            problems.append(Problem("Alias", "Aliases are refused, as they hide what is where. Write it out.", place))
            _put(stack, Node(None, file, place.line, place.column, place.line, place.column), file, problems)
        elif kind is yaml.DocumentStartEvent:
            _document(event, root, file)
    return root


def _document(event: Any, root: Node | None, file: str) -> None:
    place = Place(file, event.start_mark.line + 1, event.start_mark.column + 1)
    if root is not None:
        raise _stop("Second document", "Only one document may stand in a file. Remove the `---`.", place)
    if event.version or event.tags:
        raise _stop("YAML directive", "`%YAML` and `%TAG` lines are refused. Remove them.", place)


def _fancy(event: Any, place: Place) -> Problem:
    if event.anchor:
        return Problem("Anchor", f"The anchor `&{event.anchor}` is refused. Write the value out.", place)
    return Problem("Tag", f"The tag `{event.tag}` is refused: values are text, numbers, true or false.", place)


def _open(event: Any, mapping: bool, stack: list[_Open], file: str, problems: list[Problem]) -> None:
    line, column = event.start_mark.line + 1, event.start_mark.column + 1
    place = Place(file, line, column)
    if event.anchor or event.tag:
        problems.append(_fancy(event, place))
    if len(stack) >= DEPTH:
        raise _stop("Nested too deeply", f"Maps and lists may be nested {DEPTH} deep. Check the brackets.", place)
    if stack and type(stack[-1].value) is dict and stack[-1].key is None:
        raise _stop("Key is not text", "A map or list cannot be a key. Check brackets and the `?` sign.", place)
    stack.append(_Open(mapping, line, column))


def _close(stack: list[_Open], file: str) -> Node:
    done = stack.pop()
    above = stack[-1] if stack else done
    mapped = bool(stack) and type(above.value) is dict
    line, column = (above.key_line, above.key_column) if mapped else (done.line, done.column)
    node = Node(done.value, file, done.line, done.column, line, column, done.members)
    return _put(stack, node, file, [])


def _scalar(event: Any, stack: list[_Open], file: str, line: int, column: int, problems: list[Problem]) -> Node:
    text: str = event.value
    if not text.isprintable():
        problems.append(_odd(text, Place(file, line, column)))
    above = stack[-1] if stack else None
    if above is not None and type(above.value) is dict:
        if above.key is None:
            _key(event, above, file, line, column, problems)
            return Node(text, file, line, column, line, column)
        value = resolve(text) if event.implicit[0] else text
        return _put(stack, Node(value, file, line, column, above.key_line, above.key_column), file, problems)
    value = resolve(text) if event.implicit[0] else text
    return _put(stack, Node(value, file, line, column, line, column), file, problems)


def _odd(text: str, place: Place) -> Problem:
    if "\n" in text:
        detail = "A value stands on one line, as it becomes part of a line on a device. Join the lines."
        return Problem("Line break in a value", detail, place)
    problem: Problem = _unseen(next(char for char in text if not char.isprintable()), place).args[0]
    return problem


def resolve(text: str) -> Any:
    """What a plain scalar is."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return text


def _key(event: Any, above: _Open, file: str, line: int, column: int, problems: list[Problem]) -> None:
    text, place = event.value, Place(file, line, column)
    if text == "<<" and event.implicit[0]:
        problems.append(Problem("Merge key", "`<<` is refused, as it hides what is where. Write it out.", place))
    elif not text:
        problems.append(Problem("Empty key", "A name must stand before the colon.", place))
    elif text in above.members:
        first = above.members[text].place
        detail = f"`{text}` stands twice in one map, so that one of them would be lost. Remove or rename one."
        problems.append(Problem("Duplicate key", detail, place, (first,)))
    above.key, above.key_line, above.key_column = text, line, column


def _put(stack: list[_Open], node: Node, file: str, problems: list[Problem]) -> Node:
    if not stack:
        return node
    above = stack[-1]
    if type(above.value) is list:
        above.value.append(node.value)
        above.members.append(node)
    elif above.key is None:
        place = Place(file, node.line, node.column)
        problems.append(Problem("Key is not text", "An alias cannot be a key. Write the name.", place))
        above.key = ""
    else:
        above.value[above.key] = node.value
        above.members[above.key] = node
        above.key = None
    return node

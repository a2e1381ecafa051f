"""Trees of a whole running configuration as paths, in whatever form it stands: statements in braces on any line, lines of
whole paths with others between them, YAML, JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from configlet.model.problem import Refused
from configlet.readers.grammar import Source
from configlet.readers.paths import Leaf, closed, paths

_STATEMENT = re.compile(r'/\*.*?\*/|##?[^\n]*|"(?:[^"\\]|\\.)*"|[{};]|\[|\]|[^\s{};\[\]"#]+|[^\s]|\n', re.DOTALL)


def leaves(text: str, file: str, grammar: Mapping[str, Any]) -> list[Leaf]:
    """The leaves of a running configuration. Raises Refused for what has none of the forms."""
    whole = text.replace("\r\n", "\n")
    prefix = grammar["prefix"]
    start = whole.lstrip()
    if grammar["form"] == "indent":
        return list(paths(whole, file, {**grammar, "lenient": True}))
    if grammar["form"] == "json" and start.startswith("{"):
        return list(paths(whole, file, {**grammar, "lenient": True}))
    if in_lines(whole, prefix):
        return list(_lines(whole, file, prefix, grammar.get("quote", "\0")))
    if "yaml" in grammar.get("running", {}).get("forms", ()):
        return list(_yaml(whole, file))
    return list(_braces(whole, file, grammar.get("end", "")))


def in_lines(text: str, prefix: str) -> bool:
    """Whether a text is lines that each say a whole path."""
    return re.search(rf"(?m)^[ \t]*{re.escape(prefix)}", text) is not None


def _lines(text: str, file: str, prefix: str, quote: str) -> Iterator[Leaf]:
    for number, line in enumerate(text.split("\n"), 1):
        said = line.lstrip()
        if said.startswith(prefix):
            if line.count(quote) % 2:
                closed(line, quote, Source(file, number, 1, line))
            path = said[len(prefix) :].strip()
            yield number, len(line) - len(said) + len(prefix) + 1, path if '"' in path or "'" in path else " ".join(path.split())


def _braces(text: str, file: str, end: str) -> Iterator[Leaf]:
    """Statements that end in ``end`` or, where that is nothing, at the end of their line."""
    stack: list[tuple[str, tuple[int, int], bool]] = []
    words: list[str] = []
    prefix, line, margin, begun, empty = "", 1, 0, (1, 1), True
    for found in _STATEMENT.finditer(text):
        word, here = found[0], (line, found.start() - margin + 1)
        if word == "\n":
            line, margin = line + 1, found.end()
            if not end and words:
                yield *begun, prefix + " ".join(words)
                words, empty = [], False
            continue
        if word.startswith(("/*", "#")):
            line, margin = line + word.count("\n"), text.rfind("\n", margin, found.end()) + 1 or margin
            continue
        if word == "{":
            stack.append((prefix, begun if words else here, empty))
            prefix += " ".join(words) + " "
            words, empty = [], True
        elif word == "}":
            if words and not end:
                yield *begun, prefix + " ".join(words)
                words, empty = [], False
            if not stack or words:
                Source(file, *here, word).refuse("This brace closes nothing, or an unfinished statement")
            if empty:
                yield *stack[-1][1], prefix[:-1]
            prefix, _, _ = stack.pop()
            empty = False
        elif word == end:
            yield *begun, prefix + " ".join(words)
            words, empty = [], False
        else:
            begun = here if not words else begun
            words.append(word)
    if stack or words:
        Source(file, *begun, " ".join(words) or prefix).refuse("The text ends in the middle of a statement")


def _yaml(text: str, file: str) -> Iterator[Leaf]:
    """The leaves of a YAML tree: keys are words, and so are the values at the end."""
    import yaml

    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise _refused(file, mark.line + 1 if mark else 1, "This is no YAML") from None
    if tree is None:
        return
    yield from _nodes(tree, "", yaml)


def _nodes(node: Any, prefix: str, yaml: Any) -> Iterator[Leaf]:
    line, column = node.start_mark.line + 1, node.start_mark.column + 1
    if isinstance(node, yaml.MappingNode):
        if not node.value:
            yield line, column, prefix.rstrip()
        for key, value in node.value:
            yield from _nodes(value, f"{prefix}{key.value} ", yaml)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _nodes(value, prefix, yaml)
    else:
        yield line, column, f"{prefix}{node.value}".rstrip()


def _refused(file: str, line: int, why: str) -> Refused:
    try:
        Source(file, line, 1, "").refuse(why)
    except Refused as refused:
        return refused

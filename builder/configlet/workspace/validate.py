"""Cerberus judges, this module says it in sentences with places.

What the closures of ``accept`` are sure of does not go to Cerberus, nor is Cerberus loaded when everything is right.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from configlet.model.problem import Problem
from configlet.workspace.accept import CHECKS, KINDS, TYPES, Check, accepts, doubtful
from configlet.workspace.document import Document, Part, Path
from configlet.workspace.schema import INVENTORY, LISTS
from configlet.workspace.suggest import close_to, did_you_mean
from configlet.workspace.surely import surely

__all__ = ["accepts", "judge", "validator_class"]


@cache
def validator_class() -> Any:
    """Cerberus' validator with our checks, and with its two holes closed: a regex ends where the text ends, and true
    is not a number."""
    import cerberus

    def handler(check: Check) -> Callable[[Any, str, Any], None]:
        def method(self: Any, field: str, value: Any) -> None:
            # Cerberus stops at a wrong type, but goes on after "no value".
            wrong = check(value) if value is not None else None
            if wrong is not None:
                self._error(field, wrong)

        return method

    def regex(self: Any, pattern: str, field: str, value: Any) -> None:
        """{'type': 'string'}"""
        if isinstance(value, str) and not re.fullmatch(pattern, value):
            self._error(field, cerberus.errors.REGEX_MISMATCH)

    body: dict[str, Any] = {f"_check_with_{name}": handler(check) for name, check in CHECKS.items()}
    mapping = dict(cerberus.Validator.types_mapping)
    mapping["integer"] = cerberus.TypeDefinition("integer", (int,), (bool,))
    return type("StrictValidator", (cerberus.Validator,), {**body, "_validate_regex": regex, "types_mapping": mapping})


def judge(document: Document, *, paranoid: bool = False) -> tuple[tuple[Problem, ...], tuple[Path, ...]]:
    """What is wrong with the joined document, and the paths of the items that are wrong.

    ``paranoid``: Cerberus judges everything, also what the closures are sure of.
    """
    asked, numbers = (document.value, {}) if paranoid else _doubts(document)
    if asked is None:
        return (), ()
    validator = validator_class()(INVENTORY)
    validator.validate(asked, normalize=False)
    found = _worth_saying([(_path(error, numbers), error) for error in _leaves(validator._errors)])
    problems = tuple(_problem(document, path, error) for path, error in found)
    return problems, tuple(path for path, _ in found)


def _doubts(document: Document) -> tuple[dict[str, Any] | None, dict[str, list[int]]]:
    """What Cerberus has to look at (None: nothing), and which items of each list that is."""
    site = {"site": document["site"]} if "site" in document.parts else {}
    asked: dict[str, Any] = {}
    numbers: dict[str, list[int]] = {}
    for key, parts in document.parts.items():
        if key == "site" or all(part.judged for part in parts) or _is_sure(key, parts):
            continue
        value = document[key]
        items = doubtful(key, value) if key in INVENTORY else None
        if items is None:
            asked[key] = value
        elif items and isinstance(value, list):
            numbers[key] = sorted(i for i in items if isinstance(i, int))
            asked[key] = [value[i] for i in numbers[key]]
        elif items:
            asked[key] = {name: value[name] for name in value if name in items}
    return (None if not asked and accepts(site) else {**site, **asked}), numbers


def _is_sure(key: str, parts: list[Part]) -> bool:
    """Whether all items of a section surely keep the schema, by the shapes that they have."""
    asked = [part for part in parts if not part.judged]
    kind = "list" if key in LISTS else "map"
    if key not in INVENTORY or not all(key in part.stretches and part.kind(key) == kind for part in asked):
        return False
    return surely(key, [run for part in asked for run in part.runs(key)])


def _path(error: Any, numbers: dict[str, list[int]]) -> Path:
    path: Path = tuple(error.document_path)
    if len(path) > 1 and path[0] in numbers:
        key = str(path[0])
        return (key, numbers[key][int(path[1])], *path[2:])
    return path


def _worth_saying(found: list[tuple[Path, Any]]) -> list[tuple[Path, Any]]:
    """Without what follows from another error: of a value of the wrong type, or of a key that is misspelt."""
    from cerberus import errors

    ranks = {errors.NOT_NULLABLE.code: 0, errors.BAD_TYPE.code: 1, errors.EMPTY_NOT_ALLOWED.code: 2}
    best: dict[Path, int] = {}
    for path, error in found:
        best[path] = min(best.get(path, 3), ranks.get(error.code, 3))
    unknown = [path for path, error in found if error.code == errors.UNKNOWN_FIELD.code]
    misspelt = {(*path[:-1], *close_to(str(path[-1]), _at_schema(path[:-1]).get("schema", {}))) for path in unknown}
    return [
        (path, error)
        for path, error in found
        if ranks.get(error.code, 3) == best[path]
        and not (error.code == errors.REQUIRED_FIELD.code and path in misspelt)
    ]


def _leaves(errors: Any) -> Iterator[Any]:
    for error in errors:
        if error.child_errors:
            yield from _leaves(error.child_errors)
        else:
            yield error


def _problem(document: Document, path: Path, error: Any) -> Problem:
    from cerberus import errors

    code = error.code
    if code == errors.UNKNOWN_FIELD.code:
        return _unknown(document, path)
    if code == errors.REQUIRED_FIELD.code:
        said = _at_schema(path).get("meta", {}).get("help", "")
        detail = f"`{path[-1]}` is missing{': ' + said if said else ''}. Nothing is assumed for it; add it."
        return Problem("Missing key", detail, document.node(path[:-1]).place)
    if error.rule == "keysrules" or (len(error.schema_path) > 1 and "keysrules" in error.schema_path):
        return Problem("Bad name", _says(error), document.node(path).place)
    return Problem(*_value(error), document.node(path).value_place)


def _value(error: Any) -> tuple[str, str]:
    from cerberus import errors

    code, limit = error.code, error.constraint
    if code == errors.NOT_NULLABLE.code:
        return "No value", "Nothing stands after the colon. Write a value, or remove the key."
    if code == errors.BAD_TYPE.code:
        wanted = " or ".join(TYPES[kind][1] for kind in ([limit] if isinstance(limit, str) else limit))
        hint = " Put it in quotes." if limit == "string" and isinstance(error.value, (int, bool)) else ""
        return "Wrong type", f"This is {KINDS.get(type(error.value), 'nothing')}, and {wanted} belongs here.{hint}"
    if code == errors.EMPTY_NOT_ALLOWED.code:
        return "Empty", "It has no members, and nothing would follow from it. Write one, or remove the key."
    if code == errors.UNALLOWED_VALUE.code:
        guess = did_you_mean(str(error.value), limit)
        return "Value not allowed", f"`{str(error.value)[:60]}` is not one of {', '.join(limit)}.{guess}"
    if code in (errors.MIN_VALUE.code, errors.MAX_VALUE.code):
        side = "at least" if code == errors.MIN_VALUE.code else "at most"
        return "Number out of range", f"{error.value} is out of range: {side} {limit} belongs here."
    return "Wrong value", _says(error)


def _says(error: Any) -> str:
    return str(error.info[0]) if error.info else f"The value breaks the rule `{error.rule}` of the schema."


def _unknown(document: Document, path: Path) -> Problem:
    known = sorted(_at_schema(path[:-1]).get("schema", {}))
    guess = did_you_mean(str(path[-1]), known)
    detail = f"`{path[-1]}` means nothing here, and would have no effect.{guess} Known: {', '.join(known)}."
    return Problem("Unknown key", detail, document.node(path).place)


def _at_schema(path: Path) -> dict[str, Any]:
    rules: dict[str, Any] = {"type": "dict", "schema": INVENTORY}
    for step in path:
        inner = rules.get("schema", {})
        rules = inner if isinstance(step, int) else rules.get("valuesrules") or inner.get(step, {})
    return rules

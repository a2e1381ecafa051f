"""Cerberus judges, this module says it in sentences with places.

``accepts`` is compiled from the same schema and saves loading Cerberus when everything is right: it may be too strict,
never too lax. What it does not accept goes to Cerberus.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from configlet.model.problem import Place, Problem
from configlet.workspace import forms, services
from configlet.workspace.schema import INVENTORY
from configlet.workspace.strict import Node
from configlet.workspace.suggest import close_to, did_you_mean

Path = tuple[str | int, ...]
Check = Callable[[Any], str | None]

_TYPES: dict[str, tuple[type, str]] = {
    "string": (str, "text"),
    "integer": (int, "a whole number"),
    "boolean": (bool, "true or false"),
    "list": (list, "a list, such as [one, two]"),
    "dict": (dict, "a map of names"),
}
_KINDS = {bool: "true or false", int: "a number", str: "text", list: "a list", dict: "a map"}


def _selector(value: Any) -> str | None:
    if isinstance(value, str):
        head, colon, rest = value.rpartition(":")
        good = forms.NAME.fullmatch(rest) and (not colon or forms.NAME.fullmatch(head))
        return None if good else forms.host_name(value) or f"`{value[:60]}` is not a name or a map of labels."
    if not value:
        return "Empty labels would select everything. Name a label, or write `any`."
    for key, label in value.items():
        if not isinstance(label, str):
            return f"The label `{key[:40]}` has {_KINDS.get(type(label), 'nothing')} where text belongs."
        wrong = forms.name(key) or forms.label(label)
        if wrong:
            return wrong
    return None


def _service(value: str) -> str | None:
    return services.complaint(value) if services.is_literal(value) else forms.name(value)


def _only(word: str, what: str) -> Check:
    return lambda value: None if value == word else f"`{value[:40]}` is not built yet: {what}. Write `{word}`."


def _unique(value: list[Any]) -> str | None:
    words = [repr(item) for item in value]
    twice = next((item for i, item in enumerate(value) if words[i] in words[:i]), None)
    return None if twice is None else f"`{str(twice)[:60]}` stands twice in this list. Remove one, or correct it."


CHECKS: dict[str, Check] = {
    "unique": _unique,
    **forms.FORMS,
    "selector": _selector,
    "service": _service,
    "term": services.complaint,
    "encap": _only("none", "a gate sees only the outer headers of an overlay"),
    "enforcement": _only("full", "nothing is merely observed, what no rule allows is dropped"),
}


@cache
def _accepter() -> Callable[[Any], bool]:
    return _compile({"type": "dict", "schema": INVENTORY})


def _compile(rules: Mapping[str, Any]) -> Callable[[Any], bool]:
    """Whether a value keeps every rule; a rule that is not known here makes it say no."""
    parts = [_PARTS[rule](limit, rules) for rule, limit in rules.items() if rule not in ("meta", "required")]
    if len(parts) == 2:
        first, second = parts
        return lambda value: first(value) and second(value)
    return lambda value: all(part(value) for part in parts)


def _of_type(limit: Any, _: Any) -> Callable[[Any], bool]:
    kinds = tuple(_TYPES[kind][0] for kind in ([limit] if isinstance(limit, str) else limit))
    return lambda value: type(value) in kinds


def _inside(limit: Any, rules: Any) -> Callable[[Any], bool]:
    if rules["type"] == "list":
        item = _compile(limit)
        return lambda value: all(item(each) for each in value)
    fields = {field: _compile(inner) for field, inner in limit.items()}
    needed = frozenset(field for field, inner in limit.items() if inner.get("required"))
    return lambda value: needed <= value.keys() <= fields.keys() and all(fields[k](v) for k, v in value.items())


def _each(values: bool) -> Callable[[Any, Any], Callable[[Any], bool]]:
    def make(limit: Any, _: Any) -> Callable[[Any], bool]:
        item = _compile(limit)
        return lambda value: all(item(each) for each in (value.values() if values else value))

    return make


def _checked(limit: Any, _: Any) -> Callable[[Any], bool]:
    check = CHECKS[limit]
    return lambda value: check(value) is None


_PARTS: dict[str, Callable[[Any, Any], Callable[[Any], bool]]] = {
    "type": _of_type,
    "schema": _inside,
    "valuesrules": _each(True),
    "keysrules": _each(False),
    "check_with": _checked,
    "allowed": lambda limit, _: frozenset(limit).__contains__,
    "min": lambda limit, _: lambda value: bool(value >= limit),
    "max": lambda limit, _: lambda value: bool(value <= limit),
    "empty": lambda limit, _: lambda value: limit or bool(value),
}


def accepts(document: Any) -> bool:
    """Whether the schema surely holds for the document."""
    return _accepter()(document)


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


def judge(root: Node) -> tuple[tuple[Problem, ...], tuple[Path, ...]]:
    """What is wrong with the joined document, and the paths of the items that are wrong."""
    if accepts(root.value):
        return (), ()
    validator = validator_class()(INVENTORY)
    validator.validate(root.value, normalize=False)
    found = _worth_saying([(tuple(error.document_path), error) for error in _leaves(validator._errors)])
    problems = tuple(_problem(root, path, error) for path, error in found)
    return problems, tuple(path for path, _ in found)


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


def _problem(root: Node, path: Path, error: Any) -> Problem:
    from cerberus import errors

    code = error.code
    if code == errors.UNKNOWN_FIELD.code:
        return _unknown(root, path)
    if code == errors.REQUIRED_FIELD.code:
        said = _at_schema(path).get("meta", {}).get("help", "")
        detail = f"`{path[-1]}` is missing{': ' + said if said else ''}. Nothing is assumed for it; add it."
        return Problem("Missing key", detail, place(root, path[:-1]))
    if error.rule == "keysrules" or (len(error.schema_path) > 1 and "keysrules" in error.schema_path):
        return Problem("Bad name", _says(error), place(root, path))
    return Problem(*_value(error), value_place(root, path))


def _value(error: Any) -> tuple[str, str]:
    from cerberus import errors

    code, limit = error.code, error.constraint
    if code == errors.NOT_NULLABLE.code:
        return "No value", "Nothing stands after the colon. Write a value, or remove the key."
    if code == errors.BAD_TYPE.code:
        wanted = " or ".join(_TYPES[kind][1] for kind in ([limit] if isinstance(limit, str) else limit))
        hint = " Put it in quotes." if limit == "string" and isinstance(error.value, (int, bool)) else ""
        return "Wrong type", f"This is {_KINDS.get(type(error.value), 'nothing')}, and {wanted} belongs here.{hint}"
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


def _unknown(root: Node, path: Path) -> Problem:
    known = sorted(_at_schema(path[:-1]).get("schema", {}))
    guess = did_you_mean(str(path[-1]), known)
    detail = f"`{path[-1]}` means nothing here, and would have no effect.{guess} Known: {', '.join(known)}."
    return Problem("Unknown key", detail, place(root, path))


def _at_schema(path: Path) -> dict[str, Any]:
    rules: dict[str, Any] = {"type": "dict", "schema": INVENTORY}
    for step in path:
        inner = rules.get("schema", {})
        rules = inner if isinstance(step, int) else rules.get("valuesrules") or inner.get(step, {})
    return rules


def node_at(root: Node, path: Path) -> Node:
    """The node at a path, or the nearest above it that exists."""
    node = root
    for step in path:
        members: Any = node.members
        inside = step in (members if isinstance(members, dict) else range(len(members or ())))
        if not inside:
            return node
        node = members[step]
    return node


def place(root: Node, path: Path) -> Place:
    """Where an item begins (its key, in a map)."""
    return node_at(root, path).place


def value_place(root: Node, path: Path) -> Place:
    """Where an item's value begins."""
    return node_at(root, path).value_place

"""Closures compiled from the schema: whether a value surely keeps it. They may be too strict, never too lax.

What they do not accept goes to Cerberus, which judges it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from configlet.workspace import forms, services
from configlet.workspace.schema import INVENTORY

Check = Callable[[Any], str | None]

TYPES: dict[str, tuple[type, str]] = {
    "string": (str, "text"),
    "integer": (int, "a whole number"),
    "boolean": (bool, "true or false"),
    "list": (list, "a list, such as [one, two]"),
    "dict": (dict, "a map of names"),
}
KINDS = {bool: "true or false", int: "a number", str: "text", list: "a list", dict: "a map"}


def _selector(value: Any) -> str | None:
    if isinstance(value, str):
        if forms.NAME.fullmatch(value):
            return None
        head, colon, rest = value.rpartition(":")
        good = forms.NAME.fullmatch(rest) and (not colon or forms.NAME.fullmatch(head))
        return None if good else forms.host_name(value) or f"`{value[:60]}` is not a name or a map of labels."
    if not value:
        return "Empty labels would select everything. Name a label, or write `any`."
    for key, label in value.items():
        if not isinstance(label, str):
            return f"The label `{key[:40]}` has {KINDS.get(type(label), 'nothing')} where text belongs."
        wrong = forms.name(key) or forms.label(label)
        if wrong:
            return wrong
    return None


def _service(value: str) -> str | None:
    return services.complaint(value) if services.is_literal(value) else forms.name(value)


def _only(word: str, what: str) -> Check:
    return lambda value: None if value == word else f"`{value[:40]}` is not built yet: {what}. Write `{word}`."


def _unique(value: list[Any]) -> str | None:
    if len(value) < 2:
        return None
    words = [repr(item) for item in value]
    if len(set(words)) == len(words):
        return None
    first = {words[i]: i for i in reversed(range(len(words)))}
    twice = next(item for i, item in enumerate(value) if first[words[i]] < i)
    return f"`{str(twice)[:60]}` stands twice in this list. Remove one, or correct it."


CHECKS: dict[str, Check] = {
    "unique": _unique,
    **forms.FORMS,
    "selector": _selector,
    "service": _service,
    "term": services.complaint,
    "encap": _only("none", "a gate sees only the outer headers of an overlay"),
}

def _quick_service(value: str) -> object:
    return value not in services.PROTOCOLS and forms.NAME.fullmatch(value)


QUICK: dict[str, Callable[[Any], object]] = {
    **forms.QUICK,
    "selector": lambda value: type(value) is str and forms.NAME.fullmatch(value),
    "service": _quick_service,
}
Accepts = Callable[[Any], bool]


@cache
def _accepter() -> Accepts:
    return compiled({"type": "dict", "schema": INVENTORY})


@cache
def item_accepter(key: str) -> Accepts:
    """Whether one item of a section is surely right: a member of a list, or a name of a map with its value."""
    rules = INVENTORY[key]
    if rules["type"] == "list":
        return compiled(rules["schema"])
    name, value = compiled(rules["keysrules"]), compiled(rules["valuesrules"])
    return lambda pair: name(pair[0]) and value(pair[1])


def accepts(document: Any) -> bool:
    """Whether the schema surely holds for the document."""
    return _accepter()(document)


def doubtful(key: str, value: Any) -> set[str | int] | None:
    """The items of a section that are not surely right; None when the section itself is not."""
    accepter = item_accepter(key)
    if INVENTORY[key]["type"] == "list":
        return {i for i, item in enumerate(value) if not accepter(item)} if type(value) is list else None
    return {name for name, item in value.items() if not accepter((name, item))} if type(value) is dict else None


def compiled(rules: Mapping[str, Any]) -> Accepts:
    """Whether a value keeps every rule; a rule that is not known here makes it say no."""
    known = {rule: limit for rule, limit in rules.items() if rule not in ("meta", "required")}
    if any(rule not in _PARTS for rule in known) or "type" not in known:
        return lambda _: False
    common = _COMMON.get((str(known["type"]), frozenset(known)))
    parts = [_PARTS[rule](limit, rules) for rule, limit in sorted(known.items(), key=_type_first)]
    return (common and common(known)) or _closure(parts)


def _checked_text(rules: Mapping[str, Any]) -> Accepts:
    check, quick = CHECKS[rules["check_with"]], QUICK.get(rules["check_with"])
    if quick is None:
        return lambda value: type(value) is str and check(value) is None
    return lambda value: type(value) is str and (bool(quick(value)) or check(value) is None)


def _allowed_text(rules: Mapping[str, Any]) -> Accepts:
    allowed = frozenset(rules["allowed"])
    return lambda value: type(value) is str and value in allowed


def _list_of_different(rules: Mapping[str, Any]) -> Accepts | None:
    if rules["check_with"] != "unique" or rules["empty"]:
        return None
    item = compiled(rules["schema"])

    def keeps(value: Any) -> bool:
        if type(value) is not list or not value:
            return False
        return item(value[0]) if len(value) == 1 else _unique(value) is None and all(map(item, value))

    return keeps


_COMMON: dict[tuple[str, frozenset[str]], Callable[[Mapping[str, Any]], Accepts | None]] = {
    ("string", frozenset(("type", "check_with"))): _checked_text,
    ("string", frozenset(("type", "allowed"))): _allowed_text,
    ("list", frozenset(("type", "empty", "check_with", "schema"))): _list_of_different,
}
"""Rules that most fields have, as one closure each; the same as their parts (``_PARTS``) one after another."""


def _type_first(rule: tuple[str, Any]) -> tuple[bool, bool]:
    """Types before all, what goes into depth last."""
    return rule[0] != "type", rule[0] in ("schema", "valuesrules", "keysrules")


def _closure(parts: list[Accepts]) -> Accepts:
    if len(parts) == 1:
        return parts[0]
    if len(parts) == 2:
        first, second = parts
        return lambda value: first(value) and second(value)
    if len(parts) == 3:
        one, two, three = parts
        return lambda value: one(value) and two(value) and three(value)
    return lambda value: all(part(value) for part in parts)


def _of_type(limit: Any, _: Any) -> Accepts:
    kinds = tuple(TYPES[kind][0] for kind in ([limit] if isinstance(limit, str) else limit))
    if len(kinds) == 1:
        kind = kinds[0]
        return lambda value: type(value) is kind
    return lambda value: type(value) in kinds


def _inside(limit: Any, rules: Any) -> Accepts:
    if rules["type"] == "list":
        item = compiled(limit)
        return lambda value: all(map(item, value))
    fields = {field: compiled(inner) for field, inner in limit.items()}
    needed = frozenset(field for field, inner in limit.items() if inner.get("required"))

    def keeps(value: Any) -> bool:
        for name, each in value.items():
            field = fields.get(name)
            if field is None or not field(each):
                return False
        return bool(needed <= value.keys())

    return keeps


def _each(values: bool) -> Callable[[Any, Any], Accepts]:
    def make(limit: Any, _: Any) -> Accepts:
        item = compiled(limit)
        return lambda value: all(map(item, value.values() if values else value))

    return make


def _checked(limit: Any, _: Any) -> Accepts:
    quick = QUICK.get(limit)
    check = CHECKS[limit]
    if quick is None:
        return lambda value: check(value) is None
    return lambda value: bool(quick(value)) or check(value) is None


_PARTS: dict[str, Callable[[Any, Any], Accepts]] = {
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

"""Closures compiled from the schema: whether values surely keep it. They may be too strict, never too lax.

A closure is asked about many values of one kind at once, as a column of a table: of 20,000 rules first all names, then all
actions. What a column does not pass is asked again item by item, and what is not accepted then goes to Cerberus, which
judges it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from itertools import chain, filterfalse, islice
from operator import itemgetter
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

_SERVICE = (
    rf"(?:{'|'.join(services.PORTED)})/{forms.PORT}"
    rf"|(?!(?:{'|'.join(services.PROTOCOLS)})(?:\Z|\n)){forms.NAME.pattern}"
)
QUICK: dict[str, Callable[[str], object]] = {
    **forms.QUICK,
    "selector": forms.NAME.fullmatch,
    "service": re.compile(_SERVICE, re.ASCII).fullmatch,
}
_PATTERNS = {**forms.PATTERNS, "service": _SERVICE}
_AT_ONCE = 1_000
"""Texts from which on it pays to ask all of them at once."""
Accepts = Callable[[Collection[Any]], bool]
"""Whether every one of some values is surely right."""


@cache
def _accepter() -> Accepts:
    return compiled({"type": "dict", "schema": INVENTORY})


@cache
def item_accepter(key: str) -> Accepts:
    """Whether items of a section are surely right: members of a list, or names of a map with their values."""
    rules = INVENTORY[key]
    if rules["type"] == "list":
        return compiled(rules["schema"])
    name, value = compiled(rules["keysrules"]), compiled(rules["valuesrules"])
    return lambda pairs: name([pair[0] for pair in pairs]) and value([pair[1] for pair in pairs])


def accepts(document: Any) -> bool:
    """Whether the schema surely holds for the document."""
    return _accepter()((document,))


def doubtful(key: str, value: Any) -> set[str | int] | None:
    """The items of a section that are not surely right; None when the section itself is not."""
    accepter = item_accepter(key)
    if INVENTORY[key]["type"] == "list":
        if type(value) is not list:
            return None
        return set() if accepter(value) else {i for i, item in enumerate(value) if not accepter((item,))}
    if type(value) is not dict:
        return None
    return set() if accepter([*value.items()]) else {pair[0] for pair in value.items() if not accepter((pair,))}


def compiled(rules: Mapping[str, Any]) -> Accepts:
    """Whether values keep every rule; a rule that is not known here makes it say no."""
    known = {rule: limit for rule, limit in rules.items() if rule not in ("meta", "required")}
    if any(rule not in _PARTS for rule in known) or "type" not in known:
        return lambda _: False
    parts = [_PARTS[rule](limit, rules) for rule, limit in sorted(known.items(), key=_type_first)]
    return lambda values: all(part(values) for part in parts)


def _type_first(rule: tuple[str, Any]) -> tuple[bool, bool]:
    """Types before all, what goes into depth last."""
    return rule[0] != "type", rule[0] in ("schema", "valuesrules", "keysrules")


def _of_type(limit: Any, _: Any) -> Accepts:
    kinds = frozenset(TYPES[kind][0] for kind in ([limit] if isinstance(limit, str) else limit))
    return lambda values: kinds.issuperset(map(type, values))


def _inside(limit: Any, rules: Any) -> Accepts:
    if rules["type"] == "list":
        item = compiled(limit)
        return lambda values: item([*chain.from_iterable(values)])
    fields = {field: compiled(inner) for field, inner in limit.items()}
    needed = frozenset(field for field, inner in limit.items() if inner.get("required"))

    def keeps(values: Collection[Any]) -> bool:
        kinds = [*map(frozenset, set(map(tuple, values)))]
        met: frozenset[str] = frozenset().union(*kinds)
        always = met.intersection(*kinds)
        if (kinds and not needed <= always) or not met <= fields.keys():
            return False
        columns = ((name, values if name in always else [v for v in values if name in v]) for name in met)
        return all(fields[name]([*map(itemgetter(name), having)]) for name, having in columns)

    return keeps


def _each(values: bool) -> Callable[[Any, Any], Accepts]:
    def make(limit: Any, _: Any) -> Accepts:
        item = compiled(limit)
        return lambda maps: item([*chain.from_iterable(map(dict.values, maps) if values else maps)])

    return make


def _checked(limit: Any, rules: Any) -> Accepts:
    check, quick = CHECKS[limit], QUICK.get(limit, _never)
    if rules["type"] == "string":

        def every(texts: Collection[Any]) -> bool:
            some = texts if type(texts) is dict else dict.fromkeys(texts)
            if len(some) >= _AT_ONCE and limit in _PATTERNS and _at_once(limit, some):
                return True
            return all(check(text) is None for text in filterfalse(quick, some))

        return every
    if limit == "unique":
        return lambda lists: all(check(one) is None for one in [one for one in lists if len(one) > 1])

    def keeps(values: Collection[Any]) -> bool:
        texts = dict.fromkeys([value for value in values if type(value) is str])
        others = (value for value in values if type(value) is not str)
        return all(check(value) is None for value in chain(filterfalse(quick, texts), others))

    return keeps


def _at_once(limit: str, texts: Iterable[str]) -> bool:
    """Whether surely each of some texts has a form, seen in one look at many of them, each on a line of its own. A
    pattern remembers where each line begins, so that to look at all would take memory that nobody has used yet."""
    lines_of, rest = _lines_of(limit), iter(texts)
    while some := [*islice(rest, _AT_ONCE)]:
        lines = "\n".join(some) + "\n"
        if lines.count("\n") != len(some) or lines_of.fullmatch(lines) is None:
            return False
    return True


@cache
def _lines_of(limit: str) -> re.Pattern[str]:
    return re.compile(rf"(?:(?:{_PATTERNS[limit]})\n)*", re.ASCII)


def _never(_: str) -> bool:
    return False


_PARTS: dict[str, Callable[[Any, Any], Accepts]] = {
    "type": _of_type,
    "schema": _inside,
    "valuesrules": _each(True),
    "keysrules": _each(False),
    "check_with": _checked,
    "allowed": lambda limit, _: frozenset(limit).issuperset,
    "min": lambda limit, _: lambda values: all(value >= limit for value in values),
    "max": lambda limit, _: lambda values: all(value <= limit for value in values),
    "empty": lambda limit, _: lambda values: bool(limit or all(values)),
}

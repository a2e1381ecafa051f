"""Whether items that were read by their shapes surely keep the schema: what all of one shape say is asked once, and what
stands in its blanks for distinct words. This may be too strict, never too lax: what is not sure is looked at item by item.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from configlet.workspace.accept import compiled
from configlet.workspace.blanks import Blank, columns_in, texts_in, values_of
from configlet.workspace.schema import INVENTORY
from configlet.workspace.shape import Run

Rules = Mapping[str, Any]
_INSIDE = frozenset(("schema", "keysrules", "valuesrules"))
_OUTSIDE = frozenset(("type", "empty", "required", "meta"))
"""What all maps of the same number of names keep, or none."""
_LISTED, _OF_ONE = _OUTSIDE | {"schema", "check_with"}, (None, "unique")
"""What a list of one text keeps when the text does, of these checks."""


def surely(key: str, runs: Iterable[Run]) -> bool:
    """Whether all items of runs of a section keep the rules of its items."""
    alike: dict[int, list[Run]] = {}
    for run in runs:
        alike.setdefault(id(run.shape), []).append(run)
    rules = INVENTORY[key]
    item = rules["schema"] if rules["type"] == "list" else rules
    return all(
        compiled(kept)(values)
        for of in alike.values()
        for asked, part in _asked(item, of[0].shape.form)
        for kept, values in _distinct(asked, part, of)
    )


def _asked(rules: Rules, form: Any) -> Iterator[tuple[Rules, Any]]:
    """Rules and the parts of a form that have to keep them, so that each value that it becomes keeps the rules."""
    fields = rules.get("schema", {})
    divided = type(form) is dict and rules["type"] == "dict" and rules.keys() <= _INSIDE | _OUTSIDE
    if not divided or (fields and not _fitting(fields, form)):
        yield rules, form
        return
    yield {rule: limit for rule, limit in rules.items() if rule in _OUTSIDE}, dict.fromkeys(range(len(form)))
    for name, part in form.items():
        if "keysrules" in rules:
            yield rules["keysrules"], name
        yield from _asked(fields[name] if fields else rules["valuesrules"], part)


def _fitting(fields: Rules, form: Mapping[Any, Any]) -> bool:
    """Whether a form has the names that it must have, and no others."""
    return {name for name, each in fields.items() if each.get("required")} <= form.keys() <= fields.keys()


def _distinct(rules: Rules, form: Any, runs: list[Run]) -> Iterator[tuple[Rules, Collection[Any]]]:
    """What a form becomes, each value once, with the rules that it has to keep; of lists of one text the text alone."""
    numbers = columns_in(form)
    columns = [chain.from_iterable([run.columns[number] for run in runs]) for number in numbers]
    if not isinstance(form, Blank):
        rows = zip(*dict.fromkeys(zip(*columns, strict=True)), strict=True)
        yield rules, [*values_of(form, dict(zip(numbers, rows, strict=True)).__getitem__)] if numbers else [form]
        return
    texts = dict.fromkeys(columns[0])
    if form.kind == "text":
        yield rules, texts
    elif form.kind == "texts" and rules["type"] == "list" and rules.keys() <= _LISTED and rules.get("check_with") in _OF_ONE:
        several = [text for text in texts if '","' in text]
        for text in several:
            del texts[text]
        yield rules, [*map(texts_in, several)]
        yield rules["schema"], texts
    else:
        yield rules, [*values_of(form, lambda _: texts)]

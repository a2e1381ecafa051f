"""Finished operands for a template, by kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from configlet.model.gate import Table
from configlet.model.problem import refuse
from configlet.render.acl import values as acl_values
from configlet.render.filter_table import values as filter_table_values

_MAKE = {"acl": acl_values, "filter-table": filter_table_values}


def values(owner: str, kind: str, operands: Mapping[str, Any], tables: Sequence[Table]) -> dict[str, object]:
    """What the template of this kind is given. Raises Refused for a row that the platform cannot say."""
    if kind not in _MAKE:
        raise refuse("Kind that cannot be rendered", f'There are no operands for the kind "{kind}".')
    return _MAKE[kind](owner, operands, tables)

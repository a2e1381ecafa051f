"""A plan as a file: read as strictly as it is written."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import Any, get_args, get_origin, get_type_hints

from configlet.model.plan import Plan, digest_of
from configlet.model.problem import Place, refuse

FORMAT = "configlet-plan/1"


def to_json(plan: Plan) -> str:
    """The plan as JSON with its format and version."""
    return json.dumps({"format": FORMAT, "plan": asdict(plan)}, indent=2, sort_keys=True) + "\n"


def from_json(text: str, file: str = "plan") -> Plan:
    """The plan of a file; ``Refused`` when it is of another version, has other fields, or was changed."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise refuse("not a plan", f"The file is not JSON ({error}).", Place(file)) from None
    if not isinstance(value, dict) or set(value) != {"format", "plan"} or value["format"] != FORMAT:
        raise refuse("not a plan of this version", f"Expected format {FORMAT}. Make the plan anew.", Place(file))
    plan = from_dict(value["plan"], file)
    if not verify(plan):
        raise refuse("the plan was changed", "Its digest does not fit its content. Make it anew.", Place(file))
    return plan


def from_dict(value: Any, file: str = "plan") -> Plan:
    """A plan from the form in which a journal keeps it; ``Refused`` when anything is missing, unknown or misshapen."""
    plan = _value(Plan, value, "plan", file)
    assert isinstance(plan, Plan)
    return plan


def verify(plan: Plan) -> bool:
    """Whether the digest is that of the content."""
    return plan.digest == digest_of(plan)


def _value(kind: Any, value: Any, where: str, file: str) -> Any:
    if get_origin(kind) is tuple:
        if not isinstance(value, (list, tuple)):
            raise _odd(where, file)
        return tuple(_value(get_args(kind)[0], item, f"{where}[{n}]", file) for n, item in enumerate(value))
    if hasattr(kind, "__dataclass_fields__"):
        names = {field.name for field in fields(kind)}
        if not isinstance(value, dict) or set(value) != names:
            raise _odd(where, file)
        hints = get_type_hints(kind)
        return kind(**{name: _value(hints[name], value[name], f"{where}.{name}", file) for name in names})
    allowed = get_args(kind)
    if (allowed and value not in allowed) or (not allowed and type(value) is not kind):
        raise _odd(where, file)
    return value


def _odd(where: str, file: str) -> Exception:
    return refuse("not a plan of this version", f"{where} is missing, unknown or of another form.", Place(file))

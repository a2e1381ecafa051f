"""A plan as a file: read as strictly as it is written."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import Any, get_args, get_origin, get_type_hints

from configlet.model import document
from configlet.model.document import Document, Path
from configlet.model.plan import Plan, digest_of

FORMAT = "configlet-plan/1"
WHAT = "not a plan of this version"
_TEXTS = frozenset(("before", "after", "load", "undo", "diff", "risks", "problems"))
"""What may have several lines; anything else could pass one off as a line of ours."""


def to_json(plan: Plan) -> str:
    """The plan as JSON with its format and version."""
    return json.dumps({"format": FORMAT, "plan": asdict(plan)}, indent=2, sort_keys=True) + "\n"


def from_json(text: str, file: str = "plan") -> Plan:
    """The plan of a file; ``Refused`` with the place when it is of another version, has other fields, or was changed."""
    found = document.read(text, file, "not a plan")
    value = found.value
    if not isinstance(value, dict) or set(value) != {"format", "plan"} or value["format"] != FORMAT:
        raise _odd(found, ("format",), f"Expected format {FORMAT} and a plan. Make the plan anew.")
    plan = _plan(Document(value["plan"], text, file, WHAT), ("plan",))
    if not verify(plan):
        raise document.Document(value, text, file, "the plan was changed").odd(
            ("plan", "digest"), "Its digest does not fit its content. Make it anew."
        )
    return plan


def from_dict(value: Any, file: str = "plan") -> Plan:
    """A plan from the form in which a journal keeps it; ``Refused`` when anything is missing, unknown or misshapen."""
    return _plan(Document(value, "", file, WHAT), ())


def verify(plan: Plan) -> bool:
    """Whether the digest is that of the content."""
    return plan.digest == digest_of(plan)


def _plan(found: Document, path: Path) -> Plan:
    plan = _value(Plan, found.value, path, found)
    assert isinstance(plan, Plan)
    return plan


def _value(kind: Any, value: Any, path: Path, found: Document) -> Any:
    if get_origin(kind) is tuple:
        if not isinstance(value, (list, tuple)):
            raise _odd(found, path)
        return tuple(_value(get_args(kind)[0], item, (*path, n), found) for n, item in enumerate(value))
    if hasattr(kind, "__dataclass_fields__"):
        return _fields(kind, value, path, found)
    allowed = get_args(kind)
    if (allowed and value not in allowed) or (not allowed and type(value) is not kind):
        raise _odd(found, path)
    if isinstance(value, str) and "\n" in value and not _TEXTS.intersection(map(str, path[-2:])):
        raise _odd(found, path, f"{document.path_text(path)} has more than one line.")
    return value


def _fields(kind: Any, value: Any, path: Path, found: Document) -> Any:
    names = [field.name for field in fields(kind)]
    if not isinstance(value, dict):
        raise _odd(found, path)
    strange = [name for name in (*value, *names) if name not in names or name not in value]
    if strange:
        raise _odd(found, (*path, strange[0]))
    hints = get_type_hints(kind)
    return kind(**{name: _value(hints[name], value[name], (*path, name), found) for name in names})


def _odd(found: Document, path: Path, detail: str = "") -> Exception:
    return found.odd(path, detail or f"{document.path_text(path)} is missing, unknown or of another form.")

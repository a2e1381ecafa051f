"""Tables that are not text: from fitted rows to what a platform's own tables hold, as lines that can be kept. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any, cast

from configlet.encoders.spent import Spent
from configlet.model.gate import Table
from configlet.model.problem import refuse

Encoder = Callable[[Mapping[str, Any], Sequence[Table]], str]
"""The platform's operands and a device's tables to the text of its artifact. Raises Refused."""


Count = Callable[[Mapping[str, Any], Sequence[Table]], Spent]
"""The same to what the hardware would hold of it. Raises Refused."""


def counter(name: str) -> Count | None:
    """How an encoder counts what its tables use; None of one whose rows are counted as they are."""
    find(name)
    return cast("Count | None", getattr(import_module(f"{__name__}.{name}"), "spent", None))


def find(name: str) -> Encoder:
    """The encoder that a platform names: ``artifact`` of the module of that name in this package. Raises Refused."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or find_spec(f"{__name__}.{name}") is None:
        raise refuse("Platform that is incomplete", f'There is no encoder "{name}".')
    return cast(Encoder, import_module(f"{__name__}.{name}").artifact)

"""The one package that knows every stage and puts them in order. What is asked for is imported when it is asked for,
so that an answer that was kept is read without the stages that made it."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from configlet.pipeline.analysis import analysis
    from configlet.pipeline.artifacts import artifacts_of, prove, prove_file, render
    from configlet.pipeline.cache import Store
    from configlet.pipeline.known import check
    from configlet.pipeline.planning import plan
    from configlet.pipeline.report import Report
    from configlet.pipeline.site import Site, open_site, with_platforms
    from configlet.pipeline.why import Why, why, why_lines

__all__ = [
    "Report",
    "Site",
    "Store",
    "Why",
    "analysis",
    "artifacts_of",
    "check",
    "open_site",
    "plan",
    "prove",
    "prove_file",
    "render",
    "why",
    "why_lines",
    "with_platforms",
]

_HOME = {
    "analysis": ("analysis",),
    "artifacts": ("artifacts_of", "prove", "prove_file", "render"),
    "cache": ("Store",),
    "known": ("check",),
    "planning": ("plan",),
    "report": ("Report",),
    "site": ("Site", "open_site", "with_platforms"),
    "why": ("Why", "why", "why_lines"),
}


def __getattr__(name: str) -> Any:
    """One of ``__all__``, from the module where it is at home."""
    home = next((module for module, names in _HOME.items() if name in names), None)
    if home is None:
        raise AttributeError(name)
    found = globals()[name] = getattr(import_module(f"configlet.pipeline.{home}"), name)
    return found


class _Lazy(ModuleType):
    """A package in which a module never takes the name of a function that is exported: `check`, `why`."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (isinstance(value, ModuleType) and name in __all__):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Lazy

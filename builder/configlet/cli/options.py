"""Arguments and options that several commands share, so that they read and complete alike everywhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

F = TypeVar("F", bound=Callable[..., Any])


class Day(click.ParamType[date]):
    """A day such as 2026-11-24."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The day, or a usage error."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f'"{value}" is not a day such as 2026-11-24', param, ctx)


class ConfigletName(click.ParamType[tuple[str, str]]):
    """A configlet as PLATFORM/KIND, such as eos/acl."""

    name = "configlet"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Platform and kind; never a path."""
        found = re.fullmatch(r"([A-Za-z0-9][A-Za-z0-9_-]*)/([A-Za-z0-9][A-Za-z0-9_-]*)", str(value))
        if not found:
            self.fail(f'"{value}" is not PLATFORM/KIND, such as eos/acl', param, ctx)
        return found[1], found[2]


class Binding(click.ParamType[tuple[str, str]]):
    """Where a list is bound, as INTERFACE/in or INTERFACE/out."""

    name = "binding"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Interface and direction."""
        interface, _, direction = str(value).rpartition("/")
        if not interface or direction not in ("in", "out"):
            self.fail(f'"{value}" is not INTERFACE/in or INTERFACE/out, such as Vlan120/in', param, ctx)
        return interface, direction


class NewFile(click.Path):
    """A file that is to be written, in a folder that is there: said before any work is done for it."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path, or a usage error."""
        folder = Path(value).parent
        if not folder.is_dir():
            self.fail(f'There is no folder "{folder}" to write it in. Make it first.', param, ctx)
        return super().convert(value, param, ctx)


class SiteName(click.ParamType[str]):
    """The name of a site; completed from the workspace."""

    name = "site"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name; never a path, as folders are found (and a lab's removed) by it."""
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", value):
            self.fail(f'"{value}" is not the name of a site', param, ctx)
        return value

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,  # noqa: ARG002 - click's signature
        incomplete: str,
    ) -> list[CompletionItem]:
        """The sites of the workspace that begin so."""
        given = ctx.params.get("workspace")
        here = Path(given) if given else Path.cwd()
        root = next((p for p in (here, *here.parents) if (p / "inventory").is_dir()), None)
        names = sorted(p.name for p in (root / "inventory").iterdir() if p.is_dir()) if root else []
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def site(required: bool = True) -> Callable[[F], F]:
    """The argument SITE."""
    return click.argument("site", type=SiteName(), required=required)


def configlet(function: F) -> F:
    """The argument PLATFORM/KIND."""
    return click.argument("configlet", metavar="PLATFORM/KIND", type=ConfigletName())(function)


def workspace(function: F) -> F:
    """``--workspace``, ``--at`` and ``--json``, which every command over a site has."""
    return click.option("--at", type=Day(), metavar="DATE", help="Judge as of this day; default: today.")(
        folder(function)
    )


def folder(function: F) -> F:
    """``--workspace`` and ``--json``, for what is the same on any day."""
    function = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")(function)
    return click.option(
        "--workspace",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        metavar="DIR",
        help="The folder that holds inventory/; default: the nearest one above.",
    )(function)


def cache(function: F) -> F:
    """``--no-cache``: neither use nor keep what was found before."""
    return click.option(
        "--cache/--no-cache", "use_cache", default=True, help="Use and keep what was found before (.configlet/cache)."
    )(function)


def jobs(function: F) -> F:
    """``--jobs``: in how many processes much is looked at."""
    return click.option(
        "--jobs", type=click.IntRange(1), metavar="N", help="Processes for a large site. [default: one a core]"
    )(function)


def lab(function: F) -> F:
    """``--lab``: aim at the lab's switches and hosts."""
    return click.option("--lab", is_flag=True, help="Aim at the lab of this site, not at its devices.")(function)


def limit(function: F) -> F:
    """``--limit``: only some of the owners of gates."""
    return click.option(
        "--limit",
        multiple=True,
        metavar="WHAT",
        help="Only these devices and hosts: names, roles, or labels as KEY=VALUE; may be given again.",
    )(function)


def yes(function: F) -> F:
    """``--yes``: the answer for scripts."""
    return click.option("--yes", is_flag=True, help="Do not ask.")(function)

"""``configlet matrix SITE``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

import click

from configlet.cli import options, say, sites, statuses

if TYPE_CHECKING:
    from configlet.model.policy import Rule
    from configlet.pipeline.matrix import Cell, Matrix, Realm

WIDTH = 80
WIDEST_NAME = 16
CORNER = "from \\ to"
WIDEST_CELL = 15
MOST_SILENT = 20
SIGNS = {"failsafe": "!", "infrastructure": "~"}
LEGEND = """\
  all   every packet may pass     -   none may     .   the ends share no family
  fix   this service may pass, from each address of the row to any of the column
  ssh*  only a part of it: of the addresses, or what an earlier deny leaves
  !ssh  a failsafe rule, which no policy takes away; ~ssh an infrastructure rule
Rows are who begins, columns whom they reach; replies go with what was allowed.
`infrastructure` are the devices' own and special addresses, `outside` is what
no segment or external has. What each gate does about it: configlet why."""


@click.command("matrix")
@options.site()
@click.option("--from", "rows", multiple=True, metavar="S", help="Only rows of these; may be given again.")
@click.option("--to", "columns", multiple=True, metavar="T", help="Only columns of these; may be given again.")
@click.option("--service", metavar="SERVICE", help="Only this service of the site, or a literal such as tcp/22.")
@click.option("--csv", "as_csv", is_flag=True, help="A line for each cell and what passes in it, for a spreadsheet.")
@options.workspace
def command(
    site: str, rows: Sequence[str], columns: Sequence[str], service: str | None, as_csv: bool, workspace: Path | None,
    at: date | None, as_json: bool,
) -> int:  # fmt: skip
    """Who may talk to whom, segment by segment, one table for each realm. It is the policy that speaks, exactly.

    S and T are segments, externals, multicast sets, `outside`, or segments' labels as KEY=VALUE; with one of them alone
    the table has of the other side those between whom something passes. The tables fold at 80 columns. Exit status 8 when
    there is no table: the site has no segment and no external, or S and T share no realm.
    """
    from configlet.pipeline.matrix import matrix

    if as_csv and as_json:
        raise click.UsageError("--csv or --json, not both.")
    root, today = sites.root_of(workspace), sites.day(at)
    found = matrix(root, sites.named(root, site), today, service, rows, columns)
    asked = (realm.rows or found.narrowed for realm in found.realms)
    status = statuses.OK if any(asked) else statuses.NOTHING
    if as_json:
        say.data(status, {"command": "matrix", **to_data(found)})
    elif as_csv:
        from csv import writer

        writer(sys.stdout, lineterminator="\n").writerows(csv_rows(found))
    else:
        for line in lines(found, today, asked=service is not None):
            say.out(line)
    return status


def to_data(found: Matrix) -> dict[str, object]:
    """The tables for machines, with every cell."""
    return {
        "site": found.site,
        "service": found.service,
        "realms": [
            {
                "realm": realm.name,
                "rows": list(realm.rows),
                "columns": list(realm.columns),
                "silent": list(realm.silent),
                "cells": [_cell_data(cell) for cell in realm.cells.values()],
            }
            for realm in found.realms
        ],
    }


def csv_rows(found: Matrix) -> Iterator[Sequence[str]]:
    """The tables for a spreadsheet: a heading, then each cell, as often as services pass in it, at least once."""
    yield "realm", "from", "to", "says", "service", "whole", "rules", "allowed", "denied"
    for realm in found.realms:
        for cell in realm.cells.values():
            where, packets = (realm.name, cell.source, cell.target, cell.says), (cell.allowed, cell.denied)
            for passing in cell.passing:
                names = ", ".join(rule.name for rule in passing.rules)
                yield *where, passing.service, "yes" if passing.whole else "no", names, *packets
            if not cell.passing:
                yield *where, "", "", "", *packets


def _cell_data(cell: Cell) -> dict[str, object]:
    return {
        "from": cell.source,
        "to": cell.target,
        "says": cell.says,
        "passing": [
            {
                "service": passing.service,
                "whole": passing.whole,
                "rules": [
                    {"name": r.name, "origin": r.origin, "place": str(r.place) if r.place else None}
                    for r in passing.rules
                ],
            }
            for passing in cell.passing
        ],
        "allowed": cell.allowed or None,
        "denied": cell.denied or None,
    }


def lines(found: Matrix, today: date, *, asked: bool) -> Iterator[str]:
    """The tables for people: each realm, then the legend, then the rules that speak in them."""
    yield f"{found.site} as of {today}, who may begin what: {found.service}"
    for realm in found.realms:
        yield ""
        yield f"realm {realm.name}"
        for columns in _folds(realm) if realm.rows else ():
            yield ""
            yield from _table(realm, columns)
        if realm.silent:
            yield ""
            yield from _silent(realm, narrowed=found.narrowed)
    if found.narrowed and not found.realms:
        yield ""
        yield "no realm has both"
    yield ""
    yield from LEGEND.splitlines()
    yield from _rules(found)
    if asked:
        yield from _parts(found)


def _silent(realm: Realm, *, narrowed: bool) -> Iterator[str]:
    names, more = realm.silent[:MOST_SILENT], len(realm.silent) - MOST_SILENT
    told = ", ".join(names) + (f" and {more:,} more" if more > 0 else "")
    said = f"nothing passes {'between these and' if narrowed else 'from or to'}: {told}"
    yield from wrap(said, WIDTH - 2, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)


def words(cell: Cell) -> tuple[str, ...]:
    """What stands in a cell, word by word."""
    if cell.says != "some":
        return ({"all": "all", "none": "-", "never": "."}[cell.says],)
    return tuple(_sign(p.rules[0]) + p.service + ("" if p.whole else "*") for p in cell.passing)


def _sign(rule: Rule) -> str:
    return SIGNS.get(rule.origin, "")


def _width(realm: Realm, column: str) -> int:
    texts = [column, *(word for row in realm.rows for word in words(realm.cells[row, column]))]
    return min(max(map(len, texts)), WIDEST_CELL)


def _name_width(realm: Realm) -> int:
    return min(max(map(len, (CORNER, *realm.rows))), WIDEST_NAME)


def _folds(realm: Realm) -> Iterator[list[str]]:
    """The columns in groups that fit side by side."""
    room = WIDTH - 2 - _name_width(realm)
    fold: list[str] = []
    used = 0
    for column in realm.columns:
        width = _width(realm, column) + 2
        if fold and used + width > room:
            yield fold
            fold, used = [], 0
        fold.append(column)
        used += width
    if fold:
        yield fold


def _table(realm: Realm, columns: Sequence[str]) -> Iterator[str]:
    widths = [_name_width(realm), *(_width(realm, column) for column in columns)]
    yield from _row([CORNER, *columns], widths)
    yield "  " + "  ".join("-" * width for width in widths)
    for row in realm.rows:
        yield from _row([row, *("\n".join(words(realm.cells[row, column])) for column in columns)], widths)


def _row(texts: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    """One row; a text that is too wide goes on in the next line."""
    stacks = [
        [piece for line in text.split("\n") for piece in wrap(line, width)] or [""]
        for text, width in zip(texts, widths, strict=True)
    ]
    for at in range(max(map(len, stacks))):
        pieces = [stack[at] if at < len(stack) else "" for stack in stacks]
        yield ("  " + "  ".join(f"{piece:<{width}}" for piece, width in zip(pieces, widths, strict=True))).rstrip()


def _rules(found: Matrix) -> Iterator[str]:
    spoken: dict[Rule, dict[str, None]] = {}
    for realm in found.realms:
        for cell in realm.cells.values():
            for passing in cell.passing:
                for rule in passing.rules:
                    spoken.setdefault(rule, {})[passing.service] = None
    if spoken:
        yield ""
        yield "by these rules"
    told: set[str] = set()
    for rule, services in sorted(spoken.items(), key=lambda item: _order(item[0])):
        said = f"  {_sign(rule)}{rule.name}" + (f": {', '.join(services)}" if rule.name not in services else "")
        place = f"  {rule.place}" if rule.place else "  derived from the inventory"
        if said + place in told:  # one for each realm
            continue
        told.add(said + place)
        if len(said + place) <= WIDTH:
            yield said + place
        else:
            yield from wrap(said.strip(), WIDTH - 2, initial_indent="  ", subsequent_indent="    ")
            yield "  " + place


def _order(rule: Rule) -> tuple[int, str, int, str]:
    origins = ("failsafe", "infrastructure", "policy", "intra")
    file, line = (rule.place.file, rule.place.line) if rule.place else ("", 0)
    return (origins.index(rule.origin) if rule.origin in origins else len(origins)), file, line, rule.name


def _parts(found: Matrix) -> Iterator[str]:
    """For one service: a packet of each side, where a cell is mixed."""
    mixed = [cell for realm in found.realms for cell in realm.cells.values() if cell.says == "some"]
    if mixed:
        yield ""
        yield f"where a part of {found.service} may pass"
    for cell in mixed:
        yield f"  {cell.source} -> {cell.target}"
        yield f"    allowed, such as {cell.allowed}"
        yield f"    denied, such as  {cell.denied}"

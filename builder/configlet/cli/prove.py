"""``configlet prove SITE [--out DIR] [--file FILE --platform P --gate GATE]``, ``prove --file A --platform P --file B``."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from configlet.cli import options, say, sites, statuses

if TYPE_CHECKING:
    from configlet.model.gate import Proof


TEXT: click.Path = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("prove")
@options.site(required=False)
@click.option("--file", "files", multiple=True, type=TEXT, help="A foreign text; two are compared with each other.")
@click.option("--platform", "platforms", multiple=True, help="What it is written for, such as eos; once for each, or for both.")
@click.option("--list", "lists", multiple=True, metavar="NAME", help="The access list that is meant; once for each, or for both.")
@click.option("--gate", help="The gate whose law the foreign text must keep, such as leaf1/Vlan120/in/v4.")
@click.option("--whole-packets", "whole", is_flag=True, help="Compare whole packets and first fragments only.")
@click.option("--out", "folder", type=click.Path(file_okay=False, path_type=Path), help="Write what is proven in DIR.")
@options.workspace
def command(
    site: str | None,
    files: tuple[Path, ...],
    platforms: tuple[str, ...],
    lists: tuple[str, ...],
    gate: str | None,
    whole: bool,
    folder: Path | None,
    workspace: Path | None,
    at: date | None,
    as_json: bool,
) -> int:
    """The proof of every artifact over the whole packet space; or of a foreign text against a gate's law, or of two texts
    against each other, whatever platforms they are written for.

    With --out the texts are written too, when every gate is proven, and else none of them.
    """
    gc.set_threshold(10_000_000)  # what a proof makes is nearly all needed to its end, and has no cycles
    foreign = bool(files or platforms or gate or lists or whole)
    if folder and foreign:
        raise click.UsageError("--out writes what the site renders; --file judges a text that is there.")
    if len(files) == 2 and platforms and not (gate or site):
        proofs = _two(workspace, files, platforms, lists, whole=whole)
    elif site is None:
        raise click.UsageError("Name a site; or two texts: --file A --platform P --file B --platform Q.")
    else:
        proofs = _of_site(site, files, platforms, lists, gate, folder, (workspace, at), whole=whole)
    status = _status(proofs)
    if as_json:
        say.data(status, {"command": "prove", "site": site or "", "proofs": [asdict(proof) for proof in proofs]})
    else:
        _show(proofs)
    return status


def _of_site(
    site: str,
    files: tuple[Path, ...],
    platforms: tuple[str, ...],
    lists: tuple[str, ...],
    gate: str | None,
    folder: Path | None,
    where: tuple[Path | None, date | None],
    *,
    whole: bool,
) -> Sequence[Proof]:
    from configlet import pipeline

    root, today = sites.root_of(where[0]), sites.day(where[1])
    sites.named(root, site)
    if len(files) == len(platforms) == 1 and gate and len(lists) < 2:
        return pipeline.prove_file(root, site, today, files[0], platforms[0], gate, "".join(lists), whole=whole)
    if files or platforms or gate or lists or whole:
        raise click.UsageError("--file, --platform and --gate belong together.")
    return _written(root, site, today, folder) if folder else pipeline.prove(root, site, today)


def _two(
    workspace: Path | None, files: tuple[Path, ...], platforms: tuple[str, ...], lists: tuple[str, ...], *, whole: bool
) -> Sequence[Proof]:
    """Two texts against each other, list by list."""
    from configlet.model.problem import Refused
    from configlet.pipeline import imported

    if len(platforms) > 2 or len(lists) > 2:
        raise click.UsageError("Two texts have a --platform and a --list each, or one for both.")
    root = sites.perhaps(workspace)
    found = []
    for at, file in enumerate(files):
        said = imported.running(root, platforms[min(at, len(platforms) - 1)], file)
        names = [lists[min(at, len(lists) - 1)]] if lists else []
        one, problems = imported.chosen(said, names, file)
        if problems and (lists or not one):
            raise Refused(problems)
        for problem in problems:
            say.note(str(problem))
        found.append(one)
    alike = platforms[0] == platforms[-1]
    return [imported.against(one, other, whole=whole, alike=alike) for one, other in imported.pair(found, lists, files)]


def _written(root: Path, site: str, today: date, folder: Path) -> Sequence[Proof]:
    from configlet.pipeline.proven import write_proven

    proofs, files = write_proven(root, site, today, folder)
    say.note(f"prove: {files} files in {folder}" if files else f"prove: nothing is written in {folder}, as not all is proven")
    return proofs


def _status(proofs: Sequence[Proof]) -> int:
    if not proofs:
        return statuses.NOTHING
    return statuses.OK if all(proof.verdict == "PROVED" for proof in proofs) else statuses.RED


def _show(proofs: Sequence[Proof]) -> None:
    from configlet.prove import show

    for proof in proofs:
        say.out(show(proof))
    proved = sum(proof.verdict == "PROVED" for proof in proofs)
    good = bool(proofs) and proved == len(proofs)
    say.out(say.tint(f"prove: {proved} of {len(proofs)} PROVED", "good" if good else "bad"))

"""``configlet prove SITE [--out DIR] [--file FILE --platform P --gate GATE]``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from configlet.cli import options, say, sites, statuses
from configlet.model.problem import Place, refuse

if TYPE_CHECKING:
    from configlet.model.gate import Proof


@click.command("prove")
@options.site()
@click.option("--file", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A foreign text.")
@click.option("--platform", help="What the foreign text is written for, such as eos.")
@click.option("--gate", help="The gate whose law the foreign text must keep, such as leaf1/Vlan120/in/v4.")
@click.option("--out", "folder", type=click.Path(file_okay=False, path_type=Path), help="Write what is proven in DIR.")
@options.workspace
def command(
    site: str,
    file: Path | None,
    platform: str | None,
    gate: str | None,
    folder: Path | None,
    workspace: Path | None,
    at: date | None,
    as_json: bool,
) -> int:
    """The proof of every artifact over the whole packet space; or of a foreign text against a gate's law.

    With --out the texts are written too, when every gate is proven, and else none of them.
    """
    from configlet import pipeline

    root, today = sites.root_of(workspace), sites.day(at)
    sites.named(root, site)
    if folder and (file or platform or gate):
        raise click.UsageError("--out writes what the site renders; --file judges a text that is there.")
    if file and platform and gate:
        _readable(file)
        proofs: Sequence[Proof] = pipeline.prove_file(root, site, today, file, platform, gate)
    elif file or platform or gate:
        raise click.UsageError("--file, --platform and --gate belong together.")
    elif folder:
        proofs = _written(root, site, today, folder)
    else:
        proofs = pipeline.prove(root, site, today)
    status = _status(proofs)
    if as_json:
        say.data(status, {"command": "prove", "site": site, "proofs": [asdict(proof) for proof in proofs]})
    else:
        _show(proofs)
    return status


def _written(root: Path, site: str, today: date, folder: Path) -> Sequence[Proof]:
    from configlet.pipeline.proven import write_proven

    proofs, files = write_proven(root, site, today, folder)
    say.note(f"prove: {files} files in {folder}" if files else f"prove: nothing is written in {folder}, as not all is proven")
    return proofs


def _readable(file: Path) -> None:
    try:
        file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        detail = f"Byte {error.start} is not UTF-8, so what the device would understand is in doubt."
        raise refuse("Not a text", detail, Place(str(file))) from error


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

"""``configlet import acl FILE --platform P [--list NAME] [--site S] [--to PLATFORM]``."""  # noqa: N999 - the word that people type

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from configlet.cli import options, say, sites, statuses
from configlet.model.problem import Refused

if TYPE_CHECKING:
    from configlet.model.problem import Problem
    from configlet.model.running import Found, Running
    from configlet.pipeline.imported import Imported


@click.group("import")
def command() -> None:
    """From what exists: the access lists of a running configuration."""


@command.command("acl")
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--platform", required=True, help="What the text is written for, such as eos.")
@click.option("--list", "names", multiple=True, metavar="NAME", help="Only this list; may be given again.")
@click.option("--site", type=options.SiteName(), metavar="SITE", help="Write it as this site (SITE-LIST each, of several).")
@click.option("--bind", type=options.Binding(), metavar="INTERFACE/in|out", help="Where the other platform's text binds it.")
@click.option("--to", "target", metavar="PLATFORM", help="Print each list as another platform writes it.")
@options.workspace
def acl(
    file: Path,
    platform: str,
    names: tuple[str, ...],
    site: str | None,
    target: str | None,
    bind: tuple[str, str] | None,
    workspace: Path | None,
    at: date | None,
    as_json: bool,
) -> int:
    """Each access list of a running configuration as rules, address sets and services, proven to say what was read.

    A list with a line that is not understood is refused with that line, and the others are imported all the same. Without
    --site nothing is written: the files are printed.
    """
    from configlet.pipeline import imported

    if site and target:
        raise click.UsageError("--site makes a site of ours, --to another platform's text: name one of them.")
    if bind and not target:
        raise click.UsageError("--bind says where the text of --to binds the list.")
    root = sites.root_of(workspace) if site else sites.perhaps(workspace)
    said = imported.running(root, platform, file)
    lists, problems = imported.chosen(said, names, file)
    say.note(_counted(file, said, lists, problems))
    if target:
        return _translated(root, lists, list(problems), (target, bind), as_json)
    found, wrong = _sites(site or "imported", lists, said, sites.day(at))
    wrong = [*problems, *wrong]
    if site and root:
        for one in found:
            if all(proof.verdict == "PROVED" for proof in one.proofs):
                imported.write(root, one.site, one.files)
    return _told(found, wrong, root if site else None, as_json)


def _counted(file: Path, said: Running, lists: Sequence[Found], problems: Sequence[Problem]) -> str:
    lines = f"{said.read:,} of {said.total:,} lines concern access lists"
    return f"import: {file}: {len(lists)} lists read, {len(problems)} refused; {lines}"


def _sites(
    site: str, lists: Sequence[Found], said: Running, today: date
) -> tuple[list[Imported], list[Problem]]:
    """A site for each list that a policy can say, and what is wrong with the others."""
    from configlet.pipeline import imported

    found: list[Imported] = []
    wrong: list[Problem] = []
    by_name = {one.name: [two for two in lists if two.name == one.name] for one in lists}
    taken: list[str] = []
    for name, same in by_name.items():
        named = site if len(by_name) == 1 else imported.site_name(site, name, taken)
        taken.append(named)
        try:
            found.append(imported.made(named, same, said, today))
        except Refused as refused:
            wrong += refused.problems
    return found, wrong


def _told(found: Sequence[Imported], wrong: Sequence[Problem], root: Path | None, as_json: bool) -> int:
    """What was made of each list; exit status."""
    from configlet.prove import show

    proofs = [proof for one in found for proof in one.proofs]
    proved = all(proof.verdict == "PROVED" for proof in proofs)
    status = statuses.INVALID if wrong else statuses.RED if not proved else statuses.OK if found else statuses.NOTHING
    if as_json:
        say.data(status, {"command": "import", "lists": [asdict(one) for one in found], "problems": [asdict(p) for p in wrong]})
        return status
    for one in found:
        if root is None:
            for name, text in one.files.items():
                say.out(f"# {one.site}/{name}\n{text}")
        answers = f"; {len(one.answers)} lines pass answers only, see its policy.yaml" if one.answers else ""
        say.note(f"{one.name}: {one.rules} rules, site {one.site}{answers}")
        for proof in one.proofs:
            say.note(f"  {show(proof)}")
        for unknown in one.unknown:
            say.note(f"  {unknown}; no rule says it")
    for problem in wrong:
        say.note(str(problem))
    return status


def _translated(
    root: Path | None,
    lists: Sequence[Found],
    wrong: list[Problem],
    target: tuple[str, tuple[str, str] | None],
    as_json: bool,
) -> int:
    """The lists in another platform's words, each with its proof."""
    from configlet.pipeline import imported
    from configlet.prove import show

    texts, proved = [], True
    for one in lists:
        try:
            text, proof = imported.translated(root, one, *target)
        except Refused as refused:
            wrong += refused.problems
            continue
        proved &= proof.verdict == "PROVED"
        texts.append({"name": one.name, "family": one.family, "text": text, "proof": asdict(proof)})
        if not as_json:
            say.out(text.rstrip("\n"))
            say.note(show(proof))
    wrong = list(dict.fromkeys(wrong))  # lists of two families are mostly wrong in the same rule
    status = statuses.INVALID if wrong else statuses.RED if not proved else statuses.OK if texts else statuses.NOTHING
    if as_json:
        say.data(status, {"command": "import", "texts": texts, "problems": [asdict(problem) for problem in wrong]})
    else:
        say.note("Whole packets are written; later fragments are denied by a line of their own.")
    for problem in wrong if not as_json else ():
        say.note(str(problem))
    return status

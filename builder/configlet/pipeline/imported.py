"""Access lists of a running configuration: as a site of ours, for another platform, or against another text."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import NamedTuple

from configlet import importers, platforms, readers, rules, workspace
from configlet import render as rendering
from configlet.importers.statements import Statement
from configlet.model.gate import Artifact, Gate, Law, Line, Proof, Table
from configlet.model.net import BITS, Addresses, Family
from configlet.model.platform import Platform
from configlet.model.policy import ANY_BIT, ANY_PORT, ANY_PROTO, Box, Entry, Rule
from configlet.model.problem import Place, Problem, Refused, refuse
from configlet.model.running import Found, Running, Unknown
from configlet.packets.entries import rule_entries
from configlet.pipeline.foreign import foreign
from configlet.platforms import content
from configlet.platforms.own import faults
from configlet.prove import prove as prove_artifact
from configlet.prove.compare import Doubt, witnesses

REALM = "default"
NOWHERE = Addresses()
BESIDE = Rule("not judged", "default", "deny", NOWHERE, NOWHERE, (), False, None)


@dataclass(frozen=True, slots=True)
class Imported:
    """One list (or one of each family under one name) as a site: its files, and the proofs that they say what was read."""

    name: str
    site: str
    files: Mapping[str, str]
    proofs: tuple[Proof, ...]
    rules: int
    answers: tuple[int, ...]
    """Lines that pass answers only, which a policy does not say."""
    unknown: tuple[str, ...]
    """Whole packets of which it is not known what the list does with them, so that no rule says it."""


class Side(NamedTuple):
    """A list as it is compared: what it is called, its lines, and what is not known of it."""

    name: str
    family: Family
    lines: Sequence[Line]
    unknown: tuple[Unknown, ...]
    file: str
    stateful: bool = False


def known(root: Path | None, name: str) -> Platform:
    """A platform by name. Raises Refused with the names that there are."""
    found = platforms.load(content.search(root))
    if name not in found:
        raise refuse("Unknown platform", f'There is no platform "{name}". There are: {", ".join(sorted(found))}.')
    return found[name]


def running(root: Path | None, platform: str, file: Path) -> Running:
    """What a running configuration says of access lists. Raises Refused for what is no text of the platform at all."""
    made = known(root, platform)
    with faults(made):
        return readers.running(made, next(iter(made.kinds)), foreign(file), str(file))


def chosen(said: Running, names: Sequence[str], file: Path) -> tuple[tuple[Found, ...], tuple[Problem, ...]]:
    """The lists of these names (none: all), and what is wrong with those that were not read. Raises Refused for others."""
    unread = {one.name: one.problem for one in said.unread}
    there = {one.name for one in said.found} | set(unread)
    strange = [name for name in names if name not in there]
    if strange:
        detail = f"{', '.join(strange)} is not in the text. There are: {', '.join(sorted(there))}."
        raise refuse("Unknown list", detail, Place(str(file)))
    wanted = set(names) or there
    return tuple(one for one in said.found if one.name in wanted), tuple(p for name, p in unread.items() if name in wanted)


def site_name(site: str, name: str, taken: Sequence[str]) -> str:
    """The name of the site of one list among several; lists whose names differ in case or signs alone are numbered."""
    return importers.free(importers.slug(f"{site}-{name}"), taken)


def made(site: str, lists: Sequence[Found], said: Running, today: date) -> Imported:
    """A site of one list, or of one of each family under one name: made, read back and proven; nothing is written.

    Raises Refused for what no rule can say.
    """
    draft = importers.draft(lists, said.groups)
    files = importers.documents(site, draft, tuple(_notes(lists, draft.answers)))
    answers = tuple(number for one in draft.answers for number in one.numbers)
    closing = [one for one in draft.answers if not one.permit]
    if closing:
        detail = f"Line {closing[0].numbers[0]} denies answers only, which no rule of a policy can say: {closing[0].text}."
        raise refuse("Line that no rule can say", detail, Place(lists[0].place.file, closing[0].numbers[0]))
    if not draft.rules:
        detail = f"The list {lists[0].name} passes answers only, or nothing: there is no rule to write."
        raise refuse("List without a rule", detail, lists[0].place)
    entries = _read_back(site, files, today, {one.family for one in lists})
    proofs = tuple(_proof(one, entries[one.family], bool(answers)) for one in lists)
    unknown = tuple(f"{one.place}: {one.why}" for one in _of_whole(lists))
    return Imported(lists[0].name, site, files, proofs, len(draft.rules), answers, unknown)


def _of_whole(lists: Sequence[Found]) -> list[Unknown]:
    """What is not known of whole packets, once for each reason; of later fragments no rule and no list of ours speaks."""
    found = (unknown for one in lists for unknown in one.unknown if unknown.box[6][0] == 0)
    return list({(one.place, one.why): one for one in found}.values())


def _notes(lists: Sequence[Found], answers: Sequence[Statement]) -> list[str]:
    out = [f"Imported from {one.place}: IPv{one.family} access list {one.name}." for one in lists]
    out += ["The rules speak of whole packets; the segments' `fragments` decides later fragments."]
    out += [f"{one.place}: {one.why}; no rule says it." for one in _of_whole(lists)]
    if any(one.stateful for one in lists):
        out.append("The list remembers connections: the rules speak of a connection's first packet, as all of a policy does.")
        out += [f"Line {n} drops packets of known connections too, which no rule says." for n in _dropping(lists)]
    if answers:
        out.append("Lines that pass answers only (established) are not here: answers go with what they answer.")
        out += [f"  line {n}: {one.text}"[:200] for one in answers for n in one.numbers[:1]]
    return out


def _dropping(lists: Sequence[Found]) -> list[int]:
    """The lines that drop packets of connections that are known."""
    return sorted({line.number for one in lists for line in one.later if not line.permit})


def _read_back(site: str, files: Mapping[str, str], today: date, families: set[Family]) -> dict[Family, tuple[Entry, ...]]:
    """What the files mean, read as any site is read: the rules of the policy, in order."""
    with tempfile.TemporaryDirectory(prefix="configlet-import-") as folder:
        write(Path(folder), site, files)
        inventory = workspace.load(Path(folder), site, today, cache=None).inventory
        made = [rule for rule in rules.expand(inventory).rules if rule.origin == "policy"]
    return {f: tuple(entry for rule in made for entry in rule_entries(rule, REALM, f)) for f in families}


def write(root: Path, site: str, files: Mapping[str, str]) -> Path:
    """The files of a site below a workspace. Raises Refused where there is such a site: nothing is overwritten."""
    folder = root / "inventory" / site
    if folder.exists():
        raise refuse("Site that is there already", f"{folder} is there. Name another site: an import overwrites nothing.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{site}-", dir=folder.parent))
    try:
        for name, text in files.items():
            (made / name).write_text(text, encoding="utf-8")
        made.chmod(0o755)
        made.rename(folder)
    except OSError:
        shutil.rmtree(made, ignore_errors=True)
        raise
    return folder


def _proof(found: Found, entries: Sequence[Entry], answers: bool) -> Proof:
    """Whether the rules pass what the list passes, of whole packets; of TCP with ACK or RST only where no line passes answers."""
    beside = [_later(found.family), *(one.box for one in found.unknown)]
    beside += [_answering(found.family)] if answers else []
    return compared(
        f"{found.name}/v{found.family}",
        Law(found.family, (entries,)),
        Side(found.name, found.family, found.lines, (), found.place.file),
        beside,
    )


def _later(family: Family) -> Box:
    every = (0, (1 << BITS[family]) - 1)
    return ANY_PROTO, every, every, ANY_PORT, ANY_PORT, ANY_BIT, (1, 1)


def _answering(family: Family) -> Box:
    every = (0, (1 << BITS[family]) - 1)
    return (6, 6), every, every, ANY_PORT, ANY_PORT, (1, 1), (0, 0)


def compared(
    name: str, law: Law, text: Side, beside: Sequence[Box] = (), *, whole: bool = False, stateful: bool = False
) -> Proof:
    """The proof that a list means a law, but for the packets ``beside``. What is not known of the list makes it UNKNOWN,
    unless only ``whole`` packets are asked about, or the rest differs already. Where the list remembers connections and
    the law is not of something ``stateful`` (or the other way round), nothing can be said of later packets."""
    if text.stateful != stateful:
        said = [("remembers" if yes else "does not remember") for yes in (text.stateful, stateful)]
        reason = f"{text.name} {said[0]} connections, and what it is compared with {said[1]} them."
        return Proof(name, "UNKNOWN", 0, 0, (), reason)
    whole = whole or stateful
    unknown = [one for one in text.unknown if not (whole and one.box[6] == (1, 1))]
    out = [*beside, *(one.box for one in text.unknown), *([_later(law.family)] if whole else [])]
    denies = tuple(Entry(False, box, BESIDE) for box in out)
    lines = (*(Line(False, box, 0, "not judged") for box in out), *text.lines)
    total = len({line.number for line in text.lines if line.number})
    try:
        found = witnesses(Law(law.family, tuple((*denies, *part) for part in law.lists)), lines, "", text.file)
    except Doubt as doubt:
        return Proof(name, "UNKNOWN", total, total, (), str(doubt))
    if found:
        return Proof(name, "REFUTED", total, total, tuple(sorted(found, key=lambda one: one.kind)))
    if unknown:
        hint = " With --whole-packets only whole packets are compared." if all(u.box[6] == (1, 1) for u in unknown) else ""
        return Proof(name, "UNKNOWN", total, total, (), f"All else is equal, but {unknown[0].place}: {unknown[0].why}.{hint}")
    return Proof(name, "PROVED", total, total)


def side(found: Found) -> Side:
    """A list as it is compared."""
    return Side(found.name, found.family, found.lines, found.unknown, found.place.file, found.stateful)


def against(one: Found, other: Found, *, whole: bool, alike: bool = False) -> Proof:
    """Whether a list passes exactly what another one passes, whatever platforms they are written for.

    ``alike``: they are of one platform, so that the same entries mean the same, also where it is not known what.
    """
    law = Law(one.family, (_entries(one),))
    text = side(other)._replace(unknown=(*one.unknown, *other.unknown))
    name = f"{one.place.file}:{one.name} and {other.place.file}:{other.name} (IPv{one.family})"
    if alike and [(a.permit, a.box) for a in one.lines] == [(b.permit, b.box) for b in other.lines]:
        text = text._replace(unknown=())
    proof = compared(name, law, text, whole=whole, stateful=one.stateful)
    if proof.verdict != "PROVED" or not one.stateful:
        return proof
    known = Law(one.family, (_entries(replace(one, lines=one.later)),))
    return compared(f"{name}: later packets", known, text._replace(lines=other.later), whole=whole, stateful=True)


def _entries(found: Found) -> tuple[Entry, ...]:
    made: dict[int, Rule] = {}
    for line in found.lines:
        if line.number not in made:
            place = Place(found.place.file, line.number)
            words = " ".join(line.text.split())
            made[line.number] = Rule(line.label or words, "policy", "allow", NOWHERE, NOWHERE, (), " log" in f" {words}", place)
    return tuple(Entry(line.permit, _box(line), made[line.number]) for line in found.lines)


def _box(line: Line) -> Box:
    p, d, s, dp, sp, fl, fr = line.box
    return p, d, s, dp, sp, fl, fr


def translated(root: Path | None, found: Found, platform: str, bind: tuple[str, str] | None = None) -> tuple[str, Proof]:
    """A list written for another platform, its whole packets, and the proof that the text means it. ``bind`` is the
    interface and direction at which the text binds it; where it is bound now, else. Raises Refused.
    """
    target = known(root, platform)
    if "acl" not in target.kinds:
        raise refuse("Platform without access lists", f"{platform} has none; name another one.")
    if found.stateful:
        detail = (
            f"{found.name} remembers connections, so that answers to what other chains let out pass here. An access list of "
            f"{platform} remembers none. Import it as a site (--site), whose gates are then told which answers to pass."
        )
        raise refuse("List that remembers connections", detail, found.place)
    where = bind or (*found.bound, ("Vlan1", "in"))[0]
    try:
        return _translated(found, target, where)
    except Refused as refused:
        raise _misnamed(found, target, where, bind is not None) or refused from None


def _misnamed(found: Found, target: Platform, where: tuple[str, str], told: bool) -> Refused | None:
    """The refusal that speaks of the interface, where the same list is written well with a plain name of the platform."""
    name, direction = where
    plain = str(target.kinds["acl"].operands.get("interface", "eth0"))
    try:
        _translated(found, target, (plain, direction))
    except Refused:
        return None
    said = "--bind says" if told else f"{found.name} is bound at"
    return refuse(
        "Interface that the other platform does not know",
        f"{said} {name}, and {target.name} takes no interface of this name for an access list; its names look like {plain}. "
        f"Say where its text binds the list: --bind {plain}/{direction}.",
        Place("--bind"),
    )


def _translated(found: Found, target: Platform, where: tuple[str, str]) -> tuple[str, Proof]:
    binding, direction = where
    whole = tuple(
        entry.over((*entry.box[:6], (0, 0))) for entry in _entries(found) if entry.box[6][0] == 0
    )
    capability = target.kinds["acl"].capability
    gate = Gate(f"{found.name}/{binding}/{direction}/v{found.family}", found.name, target.name, "acl", binding,
                "out" if direction == "out" else "in", (found.family,), REALM, (found.name,), capability)  # fmt: skip
    table = Table(gate, REALM, found.family, Law(found.family, (whole,)), whole)
    with faults(target):
        artifact: Artifact = rendering.render(importers.slug(found.name), target, "acl", [table])
        reading = readers.read(target, "acl", artifact.text, artifact.file)
    (proof,) = prove_artifact(artifact, reading)
    unknown = _of_whole([found])
    if unknown and proof.verdict == "PROVED":
        reason = f"All else is equal, but {unknown[0].place}: {unknown[0].why}. Say it in the list, before its end."
        proof = replace(proof, verdict="UNKNOWN", reason=reason)
    return artifact.text, proof


def pair(lists: Sequence[tuple[Found, ...]], names: Sequence[str], files: Sequence[Path]) -> tuple[tuple[Found, Found], ...]:
    """Which list of one text is compared with which of another: by the names that were given, else the only ones, else those
    that have one name. Raises Refused where that is not clear."""
    one, other = ([two for two in found if len(names) < 2 or two.name == names[at]] for at, found in enumerate(lists))
    if len(names) == 1:
        one, other = ([two for two in found if two.name == names[0]] for found in lists)
    if len({two.name for two in one}) > 1 or len({two.name for two in other}) > 1:
        shared = {two.name for two in one} & {two.name for two in other}
        one, other = ([two for two in found if two.name in shared] for found in (one, other))
        key = {(two.name, two.family): two for two in other}
        found = [(two, key[two.name, two.family]) for two in one if (two.name, two.family) in key]
    else:
        by_family = {two.family: two for two in other}
        found = [(two, by_family[two.family]) for two in one if two.family in by_family]
    if not found:
        names_of = [", ".join(sorted({two.name for two in part})) or "none" for part in lists]
        said = "; ".join(f"{file}: {there}" for file, there in zip(files, names_of, strict=True))
        raise refuse("Lists that cannot be paired", f"Name the two lists, with --list for each file. Lists read: {said}.")
    return tuple(found)


def against_gate(found: Found, law: Law, gate: Gate, *, whole: bool) -> Proof:
    """Whether a list means the law of a gate."""
    proof = compared(gate.name, law, side(found), whole=whole, stateful=gate.stateful)
    if proof.verdict == "PROVED" and (lines := _dropping([found])):
        reason = f"First packets pass as the law says, but line {lines[0]} drops packets of known connections."
        return Proof(gate.name, "UNKNOWN", proof.read, proof.total, (), reason)
    return proof

"""How a platform's folder stands: what it renders, reads back, proves and refuses, and what is missing in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from configlet import drivers, platforms, readers
from configlet import render as rendering
from configlet.model.platform import Kind, Platform
from configlet.model.problem import Refused
from configlet.platforms import case as cases
from configlet.platforms.manifest import document
from configlet.platforms.own import faults
from configlet.prove import prove, show

SHEET = ("default", "order", "state", "fragments", "established", "empty", "missing", "direction", "counts")
"""What a semantics sheet of an access list says."""
BASIS = ("default", "order", "state", "fragments", "established")
"""The items that a proof rests on; a text that comes to the others is refused."""
FEWEST = 8
"""Cases that a kind needs."""
NEEDED = {
    "a deny": "deny ",
    "a range of ports": "-",
    "an ICMP type": " type ",
    "a reply of TCP": " established",
    "IPv6": "family: 6",
}
"""What the cases of an access list must hold, or a refusal must say that it cannot."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One kind of one platform. Counts are of its cases; ``rests`` is what proofs rest on without being confirmed."""

    platform: str
    kind: str
    title: str
    cases: int
    rendered: int
    read: int
    proven: int
    refusals: int
    driver: str
    personality: bool
    seen: bool
    sources: int
    rests: tuple[str, ...]
    missing: tuple[str, ...]
    """Sentences."""
    notes: tuple[str, ...]


EMPTY = '\ntext: ""\n'
"""How a case ends whose text is still to be made."""


def fill(known: Platform) -> tuple[Path, ...]:
    """Write what the template gives into each case that ends in ``text: ""``. Raises Refused for rows it cannot say."""
    made = []
    for path in platforms.cases(known):
        head = path.read_text("utf-8")
        if not head.endswith(EMPTY):
            continue
        with faults(known):
            case = cases.read(known, path, document(path))
            text = rendering.render("device", known, case.kind, case.tables).text
        body = "".join(f"  {line}\n" if line else "\n" for line in text.splitlines())
        path.write_text(f"{head.removesuffix(EMPTY)}\ntext: |\n{body}", "utf-8")
        made.append(path)
    return tuple(made)


def of(known: Platform) -> tuple[Standing, ...]:
    """How each kind of a platform stands; its cases are rendered, read and proven now."""
    with faults(known):
        return tuple(_kind(known, kind) for kind in known.kinds.values())


def _kind(known: Platform, kind: Kind) -> Standing:
    missing = [*_manifest(known), *_sheet(kind)]
    paths = platforms.cases(known)
    counts = {"rendered": 0, "read": 0, "proven": 0}
    judged = kind.name == "acl"
    for path in paths if judged else ():
        missing += _case(known, path, counts)
    if judged:
        missing += _coverage(known, paths)
    if len(paths) < FEWEST:
        missing.append(f"There are {len(paths)} cases in {known.name}/cases; {FEWEST} or more are needed.")
    rests = tuple(
        f"{item}: {said['is']}" for item, said in kind.semantics.items() if item in BASIS and _unconfirmed(said)
    )
    personality = find_spec(f"configlet.lab.personalities.{known.name}") is not None
    driver = known.driver if known.driver in drivers.names() else "none"
    return Standing(
        known.name, kind.name, known.title, len(paths), counts["rendered"], counts["read"], counts["proven"],
        len(known.refusals), driver, personality, known.seen, len(known.sources), rests, tuple(missing),
        tuple(_notes(known, kind, driver, personality, rests)),
    )  # fmt: skip


def _unconfirmed(said: object) -> bool:
    """Whether a proof rests on an item that nobody confirmed: one that is not known is never rested on."""
    return isinstance(said, dict) and said.get("known") == "not confirmed" and said.get("is") != "unknown"


def _manifest(known: Platform) -> Iterator[str]:
    for name, sentence in known.refusals.items():
        if not str(sentence).endswith("."):
            yield f'The refusal "{name}" is no sentence: it ends in no full stop.'
    if known.driver != "none" and known.driver not in drivers.names():
        yield f'No installed package offers the driver "{known.driver}"; write `driver: none` until one does.'


def _sheet(kind: Kind) -> Iterator[str]:
    """What the semantics sheet of an access list lacks."""
    if kind.name != "acl":
        return
    for item in SHEET:
        said = kind.semantics.get(item)
        if said is None:
            yield f'The sheet says nothing of "{item}".'
            continue
        gone = [key for key in ("is", "known", "said") if not said.get(key)]
        if gone:
            yield f'Of "{item}" the sheet lacks {", ".join(gone)}.'


def _case(known: Platform, path: Path, counts: dict[str, int]) -> Iterator[str]:
    """What is wrong with one case; nothing when its rows give its text and the text means them."""
    where = f"{known.name}/cases/{path.name}"
    try:
        with faults(known):
            case = cases.read(known, path, document(path))
            artifact = rendering.render("device", known, case.kind, case.tables)
        if artifact.text != case.text:
            at = next(n for n, (x, y) in enumerate(_lines(artifact.text, case.text), 1) if x != y)
            yield f"{where}: the template gives another text than the case, first in line {at}."
            return
        counts["rendered"] += 1
        with faults(known):
            reading = readers.read(known, case.kind, artifact.text, where)
        if reading.read != reading.total:
            yield f"{where}: {reading.read} of {reading.total} lines were read."
            return
        counts["read"] += 1
        wrong = [show(proof) for proof in prove(artifact, reading) if proof.verdict != "PROVED"]
        yield from (f"{where}: {text}" for text in wrong)
        counts["proven"] += not wrong
    except Refused as refused:
        yield f"{where}: {refused}"


def _lines(one: str, other: str) -> Iterator[tuple[str, str]]:
    first, second = one.split("\n"), other.split("\n")
    for at in range(max(len(first), len(second))):
        yield (first[at] if at < len(first) else "", second[at] if at < len(second) else "")


def _coverage(known: Platform, paths: Sequence[Path]) -> Iterator[str]:
    """What no case holds and no refusal names."""
    texts = "\n".join(path.read_text("utf-8").partition("\ntext:")[0] for path in paths)
    refused = " ".join(known.refusals)
    for what, word in NEEDED.items():
        if word not in texts and what.split()[1 if what.startswith("a") else 0].lower() not in refused.lower():
            yield f"No case has {what}, and no refusal says that the platform cannot."


def _notes(known: Platform, kind: Kind, driver: str, personality: bool, rests: Sequence[str]) -> Iterator[str]:
    if driver == "none":
        yield "Nothing drives it: its text is rendered and proven, and goes to a device by your own means."
    if not personality:
        yield "The lab cannot simulate it."
    if not known.seen:
        yield "None of its facts was seen on the real thing."
    for item in rests:
        said = str(kind.semantics[item.split(":")[0]]["said"])
        yield f"Proofs rest on what is not confirmed: {said}"

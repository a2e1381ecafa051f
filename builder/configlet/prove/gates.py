"""Each table of an artifact against the list that the reader found for its gate."""

from __future__ import annotations

from collections.abc import Sequence

from configlet.model.gate import Artifact, Line, Proof, Reading, Table, Witness
from configlet.packets.boxes import full
from configlet.prove.compare import Doubt, witnesses
from configlet.prove.observed import observing, uncounted

Key = tuple[str, str, int]

HOOKS = ("input", "forward", "output")
"""Where a host's filter table must judge: to it, through it, and from it."""


def prove(artifact: Artifact, reading: Reading) -> tuple[Proof, ...]:
    """A proof for every table, in order, and one for every list of the text that no table asked for.

    A gate without a list passes everything and is REFUTED. A text that was not read whole, a text that remembers
    connections where the gate does not (or the other way round), two laws for one list, and a list that nobody asked
    for are UNKNOWN, and so is an artifact in which there is nothing to prove.
    """
    asked: dict[Key, Table] = {}
    proofs = [_proof(artifact, reading, table, asked) for table in artifact.tables]
    proofs += [_stranger(artifact, reading, key) for key in reading.lists if key not in asked]
    if not proofs:
        proofs = [Proof(artifact.owner, "UNKNOWN", reading.read, reading.total, (), "There is nothing to prove.")]
    return tuple(proofs)


def _proof(artifact: Artifact, reading: Reading, table: Table, asked: dict[Key, Table]) -> Proof:
    name = _name(table)
    others = [asked.setdefault(key, table) for key in _keys(table, reading)]
    reason = _doubt(reading, table, others)
    if reason:
        return Proof(name, "UNKNOWN", reading.read, reading.total, (), reason)
    try:
        found = _refutations(artifact, reading, table)
    except Doubt as doubt:
        return Proof(name, "UNKNOWN", reading.read, reading.total, (), str(doubt))
    return Proof(name, "REFUTED" if found else "PROVED", reading.read, reading.total, found)


def _name(table: Table) -> str:
    end = f"/v{table.family}"
    return table.gate.name if table.gate.name.endswith(end) else table.gate.name + end


def _keys(table: Table, reading: Reading) -> tuple[Key, ...]:
    """The lists that must mean the table: of a host, those at every hook, and those of what follows a first packet."""
    if table.gate.direction != "both":
        return ((table.gate.binding, table.gate.direction, table.family),)
    later = (k for k in reading.lists if k[0] in HOOKS and k[1] != "both" and k[2] == table.family)
    return (*((hook, "both", table.family) for hook in HOOKS), *later)


def _doubt(reading: Reading, table: Table, others: list[Table]) -> str:
    """Why nothing can be said of this table; empty when something can."""
    if reading.read != reading.total:
        return f"Only {reading.read:,} of {reading.total:,} lines of the text were understood."
    if reading.stateful != table.gate.stateful:
        text, gate = (("remembers" if yes else "does not remember") for yes in (reading.stateful, table.gate.stateful))
        return f"The text {text} connections, and its gate {gate} them."
    if any(other is not table and other.law != table.law for other in others):
        return "Two tables with different laws share one list of the text, so that no list can mean both."
    if table.law.family != table.family:
        return f"The law is of IPv{table.law.family} and the table of IPv{table.family}."
    return ""


def _refutations(artifact: Artifact, reading: Reading, table: Table) -> tuple[Witness, ...]:
    """Witnesses of all lists of the table, too open first, each once."""
    found: dict[Witness, None] = {}
    observed = observing(table.law) if table.gate.capability.observes else ()
    seen: set[int] = set()
    for key in _keys(table, reading):
        lines = reading.lists.get(key)
        if lines is not None and id(lines) in seen:  # hooks that judge alike share one list
            continue
        seen.add(id(lines))
        said = _unbound(key, table) if lines is None else lines
        witnessed = witnesses(table.law, said, table.realm, artifact.file, _own(table))
        if lines is None and not witnessed:
            raise Doubt(f"The text has no list for {_where(key)}.")
        if observed and not witnessed and lines is not None:
            witnessed = uncounted(table.law, observed, lines, table.realm, artifact.file)
        found |= dict.fromkeys(witnessed)
    return tuple(sorted(found, key=lambda witness: witness.kind))


def _own(table: Table) -> Sequence[int] | None:
    """The addresses of a host that holds the table; None where it stands at no host's hooks."""
    if table.gate.direction != "both":
        return None
    return [low for family, (low, high) in table.gate.locals if family == table.family and low == high]


def _unbound(key: Key, table: Table) -> tuple[Line, ...]:
    return (Line(True, full(table.family), 0, f"no list for {_where(key)}, so that everything passes"),)


def _where(key: Key) -> str:
    binding, direction, family = key
    return f"{binding} {direction} IPv{family}" if direction != "both" else f"{binding} IPv{family}"


def _stranger(artifact: Artifact, reading: Reading, key: Key) -> Proof:
    binding, direction, family = key
    name = f"{artifact.owner}/{binding}/{direction}/v{family}"
    reason = f"The text filters at {_where(key)}, and no gate of the placement is there: foreign, or left over."
    return Proof(name, "UNKNOWN", reading.read, reading.total, (), reason)

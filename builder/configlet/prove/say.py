"""A proof as people read it."""

from __future__ import annotations

from collections.abc import Iterator

from configlet.model.gate import Proof, Witness


def show(proof: Proof) -> str:
    """The verdict with lines read of how many, then one packet, one line and one rule for each finding."""
    head = f"{proof.gate:<36} {proof.verdict:<8} lines read {proof.read:,} of {proof.total:,}"
    body = [f"  {proof.reason}"] if proof.reason else []
    return "\n".join([head, *body, *(line for witness in proof.witnesses for line in _finding(witness))])


def _finding(witness: Witness) -> Iterator[str]:
    wide = witness.kind == "too open"
    yield ""
    yield f"  {witness.kind.upper():<11} {witness.packet}"
    yield f"      {'passes' if wide else 'dropped':<8} {witness.line}"
    yield f"      {'policy':<8} {witness.rule} {'denies it' if wide else 'allows it'}"
    yield f"      {'all of':<8} {witness.all_of}"

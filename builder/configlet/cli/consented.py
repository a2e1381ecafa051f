"""Whether a plan file has the approval that its workspace asks for."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from configlet.cli import say, statuses
from configlet.model.frozen import dataclass
from configlet.model.problem import refuse

if TYPE_CHECKING:
    from configlet.consent import Signed
    from configlet.model.plan import Plan


@dataclass(frozen=True, slots=True)
class Consent:
    """``no`` is the sentence why there is none, "" when there is; ``by`` who approved, "" where nobody had to."""

    no: str
    by: str = ""


def approvers(root: Path) -> Path | None:
    """The workspace's file of allowed signers; None when it has none, and nobody has to approve."""
    from configlet.consent.files import APPROVERS

    path = root / APPROVERS
    return path if path.exists() or path.is_symlink() else None


def given(file: Path) -> Plan:
    """The plan of a file. Raises Refused."""
    from configlet.plan import from_json

    return from_json(text(file), str(file))


def text(file: Path) -> str:
    """A file that somebody else may have written. Raises Refused when it is not text."""
    from configlet.model.problem import Place

    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise refuse("not text", f"The file is not UTF-8 ({error.reason}).", Place(str(file))) from None


def of(root: Path, file: Path, plan: Plan) -> Consent:
    """The consent to the plan in this file, as the workspace's approvers gave it; absent means no."""
    signers = approvers(root)
    if signers is None:
        return Consent("")
    from configlet import consent

    beside = consent.beside(file)
    if not beside.is_file():
        return Consent(f"there is no approval {beside}. Next: configlet approve {file}")
    signed = consent.from_json(text(beside), str(beside))
    no = consent.objection(plan, signed.approval, datetime.now(UTC)) or unsigned(signers, signed)
    return Consent(no or "", signed.approval.by)


def unsigned(signers: Path, signed: Signed) -> str | None:
    """Why the approval is not proven to be its giver's; None when it is."""
    from configlet import consent
    from configlet.consent.approval import NAMESPACE
    from configlet.drivers import signatures

    by = signed.approval.by
    if by not in consent.principals(signers):
        return f"{by} is not among {signers}"
    if not signed.signature:
        return f"the approval of {by} is not signed, so anybody may have written it; approve with --key"
    why = signatures.verify(consent.message(signed.approval), signed.signature, signers, by, NAMESPACE)
    return why and f"the signature is not that of {by} by {signers}: {why}"


def none(command: str, sentence: str, as_json: bool) -> int:
    """Say why there is no consent, and that nothing was done."""
    if as_json:
        problem = {"severity": "error", "nature": "red", "summary": "No consent", "detail": sentence}
        say.data(statuses.NO_CONSENT, {"command": command, "problems": [problem]})
    else:
        say.note(f"{command}: {sentence}. Nothing was done.")
    return statuses.NO_CONSENT

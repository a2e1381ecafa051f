"""An approval as a file beside its plan, and who may approve; both read as strictly as they are written."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from pathlib import Path

from configlet.consent.approval import FORMAT, HOURS, Approval, Signed
from configlet.model import document
from configlet.model.document import Document
from configlet.model.problem import Place, refuse

APPROVERS = "approvers"
_NAME = re.compile(r"[^\s\x00-\x1f\x7f,\"*?!]{1,80}")
_FORMS = {
    "plan": re.compile(r"[0-9a-f]{64}"),
    "site": re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*"),
    "target": re.compile(r"site|lab"),
    "by": _NAME,
    "at": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00"),
    "expires": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00"),
}
_ARMOUR = re.compile(
    r"-----BEGIN SSH SIGNATURE-----\n([A-Za-z0-9+/=]{1,76}\n){1,200}-----END SSH SIGNATURE-----\n", re.ASCII
)


def beside(plan: Path) -> Path:
    """Where the approval of a plan file is."""
    return plan.with_name(plan.name + ".approval")


def to_json(signed: Signed) -> str:
    """The approval as JSON with its format and version."""
    content = {"format": FORMAT, "approval": asdict(signed.approval), "signature": signed.signature}
    return json.dumps(content, indent=2, sort_keys=True) + "\n"


def from_json(text: str, file: str) -> Signed:
    """The approval of a file; ``Refused`` with the place of what is missing, unknown, twice or of another form."""
    found = document.read(text, file, "not an approval")
    value, again = found.value, "Have the plan approved anew."
    if not isinstance(value, dict) or set(value) != {"format", "approval", "signature"} or value["format"] != FORMAT:
        raise found.odd(("format",), f"Expected format {FORMAT} with approval and signature. {again}")
    said, signature = value["approval"], value["signature"]
    names = [field.name for field in fields(Approval)]
    if not isinstance(said, dict) or set(said) != set(names):
        raise found.odd(("approval",), f"It must have {', '.join(names)} and nothing else. {again}")
    for name in names:
        if not isinstance(said[name], str) or not _FORMS[name].fullmatch(said[name]):
            raise found.odd(("approval", name), f"{name} is of another form. {again}")
    if not isinstance(signature, str) or (signature and not _ARMOUR.fullmatch(signature)):
        raise found.odd(("signature",), f"This is not what ssh-keygen gives. {again}")
    _times(found, said)
    return Signed(Approval(**said), signature)


def _times(found: Document, said: dict[str, str]) -> None:
    """Both are moments, and no more than a day apart: nobody grants himself a longer one by hand."""
    for name in ("at", "expires"):
        try:
            datetime.fromisoformat(said[name])
        except ValueError:
            raise found.odd(("approval", name), f"{name} is no moment. Have the plan approved anew.") from None
    span = datetime.fromisoformat(said["expires"]) - datetime.fromisoformat(said["at"])
    if not timedelta() < span <= timedelta(hours=HOURS):
        raise found.odd(("approval", "expires"), f"An approval lasts for {HOURS} hours at most.")


def principals(path: Path) -> tuple[str, ...]:
    """Whom a file of allowed signers names (ssh-keygen(1), ALLOWED SIGNERS), each line read.

    Raises Refused with the line that has no name and key, or a name with a wildcard: who may approve is written out.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise refuse(
            "File of approvers cannot be read", f"{error}. Without it nothing is approved.", Place(str(path))
        ) from None
    found: dict[str, None] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            found |= dict.fromkeys(_signers(line, Place(str(path), number)))
    if not found:
        raise refuse(
            "Nobody may approve", "Write a line for each: NAME KEYTYPE KEY, as ssh-keygen(1) says.", Place(str(path))
        )
    return tuple(found)


def _signers(line: str, place: Place) -> list[str]:
    names, *rest = line.split()
    said = names.split(",")
    if any(not _NAME.fullmatch(name) for name in said):
        raise refuse(
            "Approver without a plain name", "A name has no quotes and no wildcards, so that it is one person.", place
        )
    if not re.search(r"(^|\s)(sk-)?(ssh|ecdsa)-[a-z0-9@.-]+ [A-Za-z0-9+/=]{40,}(\s|$)", " ".join(rest)):
        raise refuse(
            "Approver without a key", "A line is NAME KEYTYPE KEY, as ssh-keygen(1) says of allowed signers.", place
        )
    if "cert-authority" in line:
        raise refuse("Approver that is an authority", "Who may approve is written out by name and key.", place)
    return said

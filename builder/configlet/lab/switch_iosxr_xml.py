"""The XML agent of a simulated IOS-XR router, as pyIOSXR speaks to it on the terminal: one request, one document.

Cisco IOS XR XML API Guide: Lock, Unlock, CLI (Configuration and Exec), Commit, Clear and Rollback. What is not among
these is answered with an error.
"""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

from configlet.lab import switch_iosxr_exec as xr_exec
from configlet.lab import switch_iosxr_state as xr_state
from configlet.lab.parsers.eos_entry import InvalidInput
from configlet.lab.switch_iosxr_exec import Session
from configlet.lab.switch_iosxr_state import XrState
from configlet.lab.switch_match import Ambiguous, Said

LEAST, MOST = 30, 300
"""Seconds in which a commit can be asked to be confirmed."""
CODES = {xr_state.EMPTY: "0x41864e00", xr_state.OTHERS: "0x41866c00"}
ENDING = "</Request>"
Complain = Callable[[Exception, str], str]


class Wrong(Exception):  # noqa: N818 - the device's own words
    """An operation that failed, with its code."""

    def __init__(self, text: str, code: str = "0x43679000") -> None:
        self.code = code
        super().__init__(text)


def answer(state: XrState, session: Session, text: str, complain: Complain) -> str:
    """The document that answers a request. ``complain`` says how the command line refuses a line."""
    try:
        # Entities cannot be declared in what the lab's own clients send; a document type is refused before it is read.
        request = ET.fromstring(text) if "<!" not in text else ET.Element("none")  # noqa: S314
    except ET.ParseError as why:
        return f"ERROR: 0xa367a600 'XML Service Library' detected the 'fatal' condition '{why}'"
    if request.tag != "Request" or request.get("MajorVersion") != "1":
        return _response("", errors=1, wrong=Wrong("'XML Service Library' detected an unsupported request"))
    out: list[str] = []
    errors = 0
    for child in request:
        try:
            out.append(_operation(state, session, child, complain))
        except Wrong as wrong:
            errors += 1
            out.append(f"<{child.tag}{_attributes(child)} ErrorCode={quoteattr(wrong.code)} ErrorMsg={quoteattr(str(wrong))}/>")
    return _response("".join(out), errors)


def _response(inner: str, errors: int = 0, wrong: Wrong | None = None) -> str:
    more = "" if wrong is None else f" ErrorCode={quoteattr(wrong.code)} ErrorMsg={quoteattr(str(wrong))}"
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return f'{head}<Response MajorVersion="1" MinorVersion="0"{more}>{inner}<ResultSummary ErrorCount="{errors}"/></Response>\n'


def _attributes(child: ET.Element) -> str:
    return "".join(f" {name}={quoteattr(value)}" for name, value in child.attrib.items())


def _operation(state: XrState, session: Session, child: ET.Element, complain: Complain) -> str:
    known = {"Lock": _lock, "Unlock": _unlock, "Clear": _clear, "Commit": _commit, "Rollback": _rollback}
    if child.tag == "CLI":
        return _cli(state, session, child, complain)
    if child.tag not in known:
        raise Wrong(f"'XML Service Library' does not know the operation {child.tag}")
    try:
        known[child.tag](state, session, child)
    except Said as why:
        raise Wrong(str(why), CODES.get(str(why), "0x43679000")) from why
    return f"<{child.tag}{_attributes(child)}/>"


def _lock(state: XrState, session: Session, _: ET.Element) -> None:
    xr_state.lock(state, session)


def _unlock(state: XrState, session: Session, _: ET.Element) -> None:
    if state.held is session:
        state.held = None


def _clear(_: XrState, session: Session, __: ET.Element) -> None:
    session.target = None


def _commit(state: XrState, session: Session, child: ET.Element) -> None:
    unknown = set(child.attrib) - {"Replace", "Label", "Comment", "Confirmed"}
    if unknown:
        raise Wrong(f"Commit has no attribute {min(unknown)}")
    seconds = child.get("Confirmed", "")
    if seconds and not (seconds.isdigit() and LEAST <= int(seconds) <= MOST):
        raise Wrong(f"Confirmed must be from {LEAST} to {MOST}")
    xr_exec.put_in_force(
        state, session, replace=child.get("Replace") == "true", label=child.get("Label", ""),
        comment=child.get("Comment", ""), seconds=int(seconds or 0), client="XML",
    )  # fmt: skip


def _rollback(state: XrState, session: Session, child: ET.Element) -> None:
    count = child.findtext("Previous") or ""
    if not count.isdigit():
        raise Wrong("Rollback takes Previous, a number of commits")
    xr_state.rollback(state, int(count), session.user)


def _cli(state: XrState, session: Session, child: ET.Element, complain: Complain) -> str:
    out = ""
    for inner in child:
        if inner.tag not in ("Configuration", "Exec"):
            raise Wrong(f"CLI has no {inner.tag}")
        run = _configured if inner.tag == "Configuration" else _executed
        said = "".join(run(state, session, line, complain) for line in (inner.text or "").splitlines() if line.strip())
        out += f"<{inner.tag}>{escape(said)}</{inner.tag}>"
    return f"<CLI>{out}</CLI>"


def _executed(state: XrState, session: Session, line: str, complain: Complain) -> str:
    try:
        return xr_exec.execute(state, session, line)
    except (InvalidInput, Ambiguous, Said) as refusal:
        return complain(refusal, line)


def _configured(state: XrState, session: Session, line: str, complain: Complain) -> str:
    if line.strip().startswith("!") or line.split() in (["exit"], ["end"]):
        return ""
    try:
        shown = xr_exec.show_in_configuration(state, session, line)
        if shown is not None:
            return shown
        xr_state.line(state, xr_exec.targeted(state, session), line)
    except (InvalidInput, Ambiguous, Said) as refusal:
        return f"\n{line}\n{complain(refusal, line)}"
    return ""

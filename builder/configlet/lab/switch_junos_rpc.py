"""The requests that a simulated Junos switch answers, in the elements of the Junos XML protocol. It refuses every other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from configlet.lab import switch_junos_facts as facts
from configlet.lab import switch_junos_state as states
from configlet.lab.parsers.junos_text import Malformed, statements
from configlet.lab.switch_junos_baseline import VERSION
from configlet.lab.switch_junos_facts import Here, date, stamp
from configlet.lab.switch_junos_state import Entry, Said, State
from configlet.lab.switch_junos_tree import Complaint, Load, Node, show
from configlet.lab.switch_netconf import Refusal, error

NAMESPACE = 'xmlns:junos="http://xml.juniper.net/junos/23.4R0/junos"'
CAPABILITIES = (
    "urn:ietf:params:netconf:capability:candidate:1.0",
    "urn:ietf:params:netconf:capability:confirmed-commit:1.0",
    "urn:ietf:params:netconf:capability:validate:1.0",
    "http://xml.juniper.net/netconf/junos/1.0",
    "http://xml.juniper.net/dmi/system/1.0",
)
LONGEST = 65535
"""Minutes of a confirmed commit."""
DEFAULT_MINUTES = 10


def answer(here: Here, request: Element) -> str:
    """What stands inside the reply. Raises Refusal."""
    handler = _HANDLERS.get(request.tag)
    if handler is None:
        raise Refusal("syntax error", "operation-not-supported", request.tag, "protocol")
    try:
        return handler(here, request)
    except Said as said:
        raise Refusal(f"\n{said}\n") from said


def configuration(state: State, node: Node) -> str:
    """The text of a configuration as ``show configuration`` prints it."""
    last = state.history[0]
    head = f"## Last commit: {stamp(last.when)} by {last.user}\nversion {VERSION};\n"
    return "\n" + head + "".join(f"{line}\n" for line in show(node))


def _only(request: Element, attributes: Mapping[str, tuple[str, ...]], inner: tuple[str, ...] = ()) -> None:
    """Refuse an attribute, a value of one, or an element that is not known. No values: any."""
    for name, value in request.attrib.items():
        allowed = attributes.get(name)
        if allowed is None or (allowed and value not in allowed):
            raise Refusal(f"syntax error: {name}={value}", "bad-attribute", request.tag, "protocol")
    for child in request:
        if child.tag not in inner or child.attrib or len(child):
            raise Refusal("syntax error", "unknown-element", child.tag, "protocol")


def _lock(here: Here, request: Element) -> str:
    _only(request, {})
    since = stamp(here.state.now())
    says = f"{here.user} (pid {20000 + here.session}) since {since}\n      exclusive [edit]"
    try:
        states.lock(here.state, here.session, says)
    except Said as said:
        raise Refusal(f"\n{said}\n", "lock-denied", kind="protocol") from said
    return "<ok/>"


def _unlock(here: Here, request: Element) -> str:
    _only(request, {})
    states.unlock(here.state, here.session)
    return "<ok/>"


def _get_configuration(here: Here, request: Element) -> str:
    known = {
        "format": ("text",), "database": ("candidate", "committed"), "compare": ("rollback",), "rollback": (),
        "inherit": (), "groups": (), "changed": (),
    }  # fmt: skip
    _only(request, known)
    if request.get("format") != "text":
        raise Refusal("this simulated device shows its configuration as text only", "operation-not-supported")
    if request.get("compare"):
        text = states.diff(here.state, _rollback(request))
        said = f"\n{escape(text)}\n" if text else "\n"
        return f"<configuration-information><configuration-output>{said}</configuration-output></configuration-information>"
    node = here.state.running if request.get("database") == "committed" else here.state.candidate
    return f"<configuration-text>{escape(configuration(here.state, node))}</configuration-text>"


def _rollback(request: Element) -> int:
    number = request.get("rollback", "0")
    if not (number.isascii() and number.isdigit() and int(number) < states.MOST_ENTRIES):
        raise Refusal(f"invalid rollback number {number}", "bad-attribute", request.tag, "protocol")
    return int(number)


def _load(here: Here, request: Element) -> str:
    states.writable(here.state, here.session)
    if "rollback" in request.attrib:
        _only(request, {"compare": ("rollback",), "rollback": ()})
        states.roll_back(here.state, _rollback(request))
        return "<load-configuration-results><ok/></load-configuration-results>"
    inner = ("configuration-text", "configuration-set")
    _only(request, {"format": ("text",), "action": ("set", "merge", "replace", "override", "update")}, inner)
    action = request.get("action", "merge")
    body = request.find("configuration-set" if action == "set" else "configuration-text")
    if body is None or len(request) != 1:
        raise Refusal("this simulated device loads text only", "missing-element", "configuration-text", "protocol")
    done = _loaded(here, action, body.text or "")
    said = "".join(error(Refusal(one.message, bad=one.word, kind="protocol"), one.severity) for one in done)
    errors = sum(one.severity == "error" for one in done)
    said += f"<load-error-count>{errors}</load-error-count>" if errors else "<ok/>"
    return f"<load-configuration-results>{said}</load-configuration-results>"


def _loaded(here: Here, action: str, text: str) -> list[Complaint]:
    """Load into the candidate; what was right of a text with errors stays in it."""
    state = here.state
    root = Node(state.whole.known) if action in ("override", "update") else state.candidate.copy()
    load = Load(root, here.refuses)
    if action == "set":
        load.lines(text)
    else:
        try:
            found = statements(text)
        except Malformed as why:
            return [Complaint(f"{why.why} (line {why.line})", why.word)]
        load.text(one for one in found if one.words[0] != "version")
    state.candidate = load.root
    return load.complaints


def _commit(here: Here, request: Element) -> str:
    _only(request, {}, ("confirmed", "confirm-timeout", "log", "check", "synchronize", "full"))
    asked = {child.tag: (child.text or "").strip() for child in request}
    states.writable(here.state, here.session)
    if "check" in asked:
        states.check(here.state)
        states.confirm(here.state)
        return f"<commit-results>{_engine('<commit-check-success/>')}</commit-results>"
    minutes = None
    if "confirmed" in asked:
        said = asked.get("confirm-timeout", str(DEFAULT_MINUTES))
        if not (said.isascii() and said.isdigit() and 1 <= int(said) <= LONGEST):
            raise Refusal(f"invalid timeout {said}", "invalid-value", "confirm-timeout", "protocol")
        minutes = int(said)
    states.commit(here.state, here.user, minutes, asked.get("log", ""))
    return f"<commit-results>{_engine('<commit-success/>')}</commit-results>"


def _engine(inner: str) -> str:
    return f"<routing-engine><name>re0</name>{inner}</routing-engine>"


def _history(here: Here, request: Element) -> str:
    _only(request, {})
    found = "".join(_entry(here.state, number, entry) for number, entry in enumerate(here.state.history))
    return f"<commit-information>{found}</commit-information>"


def _entry(state: State, number: int, entry: Entry) -> str:
    said = f"<sequence-number>{number}</sequence-number><user>{escape(entry.user)}</user>"
    said += f"<client>{entry.client}</client>{date(entry.when)}"
    said += f"<comment>{escape(entry.comment)}</comment>" if entry.comment else ""
    said += f"<log>{escape(entry.log)}</log>" if entry.log else ""
    waits = number == 0 and state.pending is not None
    said += "<commit-confirmed>rollback pending</commit-confirmed>" if waits else ""
    return f"<commit-history>{said}</commit-history>"


def _revision(here: Here, request: Element) -> str:
    _only(request, {}, ("detail",))
    last = here.state.history[0]
    said = f"<revision>{last.revision}</revision>"
    said += f"<user>{escape(last.user)}</user><client>{last.client}</client>{date(last.when)}"
    said += f"<comment>{escape(last.comment)}</comment>" if last.comment else ""
    return f"<commit-revision-information>{said}</commit-revision-information>"


def _command(here: Here, request: Element) -> str:
    """An operational command as text."""
    _only(request, {"format": ("text",)})
    command = " ".join((request.text or "").split())
    if command == "show version":
        lines = [f"Hostname: {here.name}", f"Model: {here.model.lower()}", f"Junos: {VERSION}"]
    elif command == "show configuration":
        lines = [configuration(here.state, here.state.running).strip("\n")]
    elif command == "show system commit":
        lines = [line for number, entry in enumerate(here.state.history) for line in _told(here.state, number, entry)]
    else:
        raise Refusal(f"syntax error, expecting <command>: {command}", "invalid-value", "command", "protocol")
    return f"<output>\n{escape(chr(10).join(lines))}\n</output>"


def _told(state: State, number: int, entry: Entry) -> list[str]:
    said = [f"{number:<3} {stamp(entry.when)} by {entry.user} via {entry.client} {entry.comment}".rstrip()]
    said += [f"    {entry.log}"] * bool(entry.log)
    return said + ["    rollback pending"] * (number == 0 and state.pending is not None)


def _facts(tell: Callable[[Here], str]) -> Callable[[Here, Element], str]:
    """A request that asks for one of the device's facts, and takes nothing with it."""

    def answer_(here: Here, request: Element) -> str:
        _only(request, {})
        return tell(here)

    return answer_


_HANDLERS: Mapping[str, Callable[[Here, Element], str]] = {
    "lock-configuration": _lock,
    "unlock-configuration": _unlock,
    "get-configuration": _get_configuration,
    "load-configuration": _load,
    "commit-configuration": _commit,
    "get-commit-information": _history,
    "get-commit-revision-information": _revision,
    "get-system-uptime-information": _facts(facts.uptime),
    "get-software-information": _facts(facts.software),
    "get-chassis-inventory": _facts(facts.inventory),
    "get-interface-information": _facts(facts.interfaces),
    "command": _command,
}

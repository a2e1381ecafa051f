"""A simulated Junos switch: unmodified NAPALM through a whole change, what it refuses, and what its filters do to packets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from configlet.lab import switch_netconf
from configlet.lab.enforce import Enforcer
from configlet.lab.parsers import junos as parser
from configlet.lab.parsers.eos import Unreadable
from configlet.lab.switch_junos import JunosSwitch
from configlet.lab.switch_junos_tree import show
from configlet.lab.switch_netconf import Refusal
from tests.lab.cli_bench import served
from tests.lab.eos_bench import Planes
from tests.lab.junos_bench import NEW, OLD, make_junos, napalm_junos, reading, text_of
from tests.lab.platform_bench import lines
from tests.lab.push_bench import needs_namespaces, wait_until
from tests.lab.test_enforce import A6, ACK, B6, ECHO, ECHO6, SYN, A, B, P, wrong

SET = "set firewall family inet filter web term 1 from protocol tcp\nset firewall family inet filter web term 1 then accept"


def ask(switch: JunosSwitch, said: str, session: int = 1) -> str:
    """The reply to a request, without SSH in between; one that is refused begins with the message."""
    try:
        return switch.answer(session, "admin", ElementTree.fromstring(said))
    except Refusal as refusal:
        return f"refused: {refusal.message.strip()} {refusal.bad}"


def load(text: str, action: str = "replace", form: str = "text") -> str:
    inner = f"<configuration-{form}>{text}</configuration-{form}>"
    return f'<load-configuration format="text" action="{action}">{inner}</load-configuration>'


def history(switch: JunosSwitch) -> list[tuple[str, str, bool]]:
    """Of each commit the user, the device's comment and whether it waits, as the switch tells it."""
    found = ElementTree.fromstring(
        ask(switch, "<get-commit-information/>").replace("junos:seconds", "seconds")
    )
    return [(e.findtext("user", ""), e.findtext("comment", ""), e.find("commit-confirmed") is not None) for e in found]


@pytest.fixture
def planes() -> Planes:
    return Planes()


@pytest.fixture
def switch(planes: Planes) -> JunosSwitch:
    return make_junos(60.0, planes)


def test_napalm_loads_compares_commits_under_the_timer_confirms_and_rolls_back(
    planes: Planes, tmp_path: Path
) -> None:
    switch = make_junos(600.0, planes)
    first = lines(switch.running_text())
    with served(switch, switch.service(), tmp_path, switch_netconf.serve) as at:
        api: Any = napalm_junos(at)
        api.open()
        api.load_merge_candidate(config=OLD)
        diff = api.compare_config()
        assert diff.startswith("[edit]\n+    firewall {") and "input cfglt-Vlan120-in-v4;" in diff
        assert lines(switch.running_text()) == first
        api.commit_config(revert_in=3000, message="ours")
        assert api.has_pending_commit()
        assert (reading(switch.running_text()).canonical, len(planes.given)) == (reading(OLD).canonical, 1)
        api.close()
        api.open()
        api.confirm_commit()
        assert not api.has_pending_commit()
        api.load_merge_candidate(config=NEW)
        api.discard_config()
        assert api.compare_config() == ""
        api.load_merge_candidate(config=text_of(22).replace("filter cfglt", "replace: filter cfglt"))
        assert "-    /* port 53 */\n-    term 40 {" in api.compare_config()
        api.commit_config()
        api.rollback()
        assert reading(switch.running_text()).canonical == reading(OLD).canonical
        assert api.cli(["show version"])["show version"].startswith("\nHostname: leaf1")
        facts = api.get_facts()
        assert (facts["os_version"], facts["hostname"]) == ("23.4R2.13", "leaf1") and "irb" in facts["interface_list"]
        api.load_replace_candidate(config="\n".join(first))
        api.commit_config(revert_in=1200)
        api.close()
        assert lines(switch.running_text()) == first
        wait_until(lambda: switch._state.pending is None)
    assert reading(switch.running_text()).canonical == reading(OLD).canonical
    assert [(user, waits) for user, _, waits in history(switch)][:2] == [("root", False), ("admin", False)]


def test_the_timer_s_words_stay_in_the_history_and_its_mark_goes_with_a_commit_or_a_commit_check(
    switch: JunosSwitch,
) -> None:
    for confirming in ("<commit-configuration/>", "<commit-configuration><check/></commit-configuration>"):
        ask(switch, load(SET, "set", "set"))
        ask(switch, "<commit-configuration><confirmed/><confirm-timeout>2</confirm-timeout></commit-configuration>")
        assert history(switch)[0] == ("admin", "commit confirmed, rollback in 2mins", True)
        assert "commit" in ask(switch, confirming, session=2)
        assert not any(waits for _, _, waits in history(switch))
        assert "commit confirmed, rollback in 2mins" in [comment for _, comment, _ in history(switch)]
    assert switch._state.pending is None


def test_the_lock_keeps_others_out_and_what_was_not_committed_under_it_goes_with_its_session(switch: JunosSwitch) -> None:
    assert ask(switch, "<lock-configuration/>") == "<ok/>"
    assert ask(switch, "<lock-configuration/>", 2).startswith("refused: configuration database locked by:\n  admin")
    for request in (load(SET, "set", "set"), "<commit-configuration/>"):
        assert ask(switch, request, 2).startswith("refused: configuration database locked by")
    ask(switch, load(SET, "set", "set"))
    switch.ended(1)
    assert "filter web" not in ask(switch, '<get-configuration format="text" database="candidate"/>')
    ask(switch, load(SET, "set", "set"), 2)
    switch.ended(2)
    assert ask(switch, "<lock-configuration/>") == "refused: configuration database modified "
    assert ask(switch, '<load-configuration compare="rollback" rollback="0"/>', 2).count("<ok/>") == 1
    assert ask(switch, "<lock-configuration/>") == "<ok/>"
    assert ask(switch, "<unlock-configuration/>", 2).startswith("refused: configuration database not locked")


@pytest.mark.parametrize(
    "request_",
    [
        "<get-arp-table-information/>", "<edit-config/>", "<commit/>", "<open-configuration><private/></open-configuration>",
        '<get-configuration format="xml"/>', '<get-configuration format="text" database="other"/>',
        '<get-configuration format="text"><configuration/></get-configuration>',
        '<get-configuration compare="rollback" rollback="9" format="text"/>',
        '<load-configuration format="xml"><configuration/></load-configuration>',
        "<commit-configuration><at-time>1</at-time></commit-configuration>",
        "<commit-configuration><confirmed/><confirm-timeout>0</confirm-timeout></commit-configuration>",
        "<command>show arp</command>", "<lock-configuration><x/></lock-configuration>",
    ],
)  # fmt: skip
def test_a_request_that_is_not_known_is_an_error(switch: JunosSwitch, request_: str) -> None:
    assert ask(switch, request_).startswith("refused: ")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("set firewall family inet filter x term 1 from protocol nonsense", "nonsense"),
        ("set firewall family inet filter x term 1 from next-header tcp", "next-header"),
        ("set firewall family inet6 filter x term 1 from is-fragment", "is-fragment"),
        ("set firewall family inet filter x term 1 from source-address 10.0.0.1/8", "10.0.0.1/8"),
        ("set firewall family inet filter x term 1 from source-address 2001:db8::/32", "2001:db8::/32"),
        ("set firewall family inet filter x term 1 from destination-port 90-80", "90-80"),
        ("set firewall family inet filter x term 1 from prefix-list P", "prefix-list"),
        ("set firewall family inet filter x term 1 then police", "police"),
        ("set interfaces Ethernet99 unit 0 family inet filter input x", "Ethernet99"),
        ("set interfaces irb unit 120 family inet filter input-list x", "input-list"),
        ("set routing-options static route 0.0.0.0/0 discard", "routing-options"),
        ("frobnicate everything", "frobnicate"),
    ],
)
def test_a_statement_that_is_not_known_is_an_error_with_its_word(switch: JunosSwitch, text: str, word: str) -> None:
    said = ask(switch, load(text, "set", "set"))
    assert f"<bad-element>{word}</bad-element>" in said and "<load-error-count>1<" in said
    assert switch._state.changed() is False


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("firewall { family inet { filter x { term 1 { then accept } } } }", "expecting"),
        ("firewall { family inet {", "missing '}'"),
        ("inactive: firewall { }", "syntax error"),
        ("firewall { family inet { filter x { term 1 { from { tcp-flags syn; } } } } }", "invalid value 'syn'"),
        ("firewall { family inet { delete: filter nowhere; } }", "statement not found"),
    ],
)
def test_a_text_that_is_not_known_is_refused(switch: JunosSwitch, text: str, why: str) -> None:
    assert why in ask(switch, load(text))


def test_what_was_right_of_a_text_with_errors_stays_in_the_candidate(switch: JunosSwitch) -> None:
    assert "syntax error" in ask(switch, load(f"{SET}\nset bogus", "set", "set"))
    assert switch._state.changed()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("set interfaces irb unit 120 family inet filter input web", "Referenced filter 'web' is not defined"),
        ("set interfaces irb unit 120 family inet6 filter input web\nset firewall family inet6 filter web", "no terms"),
        ("delete interfaces irb unit 120 family inet address 10.1.20.1/24", "cannot be without"),
        (f"{SET}\nset firewall family inet filter web term 2 from destination-port 80", "ports of a protocol"),
        (f"{SET}\nset firewall family inet filter web term 2 from tcp-established", "TCP flags of another"),
    ],
)
def test_what_the_commit_check_or_the_hardware_refuses_changes_nothing(switch: JunosSwitch, text: str, why: str) -> None:
    first = lines(switch.running_text())
    assert "<ok/>" in ask(switch, load(text, "set", "set"))
    assert why in ask(switch, "<commit-configuration/>")
    assert lines(switch.running_text()) == first


def test_lines_and_braces_give_one_configuration_with_its_comments_and_lists(switch: JunosSwitch) -> None:
    ask(switch, load(
        f"{SET}\nset firewall family inet filter web term 1 from destination-port [ 80 443 ]\n"
        "edit firewall family inet filter web\nannotate term 1 &quot;the web&quot;\nset term 0 then discard\ntop\n"
        "set firewall family inet filter web term 1 then discard", "set", "set",
    ))  # fmt: skip
    text = "\n".join(show(switch._state.candidate))
    assert "destination-port [ 80 443 ];" in text and "/* the web */" in text
    assert text.index("term 1 {") < text.index("term 0 {")
    assert "discard;" in text and "accept;" not in text
    again = make_junos()
    ask(again, load(text, "override"))
    assert list(show(again._state.candidate)) == list(show(switch._state.candidate))
    assert not ask(switch, '<get-configuration compare="rollback" rollback="0" format="text"/>').count("edit firewall")
    ask(switch, "<commit-configuration/>")
    ask(switch, load("delete firewall family inet filter web term 1 from destination-port 80", "set", "set"))
    said = ask(switch, '<get-configuration compare="rollback" rollback="0" format="text"/>')
    assert "[edit firewall family inet filter web term 1 from]\n-    destination-port 80;" in said.replace("&gt;", ">")


@pytest.mark.parametrize(
    ("fault", "arg", "seen"),
    [
        ("refuse-commit", "no room", lambda s: "no room" in ask(s, "<commit-configuration/>")),
        ("hold-lock", "lock", lambda s: "operator" in ask(s, "<lock-configuration/>")),
        ("hold-lock", "timer", lambda s: history(s)[0][2] is True),
        ("dirty-candidate", "", lambda s: "modified" in ask(s, "<lock-configuration/>")),
        ("reject-line", "1", lambda s: "syntax error" in ask(s, load(SET, "set", "set"))),
        ("reject-line", "accept", lambda s: "syntax error" in ask(s, load(SET, "set", "set"))),
    ],
)
def test_faults_on_demand_are_met_and_cleared(
    switch: JunosSwitch, fault: str, arg: str, seen: Callable[[JunosSwitch], bool]
) -> None:
    first = list(show(switch._state.running))
    switch.fault(fault, arg)
    assert seen(switch)
    switch.fault("clear")
    assert switch.faults() == {} and switch._state.pending is None and not switch._state.owner
    assert list(show(switch._state.running)) == first


def test_a_filter_that_the_plane_ignores_and_one_that_somebody_unbinds(switch: JunosSwitch, planes: Planes) -> None:
    ask(switch, load(OLD))
    switch.fault("ignore-acl")
    ask(switch, "<commit-configuration/>")
    assert planes.given == []
    switch.fault("clear", "ignore-acl")
    assert len(planes.given) == 1
    switch.fault("unbind", "Vlan120 in")
    assert "input cfglt" not in switch.running_text() and len(planes.given) == 2


def test_after_a_restart_the_timer_is_gone_and_the_change_stays(switch: JunosSwitch) -> None:
    ask(switch, load(OLD))
    ask(switch, "<commit-configuration><confirmed/></commit-configuration>")
    switch.fault("reboot", "6")
    assert not switch.reachable
    wait_until(lambda: switch.reachable)
    assert switch._state.pending is None and reading(switch.running_text()).canonical == reading(OLD).canonical


def running(family: int, terms: str, way: str, interface: str) -> str:
    """A configuration with one filter; the terms are split at bars, conditions at commas, the last is the action."""
    word = "inet" if family == 4 else "inet6"
    made = []
    for n, one in enumerate(terms.split("|")):
        *conditions, action = [part.strip() for part in one.split(",")]
        said = "".join(f"{condition} " if condition.endswith("}") else f"{condition}; " for condition in conditions)
        inside = f"from {{ {said}}}" if conditions else ""
        made.append(f"term {n} {{ {inside} then {{ {action}; }} }}")
    port, unit = ("irb", interface[4:])
    return (
        f"firewall {{ family {word} {{ filter x {{ {' '.join(made)} }} }} }}\n"
        f"interfaces {{ {port} {{ unit {unit} {{ family {word} {{ filter {{ {way} x; }} }} }} }} }}\n"
        f"routing-instances {{ trading {{ interface irb.{unit}; }} }}\n"
    )


CASES: list[tuple[str, P, bool]] = [
    ("protocol tcp, destination-port 22, accept", P(6, A, B, 5000, 22), True),
    ("protocol tcp, destination-port 22, accept", P(17, A, B, 5000, 22), False),
    ("protocol tcp, destination-port ssh, accept", P(6, A, B, 5000, 22), True),
    ("protocol [ tcp udp ], destination-port [ 22 80-90 ], accept", P(17, A, B, 5000, 85), True),
    ("protocol tcp, source-port 80, accept", P(6, A, B, 80, 22), True),
    ("protocol tcp, tcp-established, accept", P(6, A, B, 1, 2, SYN), False),
    ("protocol tcp, tcp-established, accept", P(6, A, B, 1, 2, SYN | ACK), True),
    ("source-address { 10.1.10.0/24; }, accept", P(17, A, B), True),
    ("source-address { 10.1.11.0/24; 10.1.10.0/24; }, accept", P(17, A, B), True),
    ("destination-address { 10.1.11.0/24; }, accept", P(17, A, B), False),
    ("destination-address 10.1.20.0/24, accept", P(17, A, B), True),
    ("protocol icmp, icmp-type echo-request, accept", P(1, A, B, dport=ECHO), True),
    ("protocol icmp, icmp-type 3, icmp-code 4, accept", P(1, A, B, dport=3 << 8 | 4), True),
    ("protocol icmp, icmp-type 3, icmp-code 4, accept", P(1, A, B, dport=3 << 8 | 3), False),
    ("protocol udp, discard | accept", P(6, A, B, 1, 2), True),
    ("protocol udp, discard | accept", P(17, A, B, 1, 2), False),
    ("protocol udp, reject | accept", P(17, A, B, 1, 2), False),
    ("count c", P(17, A, B, 1, 2), True),
    ("is-fragment, discard | accept", P(17, A, B, 22, 22, offset=4), False),
    ("is-fragment, discard | accept", P(17, A, B, 22, 22, more=True), True),
    ("is-fragment, accept", P(17, A, B, 22, 22, offset=4), True),
    ("next-header tcp, destination-port 22, accept", P(6, A6, B6, 5000, 22), True),
    ("next-header tcp, destination-port 22, accept", P(6, A6, B6, 5000, 23), False),
    ("next-header icmp6, icmp-type echo-request, accept", P(58, A6, B6, dport=ECHO6), True),
    ("source-address { 2001:db8:1:10::/64; }, accept", P(17, A6, B6), True),
    # Of IPv6 the first next header is compared: a fragment is none of tcp or udp, be it the first or a later one.
    ("next-header udp, accept", P(17, A6, B6, 22, 22, more=True), False),
    ("next-header udp, accept", P(17, A6, B6, 22, 22, offset=4), False),
    ("next-header fragment, discard | accept", P(17, A6, B6, 22, 22, more=True), False),
    ("next-header fragment, discard | accept", P(17, A6, B6, 22, 22, offset=4), False),
    ("next-header fragment, discard | accept", P(17, A6, B6, 22, 22), True),
]  # fmt: skip


@needs_namespaces
@pytest.mark.parametrize(("way", "interface"), [("input", "Vlan110"), ("output", "Vlan120")])
def test_terms_decide_as_the_vendor_documents_them(way: str, interface: str) -> None:
    lists: dict[tuple[str, int], list[tuple[P, list[str]]]] = {}
    for terms, packet, passes in CASES if way == "input" else CASES[::9]:
        lists.setdefault((terms, packet.family), []).append((packet, ["Vlan120"] if passes else []))
    rounds = []
    for (terms, family), packets in lists.items():
        given: list[str] = []
        enforcer = Enforcer("leaf1", ["trading"], lambda _, text, given=given: given.append(text), parser.read)  # type: ignore[misc]
        enforcer.program(running(family, terms, way, interface))
        rounds.append((given, packets))
    assert [(list(lists)[n], packet, out) for n, packet, out in wrong(rounds)] == []


@pytest.mark.parametrize(
    "terms",
    [
        "source-address { 10.0.0.0/8 except; }, accept", "prefix-list P, accept", "destination-port 22, accept",
        "protocol udp, tcp-established, accept", "protocol tcp, icmp-type 8, accept", "protocol tcp, tcp-flags syn, accept",
        "protocol bogus, accept", "protocol tcp, destination-port 90-80, accept", "accept now",
        "protocol icmp, icmp-code 3, accept", "source-address 2001:db8::/32, accept", "protocol 300, accept",
    ],
)  # fmt: skip
def test_a_filtering_statement_that_is_not_known_is_never_passed_over(terms: str) -> None:
    with pytest.raises(Unreadable):
        parser.read(running(4, terms, "input", "Vlan110"))


@pytest.mark.parametrize(
    "change",
    [
        ("input x;", "input-list [ x y ];"), ("family inet {", "family bridge {"), ("filter x {", "simple-filter x {"),
        ("unit 110 {", "unit-range 1-9 {"), ("interface irb.110;", "forwarding-options { family inet { filter { input x; } } }"),
    ],
)  # fmt: skip
def test_a_binding_of_a_form_that_is_not_known_is_an_error(change: tuple[str, str]) -> None:
    with pytest.raises(Unreadable):
        parser.read(running(4, "accept", "input", "Vlan110").replace(*change))

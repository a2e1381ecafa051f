"""Laws of what exists: a running configuration's lists are read whole or refused with their line, and our words for them,
and another platform's, mean what was read."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from configlet import readers
from configlet.model.gate import Reading
from configlet.model.problem import Refused
from configlet.model.running import Found, Running
from configlet.pipeline import imported
from tests.cli_run import configlet
from tests.policies import ALL, Case, cases, text_of

FOREIGN = Path(__file__).parents[1] / "foreign"
POLICIES = int(os.environ.get("CONFIGLET_POLICIES", "2"))
QUIET = settings(
    max_examples=POLICIES, deadline=None, database=None, suppress_health_check=list(HealthCheck), phases=(Phase.generate,)
)
TODAY = date(2026, 11, 28)
SEEN: dict[str, tuple[set[str], dict[str, int]]] = {
    "aoscx.txt": ({"MGMT"}, {"GROUPED": 9}),
    "eos-traffic-policy.txt": ({"BLUE"}, {"STEERED": 43}),
    "eos.txt": ({"SNMP", "EDGE", "EDGE6"}, {"TTL": 24}),
    "ios-show.txt": ({"BRANCH", "23"}, {}),
    "ios.txt": ({"OUTSIDE-IN", "10"}, {"110": 34}),
    "iptables.txt": ({"FORWARD eth0", "FORWARD others", "OUTPUT"}, {"INPUT": 14}),
    "iosxr.txt": ({"EDGE-IN"}, {"STEERED": 16}),
    "junos-braces.txt": ({"PROTECT"}, {}),
    "junos.txt": ({"CUSTOMER"}, {"LEGACY": 16}),
    "nvue-tree.yaml": ({"ACL1"}, {}),
    "nvue.txt": ({"EXAMPLE1"}, {}),
    "nxos.txt": ({"100", "WEB"}, {"PRECEDENCE": 17}),
    "os10.txt": ({"WEB"}, {"FLAGS": 10}),
    "sonic.json": ({"DATAACL"}, {"EVERFLOW": 6, "SNMP_ACL": 7}),
    "srlinux-braces.txt": ({"block-web"}, {}),
    "srlinux.txt": ({"edge"}, {}),
    "sros.txt": ({"EDGE"}, {"POLICED": 14}),
    "vyos-braces.txt": ({"OUTSIDE-IN", "STATEFUL"}, {}),
    "vyos.txt": ({"LAN-IN", "OK"}, {}),
}
"""What is read of each configuration, and what is refused at which line."""
FOUND = [(file, name) for file, (names, _) in SEEN.items() for name in sorted(names)]
LISTS = sorted(name for name, known in ALL.items() if "acl" in known.kinds)


def platform(file: str) -> str:
    """What a configuration is written for."""
    return max((name for name in ALL if file.startswith(name)), key=len)


def running(file: str, text: str | None = None) -> Running:
    """What a configuration says, or what a changed text of it says."""
    text = (FOREIGN / file).read_text(encoding="utf-8") if text is None else text
    return readers.running(ALL[platform(file)], "acl", text, file)


def test_every_configuration_here_is_judged() -> None:
    assert {path.name for path in FOREIGN.iterdir()} == set(SEEN)


@pytest.mark.parametrize("file", SEEN)
def test_each_list_is_read_whole_or_refused_with_its_line(file: str) -> None:
    said, (names, refused) = running(file), SEEN[file]
    assert {one.name for one in said.found} == names
    assert {one.name: one.problem.place.line for one in said.unread if one.problem.place} == refused
    assert 0 < said.read <= said.total


@pytest.mark.parametrize(("file", "name"), FOUND)
def test_a_list_with_a_word_that_is_not_known_is_never_half_read(file: str, name: str) -> None:
    """Each line of a list in turn gets a word too many: that list is refused, and never read without the line."""
    lines = (FOREIGN / file).read_text(encoding="utf-8").split("\n")
    numbers = {line.number for found in running(file).found if found.name == name for line in found.lines}
    for number in sorted(numbers & set(range(1, len(lines) + 1))):
        mutant = list(lines)
        mutant[number - 1] = re.sub(r"([\w'\"/.*-]+)(\W*)$", r"\1 qqq\2", mutant[number - 1], count=1)
        if mutant == lines or platform(file) in ("sonic", "nvue", "srlinux", "vyos", "sros", "junos", "eos-traffic-policy"):
            continue  # of trees a line of the text is where an entry begins; see the next law
        said = running(file, "\n".join(mutant))
        assert name not in {one.name for one in said.found}, mutant[number - 1]
        assert any(one.problem.place and one.problem.place.line == number for one in said.unread), mutant[number - 1]


TREES = [file for file in SEEN if platform(file) in ("nvue", "srlinux", "vyos", "sros", "junos", "sonic", "eos-traffic-policy")]


@pytest.mark.parametrize("file", TREES)
def test_a_tree_with_a_leaf_that_is_not_known_is_never_half_read(file: str) -> None:
    """Each word in turn becomes one that nobody knows: a list is refused, or it says what it said, and nothing else."""
    text = (FOREIGN / file).read_text(encoding="utf-8")
    before = {(one.name, one.family): meaning(one) for one in running(file).found}
    refused = 0
    for found in re.finditer(r"(?<![\w$./:-])[A-Za-z_][A-Za-z_-]+(?![\w$./:-])", text):
        if text[: found.end()].endswith(PART) or found[0] in NAMES | SEEN[file][0]:
            continue
        mutant = f"{text[: found.start()]}qqq{text[found.end() :]}"
        try:
            after = {(one.name, one.family): meaning(one) for one in running(file, mutant).found}
        except Refused:
            refused += 1
            continue
        line = text.count("\n", 0, found.start()) + 1
        for key, value in before.items():
            assert after.get(key, value) == value, f"{file}:{line} {found[0]}"
        refused += before.keys() != after.keys()
    assert refused >= 3


PART = ("inactive", "deactivate", "log", "count", "description")
"""Words of which what stands behind them means nothing, or which switch off what they stand before."""
NAMES = {"firewall", "acl", "filter", "ACL_RULE", "ACL_TABLE", "MGMT", "ADMINS", "LANS", "spoofed", "web", "off", "ping"}
"""Words without which a line speaks of another thing altogether, and names of groups and terms."""


def meaning(found: Found) -> list[tuple[bool, tuple[tuple[int, int], ...]]]:
    """A list's entries in order."""
    return [(line.permit, line.box) for line in found.lines]


@pytest.mark.parametrize("file", SEEN)
def test_our_words_for_a_list_mean_what_was_read(file: str) -> None:
    said = running(file)
    for name in SEEN[file][0]:
        made = imported.made("site", [one for one in said.found if one.name == name], said, TODAY)
        assert {proof.verdict for proof in made.proofs} == {"PROVED"}, made.files["policy.yaml"]
        assert made.rules > 0


@pytest.mark.parametrize("file", SEEN)
def test_another_platforms_words_for_a_list_mean_its_whole_packets(file: str) -> None:
    for found in (one for one in running(file).found if not one.stateful):
        for target in ("eos", "iosxr") if POLICIES < 10 else LISTS:
            bind = ("Ethernet4", "in") if target == "sonic" else ("Vlan7", "in")
            try:
                text, proof = imported.translated(None, found, target, bind)
            except Refused as refused:
                assert target not in ("eos", "iosxr", "ios", "nxos"), refused
                continue
            assert proof.verdict == "PROVED", text


CHAINS = ("frr-linux", "iptables")
"""Whose lists are walked from the hook, so that what a list returns is cut out of it; and -m frag of IPv6 is refused."""


def same_chains(said: Running, strict: Reading) -> None:
    assert all("-m frag" in one.problem.detail for one in said.unread)
    bound = [one for one in said.found if one.bound]
    assert len(bound) + len(said.unread) >= len(strict.lists)
    for one in bound:
        wanted = replace(one, lines=strict.lists[(*one.bound[0], one.family)])
        assert imported.against(wanted, one, whole=False).verdict == "PROVED"


@pytest.mark.parametrize("name", LISTS)
def test_what_we_render_is_read_the_same_as_a_foreign_configuration(name: str) -> None:
    known = ALL[name]

    @QUIET
    @seed(20261128)
    @given(cases())
    def law(case: Case) -> None:
        try:
            artifact = text_of(case, known, "acl")
        except Refused:
            return
        strict = readers.read(known, "acl", artifact.text, "strict")
        said = readers.running(known, "acl", artifact.text, "running")
        if name in CHAINS:
            same_chains(said, strict)
            return
        assert not said.unread and said.read <= said.total
        lists = {(bind, one.family): meaning(one) for one in said.found for bind in one.bound}
        assert lists == {((b, d), f): [(line.permit, line.box) for line in lines] for (b, d, f), lines in strict.lists.items()}
        assert not any(one.unknown for one in said.found)

    law()


@pytest.mark.parametrize("name", ["ios", "junos", "eos"])
def test_a_random_list_becomes_rules_that_are_proven(name: str) -> None:
    @QUIET
    @seed(20261129)
    @given(cases())
    def law(case: Case) -> None:
        try:
            artifact = text_of(case, ALL[name], "acl")
        except Refused:
            return
        said = readers.running(ALL[name], "acl", artifact.text, "running")
        for found in said.found:
            try:
                made = imported.made("site", [found], said, TODAY)
            except Refused as refused:
                assert "answers only" in str(refused)
                continue
            assert {proof.verdict for proof in made.proofs} == {"PROVED"}, artifact.text

    law()


def test_a_list_that_another_platform_writes_otherwise_is_refuted_with_both_lines() -> None:
    one = next(found for found in running("ios.txt").found if found.name == "OUTSIDE-IN")
    text, _ = imported.translated(None, one, "eos", ("Ethernet1", "in"))
    same = readers.running(ALL["eos"], "acl", text, "eos.cfg").found[0]
    assert imported.against(one, same, whole=True).verdict == "PROVED"
    assert imported.against(one, same, whole=False).verdict == "UNKNOWN"
    wrong = readers.running(ALL["eos"], "acl", text.replace("eq 443", "eq 444", 1), "eos.cfg").found[0]
    proof = imported.against(one, wrong, whole=True)
    assert proof.verdict == "REFUTED"
    assert {witness.kind for witness in proof.witnesses} == {"too open", "too tight"}
    assert "eos.cfg:" in proof.witnesses[0].line and "ios.txt:" in proof.witnesses[0].rule


def test_what_a_list_leaves_to_the_device_is_told_and_never_called_the_same() -> None:
    """The end of an IPv6 list that may pass neighbour discovery: one that denies it would cut the link."""
    open_end = "ipv6 access-list OPEN\n permit tcp any any eq 80\n"
    for text, verdict in ((open_end, "UNKNOWN"), (f"{open_end} deny ipv6 any any\n", "PROVED")):
        said = readers.running(ALL["ios"], "acl", text, "edge.cfg")
        (found,) = said.found
        _, proof = imported.translated(None, found, "eos", ("Ethernet1", "in"))
        made = imported.made("edge", [found], said, TODAY)
        doubt = "neighbour discovery at the end of this list is not known"
        assert (proof.verdict, doubt in proof.reason) == (verdict, verdict == "UNKNOWN")
        assert (any(doubt in line for line in made.unknown), doubt in made.files["policy.yaml"]) == (verdict == "UNKNOWN",) * 2


def test_lists_whose_names_differ_in_case_alone_become_two_sites(tmp_path: Path) -> None:
    text = "".join(f"ip access-list extended {name}\n permit tcp any any eq {port}\n" for name, port in (("In", 1), ("IN", 2)))
    (tmp_path / "edge.cfg").write_text(text)
    (tmp_path / "inventory").mkdir()
    words = ("import", "acl", str(tmp_path / "edge.cfg"), "--platform", "ios", "--site", "edge", "--workspace", str(tmp_path))
    assert configlet(*words).returncode == 0
    written = {folder.name: (folder / "policy.yaml").read_text() for folder in (tmp_path / "inventory").iterdir()}
    assert {name: "eq 2" in policy for name, policy in written.items()} == {"edge-in": False, "edge-in-2": True}


FILTER = "set firewall family inet filter F term "
OFF = (
    (f"{FILTER}1 then discard\ndeactivate firewall family inet filter F term 1 then\n{FILTER}2 then discard\n", [True, False]),
    (f"{FILTER}1 then accept\n{FILTER}2 then discard\ndeactivate firewall family inet filter F term 1\n", [False]),
    ("firewall { family inet { filter F { term 1 { from { inactive: ttl 1; } } term 2 { then discard; } } } }", [True, False]),
    ("firewall { family inet { filter F { term 1 { inactive: then { discard; } } term 2 { then discard; } } } }", [True, False]),
    ("firewall { family inet { filter F { inactive: term 1 { then accept; } } } }", None),
)


@pytest.mark.parametrize(("text", "permits"), OFF)
def test_a_term_whose_parts_are_switched_off_stands_and_passes_all(text: str, permits: list[bool] | None) -> None:
    said = readers.running(ALL["junos"], "acl", text, "edge.conf")
    assert [[line.permit for line in one.lines] for one in said.found] == ([permits] if permits else [])
    assert [one.name for one in said.unread] == ([] if permits else ["F"])
    assert all(line.box[0] == (0, 255) for one in said.found for line in one.lines)


@pytest.mark.parametrize(("end", "read"), [("default-action 'drop'", False), ("default-action 'accept'", True)])
def test_a_return_is_no_permit_where_what_stands_behind_the_jump_drops(end: str, read: bool) -> None:
    text = f"set firewall ipv4 forward filter {end}\n" + "".join(
        f"set firewall ipv4 {line}\n"
        for line in (
            "forward filter rule 10 action 'jump'",
            "forward filter rule 10 jump-target 'A'",
            "forward filter rule 10 inbound-interface name 'eth1'",
            "name A default-action 'return'",
            "name A rule 10 action 'drop'",
            "name A rule 10 source address '10.0.0.0/8'",
        )
    )
    said = readers.running(ALL["vyos"], "acl", text, "edge.conf")
    assert [one.name for one in said.found] == (["A"] if read else [])
    assert [one.problem.place.line for one in said.unread if one.problem.place] == ([] if read else [1])


def test_filters_in_braces_are_read_where_the_device_prints_its_whole_tree() -> None:
    text = 'configure {\n filter {\n  ip-filter "A" {\n   entry 10 {\n    action {\n     accept\n    }\n   }\n  }\n }\n}\n'
    (found,) = readers.running(ALL["sros"], "acl", text, "edge.cfg").found
    assert [(line.permit, line.number) for line in found.lines] == [(True, 6)]


@pytest.mark.parametrize(("policy", "read"), [("accept", True), ("drop", False)])
def test_answers_that_pass_before_any_list_is_asked_make_each_list_remember(policy: str, read: bool) -> None:
    text = "set firewall global-options state-policy established action '{}'\nset firewall ipv4 name A rule 10 action '{}'\n"
    said = readers.running(ALL["vyos"], "acl", text.format(policy, "accept"), "edge.conf")
    assert [[line.permit for line in one.later] for one in said.found] == ([[True]] if read else [])
    assert [one.problem.place.line for one in said.unread if one.problem.place] == ([] if read else [1])
    if read:
        with pytest.raises(Refused, match="remembers connections"):
            imported.translated(None, said.found[0], "eos", ("Ethernet1", "in"))

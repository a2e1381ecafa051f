"""Laws of the proof: only what is read whole and equal is PROVED, and every refutation has its packet."""

from __future__ import annotations

from dataclasses import replace

import pytest

from configlet.model.gate import Artifact, Capability, Direction, Gate, Law, Line, Proof, Reading, Table
from configlet.model.net import Addresses, Family, Span
from configlet.model.policy import Box, Entry, Rule
from configlet.model.problem import Place
from configlet.packets.boxes import full
from configlet.packets.reply import reply_list
from configlet.prove import prove, show

NOBODY = Addresses()
ANY_PORT: Span = (0, 65535)
CLIENTS: Span = (0xC6336400, 0xC63364FF)
SERVER: Span = (0xC000020B, 0xC000020B)
ACL_KEY = ("Vlan120", "in", 4)
FILE = "leaf1.eos.acl"


def rule(name: str, line: int, *, allow: bool = True) -> Rule:
    place = Place("policy.yaml", line, 3)
    return Rule(name, "policy", "allow" if allow else "deny", NOBODY, NOBODY, (), False, place)


ORDERS = rule("clients place orders", 12)
NEVER = rule("no desk reaches the engine", 31, allow=False)


def tcp(low: int, high: int) -> Box:
    return ((6, 6), SERVER, CLIENTS, (low, high), ANY_PORT, (0, 1), (0, 0))


LAW = Law(4, ((Entry(False, tcp(9010, 9016), NEVER), Entry(True, tcp(9001, 9016), ORDERS)), ()))


def capability(*, stateful: bool) -> Capability:
    return Capability((), True, stateful, (4, 6), (), 1000, True, "atomic", "operator")


def acl(direction: Direction = "in", family: Family = 4, law: Law = LAW) -> Table:
    name = f"leaf1/Vlan120/{direction}/v{family}"
    gate = Gate(name, "leaf1", "eos", "acl", "Vlan120", direction, (family,), "trading", ("clients",),
                capability(stateful=False))  # fmt: skip
    return Table(gate, "trading", family, law, law.lists[0])


def host(law: Law = LAW) -> Table:
    gate = Gate("me1/nftables", "me1", "nftables", "filter-table", "inet configlet", "both", (4, 6), "", ("matching",),
                capability(stateful=True))  # fmt: skip
    return Table(gate, "", law.family, law, law.lists[0])


def artifact(*tables: Table) -> Artifact:
    return Artifact("leaf1", "eos", "acl", "", tables, FILE)


def line(number: int, permit: bool, box: Box) -> Line:
    return Line(permit, box, number, f"   {number}0 {'permit' if permit else 'deny'} as read")


GOOD = (line(3, False, tcp(9010, 9016)), line(4, True, tcp(9001, 9016)), line(5, False, full(4)))


def reading(lists: dict[tuple[str, str, int], tuple[Line, ...]], *, stateful: bool = False) -> Reading:
    return Reading(lists, 6, 6, stateful)


def only(proofs: tuple[Proof, ...]) -> Proof:
    (proof,) = proofs
    return proof


def test_a_list_that_passes_exactly_the_law_is_proved() -> None:
    proof = only(prove(artifact(acl()), reading({ACL_KEY: GOOD})))
    assert (proof.gate, proof.verdict, proof.read, proof.total) == ("leaf1/Vlan120/in/v4", "PROVED", 6, 6)
    other = (line(3, True, tcp(9001, 9005)), line(4, True, tcp(9006, 9009)))
    assert only(prove(artifact(acl()), reading({ACL_KEY: other}))).verdict == "PROVED"


def test_a_lost_deny_is_too_open_with_the_line_that_passes_and_the_rule_that_denies() -> None:
    proof = only(prove(artifact(acl()), reading({ACL_KEY: GOOD[1:]})))
    assert proof.verdict == "REFUTED"
    (witness,) = proof.witnesses
    assert witness.kind == "too open"
    assert witness.packet == "tcp 198.51.100.1:49152 -> 192.0.2.11:9010, new connection"
    assert witness.line == "leaf1.eos.acl:4  40 permit as read"
    assert witness.rule == 'policy.yaml:31:3 "no desk reaches the engine"'
    assert witness.all_of == "198.51.100.0/24 -> 192.0.2.11, tcp 9010-9016"


def test_a_lost_permit_is_too_tight_and_no_line_is_the_implicit_deny() -> None:
    (witness,) = only(prove(artifact(acl()), reading({ACL_KEY: ()}))).witnesses
    assert (witness.kind, witness.line) == ("too tight", "no line matches, implicit deny")
    assert witness.rule == 'policy.yaml:12:3 "clients place orders"'


def test_too_open_is_said_before_too_tight() -> None:
    proof = only(prove(artifact(acl()), reading({ACL_KEY: (line(3, True, tcp(9010, 9020)),)})))
    assert [witness.kind for witness in proof.witnesses] == ["too open", "too tight"]


def test_a_gate_without_a_list_passes_everything_and_is_refuted() -> None:
    proof = only(prove(artifact(acl()), reading({})))
    assert proof.verdict == "REFUTED"
    assert [w.kind for w in proof.witnesses] == ["too open"]
    assert proof.witnesses[0].line == "no list for Vlan120 in IPv4, so that everything passes"
    assert proof.witnesses[0].rule == "no rule, default deny"


def test_a_gate_without_a_list_is_not_proved_even_when_its_law_passes_everything() -> None:
    law = Law(4, ((Entry(True, full(4), ORDERS),),))
    assert only(prove(artifact(acl(law=law)), reading({}))).verdict == "UNKNOWN"


@pytest.mark.parametrize("key", [("Vlan120", "out", 4), ("Vlan121", "in", 4), ("Vlan120", "in", 6)])
def test_a_list_at_another_place_does_not_count_and_is_itself_unknown(key: tuple[str, str, int]) -> None:
    ours, theirs = prove(artifact(acl()), reading({key: GOOD}))
    assert (ours.verdict, theirs.verdict) == ("REFUTED", "UNKNOWN")
    assert theirs.gate == f"leaf1/{key[0]}/{key[1]}/v{key[2]}"


def test_a_text_that_was_not_read_whole_is_unknown_however_good_it_looks() -> None:
    proof = only(prove(artifact(acl()), Reading({ACL_KEY: GOOD}, 5, 6)))
    assert proof.verdict == "UNKNOWN"
    assert "5 of 6 lines" in proof.reason


def test_memory_of_connections_must_be_the_gates_own() -> None:
    lists = {(hook, "both", 4): GOOD for hook in ("input", "forward", "output")}
    assert only(prove(artifact(acl()), reading({ACL_KEY: GOOD}, stateful=True))).verdict == "UNKNOWN"
    assert only(prove(artifact(host()), reading(lists, stateful=False))).verdict == "UNKNOWN"
    assert only(prove(artifact(host()), reading(lists, stateful=True))).verdict == "PROVED"


@pytest.mark.parametrize("hook", ["input", "forward", "output"])
def test_a_host_judges_in_all_three_hooks(hook: str) -> None:
    lists = {(each, "both", 4): GOOD for each in ("input", "forward", "output")}
    missing = {key: lines for key, lines in lists.items() if key[0] != hook}
    weak = lists | {(hook, "both", 4): GOOD[1:]}
    for broken in (missing, weak):
        proof = only(prove(artifact(host()), reading(broken, stateful=True)))
        assert (proof.gate, proof.verdict) == ("me1/nftables/v4", "REFUTED")
        assert proof.witnesses[0].kind == "too open"


def test_a_family_that_nobody_asked_for_is_unknown() -> None:
    lists = {(hook, "both", f): GOOD if f == 4 else () for hook in ("input", "forward", "output") for f in (4, 6)}
    verdicts = [proof.verdict for proof in prove(artifact(host()), reading(lists, stateful=True))]
    assert verdicts == ["PROVED", "UNKNOWN", "UNKNOWN", "UNKNOWN"]


def test_two_laws_for_one_list_are_unknown_unless_they_are_the_same() -> None:
    other = replace(LAW, lists=(LAW.lists[0][1:],))
    same = prove(artifact(acl(), acl()), reading({ACL_KEY: GOOD}))
    assert [proof.verdict for proof in same] == ["PROVED", "PROVED"]
    both = prove(artifact(acl(), acl(law=other)), reading({ACL_KEY: GOOD}))
    assert [proof.verdict for proof in both] == ["PROVED", "UNKNOWN"]


def test_nothing_to_prove_is_not_a_proof() -> None:
    assert only(prove(artifact(), reading({}))).verdict == "UNKNOWN"


def test_a_stateless_law_passes_replies_with_ack_or_rst_and_names_them_as_replies() -> None:
    back: Law = Law(4, ((), reply_list(LAW.lists[0], 4)))
    reply: Box = ((6, 6), CLIENTS, SERVER, ANY_PORT, (9001, 9009), (1, 1), (0, 0))
    lists = {ACL_KEY: (line(3, True, reply),)}
    assert only(prove(artifact(acl(law=back)), reading(lists))).verdict == "PROVED"
    careless = {ACL_KEY: (line(3, True, (*reply[:5], (0, 1), (0, 0))),)}
    proof = only(prove(artifact(acl(law=back)), reading(careless)))
    assert proof.witnesses[0].packet == "tcp 192.0.2.11:9001 -> 198.51.100.1:49152, new connection"
    (witness,) = only(prove(artifact(acl(law=back)), reading({ACL_KEY: ()}))).witnesses
    assert witness.rule == 'policy.yaml:12:3 replies of "clients place orders"'


def test_a_proof_is_shown_with_its_lines_one_packet_one_line_and_one_rule() -> None:
    refuted = show(only(prove(artifact(acl()), reading({ACL_KEY: GOOD[1:]}))))
    assert refuted.splitlines() == [
        "leaf1/Vlan120/in/v4                  REFUTED  lines read 6 of 6",
        "",
        "  TOO OPEN    tcp 198.51.100.1:49152 -> 192.0.2.11:9010, new connection",
        "      passes   leaf1.eos.acl:4  40 permit as read",
        '      policy   policy.yaml:31:3 "no desk reaches the engine" denies it',
        "      all of   198.51.100.0/24 -> 192.0.2.11, tcp 9010-9016",
    ]
    unknown = show(only(prove(artifact(acl()), Reading({}, 1311, 1312))))
    assert unknown.splitlines()[0].endswith("UNKNOWN  lines read 1,311 of 1,312")
    assert "1,311 of 1,312" in unknown.splitlines()[1]

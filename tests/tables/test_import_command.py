"""`import acl` and `prove --file` as people use them: what is written, said and refused, and with which exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from configlet.model.problem import Refused
from configlet.pipeline import imported
from tests.cli_run import ROOT, configlet

FOREIGN = ROOT / "tests" / "foreign"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of its own."""
    root = tmp_path_factory.mktemp("import") / "workspace"
    assert configlet("init", str(root), cwd=ROOT).returncode == 0
    return root


def test_one_list_becomes_a_site_and_the_analysis_works_on_it_at_once(workspace: Path) -> None:
    words = ("import", "acl", str(FOREIGN / "ios.txt"), "--platform", "ios", "--list", "OUTSIDE-IN", "--site", "edge")
    made = configlet(*words, cwd=workspace)
    assert made.returncode == 0 and "PROVED" in made.stderr and made.stdout == ""
    text = (workspace / "inventory" / "edge" / "policy.yaml").read_text()
    assert '- name: "anti-spoofing"' in text and "to: [web-servers]" in text and "service: [http, https]" in text
    assert "log: true" in text and "lines 17 to 19" in text and "line 21: permit tcp any any established" in text
    analysed = configlet("analyse", "edge", cwd=workspace)
    assert analysed.returncode == 0 and "fully-shadowed" not in analysed.stdout
    asked = configlet("query", "edge", "--from", "any", "--to", "web-servers", cwd=workspace)
    assert asked.returncode == 0 and "https" in asked.stdout
    again = configlet(*words, cwd=workspace)
    assert again.returncode == 65 and "overwrites nothing" in again.stderr


def test_of_several_lists_each_is_a_site_and_a_refused_one_is_named_with_its_line(workspace: Path) -> None:
    ended = configlet("import", "acl", str(FOREIGN / "eos.txt"), "--platform", "eos", "--site", "leaf", cwd=workspace)
    assert ended.returncode == 65 and "eos.txt:24:25" in ended.stderr and '"ttl"' in ended.stderr
    assert {path.name for path in (workspace / "inventory").glob("leaf-*")} == {"leaf-snmp", "leaf-edge", "leaf-edge6"}
    assert configlet("analyse", "leaf-edge6", cwd=workspace).returncode == 0


def test_without_a_site_nothing_is_written_and_json_has_it_all(workspace: Path) -> None:
    before = sorted(workspace.rglob("*.yaml"))
    ended = configlet("import", "acl", str(FOREIGN / "junos.txt"), "--platform", "junos", "--json", cwd=workspace)
    said = json.loads(ended.stdout)
    assert ended.returncode == 65 and said["status"] == 65 and sorted(workspace.rglob("*.yaml")) == before
    assert [one["name"] for one in said["lists"]] == ["CUSTOMER"] and "policy.yaml" in said["lists"][0]["files"]
    assert said["problems"][0]["place"][1] == 16


def test_another_platforms_text_goes_to_stdout_and_is_proven(workspace: Path) -> None:
    words = ("import", "acl", str(FOREIGN / "junos-braces.txt"), "--platform", "junos", "--to", "ios", "--bind", "Vlan7/in")
    ended = configlet(*words, cwd=workspace)
    assert ended.returncode == 0 and "PROVED" in ended.stderr
    assert " remark ssh\n" in ended.stdout and "ip access-group cfglt-Vlan7-in-v4 in" in ended.stdout
    (workspace / "new.cfg").write_text(ended.stdout)
    pair = ("prove", "--file", str(FOREIGN / "junos-braces.txt"), "--platform", "junos", "--list", "PROTECT",
            "--file", "new.cfg", "--platform", "ios", "--list", "cfglt-Vlan7-in-v4")  # fmt: skip
    assert configlet(*pair, cwd=workspace).returncode == 3
    whole = configlet(*pair, "--whole-packets", cwd=workspace)
    assert whole.returncode == 0 and "1 of 1 PROVED" in whole.stdout
    (workspace / "new.cfg").write_text(ended.stdout.replace("eq 8022", "eq 8023"))
    wrong = configlet(*pair, "--whole-packets", cwd=workspace)
    assert wrong.returncode == 3 and "TOO OPEN" in wrong.stdout and "new.cfg:" in wrong.stdout


def test_a_list_of_a_whole_configuration_is_held_against_a_gates_law(workspace: Path) -> None:
    out = workspace / "out"
    assert configlet("render", "dc1", "--out", str(out), cwd=workspace).returncode == 0
    text = (out / "leaf1.eos.acl").read_text()
    whole = workspace / "running.cfg"
    whole.write_text(f"hostname leaf1\n!\nrouter bgp 65000\n   router-id 10.0.0.1\n!\n{text}")
    gate = next(line.split()[0] for line in configlet("prove", "dc1", cwd=workspace).stdout.splitlines() if "leaf1/" in line)
    words = ("prove", "dc1", "--file", str(whole), "--platform", "eos", "--gate", gate)
    assert configlet(*words, cwd=workspace).returncode == 0
    binding, direction, family = gate.split("/")[1:]
    name = f"cfglt-{binding}-{direction}-{family}"
    assert configlet(*words, "--list", name, cwd=workspace).returncode == 0
    assert configlet(*words, "--list", "NOWHERE", cwd=workspace).returncode == 65


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("import", "acl", "FILE", "--platform", "eas"), 65, "Unknown platform"),
        (("import", "acl", "FILE", "--platform", "ios", "--list", "NONE"), 65, "Unknown list"),
        (("import", "acl", "FILE", "--platform", "ios", "--site", "a", "--to", "eos"), 64, "name one of them"),
        (("import", "acl", "FILE", "--platform", "ios", "--to", "eos", "--bind", "x"), 64, "INTERFACE/in"),
        (("prove", "dc1", "--file", "FILE", "--platform", "nftables", "--gate", "leaf1/Vlan120/in/v4"), 65, "outside of"),
        (("prove", "--file", "FILE", "--platform", "ios"), 64, "Name a site"),
        (("prove", "--file", "FILE", "--platform", "ios", "--file", "FILE", "--list", "110"), 65, "time-range"),
    ],
)
def test_what_cannot_be_meant_is_refused(workspace: Path, words: tuple[str, ...], status: int, said: str) -> None:
    ended = configlet(*(str(FOREIGN / "ios.txt") if word == "FILE" else word for word in words), cwd=workspace)
    assert ended.returncode == status and said in ended.stderr


def test_bytes_that_are_no_text_are_refused(workspace: Path) -> None:
    (workspace / "binary").write_bytes(b"ip access-list extended A\n permit ip any any \xff\n")
    ended = configlet("import", "acl", "binary", "--platform", "ios", cwd=workspace)
    assert ended.returncode == 65 and "binary:2:20: Not a text" in ended.stderr and "iconv" in ended.stderr
    ended = configlet("prove", "--file", "binary", "--platform", "ios", "--file", "binary", cwd=workspace)
    assert ended.returncode == 65 and "binary:2:20: Not a text" in ended.stderr


@pytest.mark.parametrize("platform", ["ios", "eos", "nvue", "junos"])
def test_a_carriage_return_ends_no_line_as_devices_end_none_there(tmp_path: Path, platform: str) -> None:
    """Else what stands behind one in a remark would be a line that the device never heard of."""
    hidden = {
        "ios": "ip access-list extended A\n remark x|deny ip any any\n permit tcp any any eq 22\n",
        "eos": "ip access-list A\n   10 remark x|20 deny ip any any\n   30 permit tcp any any eq 22\n",
        "nvue": "# x|nv set acl A rule 1 action deny\nnv set acl A type ipv4\nnv set acl A rule 2 action permit\n",
        "junos": "firewall {\n    family inet {\n        filter A {\n            /* x|*/ term a { then discard; }\n"
        "            term b {\n                then accept;\n            }\n        }\n    }\n}\n",
    }[platform]
    file = tmp_path / "running.txt"
    file.write_bytes(hidden.replace("|", "\r").encode())
    with pytest.raises(Refused, match="control character") as refused:
        imported.running(None, platform, file)
    assert refused.value.problems[0].place is not None and refused.value.problems[0].place.line in (1, 2, 4)
    file.write_bytes(hidden.replace("|", " ").replace("\n", "\r\r\n").encode())
    assert imported.running(None, platform, file).found


def test_a_mark_of_the_encoding_hides_no_list(tmp_path: Path) -> None:
    file = tmp_path / "running.txt"
    file.write_bytes(b"\xef\xbb\xbfip access-list extended A\n permit ip any any\nip access-list extended B\n deny ip any any\n")
    assert [one.name for one in imported.running(None, "ios", file).found] == ["A", "B"]


def test_a_file_that_is_gone_when_it_is_read_is_a_refusal(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be read"):
        imported.running(None, "ios", tmp_path / "gone")


@pytest.mark.parametrize(("platform", "text", "place", "word"), [
    ("eos", "ip access-list A\n   permit tcp any any eq 22\n   permit tcp any host 10.1.1.1 foo 22\n", "3:33",
     "permit tcp any host"),
    ("ios", "ip access-list extended A\n permit tcp any host 10.1.1.1 foo 22\n", "2:31", "permit tcp any host"),
    ("junos", "firewall {\n  family inet {\n    filter A {\n      term x {\n        from { protocol tcp; foo 7; }\n"
              "        then accept;\n      }\n    }\n  }\n}\n", "5:30", "foo"),
    ("vyos", "firewall {\n  ipv4 {\n    name A {\n      rule 10 {\n        action accept\n        foo 7\n      }\n    }\n"
             "  }\n}\n", "6:9", "foo"),
])  # fmt: skip
def test_a_word_that_is_not_known_is_at_its_own_line_and_column(
    tmp_path: Path, platform: str, text: str, place: str, word: str
) -> None:
    (tmp_path / "running.txt").write_text(text)
    said = imported.running(None, platform, tmp_path / "running.txt")
    (problem,) = imported.chosen(said, (), tmp_path / "running.txt")[1]
    assert str(problem.place).endswith(f"running.txt:{place}") and word in problem.detail
    assert "10 permit" not in problem.detail and "20 permit" not in problem.detail


def test_what_another_platform_cannot_say_is_said_once_with_its_protocol_and_a_cure(tmp_path: Path) -> None:
    rules = "table inet f {\n  chain forward {\n    type filter hook forward priority 0; policy drop;\n"
    rules += "    sctp dport 2905 accept\n  }\n}\n"
    (tmp_path / "r.nft").write_text(rules)
    ended = configlet("import", "acl", "r.nft", "--platform", "nftables", "--to", "eos", cwd=tmp_path)
    assert ended.returncode == 65 and ended.stderr.count("ports of sctp") == 1 and "ip/132" in ended.stderr


@pytest.mark.parametrize(("platform", "name"), [("sonic", "Ethernet0"), ("vyos", "eth1"), ("nvue", "swp1")])
def test_an_interface_that_the_other_platform_does_not_know_is_refused_at_the_option(
    tmp_path: Path, platform: str, name: str
) -> None:
    (tmp_path / "r").write_text(
        "ip access-list extended A\n permit tcp any any eq 22\n!\ninterface GigabitEthernet0/1\n ip access-group A in\n"
    )
    words = ("import", "acl", "r", "--platform", "ios", "--to", platform)
    ended = configlet(*words, cwd=tmp_path)
    assert ended.returncode == 65 and "--bind:1:1: " in ended.stderr and f"--bind {name}/in" in ended.stderr
    assert "reader does not know" not in ended.stderr and ended.stdout == ""
    if platform == "sonic":
        assert configlet(*words, "--bind", f"{name}/in", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize("group", ["controllers", "Controller", "any", "management", "TRUE", "null"])
def test_a_group_called_like_a_word_of_ours_is_imported_under_a_name_that_is_free(workspace: Path, group: str) -> None:
    text = (
        f"object-group network {group}\n host 10.1.1.1\n host 10.1.3.9\n host 10.1.5.1\n!\nip access-list extended X\n"
        f" permit tcp object-group {group} any eq 22\n deny ip any any\n!\ninterface Vlan10\n ip access-group X in\n"
    )
    (workspace / "group.cfg").write_text(text)
    ended = configlet("import", "acl", "group.cfg", "--platform", "ios", cwd=workspace)
    assert ended.returncode == 0 and "PROVED" in ended.stderr, ended.stderr


def test_a_name_with_accents_is_still_read_as_the_same_word(tmp_path: Path) -> None:
    file = tmp_path / "running.txt"
    file.write_text("ip access-list extended A\n remark Büro Müller, Zürich\n permit tcp any any eq 22\n")
    ended = configlet("import", "acl", str(file), "--platform", "ios", cwd=tmp_path)
    assert ended.returncode == 0 and '- name: "Buro Muller, Zurich"' in ended.stdout

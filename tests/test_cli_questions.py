"""`diff`, `query` and `only` as an operator meets them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from configlet.cli import main
from tests.cli_run import DAY, ROOT


def run(capsys: pytest.CaptureFixture[str], *words: str, root: Path = ROOT, at: bool = True) -> tuple[int, str, str]:
    status = main([*words, "--workspace", str(root), *(("--at", DAY) if at else ())])
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return status, said.out, said.err


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace in a repository of its own, in a folder below its top, with one commit."""
    root = tmp_path / "repository" / "network"
    shutil.copytree(ROOT / "inventory" / "dc1", root / "inventory" / "dc1")
    git(root, "init", "--quiet", "..")
    commit(root, "first")
    return root


def git(root: Path, *words: str) -> None:
    around = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    around["GIT_COMMITTER_DATE"] = f"{DAY}T12:00:00"
    who = ["-c", "user.name=tester", "-c", "user.email=tester@example.net", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(root), *who, *words], check=True, env=around, capture_output=True)


def commit(root: Path, message: str) -> None:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", message)


def edit(root: Path, file: str, old: str, new: str) -> None:
    path = root / "inventory" / "dc1" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_a_change_shows_what_it_opens_and_then_what_it_closes_with_both_rules(workspace: Path, capsys) -> None:
    edit(workspace, "services.yaml", "tcp/9001-9016", "tcp/9001-9017")
    edit(workspace, "policy.yaml", "to: [ogw1, ogw2, fh2, db2, risk2]", "to: [ogw1, ogw2, fh2, db2]")
    status, out, _ = run(capsys, "diff", "dc1@HEAD", "dc1", root=workspace, at=False)
    assert status == 0
    assert out.index("OPENED") < out.index("CLOSED")
    assert "10.1.10.0/24 -> 10.1.20.0/24, tcp 9017" in out
    assert 'allowed by "clients place orders" inventory/dc1/policy.yaml:' in out
    assert 'allowed by "operators log in from monitoring" HEAD:inventory/dc1/policy.yaml:' in out
    assert out.count("denied by the default deny") == out.count("OPENED") + out.count("CLOSED")
    assert run(capsys, "diff", "dc1@HEAD", "dc1", "--exit-code", root=workspace)[0] == 2


def test_the_same_is_said_and_is_status_0(workspace: Path, capsys) -> None:
    edit(workspace, "policy.yaml", "reason: order entry of desks 4 and 7", "reason: other words")
    for words in (("dc1@HEAD", "dc1"), ("dc1", "dc1"), ("dc1@HEAD", "dc1@HEAD")):
        status, out, _ = run(capsys, "diff", *words, "--exit-code", root=workspace)
        assert status == 0 and "the same" in out
    status, out, _ = run(capsys, "diff", "dc1@HEAD", "dc1", "--json", root=workspace)
    data = json.loads(out)
    assert (data["version"], data["status"], data["same"], data["changes"]) == (1, 0, True, [])


def test_a_revision_is_what_was_committed_and_nothing_else(workspace: Path, capsys) -> None:
    """No attribute of the repository hides a file from the comparison; files that are not committed do not count."""
    (workspace / "inventory" / "dc1" / ".gitattributes").write_text("policy.yaml export-ignore\n*.yaml text eol=crlf\n")
    (workspace / "inventory" / "dc1" / "extra.yaml").write_text("services: {extra: [tcp/1]}\n")
    git(workspace, "add", "inventory/dc1/.gitattributes")
    git(workspace, "commit", "--quiet", "--message", "attributes")
    assert "the same" in run(capsys, "diff", "dc1@HEAD", "dc1@HEAD~1", root=workspace)[1]
    assert "the same" in run(capsys, "diff", "dc1@HEAD", "dc1", root=workspace)[1]


def test_a_revision_that_is_invalid_is_refused_at_its_place(workspace: Path, capsys) -> None:
    edit(workspace, "policy.yaml", "action: deny", "acton: deny")
    commit(workspace, "a mistake")
    edit(workspace, "policy.yaml", "acton: deny", "action: deny")
    status, out, err = run(capsys, "diff", "dc1@HEAD", "dc1", root=workspace)
    assert status == 65 and out == "" and "HEAD:inventory/dc1/policy.yaml:" in err and "`action`" in err


def test_a_rule_that_expired_since_does_not_hide_an_old_revision(workspace: Path, capsys) -> None:
    status = main(["diff", "dc1@HEAD", "dc1", "--workspace", str(workspace), "--at", "2028-01-01"])
    assert status == 3, "as of a day on which it had expired"
    capsys.readouterr()
    assert run(capsys, "diff", "dc1@HEAD", "dc1@HEAD", root=workspace, at=False)[0] == 0


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("dc1@nowhere", "dc1"), 65, "Unknown revision"),
        (("dc1@--help", "dc1"), 64, "no revision"),
        (("dc1@", "dc1"), 64, "no revision"),
        (("dc9@HEAD", "dc1"), 65, "Unknown site"),
        (("dc9", "dc1"), 65, "Unknown site"),
        (("../dc1@HEAD", "dc1"), 64, "not the name of a site"),
    ],
)
def test_what_is_not_there_is_refused(words, status: int, said: str, workspace: Path, capsys) -> None:
    found = run(capsys, "diff", *words, root=workspace)
    assert found[0] == status and said in found[2] and found[1] == ""


def test_a_link_in_a_revision_is_refused(workspace: Path, capsys) -> None:
    path = workspace / "inventory" / "dc1" / "more.yaml"
    path.symlink_to("/etc/passwd")
    commit(workspace, "a link")
    path.unlink()
    status, _, err = run(capsys, "diff", "dc1@HEAD", "dc1", root=workspace)
    assert status == 65 and "HEAD:inventory/dc1/more.yaml" in err


def test_a_workspace_without_git_has_no_revisions(tmp_path: Path, capsys, monkeypatch) -> None:
    shutil.copytree(ROOT / "inventory" / "dc1", tmp_path / "inventory" / "dc1")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    status, _, err = run(capsys, "diff", "dc1@HEAD", "dc1", root=tmp_path)
    assert status == 65 and "Not in git" in err


REPLICA = {"10.1.": "10.2.", "2001:db8:1:": "2001:db8:2:", "dc1": "dc2", "realm: trading": "realm: trading-b"}
MAP = (
    "prefixes:\n  10.1.0.0/17: 10.2.0.0/17\n"
    + "".join(f'  "2001:db8:1:{n}0::/64": "2001:db8:2:{n}0::/64"\n' for n in range(1, 9))
    + "realms: {trading: trading-b}\n"
)


@pytest.fixture
def two_sites(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "inventory" / "dc1", tmp_path / "inventory" / "dc1")
    for path in (ROOT / "inventory" / "dc1").glob("*.yaml"):
        text = path.read_text()
        for old, new in REPLICA.items():
            text = text.replace(old, new)
        target = tmp_path / "inventory" / "dc2" / path.name
        target.parent.mkdir(exist_ok=True)
        target.write_text(text)
    (tmp_path / "map.yaml").write_text(MAP)
    return tmp_path


def test_two_sites_are_the_same_through_their_map_and_differ_without(two_sites: Path, capsys) -> None:
    through = ("--through", str(two_sites / "map.yaml"))
    status, out, _ = run(capsys, "diff", "dc1", "dc2", "--exit-code", *through, root=two_sites)
    assert (status, "the same" in out) == (0, True), out
    assert run(capsys, "diff", "dc1", "dc2", "--exit-code", root=two_sites)[0] == 2
    path = two_sites / "inventory" / "dc2" / "services.yaml"
    path.write_text(path.read_text().replace("postgres: [tcp/5432]", "postgres: [tcp/5433]"))
    status, out, _ = run(capsys, "diff", "dc1", "dc2", "--json", *through, root=two_sites)
    changes = json.loads(out)["changes"]
    assert {(c["opened"], c["before"]["name"], c["after"]["name"]) for c in changes} == {
        (True, "default deny", "trades and books are written"),
        (False, "trades and books are written", "default deny"),
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prefixes: {10.1.0.0/16: 10.2.0.0/17}\n", "map.yaml:1:12: Prefixes of different size"),
        ("prefixes: {10.1.0.0/16: 10.2.0.0/16, 10.1.10.0/24: 10.3.0.0/24}\n", "map.yaml:1:38: Prefixes that overlap"),
        ("prefixes: {10.1.0.0/16: 10.2.0.0/16, 10.3.0.0/16: 10.2.0.0/16}\n", "Prefixes that overlap"),
        ("prefixes: {10.1.0.1/16: 10.2.0.0/16}\n", "Not a prefix"),
        ("prefix: {}\n", "map.yaml:1:1: Unknown key"),
        ("realms: {nowhere: there}\n", "Unknown realm"),
        ("realms: {trading: mgmt}\n", "Realms that become one"),
        ("realms: [trading]\n", "Wrong type"),
        ("prefixes: {a: b\n", "map.yaml:"),
    ],
)
def test_a_map_that_is_in_doubt_is_refused_at_its_place(text: str, said: str, two_sites: Path, capsys) -> None:
    (two_sites / "map.yaml").write_text(text)
    status, out, err = run(capsys, "diff", "dc1", "dc2", "--through", str(two_sites / "map.yaml"), root=two_sites)
    assert status == 65 and said in err and out == ""


def test_query_names_services_whole_and_in_part_with_who_and_by_which_rule(capsys) -> None:
    status, out, _ = run(capsys, "query", "dc1", "--from", "monitoring", "--to", "order-gateways")
    assert status == 0
    assert 'metrics: from each address to each\n    by "monitoring measures everything" inventory/dc1/policy.yaml:' in out
    assert "ssh: in part\n    10.1.70.11 -> 10.1.20.11-10.1.20.12, tcp 22" in out
    assert "2001:db8:1:70::11 -> 2001:db8:1:20::11-2001:db8:1:20::12, tcp 22" in out
    assert "all else is denied, such as tcp" in out


@pytest.mark.parametrize(
    ("words", "says", "status"),
    [
        (("clients", "matching"), "none", 0),
        (("clients", "ogw1", "fix"), "all", 0),
        (("clients", "ogw1", "tcp/9000-9001"), "some", 0),
        (("management", "clients"), "never", 8),
        (("app=oms,env=prod", "matching"), "some", 0),
        (("10.1.10.0/25", "10.1.20.11", "fix"), "all", 0),
        (("outside", "any"), "none", 0),
    ],
)
def test_query_for_machines(words, says: str, status: int, capsys) -> None:
    source, target, *service = words
    more = ("--service", service[0]) if service else ()
    found, out, _ = run(capsys, "query", "dc1", "--from", source, "--to", target, *more, "--json")
    data = json.loads(out)
    assert (found, data["status"], data["says"]) == (status, status, says)
    assert all(each["rules"] and each["sets"][0]["boxes"] for each in data["passing"])


def test_query_agrees_with_the_matrix(capsys) -> None:
    cells = json.loads(run(capsys, "matrix", "dc1", "--json")[1])["realms"][1]["cells"]
    ends = ("clients", "order-gateways", "monitoring")
    for cell in (c for c in cells if c["from"] in ends and c["to"] in ends):
        out = run(capsys, "query", "dc1", "--from", cell["from"], "--to", cell["to"], "--json")[1]
        data = json.loads(out)
        assert data["says"] == cell["says"]
        passing = [{(p["service"], p["whole"], p["rules"][0]["name"]) for p in d["passing"]} for d in (cell, data)]
        assert passing[0] == passing[1]


def test_only_says_yes_or_the_packet_and_the_rule_that_say_no(capsys) -> None:
    status, out, _ = run(capsys, "only", "dc1", "--to", "ogw1", "--allow", "fix,ssh")
    assert status == 3 and "NO" in out
    assert "icmp 10.1.10." in out and '"clients ping the order gateways" inventory/dc1/policy.yaml:' in out
    allowed = ("--allow", "fix,ssh,ping", "--allow", "metrics,quotes,infrastructure")
    status, out, _ = run(capsys, "only", "dc1", "--to", "ogw1", *allowed)
    assert status == 0 and "YES" in out
    status, out, _ = run(capsys, "only", "dc1", "--to", "ogw1", *allowed[:2], "--allow", "metrics,quotes")
    assert status == 3 and '"icmp errors of routers" (derived from the inventory)' in out, "routers are somebody"
    status, out, _ = run(capsys, "only", "dc1", "--to", "255.255.255.255", "--allow", "ssh")
    assert status == 3 and '"address assignment"' in out
    status, out, _ = run(capsys, "only", "dc1", "--to", "ogw1", "--from", "clients", "--allow", "fix,ping,ssh")
    assert status == 0 and "nobody can use ssh" in out


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("--to", "monn1", "--allow", "fix"), 65, "Did you mean `mon1`?"),
        (("--to", "ogw1", "--allow", "fixx"), 65, 'Did you mean "fix"?'),
        (("--to", "ogw1", "--allow", "tcp/99999"), 65, "Unknown service"),
        (("--to", "ogw1", "--from", "app=none", "--allow", "fix"), 65, "Unknown labels"),
        (("--to", "ogw1", "--from", "management", "--allow", "fix"), 8, ""),
        (("--to", "ogw1"), 64, "--allow"),
        (("--to", "ogw1", "--allow", ","), 64, "--allow"),
        (("--to", "10.1.20.11/24", "--allow", "fix"), 65, "--to: `10.1.20.11/24`"),
        (("--to", "10.1.20.11/24", "--allow", "fix"), 65, "has host bits set. The prefix is 10.1.20.0/24"),
        (("--to", "10.1.20.300", "--allow", "fix"), 65, "octet 300"),
        (("--to", "dc1:ogw1", "--allow", "fix"), 65, "Did you mean `ogw1`?"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(words, status: int, said: str, capsys) -> None:
    found = run(capsys, "only", "dc1", *words)
    assert found[0] == status and said in found[2]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("partners", "ogw2", "fix-partner"), "configlet query dc1 --from FROM --to TO"),
        (("client1", "app=oms", "fix"), "configlet query dc1"),
        (("10.1.10.0/24", "ogw1", "fix"), "configlet query dc1"),
        (("core-links", "ogw1", "icmp/3"), "configlet query dc1"),
        (("client1", "ogww1", "fix"), "Did you mean `ogw1`?"),
        (("client1", "me2", "icmpv6"), "share no realm and address family for it"),
    ],
)
def test_why_says_where_to_ask_of_what_is_no_end_of_a_way(words, said: str, capsys) -> None:
    status, out, err = run(capsys, "why", "dc1", *words)
    assert status == 65 and said in err and out == ""


def test_prove_writes_the_texts_that_it_has_proven(tmp_path: Path, capsys) -> None:
    folder = tmp_path / "out"
    assert run(capsys, "prove", "dc1", "--out", str(folder))[0] == 0
    again = tmp_path / "again"
    assert run(capsys, "render", "dc1", "--out", str(again))[0] == 0
    assert {p.name: p.read_text() for p in folder.iterdir()} == {p.name: p.read_text() for p in again.iterdir()}
    assert run(capsys, "prove", "dc1", "--out", str(folder), "--gate", "x")[0] == 64

"""The command line: statuses, streams, suggestions, and that light commands stay light."""

import errno
import json
import shutil
from datetime import date
from pathlib import Path

import click
import pytest

from configlet.cli import app, limits, statuses
from configlet.model.problem import Problem, Refused
from configlet.workspace import load
from tests.cli_run import DAY, HEAVY, ROOT, configlet, modules_of


def test_the_version_is_said_without_importing_anything_of_weight() -> None:
    status, modules = modules_of("--version")
    assert status == 0
    assert not modules & {*HEAVY, "click", "yaml", "cerberus", "jinja2"}


def test_help_imports_no_command() -> None:
    status, modules = modules_of("--help")
    assert status == 0
    assert not modules & {*HEAVY, "yaml", "cerberus", "jinja2"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script_that_names_our_variable(shell: str) -> None:
    ended = configlet("completion", shell)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "_CONFIGLET_COMPLETE" in ended.stdout


def test_completion_offers_commands_options_and_the_sites_of_the_workspace() -> None:
    def offered(words: str, number: int) -> str:
        return configlet(_CONFIGLET_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(number)).stdout

    assert offered("configlet ch", 1) == "plain,check\n"
    assert "plain,dc1" in offered("configlet check d", 2)
    assert "plain,--json" in offered("configlet check --j", 2)


def test_the_list_of_commands_is_the_folder() -> None:
    folder = ROOT / "builder" / "configlet" / "cli"
    files = {path.stem.replace("_", "-") for path in folder.glob("*.py") if "\ndef command(" in path.read_text(encoding="utf-8")}
    assert files == set(app.COMMANDS)


def test_every_command_can_be_imported_and_has_help() -> None:
    for name in app.COMMANDS:
        found = app.group.get_command(click.Context(app.group), name)
        assert found is not None and found.help, name


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ((), "Usage"),
        (("chek",), 'Did you mean "check"?'),
        (("frobnicate",), "--help"),
        (("check", "--jsno"), "--json"),
        (("check", "--at", "yesterday"), "2026-11-24"),
        (("why", "dc1", "client1"), "TO"),
        (("prove", "dc1", "--platform", "eos"), "belong together"),
        (("check", "--workspace", "/nowhere/at/all"), "does not exist"),
        (("completion", "tcsh"), "bash"),
        (("lab", "down", "../.."), "not the name of a site"),
    ],
)
def test_a_wrong_use_ends_with_64_and_says_what_is_right(arguments: tuple[str, ...], word: str) -> None:
    ended = configlet(*arguments)
    assert ended.returncode == 64
    assert ended.stdout == ""
    assert word in ended.stderr


@pytest.mark.parametrize("command", ["check", "render", "prove", "plan", "push", "rollback", "recover"])
def test_a_site_that_is_not_there_is_an_error_with_a_suggestion(command: str) -> None:
    ended = configlet(command, "dc2", *(("--yes",) if command in ("push", "rollback") else ()))
    assert ended.returncode == 65
    assert 'Did you mean "dc1"?' in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_folder_without_a_workspace_is_an_error(tmp_path: Path) -> None:
    ended = configlet("check", cwd=tmp_path)
    assert ended.returncode == 65
    assert "configlet init" in ended.stderr


def test_a_workspace_without_a_site_is_nothing_to_check(tmp_path: Path) -> None:
    (tmp_path / "inventory").mkdir()
    assert configlet("check", cwd=tmp_path).returncode == 8


def test_a_site_for_the_lab_only_is_not_touched_without_the_option() -> None:
    for command in (("plan", "dc1"), ("push", "dc1", "--yes"), ("rollback", "dc1", "--yes"), ("recover", "dc1")):
        ended = configlet(*command, "--at", DAY)
        assert ended.returncode == 65, command
        assert "--lab" in ended.stderr


def test_without_a_terminal_nothing_is_asked_and_nothing_is_done() -> None:
    for command in ("push", "rollback"):
        ended = configlet(command, "dc1", "--lab")
        assert ended.returncode == 6
        assert "--yes" in ended.stderr


def test_a_refusal_is_json_when_json_is_asked_for() -> None:
    ended = configlet("check", "dc2", "--json")
    found = json.loads(ended.stdout)
    assert (ended.returncode, found["status"], found["version"]) == (65, 65, 1)
    assert found["problems"][0]["summary"] == "Unknown site"


def test_a_usage_error_is_json_when_json_is_asked_for() -> None:
    ended = configlet("check", "--json", "--nope")
    assert (ended.returncode, json.loads(ended.stdout)["status"]) == (64, 64)


def raised(error: BaseException) -> object:
    raise error


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (click.UsageError("no"), 64),
        (Refused([Problem("a", "b", nature="red")]), 3),
        (Refused([Problem("a", "b", nature="red"), Problem("a", "b")]), 65),
    ],
)
def test_every_expected_end_has_its_status(error: BaseException, status: int) -> None:
    assert app.ended(lambda: raised(error), []) == status


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_full_disk_or_a_folder_that_is_only_read_is_said_and_is_no_internal_error(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inventory").mkdir()
    assert app.ended(lambda: raised(OSError(number, "Not now", "out/leaf1.eos.acl")), []) == 1
    said = capsys.readouterr().err
    assert "What the system does not allow" in said and "out/leaf1.eos.acl: Not now." in said
    assert not (tmp_path / ".configlet").exists()


@pytest.mark.parametrize("number", [errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG])
def test_what_went_away_or_cannot_be_there_is_said_and_is_no_internal_error(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert app.ended(lambda: raised(OSError(number, "Gone", "inventory/dc1/hosts.yaml")), []) == 1
    said = capsys.readouterr().err
    assert "not there" in said and "inventory/dc1/hosts.yaml: Gone." in said
    assert not (tmp_path / ".configlet").exists()


def test_a_plan_for_a_folder_that_is_not_there_is_refused_before_any_device_is_met() -> None:
    ended = configlet("plan", "dc1", "--lab", "--out", "nowhere/tonight.json")
    assert ended.returncode == 64 and 'no folder "nowhere"' in ended.stderr and "read" not in ended.stderr


def test_an_error_that_nobody_expected_is_one_line_and_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "inventory").mkdir()
    monkeypatch.chdir(tmp_path)
    assert app.ended(lambda: raised(ValueError("odd")), []) == 70
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "Traceback" not in said
    (kept,) = (tmp_path / ".configlet").glob("crash-*.txt")
    assert str(kept) in said and "ValueError: odd" in kept.read_text()
    assert kept.stat().st_mode & 0o077 == 0


def test_a_command_that_says_no_status_is_no_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert app.ended(lambda: None, []) == 70


def test_the_same_mistake_hundreds_of_times_is_shown_some_times_and_counted(tmp_path: Path) -> None:
    """A slip of a generator must not bury the one other mistake; machines get every one."""
    site = tmp_path / "inventory" / "dc1"
    shutil.copytree(ROOT / "inventory" / "dc1", site)
    rule = "  - {{name: rule {0}, from: [clints{0}], to: [risk], service: [ssh], action: allow, reason: r}}\n"
    (site / "policy.yaml").write_text("policy:\n" + "".join(rule.format(n) for n in range(300)))
    with (site / "services.yaml").open("a") as out:
        out.write("  odd: [tcp/99999]\n")
    ended = configlet("check", "dc1", "--at", DAY, cwd=tmp_path)
    assert ended.returncode == 65 and "INVALID (301 problems)" in ended.stdout
    assert "Port 99999 is above 65535" in ended.stderr
    assert ended.stderr.count("Unknown name") == 21
    assert "280 more of: Unknown name\n    inventory/dc1/policy.yaml: 280, the first at 22:" in ended.stderr
    assert "--json" in ended.stderr
    said = json.loads(configlet("check", "dc1", "--at", DAY, "--json", cwd=tmp_path).stdout)
    assert len(said["sites"][0]["problems"]) == 301


def test_the_worst_status_wins_in_the_written_order() -> None:
    assert [statuses.worst(s) for s in ([0, 8], [1, 3], [3, 4], [4, 7], [7, 65], [0, 0], [])] == [8, 3, 4, 7, 65, 0, 8]


def test_init_makes_a_workspace_and_refuses_a_folder_with_something_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    assert configlet("init", str(folder)).returncode == 0
    assert (folder / "inventory" / "dc1" / "policy.yaml").is_file()
    assert (folder / ".gitignore").read_text() == ".configlet/\n"
    before = sorted(folder.rglob("*"))
    again = configlet("init", str(folder))
    assert again.returncode == 65 and "not empty" in again.stderr
    assert sorted(folder.rglob("*")) == before


def test_a_limit_takes_names_roles_and_labels_and_refuses_what_it_does_not_know() -> None:
    inventory = load(ROOT, "dc1", date.fromisoformat(DAY)).inventory
    assert limits.owners(inventory, ()) is None
    assert limits.owners(inventory, ("leaf1,border",)) == {"leaf1", "border1"}
    assert limits.owners(inventory, ("app=matching",)) == {"me1", "me2"}
    with pytest.raises(Refused, match=r'Did you mean "leaf1"\?'):
        limits.owners(inventory, ("leaf11",))


def test_a_workspace_for_which_there_is_no_room_is_not_half_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(source: Path, target: Path) -> None:
        target.mkdir(parents=True)
        raise shutil.Error([(str(source), str(target), "[Errno 28] No space left on device")])

    monkeypatch.setattr(shutil, "copytree", full)
    assert app.run(["init", str(tmp_path / "new")]) == 1
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.parametrize("words", [(), ("chek",), ("which", "eos/acl"), ("check", "dc1", "--at", DAY), ("push", "dc1", "--lab")])
def test_what_runs_as_a_fork_here_says_what_a_command_begun_from_nothing_says(words: tuple[str, ...], tmp_path: Path) -> None:
    assert configlet("init", str(tmp_path / "here")).returncode == 0
    fork, anew = (configlet(*words, cwd=tmp_path / "here", **env) for env in ({}, {"PYTHONUNBUFFERED": "1"}))
    assert (fork.returncode, fork.stdout, fork.stderr) == (anew.returncode, anew.stdout, anew.stderr)

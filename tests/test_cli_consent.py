"""`configlet approve` and what `push --plan` takes for consent: compared in every part, and absent means no."""

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from configlet import consent
from configlet.consent.approval import NAMESPACE
from configlet.drivers import signatures
from configlet.model.plan import Change, Flow, Plan, digest_of
from configlet.plan import to_json
from tests.cli_run import DAY, ROOT, configlet

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def plan_of(author: str = "alice", site: str = "dc1", **more: object) -> Plan:
    """A plan that somebody made."""
    flow = Flow(
        True, "order gateways read the books", "policy.yaml:9:5", "tcp 10.1.20.11:49152 -> 10.1.60.11:5432", ("g",)
    )
    change = Change("leaf1", "eos", "acl", "a\n", "b\n", "b\n", "a\n", "-a\n+b")
    made = Plan(site, "lab", DAY, "0.1.0", "0" * 64, (change,), (flow,), (), (), "", author)
    made = replace(made, **more)  # type: ignore[arg-type]
    return replace(made, digest=digest_of(made))


class Desk:
    """A workspace with approvers, a key for each, and a plan of alice."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        assert configlet("init", str(folder)).returncode == 0
        keys = folder.parent / "keys"
        keys.mkdir()
        self.keys = {name: keys / name for name in ("alice", "bob", "mallory")}
        for name, key in self.keys.items():
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(key)], check=True)
        self.file = folder / "tonight.json"
        self.beside = folder / "tonight.json.approval"
        self.reset()

    def reset(self) -> None:
        """As at first: alice and bob may approve, nobody has."""
        self.file.write_text(to_json(plan_of()))
        self.beside.unlink(missing_ok=True)
        lines = [f"{n}@example.net {self.keys[n].with_suffix('.pub').read_text()}" for n in ("alice", "bob")]
        (self.folder / "approvers").write_text("# who may approve\n" + "".join(lines))

    def run(self, *words: str) -> tuple[int, str, str]:
        ended = configlet(*words, cwd=self.folder)
        assert "Traceback" not in ended.stderr
        return ended.returncode, ended.stdout, ended.stderr

    def approve(self, name: str, *more: str, key: str = "") -> tuple[int, str, str]:
        signer = str(self.keys[key or name])
        return self.run("approve", self.file.name, "--key", signer, "--as", f"{name}@example.net", "--yes", *more)

    def push(self) -> tuple[int, str, str]:
        """Aimed at a lab that is not up: 6 without consent, and another refusal when consent was there."""
        return self.run("push", "dc1", "--lab", "--plan", self.file.name, "--at", DAY)

    def write(self, signed: consent.Signed) -> None:
        self.beside.write_text(consent.to_json(signed))

    def signed(self, name: str, plan: Plan, at: datetime) -> consent.Signed:
        approval = consent.approve(plan, f"{name}@example.net", at)
        return consent.Signed(approval, signatures.sign(consent.message(approval), self.keys[name], NAMESPACE))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("desk") / "workspace")


@pytest.fixture
def desk(made: Desk) -> Iterator[Desk]:
    yield made
    made.reset()


def test_an_approval_shows_the_flows_and_the_digest_and_push_takes_it(desk: Desk) -> None:
    status, said, _ = desk.approve("bob")
    assert status == 0
    assert "+ order gateways read the books" in said and plan_of().digest[:12] in said
    assert "made by  alice" in said and "bob@example.net, signed, until " in said
    status, _, said = desk.push()
    assert (status, "not up" in said or "lab up" in said) == (65, True), said


def test_without_an_approval_push_says_what_is_missing(desk: Desk) -> None:
    status, out, said = desk.push()
    assert (status, out) == (6, "")
    assert "there is no approval" in said and "configlet approve tonight.json" in said


def test_consent_that_is_missing_is_json_when_json_is_asked_for(desk: Desk) -> None:
    status, out, _ = desk.run("push", "dc1", "--lab", "--plan", "tonight.json", "--json")
    found = json.loads(out)
    assert (status, found["status"], found["problems"][0]["summary"]) == (6, 6, "No consent")


def spoiled_plan(desk: Desk) -> None:
    desk.file.write_text(to_json(plan_of(risks=("another",))))


def spoiled_expired(desk: Desk) -> None:
    desk.write(desk.signed("bob", plan_of(), datetime.now(UTC) - timedelta(hours=24, minutes=1)))


def spoiled_to_come(desk: Desk) -> None:
    desk.write(desk.signed("bob", plan_of(), datetime.now(UTC) + timedelta(hours=1)))


def spoiled_own_change(desk: Desk) -> None:
    desk.write(desk.signed("alice", plan_of(), datetime.now(UTC)))


def spoiled_longer(desk: Desk) -> None:
    """Mallory moves the end of bob's approval by an hour; the signature does not fit any more."""
    old = desk.signed("bob", plan_of(), datetime.now(UTC) - timedelta(hours=1))
    later = consent.approve(plan_of(), "bob@example.net", datetime.now(UTC))
    desk.write(consent.Signed(later, old.signature))


def spoiled_unsigned(desk: Desk) -> None:
    desk.write(consent.Signed(consent.approve(plan_of(), "bob@example.net", datetime.now(UTC))))


def spoiled_signer(desk: Desk) -> None:
    approval = consent.approve(plan_of(), "bob@example.net", datetime.now(UTC))
    desk.write(consent.Signed(approval, signatures.sign(consent.message(approval), desk.keys["mallory"], NAMESPACE)))


def spoiled_purpose(desk: Desk) -> None:
    """Bob's own signature over these very bytes, but made for something else."""
    approval = consent.approve(plan_of(), "bob@example.net", datetime.now(UTC))
    desk.write(consent.Signed(approval, signatures.sign(consent.message(approval), desk.keys["bob"], "file")))


def spoiled_stranger(desk: Desk) -> None:
    desk.write(desk.signed("mallory", plan_of(), datetime.now(UTC)))


def spoiled_dismissed(desk: Desk) -> None:
    desk.approve("bob")
    (desk.folder / "approvers").write_text("alice@example.net " + desk.keys["alice"].with_suffix(".pub").read_text())


def spoiled_site(desk: Desk) -> None:
    wrong = replace(consent.approve(plan_of(), "bob@example.net", datetime.now(UTC)), target="site")
    desk.write(consent.Signed(wrong, signatures.sign(consent.message(wrong), desk.keys["bob"], NAMESPACE)))


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (spoiled_plan, "for another plan"),
        (spoiled_expired, "expired at"),
        (spoiled_to_come, "still to come"),
        (spoiled_own_change, "nobody approves his own change"),
        (spoiled_longer, "signature is not that of bob"),
        (spoiled_unsigned, "is not signed"),
        (spoiled_signer, "signature is not that of bob"),
        (spoiled_purpose, "signature is not that of bob"),
        (spoiled_stranger, "mallory@example.net is not among"),
        (spoiled_dismissed, "bob@example.net is not among"),
        (spoiled_site, "the approval is for the site dc1"),
    ],
)
def test_whatever_is_not_consent_to_this_plan_now_ends_with_6_and_says_why(
    desk: Desk, spoil: Callable[[Desk], None], word: str
) -> None:
    assert desk.approve("bob")[0] == 0
    spoil(desk)
    status, out, said = desk.push()
    assert (status, out) == (6, ""), said
    assert word in said and "Nothing was done." in said


def test_approve_itself_writes_nothing_that_push_would_not_take(desk: Desk) -> None:
    for words, status, why in (
        (desk.approve("alice"), 6, "nobody approves his own change"),
        (desk.approve("mallory"), 6, "is not among"),
        (desk.approve("bob", key="mallory"), 6, "signature is not that of bob"),
        (desk.run("approve", "tonight.json", "--as", "bob@example.net", "--yes"), 6, "is not signed"),
        (desk.run("approve", "tonight.json", "--as", "bob@example.net"), 6, "--yes"),
        (desk.run("approve", "tonight.json", "--as", "bob\x1b[2J", "--yes"), 6, "is not among"),
    ):
        assert words[0] == status and why in words[2], words
        assert not desk.beside.exists()


def test_a_plan_with_problems_cannot_be_approved(desk: Desk) -> None:
    desk.file.write_text(to_json(plan_of(problems=("leaf1: what it runs is not known",))))
    status, said, _ = desk.approve("bob")
    assert status == 3 and "1 problems" in said and not desk.beside.exists()


def test_where_nobody_has_to_approve_a_plan_file_is_consent_by_itself(desk: Desk) -> None:
    (desk.folder / "approvers").unlink()
    status, _, said = desk.push()
    assert status == 65 and "approv" not in said
    status, said, _ = desk.run("approve", "tonight.json", "--yes", "--json")
    found = json.loads(said)
    assert (status, found["signed"], found["approval"]["plan"]) == (0, False, plan_of().digest)


def test_where_somebody_approves_the_site_is_not_pushed_to_without_a_plan_file(desk: Desk) -> None:
    site = desk.folder / "inventory" / "dc1" / "site.yaml"
    before = site.read_text()
    try:
        site.write_text(before.replace("  lab: only\n", ""))
        status, out, said = desk.run("push", "dc1", "--yes", "--at", DAY)
    finally:
        site.write_text(before)
    assert (status, out) == (6, "") and "push --plan" in said
    assert desk.run("push", "dc1", "--lab", "--yes", "--at", DAY)[0] == 65, "a rehearsal needs none"


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("", "Nobody may approve"),
        ("# nobody\n\n", "Nobody may approve"),
        ("bob\n", "without a key"),
        ("* ssh-ed25519 {key}\n", "without a plain name"),
        ("b?b ssh-ed25519 {key}\n", "without a plain name"),
        ('"bob ssh-ed25519 {key}\n', "without a plain name"),
        ("bob cert-authority ssh-ed25519 {key}\n", "authority"),
        ("bob ssh-ed25519 short\n", "without a key"),
        ("bob ssh-ed25519 {key}\nbob,* ssh-ed25519 {key}\n", "without a plain name"),
        ("\xff\xfe", "cannot be read"),
    ],
)
def test_a_file_of_approvers_that_is_not_plain_is_refused_at_its_line(desk: Desk, content: str, word: str) -> None:
    assert desk.approve("bob")[0] == 0
    key = desk.keys["bob"].with_suffix(".pub").read_text().split()[1]
    text = content.replace("{key}", key)
    (desk.folder / "approvers").write_bytes(text.encode("latin-1"))
    status, _, said = desk.push()
    line = max(1, text.count("\n")) if word not in ("Nobody may approve", "cannot be read") else 1
    assert status == 65 and word in said and f"approvers:{line}:1: " in said, said


def test_an_approvers_that_leads_nowhere_is_no_permission(desk: Desk) -> None:
    assert desk.approve("bob")[0] == 0
    (desk.folder / "approvers").unlink()
    (desk.folder / "approvers").symlink_to("nowhere")
    try:
        status, _, said = desk.push()
    finally:
        (desk.folder / "approvers").unlink()
    assert status == 65 and "cannot be read" in said


def test_an_approval_holds_from_its_moment_to_its_last() -> None:
    approval = consent.approve(plan_of(), "bob", NOW)
    for moved, good in ((-301, False), (-299, True), (0, True), (24 * 3600, True), (24 * 3600 + 1, False)):
        assert (consent.objection(plan_of(), approval, NOW + timedelta(seconds=moved)) is None) is good, moved


def test_every_part_of_an_approval_is_compared() -> None:
    approval = consent.approve(plan_of(), "bob", NOW)
    assert consent.objection(plan_of(), approval, NOW) is None
    for changed in ({"plan": "0" * 64}, {"site": "dc2"}, {"target": "site"}, {"by": "alice"}):
        assert consent.objection(plan_of(), replace(approval, **changed), NOW), changed  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("alice", "alice", True),
        ("alice@example.net", "alice", True),
        ("Alice", "alice@example.org", True),
        ("alice", "alicia", False),
        ("", "", False),
    ],
)
def test_one_person_is_known_by_name_with_or_without_a_domain(one: str, other: str, same: bool) -> None:
    assert consent.same_person(one, other) is same


def test_what_is_signed_changes_with_every_field() -> None:
    approval = consent.approve(plan_of(), "bob", NOW)
    changes = {"plan": "1" * 64, "site": "x", "target": "site", "by": "x", "at": "x", "expires": "x"}
    messages = {consent.message(replace(approval, **{key: value})) for key, value in changes.items()}  # type: ignore[arg-type]
    assert len(messages | {consent.message(approval)}) == 7


def test_an_approval_comes_back_from_its_file_as_it_was() -> None:
    signed = consent.Signed(consent.approve(plan_of(), "bob@example.net", NOW))
    assert consent.from_json(consent.to_json(signed), "f") == signed


def test_approve_needs_a_workspace(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text(to_json(plan_of()))
    ended = configlet("approve", "p.json", "--yes", cwd=tmp_path)
    assert ended.returncode == 65 and "configlet init" in ended.stderr


def test_the_words_of_the_manual_are_those_of_the_code() -> None:
    said = (ROOT / "docs" / "commands.md").read_text()
    for word in ("approvers", f"{consent.HOURS} hours", "FILE.approval", NAMESPACE):
        assert word in said

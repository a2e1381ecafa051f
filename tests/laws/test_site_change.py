"""What was found before is an accelerator only: warm or cold, part or whole, the answer about a site is the same."""

from __future__ import annotations

import os
import random
import re
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

import pytest

from benchmarks.sites import Size, write
from configlet import pipeline
from configlet.model.problem import Refused
from configlet.pipeline import report as reports
from configlet.pipeline import written
from configlet.pipeline.cache import Store
from configlet.pipeline.inputs import content, inputs
from configlet.pipeline.known import before_of, check
from configlet.pipeline.partly import Part, part_of
from configlet.pipeline.planning import plan
from configlet.pipeline.report import Report
from configlet.pipeline.sitemap import map_of
from configlet.pipeline.written import Folder, Texts, digest_of, rendered, unlike
from configlet.plan.texts import load_text
from configlet.render import acl
from tests.show_site import measured

DAY = date(2026, 11, 24)
SMALL = Size(switches=9, hosts=20, rules=48, six=50, name="small")
Policy = Callable[[Callable[[str], str]], None]


GROUP = """multicast:
  prices: {groups: [239.1.1.0/24], sources: [partner01], receivers: [app001-db]}
"""


def kept(root: Path) -> Store:
    return Store(root, b"k" * 32)


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a small site that was looked at whole."""
    root = tmp_path_factory.mktemp("checked")
    write(root, SMALL)
    assert check(root, "small", DAY, kept(root)).status == 0
    return root


@pytest.fixture
def policy(tmp_path: Path, checked: Path) -> Policy:
    """A copy of it, and a way to change the policy of its second application."""
    shutil.copytree(checked, tmp_path, dirs_exist_ok=True)
    file = tmp_path / "inventory" / "small" / "policy" / "app001.yaml"

    def change(how: Callable[[str], str]) -> None:
        text = file.read_text()
        changed = how(text)
        assert changed != text
        file.write_text(changed)

    return change


def said(report: Report) -> dict[str, object]:
    """A report without what may differ: order of groups, times."""
    found = reports.to_dict(report)
    owners = sorted((owner, [p[1] for p in proofs]) for names, proofs, *_ in found.pop("groups") for owner in names)
    found["counts"].pop("distinct")
    return {**found, "accepted": sorted(map(str, found["accepted"])), "owners": owners}


def rules_of(text: str) -> tuple[str, list[str]]:
    head, *items = re.split(r"(?m)^(?=  - )", text)
    return head, items


CHANGES: dict[str, Callable[[str], str]] = {
    "another service": lambda text: re.sub(r"service: \[tcp/\d+\]", "service: [tcp/61001]", text, count=1),
    "a rule less": lambda text: "".join((rules_of(text)[0], *rules_of(text)[1][:-3], *rules_of(text)[1][-2:])),
    "the order": lambda text: "".join((rules_of(text)[0], *reversed(rules_of(text)[1]))),
    "a comment": lambda text: text.replace("    reason:", "    # Looked at.\n    reason:", 1),
    "a host by name": lambda text: text + RULE.format(a="h00019", b="app001-web", action="allow"),
    "labels": lambda text: text + RULE.format(a="{app: app001, tier: db}", b="{tier: web}", action="allow"),
    "a partner": lambda text: text + RULE.format(a="partner01", b="app001-web", action="allow"),
    "a deny": lambda text: text.replace("policy:\n", "policy:\n" + RULE.format(a="app001-app", b="app000-db", action="deny")),
    "everybody": lambda text: text + RULE.format(a="app001-app", b="any", action="allow"),
    "a wrong name": lambda text: text + RULE.format(a="nobody", b="app001-db", action="allow"),
    "a name that is taken": lambda text: text + RULE.format(a="app001-db", b="app001-web", action="allow").replace(
        "changed", "app000 0004 between"
    ),
    "a quote that is not closed": lambda text: text.replace("reason: change", 'reason: "change', 1),
}  # fmt: skip
WHOLE = {"everybody", "a wrong name", "a name that is taken", "a quote that is not closed"}
"""What only the whole can answer."""
RULE = """  - name: changed
    from: [{a}]
    to: [{b}]
    service: [tcp/7777]
    action: {action}
    reason: a change
"""


@pytest.mark.parametrize("name", CHANGES)
def test_after_a_change_of_rules_the_part_says_what_the_whole_says(tmp_path: Path, policy: Policy, name: str) -> None:
    store = kept(tmp_path)
    policy(CHANGES[name])
    assert (part_now(tmp_path, store) is not None) == (name not in WHOLE)

    def answer(store: Store | None) -> object:
        try:
            return said(check(tmp_path, "small", DAY, store))
        except Refused as refused:
            return sorted(map(str, refused.problems))

    assert answer(store) == answer(None)


def part_now(root: Path, store: Store) -> Part | None:
    given = inputs(root, "small", DAY)
    before = before_of(store, given) if given else None
    return part_of(root, "small", DAY, given, before, 0.0) if given and before else None


def test_a_change_of_one_rule_touches_its_two_segments_and_leaves_every_other_text_as_it_was(
    tmp_path: Path, policy: Policy
) -> None:
    store = kept(tmp_path)
    texts = {a.owner: a.text for a in pipeline.render(tmp_path, "small", DAY)}
    policy(lambda text: text + RULE.format(a="app001-app", b="app001-db", action="allow"))
    part = part_now(tmp_path, store)
    assert part is not None
    hosts = {w.host for w in part.site.inventory.workloads if w.segment in ("app001-app", "app001-db")}
    assert part.touched == hosts | {"leaf5", "leaf6", "leaf7", "leaf8"}
    changed = {a.owner for a in pipeline.render(tmp_path, "small", DAY) if a.text != texts[a.owner]}
    assert changed == part.touched
    assert {owner for group in (g.owners for g in part.report.groups) for owner in group} == texts.keys()


def test_a_change_of_a_rule_between_two_hosts_touches_these_and_their_gateways(tmp_path: Path, policy: Policy) -> None:
    store = kept(tmp_path)
    policy(lambda text: text + RULE.format(a="h00002", b="h00019", action="allow"))
    part = part_now(tmp_path, store)
    assert part is not None and part.touched == {"h00002", "h00019", "leaf1", "leaf2", "leaf7", "leaf8"}
    check(tmp_path, "small", DAY)
    texts = {a.owner: a.text for a in pipeline.render(tmp_path, "small", DAY)}
    policy(lambda text: text.replace("to: [h00019]", "to: [h00020]"))
    changed = {a.owner for a in pipeline.render(tmp_path, "small", DAY) if a.text != texts[a.owner]}
    both = part_now(tmp_path, store)
    assert both is not None and changed <= both.touched | {"h00019"}


def test_a_rule_about_a_group_touches_those_who_receive_it(tmp_path: Path, policy: Policy) -> None:
    store, segments = kept(tmp_path), tmp_path / "inventory" / "small" / "segments.yaml"
    segments.write_text(segments.read_text() + GROUP)
    policy(lambda text: text + RULE.format(a="partner01", b="prices", action="allow"))
    assert check(tmp_path, "small", DAY, store).status == 0
    texts = {a.owner: a.text for a in pipeline.render(tmp_path, "small", DAY)}
    policy(lambda text: text.replace("tcp/7777", "udp/7778"))
    part = part_now(tmp_path, store)
    changed = {a.owner for a in pipeline.render(tmp_path, "small", DAY) if a.text != texts[a.owner]}
    assert part is not None and {"leaf7", "leaf8", "border1", "h00020"} <= changed <= part.touched
    assert said(check(tmp_path, "small", DAY, store)) == said(check(tmp_path, "small", DAY))


def test_a_plan_of_a_part_is_the_plan_of_the_whole_also_where_something_else_runs(
    tmp_path: Path, policy: Policy
) -> None:
    store, out = kept(tmp_path), tmp_path / "out"
    out.mkdir()
    for artifact in rendered(pipeline.open_site(tmp_path, "small", DAY), DAY, None, store):
        (out / artifact.file).write_text(artifact.text)
    (out / "h00002.nftables.filter-table").write_text("table inet configlet {\n}\n")
    (out / "leaf3.eos.acl").unlink()
    one, other = (out / f"leaf{n}.eos.acl" for n in (5, 6))  # a pair that the change touches: each from what it runs itself
    assert one.read_text() == other.read_text()
    one.write_text(one.read_text().replace(" permit ", " deny ", 1))
    policy(CHANGES["another service"])
    quick = plan(tmp_path, "small", DAY, Folder(out, store), "site", store=store)
    assert quick == plan(tmp_path, "small", DAY, Folder(out, None), "site")
    assert {"h00002"} < {change.owner for change in quick.changes} and any("leaf3" in p for p in quick.problems)
    first, second = (next(c for c in quick.changes if c.owner == owner) for owner in ("leaf5", "leaf6"))
    assert first.after == second.after and first.before != second.before and len(first.diff) > len(second.diff)
    assert (first.undo, second.undo) == tuple(load_text("acl", c.after, c.before, c.before) for c in (first, second))
    assert first.diff.startswith("--- leaf5 runs\n+++ leaf5 planned\n@@") and "leaf5" not in second.diff


def test_a_list_of_one_of_a_pair_is_what_it_is_when_it_is_made_alone(tmp_path: Path, checked: Path) -> None:
    site = pipeline.open_site(checked, "small", DAY)
    together = {a.owner: a.text for a in pipeline.artifacts_of(site, {"leaf1", "leaf2", "leaf3", "border1"})}
    assert together["leaf1"] == together["leaf2"] != together["leaf3"]
    for owner, text in together.items():
        acl._Last.known = {}, {}
        alone = pipeline.artifacts_of(pipeline.open_site(checked, "small", DAY), {owner})
        assert [a.text for a in alone] == [text]
    table = pipeline.artifacts_of(site, {"leaf1"})[0].tables[0]
    operands = site.platforms["eos"].kinds["acl"].operands
    ways = ({"permit": permit, "deny": "deny"} for permit in ("permit", "PERMIT"))
    plain, louder = ({**operands, "refusals": {}, "action": way} for way in ways)
    shown = [str(acl.values("leaf1", each, [table])) for each in (plain, louder, plain)]
    assert shown[0] == shown[2] and "PERMIT" in shown[1] and "PERMIT" not in shown[0]


def test_a_slice_keeps_every_host_whose_table_does_not_remember(tmp_path: Path, checked: Path) -> None:
    shutil.copytree(checked, tmp_path, dirs_exist_ok=True)
    for file in (tmp_path / "inventory" / "small" / "hosts").iterdir():
        file.write_text(re.sub(r"(?m)^( +)(nics:.*)$", lambda m: f"{m[1]}platform: xdp\n{m[0]}", file.read_text(), count=3))
    site, given = pipeline.open_site(tmp_path, "small", DAY), inputs(tmp_path, "small", DAY)
    known = map_of(site, given) if given else None
    stateless = {host.name for host in site.inventory.hosts if host.platform == "xdp"}
    assert known and stateless and stateless <= {host for hosts in known.bare.values() for host in hosts}


def test_links_that_lead_back_up_are_gone_through_once(tmp_path: Path) -> None:
    write(tmp_path, SMALL)
    own = tmp_path / "configlets"
    for name, other in (("a", "b"), ("b", "a")):
        (own / name).mkdir(parents=True)
        (own / name / "one").symlink_to(own / other)
        (own / name / "two").symlink_to(own / other)
        (own / name / f"{name}.yaml").write_text("before")
    before = inputs(tmp_path, "small", DAY)
    (own / "b" / "b.yaml").write_text("after")
    assert before is not None and inputs(tmp_path, "small", DAY) != before, "what is linked counts as what it is"


def test_what_is_looked_at_a_second_time_is_what_a_first_look_says(tmp_path: Path, policy: Policy) -> None:
    before = inputs(tmp_path, "small", DAY)
    assert before is not None and inputs(tmp_path, "small", DAY, before) == before
    policy(lambda text: text.replace("app001-app", "app001-web", 1))
    after = inputs(tmp_path, "small", DAY, before)
    assert after == inputs(tmp_path, "small", DAY) and after is not None
    changed = [name for name, digest in after.digests.items() if before.digests[name] != digest]
    assert len(changed) == 1 and after.key != before.key


def test_warm_says_what_cold_said(tmp_path: Path, policy: Policy) -> None:
    store = kept(tmp_path)
    cold = check(tmp_path, "small", DAY)
    warm = check(tmp_path, "small", DAY, store)
    assert warm.cached and not cold.cached
    assert asdict(replace(warm, cached=False, seconds=cold.seconds)) == asdict(cold)


@pytest.mark.parametrize("harm", ["a byte", "cut off", "another name", "another key", "not JSON", "a verdict"])
def test_a_damaged_or_foreign_entry_is_computed_anew(tmp_path: Path, policy: Policy, harm: str) -> None:
    store = kept(tmp_path)
    cold = check(tmp_path, "small", DAY, store)
    assert cold.cached
    for path in store.folder.iterdir():
        found = path.read_bytes()
        broken = {
            "a byte": found[:-9] + bytes([found[-9] ^ 1]) + found[-8:],
            "cut off": found[: len(found) // 2],
            "another name": next(p for p in store.folder.iterdir() if p != path).read_bytes(),
            "another key": found,
            "not JSON": found[:64] + b"PROVED",
            "a verdict": found.replace(b'"counts"', b'"status":0,"counts"', 1) + b" ",
        }[harm]
        path.write_bytes(broken)
        if harm == "another name":
            break
    again = Store(tmp_path, b"x" * 32) if harm == "another key" else store
    answer = check(tmp_path, "small", DAY, again)
    assert said(answer) == said(cold)
    assert not answer.cached or harm == "another name"


def test_what_was_proved_is_not_proved_when_template_or_reader_changed(tmp_path: Path, policy: Policy) -> None:
    store = kept(tmp_path)
    stock = Path(__file__).resolve().parents[2] / "configlets" / "eos"
    own = tmp_path / "configlets" / "eos"
    own.mkdir(parents=True)
    template = (stock / "acl.j2").read_text()
    assert "{{ action }}" in template
    (own / "acl.j2").write_text(template.replace("{{ action }}", "permit", 1))
    report = check(tmp_path, "small", DAY, store)
    assert report.status == 3 and any(proof.verdict == "REFUTED" for proof in report.proofs)
    warm = check(tmp_path, "small", DAY, store)
    assert warm.cached and warm.status == 3
    policy(CHANGES["another service"])
    assert check(tmp_path, "small", DAY, store).status == 3


def test_what_is_red_is_never_the_ground_for_a_part(tmp_path: Path, policy: Policy) -> None:
    store = kept(tmp_path)
    tests = tmp_path / "inventory" / "small" / "tests.yaml"
    tests.write_text(tests.read_text() + "  - {from: outside, to: app001-db, service: tcp/22, expect: allow}\n")
    assert check(tmp_path, "small", DAY, store).status == 3
    policy(CHANGES["another service"])
    assert part_now(tmp_path, store) is None
    assert check(tmp_path, "small", DAY, store).status == 3


@pytest.mark.parametrize("seed", range(2))
def test_whoever_is_alike_has_a_text_of_his_own_that_is_proved(tmp_path: Path, seed: int) -> None:
    write(tmp_path, replace(SMALL, hosts=16 + seed, rules=30 + 10 * seed, seed=seed))
    report = check(tmp_path, "small", DAY)
    groups = [group.owners for group in report.groups]
    assert any(len(group) > 1 and group[0].startswith("h") for group in groups)
    every = pipeline.prove(tmp_path, "small", DAY)
    assert len(every) == report.counts["proofs"] > report.counts["distinct"]
    assert {proof.verdict for proof in every} == {"PROVED"}
    lines = sum(a.text.count("\n") for a in pipeline.render(tmp_path, "small", DAY))
    assert lines == report.counts["lines"]


def test_a_rule_that_names_one_host_parts_it_from_the_others(tmp_path: Path, policy: Policy) -> None:
    def group_of(host: str) -> tuple[str, ...]:
        return next(g.owners for g in check(tmp_path, "small", DAY).groups if host in g.owners)

    together = group_of("h00020")
    assert len(together) > 2
    policy(lambda text: text + RULE.format(a=together[1], b="app000-db", action="allow"))
    assert group_of(together[1]) == (together[1],)
    assert group_of(together[0]) == tuple(owner for owner in together if owner != together[1])


def test_any_order_of_many_changes_ends_as_the_whole(tmp_path: Path, policy: Policy) -> None:
    store, dice = kept(tmp_path), random.Random(7)

    def shuffled(text: str) -> str:
        head, items = rules_of(text)
        at = dice.randrange(len(items) - 4)
        items[at : at + 3] = dice.sample(items[at : at + 3], 3)
        del items[dice.randrange(len(items))]
        return head + "".join(items) + RULE.format(a="app001-db", b="app001-web", action="allow").replace(
            "changed", f"changed {dice.random()}"
        )

    for _ in range(2):
        policy(shuffled)
        assert said(check(tmp_path, "small", DAY, store)) == said(check(tmp_path, "small", DAY))


def test_the_site_that_is_shown_is_planned_by_what_its_changed_rule_touches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "")
    found = measured(replace(SMALL, hosts=60, rules=400))
    changed = {change["owner"] for change in found.planned.answer["plan"]["changes"]}
    assert (found.cold.status, found.warm.status, found.planned.status) == (0, 0, 0)
    assert changed and changed <= found.concerned


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 200_000])
def test_a_running_text_is_read_whole_however_long_it_was_thought_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    text, stat = tmp_path / "h1.nftables.filter-table", os.fstat
    monkeypatch.setattr(os, "fstat", lambda file: os.stat_result((*stat(file)[:6], size, *stat(file)[7:])))
    for said in (bytes(range(1, 9)), b"x" * 150_000):
        text.write_bytes(said)
        assert content(str(text))[1] == said


def test_a_file_of_a_folder_is_read_again_when_anything_of_it_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, out = kept(tmp_path), tmp_path / "out"
    out.mkdir()
    files = {f"h{n}": out / f"h{n}.nftables.filter-table" for n in range(4)}
    known: Texts = {owner: {"nftables": [digest_of(f"{owner}\n")]} for owner in files}

    def now() -> list[str]:
        folder = Folder(out, store)
        found = unlike(folder, files, known)
        folder.keep()
        return found

    def write(owner: str, text: str) -> None:
        files[owner].write_text(text)
        os.utime(files[owner], ns=(0, 10**18))

    for owner in files:
        write(owner, f"{owner}\n")
    assert now() == [] and not list(store.folder.glob("files-*"))  # too young to be remembered
    monkeypatch.setattr(written, "_MOMENT", 0)
    assert now() == [] and now() == []
    monkeypatch.setattr(written, "content", lambda path: pytest.fail(f"{path} is read again"))
    assert now() == []
    monkeypatch.undo()
    write("h1", "x1\n")
    files["h2"].unlink()
    (out / "h3.eos.acl").write_text("h3\n")
    assert now() == ["h1", "h2"] and now() == ["h1", "h2"]
    assert "h3" not in Folder(out, store) and "h3/nftables" in Folder(out, store)

"""Hostile plan and approval files: a small change to a good one, the exact place of the complaint, and its words.

``§`` in the new text marks the place that the complaint must name, as in the cases of dc1; without it the place is the
beginning of the file. An empty ``old`` replaces the whole file.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from configlet import consent
from configlet.model.plan import Change, Flow, Plan, digest_of
from configlet.plan import to_json
from tests.tables.hostile.case import MARK


@dataclass(frozen=True, slots=True)
class FileCase:
    """One hostile file."""

    name: str
    old: str
    new: str
    word: str


def good_plan() -> str:
    """A plan file as it is written."""
    flow = Flow(
        True, "order gateways read the books", "policy.yaml:9:5", "tcp 10.1.20.11:49152 -> 10.1.60.11:5432", ("g",)
    )
    change = Change("leaf1", "eos", "acl", "a\n", "b\n", "b\n", "a\n", "-a\n+b")
    plan = Plan("dc1", "lab", "2026-11-24", "0.1.0", "0" * 64, (change,), (flow,), ("a risk",), (), "", "alice")
    return to_json(Plan(**{**{f: getattr(plan, f) for f in plan.__slots__}, "digest": digest_of(plan)}))


def good_approval() -> str:
    """An approval file as it is written."""
    plan = Plan("dc1", "lab", "2026-11-24", "0.1.0", "0" * 64, (), (), (), ())
    plan = Plan(**{**{f: getattr(plan, f) for f in plan.__slots__}, "digest": digest_of(plan)})
    return consent.to_json(consent.Signed(consent.approve(plan, "bob", datetime(2026, 11, 24, tzinfo=UTC))))


def planted(text: str, case: FileCase) -> tuple[bytes, int, int]:
    """The file with the case in it, and the line and column that the complaint must name."""
    new = case.new
    if case.old:
        assert text.count(case.old) >= 1, f"the file no longer holds {case.old!r}"
        new = text.replace(case.old, case.new, 1)
    head = new[: new.index(MARK)] if MARK in new else ""
    content = new.replace(MARK, "").encode("utf-8", "surrogateescape")
    return content, head.count("\n") + 1, len(head) - head.rfind("\n")


_KEY = '"owner": "leaf1"'

PLANS = (
    FileCase("an empty file", "", "", "not JSON"),
    FileCase("blanks only", "", "  \n§", "not JSON"),
    FileCase("a list", "", "[]", "format"),
    FileCase("a number", "", "7", "format"),
    FileCase("null", "", "null", "format"),
    FileCase("yaml instead of JSON", "", "§format: configlet-plan/1\n", "not JSON"),
    FileCase("half a file", _KEY, "§", "not JSON"),
    FileCase("a comment", '  "plan": {', '  §// fine\n  "plan": {', "not JSON"),
    FileCase("a comma too many", '"target": "lab",', '"target": "lab",§,', "not JSON"),
    FileCase("text after the end", "", '{"format": "configlet-plan/1", "plan": {}}\n§{}', "not JSON"),
    FileCase("ten thousand brackets", "", "[" * 10_000, "deep"),
    FileCase("a hundred thousand braces", "", '{"a":' * 100_000, "deep"),
    FileCase("bytes that are no text", "", "\udcff\udcfe{}", "UTF-8"),
    FileCase("a byte order mark", "", "\ufeff{}", ""),
    FileCase("a NUL", _KEY, '"owner": "leaf1§\x00"', "not JSON"),
    FileCase("an escaped NUL", _KEY, '§"owner": "leaf1\\u0000"', "cannot be seen"),
    FileCase("a terminal sequence", _KEY, '§"owner": "leaf1\\u001b[2J"', "cannot be seen"),
    FileCase("text that runs backwards", '"a risk"', '§"a \u202eksir"', "cannot be seen"),
    FileCase("a half character", _KEY, '§"owner": "\\ud800"', "cannot be seen"),
    FileCase("an invisible space", _KEY, '§"owner": "leaf\u200b1"', "cannot be seen"),
    FileCase("a carriage return", '"diff": "-a', '§"diff": "x\\r-a', "cannot be seen"),
    FileCase("a hidden key", _KEY, _KEY + ', §"\\u001b[2K": 1', "cannot be seen"),
    FileCase(
        "a second line in a rule's name", "the books", "the books\\n  closes   0 kinds of flow", "more than one line"
    ),
    FileCase("a second line in an owner", _KEY, '§"owner": "leaf1\\nme1"', "more than one line"),
    FileCase("a key twice", _KEY, _KEY + ', "owner": "leaf2"', "twice"),
    FileCase("a number that is none", _KEY, '"owner": NaN', "NaN"),
    FileCase("a number without end", _KEY, '"owner": ' + "9" * 5_000, "not JSON"),
    FileCase("infinity", _KEY, '"owner": -Infinity', "Infinity"),
    FileCase("another version", "configlet-plan/1", "configlet-plan/2", "Make the plan anew"),
    FileCase("another format", "configlet-plan/1", "configlet-approval/1", "Make the plan anew"),
    FileCase("no format", '"format": "configlet-plan/1",', "", "Make the plan anew"),
    FileCase("a key of its own", _KEY, _KEY + ', §"sudo": true', "plan.changes[0].sudo"),
    FileCase("a key of its own at the top", '    "target"', '    §"force": true,\n    "target"', "plan.force"),
    FileCase("a misspelt key", _KEY, '§"onwer": "leaf1"', "plan.changes[0].onwer"),
    FileCase("a key that is missing", '    "author": "alice",\n', "", "plan.author"),
    FileCase("a target of its own", '"target": "lab"', '§"target": "both"', "plan.target"),
    FileCase("a number for text", _KEY, '§"owner": 1', "plan.changes[0].owner"),
    FileCase("true for text", '"version": "0.1.0"', '§"version": true', "plan.version"),
    FileCase("text for true", '"opened": true', '§"opened": "true"', "plan.flows[0].opened"),
    FileCase("one for true", '"opened": true', '§"opened": 1', "plan.flows[0].opened"),
    FileCase("null for a list", '"problems": []', '§"problems": null', "plan.problems"),
    FileCase("a map for a list", '"problems": []', '§"problems": {}', "plan.problems"),
    FileCase("a list in a list", '"a risk"', '§["a risk"]', "plan.risks[0]"),
    FileCase("a digest that is a list", '"site": "dc1"', '§"site": ["dc1"]', "plan.site"),
    FileCase("a change of the text alone", "+b", "+c", "digest"),
    FileCase("another device", _KEY, '"owner": "leaf2"', "digest"),
    FileCase("another author", '"author": "alice"', '"author": "carol"', "digest"),
    FileCase("a problem that went away", '"a risk"', "", "digest"),
    FileCase("a site that is a path", '"site": "dc1"', '"site": "../dc1"', "digest"),
)

APPROVALS = (
    FileCase("an empty file", "", "", "not JSON"),
    FileCase("a list", "", "[]", "format"),
    FileCase("ten thousand brackets", "", "[" * 10_000, "deep"),
    FileCase("bytes that are no text", "", "\udcff\udcfe{}", "UTF-8"),
    FileCase("a key twice", '"by": "bob"', '"by": "bob", "by": "alice"', "twice"),
    FileCase("another version", "configlet-approval/1", "configlet-approval/2", "approved anew"),
    FileCase("a plan instead", "configlet-approval/1", "configlet-plan/1", "approved anew"),
    FileCase("a key of its own", '"by": "bob"', '"by": "bob", "hours": 99', "nothing else"),
    FileCase("a key that is missing", '    "site": "dc1",\n', "", "nothing else"),
    FileCase("a digest that is too long", '"plan": "', '§"plan": "0', "plan is of another form"),
    FileCase("a digest in capitals", '"plan": "', '§"plan": "F', "plan is of another form"),
    FileCase("no name", '"by": "bob"', '§"by": ""', "by is of another form"),
    FileCase("two names", '"by": "bob"', '§"by": "bob,alice"', "by is of another form"),
    FileCase("a wildcard for a name", '"by": "bob"', '§"by": "*"', "by is of another form"),
    FileCase("a name with a blank", '"by": "bob"', '§"by": "bob -f x"', "by is of another form"),
    FileCase("a terminal sequence", '"by": "bob"', '§"by": "bob\\u001b[2J"', "cannot be seen"),
    FileCase("a list for a name", '"by": "bob"', '§"by": ["bob"]', "by is of another form"),
    FileCase("a target of its own", '"target": "lab"', '§"target": "any"', "target is of another form"),
    FileCase("a site that is a path", '"site": "dc1"', '§"site": "../dc1"', "site is of another form"),
    FileCase("a year of 366 hours", "2026-11-25T00", "2027-11-25T00", "24 hours at most"),
    FileCase("an end before the beginning", "2026-11-25T00", "2026-11-23T00", "24 hours at most"),
    FileCase("a day that is none", "2026-11-25T00", "2026-11-31T00", "no moment"),
    FileCase(
        "another time zone", '2026-11-25T00:00:00+00:00"', '2026-11-25T00:00:00-12:00"', "expires is of another form"
    ),
    FileCase("no time zone", '2026-11-25T00:00:00+00:00"', '2026-11-25T00:00:00"', "expires is of another form"),
    FileCase("a signature that is none", '"signature": ""', '§"signature": "yes"', "ssh-keygen"),
    FileCase("a signature that is true", '"signature": ""', '§"signature": true', "ssh-keygen"),
)

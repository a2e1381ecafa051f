"""What the fourth issue must show, at full size: the policy engine."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.generation import tell
from benchmarks.sites import Size
from tests.cli_run import DAY, ROOT, configlet, timed
from tests.laws.analysis_size import write
from tests.laws.walk_judge import Judges, mutants
from tests.laws.walk_lists import pairs
from tests.product_site import product_site
from tests.show_run import Shown, passed
from tests.show_site import measured

LEAST = {"Aerleon": 10.0, "Capirca": 3.0}
"""How many times our CPU seconds a peer must take at least, for generating alone."""
MIB, PEAK = 1024 * 1024, 150_000_000
STRAIGHT = 0.2

PRODUCT = (100, 10, 100)


def product(platform: str, *sizes: int, hardware: int = 0) -> tuple[int, float, str, int]:
    """Of a site with one rule: the status of `check`, its CPU seconds, what it says, and the lines of the longest artifact."""
    with tempfile.TemporaryDirectory(prefix="configlet-show-") as folder:
        root = product_site(Path(folder), platform, *sizes, hardware=hardware)
        ended, seconds = timed("check", "dc9", "--at", DAY, cwd=root)
        configlet("render", "dc9", "--at", DAY, "--out", "out", cwd=root)
        texts = [path.read_text().count("\n") for path in (root / "out").glob("*")]
        return ended.returncode, seconds, ended.stdout + ended.stderr, max(texts, default=0)


def line_1() -> Shown:
    """20,000 terms from YAML to proven text, beside Aerleon and Capirca: CPU, memory, growth from 1k to 100k."""
    command = [sys.executable, "-m", "benchmarks.bench_generation", "--size", "full", "--json", "--only", "terms"]
    ended = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(ended.stdout)
    said: list[str] = []
    good: list[bool] = []
    for row in found["rows"]:
        if row["tool"] == "configlet":
            good.append(row["said"] == "proven" and row["cost"]["peak"] * MIB < PEAK)
            said.append(f"{row['case']} {row['cost']['cpu']:.2f} s, {row['cost']['peak']:.0f} MiB")
        elif row["tool"] in LEAST and (row["tool"] == "Aerleon" or "+" not in row["case"]):
            good.append(row["ratio"] >= LEAST[row["tool"]])
            said.append(f"{row['tool']} {row['ratio']:.1f} times ours")
    good += [spread <= STRAIGHT for spread in found["spread"].values()]
    said += [f"{name} straight within {spread:.0%}" for name, spread in found["spread"].items()]
    return sum(good), 14, "; ".join(said)


def line_2() -> Shown:
    """100 sources, 10 services, 100 destinations as groups: no explosion where groups exist, else a refusal in time."""
    _, loading, _, _ = product("eos", 1, 1, 1)
    refused, seconds, said, _ = product("eos", *PRODUCT)
    named = '"far to near" 100,000 (inventory/dc9/policy.yaml:7:5)' in said and "has room for 4,000" in said
    small, _, both, _ = product("ios", *PRODUCT)
    counted = re.search(r"needs (\d+) lines and takes 2,000; with its groups expanded it needs 100,\d+ entries", both)
    proved, _, _, lines = product("ios", *PRODUCT, hardware=300_000)
    host, _, _, elements = product("nftables", *PRODUCT)
    good = [
        refused == 3 and named and seconds - loading < 1.0,
        small == 3 and counted is not None and int(counted[1]) < 250,
        proved == 0 and lines < 500,
        host == 0 and elements < 1_500,
    ]
    said = (
        f"eos refuses 100,000 entries {max(seconds - loading, 0):.2f} s CPU beyond loading; ios says {lines} lines for "
        f"both directions, proved, or refuses both counts; a host's file has {elements} lines"
    )
    return sum(good), len(good), said


def line_3() -> Shown:
    """Pairs of 20,000 entries proved or refuted in time, 2,000 mutants refuted, 20,000 small pairs agree with two judges."""
    shown, said = 0, []
    for kind, family in ((k, f) for k in ("one", "two", "other") for f in (4, 6)):
        seen = json.loads(_module("tests.laws.walk_size", kind, str(family)))
        tell(f"{kind} v{family}: {seen}")
        limit = 1.0 if kind == "other" else 0.5
        shown += max(seen["equal"], seen["unequal"], *seen["walk"]) < limit and seen["peak"] < 100
        said.append(f"{kind} v{family} {seen['equal']}/{seen['unequal']} s {seen['peak']} MB")
    judges = Judges()
    counts = [mutants(family, 1_000, 1_000, 1, judges) for family in (4, 6)]
    tell(f"mutants: {counts}")
    refuted, same = sum(c.refuted for c in counts), sum(c.same for c in counts)
    equal = sum(judges.one_mind(*pair) for pair in pairs(1, 20_000))
    said.append(f"{refuted} mutants refuted ({same} of the same meaning beside)")
    said.append(f"20000 small pairs, {equal} equal, judges agree")
    return shown + (refuted == 2_000) + (0 < equal < 20_000), 8, "; ".join(said)


def line_4() -> Shown:
    """A site of 400 switches, 10,000 hosts and 50,000 rules: check cold and warm, plan after one changed rule."""
    found = measured(Size())
    cold, warm, planned = found.cold, found.warm, found.planned
    counts = cold.answer["sites"][0]["counts"]
    changed = {change["owner"] for change in planned.answer["plan"]["changes"]}
    good = [
        cold.status == 0 and counts["proved"] == counts["proofs"] > 20_000,
        cold.cpu < 8.0,
        cold.peak < 600,
        warm.status == 0 and warm.answer["sites"][0]["counts"] == counts and warm.cpu < 1.0,
        planned.status == 0 and bool(changed) and changed <= found.concerned,
        planned.cpu < 1.5,
    ]
    said = (
        f"cold {cold.cpu:.1f} s CPU, {cold.peak:.0f} MB, {counts['proofs']:,} proofs, {counts['distinct']:,} distinct; "
        f"warm {warm.cpu:.2f} s; plan {planned.cpu:.2f} s, {len(changed)} owners rendered and changed"
    )
    return sum(good), len(good), said


def line_5() -> Shown:
    """Analysis of 20,000 rules; a permit shadowed by two together; an adversarial set never answered wrongly."""
    said, shown = [], 0
    for kind in ("sets", "entries"):
        seconds, count = _analysed(kind, 20_000)
        shown += seconds < 3
        said.append(f"20000 rules ({kind}) {seconds:.2f} s CPU, {count} findings")
        tell(said[-1])
    shown += passed("tests/test_cli_analyse.py", "-k", "two_rules_together") == 1
    shown += passed("tests/laws/test_analysis.py") > 0
    seen = json.loads(_module("tests.laws.analysis_hostile", "5000"))
    shown += seen["judged"] > 0 and seen["live"] + seen["shadowed"] > 0
    said.append(
        f"5000 hostile rules {seen['seconds']} s, {seen['shadowed']} shadowed, {seen['undecided']} with something UNKNOWN, "
        f"{seen['judged']} verdicts judged, none wrong"
    )
    return shown, 5, "; ".join(said)


def _module(name: str, *arguments: str) -> str:
    """What a module of the tests prints, run in a process of its own."""
    around = {**os.environ, "PYTHONPATH": f"{ROOT / 'builder'}:{ROOT}"}
    command = [sys.executable, "-m", name, *arguments]
    return subprocess.run(command, cwd=ROOT, env=around, stdout=subprocess.PIPE, text=True, check=True).stdout


def _analysed(kind: str, count: int) -> tuple[float, int]:
    """Least CPU seconds of three of the whole command over a site of many rules, and how many findings it said."""
    with tempfile.TemporaryDirectory(prefix="configlet-show-") as folder:
        write(kind, count, Path(folder))
        least, found = 1e9, 0
        for _ in range(3):
            ended, seconds = timed("analyse", "dc1", "--at", DAY, "--json", cwd=Path(folder))
            least = min(least, seconds)
            found = len(json.loads(ended.stdout)["findings"])
    return least, found


def line_6() -> Shown:
    """The faults of peers, each shown not to happen here."""
    return passed("tests/tables/test_peers_faults.py"), 25, "rows of the table, through the commands"


def line_7() -> Shown:
    """Every figure in the docs stands beside the command that makes it."""
    files = passed("tests/laws/test_figures.py", "-k", "every_figure")
    return files, max(files, 20), f"{files} files, no figure of time, memory or speed without its command"

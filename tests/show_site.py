"""The site of the fourth issue at full size: checked cold, checked warm, planned after one changed rule.

What runs is a stub for the plan: of the owners that the change touches the real texts of before, of the ten thousand
others a line that stands for what they were told. The plan compares all of them, and renders what is touched.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.sites import Size, write
from configlet import pipeline
from configlet.pipeline.cache import Store
from configlet.pipeline.inputs import inputs
from configlet.pipeline.written import TEXTS, digest_of
from tests.cli_run import DAY, ROOT


@dataclass(frozen=True, slots=True)
class Run:
    """One command: CPU seconds of its process, its peak in MB, its exit status, its answer."""

    cpu: float
    peak: float
    status: int
    answer: dict[str, Any]


def run(*words: str, folder: Path) -> Run:
    """A process of its own, measured by the kernel."""
    out = folder / "answer.json"
    around = {**os.environ, "PYTHONPATH": str(ROOT / "builder"), "XDG_STATE_HOME": str(folder / "state")}
    command = [sys.executable, "-P", "-m", "configlet", *words, "--workspace", str(folder), "--at", DAY, "--json"]
    with out.open("w") as handle:
        child = subprocess.Popen(command, stdout=handle, env=around)
        _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return Run(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, child.returncode, json.loads(out.read_text()))


@dataclass(frozen=True, slots=True)
class Measured:
    """The three runs, and the owners that the changed rule concerns: two hosts and the gateways of their segments."""

    cold: Run
    warm: Run
    planned: Run
    concerned: frozenset[str]


def measured(size: Size) -> Measured:
    """A site of this size, made, checked twice, changed by one rule, planned."""
    with tempfile.TemporaryDirectory(prefix="configlet-show-") as name:
        folder = Path(name)
        write(folder, size)
        cold, warm = (run("check", size.name, folder=folder) for _ in range(2))
        rule, ends = _between_hosts(folder, size)
        concerned = _running(folder, size, ends)
        text = rule.read_text()
        at = text.index("service: [", text.index(f"from: [{ends[0]}]\n    to: [{ends[1]}]"))
        rule.write_text(text[:at] + "service: [tcp/61007" + text[text.index("]", at) :])
        planned = run("plan", size.name, "--from", str(folder / "running"), folder=folder)
        return Measured(cold, warm, planned, concerned)


def _between_hosts(folder: Path, size: Size) -> tuple[Path, tuple[str, str]]:
    """The last file with a rule between two hosts, and the two."""
    for path in sorted((folder / "inventory" / size.name / "policy").iterdir(), reverse=True):
        found = re.search(r"from: \[(h\d+)\]\n    to: \[(h\d+)\]", path.read_text())
        if found:
            return path, (found[1], found[2])
    raise AssertionError("the site has no rule between two hosts")


def _running(folder: Path, size: Size, hosts: tuple[str, str]) -> frozenset[str]:
    """Write what runs, and have it known as what shall run; returns these hosts and the gateways of their segments."""
    day = date.fromisoformat(DAY)
    site = pipeline.open_site(folder, size.name, day)
    segments = {work.segment for work in site.inventory.workloads if work.host in hosts}
    ways = {d for s in site.inventory.segments if s.name in segments and s.gateways for d in s.gateways.on}
    concerned = frozenset({*hosts, *ways})
    real = {artifact.owner: artifact for artifact in pipeline.artifacts_of(site, concerned)}
    out = folder / "running"
    out.mkdir()
    texts: dict[str, dict[str, list[str]]] = {}
    for owner, gates in site.placement.owners.items():
        text = real[owner].text if owner in real else f"{owner} runs what it was told\n"
        (out / f"{owner}.{gates[0].platform}.{gates[0].kind}").write_text(text)
        texts[owner] = {gates[0].platform: [digest_of(text)]}
    given = inputs(folder, size.name, day)
    assert given is not None
    os.environ["XDG_STATE_HOME"] = str(folder / "state")
    Store(folder).put(f"{TEXTS}-{given.key}", texts)
    return concerned

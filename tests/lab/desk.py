"""The lab of `desk`: one segment, a workload past the kernel, and nothing but its host and its NIC that could guard it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from configlet import pipeline
from configlet.lab import daemon, nic_tables
from configlet.lab.enter import run_in
from configlet.lab.probe_plan import plan_probes
from configlet.lab.probe_values import Probe
from configlet.lab.state import state_of
from configlet.lab.traffic import send
from configlet.pipeline.report import Report

SAMPLE = Path(__file__).parents[2] / "scripts" / "bypass"
sys.path.insert(0, str(SAMPLE.parent))
from bypass.stages import accept, cure  # noqa: E402 - beside the demo, which is no package

TODAY = date(2026, 11, 24)
SITE = "desk"
__all__ = ["Desk", "accept", "cure", "desk", "workspace"]


def workspace(root: Path) -> Path:
    """A workspace with the site; its inventory's file."""
    for name in ("configlets", "inventory"):
        shutil.copytree(SAMPLE / name, root / name)
    (root / "pyproject.toml").write_text('[project]\nname = "desk"\nversion = "0"\n', encoding="utf-8")
    return root / "inventory" / SITE / "site.yaml"


@dataclass(frozen=True)
class Desk:
    """A lab that is up."""

    root: Path

    def check(self) -> Report:
        """What `check` says now."""
        return pipeline.check(self.root, SITE, TODAY)

    def load_host(self) -> None:
        """The host's nftables, as it was rendered and proven."""
        texts = [a.text for a in pipeline.render(self.root, SITE, TODAY) if a.platform == "nftables"]
        done = run_in(state_of(self.root, SITE).path, "me1", ["nft", "-f", "-"], stdin="".join(texts))
        assert done.returncode == 0, done.stderr

    def load_nics(self) -> tuple[str, ...]:
        """The NICs' tables, those that there are."""
        return nic_tables.load(self.root, SITE, TODAY)

    def towards_me1(self) -> dict[str, list[tuple[Probe, bool]]]:
        """Packets of the probe to me1 by who sent them, and whether its application received each."""
        probes = [p for p in plan_probes(pipeline.open_site(self.root, SITE, TODAY)).probes if p.target == "me1"]
        heard = {h.number: bool(h.ears) for h in send(state_of(self.root, SITE).path, [p.shot for p in probes])}
        out: dict[str, list[tuple[Probe, bool]]] = {}
        for probe in (p for p in probes if p.kind == "pair"):
            out.setdefault(probe.source, []).append((probe, heard[probe.shot.number]))
        return out


@contextmanager
def desk(root: Path) -> Iterator[Desk]:
    """The lab, for as long as it is needed."""
    workspace(root)
    opened = pipeline.open_site(root, SITE, TODAY)
    daemon.up(opened.inventory, root, 1.0, lambda _: None)
    try:
        yield Desk(root)
    finally:
        daemon.down(root, SITE)

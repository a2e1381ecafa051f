"""Questions to a policy of any size: one changed rule, one pair of ends, everything that passes.

    python -m benchmarks.bench_questions
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Cost, middle, once
from benchmarks.peers import AERLEON, installed
from benchmarks.policies import unique, workspace

COUNT = {"quick": 2_000, "full": 20_000}
RUNS = {"quick": 1, "full": 3}
OURS = (sys.executable, "-P", "-m", "configlet")


def main() -> None:
    """Measure and print."""
    size = os.environ.get("SIZE") or "quick"
    count, runs = COUNT[size], RUNS[size]
    with tempfile.TemporaryDirectory(prefix="configlet-bench-") as scratch:
        root = workspace(unique(count), ("eos",), Path(scratch) / "ours")
        _second(root)
        peer = Path(scratch) / "peer"
        installed(AERLEON).write(unique(count), ("eos",), peer)
        rows = [(shlex.join(words[3:]), middle([once(words, root) for _ in range(runs)])) for words in _ours()]
        words = _packet(AERLEON.home)
        rows.append((shlex.join(["aclcheck", *words[1:]]), middle([once(words, peer) for _ in range(runs)])))
    print(f"{count:,} rules of shape *u*, from YAML to the answer; fresh processes, median of {runs}. The last is Aerleon's")
    print("packet check, which answers for one packet. Made by `python -m benchmarks.bench_questions`.\n")
    print("| command | CPU s | peak MiB |\n|---|---|---|")
    for words, cost in rows:
        print(f"| `{words}` | {_said(cost)} |")


def _said(cost: Cost) -> str:
    return f"{cost.cpu:.2f} | {cost.peak:.0f}"


def _ours() -> tuple[list[str], ...]:
    query = [*OURS, "query", "bench", "--from", "src-7", "--to", "dst-7"]
    return (
        [*OURS, "diff", "bench", "changed"],
        query,
        [*OURS, "query", "bench", "--from", "desks", "--to", "servers", "--service", "svc-7"],
        [*OURS, "only", "bench", "--to", "dst-7", "--allow", "svc-7"],
    )


def _packet(home: Path) -> list[str]:
    where = ["-p", "policies/pol/desks.yaml", "--definitions-directory", "def"]
    return [str(home / "bin" / "aclcheck"), *where, "-s", "10.0.1.113", "-d", "172.16.0.8", "--dport", "10007"]


def _second(root: Path) -> None:
    """The same site once more, with the destination of one rule changed."""
    first, other = root / "inventory" / "bench", root / "inventory" / "changed"
    shutil.copytree(first, other)
    for file, old, new in (("site.yaml", "name: bench", "name: changed"), ("policy.yaml", "to: [dst-77]", "to: [dst-78]")):
        text = (other / file).read_text()
        if text.count(old) != 1:
            raise ValueError(f"{file} has {old!r} {text.count(old)} times")
        (other / file).write_text(text.replace(old, new))


if __name__ == "__main__":
    main()

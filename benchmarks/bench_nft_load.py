"""What nft takes to check, load and list a host's map whose elements decide themselves, and one with a chain for each rule.

    python benchmarks/bench_nft_load.py ELEMENTS RULES    in a network namespace of its own (root): the least of five runs
    python benchmarks/bench_nft_load.py RULES             how many elements a user namespace loads at once; 0: a rule for each
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.chains import in_chains

HEAD = "table inet configlet\ndelete table inet configlet\ntable inet configlet {\n\tmap m {\n"
MAP = "\t\ttype ipv4_addr . inet_service : verdict\n\t\tflags interval\n\t\tcounter\n\t\telements = {\n"
TAIL = """
\t\t}
\t}
\tchain input {
\t\ttype filter hook input priority -10; policy drop;
\t\tmeta l4proto { 1, 6 } ct protocol 6 ct original ip saddr . ct original proto-dst vmap @m
\t}
}
"""
ASKED = {"check": ["-c", "-f"], "load": ["-f"], "list": ["-nn", "list", "table", "inet", "configlet"]}


def table(elements: int, rules: int) -> str:
    """A table of one map; every rule has as many elements as the others."""
    ports = ((n, 1024 + n % 4000) for n in range(elements))
    said = (
        f'\t\t\t10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255} . {low}-{low + 7} comment "app{n % rules:05d} between" : accept'
        for n, low in ports
    )
    return HEAD + MAP + ",\n".join(said) + TAIL


def taken(argv: list[str]) -> tuple[float, float]:
    """CPU and wall seconds of a command."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return cpu, time.perf_counter() - begun


def measured(elements: int, rules: int) -> None:
    """Both forms in turns, so that what else the machine does meets both."""
    new = table(elements, rules)
    with TemporaryDirectory() as folder:
        for name, text in (("elements", new), ("chains", in_chains(new))):
            Path(folder, name).write_text(text)
            print(f"{name:9} {text.count(chr(10)):7} lines {len(text):9} bytes")
        for what, argv in ASKED.items():
            runs: dict[str, list[tuple[float, float]]] = {"elements": [], "chains": []}
            for name, found in list(runs.items()) * 5:
                path = str(Path(folder, name))
                subprocess.run(["nft", *(["flush", "ruleset"] if what != "list" else ["-f", path])], check=True)
                found.append(taken(["nft", *argv, *([] if what == "list" else [path])]))
            for name, found in runs.items():
                print(f"{what:6} {name:9} {min(found)[0]:5.2f} s CPU {min(wall for _, wall in found):5.2f} s")


def most(rules: int) -> None:
    """The most elements that load at once, to fifty."""
    for name in ("elements", "chains"):
        low, high = 50, 20000
        while high - low > 50:
            middle = (low + high) // 2
            new = table(middle, rules or middle)
            text = new if name == "elements" else in_chains(new)
            done = subprocess.run(["unshare", "-Urn", "nft", "-f", "-"], input=text, text=True, capture_output=True, check=False)
            low, high = (middle, high) if done.returncode == 0 else (low, middle)
        print(f"{name:9} {low} elements at once, {rules or 'as many'} rules")


if __name__ == "__main__":
    sizes = [int(word) for word in sys.argv[1:]]
    if len(sizes) == 1:
        most(sizes[0])
    elif "INSIDE" in os.environ:
        measured(*sizes)
    else:
        os.environ["INSIDE"] = "1"
        os.execvp("unshare", ["unshare", "-n", sys.executable, *sys.argv])

"""What the first issue must show, at full size."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

from tests.cli_run import ROOT, configlet
from tests.show_run import NOBODY, Shown, clean_clone, demo_in, passed, pushed_lab


def line_1() -> Shown:
    """`make demo` from a clean clone; and the probe notices sabotage."""
    with clean_clone() as clone:
        good, last = demo_in(clone)
    noticed = 0
    with pushed_lab() as workspace:
        for words in (("me1", "flush"), ("leaf1", "unbind", "Vlan110 in")):
            assert configlet("lab", "probe", "dc1", cwd=workspace).returncode == 0
            assert configlet("lab", "fault", "dc1", *words, cwd=workspace).returncode == 0
            noticed += configlet("lab", "probe", "dc1", cwd=workspace).returncode == 1
            if words[1] == "flush":  # a flushed table lets nobody in, as its chains drop
                configlet("lab", "fault", "dc1", words[0], "open", cwd=workspace)
            assert configlet("push", "dc1", "--lab", "--yes", cwd=workspace).returncode == 0
    return good + noticed, 3, f"demo, flushed host, lost binding; {last}"


def line_2() -> Shown:
    """The same as an ordinary user."""
    if os.geteuid() != 0:
        with clean_clone() as clone:
            good, last = demo_in(clone)
        return int(good), 1, last
    with clean_clone(NOBODY) as clone:
        home = clone.parent / "home"
        home.mkdir()
        os.chown(home, NOBODY, NOBODY)
        user = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
        good, last = demo_in(clone, *user, HOME=str(home), PATH="/usr/local/bin:/usr/bin:/bin", TMPDIR=str(home))
    return int(good), 1, last


def line_3() -> Shown:
    """`make test` and `make check` from a clean clone."""
    with clean_clone() as clone:
        test = subprocess.run(["make", "test"], cwd=clone, capture_output=True, text=True, check=False)
        check = subprocess.run(["make", "check"], cwd=clone, capture_output=True, text=True, check=False)
    if test.returncode or check.returncode:
        sys.stderr.write(test.stdout[-3000:] + check.stdout[-2000:] + check.stderr[-1000:])
    laws = test.stdout.count("\nheld ")
    return (test.returncode == 0) + (check.returncode == 0), 2, f"make test names {laws} laws; make check"


def line_4() -> Shown:
    """Planted faults, each REFUTED with a true counterexample."""
    return passed("tests/laws/test_planted_faults.py"), 40, "planted faults REFUTED by a true packet"


def line_5() -> Shown:
    """Hostile inputs, each with its exit status and its place."""
    return passed("tests/tables/test_hostile_inputs.py"), 30, "hostile inputs refused at their place"


def line_6() -> Shown:
    """The same bytes whatever the order and the splitting."""
    laws = passed("tests/laws/test_yaml_order.py", "tests/laws/test_render_order.py")
    return laws, 2, "laws of order and splitting, bytes and values"


def line_7() -> Shown:
    """A connection that dies after the commit: a switch and a host go back by their own timers."""
    return passed("tests/lab", "-k", "dies_after_the_commit_is_reverted"), 2, "devices went back by their own timer"


def line_8() -> Shown:
    """`why` names gates, verdicts, lines, places, and says in a sentence why a host is blind."""
    ended = configlet("why", "dc1", "client1", "ogw1", "fix")
    said = ended.stdout
    wanted = (
        ended.returncode == 0,
        re.search(r"client1/nftables +passes +client1\.nftables\.filter-table:\d+", said),
        re.search(r"leaf1/Vlan110/in/v4 +passes +leaf1\.eos\.acl:\d+", said),
        re.search(r"leaf2/Vlan120/out/v6 +passes +leaf2\.eos\.acl:\d+", said),
        re.search(r"inventory/dc1/policy\.yaml:\d+", said),
        re.search(r"ogw1/nftables +blind +\S+ .*\.", said),
    )
    return sum(map(bool, wanted)), len(wanted), "parts of the answer"


def _cpu(*arguments: str) -> float:
    least = 99.0
    for _ in range(5):
        child = subprocess.Popen(
            [str(ROOT / ".venv" / "bin" / "configlet"), *arguments], cwd=ROOT, stdout=subprocess.DEVNULL
        )
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        assert child.returncode == 0
        least = min(least, used.ru_utime + used.ru_stime)
    return least


def line_9() -> Shown:
    """Start-up and check within their budgets."""
    version, check = _cpu("--version"), _cpu("check", "dc1", "--no-cache")
    return (version < 0.1) + (check < 0.6), 2, f"--version {version:.3f} s, check dc1 {check:.3f} s of CPU"


def line_10() -> Shown:
    """The wheel in an empty environment."""
    return passed("tests/laws/test_wheel.py"), 3, "laws of the built wheel"


def line_11() -> Shown:
    """A living connection that a push forbids is dead after it."""
    return (
        passed("tests/test_cli_lab.py", "-k", "living_connection"),
        1,
        "living connection ended by a push on a lab host",
    )


assert shutil.which("git"), "the lines are shown from clean clones"

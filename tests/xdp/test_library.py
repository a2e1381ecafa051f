"""What libbpf is told to call lives as long as the process, whoever asked for it."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.cli_run import ROOT

STORY = """
import gc
from configlet.hostside import bpf
def made():
    try:
        return bpf.Library()
    except bpf.Trouble:
        return None
first, other = made(), made()
del other
gc.collect()
if first:
    try:
        first.pointer("bpf_object__open_file", b"/etc/hostname", None)
    except bpf.Trouble:
        pass
print("alive")
"""


def test_one_user_of_the_library_that_goes_takes_nothing_from_another() -> None:
    around = {**os.environ, "PYTHONPATH": str(ROOT / "builder")}
    ended = subprocess.run([sys.executable, "-c", STORY], env=around, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "alive\n"), ended.stderr

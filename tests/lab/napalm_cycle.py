"""Unmodified NAPALM drivers through a whole cycle with the simulated switch of their platform, at its usual ports.

Run in a network namespace of its own: ``unshare -Urn python -m tests.lab.napalm_cycle DRIVER...``. Each driver opens, loads
lists of the platform's own template as a merge, compares, commits (under a timer and with a confirmation where it has
one) and rolls back, commits them again to stay, loads the whole configuration of before as a replace, compares, commits,
rolls back, and closes. After each step the switch itself is asked what it runs. A line of standard output for each
driver: its name, then its steps.
"""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.lab.eos_bench import PASSWORD, USER
from tests.lab.platform_bench import OLD, PlatformBench, artifact, bench_of, names

DRIVERS = {"eos": "eos", "ios": "ios", "nxos": "nxos", "nxos_ssh": "nxos", "junos": "junos", "iosxr": "iosxr"}
"""NAPALM's drivers that the issue names, and the platforms behind them."""
TIMED = ("eos", "ios", "junos")
"""Those that have a timer and a confirmation."""


def drivers() -> tuple[str, ...]:
    """Those of them whose platform the lab has."""
    return tuple(driver for driver, platform in DRIVERS.items() if platform in names())


def cycle(driver: str, bench: PlatformBench) -> Iterator[str]:
    """The steps, each told when it was seen to be right."""
    from napalm import get_network_driver

    wanted = artifact(bench.name, OLD)
    before, after = bench.runs, bench.change(wanted).after
    device = get_network_driver(driver)("127.0.0.1", USER, PASSWORD, timeout=30, optional_args=_options(driver, bench))
    timer = {"revert_in": 3600} if driver in TIMED else {}
    device.open()
    whole = device._get_checkpoint_file() if bench.name == "nxos" else device.get_config(retrieve="running")["running"]
    yield "open"
    device.load_merge_candidate(config=wanted.text)
    assert any(word in device.compare_config() for word in ("443", "https"))
    assert bench.runs == before, "a load is in force"
    yield "load, compare"
    device.commit_config(**timer)
    assert bench.runs == after, "the commit is not in force"
    assert not timer or device.has_pending_commit()
    yield "commit under a timer" if timer else "commit"
    device.rollback()
    assert bench.runs == before, "the rollback is not in force"
    yield "rollback"
    device.load_merge_candidate(config=wanted.text)
    device.commit_config(**timer)
    if timer:
        device.confirm_commit()
        assert not device.has_pending_commit()
        yield "commit, confirm"
    assert bench.runs == after, "the second commit is not in force"
    device.load_replace_candidate(config=whole)
    assert any(word in device.compare_config() for word in ("443", "https", "cfglt-"))
    device.commit_config()
    assert bench.runs == before, "the replace is not in force"
    device.rollback()
    assert bench.runs == after, "the rollback of the replace is not in force"
    yield "replace, rollback"
    device.close()
    yield "close"


def _options(driver: str, bench: PlatformBench) -> dict[str, Any]:
    known = {"ssh_strict": True, "alt_host_keys": True, "alt_key_file": str(bench.root / "known_hosts")}
    if driver == "eos":
        return {"context": ssl.create_default_context(cafile=str(bench.root / "ca.pem"))}
    if driver == "nxos":
        return {"ssl_verify": str(bench.root / "ca.pem"), "port": 443, **known}
    return known if driver != "junos" else {}


def main(chosen: list[str]) -> int:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    os.environ |= {"BENCH_USERNAME": USER, "BENCH_PASSWORD": PASSWORD}
    bad = 0
    for driver in chosen or drivers():
        sys.stdout.write(driver)
        with tempfile.TemporaryDirectory() as place, bench_of(DRIVERS[driver], Path(place), usual=True) as bench:
            try:
                for step in cycle(driver, bench):
                    sys.stdout.write(f"; {step}")
            except Exception as why:  # noqa: BLE001 - whatever goes wrong is shown, and the next driver tried
                bad += 1
                sys.stdout.write(f"; FAILED: {type(why).__name__}: {str(why)[:300]!r}")
        sys.stdout.write("\n")
        sys.stdout.flush()
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

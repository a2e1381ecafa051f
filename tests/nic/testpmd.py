"""DPDK applications for tests: the simulated one and the real testpmd, both behind `console.py hold`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import configlet.hostside
from configlet.hostside import console
from configlet.lab.nic.rteflow import Console

HOLD = Path(str(configlet.hostside.__file__)).with_name("console.py")
DEVICE = "0000:3b:00.0"
REAL = (
    "dpdk-testpmd -l 0,1 --no-huge --no-pci -m 64 --file-prefix={name} --vdev=net_tap0,iface={name} "
    "-- --no-mlockall --total-num-mbufs=1025 -i"
)


def impossible() -> str:
    """Why the real testpmd cannot run here; "" when it can."""
    if not shutil.which("dpdk-testpmd"):
        return "dpdk-testpmd is not installed (Debian: apt-get install dpdk)"
    return "" if os.geteuid() == 0 and Path("/dev/net/tun").exists() else "testpmd's net_tap needs root and /dev/net/tun"


@dataclass
class App:
    """An application behind a socket, and what was typed into it."""

    folder: Path
    state: Path
    command: tuple[str, ...] = ()
    device: str = DEVICE
    held: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def socket(self) -> Path:
        return self.folder / "console"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def start(self) -> None:
        """Start it, and wait until it can be talked to."""
        self.faults()
        self.log.unlink(missing_ok=True)
        words = self.command or (sys.executable, "-m", "configlet.lab.nic.rteflow", self.device, self.log, self.folder / "faults")
        env = {**os.environ, "PYTHONPATH": str(HOLD.parents[2]), "RUNTIME_DIRECTORY": str(self.folder)}
        self.held.append(subprocess.Popen([sys.executable, "-S", HOLD, "hold", self.socket, *words], env=env,
                                          stdout=subprocess.DEVNULL))  # fmt: skip
        end = time.monotonic() + 30
        while True:
            try:
                console.Console(str(self.socket)).close()
                return
            except console.Stop:
                assert time.monotonic() < end, "the application did not start"
                time.sleep(0.05)

    def stop(self) -> None:
        """End it as a crash does."""
        for held in self.held:
            if held.poll() is None:
                held.send_signal(signal.SIGKILL)
            held.wait(20)

    def faults(self, **after: int) -> None:
        """What it does from so many changes on: die, hang, refuse, mute."""
        (self.folder / "faults").write_text(json.dumps(after))

    def ask(self, line: str) -> str:
        with closing(console.Console(str(self.socket))) as line_to:
            return line_to.ask(line)

    def typed(self) -> list[str]:
        return [line for line in self.log.read_text().splitlines() if line]

    def moments(self) -> Iterator[Console]:
        """What it held after each command, as one that judges frames."""
        again = Console(device=self.device)
        for line in self.typed():
            again.ask(line)
            yield again


@contextmanager
def application(root: Path, state: Path, *command: str, device: str = DEVICE, nic: str = "ens1") -> Iterator[App]:
    """An application that runs, and the host's file that says where it is."""
    folder = root / "app"
    folder.mkdir(parents=True, exist_ok=True)
    (state / "rteflow").mkdir(parents=True, exist_ok=True)
    app = App(folder, state, command, device)
    (state / "rteflow" / "ports").write_text(f"{nic} {app.socket} {device}\n")
    try:
        app.start()
        yield app
    finally:
        app.stop()


def direct(folder: Path, simulated: Console) -> console.Rteflow:
    """Our tool over a simulated console in this process, without a terminal."""
    tool = console.Rteflow(folder)
    (folder / "ports").write_text(f"ens1 none {simulated.device}\n")
    tool._open = lambda nic: _Direct(simulated)  # type: ignore[method-assign,assignment,return-value]
    return tool


@dataclass
class _Direct:
    simulated: Console
    who: str = "1 1"

    def ask(self, line: str) -> str:
        return self.simulated.ask(line)

    def close(self) -> None:
        pass

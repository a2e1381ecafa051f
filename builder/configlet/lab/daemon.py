"""``lab up``, ``down``, ``status`` and ``fault``: talking to the one process that is the lab."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from configlet.lab import daemon_launch, features
from configlet.lab.daemon_launch import FAILED, READY
from configlet.lab.state import State, alive, claim, clean, ready, state_of
from configlet.lab.state_trust import managements, variable
from configlet.lab.topology import wiring
from configlet.model.inventory import Inventory
from configlet.model.problem import Problem, Refused, refuse

_PATIENCE = 30.0
_FASTEST = 1000.0


def up(inventory: Inventory, root: Path, speed: float = 1.0, log: Callable[[str], None] = lambda _: None) -> None:
    """Raise the lab of a site and return when it answers; ``log`` gets a line for each step.

    ``speed`` divides the seconds of the switches' and hosts' timers. Raises Refused, with everything that is missing,
    when this machine cannot hold the lab, when the site cannot be built, or when its lab is up already.
    """
    if not 0 < speed <= _FASTEST:
        raise refuse("speed out of range", f"The lab's speed must be above 0 and at most {_FASTEST:g}, not {speed:g}.")
    wired = wiring(inventory)
    _check(inventory)
    state = state_of(root, inventory.site)
    lock = claim(state)
    try:
        clean(state)
        reader = daemon_launch.launch(state, lock, partial(_become, inventory, wired, state, speed))
    finally:
        os.close(lock)  # the daemon holds it now
    try:
        problem = _listen(reader, log)
    except BaseException:
        _wait_for_end(state, 0)
        raise
    if problem:
        _wait_for_end(state)
        raise refuse("the lab did not come up", f"{problem}\nThe daemon's log is {state.log}.")


def _become(*arguments: Any) -> None:
    """In the daemon: import what only the daemon needs, and serve."""
    from configlet.lab.daemon_serve import serve

    serve(*arguments)


def _check(inventory: Inventory) -> None:
    """Refuse before anything is started: missing features, unknown platforms, credentials of an unknown kind."""
    from configlet.lab.daemon_serve import personality

    problems = [
        Problem(f"this machine lacks {f.name}", f"The lab needs it ({f.detail}). Get it: {f.remedy}.")
        for f in features.missing()
    ]
    for management in managements(inventory):
        variable(management)
    for device in inventory.devices:
        if device.management:
            personality(device.platform)
    if problems:
        raise Refused(problems)


def _listen(reader: int, log: Callable[[str], None]) -> str:
    """Hand on what the daemon says; why it failed, or nothing when it is ready."""
    with os.fdopen(reader, encoding="utf-8", errors="replace") as file:
        for line in file:
            text = line.rstrip("\n")
            if text == READY:
                return ""
            if text.startswith(FAILED):
                return text.removeprefix(FAILED)
            log(text)
    return "The daemon ended without a word."


def _ask(state: State, request: dict[str, Any]) -> dict[str, Any]:
    """Send one request to the daemon; Refused with what it refuses."""
    ready(state)
    folder = os.open(state.path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(_PATIENCE)
            sock.connect(f"/proc/self/fd/{folder}/control.sock")
            sock.sendall(json.dumps(request).encode() + b"\n")
            with sock.makefile("rb") as file:
                answer: dict[str, Any] = json.loads(file.readline() or b"{}")
    except OSError as problem:
        raise refuse("the lab does not answer", f"{problem}. End it with `configlet lab down`.") from problem
    finally:
        os.close(folder)
    if not answer.pop("ok", False):
        raise Refused([Problem(s, d) for s, d in answer.get("problems", [["the lab does not answer", "It ended."]])])
    return answer


def status(root: Path, site: str) -> dict[str, Any]:
    """What the lab of a site is: what is simulated, its namespaces, servers, speed and faults.

    Raises Refused when it is not up.
    """
    return _ask(state_of(root, site), {"verb": "status"})


def settle(root: Path, site: str) -> None:
    """Have every simulated NIC judge by all that it was told until now. Raises Refused when one does not."""
    _ask(state_of(root, site), {"verb": "settle"})


def fault(root: Path, site: str, device: str, kind: str, arg: str = "") -> dict[str, Any]:
    """Make something go wrong on a switch or host of the lab. Raises Refused for what it does not know."""
    return _ask(state_of(root, site), {"verb": "fault", "device": device, "kind": kind, "arg": arg})


def down(root: Path, site: str) -> None:
    """End the lab of a site, with every process and namespace in it, and remove its folder.

    What a lab that died left behind is removed too. Raises Refused when there is no lab.
    """
    state = state_of(root, site)
    if not state.path.exists():
        raise refuse("the lab is not up", f"No lab of site {site} runs in this workspace; there is nothing to end.")
    if alive(state):
        with suppress(Refused):
            _ask(state, {"verb": "down"})
        _wait_for_end(state)
    shutil.rmtree(state.path)


def _wait_for_end(state: State, patience: float = _PATIENCE / 3) -> None:
    """Wait until nothing of a lab is left; one that takes longer than that has its first process killed.

    The first process is gone only after every other process of its pid namespace.
    """
    pid = _first_process(state)
    deadline = time.monotonic() + patience
    while alive(state) or (pid and _runs(pid)):
        if time.monotonic() > deadline:
            if not (pid and alive(state)):
                raise refuse("the lab does not end", f"Its first process, {pid or 'of unknown pid'}, is still there.")
            os.kill(pid, signal.SIGKILL)
            deadline = time.monotonic() + _PATIENCE
        time.sleep(0.02)


def _first_process(state: State) -> int:
    """The pid of the lab's first process; 0 when it was never written."""
    try:
        return int((state.path / "pid").read_text())
    except FileNotFoundError:
        return 0


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False

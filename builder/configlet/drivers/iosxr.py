"""Cisco IOS-XR over the command line by SSH, with the host key verified.

The configuration is locked, the lines go into the target configuration of our login, and what the device makes of them is
read back before anything is in force. The commit is one that the device takes back unless another follows. In it stands
an alias that names our change: whoever asks finds it in what runs as long as the change waits, the device's own way back
takes it away with all the rest, and the commit that confirms takes it away for good.

Not NAPALM's driver: it goes into the XML agent, which newer releases do not have and whose timer ends at five minutes; and
when others committed meanwhile it discards, loads the whole configuration anew, and commits that without a timer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from configlet.drivers.base import Canonical, Lost, Rejected, TakenBack, Target
from configlet.drivers.cli_connect import connected, left
from configlet.drivers.cli_session import Refusal, Session
from configlet.model.plan import Change
from configlet.model.problem import Refused

PATIENCE = 60.0
"""Seconds for one command, or one window of lines."""
LEAST, MOST = 30, 65535
"""Seconds of the device's timer."""
WINDOW = 50
"""Lines at a time; those of a target configuration are not in force."""
MARK = "alias exec cfglt-pending"
_NAME = re.compile(r"cfglt-[A-Za-z0-9._-]+")
_MARKED = re.compile(rf"^{MARK} (\S+) *$", re.MULTILINE)


class IosxrDriver:
    """One router, over one SSH connection."""

    def __init__(self, target: Target, canonical: Canonical) -> None:
        self._target, self._canonical = target, canonical
        self._change: Change | None = None
        self._loaded_from = ""
        self._staged = False
        self._api = connected(target, PATIENCE, _Login)
        try:
            with self._asking():
                self._cli = Session(self._api.device.remote_conn, self._api.device.find_prompt(), PATIENCE)
        except BaseException:
            left(self._api)
            raise

    def running(self) -> str:
        """``show running-config``, all of it."""
        with self._asking():
            text = self._cli.ask("show running-config")
        if not text.rstrip().endswith("\nend"):
            raise Lost("what the device shows of its configuration breaks off")
        return text

    def load(self, change: Change) -> str:
        """Lock, fill the target configuration, and look at what the whole would be. Nothing is active yet."""
        self._change = change
        self._configuring()
        try:
            return self._filled(change)
        except BaseException:
            self._left()
            raise

    def _filled(self, change: Change) -> str:
        self._loaded_from = self.running()
        if self._shown(self._loaded_from) != change.before:
            raise Rejected("the plan is stale: the device no longer runs what the plan was made from")
        if (other := self.pending()) is not None:
            raise Rejected(f"a change is pending on the device already ({other})")
        lines = [line.strip() for line in change.load.splitlines() if line.strip(" !")]
        with self._asking():
            self._cli.enter([*lines, "root", f"{MARK} {self._named(self._target.token)}"], WINDOW)
            staged, diff = self._cli.ask("show configuration merge"), self._cli.ask("show configuration")
        if self._shown(staged) != change.after or _others(staged) != _others(self._loaded_from):
            raise Rejected(f"what the device would run is not what was planned:\n{diff}")
        self._staged = True
        return diff

    def commit(self, seconds: int) -> str:
        """Commit under the device's timer, if nothing changed since the lock; read back."""
        if self._change is None or not self._staged:
            raise Rejected("nothing was staged")
        token, seconds = self._named(self._target.token), max(seconds, LEAST)
        try:
            if seconds > MOST:
                raise Rejected(f"a timer of {seconds} s is not within {LEAST} to {MOST} s")
            if _lines(self.running()) != _lines(self._loaded_from):
                raise Rejected("somebody changed the device since the change was staged; nothing was committed")
            with self._asking():
                self._cli.ask(f"commit confirmed {seconds}")
        finally:
            self._left()
        try:
            self._as_planned(token)
        except Rejected as error:
            self._back(token, str(error))
        return token

    def _as_planned(self, token: str) -> None:
        assert self._change is not None
        text = self.running()
        if _mark(text) != token:
            raise Lost("its timer ran out while the change was committed")
        if self._shown(text) != self._change.after:
            raise Rejected("after the change the device does not show what was planned")
        if _others(text) != _others(self._loaded_from):
            raise Rejected("the change touched what is not ours")

    def confirm(self, token: str) -> None:
        """Commit the removal of our mark, which ends the timer. What is committed is what the device starts with."""
        self._configuring()
        try:
            if self.pending() != token:
                raise Rejected(f"no change {token} is pending on the device")
            with self._asking():
                self._cli.enter([f"no {MARK}"], 1)
                self._cli.ask("commit")
            if self.pending() is not None:
                raise Lost("the change was confirmed, and the device still shows that it waits")
        finally:
            self._left()

    def revert(self, token: str) -> None:
        """Take our commit back, if it is the last one. Rejected when it is not pending."""
        if self.pending() != token:
            raise Rejected(f"no change {token} is pending on the device")
        self._rolled_back(token)
        if self.pending() == token:
            raise Lost("the device was told to roll back, and still shows the change")

    def pending(self) -> str | None:
        """The mark of a change that waits: the device's way back takes it away, and so does the confirmation."""
        return _mark(self.running())

    def save(self) -> None:
        """Nothing is to be done: a commit is for good."""
        if self.pending() is not None:
            raise Rejected("a change is pending on the device; it is for good only when it was confirmed")

    def close(self) -> None:
        """Leave: the target configuration of a login goes with it, and so does its lock."""
        with suppress(Exception):
            self._left()
        left(self._api)

    def _back(self, token: str, why: str) -> None:
        """Take back what was committed. Raises TakenBack when all is as it was, Lost when that cannot be seen."""
        try:
            self._rolled_back(token)
            same = _lines(self.running()) == _lines(self._loaded_from)
        except Rejected as error:
            raise Lost(f"{why}; it was told to revert: {error}") from error
        if not same:
            raise Lost(f"{why}; it was told to revert, and does not show what ran before")
        raise TakenBack(why)

    def _rolled_back(self, token: str) -> None:
        with self._asking():
            last = self._cli.ask("show configuration commit changes last 1")
        if _mark(last) != token:
            raise Rejected("somebody committed after us, so the last commit is not ours to take back. Look at it")
        with self._asking():
            said = self._cli.ask("rollback configuration last 1")
        if "successfully rolled back" not in said:
            raise Rejected(f"the device did not roll back: {said.strip()}")

    def _configuring(self) -> None:
        """Into configuration mode, with the configuration locked."""
        with self._asking():
            said = self._cli.ask("configure exclusive")
        if not self._cli.mode:
            raise Rejected(f"the device does not lock its configuration for us: {said.strip()}")

    def _left(self) -> None:
        """Out of configuration mode, with what is in the target configuration dropped."""
        self._staged = False
        if self._cli.mode:
            with suppress(Rejected), self._asking():
                self._cli.ask("abort")

    def _shown(self, text: str) -> str:
        assert self._change is not None
        try:
            return self._canonical(self._change.platform, self._change.kind, text)
        except Refused as refused:
            raise Rejected(f"what it shows in our sections cannot be understood: {refused}") from refused

    @staticmethod
    def _named(token: str) -> str:
        if not _NAME.fullmatch(token):
            raise Rejected(f'"{token}" is not the name of a change of ours')
        return token

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """What the session, netmiko and paramiko raise, in our words."""
        from netmiko.exceptions import NetmikoBaseException
        from paramiko.ssh_exception import SSHException

        try:
            yield
        except Refusal as error:
            raise Rejected(str(error)) from error
        except (NetmikoBaseException, SSHException, EOFError, OSError) as error:
            said = str(error).strip().splitlines()
            why = said[0] if said else type(error).__name__
            raise Lost(f"no answer from {self._target.address}: {why}") from error


class _Login:
    """netmiko's login, in the form of one of NAPALM's drivers."""

    def __init__(self, host: str, username: str, password: str, *, optional_args: Mapping[str, Any]) -> None:
        self._options = {"host": host, "username": username, "password": password, **optional_args}
        self.device: Any = None
        self._netmiko_device: Any = None

    def open(self) -> None:
        """Log in."""
        from netmiko import ConnectHandler

        self.device = self._netmiko_device = ConnectHandler(device_type="cisco_xr", **self._options)


def _mark(text: str) -> str | None:
    found = _MARKED.search(text)
    return found[1] if found else None


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines() if line.strip(" !") and not line.startswith(("!", "Building"))]


def _others(text: str) -> list[str]:
    """The configuration without comments, our lists and their bindings, and our mark."""
    kept: list[str] = []
    ours = False
    for line in _lines(text):
        if line.startswith(f"{MARK} "):
            continue
        ours = bool(re.fullmatch(r"(ipv4|ipv6) access-list cfglt-\S+", line)) or (ours and line[0] == " ")
        if not ours and not re.fullmatch(r" +(ipv4|ipv6) access-group cfglt-\S+ (ingress|egress)", line):
            kept.append(line)
    return kept

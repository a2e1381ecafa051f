"""Cisco IOS-XE through NAPALM's SSH connection, with the host key verified.

There is no candidate: a line is in force when it is entered. So the text is laid into flash under our token and
compared by the device; then, under ``configure terminal revert timer``, the plan's proven steps go in one by one, and
everything that touches no traffic yet in windows. The first line under the timer is an alias that names our change: the
device's revert takes it away with all the rest, so whoever asks knows whose timer runs.

Never NAPALM's commit, confirm or rollback: they miss most rejected lines, and save.
"""

from __future__ import annotations

import difflib
import re
import time
from contextlib import AbstractContextManager, suppress
from typing import Any

from configlet.drivers import cli_lists, own
from configlet.drivers.base import Canonical, Lost, Rejected, TakenBack, Target
from configlet.drivers.cli_connect import asking, connected, left
from configlet.drivers.cli_session import Refusal, Session
from configlet.model.plan import Change

PATIENCE = 30.0
"""Seconds for one command, or one window of lines."""
MINUTES = 120
"""The longest timer of the device."""
SHARE = 0.6
"""Of the timer's time, how much entering lines may take; and a line that hangs must end well before it runs out too.
What the device took after that would stay for good, and might bind a list that the timer took away."""
WINDOW = 50
"""Lines at a time where nothing is in force yet; where it is, one."""
MARK = "alias exec cfglt-pending"
_NOTHING = "%No Rollback Confirmed Change pending"
_OFF = "%Archive feature not enabled"
_OURS = re.compile(r"(ip access-list extended|ipv6 access-list|object-group (network|service)) cfglt-\S+")
_BOUND = re.compile(r"(ip access-group|ipv6 traffic-filter) cfglt-\S+ (in|out)")
_STAGED = re.compile(r"(?<= )cfglt-[A-Za-z0-9._-]+\.cfg(?=\s)")


class IosDriver:
    """One switch, over one SSH connection."""

    libraries = ("napalm.base.exceptions", "napalm.ios")

    clock = staticmethod(time.monotonic)
    """Seconds, as fast as those of the device."""

    def __init__(self, target: Target, canonical: Canonical) -> None:
        self._target, self._canonical = target, canonical
        self._change: Change | None = None
        self._loaded_from = ""
        self._staged = False
        self._until: float | None = None
        self._api = _connected(target)
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
        """Lay the lines into flash under our token and have the device compare them. Nothing is active yet."""
        self._change, self._loaded_from = change, self.running()
        if self._shown(self._loaded_from) != change.before:
            raise Rejected("the plan is stale: the device no longer runs what the plan was made from")
        if self._planned(self._loaded_from, change.load.splitlines()) != change.after:
            raise Rejected("the plan is stale: its steps do not lead to what was planned from the numbers of now")
        with self._asking():
            if _OFF in self._cli.ask("show archive", known=(_OFF,)):
                raise Rejected(
                    "the device keeps no archive, so it could not take the change back by itself. Configure "
                    "`archive` with a `path` on it"
                )
            self._tidied()
            self._staged = True
            self._api.load_merge_candidate(config=change.load)
            diff = str(self._api.compare_config())
        return diff or "\n".join(difflib.ndiff(change.before.splitlines(), change.after.splitlines()))

    def commit(self, seconds: int) -> str:
        """Start the device's timer (whole minutes, rounded up), then take the steps; read back.

        Whatever is refused on the way is taken back at once.
        """
        change, minutes = self._change, -(-seconds // 60)
        if change is None or not self._staged:
            raise Rejected("nothing was staged")
        if not 1 <= minutes <= MINUTES:
            raise Rejected(f"a timer of {seconds} s is not within 1 s to {MINUTES} minutes")
        now = self.running()
        moved = self._planned(now, change.load.splitlines()) != change.after
        if moved or _others(now) != _others(self._loaded_from):
            raise Rejected("somebody changed the device since the change was staged; nothing was committed")
        other = self.pending()
        if other is not None:
            raise Rejected(f"a change is pending on the device already ({other})")
        token = own.named(self._target.token)
        self._until = self.clock() + min(60 * minutes * SHARE, 60 * minutes - PATIENCE - 5)
        self._timed(minutes, token)
        # From here on everything is the device's to take back, and nobody else's timer can be there.
        try:
            self._entered([f"{MARK} {token}"], 1)
            self._step(change)
        except Rejected as error:
            self._back(token, str(error))
        self._staged = False
        return token

    def confirm(self, token: str) -> None:
        """End the timer, then tidy up and save. The timer alone is not enough: the device must show our mark."""
        if self.pending() != token or f"{MARK} {token}" not in self.running().splitlines():
            raise Rejected(f"no change {token} is pending on the device")
        with self._asking():
            self._cli.ask("configure confirm")
        self.save()

    def revert(self, token: str) -> None:
        """Have the device restore what ran before its timer, or drop what was only staged."""
        own.named(token)
        if self.pending() == token:
            with self._asking():
                self._cli.ask("configure revert now")
            if self.pending() == token:
                raise Lost("the device was told to revert, and its timer still runs")
            self._drop(token)
        elif not self._drop(token):
            raise Rejected(f"no change {token} is pending on the device")

    def pending(self) -> str | None:
        """The token under which the revert timer runs; for a timer of somebody else's, a word on whose it is.

        A timer of this login without a mark, beside a file that we staged, is ours: the connection was cut between
        the two.
        """
        with self._asking():
            timer = self._cli.ask("show archive config rollback timer", known=(_NOTHING, _OFF))
            if _NOTHING in timer or _OFF in timer:
                return None
            marks = self._cli.ask(f"show running-config | include {MARK}").splitlines()
            staged = self._staged_here()
        for mark in marks:
            if mark.startswith(f"{MARK} "):
                return mark.removeprefix(f"{MARK} ").strip()
        user = next((line.partition(":")[2].strip() for line in timer.splitlines() if "User:" in line), "?")
        if user == self._api.username and len(staged) == 1:
            return staged[0].removesuffix(".cfg")
        return f"a revert timer of {user}"

    def save(self) -> None:
        """Take away what a confirmed change leaves (our mark, lists that nothing binds), then ``write memory``."""
        if self.pending() is not None:
            raise Rejected("a timer runs on the device; nothing is saved before it was confirmed")
        text = self.running()
        lines = [f"no {header}" for header in cli_lists.shown(text).spare()]
        if any(line.startswith(f"{MARK} ") for line in text.splitlines()):
            lines.append(f"no {MARK}")
        with self._asking():
            if lines:
                self._entered(lines, 1)
            if "[OK]" not in self._cli.ask("write memory"):
                raise Lost("the device does not say that it saved")
        self._drop(self._target.token)

    def close(self) -> None:
        """Drop what was staged and not committed, and leave. A timer that runs is not touched."""
        with suppress(Exception):
            if self._staged:
                self._drop(self._target.token)
        left(self._api)

    def _timed(self, minutes: int, token: str) -> None:
        """Into configuration mode under the timer. Raises Rejected, and leaves no timer of ours, when it is not so."""
        try:
            with self._asking():
                said = self._cli.ask(f"configure terminal revert timer {minutes}")
            if not self._cli.mode:
                raise Rejected(f"the device does not begin a change under a timer: {said.strip()}")
        except Rejected as error:
            if not self._cli.mode:
                raise
            with suppress(Rejected), self._asking():
                self._cli.ask("end")
            if self.pending() == token:
                self._back(token, str(error))
            raise

    def _step(self, change: Change) -> None:
        """The lines that touch nothing in force, looked at; then the others one by one; then looked at."""
        build, rest = cli_lists.phases(cli_lists.shown(self._loaded_from), change.load)
        if build:
            self._entered(build, WINDOW)
            if self._planned(self.running(), rest) != change.after:
                raise Rejected("what was built beside what runs is not what was planned; it was not put in force")
        if rest:
            self._entered(rest, 1)
        text = self.running()
        if f"{MARK} {self._target.token}" not in text.splitlines():
            raise Lost("its timer ran out while the change was entered")
        if self._shown(text) != change.after:
            raise Rejected("after the change the device does not show what was planned")
        if _others(text) != _others(self._loaded_from):
            raise Rejected("the change touched what is not ours")

    def _entered(self, lines: list[str], window: int) -> None:
        """Configuration lines, from configuration mode or into it, and out of it again whatever happens."""
        with self._asking():
            if not self._cli.mode:
                self._cli.ask("configure terminal")
            if not self._cli.mode:
                raise Rejected("the device does not go into configuration mode")
            try:
                self._cli.enter([line.strip() for line in lines], window, self._late)
            finally:
                with suppress(Refusal):
                    self._cli.ask("end")

    def _late(self) -> bool:
        return self._until is not None and self.clock() > self._until

    def _back(self, token: str, why: str) -> None:
        """Take back what was begun. Raises TakenBack when all is as it was, Lost when that cannot be seen."""
        assert self._change is not None
        try:
            with self._asking():
                self._cli.ask("configure revert now", known=(_NOTHING,))
            pending, text = self.pending(), self.running()
            same = self._shown(text) == self._change.before and _others(text) == _others(self._loaded_from)
        except Rejected as error:
            raise Lost(f"{why}; it was told to revert: {error}") from error
        if pending is not None or not same or any(line.startswith(f"{MARK} ") for line in text.splitlines()):
            raise Lost(f"{why}; it was told to revert, and does not show what ran before")
        self._drop(token)
        raise TakenBack(why)

    def _planned(self, running: str, lines: list[str]) -> str:
        """The canonical text after these lines, by our own understanding of them. Raises Rejected."""
        try:
            return self._shown(cli_lists.entered(cli_lists.shown(running), lines).text())
        except cli_lists.Strange as error:
            raise Rejected(f"the plan is stale, or not of ours: {error}") from error

    def _tidied(self) -> None:
        """Delete what earlier runs of ours staged here and could not take away: none of them is under way."""
        for name in self._staged_here():
            self._cli.ask(f"delete /force flash:{name}")

    def _staged_here(self) -> list[str]:
        ending = f"-{self._target.owner}.cfg"
        return [name for name in _STAGED.findall(self._cli.ask("dir flash:")) if name.endswith(ending)]

    def _drop(self, token: str) -> bool:
        """Delete the staged file of that name; whether there was one."""
        file = f"flash:{own.named(token)}.cfg"
        with self._asking():
            try:
                self._cli.ask(f"dir {file}")
            except Refusal:
                return False
            self._cli.ask(f"delete /force {file}")
        if token == self._target.token:
            self._staged = False
        return True

    def _shown(self, text: str) -> str:
        return own.shown(self._canonical, self._change, text)

    def _asking(self) -> AbstractContextManager[None]:
        """What the session, NAPALM, netmiko and paramiko raise, in our words."""
        from napalm.base.exceptions import CommandErrorException, MergeConfigException
        from scp import SCPException

        return asking(self._target, refused=(MergeConfigException, CommandErrorException), lost=(SCPException,))


def _connected(target: Target) -> Any:
    from napalm.ios import IOSDriver

    staged = {"merge_cfg": f"{target.token}.cfg", "dest_file_system": "flash:", "auto_file_prompt": False}
    return connected(target, PATIENCE, IOSDriver, **staged)


def _others(text: str) -> list[str]:
    """The configuration without comments, our lists and their bindings, and our mark."""
    no = "!", "Building configuration", "Current configuration", f"{MARK} "
    return own.others((line for line in text.splitlines() if line.strip() and not line.startswith(no)), _OURS, _BOUND)

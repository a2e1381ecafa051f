"""Cisco NX-OS through NAPALM's SSH connection, with the host key verified.

A change is a session of the Session Manager under our token: the device takes its lines, verifies them against the
hardware, and commits all of them or nothing. NX-OS has no commit timer, so a job of its scheduler is one: before the
session is committed, a schedule is set that rolls back to a checkpoint of what runs, and the checkpoint is taken when the
schedule stands in it, so that the rollback leaves the schedule alone. The job names the checkpoint, and that is our token.

Never NAPALM's commit or rollback: they have no timer, miss most rejected lines, and save.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from configlet.drivers import cli_lists, own
from configlet.drivers.base import Canonical, Lost, Rejected, TakenBack, Target
from configlet.drivers.cli_connect import asking, connected, left
from configlet.drivers.cli_session import Refusal, Session
from configlet.model.plan import Change

PATIENCE = 60.0
"""Seconds for one command, or one window of lines."""
MINUTES = 24 * 60
WINDOW = 50
"""Lines at a time; those of a session are not in force."""
TIMER = "cfglt-pending"
"""The name of the schedule and its job: there is one at most, as a device has one change of ours at most."""
_ROLLBACK = re.compile(r"^ *rollback running-config checkpoint (\S+) *$", re.MULTILINE)
_OURS = re.compile(r"(ip|ipv6) access-list cfglt-\S+")
_BOUND = re.compile(r"(ip access-group|ipv6 traffic-filter) cfglt-\S+ (in|out)")
_OUR_TIMER = re.compile(
    rf"^scheduler job name {TIMER}\n(?s:.*?)^end-job\n|^scheduler schedule name {TIMER}\n(?:[ \t].*\n)*", re.MULTILINE
)
_STEP = re.compile(r"\d{4,} +(\S.*)")


class NxosDriver:
    """One switch, over one SSH connection."""

    libraries = ("napalm.base.exceptions", "napalm.nxos_ssh")

    def __init__(self, target: Target, canonical: Canonical) -> None:
        self._target, self._canonical = target, canonical
        self._change: Change | None = None
        self._loaded_from = ""
        self._staged = False
        self._api = _connected(target)
        try:
            with asking(self._target):
                self._cli = Session(self._api.device.remote_conn, self._api.device.find_prompt(), PATIENCE)
        except BaseException:
            left(self._api)
            raise

    def running(self) -> str:
        """``show running-config``, all of it."""
        with asking(self._target):
            text = self._cli.ask("show running-config")
        if not re.search(r"^version \S", text, re.MULTILINE):
            raise Lost("what the device shows is no whole configuration")
        return text

    def load(self, change: Change) -> str:
        """Give the lines to a session of our own, have the device verify it, and look at what it holds."""
        self._change, self._loaded_from = change, self.running()
        if self._shown(self._loaded_from) != change.before:
            raise Rejected("the plan is stale: the device no longer runs what the plan was made from")
        if self._planned(self._loaded_from, change.load.splitlines()) != change.after:
            raise Rejected("the plan is stale: its steps do not lead to what was planned from the numbers of now")
        if "feature scheduler" not in self._loaded_from.splitlines():
            raise Rejected(
                "the device's scheduler is off, so it could not take the change back by itself. Configure "
                "`feature scheduler` on it"
            )
        if (other := self.pending()) is not None:
            raise Rejected(f"a change is pending on the device already ({other})")
        self._tidied()
        self._loaded_from = self.running()
        token = own.named(self._target.token)
        with asking(self._target):
            self._staged = True
            self._in_session(token, [line.strip() for line in change.load.splitlines() if line.strip()])
            diff = self._cli.ask(f"show configuration session {token}")
        if self._planned(self._loaded_from, _steps(diff)) != change.after:
            raise Rejected(f"the session holds something else than was given to it:\n{diff}")
        return diff

    def commit(self, seconds: int) -> str:
        """Set the timer (whole minutes, one more than asked, as the device may cut them), commit, read back.

        Whatever is refused on the way is taken back at once.
        """
        change, minutes = self._change, -(-seconds // 60) + 1
        if change is None or not self._staged:
            raise Rejected("nothing was staged")
        if not (seconds > 0 and minutes <= MINUTES):
            raise Rejected(f"a timer of {seconds} s is not within 1 s to {MINUTES - 1} minutes")
        now = self.running()
        if self._shown(now) != change.before or _others(now) != _others(self._loaded_from):
            raise Rejected("somebody changed the device since the change was staged; nothing was committed")
        token = own.named(self._target.token)
        self._timed(minutes, token)
        # From here on everything is the device's to take back.
        try:
            self._committed(token)
            text = self.running()
            if self.pending() != token:
                raise Lost("its timer ran out while the change was committed")
            if self._shown(text) != change.after:
                raise Rejected("after the change the device does not show what was planned")
            if _others(text) != _others(self._loaded_from):
                raise Rejected("the change touched what is not ours")
        except Rejected as error:
            self._back(token, str(error))
        self._staged = False
        return token

    def confirm(self, token: str) -> None:
        """Take the schedule away, then tidy up and save. The device must show that our job still waits."""
        if self.pending() != token:
            raise Rejected(f"no change {token} is pending on the device")
        self._untimed()
        if self.pending() is not None:
            raise Lost("the timer was ended, and the device still shows it")
        self.save()

    def revert(self, token: str) -> None:
        """Roll back to the checkpoint, then end the timer; or drop what was only staged. Rejected when there is nothing."""
        if self.pending() == token:
            self._rolled_back(token)
            self._untimed()
            self._dropped(token)
        elif not self._dropped(token):
            raise Rejected(f"no change {token} is pending on the device")

    def pending(self) -> str | None:
        """The checkpoint to which a job that waits will roll back; None when none waits."""
        with asking(self._target):
            try:
                schedules = self._cli.ask("show scheduler schedule")
            except Refusal as error:
                if "nvalid command" in error.answer or error.answer == "^":
                    return None  # the scheduler is off, so nothing waits
                raise
            ours = next((s for s in schedules.split("Schedule Name") if s.split()[1:2] == [TIMER]), "")
            if "Yet to be executed" not in ours:
                return None
            found = _ROLLBACK.findall(self._cli.ask(f"show scheduler job name {TIMER}"))
        return str(found[0]) if len(found) == 1 else f"a schedule {TIMER} without one rollback"

    def save(self) -> None:
        """Take away what a confirmed change leaves (lists that nothing binds, the checkpoint), then save."""
        if self.pending() is not None:
            raise Rejected("a timer runs on the device; nothing is saved before it was confirmed")
        lines = [f"no {header}" for header in cli_lists.shown(self.running(), cli_lists.NXOS).spare()]
        with asking(self._target):
            if lines:
                self._configured(lines)
        self._dropped(self._target.token)
        with asking(self._target):
            if "Copy complete" not in self._cli.ask("copy running-config startup-config"):
                raise Lost("the device does not say that it saved")

    def close(self) -> None:
        """Drop what was staged and not committed, and leave. A timer that runs is not touched."""
        with suppress(Exception):
            if self._staged and self.pending() != self._target.token:
                self._dropped(self._target.token)
        left(self._api)

    def _in_session(self, token: str, lines: Sequence[str]) -> None:
        """Lines into a session that is then verified, and left as it is."""
        self._cli.ask(f"configure session {token}")
        if "config-s" not in self._cli.mode:
            raise Rejected("the device does not open a configuration session")
        try:
            self._cli.enter(lines, WINDOW)
            if "uccess" not in (said := self._cli.ask("verify")):
                raise Rejected(f"the device does not verify the session: {said.strip()}")
        finally:
            with suppress(Refusal):
                self._cli.ask("end")

    def _committed(self, token: str) -> None:
        with asking(self._target):
            self._cli.ask(f"configure session {token}")
            try:
                if "uccess" not in (said := self._cli.ask("commit")):
                    raise Rejected(f"the device does not commit the session: {said.strip()}")
            finally:
                if self._cli.mode:
                    with suppress(Refusal):
                        self._cli.ask("end")

    def _timed(self, minutes: int, token: str) -> None:
        """Set the schedule, then take the checkpoint. Raises Rejected, and leaves no timer of ours, when it is not so."""
        hours, rest = divmod(minutes, 60)
        lines = [
            f"scheduler job name {TIMER}",
            f"rollback running-config checkpoint {token}",
            "exit",
            f"scheduler schedule name {TIMER}",
            f"job name {TIMER}",
            f"time start +{hours // 24:02}:{hours % 24:02}:{rest:02}",
        ]
        try:
            with asking(self._target):
                self._configured(lines)
                self._cli.ask(f"checkpoint {token}")
            if self.pending() != token or token not in self._checkpoints():
                raise Rejected("the device does not show the timer that was set")
        except Rejected:
            self._untimed()
            self._dropped(token)
            raise

    def _untimed(self) -> None:
        """End the timer: the schedule first, as it is what acts."""
        shown = self.running().splitlines()
        lines = [f"scheduler {kind} name {TIMER}" for kind in ("schedule", "job")]
        with asking(self._target):
            self._configured([f"no {line}" for line in lines if line in shown])

    def _rolled_back(self, token: str) -> None:
        with asking(self._target):
            said = self._cli.ask(f"rollback running-config checkpoint {token}")
        if "completed successfully" not in said:
            raise Rejected(f"the device did not roll back: {said.strip()}")

    def _back(self, token: str, why: str) -> None:
        """Take back what was begun. Raises TakenBack when all is as it was, Lost when that cannot be seen."""
        try:
            if not self._is_as_before():  # a commit that was refused changed nothing
                self._rolled_back(token)
            self._untimed()
            self._dropped(token)
            pending, same = self.pending(), self._is_as_before()
        except Rejected as error:
            raise Lost(f"{why}; it was told to revert: {error}") from error
        if pending is not None or not same:
            raise Lost(f"{why}; it was told to revert, and does not show what ran before")
        raise TakenBack(why)

    def _is_as_before(self) -> bool:
        assert self._change is not None
        text = self.running()
        return self._shown(text) == self._change.before and _others(text) == _others(self._loaded_from)

    def _configured(self, lines: Sequence[str]) -> None:
        """Lines in configuration mode, and out of it again whatever happens."""
        if not lines:
            return
        self._cli.ask("configure terminal")
        if not self._cli.mode:
            raise Rejected("the device does not go into configuration mode")
        try:
            self._cli.enter(lines, 1)
        finally:
            with suppress(Refusal):
                self._cli.ask("end")

    def _tidied(self) -> None:
        """Take away what earlier runs of ours left here: none of them is under way."""
        self._untimed()
        for name in {*self._checkpoints(), *self._sessions()}:
            if name.endswith(f"-{self._target.owner}"):
                self._dropped(name)

    def _checkpoints(self) -> list[str]:
        with asking(self._target):
            return re.findall(r"^\d+\) (cfglt-\S+):", self._cli.ask("show checkpoint summary"), re.MULTILINE)

    def _sessions(self) -> list[str]:
        with asking(self._target):
            return re.findall(r"^(cfglt-\S+) ", self._cli.ask("show configuration session summary"), re.MULTILINE)

    def _dropped(self, token: str) -> bool:
        """Abort the session and delete the checkpoint of that name; whether there was one of them."""
        token = own.named(token)
        session, checkpoint = token in self._sessions(), token in self._checkpoints()
        with asking(self._target):
            if session:
                self._cli.ask(f"configure session {token}")
                self._cli.ask("abort")
            if checkpoint:
                self._cli.ask(f"no checkpoint {token}")
        if token == self._target.token:
            self._staged = False
        return session or checkpoint

    def _planned(self, running: str, lines: Sequence[str]) -> str:
        """The canonical text after these lines, by our own understanding of them. Raises Rejected."""
        try:
            return self._shown(cli_lists.entered(cli_lists.shown(running, cli_lists.NXOS), lines).text())
        except cli_lists.Strange as error:
            raise Rejected(f"the plan is stale, or not of ours: {error}") from error

    def _shown(self, text: str) -> str:
        return own.shown(self._canonical, self._change, text)


def _connected(target: Target) -> Any:
    from napalm.nxos_ssh import NXOSSSHDriver

    return connected(target, PATIENCE, NXOSSSHDriver)


def _steps(shown: str) -> list[str]:
    """The lines that a session holds, those under a header indented."""
    lines = [found[1].rstrip() for line in shown.splitlines() if (found := _STEP.fullmatch(line))]
    return [line if re.match(r"(?:no )?(?:ip|ipv6) access-list |interface ", line) else f" {line}" for line in lines]


def _others(text: str) -> list[str]:
    """The configuration without comments, our lists and their bindings, and our timer."""
    lines = _OUR_TIMER.sub("", text).splitlines()
    return own.others((line for line in lines if line.strip() and not line.startswith("!")), _OURS, _BOUND)

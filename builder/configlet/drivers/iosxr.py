"""Cisco IOS-XR over the command line by SSH, with the host key verified.

The configuration is locked, the lines go into the target configuration of our login, and what the device makes of them is
read back before anything is in force. The commit is a trial, which the device takes back unless the same login commits
again; its comment names our change. Nobody else can confirm it or take it back, and the login that leaves its
configuration mode ends it at once. So the login that committed is held open, by this process, until a new connection has
shown that the device can still be reached. Where it is gone (the process died, the connection was cut) the device's timer
takes the change back.

Not NAPALM's driver: it goes into the XML agent, which newer releases do not have and whose timer ends at five minutes; and
when others committed meanwhile it discards, loads the whole configuration anew, and commits that without a timer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from configlet.drivers import own
from configlet.drivers.base import Canonical, Lost, Rejected, TakenBack, Target
from configlet.drivers.cli_connect import asking, connected, left
from configlet.drivers.cli_session import Session
from configlet.model.plan import Change

PATIENCE = 60.0
"""Seconds for one command, or one window of lines."""
LEAST, MOST = 30, 65535
"""Seconds of the device's timer."""
WINDOW = 50
"""Lines at a time; those of a target configuration are not in force."""
LONGEST = 60
"""Characters of a comment."""
TRIAL, CONFIRMED = "Client: commit-confirm", "% Confirming commit"
LEAVING = "Do you wish to exit? [no]:"
_OURS = re.compile(r"(ipv4|ipv6) access-list cfglt-\S+")
_BOUND = re.compile(r"(ipv4|ipv6) access-group cfglt-\S+ (ingress|egress)")
_COMMENT = re.compile(r"^ *Comment: +(cfglt-\S+) *$", re.MULTILINE)
_TIME = re.compile(r"[A-Z][a-z]{2} [A-Z][a-z]{2} +\d+ \d\d:\d\d:\d\d(?:\.\d+)? \S+")
"""The line that comes before what a command says."""


@dataclass(frozen=True, slots=True)
class Held:
    """A login whose trial waits: in configuration mode, and to be left in no other way than by these words."""

    token: str
    api: Any
    cli: Session


HELD: dict[tuple[str, int], Held] = {}
"""By address and port; a device has one trial at most. What one object committed another of this process confirms."""


class IosxrDriver:
    """One router, over one SSH connection."""

    libraries = ("napalm.base.exceptions", "netmiko")

    def __init__(self, target: Target, canonical: Canonical) -> None:
        self._target, self._canonical = target, canonical
        self._change: Change | None = None
        self._loaded_from = ""
        self._staged = False
        self._api = connected(target, PATIENCE, _Login)
        try:
            with asking(self._target):
                self._cli = Session(self._api.device.remote_conn, self._api.device.find_prompt(), PATIENCE)
        except BaseException:
            left(self._api)
            raise

    def running(self) -> str:
        """``show running-config``, all of it."""
        with asking(self._target):
            text = self._untimed("show running-config")
        if not text.rstrip().endswith("\nend"):
            raise Lost("what the device shows of its configuration breaks off")
        return text

    def _untimed(self, command: str) -> str:
        """What a command shows, without the line with the time before it."""
        first, end, rest = self._cli.ask(command).partition("\n")
        return rest if _TIME.fullmatch(first.strip()) else first + end + rest

    def load(self, change: Change) -> str:
        """Lock, fill the target configuration, and look at what the whole would be. Nothing is active yet."""
        self._change = change
        if (other := self.pending()) is not None:
            raise Rejected(f"a change is pending on the device already ({other})")
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
        lines = [line.strip() for line in change.load.splitlines() if line.strip(" !")]
        with asking(self._target):
            self._cli.enter([*lines, "root"], WINDOW)
            staged, diff = self._untimed("show configuration merge"), self._untimed("show configuration")
        if self._shown(staged) != change.after or _others(staged) != _others(self._loaded_from):
            raise Rejected(f"what the device would run is not what was planned:\n{diff}")
        self._staged = True
        return diff

    def commit(self, seconds: int) -> str:
        """Commit on trial, if nothing changed since the lock; read back. The login is held from here on."""
        if self._change is None or not self._staged:
            raise Rejected("nothing was staged")
        token, seconds = self._named(self._target.token), max(seconds, LEAST)
        try:
            if seconds > MOST:
                raise Rejected(f"a timer of {seconds} s is not within {LEAST} to {MOST} s")
            if _lines(self.running()) != _lines(self._loaded_from):
                raise Rejected("somebody changed the device since the change was staged; nothing was committed")
            with asking(self._target):
                self._cli.ask(f"commit confirmed {seconds} comment {token}")
        except Rejected:
            self._left()
            raise
        self._staged = False
        HELD[self._place] = Held(token, self._api, self._cli)
        try:
            self._as_planned()
        except Rejected as error:
            self._back(str(error))
        return token

    def _as_planned(self) -> None:
        assert self._change is not None
        text = self.running()
        if self._shown(text) != self._change.after:
            raise Rejected("after the change the device does not show what was planned")
        if _others(text) != _others(self._loaded_from):
            raise Rejected("the change touched what is not ours")

    def confirm(self, token: str) -> None:
        """Have the login that committed commit again. What was committed for good is what the device starts with."""
        held = self._waiting(token)
        with asking(self._target):
            said = held.cli.ask("commit", known=(CONFIRMED,))
        self._let_go()
        if CONFIRMED not in said or self.pending() is not None:
            raise Lost("the change was confirmed, and the device does not say so")

    def revert(self, token: str) -> None:
        """Have the login that committed leave, which takes the trial back at once. Rejected when it is not pending."""
        self._waiting(token)
        self._given_up()
        if self.pending() == token:
            raise Lost("the device was told to take the change back, and still shows that it waits")

    def pending(self) -> str | None:
        """The comment of a trial that waits; while it does nobody else can commit, so it is the last commit's."""
        do = "do " if self._cli.mode else ""
        with asking(self._target):
            waits = TRIAL in self._cli.ask(f"{do}show configuration sessions detail")
            last = self._cli.ask(f"{do}show configuration commit list 1 detail") if waits else ""
        if not waits:
            self._let_go()
            return None
        found = _COMMENT.search(last)
        return found[1] if found else "a trial commit of somebody else"

    def save(self) -> None:
        """Nothing is to be done: a commit is for good."""
        if self.pending() is not None:
            raise Rejected("a change is pending on the device; it is for good only when it was confirmed")

    def close(self) -> None:
        """Leave: the target configuration of a login goes with it, and so does its lock."""
        if self._holds:
            return
        with suppress(Exception):
            self._left()
        left(self._api)

    @property
    def _place(self) -> tuple[str, int]:
        return self._target.address, self._target.port

    @property
    def _holds(self) -> bool:
        held = HELD.get(self._place)
        return held is not None and held.cli is self._cli

    def _waiting(self, token: str) -> Held:
        """The login whose trial waits under a token. Raises Rejected when there is none, or nothing waits."""
        if self.pending() != token:
            raise Rejected(f"no change {token} is pending on the device")
        held = HELD.get(self._place)
        if held is None or held.token != token:
            raise Rejected(
                "only the login that made it can confirm a trial commit or take it back, and that is gone; the device "
                "takes it back when its timer ends"
            )
        return held

    def _given_up(self) -> None:
        """Leave the configuration mode in which the trial was made: the device takes it back at once."""
        with asking(self._target):
            HELD[self._place].cli.leave("end", LEAVING, "yes")
        self._let_go()

    def _let_go(self) -> None:
        """End a held login after its trial."""
        held = HELD.pop(self._place, None)
        if held is not None and held.cli is not self._cli:
            with suppress(Exception):
                held.cli.leave("end", LEAVING, "no")
            left(held.api)

    def _back(self, why: str) -> None:
        """Take back what was committed. Raises TakenBack when all is as it was, Lost when that cannot be seen."""
        try:
            self._given_up()
            same = _lines(self.running()) == _lines(self._loaded_from)
        except Rejected as error:
            raise Lost(f"{why}; it was told to revert: {error}") from error
        if not same:
            raise Lost(f"{why}; it was told to revert, and does not show what ran before")
        raise TakenBack(why)

    def _configuring(self) -> None:
        """Into configuration mode, with the configuration locked."""
        with asking(self._target):
            said = self._cli.ask("configure exclusive")
        if not self._cli.mode:
            raise Rejected(f"the device does not lock its configuration for us: {said.strip()}")

    def _left(self) -> None:
        """Out of configuration mode, with what is in the target configuration dropped, and a trial taken back."""
        self._staged = False
        if self._cli.mode:
            with suppress(Rejected), asking(self._target):
                self._cli.leave("abort", LEAVING, "yes")

    def _shown(self, text: str) -> str:
        return own.shown(self._canonical, self._change, text)

    @staticmethod
    def _named(token: str) -> str:
        if len(token) > LONGEST:
            raise Rejected(f'"{token}" is too long for the comment of a commit, which has {LONGEST} characters')
        return own.named(token)


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


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines() if line.strip(" !") and not line.startswith(("!", "Building"))]


def _others(text: str) -> list[str]:
    """The configuration without comments, our lists and their bindings."""
    return own.others(_lines(text), _OURS, _BOUND)

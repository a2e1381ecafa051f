"""Juniper Junos through NAPALM over NETCONF, with the host key verified.

The candidate of a device is shared by all who log in, so it is locked from the load to the commit and again for the
confirmation: what somebody else left in it is never committed by us. Our change is known by the commit's log message,
and that it waits by the device's own word "rollback pending"; the words "commit confirmed" stay in the history for good.
``commit check`` confirms what waits, so it is only asked for when nothing does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from configlet.drivers import own
from configlet.drivers.base import Canonical, Lost, Rejected, Target
from configlet.drivers.netconf_connect import connected, left
from configlet.model.braces import parts
from configlet.model.plan import Change

PATIENCE, LONG = 30, 180
"""Seconds for one request; and while the candidate is locked, as a load or a commit may take minutes on a small device."""
MINUTES = 65535
"""The longest timer of the device."""
_OURS = re.compile(r"firewall family inet6? filter cfglt-\S+( .*)?")
_BOUND = re.compile(r"interfaces \S+ unit \d+ family inet6? filter (input|output) cfglt-\S+")
_EMPTY = re.compile(r"interfaces \S+ unit \d+ family inet6?( filter)?|firewall( family inet6?)?")
"""What may be left, or come, where a filter of ours went or came."""


class JunosDriver:
    """One switch, over one NETCONF session."""

    libraries = ("napalm.base.exceptions", "napalm.junos")

    def __init__(self, target: Target, canonical: Canonical) -> None:
        self._target, self._canonical = target, canonical
        self._change: Change | None = None
        self._loaded_from = ""
        self._locked = self._dead = False
        self._api = connected(target, PATIENCE)

    def running(self) -> str:
        """The committed configuration, all of it, as text in braces."""
        with self._asking():
            return str(self._api.get_config(retrieve="running")["running"])

    def load(self, change: Change) -> str:
        """Lock, load into the candidate, have the device compare and check it. Nothing is active yet."""
        self._change = change
        with self._asking():
            self._lock()
            self._loaded_from = self.running()
            if self._shown(self._loaded_from) != change.before:
                raise Rejected("the plan is stale: the device no longer runs what the plan was made from")
            if (other := self.pending()) is not None:
                raise Rejected(f"a change is pending on the device already ({other})")
            self._api.load_merge_candidate(config=change.load)
            diff = str(self._api.compare_config())
            staged = str(self._api.get_config(retrieve="candidate")["candidate"])
            if self._shown(staged) != change.after:
                raise Rejected(f"the device's own diff is not what was planned:\n{diff}")
            if _others(staged) != _others(self._loaded_from):
                raise Rejected(f"the candidate would change what is not ours:\n{diff}")
            self._api.device.rpc.commit_configuration(check=True, ignore_warning=True)
        return diff

    def commit(self, seconds: int) -> str:
        """Commit under the device's timer (whole minutes, rounded up). The lock keeps others out until then."""
        minutes, token = -(-seconds // 60), self._target.token
        if self._change is None or not self._locked:
            raise Rejected("nothing was staged")
        if not 1 <= minutes <= MINUTES:
            raise Rejected(f"a timer of {seconds} s is not within 1 s to {MINUTES} minutes")
        if _lines(self.running()) != _lines(self._loaded_from):
            raise Rejected("somebody changed the device since the change was staged; nothing was committed")
        with self._asking():
            self._commit(token, confirm=minutes)
            self._unlock()
        return token

    def confirm(self, token: str) -> None:
        """Commit again, from a candidate in which nobody left anything: that ends the timer and is permanent."""
        with self._asking(), self._holding():
            self._must_wait(token)
            self._commit(f"{token} confirmed")
            if self.pending() is not None:
                raise Lost("the device was told that the change is confirmed, and its timer still runs")
            if [_log(entry) for entry in self._history()[1:2]] != [token]:
                raise Lost("its timer ran out while it was being confirmed")

    def revert(self, token: str) -> None:
        """Commit what ran before the change that waits. What was only staged went with the session that staged it."""
        with self._asking(), self._holding():
            self._must_wait(token)
            self._api.device.cu.rollback(rb_id=1)
            self._must_wait(token)  # had the timer run out just now, the entry before the newest would be the change itself
            self._commit(f"{token} taken back")
            if self.pending() is not None:
                raise Lost("the device was told to go back, and its timer still runs")

    def pending(self) -> str | None:
        """The token under which the commit timer runs; for a timer of somebody else's, a word on whose it is."""
        for last in self._history()[:1]:
            if last.find("commit-confirmed") is not None:
                return _log(last) or f"a commit of {last.findtext('user')}"
        return None

    def save(self) -> None:
        """Nothing is left to do: a commit that was confirmed is what the device starts from."""
        if self.pending() is not None:
            raise Rejected("a timer runs on the device; nothing is permanent before it was confirmed")

    def close(self) -> None:
        """Leave. The lock ends with the session, and with it what was staged; a timer that runs is not touched."""
        if not self._dead:
            with suppress(Exception):
                self._unlock()
        left(self._api, orderly=not self._dead)

    def _history(self) -> list[Any]:
        """The device's commits as elements, the newest first."""
        with self._asking():
            return list(self._api.device.rpc.get_commit_information().findall("commit-history"))

    def _commit(self, log: str, **more: Any) -> None:
        """Commit, whatever the device warns of. Raises Rejected when nothing came of it, Lost when it complains and did."""
        try:
            with self._asking():
                self._api.device.cu.commit(comment=log, ignore_warning=True, **more)
        except Rejected as error:
            if [_log(entry) for entry in self._history()[:1]] == [log]:
                raise Lost(f"the device complains of a commit, and has it in its history: {error}") from error
            raise

    def _must_wait(self, token: str) -> None:
        """Raises Rejected unless the device's timer runs for this change."""
        if self.pending() != token:
            raise Rejected(f"no change {token} is pending on the device")

    def _lock(self) -> None:
        """Lock the candidate. Raises Rejected when somebody else has it, or left changes in it."""
        if not self._locked:
            self._api.device.cu.lock()
            self._locked = True
            self._api.device.timeout = LONG

    def _unlock(self) -> None:
        if self._locked:
            self._locked = False
            self._api.device.timeout = PATIENCE
            self._api.device.cu.unlock()

    @contextmanager
    def _holding(self) -> Iterator[None]:
        self._lock()
        yield
        self._unlock()

    def _shown(self, text: str) -> str:
        return own.shown(self._canonical, self._change, text)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """What NAPALM, PyEZ and ncclient raise, in our words. A request without an answer may have been carried out."""
        from jnpr.junos import exception as pyez
        from napalm.base import exceptions as napalm
        from ncclient.operations.errors import OperationError
        from ncclient.transport.errors import TransportError
        from paramiko.ssh_exception import SSHException

        try:
            yield
        except pyez.LockError as error:
            raise Rejected(
                f"the candidate cannot be locked: {_first(error)}. Somebody is at work on the device, or left changes that "
                "were not committed; finish or discard them first"
            ) from error
        except (napalm.MergeConfigException, pyez.CommitError, pyez.ConfigLoadError) as error:
            raise Rejected(_first(error)) from error
        except (pyez.RpcTimeoutError, pyez.ConnectClosedError) as error:
            self._dead = True
            raise Lost(f"no answer from {self._target.address}: {type(error).__name__}") from error
        except pyez.RpcError as error:
            raise Rejected(_first(error)) from error
        except (OperationError, TransportError, SSHException, EOFError, OSError) as error:
            self._dead = True
            raise Lost(f"no answer from {self._target.address}: {error or type(error).__name__}") from error


def _log(entry: Any) -> str:
    """What the client wrote beside a commit."""
    return (entry.findtext("log") or "").strip()


def _first(error: Exception) -> str:
    """What the device said, in one line."""
    said = getattr(error, "errs", None) or (error.args[0] if error.args else None)
    if isinstance(said, list) and said and isinstance(said[0], dict):
        words = [f"{one.get('message')} ({one.get('bad_element')})" for one in said[:3]]
        return " ".join("; ".join(words).replace(" (None)", "").split())
    return " ".join(str(getattr(error, "message", "") or error).split())


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines() if line.strip() and not line.startswith("##")]


def _others(text: str) -> list[str]:
    """The configuration without our filters and their bindings, as paths. Raises Rejected for a text that breaks off."""
    try:
        found = [part for part in parts(text) if part.kind == "leaf" or (part.kind == "note" and part.path)]
    except ValueError as why:
        raise Rejected(f"what the device shows is no configuration in braces: {why}") from why
    return [
        f"{part.name} {part.text.strip()}"
        for part in found
        if not (_OURS.fullmatch(part.name) or _BOUND.fullmatch(part.name) or _EMPTY.fullmatch(part.name))
    ]

"""Arista EOS through NAPALM over eAPI, with the certificate verified.

Never over SSH, where NAPALM swallows rejected lines, and never ``rollback()``, which restores the startup configuration
(napalm-automation/napalm#1952). The session has our own name, so that another process can confirm or abort it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from configlet.drivers import own, secrets
from configlet.drivers.base import Canonical, Lost, Rejected, Target, Unreachable, Untrusted
from configlet.model.plan import Change

if TYPE_CHECKING:
    import ssl

PATIENCE = 30
"""Seconds for one request."""
LONGEST = 82_800
"""Seconds; NAPALM writes the timer with a clock of 24 hours, and it wraps there."""
_OURS = re.compile(r"(ip|ipv6) access-list (standard )?cfglt-\S+")
_BOUND = re.compile(r"(ip|ipv6) access-group cfglt-\S+ (in|out)")


class EosDriver:
    """One switch. eAPI has no lasting connection; each request proves anew that the way in is open."""

    libraries = ("napalm.base.exceptions", "napalm.eos", "pyeapi.eapilib")

    def __init__(self, target: Target, canonical: Canonical) -> None:
        self._target, self._canonical = target, canonical
        self._change: Change | None = None
        self._loaded_from = ""
        self._api = _connected(target)

    def running(self) -> str:
        """``show running-config``, all of it."""
        with self._asking():
            return str(self._api.get_config(retrieve="running")["running"])

    def load(self, change: Change) -> str:
        """Stage in a session of our own; what the session holds must be the change and nothing else."""
        self._change, self._loaded_from = change, self.running()
        if self._shown(self._loaded_from) != change.before:
            raise Rejected("the plan is stale: the device no longer runs what the plan was made from")
        lines = [line.strip() for line in change.load.splitlines()]
        with self._asking():
            self._api.config_session = self._target.token
            self._api.load_merge_candidate(config="\n".join(line for line in lines if line and line[0] != "!"))
            diff = str(self._api.compare_config())
            staged = str(self._api.get_config(retrieve="candidate")["candidate"])
        if self._shown(staged) != change.after:
            self._abandon()
            raise Rejected(f"the device's own diff is not what was planned:\n{diff}")
        if _others(staged) != _others(self._loaded_from):
            self._abandon()
            raise Rejected(f"the session would change what is not ours:\n{diff}")
        return diff

    def commit(self, seconds: int) -> str:
        """Commit the session with the device's timer, if nothing at all changed since it was opened.

        A commit writes the whole session, so it would undo what others did meanwhile, anywhere.
        """
        if not 0 < seconds <= LONGEST:
            raise Rejected(f"a timer of {seconds} s is not within 1 to {LONGEST} s")
        if _lines(self.running()) != _lines(self._loaded_from):
            self._abandon()
            raise Rejected("somebody changed the device since the change was staged; nothing was committed")
        token = self._target.token
        try:
            with self._asking():
                self._api.commit_config(revert_in=seconds)
        except Rejected:
            self._abandon()
            raise
        finally:
            # NAPALM's close(), also when its object is collected, aborts the session that it holds.
            self._api.config_session = None
        return token

    def confirm(self, token: str) -> None:
        """Take the session up by its name, confirm, save."""
        with self._asking():
            self._api.config_session = token
            try:
                self._api.confirm_commit()
            finally:
                self._api.config_session = None

    def revert(self, token: str) -> None:
        """Abort: the device restores what ran before the commit, or drops what was only staged."""
        with self._asking():
            found = self._run("show configuration sessions detail")
            staged = found.get("sessions", {}).get(token, {}).get("state", "")
            if _timer_of(found) != token and staged != "pending":
                raise Rejected(f"no session {token} is pending on the device")
            self._run(f"configure session {token} abort", encoding="text")

    def pending(self) -> str | None:
        """The session whose commit timer runs."""
        with self._asking():
            return _timer_of(self._run("show configuration sessions detail"))

    def save(self) -> None:
        """``write memory``."""
        with self._asking():
            self._run("write memory", encoding="text")

    def close(self) -> None:
        """Drop what was staged and not committed. Nothing is sent when nothing was."""
        self._abandon()

    def _abandon(self) -> None:
        if self._api.config_session is not None:
            with suppress(Exception):
                self._api.discard_config()
        self._api.config_session = None

    def _shown(self, text: str) -> str:
        return own.shown(self._canonical, self._change, text)

    def _run(self, command: str, encoding: str = "json") -> dict[str, Any]:
        found: dict[str, Any] = self._api.device.run_commands([command], encoding=encoding)[0]
        return found

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """What NAPALM and pyeapi raise, in our words. A request without an answer may have been carried out."""
        from http.client import HTTPException

        from napalm.base import exceptions as napalm
        from pyeapi.eapilib import CommandError, ConnectionError

        try:
            yield
        except napalm.SessionLockedException as error:
            raise Rejected("somebody else has a configuration session open; finish or abort it first") from error
        except (napalm.MergeConfigException, napalm.CommitError, CommandError) as error:
            raise Rejected(str(error)) from error
        except (ConnectionError, HTTPException, OSError) as error:
            raise Lost(f"no answer from {self._target.address}: {_plain(error)}") from error


def _connected(target: Target) -> Any:
    import ssl
    from http.client import HTTPException

    from napalm.base.exceptions import ConnectionException, UnsupportedVersion
    from napalm.eos import EOSDriver
    from pyeapi.eapilib import CommandError, ConnectionError

    # pyeapi writes tracebacks to stderr for what is said here in a sentence.
    logging.getLogger("pyeapi").setLevel(logging.CRITICAL + 1)
    who = secrets.resolve(target.credentials)
    options = {"context": _context(target), "port": target.port or 443}
    api = EOSDriver(target.address, who.username, who.password.reveal(), timeout=PATIENCE, optional_args=options)
    try:
        api.open()
    except (UnsupportedVersion, CommandError) as error:
        raise Rejected(f"{target.address} is no EOS that can be changed: {error or type(error).__name__}") from error
    except (ConnectionException, ConnectionError, HTTPException, OSError) as error:
        cause = error.__context__
        if isinstance(cause, ssl.SSLCertVerificationError):
            raise Untrusted(
                f"{target.address} shows a certificate that {target.trust / 'ca.pem'} does not vouch for "
                f"({cause.verify_message}). No credential was sent; find out whose it is"
            ) from error
        raise Unreachable(f"{target.address} cannot be reached over eAPI: {_plain(error)}") from error
    return api


def _plain(error: Exception) -> str:
    return str(error).replace("Socket error during eAPI connection: ", "")


def _context(target: Target) -> ssl.SSLContext:
    import ssl

    try:
        return ssl.create_default_context(cafile=str(target.trust / "ca.pem"))
    except (OSError, ssl.SSLError) as error:
        raise Untrusted(
            f"{target.trust / 'ca.pem'} cannot be read ({error}); put the CA of the switches there"
        ) from error


def _timer_of(sessions: dict[str, Any]) -> str | None:
    if "commitTimerSessionName" in sessions:
        return str(sessions["commitTimerSessionName"])
    # Before EOS 4.32 the session itself says so.
    waiting = [name for name, found in sessions["sessions"].items() if "pendingCommitTimer" in found["state"]]
    return waiting[0] if waiting else None


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines() if line.strip() and not line.startswith("!")]


def _others(text: str) -> list[str]:
    """The configuration without our lists and their bindings."""
    return own.others(_lines(text), _OURS, _BOUND)

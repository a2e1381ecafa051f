"""A Linux host's table ``inet configlet``, through netmiko's authenticated SSH connection.

Commands run in exec channels of that connection, with their true exit status; nothing is read off a prompt. What they
run is ``hostside/guard.sh``, carried along with every call, so a host needs nothing but nft, a shell and coreutils.
"""

from __future__ import annotations

import difflib
import hashlib
import logging
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from configlet.drivers import secrets
from configlet.drivers.base import Canonical, Lost, Rejected, TakenBack, Target, Unreachable, Untrusted
from configlet.model.plan import Change

if TYPE_CHECKING:
    from paramiko import Transport

PATIENCE = 30.0
"""Seconds for one command."""
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_STATE = '"${CONFIGLET_STATE_DIR:-/var/lib/configlet}"'
_REFUSED, _NOT_SO, _TAKEN_BACK = 2, 3, 4


class NftablesDriver:
    """One host. The login must be allowed to change nftables (root, in practice)."""

    libraries = ("netmiko",)
    patience = PATIENCE

    def __init__(self, target: Target, canonical: Canonical) -> None:
        self._target, self._canonical = target, canonical
        self._staged = self._ran = ""
        self._patience = self.patience + target.patience
        self._connect()

    def _connect(self) -> None:
        self._connection = connected(self._target)
        transport = self._connection.remote_conn_pre.get_transport()
        if transport is None:
            raise Unreachable(f"{self._target.address} closed the connection")
        self._transport: Transport = transport

    def running(self) -> str:
        """Our table as nft lists it, "" when there is none."""
        return self._guard("running")

    def load(self, change: Change) -> str:
        """Lay the text beside the table, let nft check it, and return how it differs from what runs."""
        before = self._canonical(change.platform, change.kind, self.running())
        if before != change.before:
            raise Rejected("the plan is stale: the host no longer runs what the plan was made from")
        after = self._canonical(change.platform, change.kind, change.load)
        if after != change.after:
            raise Rejected("the text to be loaded does not mean what was planned")
        token = self._named(self._target.token)
        self._put("guard.sh", _script())
        self._put(f"staged/{token}.nft", change.load)
        self._staged = token
        if self._guard("track").strip() == "new":
            self._connection.paramiko_cleanup()
            self._connect()
        there, self._ran = self._guard("check", token).split()
        if there != hashlib.sha256(change.load.encode()).hexdigest():
            raise Rejected("what arrived on the host is not what was sent")
        return "\n".join(difflib.unified_diff(before.splitlines(), after.splitlines(), "runs", "staged", lineterm=""))

    def commit(self, seconds: int) -> str:
        """Arm the host's own timer, then replace the table as one."""
        token, self._staged = self._staged, ""
        if not token:
            raise Rejected("nothing was staged")
        self._guard("commit", token, str(seconds), self._ran)
        return token

    def confirm(self, token: str) -> None:
        """End the timer and save the table for the next start."""
        self._guard("confirm", self._named(token))

    def revert(self, token: str) -> None:
        """Restore what ran before now, or drop what was only staged."""
        self._guard("revert", self._named(token))

    def pending(self) -> str | None:
        """The token whose timer runs on the host."""
        return self._guard("pending").strip() or None

    def save(self) -> None:
        """Save the table for the next start."""
        self._guard("save")

    def close(self) -> None:
        """Drop what was staged and not committed, and leave."""
        with suppress(Exception):
            if self._staged:
                self.revert(self._staged)
        with suppress(Exception):
            # disconnect() would first talk to a prompt, for up to ten seconds.
            self._connection.paramiko_cleanup()

    def _guard(self, *words: str) -> str:
        return self._run("sh -s -- " + " ".join(map(shlex.quote, words)), _script())

    def _put(self, path: str, text: str) -> None:
        name = f"{_STATE}/{shlex.quote(path)}"
        self._run(f"umask 077 && mkdir -p {_STATE}/staged && cat >{name}.part && mv -f {name}.part {name}", text)

    def _run(self, command: str, stdin: str) -> str:
        """What a command prints; ``Rejected`` when nothing changed, ``Lost`` when it broke off somewhere."""
        with self._asking():
            status, out, complaint = _execute(self._transport, command, stdin, self._patience)
        if status == 0:
            return out
        if status in (_REFUSED, _NOT_SO):
            raise Rejected(complaint.strip())
        if status == _TAKEN_BACK:
            raise TakenBack(complaint.strip())
        raise Lost(f"the host failed (status {status}): {complaint.strip() or out.strip()}")

    @contextmanager
    def _asking(self) -> Iterator[None]:
        from paramiko.ssh_exception import SSHException

        try:
            yield
        except (SSHException, EOFError, OSError) as error:
            raise Lost(f"no answer from {self._target.address}: {error or type(error).__name__}") from error

    def _named(self, token: str) -> str:
        if not _TOKEN.fullmatch(token):
            raise Rejected(f'"{token}" is not the name of a change of ours')
        return token


def _script() -> str:
    return (files("configlet.hostside") / "guard.sh").read_text(encoding="utf-8")


def _execute(transport: Transport, command: str, stdin: str, patience: float) -> tuple[int, str, str]:
    """Exit status, stdout and stderr. Raises what paramiko does when the connection ends first."""
    channel = transport.open_session(timeout=PATIENCE)
    try:
        channel.settimeout(patience)
        channel.exec_command(command)
        channel.sendall(stdin.encode())
        channel.shutdown_write()
        out = channel.makefile("rb").read()
        complaint = channel.makefile_stderr("rb").read()
        if not channel.status_event.wait(patience) or channel.exit_status < 0:
            raise EOFError("the connection ended before the command did")
        return channel.exit_status, out.decode(errors="replace"), complaint.decode(errors="replace")
    finally:
        channel.close()


def connected(target: Target) -> Any:
    """An authenticated SSH connection to a host. Raises Unreachable or Untrusted."""
    from netmiko import ConnectHandler
    from netmiko.exceptions import NetmikoAuthenticationException, NetmikoBaseException
    from paramiko.ssh_exception import BadHostKeyException, SSHException

    # paramiko's thread writes tracebacks to stderr for what is said here in a sentence.
    logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)
    who = secrets.resolve(target.credentials)
    try:
        connection = ConnectHandler(
            device_type="linux",
            host=target.address,
            port=target.port or 22,
            username=who.username,
            password=who.password.reveal(),
            ssh_strict=True,
            system_host_keys=False,
            alt_host_keys=True,
            alt_key_file=str(target.trust / "known_hosts"),
            conn_timeout=PATIENCE,
            auto_connect=False,
        )
        # The whole of a connection but the search for a prompt, which nothing here ever reads.
        connection.establish_connection()
        return connection
    except NetmikoAuthenticationException as error:
        raise Unreachable(f"{target.address} refused the name or the password of {target.credentials}") from error
    except (NetmikoBaseException, SSHException, EOFError, OSError, ValueError) as error:
        cause = error.__context__
        if isinstance(cause, BadHostKeyException) or "not found in known_hosts" in str(cause):
            how = "another host key than" if isinstance(cause, BadHostKeyException) else "a host key that is not in"
            raise Untrusted(
                f"{target.address} shows {how} {target.trust / 'known_hosts'}. No credential was sent; find out why"
            ) from error
        why = str(error).strip().splitlines()
        raise Unreachable(f"{target.address} cannot be reached over SSH: {why[0] if why else error!r}") from error

"""The manager's session over SSH: one command on its host, a line to it and a line from it."""

from __future__ import annotations

from contextlib import suppress

from configlet.drivers.base import Lost, Rejected, Target, Unreachable
from configlet.drivers.nftables import PATIENCE, connected
from configlet.model.plan import host_of

COMMAND = "configlet-serverlock-manager"


class SshSession:
    """One session. Raises Unreachable or Untrusted when there is none."""

    def __init__(self, target: Target) -> None:
        self._connection = connected(target)
        transport = self._connection.remote_conn_pre.get_transport()
        if transport is None:
            raise Unreachable(f"{target.address} closed the connection")
        self._channel = transport.open_session(timeout=PATIENCE)
        self._channel.settimeout(PATIENCE)
        self._channel.exec_command(f"{COMMAND} {host_of(target.owner)}")
        self._lines = self._channel.makefile("rb")

    def ask(self, line: str) -> str:
        """The manager's answer. Raises Rejected when it refused, Lost when there was none."""
        try:
            self._channel.sendall(line.encode() + b"\n")
            answer: str = self._lines.readline().decode().rstrip("\n")
        except OSError as error:
            raise Lost(f"the manager does not answer: {error}") from error
        word, _, rest = answer.partition(" ")
        if word == "ok":
            return str(rest)
        if word == "refused":
            raise Rejected(rest)
        raise Lost(rest or "the manager's session ended")

    def close(self) -> None:
        """Leave."""
        with suppress(Exception):
            self._connection.paramiko_cleanup()

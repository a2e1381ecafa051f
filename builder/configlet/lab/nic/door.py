"""The SSH server before a simulated ServerLock manager: its session is one command, a line in and a line out."""

from __future__ import annotations

import asyncio
import hmac
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from configlet.drivers.serverlock import COMMAND
from configlet.lab.nic.manager import Manager

if TYPE_CHECKING:
    import asyncssh


async def serve(managers: dict[str, Manager], key: asyncssh.SSHKey, user: str, password: str) -> asyncssh.SSHAcceptor:
    """A server on a port of the loopback; each host's NICs have a manager by the host's name."""
    import asyncssh

    class Door(asyncssh.SSHServer):
        """Lets one name in."""

        def begin_auth(self, _: str) -> bool:
            """Everybody must say who he is."""
            return True

        def password_auth_supported(self) -> bool:
            """Passwords are taken."""
            return True

        def validate_password(self, username: str, said: str) -> bool:
            """Whether it is the one."""
            good = hmac.compare_digest(said.encode(), password.encode())
            return hmac.compare_digest(username.encode(), user.encode()) and good

    async def session(process: Any) -> None:
        with suppress(asyncssh.Error, OSError):
            await _session(managers, process)

    return await asyncssh.create_server(Door, "127.0.0.1", 0, server_host_keys=[key], process_factory=session)


async def _session(managers: dict[str, Manager], process: Any) -> None:
    words = (process.command or "").split()
    if not words:  # a shell, which is opened and never used
        async for _ in process.stdin:
            process.stdout.write("manager# ")
        process.exit(0)
        return
    if len(words) != 2 or words[0] != COMMAND or words[1] not in managers:
        process.stderr.write(f"{words[0]}: this manager has no such session\n")
        process.exit(127)
        return
    manager = managers[words[1]]
    async for line in process.stdin:
        answer = await asyncio.to_thread(manager.answer, line.rstrip("\n"))
        process.stdout.write(answer + "\n")
    process.exit(0)

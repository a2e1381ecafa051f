"""A command line over SSH, whatever the vendor: echo, editing keys, pages, and the server around it.

What is behind it is a ``Terminal``: it gets whole lines and says what is shown and how the next prompt reads. Lines that
arrive together are carried out together in a worker thread, each echoed behind its prompt, as a device does it that is
slower than its client.
"""

from __future__ import annotations

import asyncio
import hmac
import socket
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from configlet.lab.sshd import KEY_EXCHANGES
from configlet.lab.switch_management import Management
from configlet.lab.switch_scp import Flash, serve_scp

if TYPE_CHECKING:
    import asyncssh

MORE = " --More-- "
WIPE = "\r" + " " * len(MORE) + "\r"
NO_HELP = "% Help on the command line is not simulated"
LONGEST = 4096
"""Characters of a line; what is typed beyond them is lost, as on a device."""
MOST_AT_ONCE = 64
ERASE, KILL, INTERRUPT, END = "\b\x7f", "\x15", "\x03", "\x1a"


class Dropped(Exception):  # noqa: N818 - it is what happened
    """The device dropped the connection while it carried out a line."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A question of the device; the next line is the answer, which ``then`` takes."""

    question: str
    then: Callable[[str], str | Ask]
    hidden: bool = False


class Terminal(Protocol):
    """One login on a command line."""

    @property
    def greeting(self) -> str:
        """What is shown before the first prompt."""

    @property
    def prompt(self) -> str:
        """What stands before the next line."""

    @property
    def hidden(self) -> bool:
        """Whether the next line is not echoed."""

    @property
    def page(self) -> int:
        """Lines on a page; 0 shows everything at once."""

    @property
    def over(self) -> bool:
        """Whether the login has ended."""

    def line(self, text: str, more: bool) -> str:
        """Carry out one line; ``more`` tells that others wait behind it. Raises Dropped."""

    def hang_up(self) -> None:
        """The connection has ended, one way or the other."""


@dataclass(frozen=True, slots=True)
class Front:
    """What a personality puts behind SSH."""

    management: Management
    terminal: Callable[[str], Terminal]
    """A new login of a user."""
    flash: Flash
    delay: Callable[[], float]
    """Seconds that the login server takes."""


@dataclass(slots=True)
class Console:
    """One connection: what was typed and what is still to be shown."""

    terminal: Terminal
    typed: str = ""
    echoed: int = 0
    """Characters of the first line that waits, or of the typed one, that are shown already."""
    after_cr: bool = False
    pages: list[str] = field(default_factory=list)
    """Lines that wait behind a page break."""
    lines: list[str] = field(default_factory=list)
    """Whole lines that wait to be carried out."""
    keys: str = ""
    """What was typed while a page waited for a key, or too early."""

    def feed(self, keys: str) -> str:
        """Take typed characters in; what is shown of them at once. Whole lines end in ``lines``."""
        shown, self.keys = "", self.keys + keys
        while self.keys and len(self.lines) < MOST_AT_ONCE:
            key, self.keys = self.keys[0], self.keys[1:]
            shown += self._turn(key) if self.pages else self._key(key)
        if not (self.lines or self.pages or self.terminal.hidden):
            shown, self.echoed = shown + self.typed[self.echoed :], len(self.typed)
        return shown

    def _key(self, key: str) -> str:
        """One key at a prompt; what it shows at once."""
        if key == "\n" and self.after_cr:
            self.after_cr = False
            return ""
        self.after_cr = key == "\r"
        if key in "\r\n" or key == END:
            self.lines.append(END if key == END else self.typed)
            self.typed = ""
        elif key in ERASE + KILL + INTERRUPT:
            left = self.typed[:-1] if key in ERASE else ""
            gone = max(0, self.echoed - len(left)) if not self.lines else 0
            self.typed, self.echoed = left, self.echoed - gone
            return "\b \b" * gone
        elif key == "?" and not self.terminal.hidden:
            return f"?\r\n{NO_HELP}\r\n\r\n{self.terminal.prompt}{self.typed}"
        elif (key.isprintable() or key == "\t") and len(self.typed) < LONGEST:
            self.typed += key
        return ""

    def _turn(self, key: str) -> str:
        """One key at a page break: the blank shows a page, Enter a line, anything else ends the output."""
        if key == " ":
            return WIPE + self.show(self.pages)
        if key in "\r\n":
            self.after_cr = key == "\r"
            return WIPE + self.show(self.pages, 1)
        self.pages = []
        return WIPE + self.terminal.prompt

    def show(self, lines: list[str], most: int = 0) -> str:
        """A page of lines, with the rest kept for the next key; the prompt follows the last page."""
        room = most or (self.terminal.page - 1 if self.terminal.page else len(lines))
        shown, self.pages = lines[:room], lines[room:]
        return "".join(f"{line}\r\n" for line in shown) + (MORE if self.pages else self.terminal.prompt)

    def carry_out(self) -> str:
        """Carry out the lines that wait, up to one whose output has to be turned over; all that is shown."""
        out: list[str] = []
        while self.lines and not self.pages and not self.terminal.over:
            text = self.lines.pop(0)
            echo = "" if self.terminal.hidden else f"{'^Z' if text == END else text}"[self.echoed :]
            self.echoed = 0
            out.append(f"{echo}\r\n")
            try:
                said = self.terminal.line(text, bool(self.lines))
            except Dropped as dropped:
                raise Dropped("".join(out)) from dropped
            out.append("" if self.terminal.over else self.show(said.splitlines()))
        return "".join(out)


async def _converse(process: asyncssh.SSHServerProcess[bytes], console: Console, workers: Executor) -> None:
    """A shell from its greeting to its end."""
    import asyncssh

    loop = asyncio.get_running_loop()
    process.stdout.write((console.terminal.greeting.replace("\n", "\r\n") + console.terminal.prompt).encode())
    while not console.terminal.over:
        if console.pages or not (console.lines or console.keys):
            try:
                data = await process.stdin.read(65536)
            except (asyncssh.TerminalSizeChanged, asyncssh.BreakReceived, asyncssh.SignalReceived):
                continue
            if not data:
                return
        else:
            data = b""
        process.stdout.write(console.feed(data.decode("utf-8", "replace").replace("\0", "")).encode())
        if console.lines and not console.pages:
            process.stdout.write((await loop.run_in_executor(workers, console.carry_out)).encode())
        await process.stdout.drain()


async def _serve(front: Front, process: asyncssh.SSHServerProcess[bytes], workers: Executor) -> None:
    import asyncssh

    loop = asyncio.get_running_loop()
    terminal = front.terminal(str(process.get_extra_info("username")))
    command = process.command or ""
    try:
        if command.startswith("scp "):
            process.exit(await serve_scp(front.flash, process, command))
            return
        if command:
            text = await loop.run_in_executor(workers, terminal.line, command, False)
            process.stdout.write(text.replace("\n", "\r\n").encode())
        else:
            await _converse(process, Console(terminal), workers)
        process.exit(0)
    except Dropped:
        process.channel.get_connection().abort()
    except (asyncssh.Error, OSError):
        pass  # the client went away; there is nobody to tell
    finally:
        await loop.run_in_executor(workers, terminal.hang_up)


async def serve(front: Front, sock: socket.socket, key: Any, username: str, password: str) -> asyncssh.SSHAcceptor:
    """Serve a switch on a socket that is bound already. ``key`` is its asyncssh private key."""
    # Commands run here: they wait for the kernel and for stalls, and must not hold up other connections. The threads
    # belong to this server: those of a module would not be there any more after a fork.
    workers = ThreadPoolExecutor(32, thread_name_prefix="cli")

    async def handle(process: asyncssh.SSHServerProcess[bytes]) -> None:
        await _serve(front, process, workers)

    return await listen(front.management, front.delay, handle, sock, key, (username, password))


async def listen(
    management: Management,
    delay: Callable[[], float],
    handle: Callable[[asyncssh.SSHServerProcess[bytes]], Awaitable[None]],
    sock: socket.socket,
    key: Any,
    login: tuple[str, str],
) -> asyncssh.SSHAcceptor:
    """An SSH server of a switch: one login, cut as ``management`` is, each session given to ``handle``."""
    import asyncssh

    loop = asyncio.get_running_loop()

    class Login(asyncssh.SSHServer):
        def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
            def drop() -> None:
                loop.call_soon_threadsafe(conn.abort)

            self.forget = management.watch(drop)
            if not management.reachable:
                conn.abort()

        def connection_lost(self, _: Exception | None) -> None:
            self.forget()

        def password_auth_supported(self) -> bool:
            return True

        async def validate_password(self, username: str, password: str) -> bool:
            await asyncio.sleep(delay())
            same = hmac.compare_digest(username.encode(), login[0].encode())
            return hmac.compare_digest(password.encode(), login[1].encode()) and same

    return await asyncssh.listen(
        sock=sock,
        server_factory=Login,
        server_host_keys=[key],
        kex_algs=KEY_EXCHANGES,
        process_factory=handle,
        encoding=None,
        line_editor=False,
        login_timeout=120,
    )

"""One simulated switch and one host with a real nft in a namespace, and plans for them."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from configlet import drivers
from configlet.drivers.base import Target
from configlet.journal import folder, opened
from configlet.model.plan import Change, Outcome, Plan, digest_of
from configlet.plan.texts import load_text
from configlet.push import push
from tests.lab.eos_bench import PASSWORD, USER

needs_namespaces = pytest.mark.skipif(
    not shutil.which("nft", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    or subprocess.run(["unshare", "-Urn", "true"], capture_output=True, check=False).returncode != 0,
    reason="needs nft and user namespaces: apt install nftables util-linux",
)


def canonical(platform: str, kind: str, text: str) -> str:
    """Our sections of a text, in one form; as simple as these texts are."""
    if platform == "nftables":
        lines = [re.sub(r"counter packets \d+ bytes \d+", "counter", line.strip()) for line in text.splitlines()]
        return "".join(
            f"{line}\n" for line in lines if line and not re.fullmatch("(delete )?table inet configlet", line)
        )
    blocks: dict[str, list[str]] = {}
    for line in text.splitlines():
        if re.match(r"(ip|ipv6) access-list cfglt-|interface ", line):
            blocks[line] = []
        elif line[:1] == " " and blocks:
            blocks[next(reversed(blocks))].append(line.strip().replace(" eq ssh", " eq 22"))
        elif line.strip() and line.strip() != "!" and blocks:
            blocks["?"] = []
    blocks.pop("?", None)
    for header in list(blocks):
        if header.startswith("interface "):
            blocks[header] = [line for line in blocks[header] if "access-group" in line]
            if not blocks[header]:
                del blocks[header]
    return "".join("\n".join([header, *(f"   {b}" for b in body)]) + "\n" for header, body in sorted(blocks.items()))


def acl(*entries: str) -> str:
    """A switch's sections: one list with these entries and the end, bound to Vlan120."""
    lines = [f"   {10 * n} {entry}\n" for n, entry in enumerate((*entries, "deny ip any any"), 1)]
    return (
        "ip access-list cfglt-Vlan120-in-v4\n" + "".join(lines) + "interface Vlan120\n"
        "   ip access-group cfglt-Vlan120-in-v4 in\n"
    )


def table(*ports: int) -> str:
    """A host's table that drops these TCP ports."""
    rules = "".join(f"\t\ttcp dport {port} counter drop\n" for port in ports)
    return (
        "table inet configlet\ndelete table inet configlet\ntable inet configlet {\n\tchain input {\n"
        f"\t\ttype filter hook input priority -10; policy accept;\n{rules}\t}}\n}}\n"
    )


def change(owner: str, before: str, after: str) -> Change:
    """From one text to another, for a switch or a host by the look of it."""
    host = "table inet configlet" in before + after
    platform, kind = ("nftables", "filter-table") if host else ("eos", "acl")
    old, new = canonical(platform, kind, before), canonical(platform, kind, after)
    return Change(
        owner, platform, kind, old, new, load_text(kind, old, new, after), load_text(kind, new, old, before), "diff"
    )


def plan_of(*changes: Change) -> Plan:
    plan = Plan("test", "lab", "2026-11-24", "0", "inventory", changes, (), (), ())
    return replace(plan, digest=digest_of(plan))


@dataclass
class Bench:
    """Where everything of one test is. ``told`` is what the push said on its way."""

    root: Path
    targets: dict[str, Target] = field(default_factory=dict)
    told: list[tuple[str, str, str]] = field(default_factory=list)

    def push(self, *changes: Change, seconds: int = 100, **more: Any) -> dict[str, Outcome]:
        with opened(folder(self.root, "test"), "test") as log:
            found = push(
                plan_of(*changes), self.targets, drivers.opener(canonical), log, canonical=canonical, seconds=seconds,
                progress=lambda *words: self.told.append(words), margin=more.pop("margin", 3), **more,
            )  # fmt: skip
        return {outcome.owner: outcome for outcome in found}

    def add(self, owner: str, platform: str, port: int) -> None:
        self.targets[owner] = Target(owner, platform, "127.0.0.1", port, "env/BENCH", self.root)

    def connect(self, owner: str) -> Any:
        return drivers.opener(canonical)(replace(self.targets[owner], run="look"))

    def steps(self, owner: str) -> list[str]:
        return [step for name, step, _ in self.told if name == owner]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv("BENCH_USERNAME", USER)
    monkeypatch.setenv("BENCH_PASSWORD", PASSWORD)
    return Bench(tmp_path)


def wait_until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for something that happens by itself; fails when it does not."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


@dataclass
class Host:
    """A host that is a network namespace, behind a small SSH server."""

    pid: int
    state: Path
    port: int = 0
    cut_after: str = ""
    """A guard verb: when it has been carried out the connection is dropped, and no new one taken for a while."""
    dark: float = 0.0
    """Seconds for which nothing is answered after a cut."""
    until: float = 0.0
    connections: list[Any] = field(default_factory=list)
    tools: str = ""
    """A folder whose programs are found before the machine's own: simulated tools."""
    user: bool = True
    """Whether it is a user namespace too; what only root of the machine may do is not possible in one."""

    def run(self, command: str, stdin: str = "") -> str:
        argv = [*self.enter(), "/bin/sh", "-c", command]
        env = {**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin"}
        found = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=True, env=env)
        return found.stdout

    def enter(self) -> list[str]:
        user = ["--user", "--preserve-credentials"] if self.user else []
        return ["nsenter", f"--target={self.pid}", "--net", *user]

    def ports(self) -> list[int]:
        text = self.run("nft list ruleset")
        return [int(port) for port in re.findall(r"tcp dport (\d+)", text)]


@contextmanager
def host(folder: Path, speed: int = 20, *, user: bool = True) -> Iterator[Host]:
    """A namespace with an SSH server before it; its key is in ``folder/known_hosts``."""
    flags = "-Urn" if user else "-n"
    holder = subprocess.Popen(["unshare", flags, "sh", "-c", "echo; exec sleep 600"], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    holder.stdout.readline()
    found = Host(holder.pid, folder / "state", user=user)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(_serve(found, folder, speed), loop).result(10)
    try:
        yield found
    finally:
        loop.call_soon_threadsafe(server.close)
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0.05), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        timer = found.state / "pending" / "timer"
        if timer.exists():
            subprocess.run(["kill", "--", f"-{timer.read_text().strip()}"], check=False)
        holder.kill()
        holder.wait()
        holder.stdout.close()


async def _serve(host: Host, folder: Path, speed: int) -> Any:
    import asyncssh

    class Door(asyncssh.SSHServer):
        def connection_made(self, conn: Any) -> None:
            if time.monotonic() < host.until:
                conn.abort()
            host.connections.append(conn)

        def begin_auth(self, username: str) -> bool:
            return True

        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            return (username, password) == (USER, PASSWORD)

    key = asyncssh.generate_private_key("ssh-ed25519")
    env = {
        "PATH": "/usr/sbin:/usr/bin:/bin",
        "CONFIGLET_STATE_DIR": str(host.state),
        "CONFIGLET_SPEED": str(speed),
    }

    async def serve(process: Any) -> None:
        with suppress(asyncssh.Error, OSError):
            around = {**env, "PATH": f"{host.tools}:{env['PATH']}"} if host.tools else env
            await (_execute(host, process, around) if process.command else _shell(process))

    server = await asyncssh.create_server(
        Door, "127.0.0.1", 0, server_host_keys=[key], process_factory=serve, encoding=None
    )
    host.port = server.get_port()
    public = key.export_public_key().decode().split()
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{host.port} {public[0]} {public[1]}\n")
    return server


async def _execute(host: Host, process: Any, env: dict[str, str]) -> None:
    pipe = asyncio.subprocess.PIPE
    run = await asyncio.create_subprocess_exec(
        *host.enter(), "/bin/sh", "-c", process.command, stdin=pipe, stdout=pipe, stderr=pipe, env=env
    )
    out, complaint = await run.communicate(await process.stdin.read())
    if host.cut_after and f" {host.cut_after} " in process.command:
        host.cut_after = ""
        host.until = time.monotonic() + host.dark
        for connection in host.connections:
            connection.abort()
        return
    process.stdout.write(out)
    process.stderr.write(complaint)
    process.exit(run.returncode)


async def _shell(process: Any) -> None:
    """Enough of an interactive shell for netmiko to find a prompt."""
    process.stdout.write(b"host# ")
    async for _ in process.stdin:
        process.stdout.write(b"host# ")
    process.exit(0)

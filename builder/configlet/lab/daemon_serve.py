"""What the daemon does: build the wire, serve switches and hosts, answer the control socket."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from configlet.lab import sshd, wire, wire_multicast
from configlet.lab.daemon_launch import READY, Birth
from configlet.lab.enter import inside
from configlet.lab.host import TOOLS, LabHost
from configlet.lab.nic import judged, rteflow, tools
from configlet.lab.nic.held import LISTED, Chain, steps
from configlet.lab.nic.ntuple import Refusal
from configlet.lab.nic.rteflow import Console
from configlet.lab.nic.settle import Settle
from configlet.lab.nic.tools import Nic
from configlet.lab.nic_tables import received
from configlet.lab.state import VERSION, State, write_json
from configlet.lab.state_trust import (
    Login,
    make_authority,
    make_credentials,
    server_context,
    variable,
    write_known_hosts,
)
from configlet.lab.switch_doors import Doorway
from configlet.lab.topology_management import management_namespace
from configlet.lab.topology_values import Wiring, nic_namespace
from configlet.model.inventory import Host, Inventory
from configlet.model.net import IPAddress
from configlet.model.problem import Refused, refuse

SSH = 22
PATIENCE = 20.0
"""Seconds in which a simulated NIC's namespace takes all that the NIC was told."""
SAYS = (
    "The switches are simulated: namespaces of this machine that forward with its kernel, with the management "
    "interface of their platform in front. No vendor software runs here.",
    "A realm of a switch is a namespace, a VLAN a bridge; a bond is two links of which the first carries.",
    "A NIC past the kernel, or with a filter table, is simulated too: `ethtool`, `tc` and the console of a DPDK application "
    "answer for it as drivers' sources say, and its namespace judges by the rules that it was told.",
    "Members of a gateway pair are told each other's MAC tables instead of learning them.",
    "Routes are static, and multicast is carried in IPv4 for the first groups of each prefix.",
)


@dataclass(slots=True)
class World:
    """The running lab."""

    inventory: Inventory
    wiring: Wiring
    state: State
    speed: float
    birth: Birth
    namespaces: dict[str, int] = field(default_factory=dict)
    switches: dict[str, Any] = field(default_factory=dict)
    hosts: dict[str, LabHost] = field(default_factory=dict)
    servers: list[dict[str, Any]] = field(default_factory=list)
    held: list[Any] = field(default_factory=list)
    settles: dict[str, Settle] = field(default_factory=dict)
    """By the namespaces of simulated NICs: what tells them what the NIC was told."""
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    def apply(self, namespace: str, text: str) -> None:
        """Load an nftables text in a namespace; what a switch programs its data plane with. Raises OSError."""
        if namespace not in self.namespaces:
            raise OSError(f"the lab has no namespace {namespace}")
        wire.run(self.namespaces[namespace], ["nft", "-f", "-"], text)

    def replace(self, namespace: str, chains: Sequence[Chain]) -> None:
        """Have a NIC's namespace hold these chains and no others. Raises OSError."""
        for step in steps(chains, wire.run(self.namespaces[namespace], list(LISTED), "")):
            self.apply(namespace, step)


def personality(platform: str) -> Any:
    """The module that fronts a platform's switches. Raises Refused when there is none."""
    name = f"configlet.lab.personalities.{platform}"
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as problem:
        if problem.name != name:
            raise
        raise refuse(
            "platform without a simulated switch", f"The lab cannot simulate a switch of platform {platform}."
        ) from None


def _listener(address: IPAddress, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((str(address), port))
    sock.listen(128)
    sock.setblocking(False)
    return sock


async def _serve_switches(world: World, logins: dict[str, Login]) -> dict[IPAddress, str]:
    """Serve every switch with a way in, by the module that is named as its platform; their public keys."""
    import asyncssh

    authority = make_authority(world.state)
    keys: dict[IPAddress, str] = {}
    for device in world.inventory.devices:
        if device.management is None:
            continue
        front, address = personality(device.platform), device.management.address
        switch = front.make(device, world.inventory, world.apply, world.speed)
        world.switches[device.name] = switch
        where = world.namespaces[management_namespace(world.inventory, device.name)]
        login = logins[variable(device.management)]
        key = asyncssh.generate_private_key("ssh-ed25519")
        keys[address] = key.export_public_key().decode()
        door = Doorway(
            lambda port, where=where, address=address: inside(where, lambda: _listener(address, port)),  # type: ignore[misc]
            server_context(authority, world.state, device.name, address),
            key,
            login.username,
            login.password,
        )
        world.held += await front.open_doors(switch, door)
        _served(world, device.name, device.platform, address, *front.PORTS)
    return keys


async def _serve_hosts(world: World, logins: dict[str, Login]) -> dict[IPAddress, str]:
    """Serve every host; the public keys of those with a way in."""
    import asyncssh

    keys: dict[IPAddress, str] = {}
    for host in world.inventory.hosts:
        folder = world.state.host(host.name)
        folder.mkdir(mode=0o700)
        here = LabHost(host.name, world.namespaces[host.name], folder, world.speed)
        world.hosts[host.name] = here
        _simulate_nics(world, host, folder)
        if host.management is None:
            continue
        address, login = host.management.address, logins[variable(host.management)]
        key = asyncssh.generate_private_key("ssh-ed25519")
        keys[address] = key.export_public_key().decode()
        sock = inside(here.namespace, lambda address=address: _listener(address, SSH))  # type: ignore[misc]
        world.held.append(await sshd.serve(here, sock, key, login.username, login.password))
        _served(world, host.name, host.platform, address, SSH)
    return keys


def _simulate_nics(world: World, host: Host, folder: Path) -> None:
    """A host's simulated NICs: `ethtool` and `tc` for all, and a DPDK application's console where a table is to be there.

    What each of them was told, the NIC's namespace judges by.
    """
    spaces = {nic.name: nic_namespace(host.name, nic.name) for nic in host.nics}
    spaces = {name: space for name, space in spaces.items() if space in world.namespaces}

    held: dict[str, dict[type, tuple[str, ...]]] = {name: {} for name in spaces}
    last: dict[str, Nic] = {}

    def told(name: str, nic: Nic | Console) -> None:
        held[name][type(nic)] = judged.rules(nic)
        try:
            world.replace(spaces[name], received(tuple(held[name].values())))
        except OSError as problem:
            raise Refusal(f"the simulated NIC failed: {problem}") from problem

    def changed(name: str, nic: Nic) -> None:
        last[name] = nic
        settles[name].changed()

    def idle() -> None:
        for settle in settles.values():
            with suppress(Refusal):  # it is told again before anybody looks
                settle.due()

    def tell(name: str) -> None:
        told(name, last[name])

    settles = {name: Settle(partial(tell, name)) for name in spaces}
    world.settles |= {spaces[name]: settle for name, settle in settles.items()}
    if spaces:
        simulated = tools.Tools(dict.fromkeys(spaces), changed, lambda name: settles[name].now(), idle)
        world.held.append(tools.serve(simulated, folder / TOOLS))
    for name in spaces:
        console, path = Console(device=f"simulated-{name}"), folder / f"console.{name}"
        world.held.append(rteflow.serve(console, path, partial(told, name, console)))
        (folder / "rteflow").mkdir(mode=0o700, exist_ok=True)
        with (folder / "rteflow" / "ports").open("a") as ports:  # from the folder, as a socket's path is short
            ports.write(f"{name} {path.name} {console.device}\n")


def _served(world: World, name: str, platform: str, address: IPAddress, *ports: int) -> None:
    """Remember what is served; the first port is that of the platform's usual way in."""
    entry = {"name": name, "platform": platform, "address": str(address), "port": ports[0], "ports": list(ports)}
    world.servers.append(entry)


def status(world: World) -> dict[str, Any]:
    """What the lab is, for people and programs."""
    notes = list(world.wiring.notes)
    if not world.birth.own_proc:
        notes.append("This machine does not let the lab have a /proc of its own; hosts see the machine's processes.")
    return {
        "version": VERSION,
        "site": world.inventory.site,
        "inventory": world.inventory.digest,
        "target": "lab",
        "simulated": True,
        "says": [*SAYS, *notes],
        "speed": world.speed,
        "pid": world.birth.pid,
        "user_namespace": world.birth.user_namespace,
        "namespaces": {
            n.name: {
                "path": f"/proc/{world.birth.pid}/fd/{world.namespaces[n.name]}",
                "role": n.role,
                "owner": n.owner,
                "realm": n.realm,
            }
            for n in world.wiring.namespaces
        },
        "servers": world.servers,
        "faults": {name: found for name, switch in world.switches.items() if (found := switch.faults())},
    }


def _fault(world: World, request: dict[str, Any]) -> dict[str, Any]:
    name, kind, arg = (str(request.get(key) or "") for key in ("device", "kind", "arg"))
    target = world.switches.get(name) or world.hosts.get(name)
    if target is None:
        known = ", ".join([*world.switches, *world.hosts])
        raise refuse("unknown device", f"The lab has no switch or host {name!r}. It has: {known}.")
    target.fault(kind, arg)
    return {"device": name, "kind": kind, "arg": arg}


def _settle(world: World) -> dict[str, Any]:
    """Every simulated NIC judges by what it was told until now, as packets are to be sent."""
    late = [name for name, settle in world.settles.items() if not settle.hurry(PATIENCE)]
    if late:
        raise refuse("simulated NIC that does not take what it was told", f"{', '.join(late)}: see the lab's log.", nature="red")
    return {}


def _down(world: World, _: dict[str, Any]) -> dict[str, Any]:
    asyncio.get_running_loop().call_soon(world.stop.set)
    return {}


async def _answer(world: World, line: bytes) -> dict[str, Any]:
    """One request, one answer. ``ok`` is false with ``problems`` when it was refused."""
    try:
        request = json.loads(line)
        verb = request["verb"]
        if verb == "status":
            return {"ok": True, **status(world)}
        if verb == "fault":
            return {"ok": True, **await asyncio.to_thread(_fault, world, request)}
        if verb == "settle":
            return {"ok": True, **await asyncio.to_thread(_settle, world)}
        if verb == "down":
            return {"ok": True, **_down(world, request)}
        return {"ok": False, "problems": [["unknown verb", f"The lab does not know {verb!r}."]]}
    except Refused as refused:
        return {"ok": False, "problems": [[p.summary, p.detail] for p in refused.problems]}
    except (ValueError, KeyError, TypeError) as problem:
        return {"ok": False, "problems": [["request not understood", f"{type(problem).__name__}: {problem}"]]}


async def _control(world: World) -> asyncio.Server:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, ValueError):
            while line := await reader.readline():
                writer.write(json.dumps(await _answer(world, line)).encode() + b"\n")
                await writer.drain()
        writer.close()

    folder = os.open(world.state.path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(f"/proc/self/fd/{folder}/control.sock")  # a socket's path is short; a workspace's need not be
    os.close(folder)
    (world.state.path / "control.sock").chmod(0o600)
    return await asyncio.start_unix_server(handle, sock=sock)


async def _run(world: World) -> None:
    say: Callable[[str], None] = world.birth.say
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, world.stop.set)
    world.namespaces = wire.make_namespaces(world.wiring)
    say(f"{len(world.namespaces)} namespaces")
    wire.apply(world.wiring, world.namespaces, say)
    world.held += wire_multicast.route_multicast(world.wiring, world.namespaces)
    logins = make_credentials(world.inventory, world.state)
    keys = await _serve_switches(world, logins)
    say(f"{len(world.switches)} simulated switches")
    keys |= await _serve_hosts(world, logins)
    write_known_hosts(world.state, keys)
    say(f"{len(world.hosts)} hosts")
    world.held.append(await _control(world))
    write_json(world.state.path / "ready.json", status(world))
    say(READY)
    os.close(world.birth.writer)
    await world.stop.wait()
    for switch in world.switches.values():
        switch.stop()


def serve(inventory: Inventory, wiring: Wiring, state: State, speed: float, birth: Birth) -> None:
    """Be the lab until it is told to end. Raises Refused or OSError when it cannot be built."""
    asyncio.run(_run(World(inventory, wiring, state, speed, birth)))

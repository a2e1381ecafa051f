"""The lab, up: real namespaces, real packets, unmodified clients, and nothing left when it is down."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from configlet.lab import daemon, enter, state
from configlet.model.inventory import Inventory
from configlet.model.problem import Refused
from configlet.workspace import load

ROOT = Path(__file__).parents[2]
SPEED = 20.0

CONNECT = """
import selectors, socket, sys, time
waiting, heard = selectors.DefaultSelector(), []
for address in sys.argv[1:]:
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    s.setblocking(False)
    try: s.connect_ex((address, 9))
    except OSError: continue
    waiting.register(s, selectors.EVENT_WRITE, address)
end = time.monotonic() + 5
while waiting.get_map() and time.monotonic() < end:
    for key, _ in waiting.select(0.2):
        if key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 111: heard.append(key.data)
        waiting.unregister(key.fileobj)
print(*sorted(heard))
"""
"""Prints the addresses that answer a connection to a closed port with a reset: there and back."""

LISTEN = """
import select, socket, struct, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 14310))
for group in ("239.1.1.1", "239.1.1.200"):
    s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + socket.inet_aton(sys.argv[1]))
print("listens", flush=True)
sent = False
while ready := select.select([s] if sent else [s, sys.stdin], [], [], 1.0 if sent else None)[0]:
    if s in ready: print(s.recv(100).decode(), flush=True)
    else: sent = True
"""
"""Prints what it hears until a second after a line on standard input says that everything was sent."""

SEND = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 8)
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("198.51.100.10"))
s.sendto(b"carried", ("239.1.1.1", 14310))
s.sendto(b"not-carried", ("239.1.1.200", 14310))
"""


@dataclass(frozen=True)
class Lab:
    root: Path
    inventory: Inventory

    @property
    def state(self) -> Path:
        return state.state_of(self.root, "dc1").path

    def run(self, namespace: str, *argv: str) -> subprocess.CompletedProcess[str]:
        return enter.run_in(self.state, namespace, argv, timeout=60)

    def start(self, namespace: str, *argv: str) -> subprocess.Popen[str]:
        into = (
            "import sys; from pathlib import Path; from configlet.lab import enter; "
            "enter.enter(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])"
        )
        command = [sys.executable, "-c", into, str(self.state), namespace, *argv]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def python(self, namespace: str, code: str, *argv: str) -> str:
        done = self.run(namespace, sys.executable, "-c", code, *argv)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def inventory() -> Inventory:
    return load(ROOT, "dc1", date(2026, 11, 24)).inventory


@pytest.fixture(scope="module")
def lab(inventory: Inventory, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    root = tmp_path_factory.mktemp("a workspace whose path is longer than the hundred and eight bytes of a socket's name")
    steps: list[str] = []
    daemon.up(inventory, root, SPEED, steps.append)
    assert steps
    yield Lab(root, inventory)
    daemon.down(root, "dc1")


def processes_with(word: str) -> list[str]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if word.encode() in line.split(b"\0"):
            found.append(folder.name)
    return found


def runs(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


def until(true: Any, seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def test_before_a_policy_every_workload_and_external_reaches_every_other_and_is_answered(lab: Lab) -> None:
    by_host: dict[str, list[str]] = {}
    for workload in lab.inventory.workloads:
        by_host.setdefault(workload.host, []).extend(map(str, workload.addresses))
    by_host["exchange-a"] = ["198.51.100.10", "2001:db8:a::a"]
    everything = [a for found in by_host.values() for a in found]

    def reached(name: str) -> set[str]:
        return set(lab.python(name, CONNECT, *everything).split())

    with ThreadPoolExecutor(2) as pool:
        heard = dict(zip(by_host, pool.map(reached, by_host), strict=True))
    for name, own in by_host.items():
        six = any(":" in a for a in own)
        assert heard[name] == {a for a in everything if six or ":" not in a}, name


def test_the_controller_reaches_every_management_address_and_no_workload(lab: Lab) -> None:
    management = [str(i.management.address) for i in (*lab.inventory.devices, *lab.inventory.hosts) if i.management]
    workloads = [str(a) for w in lab.inventory.workloads for a in w.addresses]
    assert sorted(management) == lab.python("controller", CONNECT, *management, *workloads).split()


def test_multicast_arrives_once_at_every_receiver_and_nowhere_else(lab: Lab) -> None:
    receiving = {s for m in lab.inventory.multicast for s in m.receivers}
    workloads = {w.host: w for w in lab.inventory.workloads}
    listeners = {}
    for host, workload in workloads.items():
        v4 = next(str(a) for a in workload.addresses if a.version == 4)
        listeners[host] = lab.start(host, sys.executable, "-c", LISTEN, v4)
    assert [process.stdout.readline() for process in listeners.values()] == ["listens\n"] * len(listeners)
    lab.python("exchange-a", SEND)
    for process in listeners.values():
        process.stdin.write("sent\n")
        process.stdin.flush()
    heard = {host: process.communicate(timeout=30)[0].split() for host, process in listeners.items()}
    assert heard == {h: ["carried"] if w.segment in receiving else [] for h, w in workloads.items()}
    assert ["carried"] in heard.values()


NETMIKO = """
import os, sys
from netmiko import ConnectHandler
known = os.environ["CONFIGLET_TRUST"] + "/known_hosts" if len(sys.argv) < 2 else sys.argv[1]
device = ConnectHandler(device_type="linux", host="192.0.2.101", username=os.environ["DC1_USERNAME"],
    password=os.environ["DC1_PASSWORD"], ssh_strict=True, system_host_keys=False, alt_host_keys=True, alt_key_file=known)
transport = device.remote_conn_pre.get_transport()
def execute(command, stdin=b""):
    channel = transport.open_session()
    channel.exec_command(command)
    channel.sendall(stdin)
    channel.shutdown_write()
    out = channel.makefile("rb").read().decode(), channel.makefile_stderr("rb").read().decode()
    return [channel.recv_exit_status(), *out]
"""


def test_an_unmodified_netmiko_has_a_shell_in_the_namespace_of_the_host(lab: Lab) -> None:
    code = NETMIKO + "print(device.send_command('ip -br address')); print(device.send_command('tty; echo $CONFIGLET_SPEED'))"
    out = lab.python("controller", code)
    assert "10.1.10.11/24" in out and "10.1.10.12/24" not in out
    assert "/dev/pts/" in out and f"{SPEED:g}" in out.split()


def test_a_shell_stays_as_long_as_its_client(lab: Lab) -> None:
    code = NETMIKO + "print(device.send_command('sleep 2; echo still $((40 + 2))', read_timeout=20))"
    assert "still 42" in lab.python("controller", code)


def test_a_command_over_ssh_has_its_own_input_outputs_and_status(lab: Lab) -> None:
    code = NETMIKO + "import json; print(json.dumps(execute('cat; echo wrong >&2; exit 7', b'x' * 300000)))"
    status, out, err = json.loads(lab.python("controller", code))
    assert (status, out, err) == (7, "x" * 300000, "wrong\n")


def test_a_host_runs_the_real_nft_on_its_own_rules_only(lab: Lab) -> None:
    code = NETMIKO + (
        "execute('nft -f -', b'table inet there { chain c { type filter hook input priority 0; } }')\n"
        "print(execute('nft list tables')); print(execute('nft delete table inet there'))"
    )
    assert "table inet there" in lab.python("controller", code)
    assert lab.run("client2", "nft", "list", "tables").stdout == ""


def test_a_host_key_that_is_not_the_known_one_is_refused(lab: Lab, tmp_path: Path) -> None:
    known = (state.State(lab.state).trust / "known_hosts").read_text()
    keys = dict(line.split(" ", 1) for line in known.splitlines())
    (tmp_path / "known").write_text(f"192.0.2.101 {keys['192.0.2.102']}\n")
    done = lab.run("controller", sys.executable, "-c", NETMIKO, str(tmp_path / "known"))
    assert done.returncode and "does not match" in done.stderr


def test_a_wrong_password_is_refused(lab: Lab) -> None:
    code = NETMIKO.replace('os.environ["DC1_PASSWORD"]', '"guess"')
    done = lab.run("controller", sys.executable, "-c", code)
    assert done.returncode and "NetmikoAuthenticationException" in done.stderr


def test_a_detached_process_outlives_its_connection(lab: Lab) -> None:
    start = "execute('setsid sleep 98765.25 >/dev/null 2>&1 </dev/null &')"
    lab.python("controller", f"{NETMIKO}{start}\ntransport.sock.close()\nimport os; os._exit(0)")
    assert len(processes_with("98765.25")) == 1
    code = NETMIKO + "print(execute('pkill -f [9]8765.25'))"
    assert "[0," in lab.python("controller", code)


EAPI = """
import os, ssl, sys
from napalm import get_network_driver
context = ssl.create_default_context(cafile=sys.argv[1])
device = get_network_driver("eos")("192.0.2.21", os.environ["DC1_USERNAME"], os.environ["DC1_PASSWORD"],
    optional_args={"context": context, "transport": "https"})
device.open()
print(device.cli(["show hostname"], "text"))
"""


def test_an_unmodified_napalm_speaks_to_a_switch_whose_certificate_the_lab_signed(lab: Lab) -> None:
    assert "leaf1" in lab.python("controller", EAPI, str(lab.state / "trust" / "ca.pem"))


def test_a_certificate_of_somebody_else_is_not_trusted(lab: Lab) -> None:
    theirs = next(path for path in (ssl.get_default_verify_paths().openssl_cafile, _certifi()) if Path(path).exists())
    done = lab.run("controller", sys.executable, "-c", EAPI, theirs)
    assert done.returncode and "CERTIFICATE_VERIFY_FAILED" in done.stderr


def _certifi() -> str:
    import certifi

    return certifi.where()


def test_the_status_says_that_the_switches_are_simulated_and_how_fast_the_timers_run(lab: Lab) -> None:
    found = daemon.status(lab.root, "dc1")
    assert found["simulated"] and found["speed"] == SPEED and found["target"] == "lab"
    said = " ".join(found["says"])
    assert "simulated" in said and "VLAN a bridge" in said and "realm" in said and "bond" in said
    assert {s["name"] for s in found["servers"]} == {d.name for d in (*lab.inventory.devices, *lab.inventory.hosts)}


def test_a_command_enters_the_lab_with_its_credentials_trust_and_working_directory(lab: Lab, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from configlet.lab import enter\n"
        "show = 'import os; print(os.getcwd(), os.environ[\"CONFIGLET_LAB\"], os.environ[\"CONFIGLET_TRUST\"],"
        " os.environ[\"OWN\"], len(os.environ[\"DC1_PASSWORD\"]) > 12)'\n"
        f"enter.enter(Path({str(lab.state)!r}), 'controller', [sys.executable, '-c', show], {{'OWN': '1'}})"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{tmp_path} {lab.state} {lab.state / 'trust'} 1 True"


def test_secrets_are_for_their_owner_only(lab: Lab) -> None:
    assert lab.state.stat().st_mode & 0o077 == 0
    for path in (lab.state / "credentials.json", *(lab.state / "tls").iterdir()):
        assert path.stat().st_mode & 0o077 == 0
    login = json.loads((lab.state / "credentials.json").read_text())["DC1"]
    assert login["password"] not in json.dumps(daemon.status(lab.root, "dc1")) + (lab.state / "log").read_text()


def test_a_second_lab_of_the_same_site_is_refused(lab: Lab) -> None:
    with pytest.raises(Refused, match="already up"):
        daemon.up(lab.inventory, lab.root)


def test_what_the_lab_does_not_know_is_refused(lab: Lab) -> None:
    for device, kind, words in (
        ("nobody", "flush", "unknown device"),
        ("client1", "explode", "unknown fault"),
        ("client1", "drop-after-commit", "fault needs seconds"),
        ("leaf1", "explode", "no such fault"),
    ):
        with pytest.raises(Refused, match=words):
            daemon.fault(lab.root, "dc1", device, kind)
    with pytest.raises(Refused, match="unknown namespace"):
        lab.run("nowhere", "true")


def test_a_host_whose_table_is_flushed_has_no_rule_left(lab: Lab) -> None:
    with pytest.raises(Refused, match="does not apply"):
        daemon.fault(lab.root, "dc1", "client1", "flush")
    rule = "add table inet configlet; add chain inet configlet c; add rule inet configlet c drop"
    assert lab.run("client1", "nft", rule).returncode == 0
    daemon.fault(lab.root, "dc1", "client1", "flush")
    assert "drop" not in lab.run("client1", "nft", "list", "ruleset").stdout
    daemon.fault(lab.root, "dc1", "client1", "open")
    assert lab.run("client1", "nft", "list", "ruleset").stdout == ""


ALONE = """
import json, sys
from datetime import date
from pathlib import Path
from configlet.lab import daemon, enter, state
from configlet.workspace import load
root = Path(sys.argv[1])
daemon.up(load(Path(sys.argv[2]), "dc1", date(2026, 11, 24)).inventory, root)
found = daemon.status(root, "dc1")
folder = state.state_of(root, "dc1").path
argv = [sys.executable, "-c", sys.argv[3], "10.1.30.11", "2001:db8:1:30::11"]
print(json.dumps([found["user_namespace"], found["pid"], enter.run_in(folder, "client1", argv).stdout]))
if len(sys.argv) < 5: daemon.down(root, "dc1")
"""


def alone(root: Path, *words: str) -> list[Any]:
    """Raise a lab in a process without privileges: as the user that runs this, or as root without root's powers."""
    argv = [sys.executable, "-c", ALONE, str(root), str(ROOT), CONNECT, *words]
    if os.geteuid() == 0:  # what an ordinary user lacks; setfcap is what lets root name itself in a user namespace
        argv = ["setpriv", "--bounding-set=-all,+setfcap", "--inh-caps=-all", *argv]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_lab_rises_without_root(tmp_path: Path) -> None:
    user_namespace, pid, reached = alone(tmp_path)
    assert user_namespace
    assert reached.split() == ["10.1.30.11", "2001:db8:1:30::11"]
    assert not runs(pid)
    assert not (tmp_path / ".configlet" / "lab" / "dc1").exists()


def test_a_daemon_that_is_killed_takes_everything_with_it(tmp_path: Path) -> None:
    _, pid, _ = alone(tmp_path, "stay")
    found = state.state_of(tmp_path, "dc1")
    first = int((found.path / "pid").read_text())
    os.kill(pid, signal.SIGKILL)
    assert until(lambda: not state.alive(found)) and until(lambda: not runs(pid) and not runs(first))
    with pytest.raises(Refused, match="not up"):
        daemon.status(tmp_path, "dc1")
    daemon.down(tmp_path, "dc1")
    assert not found.path.exists()


def test_down_ends_what_a_host_left_running(inventory: Inventory, tmp_path: Path) -> None:
    daemon.up(inventory, tmp_path)
    here = Lab(tmp_path, inventory)
    here.python("controller", NETMIKO + "execute('setsid sleep 98765.75 >/dev/null 2>&1 </dev/null &')")
    assert len(processes_with("98765.75")) == 1
    daemon.down(tmp_path, "dc1")
    assert processes_with("98765.75") == []
    assert not here.state.exists()
    with pytest.raises(Refused, match="not up"):
        daemon.down(tmp_path, "dc1")


def test_a_lab_whose_starter_is_interrupted_ends(inventory: Inventory, tmp_path: Path) -> None:
    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        daemon.up(inventory, tmp_path, log=interrupt)
    found = state.state_of(tmp_path, "dc1")
    assert not state.alive(found) and not runs(int((found.path / "pid").read_text()))


def test_a_site_that_cannot_be_built_leaves_nothing(inventory: Inventory, tmp_path: Path) -> None:
    import dataclasses

    foreign = dataclasses.replace(inventory.devices[0], platform="abacus")
    with pytest.raises(Refused, match="simulate"):
        daemon.up(dataclasses.replace(inventory, devices=(foreign, *inventory.devices[1:])), tmp_path)
    with pytest.raises(Refused, match="speed"):
        daemon.up(inventory, tmp_path, 0)
    assert list(tmp_path.iterdir()) == []

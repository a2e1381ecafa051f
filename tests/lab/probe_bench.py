"""The lab of dc1 in a workspace of its own, and what is needed to load, damage and mend its gates.

Texts go to switches by eAPI or SSH, and to hosts by ``nft``, from inside the lab and without the product's own push.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import ssl
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from configlet import pipeline
from configlet.lab import daemon
from configlet.lab.enter import run_in
from configlet.lab.probe import Result, probe
from configlet.lab.state import state_of

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 11, 24)
SITE = "dc1"


@dataclass(frozen=True)
class Lab:
    """A lab that is up."""

    root: Path

    @property
    def state(self) -> Path:
        return state_of(self.root, SITE).path

    def probe(self) -> Result:
        return probe(self.root, SITE, TODAY)

    def inside(self, namespace: str, *argv: str, text: str = "") -> str:
        done = run_in(self.state, namespace, argv, stdin=text)
        assert done.returncode == 0, f"{argv} in {namespace}: {done.stderr}"
        return done.stdout

    def load(self, *owners: str) -> None:
        """Load the rendered texts of some devices and hosts, or of all."""
        site = pipeline.open_site(self.root, SITE, TODAY)
        at = {d.name: str(d.management.address) for d in site.inventory.devices if d.management}
        texts: dict[str, tuple[str, str]] = {}
        for artifact in pipeline.render(self.root, SITE, TODAY):
            if owners and artifact.owner not in owners:
                continue
            if artifact.platform == "nftables":
                self.inside(artifact.owner, "nft", "-f", "-", text=artifact.text)
            else:
                texts[at[artifact.owner]] = (artifact.platform, artifact.text)
        self.inside("controller", sys.executable, __file__, text=json.dumps(texts))

    def flush(self, host: str) -> None:
        self.inside(host, "nft", "flush", "ruleset")

    def unbind(self, device: str, interface: str) -> None:
        daemon.fault(self.root, SITE, device, "unbind", interface)


@contextmanager
def raised(root: Path) -> Iterator[Lab]:
    """The lab of dc1, up, in a workspace of its own; taken down whatever happens."""
    shutil.copytree(ROOT / "inventory" / SITE, root / "inventory" / SITE)
    daemon.up(pipeline.open_site(root, SITE, TODAY).inventory, root)
    try:
        yield Lab(root)
    finally:
        daemon.down(root, SITE)


def post(address: str, text: str) -> None:
    """One configuration over eAPI, verified against the lab's certificate authority. Lists are made anew."""
    lines: list[str] = []
    for line in (line.strip() for line in text.splitlines() if line.strip(" !")):
        lines += [f"no {line}", line] if line.startswith(("ip access-list", "ipv6 access-list")) else [line]
    params = {"version": 1, "cmds": ["enable", "configure", *lines], "format": "json"}
    body = json.dumps({"jsonrpc": "2.0", "method": "runCmds", "id": "1", "params": params}).encode()
    login = base64.b64encode(f"{os.environ['DC1_USERNAME']}:{os.environ['DC1_PASSWORD']}".encode()).decode()
    head = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"https://{address}/command-api", body, head)
    trust = ssl.create_default_context(cafile=f"{os.environ['CONFIGLET_TRUST']}/ca.pem")
    with urllib.request.urlopen(request, context=trust, timeout=30) as response:
        answer = json.load(response)
    if "error" in answer:
        raise SystemExit(f"{address}: {answer['error']}")


def merged(address: str, text: str) -> None:
    """One configuration by SCP and netmiko, whose host key is verified. Entries that are there are not added again."""
    from netmiko import ConnectHandler, file_transfer

    known = {"ssh_strict": True, "alt_host_keys": True, "alt_key_file": f"{os.environ['CONFIGLET_TRUST']}/known_hosts"}
    login = {"username": os.environ["DC1_USERNAME"], "password": os.environ["DC1_PASSWORD"]}
    with (
        tempfile.NamedTemporaryFile("w") as file,
        ConnectHandler(device_type="cisco_xe", host=address, read_timeout_override=120, **login, **known) as link,
    ):
        file.write(text)
        file.flush()
        file_transfer(link, file.name, "bench.cfg", file_system="flash:", overwrite_file=True)
        said = link.send_command("copy flash:bench.cfg running-config", cmd_verify=False, read_timeout=120)
    wrong = [line for line in said.splitlines() if line.startswith("%")]
    if wrong:
        raise SystemExit(f"{address}: {wrong}")


if __name__ == "__main__":
    for where, (kind, what) in json.load(sys.stdin).items():
        (post if kind == "eos" else merged)(where, what)

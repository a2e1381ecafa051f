"""The peers on the same policy: what they are, how they are installed, and the policy in each one's own format.

Each peer lives in a virtual environment of its own under ``benchmarks/.peers`` (made on demand, from PyPI, never part of
the product), and is run by its own command. Aerleon and Capirca read named objects and services as we do. PyAVD resolves
no names: it is given literal entries, which spares it the work of the other three.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.policies import Policy

HOME = Path(os.environ.get("CONFIGLET_PEERS", Path(__file__).resolve().parent / ".peers"))
TARGETS = {
    "eos": ("arista", "desks extended"),
    "ios": ("cisco", "desks extended"),
    "nftables": ("nftables", "inet input"),
}
"""Our platforms to the targets of Aerleon and Capirca, with their options."""
SUFFIXES = {"eos": ".eacl", "ios": ".acl", "nftables": ".nft"}


@dataclass(frozen=True, slots=True)
class Peer:
    """A tool of others: its package on PyPI, the platforms it writes, and how the policy is written for it."""

    name: str
    requirement: str
    platforms: tuple[str, ...]
    write: Callable[[Policy, Sequence[str], Path], None]
    command: tuple[str, ...]
    """What is run in the folder that was written."""

    @property
    def home(self) -> Path:
        """Its virtual environment."""
        return HOME / self.requirement.replace("==", "-")


def installed(peer: Peer) -> Peer:
    """The peer, installed when it was not yet. Raises CalledProcessError when it cannot be."""
    ready = peer.home / ".installed"
    if not ready.exists():
        shutil.rmtree(peer.home, ignore_errors=True)
        peer.home.parent.mkdir(parents=True, exist_ok=True)
        print(f"installing {peer.requirement} into {peer.home}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", peer.home], check=True)
        pip = [peer.home / "bin" / "python", "-m", "pip", "install", "-qqq", "--disable-pip-version-check"]
        subprocess.run([*pip, peer.requirement, "setuptools<81"], check=True, stdout=subprocess.DEVNULL)
        ready.touch()
    return peer


def text_of(folder: Path, platform: str) -> str:
    """What Aerleon or Capirca wrote for a platform. Raises ValueError unless it is exactly one file."""
    found = sorted((folder / "out").rglob(f"*{SUFFIXES[platform]}"))
    if len(found) != 1:
        raise ValueError(f"{len(found)} files for {platform} in {folder / 'out'}")
    return found[0].read_text()


def permits(text: str, platform: str) -> int:
    """How many lines let packets pass: the entries of an access list, the rules of a chain."""
    word = " accept" if platform == "nftables" else "permit "
    return sum(word in line for line in text.splitlines() if "ct state established" not in line)


def _aerleon(policy: Policy, platforms: Sequence[str], folder: Path) -> None:
    networks = "".join(
        f"  {_up(name)}:\n    values:\n" + "".join(f"      - address: {net}\n" for net in nets)
        for name, nets in policy.objects.items()
    )
    services = "".join(f"  {_up(n)}:\n    - protocol: tcp\n      port: {p}\n" for n, p in policy.services.items())
    (folder / "def").mkdir(parents=True)
    (folder / "def" / "objects.yaml").write_text(f"networks:\n{networks}services:\n{services}")
    targets = "".join(f'      {TARGETS[p][0]}: "{TARGETS[p][1]}"\n' for p in platforms)
    terms = "".join(
        f"  - name: {term.name}\n    source-address: {' '.join(map(_up, term.sources))}\n"
        f"    destination-address: {' '.join(map(_up, term.destinations))}\n"
        f"    destination-port: {_up(term.service)}\n    protocol: tcp\n    action: accept\n"
        for term in policy.terms
    )
    (folder / "policies" / "pol").mkdir(parents=True)
    (folder / "policies" / "pol" / "desks.yaml").write_text(
        f"filters:\n- header:\n    targets:\n{targets}  terms:\n{terms}  - name: default-deny\n    action: deny\n"
    )
    (folder / "out").mkdir()


def _capirca(policy: Policy, platforms: Sequence[str], folder: Path) -> None:
    (folder / "def").mkdir(parents=True)
    (folder / "def" / "objects.net").write_text(
        "".join(
            f"{_up(name)} = {nets[0]}\n" + "".join(f"  {net}\n" for net in nets[1:])
            for name, nets in policy.objects.items()
        )
    )
    (folder / "def" / "objects.svc").write_text("".join(f"{_up(n)} = {p}/tcp\n" for n, p in policy.services.items()))
    targets = "".join(f"  target:: {TARGETS[p][0]} {TARGETS[p][1]}\n" for p in platforms)
    terms = "".join(
        f"term {term.name} {{\n  source-address:: {' '.join(map(_up, term.sources))}\n"
        f"  destination-address:: {' '.join(map(_up, term.destinations))}\n"
        f"  destination-port:: {_up(term.service)}\n  protocol:: tcp\n  action:: accept\n}}\n"
        for term in policy.terms
    )
    (folder / "policies" / "pol").mkdir(parents=True)
    (folder / "policies" / "pol" / "desks.pol").write_text(
        f"header {{\n{targets}}}\n{terms}term default-deny {{\n  action:: deny\n}}\n"
    )
    (folder / "out").mkdir()


def _pyavd(policy: Policy, platforms: Sequence[str], folder: Path) -> None:
    if tuple(platforms) != ("eos",):
        raise ValueError("PyAVD writes EOS only")
    entries = [
        {
            "sequence": 10 * (at + 1),
            "action": "permit",
            "protocol": "tcp",
            "source": str(source),
            "destination": str(target.network_address) if target.prefixlen == 32 else str(target),
            "destination_ports_match": "eq",
            "destination_ports": [str(policy.services[term.service])],
        }
        for at, (term, source, target) in enumerate(
            (term, source, target)
            for term in policy.terms
            for a in term.sources
            for source in policy.objects[a]
            for b in term.destinations
            for target in policy.objects[b]
        )
    ]
    folder.mkdir(parents=True)
    (folder / "out").mkdir()
    (folder / "in.json").write_text(json.dumps({"hostname": "leaf1", "ip_access_lists": [{"name": "desks", "entries": entries}]}))
    (folder / "run.py").write_text(
        "import json, sys\nfrom pathlib import Path\nimport pyavd\n"
        "given = json.loads(Path('in.json').read_text())\n"
        "if pyavd.validate_structured_config(given).validation_result.violations:\n    sys.exit(1)\n"
        "Path('out/desks.eacl').write_text(pyavd.get_device_config(given))\n"
    )


def _up(name: str) -> str:
    return name.upper().replace("-", "_")


def _generator(name: str, requirement: str, write: Callable[[Policy, Sequence[str], Path], None]) -> Peer:
    program = HOME / requirement.replace("==", "-") / "bin" / "aclgen"
    flags = ("--base_directory", "policies", "--definitions_directory", "def", "--output_directory", "out")
    return Peer(name, requirement, ("eos", "ios", "nftables"), write, (str(program), *flags))


AERLEON = _generator("Aerleon", "aerleon==1.18.0", _aerleon)
CAPIRCA = _generator("Capirca", "capirca==2.0.9", _capirca)
PYAVD = Peer("PyAVD", "pyavd==6.4.0", ("eos",), _pyavd, (str(HOME / "pyavd-6.4.0" / "bin" / "python"), "run.py"))
PEERS = (AERLEON, CAPIRCA, PYAVD)

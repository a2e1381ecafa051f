"""A small site with one simulated switch, served on the loopback with a test CA."""

from __future__ import annotations

import asyncio
import datetime
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address, ip_address, ip_network
from pathlib import Path
from typing import Any

from configlet.lab.personalities import eos
from configlet.lab.switch import Switch
from configlet.model.inventory import Device, External, Gateways, Inventory, Link, Management, Segment
from configlet.model.problem import Place

HERE = Place("test.yaml")
USER, PASSWORD = "admin", "correct horse"


def segment(name: str, vlan: int, v4: str, v6: str) -> Segment:
    networks = (ip_network(v4), ip_network(v6))
    virtual = tuple(network[1] for network in networks)
    gateways = Gateways(("leaf1",), "anycast", "symmetric", ("in", "out"), virtual, HERE)
    return Segment(name, "trading", vlan, networks, "policy", "drop", "none", gateways, (), ("gateway",), HERE)


LEAF = Device("leaf1", "eos", "7280R", "leaf", HERE, management=Management(ip_address("192.0.2.21"), "env/X", HERE))
LINK = Link(
    "leaf1", "Ethernet49", "border1", "Ethernet1", "trading", None,
    (ip_address("10.0.1.0"), ip_address("10.0.1.1")), (ip_network("10.0.1.0/31"),), HERE,
)  # fmt: skip
EXTERNAL = External(
    "exchange-a", "trading", (ip_network("198.51.100.0/24"),), (("leaf1", "Ethernet48"),), HERE,
    (ip_address("198.51.100.1"),),
)  # fmt: skip
SITE = Inventory(
    site="test", lab_only=True, controller=(ip_address("192.0.2.10"),), controller_realm="default",
    ephemeral=(1024, 65535), icmp_errors_from=(), failsafe=(), infrastructure=(), externals=(EXTERNAL,),
    devices=(LEAF,), links=(LINK,),
    segments=(
        segment("clients", 110, "10.1.10.0/24", "2001:db8:1:10::/64"),
        segment("order-gateways", 120, "10.1.20.0/24", "2001:db8:1:20::/64"),
    ),
    multicast=(), hosts=(), addresses=(), services=(), policy=(), accept=(), tests=(), digest="",
)  # fmt: skip


@dataclass
class Planes:
    """The rulesets that the switch gave to its namespaces, in order."""

    given: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, namespace: str, text: str) -> None:
        self.given.append((namespace, text))


def make(speed: float = 1.0, planes: Planes | None = None) -> Switch:
    return Switch(LEAF, SITE, planes or Planes(), speed)


def authority(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A CA with one certificate for 127.0.0.1: the server's context, and the client's that trusts only this CA."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    def build(name: str, issuer: str, key: Any, signer: Any, extension: Any, ca: bool) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        builder = x509.CertificateBuilder(
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]),
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]),
            key.public_key(), x509.random_serial_number(),
            now - datetime.timedelta(minutes=5), now + datetime.timedelta(days=1),
        )  # fmt: skip
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        return (builder.add_extension(extension, critical=False) if extension else builder).sign(
            signer, hashes.SHA256()
        )

    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = build("test CA", "test CA", ca_key, ca_key, None, True)
    names = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    certificate = build("leaf1", "test CA", key, ca_key, names, False)
    pem = serialization.Encoding.PEM
    text = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "ca.pem").write_bytes(ca.public_bytes(pem))
    (folder / "server.pem").write_bytes(text + certificate.public_bytes(pem))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "server.pem")
    return server, ssl.create_default_context(cafile=str(folder / "ca.pem"))


@contextmanager
def served(switch: Switch, context: ssl.SSLContext) -> Iterator[int]:
    """The switch behind its eAPI on a port of 127.0.0.1 while the block runs."""
    sock = socket.create_server(("127.0.0.1", 0))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(eos.serve(switch, sock, context, USER, PASSWORD), loop).result(10)
    try:
        yield sock.getsockname()[1]
    finally:
        loop.call_soon_threadsafe(server.close)
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0.05), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        switch.stop()


def driver(port: int, context: ssl.SSLContext, password: str = PASSWORD) -> Any:
    """An unmodified NAPALM eos driver, not opened yet."""
    from napalm.eos import EOSDriver

    return EOSDriver("127.0.0.1", USER, password, timeout=10, optional_args={"port": port, "context": context})

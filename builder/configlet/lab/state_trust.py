"""What the lab's clients must trust, and its secrets: an authority, host keys, credentials; new at every start."""

from __future__ import annotations

import re
import secrets
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from configlet.lab.state import State, write_json, write_private
from configlet.model.inventory import Inventory, Management
from configlet.model.net import IPAddress
from configlet.model.problem import refuse

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

_REFERENCE = re.compile(r"env/([A-Za-z_][A-Za-z0-9_]*)")
_LIFE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Login:
    """A name and password of the lab."""

    username: str
    password: str

    def __repr__(self) -> str:
        return f"Login({self.username!r}, ***)"


def variable(management: Management) -> str:
    """The stem of the environment variables behind a credentials reference: ``env/DC1`` is DC1."""
    match = _REFERENCE.fullmatch(management.credentials)
    if match is None:
        raise refuse(
            "unknown kind of credentials",
            f'The lab makes credentials for references such as env/DC1, not for "{management.credentials}".',
            management.place,
        )
    return match[1]


def managements(inventory: Inventory) -> list[Management]:
    """How all devices and hosts of a site are reached; those without a way in are not among them."""
    ways = [d.management for d in inventory.devices] + [h.management for h in inventory.hosts]
    return [way for way in ways if way]


def make_credentials(inventory: Inventory, state: State) -> dict[str, Login]:
    """Random credentials for every reference of a site, written to ``credentials.json``."""
    names = sorted({variable(management) for management in managements(inventory)})
    logins = {name: Login("admin", secrets.token_urlsafe(18)) for name in names}
    content = {name: {"username": login.username, "password": login.password} for name, login in logins.items()}
    write_json(state.path / "credentials.json", content)
    return logins


@dataclass(frozen=True, slots=True)
class Authority:
    """The lab's certificate authority. It lives as long as the lab and signs nothing else."""

    key: EllipticCurvePrivateKey
    certificate: x509.Certificate


def _certificate(subject: str, key: EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    from cryptography import x509

    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + _LIFE)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def make_authority(state: State) -> Authority:
    """A new authority; its certificate is written to ``trust/ca.pem``."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    builder = _certificate("configlet lab", key)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "configlet lab")])
    certificate = (
        builder.issuer_name(name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    write_private(state.trust / "ca.pem", certificate.public_bytes(serialization.Encoding.PEM))
    return Authority(key, certificate)


def server_context(authority: Authority, state: State, name: str, address: IPAddress) -> ssl.SSLContext:
    """A TLS context for one switch, with a certificate for its management address."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(str(address))), x509.DNSName(name)])
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    certificate = (
        _certificate(name, key)
        .issuer_name(authority.certificate.subject)
        .add_extension(names, critical=False)
        .add_extension(signer, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(authority.key, hashes.SHA256())
    )
    path: Path = state.path / "tls" / f"{name}.pem"
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    write_private(path, private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def write_known_hosts(state: State, keys: dict[IPAddress, str]) -> None:
    """``trust/known_hosts`` in OpenSSH's form, from addresses and public keys."""
    lines = [f"{address} {' '.join(key.split()[:2])}\n" for address, key in sorted(keys.items(), key=str)]
    write_private(state.trust / "known_hosts", "".join(lines).encode())

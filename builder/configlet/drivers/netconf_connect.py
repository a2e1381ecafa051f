"""A NETCONF session of NAPALM's junos driver with a verified host key, and what goes wrong on the way to it, in our words."""

from __future__ import annotations

import logging
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from configlet.drivers import secrets
from configlet.drivers.base import Target, Unreachable, Untrusted

PORT = 22
"""Where Junos serves the subsystem ``netconf`` beside 830, and NAPALM's own choice."""


TICK = 0.01
"""Seconds for which a request waits in ncclient's thread before it is sent; there it is a tenth, and a push has thirty."""


def connected(target: Target, patience: int) -> Any:
    """NAPALM's driver, open. Raises Unreachable, or Untrusted before any credential was sent."""
    from jnpr.junos.exception import ConnectError
    from napalm.base.exceptions import NapalmException
    from ncclient.transport import session

    session.TICK = min(session.TICK, TICK)
    known = target.trust / "known_hosts"
    if not known.is_file():
        raise Untrusted(f"{known} is not there, so no host key can be verified. No credential was sent; put the keys there")
    # ncclient's and paramiko's threads write to the log, and so to stderr, what is said here in a sentence.
    for name in ("ncclient", "paramiko"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    with tempfile.TemporaryDirectory(prefix="configlet-") as place:
        config = Path(place) / "ssh_config"
        config.write_text(f'Host *\n  UserKnownHostsFile "{known.absolute()}"\n')
        api = _driver(target, patience, str(config))
        try:
            api.open()
        except (ConnectError, NapalmException, OSError, EOFError) as error:
            left(api, orderly=False)
            raise _unreached(target, error) from error
    api.device.timeout = patience
    return api


def _driver(target: Target, patience: int, config: str) -> Any:
    """NAPALM's driver, not open. It does not pass on what PyEZ can do: verify the host key, and try no key of the user's."""
    from napalm.junos import JunOSDriver

    who = secrets.resolve(target.credentials)
    options = {"port": target.port or PORT, "ssh_config_file": config, "lock_disable": True}
    api = JunOSDriver(target.address, who.username, who.password.reveal(), timeout=patience, optional_args=options)
    for name, value in (("_hostkey_verify", True), ("_look_for_keys", False), ("_allow_agent", False)):
        if not hasattr(api.device, name):
            raise Untrusted(f"this version of PyEZ has no {name}, so no host key can be verified. No credential was sent")
        setattr(api.device, name, value)
    api.device._conn_open_timeout = patience
    return api


def left(api: Any, *, orderly: bool) -> None:
    """End the session; when it is not orderly, without a word that nobody would answer."""
    device = api.device
    if orderly:
        with suppress(Exception):
            device.timeout = 5
            device.close()
    with suppress(Exception):
        device._conn._session.close()


def _unreached(target: Target, error: Exception) -> Unreachable:
    from jnpr.junos.exception import ConnectAuthError
    from ncclient.transport.errors import AuthenticationError, SSHUnknownHostError

    causes: list[BaseException] = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None and cause not in causes:
        causes.append(cause)
    if any(isinstance(cause, SSHUnknownHostError) for cause in causes):
        return Untrusted(
            f"{target.address} shows a host key that {target.trust / 'known_hosts'} does not vouch for. No credential was "
            "sent; find out why"
        )
    if any(isinstance(cause, ConnectAuthError | AuthenticationError) for cause in causes):
        why = str(causes[-1])
        if "timeout" in why.lower():
            return Unreachable(f"{target.address} did not answer the login in time. Its login server may be slow or away")
        return Unreachable(f"{target.address} refused the name or the password of {target.credentials}")
    said = str(causes[-1]).strip().splitlines()
    return Unreachable(
        f"{target.address} cannot be reached over NETCONF: {said[0] if said else type(causes[-1]).__name__}"
    )

"""An SSH connection of one of NAPALM's drivers with a verified host key, and what goes wrong on the way, in our words."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from configlet.drivers import secrets
from configlet.drivers.base import Lost, Rejected, Target, Unreachable, Untrusted
from configlet.drivers.cli_session import Refusal

QUICK = 10.0
"""Seconds in which a wrong password is refused; an answer that takes longer comes from a login server in trouble."""


def connected(target: Target, patience: float, driver: Callable[..., Any], **more: Any) -> Any:
    """NAPALM's driver, open and in privileged mode; ``more`` are optional arguments that it alone knows.

    Raises Unreachable, Untrusted, or Rejected when the login has no privilege.
    """
    from napalm.base.exceptions import NapalmException
    from netmiko.exceptions import NetmikoAuthenticationException, NetmikoBaseException
    from paramiko.ssh_exception import SSHException

    # paramiko's thread writes tracebacks to stderr for what is said here in a sentence.
    logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)
    who, start = secrets.resolve(target.credentials), time.monotonic()
    api = driver(target.address, who.username, who.password.reveal(), optional_args=_options(target, patience) | more)
    try:
        api.open()
    except NetmikoAuthenticationException as error:
        raise Unreachable(_refused(target, time.monotonic() - start)) from error
    except ValueError as error:
        left(api)
        raise Rejected(f"{target.address} does not let this login into privileged mode: {_first(error)}") from error
    except (NapalmException, NetmikoBaseException, SSHException, EOFError, OSError) as error:
        left(api)
        raise _unreached(target, error) from error
    return api


@contextmanager
def asking(
    target: Target, refused: tuple[type[Exception], ...] = (), lost: tuple[type[Exception], ...] = ()
) -> Iterator[None]:
    """What the session, netmiko and paramiko raise, in our words: Rejected, or Lost where a request has no answer.

    ``refused`` and ``lost`` are what a driver's other libraries raise.
    """
    from netmiko.exceptions import NetmikoBaseException
    from paramiko.ssh_exception import SSHException

    said: tuple[type[Exception], ...] = (Refusal, *refused)
    gone: tuple[type[Exception], ...] = (NetmikoBaseException, SSHException, EOFError, OSError, *lost)
    try:
        yield
    except said as error:
        raise Rejected(str(error)) from error
    except gone as error:
        raise Lost(f"no answer from {target.address}: {_first(error)}") from error


def left(api: Any) -> None:
    """End the connection without a word to the prompt, and so that nothing is sent when the object is collected."""
    device = getattr(api, "_netmiko_device", None)
    api.device = api._netmiko_device = None
    if device is not None:
        with suppress(Exception):
            device.paramiko_cleanup()


def _options(target: Target, patience: float) -> dict[str, Any]:
    who = secrets.resolve(target.credentials)
    return {
        "port": target.port or 22,
        "secret": who.password.reveal(),
        "ssh_strict": True,
        "system_host_keys": False,
        "alt_host_keys": True,
        "alt_key_file": str(target.trust / "known_hosts"),
        "conn_timeout": patience,
        "auth_timeout": patience,
        "banner_timeout": patience,
    }


def _refused(target: Target, seconds: float) -> str:
    if seconds > QUICK:
        return (
            f"{target.address} did not answer the login within {seconds:.0f} s. Its login server may be slow or away; "
            "this is not counted as a wrong password"
        )
    return f"{target.address} refused the name or the password of {target.credentials}"


def _unreached(target: Target, error: Exception) -> Unreachable:
    from paramiko.ssh_exception import BadHostKeyException

    causes: list[BaseException] = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None and cause not in causes:
        causes.append(cause)
    changed = any(isinstance(cause, BadHostKeyException) for cause in causes)
    if changed or any("not found in known_hosts" in str(cause) for cause in causes):
        how = "another host key than" if changed else "a host key that is not in"
        return Untrusted(
            f"{target.address} shows {how} {target.trust / 'known_hosts'}. No credential was sent; find out why"
        )
    if any("no acceptable kex" in str(cause) for cause in causes):
        return Unreachable(
            f"{target.address} offers only key exchanges with SHA-1, which are no longer spoken. Update the switch"
        )
    return Unreachable(f"{target.address} cannot be reached over SSH: {_first(causes[-1])}")


def _first(error: BaseException) -> str:
    said = str(error).strip().splitlines()
    return said[0] if said else type(error).__name__

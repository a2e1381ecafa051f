"""What the daemon gives a personality to serve a switch with."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Doorway:
    """A management address with its credentials and keys."""

    listen: Callable[[int], socket.socket]
    """A socket that listens on a port of the management address."""
    context: ssl.SSLContext = field(repr=False)
    key: Any = field(repr=False)
    """An asyncssh private key."""
    username: str = ""
    password: str = field(default="", repr=False)

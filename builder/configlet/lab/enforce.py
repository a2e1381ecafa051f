"""What a simulated switch's running configuration says, enforced on real packets by nftables."""

from __future__ import annotations

from collections.abc import Callable


class NotProgrammed(Exception):  # noqa: N818 - the device's own words
    """The data plane did not take the access lists."""


class Enforcer:
    """Programs the namespaces of one device."""

    def __init__(self, device: str, realms: tuple[str, ...], apply: Callable[[str, str], None]) -> None:
        self.device, self.realms, self.apply = device, realms, apply

    def program(self, running: str) -> None:
        """Enforce a running configuration."""

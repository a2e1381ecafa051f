"""What a driver is: five verbs, the ways in which they fail, and where a device is.

A driver is made with a ``Target`` and is then connected. What has been committed outlives the connection and the
process: the device's own timer takes it back unless somebody confirms it by its token. Where a device takes that from
nobody but the login that committed, the driver holds it, and once the process is gone only the timer is left.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from configlet.model.frozen import dataclass
from configlet.model.plan import Change


class Trouble(Exception):  # noqa: N818 - the family of what can go wrong with a device
    """Something went wrong with a device; the text is whole sentences that say what, why and what to do."""


class Rejected(Trouble):
    """The device, or a check of ours right before the commit, refused. Nothing is active that was not before."""


class TakenBack(Rejected):
    """Refused on the way, when some of it was there already. The device took it back and shows what ran before."""


class Unreachable(Trouble):
    """No connection, or the credentials were refused. Nothing was sent."""


class Untrusted(Unreachable):
    """The host key or certificate is not one that we know. No credential was sent."""


class Lost(Trouble):
    """The connection went away while a verb was under way: whether it took effect is not known. Ask the device."""


Canonical = Callable[[str, str, str], str]
"""(platform, kind, text that a device shows) to the canonical text of the sections that we own; "" when none."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where and how to reach one device or host.

    ``credentials`` is a reference such as ``env/DC1``, never a secret. ``trust`` is the folder that holds ``ca.pem``
    and ``known_hosts``. ``port`` 0 is the driver's usual one, ``driver`` "" the one named as the platform. ``run`` is
    the run that acts; the token under which a device knows our change is made of it. ``patience`` are seconds that one
    verb may last beyond what the driver gives each.
    """

    owner: str
    platform: str
    address: str
    port: int
    credentials: str
    trust: Path
    driver: str = ""
    run: str = ""
    patience: float = 0.0

    @property
    def token(self) -> str:
        """The name of our change on the device, known before anything is sent so that the journal can hold it."""
        return f"cfglt-{self.run}-{self.owner}".replace("/", "-")


class Driver(Protocol):
    """One connection to one device. Every verb may raise ``Unreachable`` or ``Lost``."""

    def running(self) -> str:
        """What the device runs, as it shows it; for a host our table only, and "" when there is none."""

    def load(self, change: Change) -> str:
        """Stage the change and return the device's own diff. Nothing is active yet.

        Raises ``Rejected`` when a line is refused, when our sections are not ``change.before``, or when the staged
        text is not exactly the change.
        """

    def commit(self, seconds: int) -> str:
        """Make the staged change active under the device's own timer and return its token.

        Raises ``Rejected`` when the device changed since ``load``, ``TakenBack`` when a part of it was active and is
        no longer, ``Lost`` when it may have happened.
        """

    def confirm(self, token: str) -> None:
        """End the timer so that the change stays, then save. ``Rejected`` when the token is not pending."""

    def revert(self, token: str) -> None:
        """End the timer by restoring what ran before. ``Rejected`` when nothing of that name is there."""

    def pending(self) -> str | None:
        """The token under which a timer runs on the device, whoever started it."""

    def save(self) -> None:
        """Write what runs to where the device starts from. Only after a confirmation was seen."""

    def close(self) -> None:
        """Leave. Ends what was staged and not committed; never touches a timer that runs."""


Factory = Callable[[Target, Canonical], Driver]
"""What makes a driver, mostly its class. ``libraries`` of it, where it has that, are the modules that it imports when it
connects; they are imported before, by one thread at a time. ``knows``, where it has that, is a sentence on how far what
it reads back is to be trusted, for a device that does not show all that it runs. ``takes`` of it, where it has that, is a
function from a ``Change`` to the seconds that loading it, or taking it back, may last at the most.
"""
Make = Callable[[Target], Driver]

"""What a simulated NIC's namespace holds as an nftables bridge table, loaded in steps, as one transaction takes only so much.

Each time a table of a new name is filled, where no packet comes by; the last step hooks it in and takes the old one away,
so that a packet meets one or the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

LISTED = ("nft", "list", "tables", "bridge")
"""What shows the tables that are there."""
AT_ONCE = 150
"""Rules of one transaction: in a user namespace netlink takes 212,992 bytes, and a rule of a NIC is below 1,200 of them."""
_OURS = re.compile(r"^table bridge (nic_simulated\S*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain; ``hook`` is where packets enter it, "" when others jump to it."""

    name: str
    rules: tuple[str, ...]
    hook: str = ""


def steps(chains: Sequence[Chain], there: str) -> Iterator[str]:
    """Transactions after which a NIC holds these chains and nothing else. ``there`` is what ``LISTED`` printed."""
    old = _OURS.findall(there)
    name = next(name for n in count(1) if (name := f"nic_simulated_{n}") not in old)
    plain, hooked = ([c for c in chains if bool(c.hook) == way] for way in (False, True))
    lines = [f"add rule bridge {name} {chain.name} {rule}" for chain in plain for rule in chain.rules]
    first = [f"add table bridge {name}", *(f"add chain bridge {name} {chain.name}" for chain in plain)] if chains else []
    filled = [lines[at : at + AT_ONCE] for at in range(0, len(lines), AT_ONCE)] or [[]]
    filled[0] = [*first, *filled[0]]
    filled[-1] += [f"add chain bridge {name} {chain.name} {{ {chain.hook} }}" for chain in hooked]
    filled[-1] += [f"add rule bridge {name} {chain.name} {rule}" for chain in hooked for rule in chain.rules]
    filled[-1] += [f"delete table bridge {one}" for one in old]
    yield from ("\n".join([*part, ""]) for part in filled if part)

"""``--limit``: which devices and hosts are meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from configlet.model.inventory import Inventory
from configlet.model.problem import refuse


def owners(inventory: Inventory, words: Iterable[str]) -> frozenset[str] | None:
    """The devices and hosts that the words name: names, roles, ``KEY=VALUE`` labels. None when there are no words.

    Raises Refused for a word that names nothing.
    """
    wanted = [word for given in words for word in given.split(",")]
    if not wanted:
        return None
    meanings = _meanings(inventory)
    unknown = [word for word in wanted if word not in meanings]
    if unknown:
        close = get_close_matches(unknown[0], meanings, 1)
        hint = f'Did you mean "{close[0]}"?' if close else f"Known are: {', '.join(sorted(meanings))}."
        raise refuse("Unknown limit", f'No device, host, role or label is called "{unknown[0]}". {hint}')
    return frozenset().union(*(meanings[word] for word in wanted))


def _meanings(inventory: Inventory) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for device in inventory.devices:
        found.setdefault(device.role, set()).add(device.name)
    segments = {segment.name: segment for segment in inventory.segments}
    for workload in inventory.workloads:
        for key, value in (*segments[workload.segment].labels, *workload.labels):
            found.setdefault(f"{key}={value}", set()).add(workload.host)
    for name in (*(d.name for d in inventory.devices), *(h.name for h in inventory.hosts)):
        found.setdefault(name, set()).add(name)
    return found

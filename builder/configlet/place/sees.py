"""What a host's own table sees, and the words of a finding. The table of all mechanisms is in ``stacks``."""

from __future__ import annotations

from configlet.model.inventory import Stack
from configlet.place.stacks import NFTABLES, Cell

HOST: dict[Stack, Cell] = NFTABLES
"""The host's nftables, by the stack of the workload."""

GATEWAY = "A routed packet crosses the gateway's interface whatever the workload's stack is."
NOT_ROUTED = "Both ends are in one segment: the packet is switched and never crosses the gateway."
HALF_CURE = "the host's nftables, or a gate at the other end that remembers connections"

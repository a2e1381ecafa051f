"""How the simulated NIC finds a packet's rule: two port trees, one trie, then exact matches, kind of match by kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from configlet.lab.nic.packets import PORTED, Seen

if TYPE_CHECKING:
    from configlet.lab.nic.serverlock import Ruleset, Settings

PASS, DROP = 1, 2
_ROOTS = {0x0800: 0, 0x86DD: 1}
_FIELDS = ((0, "remote", 36, 16), (1, "local", 52, 16), (3, "remote_port", 10, 2), (5, "local_port", 18, 2),
           (6, "ether", 20, 2), (9, "proto", 26, 2), (12, "subnet", 68, 4), (13, "remote_range", 72, 4),
           (14, "local_range", 76, 4))  # fmt: skip
"""Flag, field, offset and bytes in the rule."""
_UNSEEN = 0b0000_1101_1001_0100
"""MACs, VLANs, the physical port and the reserved flag: this simulation has no rules of them."""


class Lookup:
    """The active ruleset as tables of exact matches."""

    def __init__(self, ruleset: Ruleset, settings: Settings) -> None:
        self.ruleset, self.settings = ruleset, settings
        self.kinds: dict[int, dict[tuple[bytes, ...], bytes]] = {}
        for rule in ruleset.rules.values():
            flags = int.from_bytes(rule[:4], "little")
            key = tuple(rule[at : at + size] for bit, _, at, size in _FIELDS if flags >> bit & 1)
            self.kinds.setdefault(flags, {})[key] = rule
        self.order = sorted(self.kinds, key=lambda f: (f.bit_count(), f), reverse=not settings.broad_wins)

    def rule(self, packet: Seen, *, received: bool) -> bytes | None:
        """The rule that decides, or None where the default filter does."""
        values = self._values(packet, received=received)
        for flags in self.order:
            if flags & _UNSEEN:
                continue
            key = tuple(values[name] for bit, name, _, _ in _FIELDS if flags >> bit & 1)
            if None not in key and key in self.kinds[flags]:
                return self.kinds[flags][key]  # type: ignore[index]
        return None

    def said(self, rule: bytes, *, received: bool) -> tuple[int, int]:
        """Verdict in this direction, and the counter."""
        at = 84 if received else 80
        return int.from_bytes(rule[at : at + 4], "little"), int.from_bytes(rule[88:92], "little")

    def _values(self, packet: Seen, *, received: bool) -> dict[str, bytes | None]:
        remote, local = (packet.src, packet.dst) if received else (packet.dst, packet.src)
        remote_port, local_port = (packet.sport, packet.dport) if received else (packet.dport, packet.sport)
        ported = packet.proto in PORTED
        return {
            "remote": remote.ljust(16, b"\0"),
            "local": local.ljust(16, b"\0"),
            "remote_port": remote_port.to_bytes(2, "big") if ported else None,
            "local_port": local_port.to_bytes(2, "big") if ported else None,
            "ether": packet.ether.to_bytes(2, "big"),
            "proto": packet.proto.to_bytes(2, "little") if remote else None,
            "subnet": self._subnet(packet.ether, remote),
            "remote_range": self._range(0x115, remote_port) if ported else None,
            "local_range": self._range(0x116, local_port) if ported else None,
        }

    def _subnet(self, ether: int, address: bytes) -> bytes | None:
        """The leaf at the end of the way down the trie."""
        size = self.settings.entries
        bits, value = 8 * len(address), int.from_bytes(address, "big")
        number, step = _ROOTS.get(ether, -1), size.bit_length() - 1
        while number in self.ruleset.nodes and bits >= step:
            bits -= step
            entry = self.ruleset.nodes[number][value >> bits & (size - 1)]
            if entry >= self.settings.subnets[0]:
                return entry.to_bytes(4, "little")
            number = entry // size
        return None

    def _range(self, tree: int, port: int) -> bytes | None:
        """The leaf of a port: at most the key goes left, more goes right; children as in a heap."""
        entries, at = self.ruleset.trees.get(tree, ()), 0
        while at < len(entries):
            key, leaf = entries[at]
            if key == 0xFFFF:
                return leaf.to_bytes(4, "little")
            at = 2 * at + (1 if port <= key else 2)
        return None

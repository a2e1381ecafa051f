"""A simulated ServerLock NIC, written from the published header alone, strict: what it does not know it answers with an error.

What the header leaves open is a setting (``Settings``) or an assumption that the platform's manifest names. It was never
compared with hardware.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field

from configlet.lab.nic import mcdi
from configlet.lab.nic.lookup import DROP, PASS, Lookup
from configlet.lab.nic.mcdi import EINVAL, ENOENT, ENOSPC, ENOSYS, Fault
from configlet.lab.nic.packets import seen

NONE, BLOCK, ALLOW = 0, 1, 2
ARP = 0x0806
_RULE_BYTES, _KEY_BYTES = 92, 80
FIELDS = 0x77FF
"""Match flags 0 to 10 and 12 to 14."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the header does not say, and what differs between cards."""

    filters: int = 5000
    counters: int = 1000
    nodes: int = 3840
    entries: int = 16
    subnets: tuple[int, int] = (61440, 65534)
    tree: int = 255
    ranges: tuple[int, int] = (0, 255)
    default_passes: bool = False
    """What becomes of packets that no rule matches."""
    broad_wins: bool = False
    """Of two rules that match: the one that looks at fewer fields, in place of the one that looks at more."""
    override_persists: bool = False
    """Whether the override stands after a loss of power."""


@dataclass(slots=True)
class Ruleset:
    """Rules and maps: what is active, or what NVRAM holds."""

    nodes: dict[int, tuple[int, ...]] = field(default_factory=dict)
    trees: dict[int, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    rules: dict[bytes, bytes] = field(default_factory=dict)
    counters: set[int] = field(default_factory=set)

    def version(self) -> bytes:
        """An opaque hash over all active rules and maps."""
        digest = hashlib.sha256()
        for part in (sorted(self.nodes.items()), sorted(self.trees.items()), sorted(self.rules.items())):
            digest.update(repr(part).encode())
        return digest.digest()[:16]


class ServerLockNic:
    """One card: MCDI in, answers out; frames in, verdicts out."""

    def __init__(self, settings: Settings = Settings()) -> None:
        self.settings = settings
        self.active, self.cached = Ruleset(), None  # type: Ruleset, Ruleset | None
        self.override = NONE
        self.counts: dict[int, list[int]] = {}
        self.boots = 1
        self._lookup: Lookup | None = None
        self._commands: dict[int, Callable[[bytes], bytes]] = {
            0x0E4: self._info, 0x10F: self._set_rule, 0x110: self._reset, 0x111: self._version, 0x112: self._alloc,
            0x113: self._free, 0x114: self._node, 0x115: lambda p: self._tree(0x115, p), 0x116: lambda p: self._tree(0x116, p),
            0x11A: self._cache, 0x125: self._test, 0x12A: self._set_override, 0x130: self._statistics,
        }  # fmt: skip

    def exchange(self, data: bytes) -> bytes:
        """The answer to one request. Raises ValueError for what is no request."""
        request = mcdi.request_of(data)
        command = self._commands.get(request.command)
        if command is None:
            return mcdi.answer(request, b"", ENOSYS)
        try:
            return mcdi.answer(request, command(request.payload))
        except Fault as fault:
            return mcdi.answer(request, b"", fault.code)

    def lose_power(self) -> None:
        """Off and on again: a valid cache is loaded, or the default ruleset, which is empty here."""
        self.boots += 1
        self.active = deepcopy(self.cached) if self.cached else Ruleset()
        self._lookup = None
        self.counts.clear()
        if not self.settings.override_persists:
            self.override = NONE

    def passes(self, frame: bytes, *, received: bool) -> bool:
        """The verdict on a frame; the rule's counter goes up."""
        packet = seen(frame)
        if packet is None:
            return False
        if packet.ether == ARP or self.override == ALLOW:
            return True
        if self.override == BLOCK:
            return False
        if self._lookup is None:
            self._lookup = Lookup(self.active, self.settings)
        rule = self._lookup.rule(packet, received=received)
        if rule is None:
            return self.settings.default_passes
        verdict, counter = self._lookup.said(rule, received=received)
        if counter:
            self.counts.setdefault(counter, [0, 0])[received] += 1
        return verdict == PASS if verdict in (PASS, DROP) else self.settings.default_passes

    def dump(self, name: str) -> str:
        """The active tables as lines. No published command shows them: only the simulation can."""
        return "\n".join(["configlet-serverlock 1", f"attach {name}", *self._messages()]) + "\n"

    def _messages(self) -> Iterator[str]:
        for number, entries in sorted(self.active.nodes.items()):
            yield f"message 0114 {struct.pack(f'<I{len(entries)}H', number, *entries).hex()}"
        for code, tree in sorted(self.active.trees.items()):
            yield f"message {code:04x} {b''.join(struct.pack('<HH', *pair) for pair in tree).hex()}"
        yield from (f"message 010f {rule.hex()}" for rule in self.active.rules.values())

    def _changed(self) -> None:
        self._lookup = None

    def _info(self, payload: bytes) -> bytes:
        if _words(payload, 1) != (3,):
            raise Fault(EINVAL)
        s = self.settings
        return struct.pack("<9I", 3, 1, s.nodes, s.entries, *s.subnets, s.tree, *s.ranges)

    def _set_rule(self, payload: bytes) -> bytes:
        if len(payload) != _RULE_BYTES:
            raise Fault(EINVAL)
        flags = int.from_bytes(payload[:4], "little")
        subnet, remote, local, tx, rx, counter = struct.unpack_from("<6I", payload, 68)
        least, most = self.settings.subnets
        low, high = self.settings.ranges
        bad = flags & ~FIELDS or any(payload[32:36]) or tx not in (0, 1, 2, 0xFFFFFFFF) or rx not in (0, 1, 2, 0xFFFFFFFF)
        bad = bad or (flags >> 12 & 1 and not least <= subnet <= most)
        bad = bad or (flags >> 13 & 1 and not low <= remote <= high) or (flags >> 14 & 1 and not low <= local <= high)
        if bad or (counter and counter not in self.active.counters):
            raise Fault(EINVAL)
        key = payload[:_KEY_BYTES]
        if key not in self.active.rules and len(self.active.rules) >= self.settings.filters:
            raise Fault(ENOSPC)
        self.active.rules[key] = payload
        self._changed()
        return struct.pack("<I12s4I", 1, b"", 0, 0, 0, counter)

    def _reset(self, payload: bytes) -> bytes:
        """Rules, maps and counters go. The header speaks of rules alone."""
        if _words(payload, 1) != (0xFFFFFFFF,):
            raise Fault(EINVAL)
        self.active = Ruleset()
        self.counts.clear()
        self._changed()
        return b""

    def _version(self, payload: bytes) -> bytes:
        _nothing(payload)
        return self.active.version()

    def _alloc(self, payload: bytes) -> bytes:
        """May give fewer than were wanted."""
        (wanted,) = _words(payload, 1)
        free = (n for n in range(1, self.settings.counters + 1) if n not in self.active.counters)
        given = [n for n, _ in zip(free, range(min(wanted, 254)), strict=False)]
        self.active.counters |= set(given)
        return struct.pack(f"<{len(given) + 1}I", len(given), *given)

    def _free(self, payload: bytes) -> bytes:
        number, *ids = _words(payload)
        if number != len(ids) or not set(ids) <= self.active.counters:
            raise Fault(EINVAL)
        self.active.counters -= set(ids)
        return b""

    def _node(self, payload: bytes) -> bytes:
        size = self.settings.entries
        if len(payload) != 4 + 2 * size:
            raise Fault(EINVAL)
        number, *entries = struct.unpack(f"<I{size}H", payload)
        least, most = self.settings.subnets
        good = (e % size == 0 and e // size in self.active.nodes if e < least else e <= most for e in entries)
        if number >= self.settings.nodes or not all(good):
            raise Fault(EINVAL)
        self.active.nodes[number] = tuple(entries)
        self._changed()
        return b""

    def _tree(self, code: int, payload: bytes) -> bytes:
        pairs = tuple(struct.iter_unpack("<HH", payload)) if len(payload) % 4 == 0 else ()
        low, high = self.settings.ranges
        if not pairs or len(pairs) > self.settings.tree or len(pairs) % 2 == 0:
            raise Fault(EINVAL)
        if any(key == 0xFFFF and not low <= leaf <= high for key, leaf in pairs):
            raise Fault(EINVAL)
        self.active.trees[code] = pairs
        self._changed()
        return b""

    def _cache(self, payload: bytes) -> bytes:
        (op,) = _words(payload, 1)
        if op not in (0, 1, 2, 3):
            raise Fault(EINVAL)
        if op == 1:
            if self.cached is None:
                raise Fault(ENOENT)
            self.active = deepcopy(self.cached)
            self._changed()
        elif op == 2:
            self.cached = deepcopy(self.active)
        elif op == 3:
            self.cached = None
        return struct.pack("<I", self.cached is not None) + (self.cached.version() if self.cached else b"")

    def _test(self, payload: bytes) -> bytes:
        _nothing(payload)
        return b""

    def _set_override(self, payload: bytes) -> bytes:
        (mode,) = _words(payload, 1)
        if mode not in (NONE, BLOCK, ALLOW):
            raise Fault(EINVAL)
        self.override = mode
        return b""

    def _statistics(self, payload: bytes) -> bytes:
        op, *rest = _words(payload)
        if op == 0 and not rest:
            return struct.pack("<II", self.settings.counters, 64)
        if op != 1 or len(rest) < 3 or rest[1] != 0 or not 0 < rest[0] < 4 or rest[2] != len(rest) - 3 or rest[2] > 63:
            raise Fault(EINVAL)
        flags, ids = rest[0], rest[3:]
        found = [self.counts.get(number, [0, 0]) for number in ids]
        out = struct.pack("<II", len(ids), 0) + b"".join(struct.pack("<QQ", *pair) for pair in found)
        if flags & 2:
            for number in ids:
                self.counts.pop(number, None)
        return out


def _words(payload: bytes, exactly: int | None = None) -> tuple[int, ...]:
    if len(payload) % 4 or not payload or (exactly is not None and len(payload) != 4 * exactly):
        raise Fault(EINVAL)
    return struct.unpack(f"<{len(payload) // 4}I", payload)


def _nothing(payload: bytes) -> None:
    if payload:
        raise Fault(EINVAL)

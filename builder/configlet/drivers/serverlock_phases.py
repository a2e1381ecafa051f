"""A ServerLock table into NICs, in two phases: all of them blocked and loaded first, then all made permanent, then released.

Every message is one of the published header's. Both members of a bond are loaded, or neither: until every NIC has taken
every rule, a loss of power, an error or a rollback leaves each with what it had.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from configlet.drivers.base import Lost, Rejected, TakenBack

Exchange = Callable[[bytes], bytes]
"""One MCDI request to its answer. Raises Lost when there is none."""

INFO, RULE, RESET, VERSION, ALLOC, NODE = 0x0E4, 0x10F, 0x110, 0x111, 0x112, 0x114
REMOTE_TREE, LOCAL_TREE, CACHE, OVERRIDE, STATISTICS = 0x115, 0x116, 0x11A, 0x12A, 0x130
ROLLBACK, COMMIT, INVALIDATE = 1, 2, 3
NONE, BLOCK = 0, 1
ENOENT = 2
AT_ONCE = 62
"""Counters that are asked for, or read, with one message."""
_COUNTER = 88


class Answered(Exception):  # noqa: N818 - what the NIC said
    """The NIC answered with an error."""

    def __init__(self, command: int, error: int) -> None:
        super().__init__(f"the NIC refused message {command:#06x} with error {error}")
        self.error = error


@dataclass(slots=True)
class Nic:
    """One NIC of a session. ``counters`` are the ids that it gave for the counters of the text, in order."""

    name: str
    exchange: Exchange
    seq: int = 0
    counters: list[int] = field(default_factory=list)

    def ask(self, command: int, payload: bytes = b"") -> bytes:
        """The answer's payload. Raises Answered, or Lost."""
        self.seq = (self.seq + 1) & 15
        head = struct.pack("<II", 0x7F | 1 << 7 | self.seq << 16, command | len(payload) << 16)
        data = self.exchange(head + payload)
        first, second = struct.unpack_from("<II", data) if len(data) >= 8 else (0, 0)
        if not first >> 23 & 1 or first >> 16 & 15 != self.seq or second & 0x7FFF != command:
            raise Lost(f"{self.name} answered something else than what it was asked")
        if first >> 22 & 1:
            raise Answered(command, int.from_bytes(data[8:12], "little"))
        return data[8:]

    def version(self) -> bytes:
        """The opaque hash over its active rules and maps."""
        return self.ask(VERSION)


@dataclass(frozen=True, slots=True)
class Load:
    """What one NIC is asked for: messages in their order, and how many counters its rules name."""

    messages: tuple[tuple[int, bytes], ...]
    counters: tuple[str, ...]
    rules: int

    @property
    def entries(self) -> int:
        """Entries of a node of the trie; 0 without one."""
        return next(((len(p) - 4) // 2 for code, p in self.messages if code == NODE), 0)


def loads_of(text: str, nics: Sequence[str]) -> dict[str, Load]:
    """What each NIC gets; nothing where the text is "". Raises Rejected when the text is for other NICs."""
    parts: list[tuple[list[str], list[str]]] = []
    for line in text.splitlines()[1:]:
        if line.startswith("attach "):
            if not parts or parts[-1][1]:
                parts.append(([], []))
            parts[-1][0].append(line.removeprefix("attach "))
        elif parts:
            parts[-1][1].append(line)
    out = {name: load_of("\n".join(lines)) for names, lines in parts for name in names}
    if text and sorted(out) != sorted(nics):
        raise Rejected(f"the table is for {', '.join(sorted(out))}, and the manager has {', '.join(sorted(nics))}")
    return out or {name: load_of("") for name in nics}


def load_of(text: str) -> Load:
    """The messages of the lines of one NIC. Raises Rejected for a line that is none of its lines."""
    messages, counters = [], {}
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if word == "message":
            code, _, payload = rest.partition(" ")
            messages.append((int(code, 16), bytes.fromhex(payload)))
        elif word == "counter":
            number, _, name = rest.partition(" ")
            counters[int(number)] = name
        elif line and word != "#":
            raise Rejected(f'"{line[:60]}" is no line of a table of ServerLock')
    ids = sorted({int.from_bytes(p[_COUNTER:], "little") for code, p in messages if code == RULE} - {0})
    names = tuple(counters.get(number, f"counter {number}") for number in ids)
    return Load(_numbered(messages, ids), names, sum(code == RULE for code, _ in messages))


def _numbered(messages: Sequence[tuple[int, bytes]], ids: Sequence[int]) -> tuple[tuple[int, bytes], ...]:
    """The messages with counters by their place among those that the NIC will give, from 1."""
    of = {number: at for at, number in enumerate(ids, 1)} | {0: 0}
    return tuple(
        (code, p[:_COUNTER] + struct.pack("<I", of[int.from_bytes(p[_COUNTER:], "little")]) if code == RULE else p)
        for code, p in messages
    )


def check(nics: Sequence[Nic], loads: Mapping[str, Load]) -> None:
    """Raises Rejected where a NIC's maps are of other sizes than the text was made for. Changes nothing."""
    for nic in nics:
        load = loads[nic.name]
        try:
            found = struct.unpack("<9I", nic.ask(INFO, struct.pack("<I", 3)))
        except (Answered, struct.error) as error:
            raise Rejected(f"{nic.name} does not say what its rule engine holds ({error}); it may be none") from error
        nodes = sum(code == NODE for code, _ in load.messages)
        if load.entries and (load.entries != found[3] or nodes > found[2]):
            raise Rejected(
                f"{nic.name} has {found[2]:,} nodes of {found[3]} entries, and the table was made for {nodes:,} of "
                f"{load.entries}. Correct `sizes` in the platform, and make the plan anew"
            )


def replace(nics: Sequence[Nic], text: str) -> dict[str, bytes]:
    """The table of this text in every NIC, and the version that each then shows.

    Raises Rejected before anything changed, TakenBack when all NICs have what they had, Lost when that is not known:
    then every NIC that is reached stays blocked until it is recovered.
    """
    loads = loads_of(text, [nic.name for nic in nics])
    check(nics, loads)
    try:
        versions = {nic.name: _staged(nic, loads[nic.name]) for nic in nics}
    except (Answered, Lost, Rejected) as error:  # a manager may refuse in the middle, and then the NIC is no longer as it was
        _back(nics, error)
    try:
        for nic in nics:
            nic.ask(CACHE, struct.pack("<I", COMMIT if loads[nic.name].messages else INVALIDATE))
        for nic in nics:
            _held(nic, versions[nic.name])
        for nic in nics:
            release(nic)
    except (Answered, Lost, Rejected) as error:
        _block(nics)
        raise Lost(f"{error} after some NICs had committed; all that are reached are blocked") from error
    return versions


def _block(nics: Sequence[Nic]) -> None:
    """Close every NIC that is reached: one that lost power has forgotten that it was closed."""
    for nic in nics:
        with suppress(Answered, Lost, Rejected):
            nic.ask(OVERRIDE, struct.pack("<I", BLOCK))


def _staged(nic: Nic, load: Load) -> bytes:
    """Phase one: blocked, emptied, loaded. Nothing of it outlives a loss of power."""
    nic.ask(OVERRIDE, struct.pack("<I", BLOCK))
    nic.ask(RESET, struct.pack("<I", 0xFFFFFFFF))
    nic.counters = list(_allocated(nic, len(load.counters)))
    for code, payload in load.messages:
        nic.ask(code, _counted(payload, nic.counters) if code == RULE else payload)
    return nic.version()


def _counted(rule: bytes, given: Sequence[int]) -> bytes:
    """The rule with the NIC's own id in place of the counter's number."""
    number = int.from_bytes(rule[_COUNTER:], "little")
    return rule[:_COUNTER] + struct.pack("<I", given[number - 1] if number else 0)


def _allocated(nic: Nic, wanted: int) -> Iterator[int]:
    """As many counters as were asked for; a NIC may give fewer with each answer."""
    while wanted > 0:
        number, *ids = _ids(nic, min(wanted, AT_ONCE))
        if not ids:
            raise Answered(ALLOC, 28)
        yield from ids
        wanted -= number


def _ids(nic: Nic, wanted: int) -> tuple[int, ...]:
    data = nic.ask(ALLOC, struct.pack("<I", wanted))
    return struct.unpack(f"<{len(data) // 4}I", data)


def _held(nic: Nic, version: bytes) -> None:
    """Raises Lost when the active rules are others than those that were loaded."""
    if nic.version() != version:
        raise Lost(f"{nic.name} no longer has the rules that were loaded into it; it may have lost power")


def release(nic: Nic) -> None:
    """End the override, so that the rules decide."""
    nic.ask(OVERRIDE, struct.pack("<I", NONE))


def _back(nics: Sequence[Nic], error: Exception) -> None:
    """Every NIC back to what NVRAM holds. Always raises: TakenBack, or Lost where it is not known."""
    try:
        for nic in nics:
            nic.ask(CACHE, struct.pack("<I", ROLLBACK))
        for nic in nics:
            release(nic)
    except Answered as worse:
        _block(nics)
        why = "nothing was ever committed to it" if worse.error == ENOENT else str(worse)
        raise Lost(f"{error}, and there is no way back by itself: {why}. It stays blocked") from error
    except (Lost, Rejected) as worse:
        _block(nics)
        raise Lost(f"{error}, and then: {worse}. What is reached is blocked") from error
    raise TakenBack(f"{error}; every NIC of it has its rules of before") from error


def counts(nic: Nic, ids: Sequence[int]) -> list[tuple[int, int]]:
    """Sent and received packets of each counter."""
    out: list[tuple[int, int]] = []
    for at in range(0, len(ids), AT_ONCE):
        some = ids[at : at + AT_ONCE]
        data = nic.ask(STATISTICS, struct.pack(f"<{4 + len(some)}I", 1, 1, 0, len(some), *some))
        out += [struct.unpack_from("<QQ", data, 8 + 16 * n) for n in range(len(some))]
    return out

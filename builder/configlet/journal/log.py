"""JSON lines, each with the sha256 of itself and of the one before; every write reaches the disk before it returns.

The chain shows every change inside it. It cannot show that its tail was cut off, so ``Journal.head`` is printed in
each summary: who keeps that elsewhere can tell.
"""

from __future__ import annotations

import contextlib
import fcntl
import getpass
import hashlib
import json
import os
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from configlet.model.problem import Place, Problem, Refused, refuse

FIRST = "0" * 64
_FIELDS = ("number", "run", "at", "event", "owner", "data", "previous")


_BEFORE = ("consent", "begin")
"""Events before which no device was met."""


class Unwritable(Refused):
    """A record could not be kept. ``open`` when devices may be on the way, so that they are to be asked."""

    def __init__(self, place: Place, error: OSError, *, open_: bool) -> None:
        self.open = open_
        detail = f"{error}. Nothing is sent to a device without a record of it; make room or mend the disk"
        detail += (
            ". What was committed and not confirmed goes back by the devices' own timers; then run `configlet recover`."
            if open_
            else " and try again."
        )
        super().__init__([Problem("the journal cannot be written", detail, place, nature="red")])


class Locked(Refused):
    """Another run holds the site; ``holder`` is its id, user, host and process."""

    def __init__(self, site: str, holder: dict[str, Any]) -> None:
        self.holder = holder
        who = ", ".join(f"{key} {value}" for key, value in holder.items()) or "somebody who has not said his name yet"
        super().__init__(
            [Problem("locked by another run", f"{site} is held by {who}. Wait until it has ended.", nature="red")]
        )


@dataclass(frozen=True, slots=True)
class Record:
    """One event of a run; ``owner`` is the device or host, "" for the run itself. ``digest`` covers all the rest."""

    number: int
    run: str
    at: str
    event: str
    owner: str
    data: dict[str, Any]
    previous: str
    digest: str


@dataclass(slots=True)
class Journal:
    """An open journal under the site's lock. ``write`` may be called from several threads."""

    run: str
    path: Path
    records: tuple[Record, ...]
    head: str
    _file: int
    _count: int
    _mutex: threading.Lock = field(default_factory=threading.Lock)

    def write(self, event: str, owner: str = "", **data: Any) -> None:
        """Append one record and wait for the disk; ``Refused`` when it cannot be kept."""
        with self._mutex:
            body = {
                "number": self._count + 1,
                "run": self.run,
                "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "event": event,
                "owner": owner,
                "data": data,
                "previous": self.head,
            }
            digest = _digest(body)
            try:
                _append(self._file, json.dumps({**body, "digest": digest}, sort_keys=True) + "\n")
            except OSError as error:
                raise Unwritable(Place(str(self.path), self._count + 1), error, open_=event not in _BEFORE) from error
            self.head, self._count = digest, self._count + 1


def folder(root: Path, site: str, target: Literal["site", "lab"] = "site") -> Path:
    """Where a site's journal and lock are. A lab has its own, beside its other state, and it goes with the lab."""
    return root / ".configlet" / "lab" / site / "journal" if target == "lab" else root / ".configlet" / site


def read(path: Path) -> tuple[Record, ...]:
    """All records of a journal file, none when there is no file; ``Refused`` with the line where the chain breaks.

    A last line that was never finished was never acknowledged either, and is left out.
    """
    if not path.exists():
        return ()
    lines, tail = _split(path.read_bytes())
    found: list[Record] = []
    for number, line in enumerate(lines, 1):
        record = _parse(line)
        previous = found[-1].digest if found else FIRST
        if record is None or record.number != number or record.previous != previous:
            raise _broken(path, number)
        found.append(record)
    if tail and (_parse(tail) or _parse(tail[:-1])):
        raise _broken(path, len(lines) + 1)
    return tuple(found)


@contextlib.contextmanager
def opened(place: Path, site: str) -> Iterator[Journal]:
    """Hold the site's lock and its journal, verified. ``Locked`` at once when another run holds it."""
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    run = _run_id()
    with _lock(place / "lock", site, run):
        path = place / "journal.jsonl"
        records = read(path)
        handle = _open_at_end(path)
        try:
            yield Journal(run, path, records, records[-1].digest if records else FIRST, handle, len(records))
        finally:
            os.close(handle)


@contextlib.contextmanager
def _lock(path: Path, site: str, run: str) -> Iterator[None]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Locked(site, _holder(path)) from None
        os.ftruncate(handle, 0)
        os.write(handle, json.dumps({"run": run, **who()}).encode())
        yield
        os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def _holder(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text())
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def who() -> dict[str, Any]:
    """Who acts here, as the machine says: user, host and process. It is not proof against somebody who lies."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return {"user": user, "host": os.uname().nodename, "pid": os.getpid()}


def _run_id() -> str:
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def _open_at_end(path: Path) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    lines, tail = _split(path.read_bytes())
    if tail:
        os.ftruncate(handle, sum(len(line) + 1 for line in lines))
    parent = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)
    return handle


def _append(handle: int, line: str) -> None:
    data = line.encode()
    size = os.fstat(handle).st_size
    try:
        if os.write(handle, data) != len(data):
            raise OSError("the disk took only a part of the record")
        os.fsync(handle)
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(handle, size)
        raise


def _split(data: bytes) -> tuple[list[bytes], bytes]:
    *lines, tail = data.split(b"\n")
    return lines, tail


def _parse(line: bytes) -> Record | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    if not isinstance(value, dict) or set(value) != {*_FIELDS, "digest"}:
        return None
    body = {key: value[key] for key in _FIELDS}
    # Equal bytes, not just equal values: a changed space is a change as well.
    same = json.dumps(value, sort_keys=True).encode() == line
    return Record(**value) if same and _digest(body) == value["digest"] else None


def _digest(body: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _broken(path: Path, number: int) -> Refused:
    return refuse(
        "the journal was changed",
        "This line is not the one that was written, or one before it is missing. What the journal says can not be "
        "relied on: keep the file, ask the devices what they run, and start a new journal.",
        Place(str(path), number),
        nature="red",
    )

"""A change of this host that comes back by itself unless somebody confirms it: what every table here has in common.

One lock, texts that are staged under a token, and one change that waits for its confirmation while a timer runs in a
session of its own. Carried to hosts beside the script that says what is changed. Exit status: 0 done, 2 refused and
nothing changed, 3 not in that state, 4 taken back on the way, 64 usage, other: failed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

REFUSED, NOT_SO, TAKEN_BACK, USAGE = 2, 3, 4, 64
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Stop(Exception):
    """Why a verb ended; ``status`` is how to leave."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def state() -> Path:
    """Where everything of ours is kept on this host."""
    return Path(os.environ.get("CONFIGLET_STATE_DIR") or "/var/lib/configlet")


def sum_of(text: str) -> str:
    """sha256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def written(path: Path, text: str) -> None:
    """A file that is whole, or not there."""
    part = path.with_name(path.name + ".part")
    with part.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def scaled(seconds: str) -> float:
    """Seconds of a timer; a rehearsal's are shorter."""
    return float(seconds) / float(os.environ.get("CONFIGLET_SPEED", "1"))


class Changes:
    """The changes of one folder. ``timer`` is the command that, with a token and seconds, waits and then restores."""

    def __init__(self, folder: Path, timer: Sequence[str]) -> None:
        self.folder, self.pending, self._timer = folder, folder / "pending", timer

    def lock(self, patience: float = 20.0) -> int:
        """The one lock; Stop when somebody holds it for longer than that."""
        (self.folder / "staged").mkdir(parents=True, exist_ok=True)
        fd = os.open(self.folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        end = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return fd
            except OSError:
                if time.monotonic() > end:
                    raise Stop(NOT_SO, "another change holds this host's tables") from None
                time.sleep(0.05)

    def token(self) -> str:
        """The token of the change that waits, "" when none does."""
        return self.said("token")

    def said(self, name: str) -> str:
        """What was noted of the change that waits."""
        path = self.pending / name
        return path.read_text() if path.is_file() else ""

    def staged(self, token: str, what: str) -> Path:
        """A text that was laid here under a token."""
        if not _TOKEN.fullmatch(token):
            raise Stop(USAGE, f"{token} is no name of a change")
        path = self.folder / "staged" / f"{token}.{what}"
        if not path.is_file():
            raise Stop(NOT_SO, f"nothing is staged under {token}")
        return path

    def unstage(self, token: str) -> None:
        """Forget what was laid here under a token. Stop when nothing was."""
        found = [p for p in (self.folder / "staged").iterdir() if _TOKEN.fullmatch(token) and p.stem == token]
        if not found:
            raise Stop(NOT_SO, f"nothing is staged under {token}")
        for path in found:
            path.unlink()

    def tidy(self, restore: Callable[[], None]) -> None:
        """A restart took with it what was changed; a timer that somebody killed is made good here."""
        if not self.pending.is_dir():
            return
        if self.said("boot") != _boot_id():
            self.end()
        elif self._left() < -2:
            restore()

    def arm(self, token: str, delay: float, said: Mapping[str, str]) -> None:
        """Note the way back, and start the timer. Stop when it did not start."""
        if self.pending.is_dir():
            raise Stop(NOT_SO, f"another change is pending: {self.token()}")
        new = self.folder / "arming"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir()
        own = {"token": token, "boot": _boot_id(), "until": f"{time.monotonic() + delay:.3f}"}
        for name, text in {**own, **said}.items():
            written(new / name, text)
        new.rename(self.pending)
        subprocess.Popen(
            [*self._timer, token, f"{delay:.3f}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        end = time.monotonic() + 10
        while not (self.pending / "timer").is_file():
            if time.monotonic() > end:
                self.end()
                raise Stop(1, "the timer did not start")
            time.sleep(0.02)

    def prolong(self, delay: float) -> None:
        """What was loaded slowly has the whole of its time from now on. Nothing when no change waits."""
        if self.pending.is_dir():
            written(self.pending / "until", f"{time.monotonic() + delay:.3f}")

    def wait(self, token: str, delay: str, restore: Callable[[], None]) -> None:
        """The timer itself, in a session of its own: no hang-up of the connection reaches it."""
        written(self.pending / "timer", f"{os.getpid()}\n")
        left = float(delay)
        while True:
            time.sleep(max(left, 0.0) or 1.0)
            # A full disk is no reason to give up: what runs is not what anybody has confirmed.
            with suppress(Stop, OSError):
                lock = self.lock(float("inf"))
                try:
                    left = self._left() if self.token() == token else 0.0
                    if self.token() == token and left <= 0:
                        restore()
                    if self.token() != token:
                        return
                finally:
                    os.close(lock)  # between two attempts others may ask

    def _left(self) -> float:
        """Seconds until the change that waits is to be taken back."""
        return float(self.said("until") or 0) - time.monotonic()

    def end(self) -> None:
        """One rename is the moment from which nothing is pending."""
        gone = self.folder / "gone"
        shutil.rmtree(gone, ignore_errors=True)
        self.pending.rename(gone)
        with suppress(OSError, ValueError):
            pid = int((gone / "timer").read_text())
            if pid != os.getpid() and _is_timer(pid, (gone / "token").read_text().strip()):
                os.killpg(pid, signal.SIGKILL)
        shutil.rmtree(gone, ignore_errors=True)


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _is_timer(pid: int, token: str) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"timer" in words and token.encode() in words


def main(words: Sequence[str], verbs: Mapping[str, tuple[Callable[..., None], int]], changes: Changes, usage: str) -> int:
    """One verb under the lock. What went wrong is one sentence on stderr."""
    verb, rest = (words[0], words[1:]) if words else ("", [])
    try:
        if verb not in verbs or verbs[verb][1] != len(rest):
            raise Stop(USAGE, f"unknown: {verb} with {len(rest)} arguments\n{usage}")
        # The timer waits before it takes the lock.
        lock = None if verb == "timer" else changes.lock()
        verbs[verb][0](*rest)
        if lock is not None:
            os.close(lock)
    except Stop as stop:
        print(stop, file=sys.stderr)
        return stop.status
    return 0

"""Puts XDP tables in force on this host, so that the ones before come back by themselves unless somebody confirms.

    xdp.py running                  the tables in force, out of the kernel's maps; nothing when there are none
    xdp.py check TOKEN              would staged/TOKEN.xdp load? prints the sha256 of it and of what runs
    xdp.py commit TOKEN SECONDS SHA arm the timer, then put staged/TOKEN.xdp in force if what runs has that sha256
    xdp.py confirm TOKEN            end the timer, keep the tables, save them for the next start
    xdp.py revert TOKEN             put back in force what was before TOKEN, or drop what was only staged
    xdp.py rollback                 swap with the generation before, which is kept in the kernel
    xdp.py pending | save | boot    whose timer runs | save for the next start | load what was saved
    xdp.py count | status | detach  packets and bytes by rule | interfaces and generations | take everything away

Needs root, Python 3.8, libbpf.so.1 and Linux 5.10; no compiler. Beside it lie xdp_host.py,
xdp_tables.py, bpf.py and xdp.bpf.o.
Exit status: 0 done, 2 refused and nothing changed, 3 not in that state, 64 usage, other: failed.
CONFIGLET_STATE_DIR is where state is kept, CONFIGLET_BPF_DIR where the kernel's objects are pinned; CONFIGLET_SPEED
divides seconds (for rehearsals).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

if __package__:
    from configlet.hostside import bpf
    from configlet.hostside.xdp_host import HERE, PINS, Host
    from configlet.hostside.xdp_tables import counters, parse
else:
    import bpf  # type: ignore[import-not-found,no-redef,unused-ignore]
    from xdp_host import HERE, PINS, Host  # type: ignore[import-not-found,no-redef,unused-ignore]
    from xdp_tables import counters, parse  # type: ignore[import-not-found,no-redef,unused-ignore]

STATE = Path(os.environ.get("CONFIGLET_STATE_DIR", "/var/lib/configlet")) / "xdp"
PENDING = STATE / "pending"
REFUSED, NOT_SO, USAGE = 2, 3, 64


class Stop(Exception):
    """Nothing was done; ``status`` is how to leave."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def _lock() -> int:
    (STATE / "staged").mkdir(parents=True, exist_ok=True)
    fd = os.open(STATE / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    end = time.monotonic() + 20
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return fd
        except OSError:
            if time.monotonic() > end:
                raise Stop(NOT_SO, "another change holds this host's tables") from None
            time.sleep(0.05)


def _sum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _token() -> str:
    path = PENDING / "token"
    return path.read_text().strip() if path.is_file() else ""


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _written(path: Path, text: str) -> None:
    """A file that is whole, or not there."""
    part = path.with_name(path.name + ".part")
    with part.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _staged(token: str) -> Path:
    path = STATE / "staged" / f"{token}.xdp"
    if not path.is_file():
        raise Stop(NOT_SO, f"nothing is staged under {token}")
    return path


def tidy(host: Host) -> None:
    """A restart took the tables with it; a timer that somebody killed is made good here."""
    if not PENDING.is_dir():
        return
    if (PENDING / "boot").read_text() != _boot_id():
        _end()
    elif time.monotonic() > float((PENDING / "until").read_text()) + 2:
        restore(host)


def restore(host: Host) -> None:
    """Put back what was in force before the pending change."""
    count, *names = (PENDING / "before").read_text().split()
    if count == "0":
        host.detach()
    else:
        host.enforce(int(count))
        host.attach(names)
        host.forget({int(count)})
    _end()


def _end() -> None:
    """One rename is the moment from which nothing is pending."""
    gone = STATE / "gone"
    shutil.rmtree(gone, ignore_errors=True)
    PENDING.rename(gone)
    pid = (gone / "timer").read_text().strip() if (gone / "timer").is_file() else ""
    if pid and int(pid) != os.getpid() and _is_timer(int(pid), (gone / "token").read_text().strip()):
        os.killpg(int(pid), signal.SIGKILL)
    shutil.rmtree(gone, ignore_errors=True)


def _is_timer(pid: int, token: str) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"timer" in words and token.encode() in words


def do_running(host: Host) -> None:
    sys.stdout.write(host.running())


def do_check(host: Host, token: str) -> None:
    text = _staged(token).read_text()
    if text.strip():
        shutil.rmtree(PINS / f"g{host.stage(text)}")
    print(_sum(text), _sum(host.running()))


def do_commit(host: Host, token: str, seconds: str, sum_: str) -> None:
    tidy(host)
    if PENDING.is_dir():
        raise Stop(NOT_SO, f"another change is pending: {_token()}")
    text = _staged(token).read_text()
    if _sum(host.running()) != sum_:
        raise Stop(NOT_SO, "the tables changed since the change was staged")
    delay = float(seconds) / float(os.environ.get("CONFIGLET_SPEED", "1"))
    before = f"{host.current() if host.attached() else 0} {' '.join(host.attached())}"
    empty = not text.strip()
    began = time.perf_counter()
    count = 0 if empty else host.stage(text)
    loaded = time.perf_counter() - began
    _arm(token, delay, before)
    try:
        if empty:
            host.attach([])
        else:
            took = host.enforce(count)
            host.attach(parse(text).attach)
            print(f"generation {count}: loaded in {loaded * 1e3:.0f} ms, swapped in {took * 1e6:.0f} us")
    except bpf.Trouble:
        restore(host)
        raise
    _staged(token).unlink()


def _arm(token: str, delay: float, before: str) -> None:
    new = STATE / "arming"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    said = {"token": token, "boot": _boot_id(), "until": f"{time.monotonic() + delay:.3f}", "before": before}
    for name, text in said.items():
        _written(new / name, text)
    new.rename(PENDING)
    subprocess.Popen(
        [sys.executable, "-S", str(HERE / "xdp.py"), "timer", token, f"{delay:.3f}"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    end = time.monotonic() + 10
    while not (PENDING / "timer").is_file():
        if time.monotonic() > end:
            _end()
            raise Stop(1, "the timer did not start")
        time.sleep(0.02)


def do_timer(token: str, delay: str) -> None:
    """A session of its own: no hang-up of the connection reaches it."""
    _written(PENDING / "timer", f"{os.getpid()}\n")
    time.sleep(float(delay))
    lock = _lock()
    while _token() == token:
        try:
            restore(Host())
        except bpf.Trouble:
            time.sleep(1)
    os.close(lock)


def do_confirm(host: Host, token: str) -> None:
    tidy(host)
    if _token() != token:
        raise Stop(NOT_SO, f"{token} is not pending")
    before = int((PENDING / "before").read_text().split()[0])
    _end()
    if host.attached():
        host.forget({before, host.current()})
    else:
        host.detach()
    do_save(host)


def do_revert(host: Host, token: str) -> None:
    tidy(host)
    if _token() == token:
        restore(host)
    else:
        _staged(token).unlink()


def do_rollback(host: Host) -> None:
    tidy(host)
    others = [count for count in host.generations() if count != host.current()]
    if PENDING.is_dir() or not others:
        raise Stop(NOT_SO, "a change is pending" if PENDING.is_dir() else "no other generation is kept")
    took = host.enforce(others[-1])
    do_save(host)
    print(f"generation {others[-1]} is in force, swapped in {took * 1e6:.0f} us")


def do_pending(host: Host) -> None:
    tidy(host)
    if _token():
        print(_token())


def do_save(host: Host) -> None:
    _written(STATE / "active.xdp", host.running())


def do_boot(host: Host) -> None:
    tidy(host)
    path = STATE / "active.xdp"
    text = path.read_text() if path.is_file() else ""
    if text:
        host.enforce(host.stage(text))
        host.attach(parse(text).attach)


def do_count(host: Host) -> None:
    current = host.current()
    if not current:
        raise Stop(NOT_SO, "no tables are in force")
    fd = host.pinned(PINS / f"g{current}" / "filter")
    for name, packets, size in counters(host.library, fd):
        print(f"{packets} {size} {name}")


def do_status(host: Host) -> None:
    current = host.current()
    for count, number in host.generations().items():
        print(f"generation {count} program {number}{' in force' if count == current else ''}")
    for name in host.attached():
        print(f"attached {name}")


def do_detach(host: Host) -> None:
    tidy(host)
    host.detach()


VERBS = {
    "running": (do_running, 0), "check": (do_check, 1), "commit": (do_commit, 3), "confirm": (do_confirm, 1),
    "revert": (do_revert, 1), "rollback": (do_rollback, 0), "pending": (do_pending, 0), "save": (do_save, 0),
    "boot": (do_boot, 0), "count": (do_count, 0), "status": (do_status, 0), "detach": (do_detach, 0),
}  # fmt: skip


def main(words: list[str]) -> int:
    """One verb. What went wrong is one sentence on stderr."""
    verb, rest = (words[0], words[1:]) if words else ("", [])
    os.umask(0o077)
    try:
        if verb == "timer" and len(rest) == 2:
            do_timer(*rest)
            return 0
        if verb not in VERBS or VERBS[verb][1] != len(rest):
            raise Stop(USAGE, f"unknown: {verb} with {len(rest)} arguments\n{__doc__}")
        lock = _lock()
        VERBS[verb][0](Host(), *rest)  # type: ignore[operator]
        os.close(lock)
    except Stop as stop:
        print(stop, file=sys.stderr)
        return stop.status
    except bpf.Trouble as trouble:
        print(trouble, file=sys.stderr)
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

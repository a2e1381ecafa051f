"""Puts XDP tables in force on this host, so that the ones before come back by themselves unless somebody confirms.

    xdp.py running                  the tables in force, out of the kernel's maps; nothing when there are none
    xdp.py check TOKEN              would staged/TOKEN.load load? prints the sha256 of it and of what runs
    xdp.py commit TOKEN SECONDS SHA arm the timer, then put staged/TOKEN.load in force if what runs has that sha256
    xdp.py confirm TOKEN            end the timer, keep the tables, save them for the next start
    xdp.py revert TOKEN             put back in force what was before TOKEN, or drop what was only staged
    xdp.py rollback                 swap with the generation before, which is kept in the kernel
    xdp.py pending | save | boot    whose timer runs | save for the next start | load what was saved
    xdp.py count | status | detach  packets and bytes by rule | interfaces and generations | take everything away

Needs root, Python 3.9, libbpf.so.1 and Linux 5.10; no compiler. Beside it lie changes.py, xdp_host.py,
xdp_tables.py, bpf.py and xdp.bpf.o.
CONFIGLET_STATE_DIR is where state is kept, CONFIGLET_BPF_DIR where the kernel's objects are pinned; CONFIGLET_SPEED
divides seconds (for rehearsals).
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from typing import Any

if __package__:
    from configlet.hostside import bpf
    from configlet.hostside.changes import REFUSED, NOT_SO, Changes, Stop, main, scaled, state, sum_of, written
    from configlet.hostside.xdp_host import HERE, PINS, Host
    from configlet.hostside.xdp_tables import counters, parse
else:
    import bpf  # type: ignore[import-not-found,no-redef,unused-ignore]
    from changes import (  # type: ignore[import-not-found,no-redef,unused-ignore]
        REFUSED, NOT_SO, Changes, Stop, main, scaled, state, sum_of, written,
    )  # fmt: skip
    from xdp_host import HERE, PINS, Host  # type: ignore[import-not-found,no-redef,unused-ignore]
    from xdp_tables import counters, parse  # type: ignore[import-not-found,no-redef,unused-ignore]

STATE = state() / "xdp"
CHANGES = Changes(STATE, [sys.executable, "-S", str(HERE / "xdp.py"), "timer"])


def tidy(host: Host) -> None:
    CHANGES.tidy(lambda: restore(host))


def restore(host: Host) -> None:
    """Put back what was in force before the pending change."""
    count, *names = CHANGES.said("before").split()
    if count == "0":
        host.detach()
    else:
        host.enforce(int(count))
        host.attach(names)
        host.forget({int(count)})
    CHANGES.end()


def do_running(host: Host) -> None:
    sys.stdout.write(host.running())


def do_check(host: Host, token: str) -> None:
    text = CHANGES.staged(token, "load").read_text()
    if text.strip():
        shutil.rmtree(PINS / f"g{host.stage(text)}")
    print(sum_of(text), sum_of(host.running()))


def do_commit(host: Host, token: str, seconds: str, sum_: str) -> None:
    tidy(host)
    if CHANGES.token():
        raise Stop(NOT_SO, f"another change is pending: {CHANGES.token()}")
    text = CHANGES.staged(token, "load").read_text()
    if sum_of(host.running()) != sum_:
        raise Stop(NOT_SO, "the tables changed since the change was staged")
    before = f"{host.current() if host.attached() else 0} {' '.join(host.attached())}"
    empty = not text.strip()
    began = time.perf_counter()
    count = 0 if empty else host.stage(text)
    loaded = time.perf_counter() - began
    CHANGES.arm(token, scaled(seconds), {"before": before})
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
    CHANGES.unstage(token)


def do_timer(token: str, delay: str) -> None:
    CHANGES.wait(token, delay, lambda: _said(restore)(Host()))


def do_confirm(host: Host, token: str) -> None:
    tidy(host)
    if CHANGES.token() != token:
        raise Stop(NOT_SO, f"{token} is not pending")
    before = int(CHANGES.said("before").split()[0])
    CHANGES.end()
    if host.attached():
        host.forget({before, host.current()})
    else:
        host.detach()
    do_save(host)


def do_revert(host: Host, token: str) -> None:
    tidy(host)
    if CHANGES.token() == token:
        restore(host)
    else:
        CHANGES.unstage(token)


def do_rollback(host: Host) -> None:
    tidy(host)
    others = [count for count in host.generations() if count != host.current()]
    if CHANGES.token() or not others:
        raise Stop(NOT_SO, "a change is pending" if CHANGES.token() else "no other generation is kept")
    took = host.enforce(others[-1])
    do_save(host)
    print(f"generation {others[-1]} is in force, swapped in {took * 1e6:.0f} us")


def do_pending(host: Host) -> None:
    tidy(host)
    if CHANGES.token():
        print(CHANGES.token())


def do_save(host: Host) -> None:
    written(STATE / "active.xdp", host.running())


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


def _said(act: Callable[..., None]) -> Callable[..., None]:
    """The same, where what the kernel refused is a Stop."""

    def done(*words: Any) -> None:
        try:
            act(*words)
        except bpf.Trouble as trouble:
            raise Stop(REFUSED, str(trouble)) from trouble

    return done


def _of_host(act: Callable[..., None]) -> Callable[..., None]:
    return _said(lambda *words: act(Host(), *words))


VERBS = {
    "running": (_of_host(do_running), 0), "check": (_of_host(do_check), 1), "commit": (_of_host(do_commit), 3),
    "confirm": (_of_host(do_confirm), 1), "revert": (_of_host(do_revert), 1), "rollback": (_of_host(do_rollback), 0),
    "pending": (_of_host(do_pending), 0), "save": (_of_host(do_save), 0), "boot": (_of_host(do_boot), 0),
    "count": (_of_host(do_count), 0), "status": (_of_host(do_status), 0), "detach": (_of_host(do_detach), 0),
    "timer": (do_timer, 2),
}  # fmt: skip


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main(sys.argv[1:], VERBS, CHANGES, __doc__))

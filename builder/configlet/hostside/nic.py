"""Puts filter tables into this host's NICs, so that the ones before come back by themselves unless somebody confirms.

    nic.py KIND running                   what the kernel's own tool lists of the NICs that hold ours; else nothing
    nic.py KIND check TOKEN               could staged/TOKEN.load be loaded? prints the sha256 of it and of what runs
    nic.py KIND commit TOKEN SECONDS SHA  arm the timer, then load it, if what runs still has that sha256
    nic.py KIND confirm TOKEN             end the timer, keep the tables, save them for the next start
    nic.py KIND revert TOKEN              put back what was before TOKEN, or drop what was only staged
    nic.py KIND pending | save | boot     whose timer runs | save for the next start | load what was saved
    nic.py KIND unit                      a systemd unit that loads at each start what was saved
    nic.py KIND count                     packets and bytes by rule, where the NIC counts

KIND is ntuple (ethtool), tcflower (tc) or rteflow (the console of a DPDK application). Needs root and Python 3.9; the
other files of it lie beside. At no moment does a NIC pass what neither the table before nor the one after passes: rules
that pass are added before others go, and what closes the rest stays; tc rules are exchanged behind rules that drop all.
What cannot be put back stays closed, and the timer tries again; where nothing was closed before, what closes goes first.
The timer begins anew when the whole table is there. CONFIGLET_STATE_DIR is where state is kept; CONFIGLET_SPEED divides
seconds (for rehearsals).
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Union

if __package__:
    from configlet.hostside.changes import (
        NOT_SO, REFUSED, TAKEN_BACK, USAGE, Changes, Stop, main, scaled, state, sum_of, written,
    )  # fmt: skip
    from configlet.hostside.console import Rteflow
    from configlet.hostside.nic_tools import Flower, Ntuple, Whole, lines_of, nic_of
else:
    from changes import (  # type: ignore[import-not-found,no-redef,unused-ignore]
        NOT_SO, REFUSED, TAKEN_BACK, USAGE, Changes, Stop, main, scaled, state, sum_of, written,
    )  # fmt: skip
    from console import Rteflow  # type: ignore[import-not-found,no-redef,unused-ignore]
    from nic_tools import (  # type: ignore[import-not-found,no-redef,unused-ignore]
        Flower, Ntuple, Whole, lines_of, nic_of,
    )  # fmt: skip

FAILED = 1

Tool = Union[Ntuple, Flower, Rteflow]
KINDS: dict[str, type[Tool]] = {"ntuple": Ntuple, "tcflower": Flower, "rteflow": Rteflow}


class Host:
    """This host's NICs of one kind."""

    def __init__(self, kind: str) -> None:
        self.folder = state() / kind
        self.tool: Tool = KINDS[kind](self.folder)
        self.changes = Changes(self.folder, [sys.executable, "-S", str(Path(__file__).resolve()), kind, "timer"])

    def held(self) -> str:
        """The text that was applied last, as it was typed."""
        path = self.folder / "held"
        return path.read_text() if path.is_file() else ""

    def nics(self, *texts: str) -> list[str]:
        """The NICs that texts are for."""
        return sorted({nic_of(self.tool.line, line) for text in texts for line in lines_of(text)})

    def running(self) -> str:
        """What the tool lists of the NICs that hold our rules, or might; "" when none holds any."""
        names = self.nics(self.held(), self.changes.said("load"), self.changes.said("undo"))
        shown = {nic: self.tool.shown(nic) for nic in names}
        if not any(map(self.tool.holds, shown.values())):
            return ""
        return self.tool.head + "\n" + "".join(self.tool.mark.format(nic) + text for nic, text in shown.items())

    def replace(self, text: str, back: str) -> None:
        """This text in every NIC. When a tool refuses, all NICs have what is in ``back`` again, or stay closed."""
        names, touched = self.nics(text, back, self.held()), []
        try:
            for nic in names:
                touched.append(nic)
                self._apply(nic, text)
        except Stop as stop:
            if isinstance(stop, Whole):
                touched.pop()
            try:
                for nic in touched:
                    self._apply(nic, back)
            except Stop as again:
                raise Stop(FAILED, f"{stop}; what ran before could not be put back yet: {again}") from None
            raise Stop(TAKEN_BACK if touched else REFUSED, str(stop)) from None
        written(self.folder / "held", text)

    def _apply(self, nic: str, text: str) -> None:
        self.tool.apply(nic, [line for line in lines_of(text) if nic_of(self.tool.line, line) == nic])

    def restore(self) -> None:
        """Put back what ran before the pending change, and end it. Stop while that cannot be done."""
        undo = self.changes.said("undo")
        try:
            for nic in self.nics(undo, self.held(), self.changes.said("load")):
                self._apply(nic, undo)
        except Stop as stop:
            raise Stop(FAILED, f"what ran before could not be put back yet: {stop}") from None
        written(self.folder / "held", undo)
        self.changes.end()

    def tidy(self) -> None:
        """Make good what a timer should have done, if it can be: else the change still waits, and the NICs stay closed."""
        with suppress(Stop):
            self.changes.tidy(self.restore)


def do_running(host: Host) -> None:
    host.tidy()
    sys.stdout.write(host.running())


def do_check(host: Host, token: str) -> None:
    """A NIC that has rules of somebody else is refused: they would be taken away."""
    text = host.changes.staged(token, "load").read_text()
    for nic in sorted(set(host.nics(text)) - set(host.nics(host.held()))):
        if host.tool.holds(host.tool.shown(nic)):
            raise Stop(REFUSED, f"{nic} has rules that are not configlet's: take them away, or keep this NIC out of its hands")
    print(sum_of(text), sum_of(host.running()))


def do_commit(host: Host, token: str, seconds: str, sum_: str) -> None:
    host.tidy()
    load, undo = (host.changes.staged(token, what).read_text() for what in ("load", "undo"))
    host.nics(load, undo)
    if host.changes.token():
        raise Stop(NOT_SO, f"another change is pending: {host.changes.token()}")
    if sum_of(host.running()) != sum_:
        raise Stop(NOT_SO, "the rules changed since the change was staged")
    host.changes.arm(token, scaled(seconds), {"load": load, "undo": undo})
    try:
        host.replace(load, undo)
    except Stop as stop:
        if stop.status != FAILED:  # otherwise the timer goes on trying
            host.changes.end()
        raise
    else:
        host.changes.prolong(scaled(seconds))
    finally:
        host.changes.unstage(token)


def do_confirm(host: Host, token: str) -> None:
    host.tidy()
    if host.changes.token() != token:
        raise Stop(NOT_SO, f"{token} is not pending")
    host.changes.end()
    do_save(host)


def do_revert(host: Host, token: str) -> None:
    host.tidy()
    if host.changes.token() == token:
        host.restore()
    else:
        host.changes.unstage(token)


def do_pending(host: Host) -> None:
    host.tidy()
    if host.changes.token():
        print(host.changes.token())


def do_save(host: Host) -> None:
    """What to load at the next start: NICs forget their rules."""
    written(host.folder / "active", host.held())


def do_boot(host: Host) -> None:
    """What was saved; when a NIC does not take all of it, what closes it."""
    host.tidy()
    path = host.folder / "active"
    text = path.read_text() if path.is_file() else ""
    end = time.monotonic() + host.tool.begins
    while text and time.monotonic() < end:
        with suppress(Stop):
            host.running()
            break
        time.sleep(0.2)
    if text:
        closing = (x for x in lines_of(text) if x.endswith((" -1", " drop", " drop / end")))
        host.replace(text, "\n".join([host.tool.head, *closing]) + "\n")


def do_unit(host: Host) -> None:
    """As early as there are interfaces: a NIC passes everything until it is loaded."""
    if isinstance(host.tool, Rteflow):
        boot = f"ExecStartPost=/usr/bin/python3 -S {Path(__file__).resolve()} rteflow boot"
        raise Stop(USAGE, f"a table in an application begins with it: add `{boot}` to the application's own unit")
    script = f"/usr/bin/python3 -S {Path(__file__).resolve()} {host.folder.name}"
    print(
        f"[Unit]\nDescription=configlet's {host.folder.name} tables of this host's NICs\nDefaultDependencies=no\n"
        f"RequiresMountsFor={host.folder}\n"
        "After=local-fs.target systemd-udev-settle.service\nWants=network-pre.target systemd-udev-settle.service\n"
        "Before=network-pre.target shutdown.target\n"
        f"Conflicts=shutdown.target\n\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart={script} boot\n\n"
        "[Install]\nWantedBy=sysinit.target"
    )


def do_count(host: Host) -> None:
    for nic in host.nics(host.held()):
        for packets, size, name in host.tool.counted(nic):
            print(packets, size, name)


def do_timer(host: Host, token: str, delay: str) -> None:
    host.changes.wait(token, delay, host.restore)


VERBS: dict[str, tuple[Callable[..., None], int]] = {
    "running": (do_running, 0), "check": (do_check, 1), "commit": (do_commit, 3), "confirm": (do_confirm, 1),
    "revert": (do_revert, 1), "pending": (do_pending, 0), "save": (do_save, 0), "boot": (do_boot, 0),
    "unit": (do_unit, 0), "count": (do_count, 0), "timer": (do_timer, 2),
}  # fmt: skip


def of_host(host: Host, act: Callable[..., None]) -> Callable[..., None]:
    return lambda *words: act(host, *words)


if __name__ == "__main__":
    os.umask(0o077)
    os.environ["PATH"] = os.environ.get("PATH", "/bin") + ":/usr/sbin:/usr/bin:/sbin:/bin"
    if len(sys.argv) < 2 or sys.argv[1] not in KINDS:
        print(__doc__, file=sys.stderr)
        sys.exit(USAGE)
    HOST = Host(sys.argv[1])
    sys.exit(main(sys.argv[2:], {v: (of_host(HOST, act), n) for v, (act, n) in VERBS.items()}, HOST.changes, __doc__))

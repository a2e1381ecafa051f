"""Puts filter tables into this host's NICs, so that the ones before come back by themselves unless somebody confirms.

    nic.py KIND running                   what the kernel's own tool lists of the NICs that hold ours; else nothing
    nic.py KIND check TOKEN               could staged/TOKEN.load be loaded? prints the sha256 of it and of what runs
    nic.py KIND commit TOKEN SECONDS SHA  arm the timer, then load it, if what runs still has that sha256
    nic.py KIND confirm TOKEN             end the timer, keep the tables, save them for the next start
    nic.py KIND revert TOKEN              put back what was before TOKEN, or drop what was only staged
    nic.py KIND pending | save | boot     whose timer runs | save for the next start | load what was saved
    nic.py KIND unit                      a systemd unit that loads at each start what was saved
    nic.py KIND count                     packets and bytes by rule, where the NIC counts

KIND is ntuple (ethtool) or tcflower (tc). Needs root and Python 3.9; changes.py lies beside it. At no moment does a NIC
pass what neither the table before nor the one after passes: ntuple rules that pass are added before others go, and what
closes the rest stays; tc rules are exchanged behind rules that drop all. What cannot be put back stays closed, and the
timer tries again. CONFIGLET_STATE_DIR is where state is kept; CONFIGLET_SPEED divides seconds (for rehearsals).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Union

if __package__:
    from configlet.hostside.changes import (
        NOT_SO, REFUSED, TAKEN_BACK, USAGE, Changes, Stop, main, scaled, state, sum_of, written,
    )  # fmt: skip
else:
    from changes import (  # type: ignore[import-not-found,no-redef,unused-ignore]
        NOT_SO, REFUSED, TAKEN_BACK, USAGE, Changes, Stop, main, scaled, state, sum_of, written,
    )  # fmt: skip

FAILED = 1
CLOSED = {1: "prio 1 protocol ip flower skip_sw action drop", 2: "prio 2 protocol ipv6 flower skip_sw action drop"}
"""What stands before all tc rules while they are exchanged, by priority."""
FULL = ("No space left", "resource busy", "appropriate slot")
"""What tools say when a NIC has no room."""
COUNTED = re.compile(r"\tSent (\d+) bytes (\d+) pkt.*")


class Whole(Stop):
    """Refused, and the NIC still holds all that it held."""

    def __init__(self, why: str) -> None:
        super().__init__(REFUSED, why)


def ran(*words: str, text: str = "") -> subprocess.CompletedProcess[str]:
    """A tool that ended, one way or the other. Stop when it is not here."""
    try:
        return subprocess.run(words, input=text, capture_output=True, text=True, check=False)
    except OSError as error:
        raise Stop(REFUSED, f"{words[0]} is not on this host: {error}") from None


def run(*words: str, text: str = "") -> str:
    """What a tool prints. Stop when it refuses."""
    done = ran(*words, text=text)
    if done.returncode:
        raise Stop(REFUSED, f"{' '.join(words)}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def lines_of(text: str) -> list[str]:
    """The rules of a text, without its first line."""
    return [line for line in text.splitlines()[1:] if line.strip()]


class Ntuple:
    """ethtool's rules. Which id each of them was given is kept, so that what is no longer wanted goes."""

    head = "# configlet ntuple 1"
    line = re.compile(r"ethtool -N ([\w.-]+) flow-type [a-z0-9]+(?: [a-z0-9-]+ [0-9a-fx:.]+)* action (?:-1|0)")

    def __init__(self, folder: Path) -> None:
        self.path = folder / "ids"

    def shown(self, nic: str) -> str:
        """What the tool lists of a NIC."""
        return run("ethtool", "-n", nic)

    def holds(self, shown: str) -> bool:
        """Whether a listing has any rule, ours or not."""
        return "Filter: " in shown

    def apply(self, nic: str, new: Sequence[str]) -> None:
        """These rules and no others. New ones come first, unless there is room only without the old."""
        ids = self._known(nic)
        try:
            self._add(ids, new)
        except Stop as stop:
            if not any(words in str(stop) for words in FULL):
                raise
            self._only(nic, ids, new)
            self._add(ids, new)
        self._only(nic, ids, new)

    def counted(self, nic: str) -> list[tuple[int, int, str]]:
        """Never anything."""
        raise Stop(REFUSED, f"{nic}: a NIC counts nothing for each of its ntuple rules")

    def _known(self, nic: str) -> dict[str, str]:
        """Our rules that the NIC still lists, with their ids: it forgets them when it is reset."""
        there = self._listed(nic)
        said = (line.split(" ", 1) for line in (self.path.read_text().splitlines() if self.path.is_file() else ()))
        all_ids = {line: number for number, line in said}
        ids = {line: number for line, number in all_ids.items() if _nic(self, line) == nic and number in there}
        self._keep(nic, ids)
        return ids

    def _keep(self, nic: str, ids: dict[str, str]) -> None:
        old = self.path.read_text().splitlines() if self.path.is_file() else []
        others = [line for line in old if _nic(self, line.split(" ", 1)[1]) != nic]
        written(self.path, "".join(f"{line}\n" for line in [*others, *(f"{n} {line}" for line, n in ids.items())]))

    def _add(self, ids: dict[str, str], new: Sequence[str]) -> None:
        for line in new:
            if line not in ids:
                done = ran(*line.split())
                # ethtool exits 0 when the kernel refuses a rule: only what it printed tells.
                found = re.search(r"Added rule with ID (\d+)", done.stdout)
                if done.returncode or not found:
                    why = done.stderr.strip() or "ethtool did not say which rule it made of this"
                    raise Stop(REFUSED, f"{line}: {why}")
                ids[line] = found[1]

    def _only(self, nic: str, ids: dict[str, str], new: Sequence[str]) -> None:
        """Take away every rule that is none of these, what closes the rest at the end."""
        wanted = {ids[line] for line in new if line in ids}
        closing = {number for line, number in ids.items() if line.endswith(" -1")}
        self._keep(nic, ids)
        there = self._listed(nic)
        if wanted - there:
            raise Stop(REFUSED, f"{nic}: ethtool took {len(wanted)} rules and lists {len(wanted & there)} of them")
        for number in sorted(there - wanted, key=lambda n: (n in closing, int(n))):
            run("ethtool", "-N", nic, "delete", number)
        for line in [line for line in ids if ids[line] not in wanted]:
            del ids[line]
        self._keep(nic, ids)

    def _listed(self, nic: str) -> set[str]:
        return set(re.findall(r"^Filter: (\d+)", self.shown(nic), re.MULTILINE))


class Flower:
    """tc's rules at ingress, in hardware alone, exchanged behind rules that drop all."""

    head = "# configlet tcflower 1"
    line = re.compile(
        r"filter add dev ([\w.-]+) ingress prio (?!1 |2 )\d+ protocol (?:ip|ipv6) flower skip_sw"
        r"(?: [a-z_]+ [0-9a-zA-Z:./_]+)* action (?:pass|drop)"
    )

    def __init__(self, folder: Path) -> None:
        pass

    def shown(self, nic: str) -> str:
        """What the tool lists of a NIC."""
        return run("tc", "filter", "show", "dev", nic, "ingress")

    def holds(self, shown: str) -> bool:
        """Whether a listing has any rule, ours or not."""
        return "filter " in shown

    def apply(self, nic: str, new: Sequence[str]) -> None:
        """These rules and no others. Whole when not even the rules that close could be loaded."""
        if not re.search(r"qdisc (?:ingress|clsact) ", run("tc", "qdisc", "show", "dev", nic)):
            run("tc", "qdisc", "add", "dev", nic, "ingress")
        there = self._prios(nic)
        try:
            self._batch(f"filter add dev {nic} ingress {rule}" for prio, rule in CLOSED.items() if prio not in there)
        except Stop as stop:
            self._delete(nic, set(CLOSED) - there)
            raise Whole(str(stop)) from None
        self._delete(nic, there - set(CLOSED))
        self._batch(new)
        self._in_hardware(nic, len(new) + len(CLOSED))
        self._delete(nic, set(CLOSED))

    def counted(self, nic: str) -> list[tuple[int, int, str]]:
        """Packets, bytes and the words of each rule."""
        out = []
        for block in re.split(r"^filter ", run("tc", "-s", "filter", "show", "dev", nic, "ingress"), flags=re.MULTILINE)[1:]:
            sent, head = COUNTED.search(block), re.match(r"protocol \S+ pref (\d+) .* handle ", block)
            if sent and head:
                words = re.findall(r"^  ((?:ip_|src_|dst_|icmp_|tcp_)\S+ \S+)$", block, re.MULTILINE)
                verdict = "pass" if "gact action pass" in block else "drop"
                out.append((int(sent[2]), int(sent[1]), " ".join((nic, f"prio {head[1]}", *words, verdict))))
        return out

    def _prios(self, nic: str) -> set[int]:
        return {int(prio) for prio in re.findall(r"^filter .*?pref (\d+) ", self.shown(nic), re.MULTILINE)}

    def _batch(self, lines: Iterable[str]) -> None:
        text = "".join(f"{line}\n" for line in lines)
        if text:
            run("tc", "-batch", "-", text=text)

    def _delete(self, nic: str, prios: set[int]) -> None:
        self._batch(f"filter del dev {nic} ingress prio {prio}" for prio in sorted(prios & self._prios(nic)))

    def _in_hardware(self, nic: str, wanted: int) -> None:
        shown = self.shown(nic)
        there, held = (len(re.findall(p, shown, re.MULTILINE)) for p in (r"^filter .* handle ", r"^\s+in_hw\b"))
        if not there == held == wanted:
            raise Stop(REFUSED, f"{nic}: of {wanted} rules {there} are listed, and {held} of them stand in hardware (in_hw)")


Tool = Union[Ntuple, Flower]
KINDS: dict[str, type[Ntuple] | type[Flower]] = {"ntuple": Ntuple, "tcflower": Flower}


def _nic(tool: Tool, line: str) -> str:
    """The NIC that a line is for. Stop for a line of another form: nothing else is ever run."""
    found = tool.line.fullmatch(line)
    if not found:
        raise Stop(REFUSED, f"no rule that this host would load: {line[:120]}")
    return found[1]


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
        return sorted({_nic(self.tool, line) for text in texts for line in lines_of(text)})

    def running(self) -> str:
        """What the tool lists of the NICs that hold our rules, or might; "" when none holds any."""
        names = self.nics(self.held(), self.changes.said("load"), self.changes.said("undo"))
        shown = {nic: self.tool.shown(nic) for nic in names}
        if not any(map(self.tool.holds, shown.values())):
            return ""
        return self.tool.head + "\n" + "".join(f"# shown {nic}\n{text}" for nic, text in shown.items())

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
        self.tool.apply(nic, [line for line in lines_of(text) if _nic(self.tool, line) == nic])

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
    if text:
        host.replace(text, "\n".join([host.tool.head, *(x for x in lines_of(text) if x.endswith((" -1", " drop")))]) + "\n")


def do_unit(host: Host) -> None:
    """As early as there are interfaces: a NIC passes everything until it is loaded."""
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

"""The kernel's own tools for the tables in NICs: ethtool's ntuple rules and tc's flower. Carried beside ``nic.py``."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

if __package__:
    from configlet.hostside.changes import REFUSED, Stop, written
else:
    from changes import REFUSED, Stop, written  # type: ignore[import-not-found,no-redef,unused-ignore]

CLOSED = {1: "prio 1 protocol ip flower skip_sw action drop", 2: "prio 2 protocol ipv6 flower skip_sw action drop"}
"""What stands before all tc rules while they are exchanged, by priority."""
MARK = "# shown {}\n"
"""What stands before the listing of a NIC."""
FULL = ("No space left", "resource busy", "appropriate slot")
"""What tools say when a NIC has no room."""
PATIENCE = float(os.environ.get("CONFIGLET_PATIENCE", "60"))
"""Seconds until a tool that does not end is given up; a driver whose firmware hangs must not hold the timer as well."""
EACH_LINE = 0.05
"""Seconds more for each line of a batch."""
COUNTED = re.compile(r"\tSent (\d+) bytes (\d+) pkt.*")


class Whole(Stop):
    """Refused, and the NIC still holds all that it held."""

    def __init__(self, why: str) -> None:
        super().__init__(REFUSED, why)


def ran(*words: str, text: str = "") -> subprocess.CompletedProcess[str]:
    """A tool that ended, one way or the other. Stop when it is not here, or does not end."""
    seconds = PATIENCE + EACH_LINE * text.count("\n")
    try:
        return subprocess.run(words, input=text, capture_output=True, text=True, check=False, timeout=seconds)
    except OSError as error:
        raise Stop(REFUSED, f"{words[0]} is not on this host: {error}") from None
    except subprocess.TimeoutExpired:
        raise Stop(REFUSED, f"{' '.join(words)}: did not end within {seconds:.0f} s") from None


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

    head, mark, begins = "# configlet ntuple 1", MARK, 0.0
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
        ids = {line: number for line, number in all_ids.items() if nic_of(self.line, line) == nic and number in there}
        self._keep(nic, ids)
        return ids

    def _keep(self, nic: str, ids: dict[str, str]) -> None:
        old = self.path.read_text().splitlines() if self.path.is_file() else []
        others = [line for line in old if nic_of(self.line, line.split(" ", 1)[1]) != nic]
        written(self.path, "".join(f"{line}\n" for line in [*others, *(f"{n} {line}" for line, n in ids.items())]))

    def _add(self, ids: dict[str, str], new: Sequence[str]) -> None:
        same: dict[str, list[str]] = {}
        for line, number in ids.items():
            same.setdefault(number, []).append(line)
        for line in new:
            if line not in ids:
                done = ran(*line.split())
                # ethtool exits 0 when the kernel refuses a rule: only what it printed tells.
                found = re.search(r"Added rule with ID (\d+)", done.stdout)
                if done.returncode or not found:
                    why = done.stderr.strip() or "ethtool did not say which rule it made of this"
                    raise Stop(REFUSED, f"{line}: {why}")
                for other in [other for other in same.get(found[1], ()) if other != line]:
                    ids.pop(other, None)  # a NIC puts a rule in place of one that looks at the same
                ids[line] = found[1]
                same.setdefault(found[1], []).append(line)

    def _only(self, nic: str, ids: dict[str, str], new: Sequence[str]) -> None:
        """Take away every rule that is none of these.

        What closes the rest goes at the end; where nothing is to close it any more, at the beginning, so that what passes
        before and after passes all the time, however many rules there are.
        """
        wanted = {ids[line] for line in new if line in ids}
        closing = {number for line, number in ids.items() if line.endswith(" -1")}
        self._keep(nic, ids)
        there = self._listed(nic)
        if wanted - there:
            raise Stop(REFUSED, f"{nic}: ethtool took {len(wanted)} rules and lists {len(wanted & there)} of them")
        opens = not any(line.endswith(" -1") for line in new)
        for number in sorted(there - wanted, key=lambda n: ((n in closing) != opens, int(n))):
            run("ethtool", "-N", nic, "delete", number)
        for line in [line for line in ids if ids[line] not in wanted]:
            del ids[line]
        self._keep(nic, ids)

    def _listed(self, nic: str) -> set[str]:
        return set(re.findall(r"^Filter: (\d+)", self.shown(nic), re.MULTILINE))


class Flower:
    """tc's rules at ingress, in hardware alone, exchanged behind rules that drop all."""

    head, mark, begins = "# configlet tcflower 1", MARK, 0.0
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


def nic_of(form: re.Pattern[str], line: str) -> str:
    """The NIC that a line is for. Stop for a line of another form: nothing else is ever run."""
    found = form.fullmatch(line)
    if not found:
        raise Stop(REFUSED, f"no rule that this host would load: {line[:120]}")
    return found[1]

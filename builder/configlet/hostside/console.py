"""The port of a DPDK application, through its testpmd-style console at a UNIX socket; carried beside ``nic.py``.

    console.py hold SOCKET COMMAND ...    run an application on a terminal of its own, its console at SOCKET (root's alone)

The file ``ports`` in the folder of this script says where each NIC is: a line ``NIC SOCKET DEVICE``, DEVICE as `show port
summary all` names it. A console lists no values: what is shown of a NIC are the lines that we typed, as long as that same
process lists rules of these numbers, priorities, items and actions. No rule is ever flushed, and none removed that we did
not make.
"""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import socket
import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Optional

if __package__:
    from configlet.hostside.changes import REFUSED, USAGE, Stop
    from configlet.hostside.nic_tools import FULL, Whole
else:
    from changes import REFUSED, USAGE, Stop  # type: ignore[import-not-found,no-redef,unused-ignore]
    from nic_tools import FULL, Whole  # type: ignore[import-not-found,no-redef,unused-ignore]

PATIENCE = float(os.environ.get("CONFIGLET_PATIENCE", "10"))
"""Seconds for one answer."""
AFRESH = "\x01\x0b"
"""Moves to the beginning of the line and deletes it: what somebody has half typed is never carried out."""
PROMPT = r"(?:[\w.-]+> )"
_ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_ITEM = r"(?: (?:src|dst|proto) (?:is|spec|mask|prefix) [0-9a-f.:]+)*"


class Console:
    """One connection. ``who`` is the process behind it: its number and when it began, in ticks since the machine did."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.line = socket.socket(socket.AF_UNIX)
        self.line.settimeout(PATIENCE)
        try:
            self.line.connect(path)
            pid = struct.unpack("3i", self.line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
            if pid == 1:
                raise OSError("process 1 holds it, so nobody could tell when the application was started anew")
            self.who = f"{pid} {Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[19]}"
            self._answer(AFRESH, r"(?s).*")
        except (OSError, Stop) as error:
            self.close()
            raise Stop(REFUSED, f"the console of the application at {path} does not answer: {error}") from None

    def ask(self, line: str) -> str:
        """What is printed for one command, without the prompt. Stop when no prompt comes."""
        try:
            return self._answer(AFRESH + line, rf"(?s).*{re.escape(line)}")
        except OSError as error:
            raise Stop(REFUSED, f"{line}: the console of the application did not answer: {error}") from None

    def close(self) -> None:
        """Leave; the application stays."""
        self.line.close()

    def _answer(self, typed: str, echo: str) -> str:
        self.line.sendall(f"{typed}\n".encode())
        whole, got = re.compile(rf"{echo}\r*\n(?P<said>(?:.*?\n)??){PROMPT}"), ""
        while True:
            part = self.line.recv(65536)
            if not part:
                raise OSError("it hung up")
            got = _ESCAPE.sub("", got + part.decode(errors="replace"))
            found = whole.match(got)
            if found:
                return found["said"].replace("\r", "")


def shape_of(line: str) -> str:
    """A rule as `flow list` shows it, but for its number: group, priority, direction, items and actions without values."""
    found = Rteflow.line.fullmatch(line)
    if not found:
        raise Stop(REFUSED, f"no rule that this host would load: {line[:120]}")
    pattern = line.partition(" pattern ")[2].partition(" / end ")[0]
    items = [part.partition(" ")[0].upper() for part in pattern.split(" / ")]
    return f"0\t{found[2]}\ti--\t{' '.join(items)} => {found[3].partition(' ')[0].upper()}"


class Made:
    """What we made on one NIC, in which process; a line for each step, so that a step cut short is known."""

    def __init__(self, path: Path) -> None:
        self.path, self.who, self.making = path, "", ""
        self.rules: dict[int, str] = {}
        for line in path.read_text().splitlines() if path.is_file() else ():
            what, _, said = line.partition(" ")
            if what == "who":
                self.who, self.rules, self.making = said, {}, ""
            elif what == "making":
                self.making = said
            elif what == "made":
                number, _, made = said.partition(" ")
                self.rules[int(number)], self.making = made, ""
            elif what == "gone":
                self.rules.pop(int(said), None)

    def begin(self, who: str, rules: dict[int, str]) -> None:
        """Begin the file anew."""
        self.who, self.rules, self.making = who, rules, ""
        part = self.path.with_suffix(".part")
        part.write_text("".join([f"who {who}\n", *(f"made {number} {line}\n" for number, line in rules.items())]))
        part.replace(self.path)

    def note(self, *words: object) -> None:
        """Add a step."""
        with self.path.open("a") as file:
            file.write(" ".join(map(str, words)) + "\n")


class Rteflow:
    """The rules of an application's ports."""

    head, mark = "# configlet rteflow 1", ""
    line = re.compile(
        rf"flow create ([\w.-]+) priority (\d+) ingress pattern eth / ipv[46]{_ITEM}(?: / (?:tcp|udp){_ITEM})? / end "
        r"actions (queue index 0|drop) / end"
    )

    begins = 30.0
    """Seconds that an application may take until its console answers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def shown(self, nic: str) -> str:
        """Our lines that the application still lists. Stop when it lists a rule that is not ours."""
        with closing(self._open(nic)) as console:
            ours = self._ours(nic, console, self._port(nic, console))
        return "".join(f"{line}\n" for line in ours.values())

    def holds(self, shown: str) -> bool:
        """Whether there is any rule."""
        return bool(shown)

    def apply(self, nic: str, new: Sequence[str]) -> None:
        """These rules and no others of ours, new ones first; what closes the rest comes first of all and goes last, or first
        where nothing is to close it any more."""
        try:
            console = self._open(nic)
        except Stop as stop:
            raise Whole(str(stop)) from None
        with closing(console):
            try:
                port = self._port(nic, console)
                ours = self._ours(nic, console, port)
            except Stop as stop:
                raise Whole(str(stop)) from None
            made = self._made(nic)
            made.begin(console.who, ours)
            wanted = sorted(dict.fromkeys(new), key=lambda line: not line.endswith("actions drop / end"))
            try:
                self._add(made, console, port, wanted)
            except Stop as stop:
                if not any(words in str(stop) for words in FULL):
                    raise
                self._only(made, console, port, wanted)
                self._add(made, console, port, wanted)
            self._only(made, console, port, wanted)

    def counted(self, nic: str) -> list[tuple[int, int, str]]:
        """Never anything."""
        raise Stop(REFUSED, f"{nic}: these rules have no count action, as only some DPDK drivers know it")

    def _add(self, made: Made, console: Console, port: str, wanted: Sequence[str]) -> None:
        there = set(made.rules.values())
        for line in wanted:
            if line not in there:
                made.note("making", line)
                words = line.split()
                said = console.ask(" ".join([*words[:2], port, *words[3:]]))
                numbers = re.findall(r"^Flow rule #(\d+) created$", said, re.MULTILINE)
                if len(numbers) != 1:
                    if "Caught PMD error" in said or "Bad arguments" in said:
                        made.note("making", "")
                    raise Stop(REFUSED, f"{line}: {said.strip() or 'the application did not say that it made this rule'}")
                made.rules[int(numbers[0])] = line
                made.note("made", numbers[0], line)

    def _only(self, made: Made, console: Console, port: str, wanted: Sequence[str]) -> None:
        stays = set(wanted)
        gone = {number: line for number, line in made.rules.items() if line not in stays}
        opens = not any(line.endswith("actions drop / end") for line in wanted)
        for number in sorted(gone, key=lambda n: (gone[n].endswith("actions drop / end") != opens, n)):
            said = console.ask(f"flow destroy {port} rule {number}")  # silent where there is no such rule
            if f"Flow rule #{number} destroyed" not in said.splitlines():
                raise Stop(REFUSED, f"{gone[number]}: not destroyed: {said.strip() or 'the application said nothing'}")
            del made.rules[number]
            made.note("gone", number)

    def _ours(self, nic: str, console: Console, port: str) -> dict[int, str]:
        """Our rules that this process lists. Stop for any other: nothing of theirs is known, and it is never removed."""
        listed, made = dict(_listed(console.ask(f"flow list {port}"))), self._made(nic)
        same = made.who == console.who
        ours = {number: line for number, line in made.rules.items() if number in listed} if same else {}
        others = sorted(listed.keys() - ours.keys())
        if same and made.making and len(others) == 1 and listed[others[0]] == shape_of(made.making):
            ours[others.pop()] = made.making  # we were cut short between its making and its noting
        others += [number for number, line in ours.items() if listed[number] != shape_of(line)]
        if others:
            when = "" if same or not made.who else "; it was started anew since, and its rules of configlet's went with it"
            raise Stop(REFUSED, f"{nic}: the application has rules that are not configlet's (rule {others[0]}){when}")
        return ours

    def _made(self, nic: str) -> Made:
        return Made(self.folder / f"made-{nic}")

    def _place(self, nic: str) -> Sequence[str]:
        path = self.folder / "ports"
        for line in path.read_text().splitlines() if path.is_file() else ():
            words = line.split()
            if words[:1] == [nic] and len(words) == 3:
                return words
        raise Stop(REFUSED, f"{nic}: {path} does not say where its application is: add a line `{nic} SOCKET DEVICE`")

    def _open(self, nic: str) -> Console:
        return Console(self._place(nic)[1])

    def _port(self, nic: str, console: Console) -> str:
        device = self._place(nic)[2]
        said = console.ask("show port summary all")
        found = re.findall(rf"^(\d+) +[0-9A-F:]{{17}} +{re.escape(device)} ", said, re.MULTILINE)
        if len(found) != 1:
            raise Stop(REFUSED, f"{nic}: the application has no port {device}: {said.strip()}")
        return str(found[0])


def _listed(said: str) -> Iterator[tuple[int, str]]:
    """The rules of `flow list` by number; it prints nothing when there is none. Stop for anything else."""
    lines = said.splitlines()
    if lines and lines[0] != "ID\tGroup\tPrio\tAttr\tRule":
        raise Stop(REFUSED, f"the application's list of rules cannot be read: {said.strip()[:120]}")
    for line in lines[1:]:
        number, tab, shape = line.partition("\t")
        if not number.isdigit() or not tab:
            raise Stop(REFUSED, f"the application's list of rules cannot be read: {line[:120]}")
        yield int(number), shape


def hold(path: str, command: Sequence[str]) -> int:
    """Run the application until it ends, its console at the socket for one client at a time. Its exit status."""
    pid, terminal = pty.fork()
    if not pid:
        os.execvp(command[0], list(command))  # noqa: S606 - the operator's own application, and no shell
    with suppress(FileNotFoundError):
        os.unlink(path)
    door = socket.socket(socket.AF_UNIX)
    door.bind(path)
    door.listen(8)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(pid, signal.SIGTERM))
    _relay(terminal, door)
    with suppress(FileNotFoundError):
        os.unlink(path)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _relay(terminal: int, door: socket.socket) -> None:
    """Until the terminal is closed. What it says while nobody is there goes to our own output."""
    client: Optional[socket.socket] = None
    while True:
        ready = select.select([terminal, (client or door).fileno()], [], [])[0]
        if terminal in ready:
            try:
                said = os.read(terminal, 65536)
            except OSError:
                return
            if client is None:
                sys.stdout.buffer.write(said)
                sys.stdout.buffer.flush()
            else:
                client = _told(client, said)
        if client is None and door.fileno() in ready:
            client = door.accept()[0]
            client.settimeout(PATIENCE)
        elif client is not None and client.fileno() in ready:
            client = _heard(client, terminal)


def _told(client: socket.socket, said: bytes) -> Optional[socket.socket]:
    """A client that does not listen is left, as the application would wait for it."""
    try:
        client.sendall(said)
    except OSError:
        client.close()
        return None
    return client


def _heard(client: socket.socket, terminal: int) -> Optional[socket.socket]:
    typed = b""
    with suppress(OSError):
        typed = client.recv(65536)
    if typed:
        os.write(terminal, typed)
        return client
    client.close()
    return None


USES: dict[str, Callable[[str, Sequence[str]], int]] = {"hold": hold}

if __name__ == "__main__":
    os.umask(0o077)
    if len(sys.argv) < 4 or sys.argv[1] not in USES:
        print(__doc__, file=sys.stderr)
        sys.exit(USAGE)
    sys.exit(USES[sys.argv[1]](sys.argv[2], sys.argv[3:]))

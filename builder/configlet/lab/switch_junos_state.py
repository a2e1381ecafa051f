"""What a simulated Junos switch keeps: one shared candidate with its lock, what was committed, and the commit timer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from configlet.lab.switch_junos_baseline import missing
from configlet.lab.switch_junos_tree import Node, compare, show, tidy

MOST_ENTRIES = 50
BOOTED = 86400.0
"""Uptime at the start: the simulated device has been up for a day."""


class Said(Exception):  # noqa: N818 - the device's own words
    """The device refuses; the text is its message."""


@dataclass(slots=True)
class Entry:
    """One commit. ``comment`` is the device's own word on it and stays; ``log`` is what the client wrote."""

    root: Node
    when: float
    user: str
    client: str
    revision: str
    comment: str = ""
    log: str = ""


@dataclass(slots=True)
class Pending:
    """A commit that the device takes back at ``deadline`` of its own clock, unless it is confirmed."""

    before: Node
    deadline: float
    thread: threading.Timer


@dataclass(slots=True)
class State:
    """Everything that a switch keeps. Every access goes through ``lock``."""

    whole: Node
    """The fixed part, which every configuration must hold."""
    program: Callable[[Node], None]
    """Puts a configuration into the data plane; raises Said when it does not take it."""
    speed: float
    history: list[Entry] = field(default_factory=list)
    """Newest first; the first one runs."""
    candidate: Node = field(init=False)
    owner: int = 0
    """The session that holds the lock; 0 none."""
    owner_says: str = ""
    pending: Pending | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)
    began: tuple[float, float] = field(default_factory=lambda: (time.time(), time.monotonic()))
    refusal: str = ""
    """Why every new commit is refused (a fault on demand)."""
    unprogrammed: str = ""
    """Why the data plane differs from what runs, if what the timer brought back could not be programmed."""
    commits: int = 0

    def __post_init__(self) -> None:
        self.candidate = self.whole.copy()
        self.remember(self.whole.copy(), "root", "other")

    @property
    def running(self) -> Node:
        """What was committed last."""
        return self.history[0].root

    def now(self) -> float:
        """Seconds of the device's clock, which runs ``speed`` times as fast as ours."""
        wall, start = self.began
        return wall + (time.monotonic() - start) * self.speed

    def remember(self, root: Node, user: str, client: str, comment: str = "", log: str = "") -> None:
        """A new entry of the history."""
        self.commits += 1
        revision = f"re0-{int(self.began[0])}-{self.commits}"
        self.history.insert(0, Entry(root, self.now(), user, client, revision, comment, log))
        del self.history[MOST_ENTRIES:]

    def changed(self) -> bool:
        """Whether the candidate is another configuration than what runs."""
        return list(show(self.candidate)) != list(show(self.running))


def lock(state: State, session: int, says: str) -> None:
    """Take the lock on the shared candidate. Raises Said when somebody has it, or left changes in the candidate."""
    if state.owner not in (0, session):
        raise Said(f"configuration database locked by:\n  {state.owner_says}\n")
    if state.owner == session:
        raise Said("configuration database already locked by this session")
    if state.changed():
        raise Said("configuration database modified")
    state.owner, state.owner_says = session, says


def unlock(state: State, session: int) -> None:
    """Give the lock back; what was not committed under it is gone (Junos XML protocol, lock-configuration)."""
    if state.owner != session:
        raise Said("configuration database not locked by this session")
    state.owner, state.owner_says = 0, ""
    state.candidate = state.running.copy()


def writable(state: State, session: int) -> None:
    """Raises Said when another session has the lock."""
    if state.owner not in (0, session):
        raise Said(f"configuration database locked by:\n  {state.owner_says}\n")


def roll_back(state: State, number: int) -> None:
    """Make the candidate what was committed so many commits ago; 0 is what runs."""
    if number >= len(state.history):
        raise Said(f"rollback {number}: no such rollback configuration")
    state.candidate = state.history[number].root.copy()


def check(state: State) -> Node:
    """The candidate as it would be committed. Raises Said for what the commit check refuses."""
    root = state.candidate.copy()
    tidy(root)
    for way, name, family in _bound(root):
        node = root.at("firewall", f"family {family}", f"filter {name}")
        if node is None:
            raise Said(f"Referenced filter '{name}' is not defined ({way})")
        if not any(key.startswith("term ") for key in node.children):
            raise Said(f"filter '{name}' has no terms ({way})")
    lost = list(missing(state.whole, root))
    if lost:
        raise Said(f"the simulated hardware cannot be without: {'; '.join(lost[:3])}")
    return root


def _bound(root: Node) -> Iterator[tuple[str, str, str]]:
    """(where, filter, family) of every binding."""
    interfaces = root.at("interfaces")
    for port, units in interfaces.children.items() if interfaces else ():
        for unit, node in units.children.items():
            for family, inner in node.children.items():
                bound = inner.children.get("filter")
                for key in bound.children if bound else ():
                    way, name = key.split(" ", 1)
                    yield f"{port} {unit} {way}", name, family.removeprefix("family ")


def commit(state: State, user: str, minutes: int | None, log: str) -> None:
    """Put the candidate in force, for so many minutes unless it is confirmed; a plain commit confirms what waits."""
    root = check(state)
    if state.refusal:
        raise Said(state.refusal)
    before = state.pending.before if state.pending else state.running
    if list(show(root)) != list(show(state.running)):
        state.program(root)
        state.unprogrammed = ""
    confirm(state)
    comment = "" if minutes is None else f"commit confirmed, rollback in {minutes}mins"
    state.remember(root, user, "netconf", comment, log)
    state.candidate = root.copy()
    if minutes is not None:
        _start(state, before, minutes)


def confirm(state: State) -> None:
    """End the timer; ``commit check`` does so too."""
    if state.pending is not None:
        state.pending.thread.cancel()
        state.pending = None


def _start(state: State, before: Node, minutes: int) -> None:
    def expire() -> None:
        with state.lock:
            if state.pending is mine:
                take_back(state)

    thread = threading.Timer(60 * minutes / state.speed, expire)
    thread.daemon = True
    mine = state.pending = Pending(before, state.now() + 60 * minutes, thread)
    thread.start()


def take_back(state: State) -> None:
    """The timer ran out: commit what ran before, whatever the data plane answers."""
    assert state.pending is not None
    before, state.pending = state.pending.before, None
    try:
        state.program(before)
        state.unprogrammed = ""
    except Said as failure:
        state.unprogrammed = str(failure)
    state.remember(before, "root", "other")
    state.candidate = before.copy()


def diff(state: State, number: int) -> str:
    """The candidate against an earlier commit, as ``show | compare`` prints it; "" when it is the same."""
    if number >= len(state.history):
        raise Said(f"rollback {number}: no such rollback configuration")
    new = state.candidate.copy()
    tidy(new)
    return "\n".join(compare(state.history[number].root, new))


def reload(state: State) -> None:
    """Restart: what was committed runs, with or without confirmation; the timer, lock and candidate are gone.

    Whether a real device would still take the commit back is not confirmed; this is the worse of both.
    """
    confirm(state)
    state.owner, state.owner_says = 0, ""
    state.candidate = state.running.copy()
    state.program(state.running)

"""A few forks of this process, each of which does the same work for numbers that it takes from one pipe.

A fork takes the first number of a stretch from a pipe that all share, and answers on a pipe of its own; when this process
is gone, however it ended, so are they. What the standard library has for this leaves them waiting for ever then.
"""

from __future__ import annotations

import os
import pickle
import select
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from struct import Struct
from typing import Any, TypeVar

B = TypeVar("B")

_NUMBER, _LENGTH = Struct("I"), Struct("Q")
WAITING = 1
"""Stretches for each worker that wait in the pipe beside the one that it works on."""


class Lost(Exception):  # noqa: N818 - it says what became of a worker
    """A worker ended before it had answered."""


def forked(work: Callable[[int], B], count: int, processes: int, together: int) -> Iterator[B]:
    """``work`` of each number below ``count``, in order, by this many forks, to each of which go ``together`` neighbours at once.

    Raises Lost where one of them is gone, and whatever ``work`` raises.
    """
    firsts = iter(range(0, count, together))
    asked, ask = os.pipe()
    workers: dict[int, int] = {}
    try:
        for _ in range(processes):
            pid, answers = _begun(work, count, together, asked, (ask, *workers))
            workers[answers] = pid
        os.close(asked)
        asked = -1
        for first in islice(firsts, processes * (1 + WAITING)):
            _ask(ask, first)
        found: dict[int, list[B]] = {}
        for at in range(0, count, together):
            while at not in found:
                first, said = _next(workers)
                found[first] = said
                for more in islice(firsts, 1):
                    _ask(ask, more)
            yield from found.pop(at)
    finally:
        for end in (asked, ask, *workers):  # a worker that waits, or has more to say, ends by this
            if end >= 0:
                os.close(end)
        for pid in workers.values():
            with suppress(ChildProcessError):  # who ignores SIGCHLD has the kernel wait for them
                os.waitpid(pid, 0)


def _ask(ask: int, first: int) -> None:
    try:
        os.write(ask, _NUMBER.pack(first))
    except BrokenPipeError:
        raise Lost from None  # none of them is left that could do it


def _begun(work: Callable[[int], Any], count: int, together: int, asked: int, others: tuple[int, ...]) -> tuple[int, int]:
    """A new fork, and where it answers. ``others`` are ends of pipes that are not its own."""
    answers, answer = os.pipe()
    pid = os.fork()
    if not pid:
        status = 1
        try:
            for end in (answers, *others):
                os.close(end)
            _serve(work, count, together, asked, answer)
            status = 0
        finally:
            os._exit(status)
    os.close(answer)
    return pid, answers


def _serve(work: Callable[[int], Any], count: int, together: int, asked: int, answer: int) -> None:
    """Do what is asked until nothing is any more."""
    while number := os.read(asked, _NUMBER.size):
        (first,) = _NUMBER.unpack(number)
        try:
            said = pickle.dumps((first, [work(n) for n in range(first, min(first + together, count))], None), -1)
        except Exception as error:  # noqa: BLE001 - it is raised where the work is waited for
            said = _raised(first, error)
        try:
            _write(answer, _LENGTH.pack(len(said)) + said)
        except BrokenPipeError:
            return  # nobody waits any more, for what is still in the pipe neither


def _raised(first: int, error: Exception) -> bytes:
    from traceback import format_exception

    where = "".join(format_exception(error))
    error.add_note(where)
    try:
        said = pickle.dumps((first, None, error), -1)
        whole = type(pickle.loads(said)[2]) is type(error)  # noqa: S301 - it was written just now
    except Exception:  # noqa: BLE001 - it has something that cannot be sent, or not be made again
        whole = False
    return said if whole else pickle.dumps((first, None, RuntimeError(where)), -1)


def _write(end: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(end, rest) :]


def _next(workers: dict[int, int]) -> tuple[int, list[Any]]:
    """The next answer of any of them: the first number of a stretch, and what was found."""
    poll = select.poll()
    for end in workers:
        poll.register(end, select.POLLIN)
    end = poll.poll()[0][0]
    (length,) = _LENGTH.unpack(_read(end, _LENGTH.size))
    first, said, error = pickle.loads(_read(end, length))  # noqa: S301 - a fork of this process wrote it
    if error is not None:
        raise error
    return first, said


def _read(end: int, length: int) -> bytes:
    pieces = []
    while length:
        piece = os.read(end, min(length, 1 << 20))
        if not piece:
            raise Lost
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)

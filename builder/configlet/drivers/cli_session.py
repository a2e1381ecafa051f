"""A command line over an SSH channel: what is sent, its echo, the answer, the device's own prompt.

Lines go out in windows: so many at once, then as many prompts are awaited. Each answer belongs to one line, so the line
that was refused is named. A connection that ended is noticed at once, where netmiko waits for its whole time-out.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from configlet.drivers.cli_errors import failure, is_alarm, is_log

CUT = 20
"""Characters of its name that an IOS shows in the prompt of its configuration mode."""
_NOISE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x07\r]")
_PAGING = re.compile(r"-+ ?more ?-+", re.IGNORECASE)


class Refusal(Exception):  # noqa: N818 - the device's own words
    """A line that the device answered with an error. Later lines of its window have been sent."""

    def __init__(self, line: str, answer: str) -> None:
        self.line, self.answer = line, answer
        super().__init__(f'the device answered "{line}" with "{answer}"')


class Session:
    """A command line that stands at its prompt. Raises EOFError when it ended, TimeoutError when nothing came in time."""

    def __init__(self, channel: Any, prompt: str, patience: float) -> None:
        self._channel, self._patience = channel, patience
        name = prompt.rstrip("#> ")
        names = "|".join(re.escape(n) for n in dict.fromkeys((name, name[:CUT])))
        self._prompt = re.compile(rf"^(?:{names})(?P<mode>\([\w.-]+\))?[#>] ?", re.MULTILINE)
        self.mode = ""
        self._alarm = ""

    def ask(self, command: str, known: tuple[str, ...] = ()) -> str:
        """What one command answers, without lines of the log. Raises Refusal when a line of it is an error."""
        self._drain()
        (answer,) = self._answers([command])
        wrong = failure(answer.splitlines(), known)
        if wrong:
            raise Refusal(command, wrong)
        self._calm(command)
        return "".join(line for line in answer.splitlines(keepends=True) if not is_log(line))

    def enter(self, lines: Sequence[str], window: int, late: Callable[[], bool] = lambda: False) -> None:
        """Send configuration lines, ``window`` of them at a time, but none once it is ``late``.

        Raises Refusal at the first that is refused, or that came too late to be sent.
        """
        self._drain()
        for at in range(0, len(lines), window):
            if late():
                raise Refusal(lines[at], "nothing: it was not sent, as its timer has little time left")
            chunk = lines[at : at + window]
            for line, answer in zip(chunk, self._answers(chunk), strict=True):
                wrong = failure(answer.splitlines())
                if wrong:
                    raise Refusal(line, wrong)
            self._calm(chunk[-1])

    def leave(self, command: str, question: str, reply: str) -> str:
        """What a command says that changes the mode and may ask first; ``reply`` is given to that question alone."""
        self._drain()
        self._channel.sendall(f"{command}\n".encode())
        text, asked, end = "", False, time.monotonic() + self._patience
        while True:
            text += self._more(end)
            shown = _NOISE.sub("", text)
            if not asked and question in shown:
                self._channel.sendall(f"{reply}\n".encode())
                text, asked = "", True
                continue
            found = list(self._prompt.finditer(shown))
            if found and self._stands(shown, found[-1].end()):
                self.mode = found[-1]["mode"] or ""
                return shown[: found[-1].start()]

    def _answers(self, lines: Sequence[str]) -> list[str]:
        """One answer for each line, without echo and prompt."""
        self._channel.sendall("".join(f"{line}\n" for line in lines).encode())
        text, end = "", time.monotonic() + self._patience
        while True:
            text += self._more(end)
            shown = _NOISE.sub("", text)
            found = list(self._prompt.finditer(shown))
            answers = list(_answered(shown, found, lines))
            if len(answers) >= len(lines) and self._stands(shown, found[-1].end()):
                self.mode = found[-1]["mode"] or ""
                self._listen(shown)
                return answers
            if _PAGING.search(shown[-20:]):
                raise TimeoutError("the device stops after each page, although paging was switched off")

    def _calm(self, command: str) -> None:
        """Raises Refusal when the log has said since the last time that something is not in force. It says it late."""
        alarm, self._alarm = self._alarm, ""
        if alarm:
            raise Refusal(command, alarm)

    def _listen(self, shown: str) -> None:
        self._alarm = self._alarm or next((line.strip() for line in shown.splitlines() if is_alarm(line)), "")

    @staticmethod
    def _stands(shown: str, end: int) -> bool:
        """Whether nothing but log lines follows the prompt."""
        return all(is_log(line) for line in shown[end:].splitlines() if line.strip())

    def _more(self, end: float) -> str:
        while True:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"no prompt within {self._patience:g} s")
            self._channel.settimeout(min(left, 1.0))
            try:
                data = self._channel.recv(65536)
            except TimeoutError:
                transport = self._channel.get_transport()
                if transport is None or not transport.is_active():
                    raise EOFError("the connection ended") from None
                continue
            if not data:
                raise EOFError("the connection ended")
            return str(data.decode(errors="replace"))

    def _drain(self) -> None:
        """Throw away what nobody asked for: the rest of a log line, a second prompt. An alarm is kept."""
        while self._channel.recv_ready():
            data = self._channel.recv(65536)
            if not data:
                raise EOFError("the connection ended")
            self._listen(_NOISE.sub("", data.decode(errors="replace")))


def _answered(shown: str, prompts: list[re.Match[str]], lines: Sequence[str]) -> Iterator[str]:
    """What stands between the prompts, one answer for each line that was echoed.

    A log line may bring a prompt of its own; a piece that holds nothing else answers no line.
    """
    start, left = 0, list(lines)
    for prompt in prompts:
        piece = shown[start : prompt.start()].split("\n")
        start = prompt.end()
        while piece and (not piece[0].strip() or is_log(piece[0])):
            piece.pop(0)
        if piece and left:
            # What stands in the place of the echo and is none may be the answer.
            yield "\n".join(piece[1:] if left.pop(0).strip() == piece[0].strip() else piece)

"""The group of all commands, each imported when it is used, and what becomes of every way in which one can end."""

from __future__ import annotations

import errno
import importlib
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

import click
from click.shell_completion import CompletionItem

from configlet import __version__
from configlet.cli import say, statuses
from configlet.model.problem import Refused, refuse

click.UsageError.exit_code = statuses.USAGE

COMMANDS = {
    "init": "a new workspace with the example site dc1",
    "doctor": "what this machine can do, and what to install",
    "check": "everything that can be said without touching a device",
    "why": "every gate on the way, what it says, and the rule",
    "matrix": "who may talk to whom, segment by segment",
    "capacity": "how full each gate is, what costs most, what one more rule would cost",
    "analyse": "rules that do nothing, contradict each other or are wide; unused names",
    "query": "which services pass between two ends",
    "only": "these services and nothing else: yes, or the packet that says no",
    "diff": "the flows opened and closed between two policies or revisions",
    "render": "the artifacts: what the gates would be told",
    "prove": "the proofs, or a foreign text against a gate's law",
    "import": "a running configuration's access lists as rules, address sets and services",
    "plan": "what would change: flows opened and closed, then the text",
    "approve": "consent to exactly one plan, as a file beside it",
    "push": "do it, under the devices' own timers",
    "would-drop": "what is only observed and would be dropped, as the hosts count it",
    "rollback": "back to before a push",
    "recover": "after an interrupted push: ask the devices",
    "log": "the runs of a site, and what became of each device",
    "which": "which layer a configlet comes from, and whether a copy drifted",
    "adopt": "take a shipped configlet as your own",
    "platforms": "kinds and platforms as their folders stand; what is missing in one",
    "lab": "the site on this machine: up, down, status, probe, fault",
    "completion": "completion for bash, zsh or fish",
}
"""In the order in which an operator meets them; here so that help and completion import no command."""


class LazyGroup(click.Group):
    """A group that imports ``configlet.cli.<name>`` when that command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names, in their order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command itself, or None when there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        found: click.Command = importlib.import_module(f"configlet.cli.{cmd_name.replace('-', '_')}").command
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it, with a suggestion for a name that is nearly right."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            from difflib import get_close_matches

            close = get_close_matches(name, COMMANDS, 1)
            hint = f' Did you mean "{close[0]}"?' if close else " `configlet --help` lists them."
            raise click.UsageError(f'There is no command "{name}".{hint}', ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The commands with what each does."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands that begin so."""
        found = [CompletionItem(n, help=h) for n, h in COMMANDS.items() if n.startswith(incomplete)]
        return found + click.Command.shell_complete(self, ctx, incomplete)

NOT_ALLOWED = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM))
"""A disk that is full or only read, and a file that is somebody else's."""
NOT_THERE = frozenset((errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG))
"""A file or folder that went away in the meantime, or cannot be where it was asked for."""


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit status: 0 done, 1 failed, 3 red, 4 partial, 5 locked, 6 no consent, 7 unknown state, "
    "8 nothing to check, 64 usage, 65 invalid input, 70 internal error, 130 interrupted.",
)
@click.version_option(__version__, "-V", "--version", message="configlet %(version)s")
def group() -> None:
    """One segmentation policy, rendered, proven and pushed to every gate that can see the flow."""


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit status."""
    given = list(arguments)
    return ended(lambda: group.main(list(given), prog_name="configlet", standalone_mode=False, obj=given), given)


def ended(work: Callable[[], object], arguments: Sequence[str]) -> int:
    """Do the work and make an exit status of every way in which it can end; no traceback reaches a person."""
    as_json = "--json" in arguments
    try:
        status = work()
        sys.stdout.flush()
        if not isinstance(status, int):
            raise TypeError(f"the command said no exit status: {arguments[:1]}")
        return status
    except (click.Abort, KeyboardInterrupt):
        say.note("configlet: interrupted")
        return statuses.INTERRUPTED
    except click.ClickException as error:
        return _usage(error, as_json)
    except Refused as refused:
        status = statuses.of_refusal(refused)
        say.refusal(refused, status, as_json)
        return status
    except BrokenPipeError:
        return _nobody_reads()
    except Exception as error:  # noqa: BLE001 - the one place that may: it becomes a report and status 70, never a success
        import traceback

        if isinstance(error, OSError) and error.errno in NOT_ALLOWED | NOT_THERE:
            return _not_allowed(error, as_json)
        say.crash(traceback.format_exc())
        return statuses.INTERNAL


def _usage(error: click.ClickException, as_json: bool) -> int:
    status = error.exit_code if isinstance(error, click.UsageError) else statuses.FAILED
    if as_json:
        say.data(status, {"problems": [{"severity": "error", "summary": "usage", "detail": error.format_message()}]})
    else:
        error.show()
    return status


def _not_allowed(error: OSError, as_json: bool) -> int:
    """The system did not let a file be written or read: no fault of ours, and said without a trace."""
    where = f"{error.filename}: " if error.filename is not None else ""
    summary, remedy = "What the system does not allow", "Make room or allow it"
    if error.errno in NOT_THERE:
        summary, remedy = "File or folder that is not there", "Make it"
    detail = f"{where}{error.strerror}. Nothing more was done. {remedy}, or name another place; then run it again."
    say.refusal(refuse(summary, detail), statuses.FAILED, as_json)
    return statuses.FAILED


def _nobody_reads() -> int:
    """The reader of stdout went away (``configlet ... | head``): end quietly, and not as a success."""
    import os

    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return statuses.FAILED

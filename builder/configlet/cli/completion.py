"""``configlet completion bash|zsh|fish``."""

from __future__ import annotations

import click
from click.shell_completion import ShellComplete, get_completion_class

from configlet.cli import say, statuses

HOW = {
    "bash": 'eval "$(configlet completion bash)"      # in ~/.bashrc',
    "zsh": 'eval "$(configlet completion zsh)"       # in ~/.zshrc',
    "fish": "configlet completion fish | source       # in ~/.config/fish/config.fish",
}


@click.command("completion", epilog="\b\n" + "\n".join(HOW.values()))
@click.argument("shell", type=click.Choice(sorted(HOW)))
def command(shell: str) -> int:
    """The script that completes commands, options and sites in your shell."""
    from configlet.cli.app import group

    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"There is no completion for {shell}.")
    maker = found(group, {}, "configlet", "_CONFIGLET_COMPLETE")
    # The base class's way: bash's own looks for the bash of this machine first, which says nothing of the reader's.
    say.out(ShellComplete.source(maker))
    return statuses.OK

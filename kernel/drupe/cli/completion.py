"""`drupe completion`: the script that teaches a shell the words, options and names of drupe."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from drupe.cli.nouns import Verb
from drupe.errors import UnsupportedFeature

__all__ = ["completion"]


@click.command(
    "completion",
    cls=Verb,
    prints=False,
    store=False,
    examples="""
        eval "$(drupe completion bash)"                                        # this shell only
        drupe completion bash > ~/.local/share/bash-completion/completions/drupe
        drupe completion zsh > "${fpath[1]}/_drupe"
        drupe completion fish > ~/.config/fish/completions/drupe.fish
    """,
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script for SHELL.

    With it, TAB completes commands and options, and names of experiments, runs, metrics and models from the store in use.
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise UnsupportedFeature(f"this release of click has no completion for {shell}: pip install -U click")
    click.echo(kind(ctx.find_root().command, {}, "drupe", "_DRUPE_COMPLETE").source())

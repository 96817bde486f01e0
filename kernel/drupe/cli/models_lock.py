"""`drupe models lock`: every package that a model's requirements come to, with hashes."""

from __future__ import annotations

from pathlib import Path

import click

from drupe import lazy
from drupe.cli import complete
from drupe.cli.model_address import addressed, manager_option
from drupe.cli.nouns import Verb, given
from drupe.cli.output import say

__all__ = ["lock"]


@click.command(
    "lock",
    cls=Verb,
    prints=False,
    examples="""
        drupe models lock models:/churn/3
        drupe models lock models:/churn/3 -o requirements.lock
    """,
)
@click.argument("uri", required=False, metavar="URI", shell_complete=complete.run_paths)
@click.option("-m", "--model-uri", metavar="URI", shell_complete=complete.run_paths, help="The model.")
@manager_option
@click.option(
    "-o",
    "--output-path",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where it is written; printed if not given.",
)
@click.pass_context
def lock(ctx: click.Context, uri: str | None, model_uri: str | None, env_manager: str, output_path: Path | None) -> None:
    """Print every package that the requirements of the model at URI come to, pinned and with hashes, for this kind of machine.

    The model stays as it is. `log_model(…, lock=True)` keeps such a lock with a model from the start, and its environments are made of it.
    """
    _, address = addressed(ctx, given(uri, model_uri, "URI"))
    lines = lazy.load("drupe.models.environments:lock_requirements")(address, env_manager=env_manager)
    text = "".join(f"{line}\n" for line in lines)
    if output_path is None:
        click.echo(text, nl=False)
    else:
        output_path.write_text(text, encoding="utf-8")
        say(f"{len(lines)} packages → {output_path}")

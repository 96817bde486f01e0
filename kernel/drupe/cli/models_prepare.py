"""`drupe models prepare`: builds the environment of a model ahead of its use."""

from __future__ import annotations

import click

from drupe import lazy
from drupe.cli import complete
from drupe.cli.model_address import addressed, manager_option
from drupe.cli.nouns import Verb, given
from drupe.cli.output import say

__all__ = ["prepare"]


@click.command(
    "prepare",
    cls=Verb,
    prints=False,
    examples="""
        drupe models prepare models:/churn@champion
        drupe models prepare -m models:/churn/3 --env-manager virtualenv
    """,
)
@click.argument("uri", required=False, metavar="URI", shell_complete=complete.run_paths)
@click.option("-m", "--model-uri", metavar="URI", shell_complete=complete.run_paths, help="The model.")
@manager_option
@click.pass_context
def prepare(ctx: click.Context, uri: str | None, model_uri: str | None, env_manager: str) -> None:
    """Build the environment of the model at URI, so that predicting and serving in it begin at once.

    It is kept by what is in it: models that need the same share one. Prints the path of its interpreter.
    """
    _, address = addressed(ctx, given(uri, model_uri, "URI"))
    with lazy.load("drupe.models.environments:prepared_environment")(address, env_manager=env_manager, tell=say) as (python, is_new):
        say("the environment is ready" if is_new else "the environment was there already")
        click.echo(python)

"""`drupe models verify-env`: whether a model works in an environment with just what it says it needs."""

from __future__ import annotations

import click

from drupe import lazy
from drupe.cli import complete
from drupe.cli.model_address import addressed, manager_option
from drupe.cli.nouns import Verb, given
from drupe.cli.output import Form, chosen_form, print_csv, print_json, say
from drupe.errors import EnvironmentUnusable

__all__ = ["verify_env"]


@click.command(
    "verify-env",
    cls=Verb,
    examples="""
        drupe models verify-env models:/churn/3
        drupe models verify-env brave-plum-12/model --kept
    """,
)
@click.argument("uri", required=False, metavar="URI", shell_complete=complete.run_paths)
@click.option("-m", "--model-uri", metavar="URI", shell_complete=complete.run_paths, help="The model.")
@manager_option
@click.option("--kept", is_flag=True, help="Use the environment that is kept for the model, if there is one, and keep a new one.")
@click.option("--timeout", type=click.FloatRange(min=1), default=600.0, metavar="S", help="Seconds that loading and predicting may take.")
@click.pass_context
def verify_env(ctx: click.Context, uri: str | None, model_uri: str | None, env_manager: str, kept: bool, timeout: float) -> None:
    """Load the model at URI in a fresh environment, predict for its input example there, and say what is missing.

    The prediction is compared with the one that was recorded when the model was logged. Runs the model's code. Exits with 1 when it fails.
    """
    _, address = addressed(ctx, given(uri, model_uri, "URI"))
    verify = lazy.load("drupe.models.environments:verify_environment")
    found = verify(address, env_manager=env_manager, is_fresh=not kept, timeout_s=timeout, tell=say)
    if chosen_form() is Form.JSON:
        print_json({"model_uri": address, "works": found.works, "steps": found.steps, "fault": found.fault, "missing": found.missing})
    elif chosen_form() is Form.CSV:
        print_csv(["result", "text"], [*(("works", step) for step in found.steps), *([("fails", found.fault)] if found.fault else [])])
    else:
        for step in found.steps:
            click.echo(f"✓ {step}")
    if found.fault:
        raise EnvironmentUnusable(found.fault)

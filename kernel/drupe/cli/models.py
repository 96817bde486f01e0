"""`drupe models`: the words below it; each verb has a room of its own, and plugins add more."""

from __future__ import annotations

import click

from drupe.cli.lazy_group import plugin_commands
from drupe.cli.nouns import URI_KEY, LazyNoun
from drupe.lazy import load

__all__ = ["models"]

VERBS = {
    "list": ("drupe.cli.models_list:list_", "List the models that runs have logged"),
    "search": ("drupe.cli.models_search:search", "Find logged models by name, params, tags and metrics"),
    "show": ("drupe.cli.models_show:show", "Show the card of a model: what it is for, how good it is, how to use it"),
    "lineage": ("drupe.cli.models_lineage:lineage", "Show the data, run and versions of a model"),
    "diff": ("drupe.cli.models_diff:diff", "Show two models side by side"),
    "prepare": ("drupe.cli.models_prepare:prepare", "Build the environment of a model ahead"),
    "verify-env": ("drupe.cli.models_verify_env:verify_env", "Try a model in a fresh environment"),
    "lock": ("drupe.cli.models_lock:lock", "Print every package that a model needs, with hashes"),
    "envs": ("drupe.cli.models_envs:envs", "List and remove the environments of models"),
    "evaluate": ("drupe.cli.models_evaluate:evaluate", "Judge a model on data whose true values are known"),
    "scan": ("drupe.cli.models_scan:scan", "Look for what could run code when a model is loaded"),
    "trust": ("drupe.cli.models_trust:trust", "Let a model run code when you load it"),
    "sign": ("drupe.cli.models_sign:sign", "Sign a model with your key"),
    "verify": ("drupe.cli.models_verify:verify", "Compare a model with its manifest and signature"),
}


@click.group(
    cls=LazyNoun,
    table=VERBS,
    plugins=plugin_commands,
    below="models",
    examples="""
        drupe models list -e churn
        drupe models show models:/churn@champion
        drupe models diff models:/churn/3 models:/churn@champion
        drupe models predict -m brave-plum-12/model -i customers.csv
    """,
)
@click.pass_context
def models(ctx: click.Context) -> None:
    """Show logged models and predict with them.

    A model is named by its address: RUN/PATH, runs:/ID/PATH, models:/NAME/VERSION, models:/NAME@ALIAS, its id (m-…) or the beginning of it, or
    a folder.
    """
    ctx.obj = _address_of


def _address_of(named: str, tracking_uri: str | None = None) -> str:
    """For verbs of plugins, which know nothing of this command line: the full address of a model that is named as people do."""
    ctx = click.get_current_context()
    if tracking_uri:
        ctx.meta[URI_KEY] = tracking_uri
    address: str = load("drupe.cli.model_address:addressed")(ctx, named)[1]
    return address

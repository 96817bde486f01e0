"""`drupe models serve`."""

from __future__ import annotations

import logging
import sys
from functools import partial
from typing import Any

import click
from attrs import asdict, evolve

from drupe.errors import InvalidSettings
from drupe.models.environments import LOCAL, run_in_environment, vouched_model
from drupe_asgi.running import log_requests
from drupe_serving.running import name_of, serve as run
from drupe_serving.settings import ServingSettings

__all__ = ["serve"]

EXAMPLES = """\b
Examples:
  drupe models serve -m models:/churn@champion
  drupe models serve -m ./model --port 8080 --workers 4
  drupe models serve -m models:/churn/3 --inference-log /data/churn

\b
Ask it:
  curl http://127.0.0.1:5000/invocations -H 'Content-Type: text/csv' --data-binary @customers.csv

The page at / shows what the model takes, with commands to ask it.
Every option can also be set in drupe.toml under [plugins.serving], or as DRUPE_SERVING__PORT and so on.
"""


@click.command(epilog=EXAMPLES, context_settings={"help_option_names": ["--help"]})
@click.argument("uri", required=False, metavar="[URI]")
@click.option(
    "-m", "--model-uri", "--model", metavar="URI", help="The model: models:/NAME/VERSION, models:/NAME@ALIAS, RUN/PATH, a folder."
)
@click.option("-h", "--host", help="Address to listen on.", show_default=True, default="127.0.0.1", envvar="MLFLOW_HOST")
@click.option(
    "-p",
    "--port",
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 for any that is free.",
    show_default=True,
    default=5000,
    envvar="MLFLOW_PORT",
)
@click.option(
    "-t",
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    default=60.0,
    show_default=True,
    envvar="MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT",
    help="Seconds after which a request is answered with 504.",
)
@click.option(
    "-w",
    "--workers",
    type=click.IntRange(1, 256),
    default=1,
    show_default=True,
    envvar="MLFLOW_MODELS_WORKERS",
    help="Processes that serve together, each with the model.",
)
@click.option("--name", metavar="NAME", help="What the model is called under /v2/models; by its address if not given.")
@click.option(
    "--batching",
    type=click.Choice(["auto", "on", "off"]),
    default="auto",
    show_default=True,
    help="Predict requests together: auto does where the model's rows are known to be independent.",
)
@click.option("--batch-rows", type=click.IntRange(1), default=256, show_default=True, help="The most rows that are predicted together.")
@click.option(
    "--batch-wait-ms",
    type=click.FloatRange(0, 10_000),
    default=0.0,
    show_default=True,
    help="How long the first of a batch waits for others although the model is free.",
)
@click.option(
    "--threads",
    type=click.IntRange(0, 256),
    default=0,
    help="Predictions at once in a process; 0: one where requests are predicted together, else eight.",
)
@click.option(
    "--max-waiting", type=click.IntRange(1), default=1000, show_default=True, help="Requests that may wait; further ones get 503."
)
@click.option("--prefix", metavar="PATH", help="Path below which a reverse proxy shows the server.", default="")
@click.option("--allowed-host", "allowed_hosts", multiple=True, metavar="NAME", help="A further name to answer to; may be repeated.")
@click.option(
    "--allowed-origin", "allowed_origins", multiple=True, metavar="ORIGIN", help="Pages that may ask, as https://host; may be repeated."
)
@click.option("--open-to-all", is_flag=True, help="Let other machines in although nobody has to log in.")
@click.option("--max-body-mb", type=click.IntRange(1, 2048), default=64, show_default=True, help="The largest request.")
@click.option(
    "--patience-s",
    type=click.FloatRange(0.1, 3600),
    default=30.0,
    show_default=True,
    help="Seconds that a client may send nothing of its request, or read nothing of its answer.",
)
@click.option("--log-requests", is_flag=True, help="Write a line of JSON for each request.")
@click.option("--inference-log", metavar="FOLDER", help="Write requests and predictions there, as parquet files.")
@click.option("--inference-log-sample", type=click.FloatRange(0, 1), default=1.0, show_default=True, help="The share that is written.")
@click.option("--inference-log-mb", type=click.IntRange(1), default=1024, show_default=True, help="What they may take of the disk.")
@click.option("--model-config", metavar="JSON", envvar="SERVING_MODEL_CONFIG", help="Values over the configuration that the model has.")
@click.option("--env-manager", metavar="NAME", default="local", show_default=True, help="What makes the model's environment.")
@click.option("--trust", is_flag=True, help="Let the model run code when it is loaded, whoever made it.")
@click.option("--tracking-uri", metavar="ADDRESS", help="The store that knows the model, if another than the one in use.")
@click.option("--no-conda", is_flag=True, hidden=True)
@click.option("--install-mlflow", is_flag=True, hidden=True)
@click.pass_context
def serve(
    ctx: click.Context,
    /,
    uri: str | None,
    model_uri: str | None,
    model_config: str | None,
    env_manager: str,
    no_conda: bool,
    install_mlflow: bool,
    tracking_uri: str | None,
    trust: bool,
    **given: Any,
) -> None:
    """Answer requests for predictions of the model at URI, under MLflow's scoring protocol and the Open Inference Protocol."""
    if uri is not None and model_uri is not None:
        raise click.UsageError(f"URI is given twice: {uri!r} and {model_uri!r}.")
    named = uri or model_uri
    if named is None:
        raise click.UsageError("Missing argument 'URI': the model to serve.")
    address = ctx.obj(named, tracking_uri) if callable(ctx.obj) else named
    settings = ServingSettings(**given)
    if settings.inference_log is not None and not 0 <= settings.inference_log_sample <= 1:
        raise InvalidSettings("inference_log_sample is a share between 0 and 1")
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    if settings.log_requests:
        log_requests()

    if env_manager != LOCAL and not no_conda:
        model = vouched_model(address, trust=trust or None)
        environ = _as_environ(evolve(settings, name=settings.name or name_of(address)[0]))
        if model_config is not None:
            environ["SERVING_MODEL_CONFIG"] = model_config
        say = partial(click.echo, err=True)
        code = run_in_environment(
            model,
            "drupe_serving",
            ["--model", str(model.folder)],
            env_manager=env_manager,
            also=["drupe-serving"],
            environ=environ,
            tell=say,
        )
        ctx.exit(code)

    def started(name: str, url: str) -> None:
        click.echo(f"drupe serves the model {name}\n  at  {url}\n  stop it with Ctrl-C\n")
        click.echo(f"The page there shows how it is asked; see also:\n  curl {url}/openapi.json")

    run(address, settings, started, model_config=model_config, trust=trust)
    click.echo("drupe models serve: all requests are answered")


def _as_environ(settings: ServingSettings) -> dict[str, str]:
    """The settings as the variables that the server in another environment reads."""
    told = {name: value for name, value in asdict(settings).items() if value not in (None, "", ())}
    return {f"DRUPE_SERVING__{name.upper()}": ",".join(value) if isinstance(value, tuple) else str(value) for name, value in told.items()}

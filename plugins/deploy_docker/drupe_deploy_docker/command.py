"""`drupe models build-docker` and `drupe models generate-dockerfile`, with MLflow's option names."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from drupe.errors import InvalidValue
from drupe_deploy_docker.context import write_context

__all__ = ["build_docker", "generate_dockerfile"]

_REFUSED = {
    "enable_mlserver": "--enable-mlserver: the image's own server speaks the Open Inference Protocol beside MLflow's, so MLServer is not put into it",
    "install_java": "--install-java: nothing that a scikit-learn or Python model needs; take a --base-image that has Java",
    "install_mlflow": "--install-mlflow: MLflow is in the image when the model's requirements name it",
    "mlflow_home": "--mlflow-home: the image is served by drupe, whose distributions are taken from where they are installed",
}


def _options(function: Callable[..., Any]) -> Callable[..., Any]:
    for decorate in (
        click.option(
            "-m", "--model-uri", "--model", metavar="URI", required=True, help="The model: models:/NAME/VERSION, RUN/PATH, a folder."
        ),
        click.option(
            "--env-manager",
            type=click.Choice(["uv", "virtualenv"]),
            default="uv",
            show_default=True,
            help="What installs the model's requirements in the image; uv also locks them with hashes.",
        ),
        click.option(
            "--base-image", metavar="IMAGE", help="An image with Python of the model's release; python:3.11-slim or so if not given."
        ),
        click.option("--enable-mlserver", is_flag=True, hidden=True),
        click.option("--install-java", is_flag=True, hidden=True),
        click.option("--install-mlflow", is_flag=True, hidden=True),
        click.option("--mlflow-home", hidden=True),
    ):
        function = decorate(function)
    return function


@click.command(
    "build-docker",
    epilog="""\b
Examples:
  drupe models build-docker -m models:/churn@champion -n churn
  docker run --rm -p 127.0.0.1:8080:8080 --read-only --tmpfs /tmp churn
""",
)
@click.option(
    "-n", "--name", default="mlflow-pyfunc-servable", show_default=True, metavar="NAME", help="What the image is called; NAME:TAG."
)
@click.option("--network", metavar="NAME", help="The network that the build may use, such as host.")
@_options
@click.pass_context
def build_docker(
    ctx: click.Context, /, name: str, network: str | None, model_uri: str, env_manager: str, base_image: str | None, **refused: Any
) -> None:
    """Build a Docker image that serves the model at -m: MLflow's scoring protocol on port 8080, as a user who is not root.

    It holds a slim Python, what the model's lock or requirements name, drupe's server and the model, and no tools that install. Layers
    that did not change since the last build are taken from the engine's cache.
    """
    from drupe_deploy_docker.engine import build_image  # the docker library: generate-dockerfile does without

    address = _address(ctx, model_uri, refused)
    with tempfile.TemporaryDirectory(prefix="drupe-docker-") as place:
        context = Path(place) / "context"
        write_context(address, context, env_manager=env_manager, base_image=base_image, tell=_say)
        image = build_image(context, name, network=network, tell=_say)
    _say(f"built {name}; run it: docker run --rm -p 127.0.0.1:8080:8080 {name}")
    click.echo(image)


@click.command(
    "generate-dockerfile",
    epilog="""\b
Examples:
  drupe models generate-dockerfile -m models:/churn@champion -d churn-image
  docker build -t churn churn-image
""",
)
@click.option(
    "-d",
    "--output-directory",
    default="mlflow-dockerfile",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder that is written; it must be empty or not exist yet.",
)
@_options
@click.pass_context
def generate_dockerfile(
    ctx: click.Context, /, output_directory: Path, model_uri: str, env_manager: str, base_image: str | None, **refused: Any
) -> None:
    """Write the Dockerfile of the model at -m and all that it copies into a folder, to be built by whatever builds images."""
    address = _address(ctx, model_uri, refused)
    write_context(address, output_directory, env_manager=env_manager, base_image=base_image, tell=_say)
    _say(f"written; build it: docker build -t NAME {output_directory}")
    click.echo(output_directory / "Dockerfile")


def _address(ctx: click.Context, named: str, refused: dict[str, Any]) -> str:
    for option, reason in _REFUSED.items():
        if refused.get(option):
            raise InvalidValue(reason)
    return str(ctx.obj(named)) if callable(ctx.obj) else named


def _say(line: str) -> None:
    click.echo(line, err=True)

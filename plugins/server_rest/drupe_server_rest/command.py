"""`drupe server`."""

from __future__ import annotations

import logging
import sys
from typing import Any

import click

from drupe.tracking.address import get_tracking_uri
from drupe.uris import redact
from drupe_asgi.running import log_requests
from drupe_server_rest.serving import serve
from drupe_server_rest.settings import ServerSettings

__all__ = ["server"]

EXAMPLES = """\b
Examples:
  drupe server                                   serve ./drupe.db on http://127.0.0.1:5000
  drupe server --store sqlite:////data/runs.db --port 8080
  drupe server --artifacts /data/files --prefix /tracking --allowed-host tracking.example.org

Clients need one line: MLFLOW_TRACKING_URI=http://127.0.0.1:5000, or mlflow.set_tracking_uri(...).
Every option can also be set in drupe.toml under [plugins.server-rest], or as DRUPE_SERVER_REST__PORT and so on.
"""


@click.command(epilog=EXAMPLES)
@click.option("--host", help="Address to listen on.", show_default=True, default="127.0.0.1")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 for any that is free.", show_default=True, default=5000)
@click.option("--store", metavar="ADDRESS", help="The store to serve; by default the one in use here.")
@click.option("--artifacts", metavar="ADDRESS", help="Where files are kept; by default where the store keeps them.")
@click.option(
    "--signed-transfers", is_flag=True, help="Tell clients to move large files straight to and from the storage, which they must reach."
)
@click.option("--prefix", metavar="PATH", help="Path below which a reverse proxy shows the server.", default="")
@click.option(
    "--durability",
    type=click.Choice(["full", "normal"]),
    default="full",
    show_default=True,
    help="What an answered write survives: a power cut, or the death of the process only.",
)
@click.option("--allowed-host", "allowed_hosts", multiple=True, metavar="NAME", help="A further name to answer to; may be repeated.")
@click.option(
    "--allowed-origin", "allowed_origins", multiple=True, metavar="ORIGIN", help="Pages that may write, as https://host; may be repeated."
)
@click.option("--open-to-all", is_flag=True, help="Let other machines in although nobody has to log in.")
@click.option("--max-body-mb", type=click.IntRange(1, 2048), default=64, show_default=True, help="The largest JSON body.")
@click.option(
    "--patience-s",
    type=click.FloatRange(0.1, 3600),
    default=30.0,
    show_default=True,
    help="Seconds that a client may send nothing of its request, or read nothing of its answer.",
)
@click.option(
    "--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes that serve together; for stores in PostgreSQL."
)
@click.option("--readers", type=click.IntRange(1, 64), default=4, show_default=True, help="Threads that read from the store.")
@click.option("--log-requests", is_flag=True, help="Write a line of JSON for each request.")
def server(store: str | None, **given: Any) -> None:
    """Serve a store to MLflow's and drupe's clients, with one small process."""
    settings = ServerSettings(store=store, **given)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    if settings.log_requests:
        log_requests()
    address = settings.store or get_tracking_uri()

    def started(url: str) -> None:
        click.echo(f"drupe serves {redact(address)}\n  at  {url}\n  stop it with Ctrl-C\n")
        click.echo(f"In a training script or notebook:\n  export MLFLOW_TRACKING_URI={url}")

    serve(address, settings, started)
    click.echo("drupe server: all requests are answered, nothing waits")

"""`drupe ui`: the server of the store in use on this machine, with a browser on it."""

from __future__ import annotations

import logging
import sys
import webbrowser

import click

from drupe.tracking.address import get_tracking_uri
from drupe.uris import redact
from drupe_server_rest.serving import serve
from drupe_server_rest.settings import ServerSettings

__all__ = ["ui"]

EXAMPLES = """\b
Examples:
  drupe ui                                   the store in use, on http://127.0.0.1:5000, in your browser
  drupe ui --port 0 --no-browser             any free port; open the address yourself
  drupe ui --store sqlite:////data/runs.db

For other people and machines there is `drupe server`, which shows the same pages.
"""


@click.command(epilog=EXAMPLES)
@click.option("--store", metavar="ADDRESS", help="The store to look at; by default the one in use here.")
@click.option("--host", help="Address to listen on.", show_default=True, default="127.0.0.1")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 for any that is free.", show_default=True, default=5000)
@click.option("--browser/--no-browser", default=True, show_default=True, help="Open a browser on the page.")
def ui(store: str | None, host: str, port: int, browser: bool) -> None:
    """Look at experiments, runs and models in a browser."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    address = store or get_tracking_uri()

    def started(url: str) -> None:
        click.echo(f"drupe shows {redact(address)}\n  at  {url}\n  stop it with Ctrl-C")
        if browser:
            webbrowser.open(url)

    serve(address, ServerSettings(store=address, host=host, port=port), started)

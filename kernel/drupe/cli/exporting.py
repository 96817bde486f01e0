"""`drupe export`: send what is here to a tracking server that gives ids itself, see what is called what there, and what did not go and why."""

from __future__ import annotations

from typing import cast

import click

from drupe.artifacts.progress import progress_bar
from drupe.cli import formats
from drupe.cli.importing import TALLIES, print_outcome, print_plain
from drupe.cli.nouns import Verb, reader, shown_address, tracking_uri
from drupe.cli.output import note, say, table_of
from drupe.errors import InvalidUri
from drupe.extend import RegistryStore, TrackingStore
from drupe.extend.features import Feature
from drupe.loading import catalog
from drupe.migrate.exporting.export import send
from drupe.migrate.exporting.report import ExportReport
from drupe.tracking.address import get_registry_uri, get_tracking_uri, registry_store, tracking_store
from drupe.uris import Uri, redact

__all__ = ["export"]


@click.command(
    "export",
    cls=Verb,
    examples="""
        drupe export http://mlflow.example.org:5000 --dry-run
        drupe export http://mlflow.example.org:5000
        drupe export https://ada@mlflow.example.org/prefix --tracking-uri sqlite:////data/team.db --json > report.json
    """,
)
@click.argument("target", metavar="TARGET")
@click.option("--dry-run", is_flag=True, help="Read both sides, write nothing, and say what would be sent.")
@click.pass_context
def export(ctx: click.Context, target: str, dry_run: bool) -> None:
    """Send experiments, runs, artifacts, logged models and registered models to an MLflow server.

    TARGET is the address of a running server of MLflow 2 or 3. It gives ids itself: those that things have here are kept in the tags drupe.run_id,
    drupe.model_id and drupe.version, and --json lists both.
    It can be interrupted and repeated: what is there whole is left alone, and nothing is made twice. At the end both sides are read and compared.
    What the server does not take is listed with the reason. The exit code is 1 when something differs in the end.
    """
    address = Uri.parse(target, query=True, user_info=True)
    if address.scheme not in ("http", "https"):
        raise InvalidUri(
            f"{redact(target)!r} is no server, such as http://host:5000; for a database there is drupe store copy, which keeps ids"
        )
    seen = reader(ctx)  # an empty store that is gone afterwards, where none is yet
    here = tracking_uri(ctx) or get_tracking_uri()
    there = cast(TrackingStore, catalog().open("drupe_tracking_stores", address))
    models = cast(RegistryStore, catalog().open("drupe_registry_stores", address))
    report = ExportReport(shown_address(seen), redact(target), dry_run)
    try:
        with progress_bar("exporting", is_count=True) as bar:
            source = tracking_store(here), registry_store(tracking_uri(ctx) or get_registry_uri())
            send(source, (there, models), address, report=report, progress=bar)
    finally:
        models.close()
        there.close()
    _print(report, keeps_models=bool(there.features.get(Feature.LOGGED_MODELS)))
    if not report.is_whole:
        ctx.exit(1)


def _print(report: ExportReport, *, keeps_models: bool) -> None:
    if print_plain(report):
        return
    say(f"{report.source} → {report.target}" + (" (dry run: nothing was written)" if report.is_dry_run else ""))
    table_of([row for row in report.tallies().items() if keeps_models or row[0] != "logged_models"], TALLIES)
    note(f"with {report.points} points of metrics, {formats.size(report.file_bytes)} of files")
    print_outcome(report, "read on both sides and compared: all is there as it is here")

"""`drupe import`: bring the runs and models of another tool here, see what came over, and what did not and why."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import click

from drupe.artifacts.progress import progress_bar
from drupe.cli import formats
from drupe.cli.nouns import Verb, reader, shown_address, tracking_uri
from drupe.cli.output import Column, Form, chosen_form, note, print_csv, print_json, say, table_of
from drupe.errors import InvalidUri
from drupe.extend import ImportSource, Loss
from drupe.loading import catalog
from drupe.migrate.bringing import Options, bring
from drupe.migrate.report import ImportReport, Report, Tally
from drupe.tracking.address import get_registry_uri, get_tracking_uri, registry_store, tracking_store
from drupe.uris import Uri, redact

__all__ = ["TALLIES", "import_", "print_outcome", "print_plain"]

HOOK = "drupe_import_sources"
SHOWN = 30

TALLIES: list[Column[tuple[str, Tally]]] = [
    Column("what", lambda row: row[0], heading="", keep=True),
    Column("new", lambda row: row[1].new, right=True, keep=True),
    Column("extended", lambda row: row[1].extended, right=True),
    Column("unchanged", lambda row: row[1].unchanged, right=True),
]
LOSSES: list[Column[Loss]] = [
    Column("what", lambda loss: loss.what, heading="NOT CARRIED OVER", keep=True),
    Column("count", lambda loss: loss.count, right=True),
    Column("name", lambda loss: loss.name, heading="WHICH", keep=True),
    Column("why", lambda loss: loss.why, keep=True),
    Column("damage", lambda loss: loss.is_damage, in_table=False),
]


@click.command(
    "import",
    cls=Verb,
    examples="""
        drupe import ./mlruns
        drupe import mlflow.db --dry-run
        drupe import sqlite:////data/mlflow.db --artifact-root /srv/mlruns=/data/mlruns
        drupe import postgresql://reader@db.example.org/mlflow --json
        drupe import http://mlflow.example.org:5000 --tracking-uri sqlite:////data/team.db
    """,
)
@click.argument("source", metavar="SOURCE")
@click.option("--dry-run", is_flag=True, help="Read everything, write nothing, and say what would come over.")
@click.option("--link", is_flag=True, help="Leave artifacts where they are and keep their addresses, instead of copying them.")
@click.option(
    "--artifact-root",
    "roots",
    multiple=True,
    metavar="[OLD=]FOLDER",
    help="Artifacts may be read below this folder; with OLD, those whose address begins with OLD lie in it now. May be repeated.",
)
@click.option("--workers", type=click.IntRange(1, 64), default=4, show_default=True, help="So many pages of runs are read at once.")
@click.pass_context
def import_(ctx: click.Context, source: str, dry_run: bool, link: bool, roots: tuple[str, ...], workers: int) -> None:
    """Bring the experiments, runs, artifacts and registered models of another tool here.

    SOURCE is a folder `mlruns`, a database of MLflow (a file, or an address such as postgresql://host/name), or the address of a running MLflow
    server. It is only read. Ids, times, stages and whole metric histories are kept.
    It can be interrupted and repeated: what is here stays as it is, and what is new there is added. At the end all is read again and compared.
    What has no place here is listed with the reason. The exit code is 1 when something in the source is damaged, or differs in the end.
    """
    options = Options(link=link, is_dry_run=dry_run, roots=tuple(map(_root, roots)), workers=workers)
    opened = cast(ImportSource, catalog().open(HOOK, _address(source)))
    try:
        seen = reader(ctx) if dry_run else None  # an empty store that is gone afterwards, where none is yet
        target = tracking_uri(ctx) or get_tracking_uri()
        with progress_bar("importing", is_count=True) as bar:
            report = bring(
                opened,
                tracking_store(target),
                registry_store(tracking_uri(ctx) or get_registry_uri()),
                target=redact(target) if seen is None else shown_address(seen),
                options=options,
                progress=bar,
            )
    finally:
        opened.close()
    _print(report)
    if not report.is_whole:
        ctx.exit(1)


def _address(source: str) -> Uri:
    address = Uri.parse(source, query=True, user_info=True)
    if address.scheme == "file" and not Path(address.path).exists():
        raise InvalidUri(f"{source!r} is not there; give a folder mlruns, a database file, or an address such as http://host:5000")
    return address


def _root(text: str) -> tuple[str, Path]:
    old, equals, new = text.partition("=")
    folder = Path(new if equals else old).expanduser().absolute()
    if not folder.is_dir():
        raise click.BadParameter(f"{str(folder)!r} is not a folder.", param_hint="--artifact-root")
    return (old if equals else str(folder)), folder


def _print(report: ImportReport) -> None:
    if print_plain(report):
        return
    say(f"{report.source} → {report.target}" + (" (dry run: nothing was written)" if report.is_dry_run else ""))
    table_of(list(report.tallies().items()), TALLIES)
    note(
        f"with {report.points} points of metrics, {report.params} params, {report.tags} tags, {report.inputs} inputs, "
        f"{formats.size(report.file_bytes)} of files"
    )
    for name, there, here in report.renumbered:
        note(f"experiment {name!r} has the id {here} here; {there} is another one's, or its name was here before")
    print_outcome(report, "read again and compared: all is here as it was read")


def print_plain(report: Report) -> bool:
    """Print a report for programs, if that is the chosen form; whether it was."""
    form = chosen_form()
    if form is Form.JSON:
        print_json(report.to_plain())
    elif form is Form.CSV:
        print_csv([column.name for column in LOSSES], ([column.field(loss) for column in LOSSES] for loss in report.losses))
    return form is not Form.TABLE


def print_outcome(report: Report, verified: str) -> None:
    """The end of a report for people: what was not carried over, what differs, or in words of one's own that nothing does."""
    if report.losses:
        click.echo()
        table_of(report.losses[:SHOWN], LOSSES)
        if len(report.losses) > SHOWN:
            note(f"and {len(report.losses) - SHOWN} more; --output csv or --json lists all")
    click.echo()
    for told in report.mismatches[:SHOWN]:
        say(f"differs: {told}")
    if report.digest is not None and not report.mismatches:
        note(f"{verified} (sha256 {report.digest[:16]}…)")

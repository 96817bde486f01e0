"""`drupe store`: look through all that a store keeps for damage, make a whole store of what can be read of a damaged one, copy a store.

Its other commands, for a store that is well, are in `upkeep`.

What is checked and how rows are kept is the store plugin's affair; see `TrackingStore.verify` and `TrackingStore.repair`. How a store is
copied is for `drupe.migrate.copying`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import asdict, evolve

from drupe.artifacts.progress import progress_bar
from drupe.cli.nouns import Noun, missing_store, tracking_uri
from drupe.cli.output import Column, Form, chosen_form, note, print_csv, print_json, print_list, say, table_of
from drupe.cli.upkeep import backup, restore_, upgrade, vacuum
from drupe.entities import Damage, RepairReport, TableReport
from drupe.errors import NoProvider, StoreUnavailable
from drupe.extend.features import Feature
from drupe.loading import catalog
from drupe.migrate.copying import CopyReport, Stores, copy_store
from drupe.tracking.address import get_tracking_uri, store_class
from drupe.tracking.journal.places import journals_root
from drupe.tracking.journal.repair import find_damage, repair
from drupe.uris import redact

if TYPE_CHECKING:
    from drupe.extend import TrackingStore
    from drupe.uris import Uri

__all__ = ["store"]


@click.group(
    cls=Noun,
    examples="""
        drupe store verify
        drupe store repair
        drupe store repair sqlite:///runs.db --to rescued.db
        drupe store copy sqlite:///runs.db postgresql://db.example/runs
        drupe store backup /backups/monday --artifacts
        drupe store upgrade --plan
    """,
)
def store() -> None:
    """Look after a store: back it up and restore it, upgrade it, find and repair damage, copy it into another, give space back.

    Damage comes from failing disks, torn writes, or programs that wrote into the file. Nothing but the store itself is needed to repair it.
    """


@store.command(
    "verify",
    examples="""
        drupe store verify
        drupe store verify sqlite:////data/team.db --json
    """,
)
@click.argument("uri", required=False, metavar="[URI]")
@click.pass_context
def _verify(ctx: click.Context, uri: str | None) -> None:
    """Read all that the store at URI keeps, and the journals that wait for it, and list what is damaged.

    Nothing is written. The store may be too damaged to be opened. The exit code is 1 when damage was found.
    """
    implementation, address, options = _store(ctx, uri)
    of_store, of_journals = _looked_through(implementation, address, options)
    found = [*of_store, *of_journals]
    print_list(found, _DAMAGE, empty=f"{_place(address)}: no damage was found", as_plain=_plain_damage)
    if found and chosen_form() is Form.TABLE:
        note(_advice(implementation))
    if found:
        ctx.exit(1)


@store.command(
    "repair",
    examples="""
        drupe store repair
        drupe store repair sqlite:///runs.db --to rescued.db
        drupe store repair --json
    """,
)
@click.argument("uri", required=False, metavar="[URI]")
@click.option(
    "--to", "target", metavar="PATH", type=click.Path(path_type=Path), help="Leave the store as it is, and write the whole one here."
)
@click.pass_context
def _repair(ctx: click.Context, uri: str | None, target: Path | None) -> None:
    """Make a whole store of every row that can be read of a damaged one.

    It takes the place of the damaged one, which is kept beside it with .damaged and the time in its name. End what has the store open first.
    Journals that wait for the store are repaired too; drupe sync ships them then.
    What is lost, or was put together from other rows, is listed. The exit code is 1 when rows or points are lost.
    """
    implementation, address, options = _store(ctx, uri)
    found = _looked_through(implementation, address, options)
    if not any(found):
        say(f"{_place(address)}: no damage was found, and nothing was changed")
        if chosen_form() is Form.JSON:
            print_json(None)
        return
    report = _repaired(implementation, address, options, target, found)
    _print(report)
    if report.lost:
        ctx.exit(1)


@store.command(
    "copy",
    store=False,
    examples="""
        drupe store copy sqlite:///runs.db postgresql://db.example/runs
        drupe store copy postgresql://db.example/runs sqlite:///backup.db --json
    """,
)
@click.argument("source", metavar="SRC")
@click.argument("target", metavar="DST")
@click.pass_context
def _copy(ctx: click.Context, source: str, target: str) -> None:
    """Copy all that the store at SRC keeps into the store at DST, with ids, version numbers and times.

    Experiments, runs with whole metric histories, params, tags and inputs, logged models with the runs that use and made them, registered models
    with versions, aliases and stages. DST is empty, or
    has what an earlier copy of SRC has left: then only what is missing is copied, so a copy that was interrupted goes on where it was.
    In the end everything is read from both and compared. The exit code is 1 when something differs.
    Artifacts stay where they are. Journals that wait for SRC are left to drupe sync.
    """
    _require_store(source)
    with _stores(source) as ours, _stores(target) as theirs, progress_bar("copying", is_count=True) as progress:
        report = copy_store(ours, theirs, progress=progress)
    _print_copy(report, ours.name, theirs.name)
    if report.differences:
        ctx.exit(1)


def _require_store(uri: str) -> None:
    """Opening a store may make one; a source that is mistyped must not. Raises StoreUnavailable when nothing is kept there."""
    implementation, address, options = store_class(uri)
    if implementation.features.get(Feature.UPKEEP):
        implementation.plan_upgrade(address, options)


@contextmanager
def _stores(uri: str) -> Iterator[Stores]:
    """The stores at an address, opened for this alone and closed afterwards."""
    implementation, address, options = store_class(uri)
    with closing(implementation.open(address, options)) as tracking:
        try:
            registry = catalog().open("drupe_registry_stores", address)
        except NoProvider:  # runs alone can be kept there
            yield Stores(_place(address), tracking)
            return
        with closing(registry):
            yield Stores(_place(address), tracking, registry)


def _print_copy(report: CopyReport, source: str, target: str) -> None:
    if chosen_form() is Form.JSON:
        print_json(asdict(report))
        return
    print_list([(one,) for one in report.differences], _DIFFERENCES, empty=f"{target} has all that {source} has", as_plain=list)
    note(
        f"{report.experiments} experiments, {report.runs} runs with {report.points} points, {report.logged_models} logged models, {report.models} "
        f"registered models with {report.versions} versions were compared; {report.copied_experiments} experiments, {report.copied_runs} runs, "
        f"{report.copied_logged_models} logged and {report.copied_models} registered models were copied now"
    )


def _store(ctx: click.Context, uri: str | None) -> tuple[type[TrackingStore], Uri, Any]:
    if uri is not None and tracking_uri(ctx) is not None:
        raise click.UsageError("The store is given twice: as URI and with --tracking-uri.")
    missing = None if uri else missing_store(ctx)
    if missing is not None:
        raise StoreUnavailable(f"{missing}: there is no store yet; name the one to look at", path=str(missing))
    return store_class(uri or tracking_uri(ctx) or get_tracking_uri())


def _looked_through(implementation: type[TrackingStore], address: Uri, options: Any) -> tuple[list[Damage], list[Damage]]:
    """The damage of the store, and that of the journals that wait for it."""
    with progress_bar("verifying") as progress:
        return implementation.verify(address, options, progress=progress), find_damage(_journals(address))


def _repaired(
    implementation: type[TrackingStore], address: Uri, options: Any, target: Path | None, found: tuple[list[Damage], list[Damage]]
) -> RepairReport:
    of_store, of_journals = found
    report = RepairReport(_place(address), None, ())
    if of_store:
        with progress_bar("repairing") as progress:
            report = implementation.repair(address, options, target=_absolute(target), progress=progress)
    if of_journals:
        tables, losses = repair(_journals(address))
        report = evolve(report, tables=(*report.tables, *tables), losses=(*report.losses, *losses))
    return report


def _journals(address: Uri) -> Path:
    return journals_root(address.text)


def _advice(implementation: type[TrackingStore]) -> str:
    if implementation.features.get(Feature.REPAIR):
        return "drupe store repair makes a whole store of every row that can be read; the damaged one is kept"
    return "keep a copy as it is, then restore your last backup"


def _place(address: Uri) -> str:
    return redact(address.text)


def _absolute(path: Path | None) -> Path | None:
    return None if path is None else path.absolute()


def _print(report: RepairReport) -> None:
    form = chosen_form()
    if form is Form.JSON:
        tables = [{"table": one.table, "kept": one.kept, "rebuilt": one.rebuilt, "lost": one.lost} for one in report.tables]
        losses = [_plain_damage(one) for one in report.losses]
        print_json({"place": report.place, "damaged": report.damaged, "tables": tables, "losses": losses})
        return
    if form is Form.CSV:
        print_csv([column.name for column in _TABLES], ([column.field(one) for column in _TABLES] for one in report.tables))
        return
    table_of(report.tables, _TABLES)
    if report.losses:
        click.echo()
        table_of(report.losses, _DAMAGE)
    click.echo()
    note(f"{report.place} is whole" + (f"; the damaged one is {report.damaged}" if report.damaged else ""))


def _plain_damage(found: Damage) -> dict[str, Any]:
    return {"place": found.place, "told": found.told, "run_id": found.run_id, "key": found.key}


for _one in (upgrade, backup, restore_, vacuum):
    store.add_command(_one)

_DAMAGE: list[Column[Damage]] = [
    Column("place", lambda found: found.place, in_table=False),
    Column("told", lambda found: found.told, heading="DAMAGE", keep=True),
    Column("run_id", lambda found: found.run_id, heading="RUN"),
    Column("key", lambda found: found.key, heading="METRIC"),
]

_DIFFERENCES: list[Column[tuple[str]]] = [Column("difference", lambda one: one[0], keep=True)]

_TABLES: list[Column[TableReport]] = [
    Column("table", lambda one: one.table, keep=True),
    Column("kept", lambda one: one.kept, right=True, keep=True),
    Column("rebuilt", lambda one: one.rebuilt, right=True, keep=True),
    Column("lost", lambda one: one.lost, right=True, keep=True, style=lambda lost: "red" if lost else ""),
]

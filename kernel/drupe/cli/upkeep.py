"""`drupe store upgrade | backup | restore | vacuum` and `drupe gc`: looking after a store. `store` has the commands for damage and copies.

What is done to the store is its plugin's affair, see `drupe.extend.upkeep`; what lies around it is in `drupe.upkeep`.
"""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from typing import Any

import click
from attrs import asdict

from drupe.artifacts.progress import progress_bar
from drupe.cli.formats import size, utc
from drupe.cli.nouns import Verb, confirm, missing_store, tracking_uri, yes_option
from drupe.cli.output import Column, Form, chosen_form, note, print_csv, print_json, say, table_of
from drupe.entities import Deleted, UpgradeReport
from drupe.errors import InvalidValue, NoProvider, StoreUnavailable
from drupe.loading import catalog
from drupe.tracking.address import get_tracking_uri, store_class
from drupe.upkeep.backup import Source, back_up
from drupe.upkeep.manifest import BackupManifest
from drupe.upkeep.removal import Removable, find_removable, read_age, remove
from drupe.upkeep.restoring import look_through, restore

__all__ = ["backup", "gc", "restore_", "upgrade", "vacuum"]


@click.command(
    "upgrade",
    cls=Verb,
    examples="""
        drupe store upgrade --plan
        drupe store upgrade
        drupe store upgrade postgresql://db.example/runs
    """,
)
@click.argument("uri", required=False, metavar="[URI]")
@click.option("--plan", is_flag=True, help="Only say what would be done.")
@click.option("--backup/--no-backup", default=True, help="Keep a copy of the old store first, and look through it; on by default.")
@click.pass_context
def upgrade(ctx: click.Context, uri: str | None, plan: bool, backup: bool) -> None:
    """Bring the tables of the store at URI to the version that this release uses.

    Stop servers and trainings that use the store first; while one has it open, nothing is done. An upgrade that is interrupted leaves the
    store as it was, or as it shall be. Commands that open an older store upgrade it by themselves, in the same way.
    """
    source = _source(ctx, uri)
    if plan:
        _print_upgrade(source.kind.plan_upgrade(source.address, source.settings))
        return
    with progress_bar("upgrading") as progress:
        report = source.kind.upgrade(source.address, source.settings, backup=backup, progress=progress)
    _print_upgrade(report)


@click.command(
    "backup",
    cls=Verb,
    examples="""
        drupe store backup /backups/monday
        drupe store backup /backups/monday.tar --artifacts
        drupe store backup /backups/runs --tracking-uri postgresql://db.example/runs
    """,
)
@click.argument("target", metavar="BACKUP", type=click.Path(path_type=Path))
@click.option("--artifacts", is_flag=True, help="With the files of runs and models that lie on this machine.")
@click.option("--link", is_flag=True, help="Files as hard links where the file system has them, instead of copies.")
@click.pass_context
def backup(ctx: click.Context, target: Path, artifacts: bool, link: bool) -> None:
    """Write all that a store holds to BACKUP: a new folder, or one file when its name ends in .tar.

    The store may be in use; the backup is of one moment. A manifest with the digest of every file is written last. A PostgreSQL store needs
    pg_dump on this machine. Journals are not part of it: run drupe sync first.
    """
    if link and (not artifacts or target.suffix == ".tar"):
        raise click.UsageError("--link goes with --artifacts and a folder.")
    with progress_bar("backing up") as progress:
        report = back_up(_source(ctx, None), target.absolute(), artifacts=artifacts, links=link, progress=progress)
    if chosen_form() is Form.JSON:
        print_json({"backup": report.target, **_told(report.manifest), "left_out": report.left_out})
    else:
        say(f"{report.target} holds {_in_words(report.manifest)}")
    for one in report.left_out:
        say(f"not as it should be: {one}")
    if report.left_out:
        ctx.exit(1)


@click.command(
    "restore",
    cls=Verb,
    examples="""
        drupe store restore /backups/monday --dry-run
        drupe store restore /backups/monday sqlite:///rescued.db
        drupe store restore /backups/monday.tar --replace
    """,
)
@click.argument("source", metavar="BACKUP", type=click.Path(path_type=Path))
@click.argument("uri", required=False, metavar="[URI]")
@click.option("--replace", is_flag=True, help="Put it in the place of a store that is there; the old one is kept beside it.")
@click.option("--dry-run", is_flag=True, help="Only compare the backup with its digests.")
@click.pass_context
def restore_(ctx: click.Context, source: Path, uri: str | None, replace: bool, dry_run: bool) -> None:
    """Put BACKUP back, as the store at URI, and its artifacts to the addresses that they had.

    First all of the backup is compared with its digests. Restore only backups that you trust: a PostgreSQL backup is a script.
    """
    if dry_run:
        with progress_bar("looking through") as progress:
            manifest = look_through(source.absolute(), progress=progress)
        if chosen_form() is Form.JSON:
            print_json({"backup": str(source), **_told(manifest), "is_whole": True})
        else:
            say(f"{source} is whole; it holds {_in_words(manifest)}")
        return
    target = _target(ctx, uri)
    with progress_bar("restoring") as progress:
        report = restore(source.absolute(), target, replace=replace, progress=progress)
    if chosen_form() is Form.JSON:
        counts = {"new": report.new, "unchanged": report.unchanged, "overwritten": report.overwritten}
        print_json({"store": report.target, "replaced": report.replaced, "artifacts": counts, **_told(report.manifest)})
        return
    say(f"{report.target} is what it was at {report.manifest.made_at}")
    if report.manifest.roots:
        note(f"artifacts: {report.new} put back, {report.unchanged} were there, {len(report.overwritten)} overwritten")
    if report.replaced:
        note(f"the store that was there is {report.replaced}")


@click.command(
    "vacuum",
    cls=Verb,
    examples="""
        drupe store vacuum
        drupe store vacuum --older-than 30d --dry-run
        drupe store vacuum sqlite:////data/team.db --older-than 30d --yes
    """,
)
@click.argument("uri", required=False, metavar="[URI]")
@click.option("--older-than", metavar="AGE", help="Also remove for good what was deleted so long ago, such as 30d or 12h.")
@click.option("--dry-run", is_flag=True, help="Only list what would be removed.")
@yes_option
@click.pass_context
def vacuum(ctx: click.Context, uri: str | None, older_than: str | None, dry_run: bool, yes: bool) -> None:
    """Put small pieces of curves together, and give unused space back to the disk.

    With --older-than, experiments, runs and logged models that were deleted so long ago are removed for good before, with their files. What a
    registered version was made of stays. The exit code is 1 when something could not be removed.
    """
    source = _source(ctx, uri)
    if dry_run and older_than is None:
        raise click.UsageError("--dry-run lists what --older-than would remove; without it, nothing is removed.")
    removed = Removable()
    if older_than is not None:
        removed = _removed(source, read_age(older_than), {}, dry_run=dry_run, yes=yes)
    space = None
    if not dry_run:
        with progress_bar("vacuuming") as progress:
            space = source.kind.vacuum(source.address, source.settings, progress=progress)
    if chosen_form() is Form.JSON:
        sizes = None if space is None else {"before": space.before_bytes, "after": space.after_bytes}
        print_json({"store": source.place, "dry_run": dry_run, "bytes": sizes, **_removed_plain(removed)})
    elif space is not None:
        say(f"{space.place}: {size(space.before_bytes)} before, {size(space.after_bytes)} now")
    if not dry_run and removed.kept:
        ctx.exit(1)


@click.command(
    "gc",
    cls=Verb,
    examples="""
        drupe gc --dry-run
        drupe gc --older-than 30d --yes
        drupe gc --run-ids 4f0c2a9e,81b7d3aa
    """,
)
@click.option("--older-than", metavar="AGE", help="Only what was deleted so long ago, such as 30d or 1d2h3m4s.")
@click.option("--backend-store-uri", metavar="URI", help="The store, as MLflow's command line has it.")
@click.option("--run-ids", metavar="IDS", help="Only these runs, with commas between them.")
@click.option("--experiment-ids", metavar="IDS", help="Only these experiments and what is in them.")
@click.option("--logged-model-ids", metavar="IDS", help="Only these logged models.")
@click.option("--dry-run", is_flag=True, help="Only list what would be removed.")
@yes_option
@click.pass_context
def gc(
    ctx: click.Context,
    older_than: str | None,
    backend_store_uri: str | None,
    run_ids: str | None,
    experiment_ids: str | None,
    logged_model_ids: str | None,
    dry_run: bool,
    yes: bool,
) -> None:
    """Remove for good what was deleted: experiments, runs and logged models, with their files.

    What a registered version was made of stays, and so does what has files that cannot be removed; the exit code is 1 then. The space in the
    store is given back by drupe store vacuum.
    """
    ids = {"run_ids": _ids(run_ids), "experiment_ids": _ids(experiment_ids), "model_ids": _ids(logged_model_ids)}
    source = _source(ctx, backend_store_uri)
    removed = _removed(source, None if older_than is None else read_age(older_than), ids, dry_run=dry_run, yes=yes)
    if chosen_form() is Form.JSON:
        print_json({"store": source.place, "dry_run": dry_run, **_removed_plain(removed)})
    if not dry_run and removed.kept:
        ctx.exit(1)


def _removed(source: Source, age_ms: int | None, ids: dict[str, list[str]], *, dry_run: bool, yes: bool) -> Removable:
    """Find, show, ask and remove; what was removed, or would be."""
    with closing(source.kind.open(source.address, source.settings)) as store:
        try:
            registry: Any = catalog().open("drupe_registry_stores", source.address)
        except NoProvider:
            registry = None
        try:
            found = find_removable(store, registry, older_than_ms=age_ms, now_ms=time.time_ns() // 1_000_000, **ids)
        finally:
            if registry is not None:
                registry.close()
        _show(found)
        if dry_run or not found.things:
            return found
        confirm(f"Remove {_count(found.things)} for good?", yes=yes)
        with progress_bar("removing", is_count=True) as progress:
            done = remove(store, found, progress=progress)
    for thing, why in done.kept[len(found.kept) :]:
        say(f"{thing.kind} {thing.id} stays: {why}")
    if chosen_form() is Form.TABLE:
        say(f"{_count(done.things)} removed")
    return done


def _show(found: Removable) -> None:
    form = chosen_form()
    if form is Form.CSV:
        print_csv([column.name for column in _DELETED], ([column.field(one) for column in _DELETED] for one in found.things))
    elif form is Form.TABLE and found.things:
        table_of(found.things, _DELETED)
    elif form is Form.TABLE:
        say("nothing was deleted that could be removed")
    for thing, why in found.kept:
        say(f"{thing.kind} {thing.id} stays: {why}")


def _removed_plain(removed: Removable) -> dict[str, Any]:
    return {
        "removed": [{"kind": one.kind.value, "id": one.id, "name": one.name, "deleted_at": one.deleted_at} for one in removed.things],
        "kept": [{"kind": one.kind.value, "id": one.id, "why": why} for one, why in removed.kept],
    }


def _print_upgrade(report: UpgradeReport) -> None:
    form = chosen_form()
    if form is Form.JSON:
        print_json(asdict(report))
        return
    steps = [(step.version, step.told) for step in report.steps]
    if form is Form.CSV:
        print_csv(["version", "brings"], steps)
        return
    if not steps:
        say(f"{report.place}: version {report.found}, the newest; there is nothing to do")
        return
    table_of(steps, _STEPS)
    if report.is_plan:
        say(f"{report.place} is version {report.found}; drupe store upgrade would make it {report.newest}")
        note(f"the old one would be kept as {report.backup}")
        return
    say(f"{report.place} was version {report.found} and is {report.newest} now")
    if report.backup:
        note(f"the old one is kept as {report.backup}; delete it when you miss nothing")


def _source(ctx: click.Context, uri: str | None) -> Source:
    missing = None if uri else missing_store(ctx)
    if missing is not None:
        raise StoreUnavailable(f"{missing}: there is no store yet; name the one that is meant", path=str(missing))
    return _target(ctx, uri)


def _target(ctx: click.Context, uri: str | None) -> Source:
    if uri is not None and tracking_uri(ctx) is not None:
        raise click.UsageError("The store is given twice: as URI and with --tracking-uri.")
    return Source(*store_class(uri or tracking_uri(ctx) or get_tracking_uri()))


def _ids(text: str | None) -> list[str]:
    if text is None:
        return []
    found = [one.strip() for one in text.split(",") if one.strip()]
    if not found:
        raise InvalidValue(f"{text!r} names no ids; write them with commas between them")
    return found


def _told(manifest: BackupManifest) -> dict[str, Any]:
    return {
        "made_at": manifest.made_at,
        "schema": manifest.schema,
        "files": len(manifest.files),
        "bytes": manifest.size,
        "artifact_roots": list(manifest.roots.values()),
    }


def _in_words(manifest: BackupManifest) -> str:
    others = len(manifest.files) - 1
    files = f" and {others} artifact{'' if others == 1 else 's'}" if manifest.roots else ""
    return f"the store as of {manifest.made_at}{files}: {size(manifest.size)}"


def _count(things: list[Deleted]) -> str:
    counts = {kind: sum(one.kind is kind for one in things) for kind in {one.kind: None for one in things}}
    return ", ".join(f"{count} {kind}{'' if count == 1 else 's'}" for kind, count in counts.items()) or "nothing"


_STEPS: list[Column[tuple[int, str]]] = [
    Column("version", lambda step: step[0], right=True, keep=True),
    Column("brings", lambda step: step[1], keep=True),
]
_DELETED: list[Column[Deleted]] = [
    Column("kind", lambda one: one.kind.value, keep=True),
    Column("id", lambda one: one.id, keep=True),
    Column("name", lambda one: one.name),
    Column("experiment", lambda one: one.experiment_id, right=True),
    Column("deleted", lambda one: utc(one.deleted_at)),
]

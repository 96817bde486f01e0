"""`drupe sync`: ship runs that are kept in journals, because they were logged offline, their store was away, or their process died."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from drupe.artifacts.progress import Progress, progress_bar
from drupe.cli import formats
from drupe.cli.nouns import Verb, tracking_uri
from drupe.cli.output import Column, Form, chosen_form, print_list, say
from drupe.cli.references import short_id
from drupe.extend import TrackingStore
from drupe.registry.fluent import register_model
from drupe.tracking.address import get_tracking_uri, tracking_store
from drupe.tracking.journal.adoption import staged_files
from drupe.tracking.journal.cursor import writers_in
from drupe.tracking.journal.places import journals_root
from drupe.tracking.journal.shipping import Shipped
from drupe.tracking.sync import SyncedRun, find_folders, sync_run
from drupe.uris import redact

__all__ = ["sync"]

COLUMNS: Sequence[Column[SyncedRun]] = (
    Column("run_id", lambda one: one.run_id, short=short_id, keep=True),
    Column("run_name", lambda one: one.run_name, heading="NAME"),
    Column(
        "state",
        lambda one: _state(one),
        keep=True,
        style=lambda state: "green" if state == "shipped" else "yellow" if state == "alive" else "red",
    ),
    Column("points", lambda one: one.shipped.points, right=True),
    Column("params", lambda one: one.shipped.params, right=True),
    Column("tags", lambda one: one.shipped.tags, right=True),
    Column("files", lambda one: one.files, right=True),
    Column("file_bytes", lambda one: one.file_bytes, show=formats.size, heading="SIZE", right=True),
    Column("clashes", lambda one: len(one.clashes), right=True),
)


@click.command(
    "sync",
    cls=Verb,
    examples="""
        drupe sync
        drupe sync 3f2a91c0
        drupe sync /media/usb/drupe-journals --tracking-uri sqlite:////data/team.db
        drupe sync --dry-run
    """,
)
@click.argument("target", required=False, metavar="[PATH|RUN]")
@click.option("--dry-run", is_flag=True, help="Only say what waits.")
@click.option("--keep", is_flag=True, help="Leave journals and files here when the store has them.")
@click.pass_context
def sync(ctx: click.Context, target: str | None, dry_run: bool, keep: bool) -> None:
    """Ship runs that wait in journals: logged offline, or while their store was away, or by a process that died.

    PATH is a folder of journals, which may come from another machine; RUN the beginning of a run's id. Without either, all that wait for the store are
    shipped. It can be interrupted and repeated: nothing is lost, and nothing is there twice. Params that have another value in the store are
    left as they are there, and told. The exit code is 1 when something could not be shipped.
    """
    uri = tracking_uri(ctx) or get_tracking_uri()
    folders = find_folders(uri, target)
    if dry_run:
        _tell_waiting(folders, uri)
        return
    done = _ship(folders, uri, keep) if folders else []
    print_list(done, COLUMNS, empty=f"nothing waits for {redact(uri)} in {journals_root(uri)}", as_plain=_plain)
    if chosen_form() is Form.TABLE:
        _tell_troubles(done)
    if any(one.fault is not None for one in done):
        ctx.exit(1)


def _ship(folders: Sequence[Path], uri: str, keep: bool) -> list[SyncedRun]:
    store = tracking_store(uri, adopting=False)
    with progress_bar("shipping", from_bytes=1 << 20) as bar:
        meter = _Meter(bar, sum(map(_waiting_bytes, folders)))
        return [meter.ship(folder, store, keep) for folder in folders]


class _Meter:
    """How far the shipping of several runs is: bytes of journals, then of files."""

    def __init__(self, bar: Progress | None, total: int) -> None:
        self._bar, self._total, self._done = bar, total, 0

    def ship(self, folder: Path, store: TrackingStore, keep: bool) -> SyncedRun:
        """Ship one run's folder."""
        name = short_id(folder.name)

        def passed(part: Shipped) -> None:
            self._done += part.bytes
            self._show(0, name)

        done = sync_run(
            folder, store, keep=keep, passed=passed, progress=lambda size, _, path: self._show(size, path), register=register_model
        )
        self._done += done.file_bytes
        return done

    def _show(self, more: int, label: str) -> None:
        if self._bar is not None:
            self._bar(min(self._done + more, self._total), self._total, label)


def _tell_waiting(folders: Sequence[Path], uri: str) -> None:
    columns: Sequence[Column[Path]] = (
        Column("run_id", lambda folder: folder.name, short=short_id, keep=True),
        Column("journals", lambda folder: len(writers_in(folder)), right=True),
        Column("files", lambda folder: len(staged_files(folder)), right=True),
        Column("bytes", _waiting_bytes, show=formats.size, heading="SIZE", right=True),
        Column("folder", str),
    )
    print_list(
        folders,
        columns,
        empty=f"nothing waits for {redact(uri)} in {journals_root(uri)}",
        as_plain=lambda folder: {column.name: column.field(folder) for column in columns},
    )


def _tell_troubles(done: Sequence[SyncedRun]) -> None:
    for one in done:
        label = f"run {one.run_name!r} ({short_id(one.run_id)})" if one.run_name else f"run {short_id(one.run_id)}"
        for clash in one.clashes:
            say(f"{label}: param {clash.key!r} is {clash.kept[:100]!r} in the store; {clash.refused[:100]!r} was not taken")
        if one.is_torn:
            say(f"{label}: the last record was being written when its process died, and is left out")
        if one.is_alive:
            say(f"{label}: a process is still logging to it, and ships it itself")
        if one.fault is not None:
            say(f"{label}: {one.fault}")


def _state(one: SyncedRun) -> str:
    return "failed" if one.fault is not None else "alive" if one.is_alive else "shipped"


def _plain(one: SyncedRun) -> dict[str, object]:
    found: dict[str, object] = {column.name: column.field(one) for column in COLUMNS}
    found["clashes"] = [{"key": clash.key, "kept": clash.kept, "refused": clash.refused} for clash in one.clashes]
    found["fault"] = None if one.fault is None else str(one.fault)
    return found


def _waiting_bytes(folder: Path) -> int:
    files = [path for found in writers_in(folder).values() for path in found] + staged_files(folder)
    return sum(path.stat().st_size for path in files if path.exists())

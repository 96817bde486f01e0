"""The repair of a damaged file: a new one from its rows, checked, and put in its place.

The damaged file is never written. It keeps its name until the new one was looked through, and lies beside it as `.damaged-<time>` then.
"""

from __future__ import annotations

import os
import sqlite3
from functools import partial
from pathlib import Path

from attrs import evolve

from drupe.entities import Damage, RepairReport, TableReport
from drupe.errors import AlreadyExists
from drupe.extend.tracking_store import Progress
from drupe_store_sql import experiments, migrations
from drupe_store_sql.database import Database
from drupe_store_sql.rebuild import rebuild_series
from drupe_store_sqlite import faults
from drupe_store_sqlite.address import artifact_root_for
from drupe_store_sqlite.copies import ENDS, free_label, swap
from drupe_store_sqlite.dialect import SqliteDialect
from drupe_store_sqlite.holders import alone
from drupe_store_sqlite.pages import Pages, read_log
from drupe_store_sqlite.salvage import Salvage
from drupe_store_sqlite.settings import SqliteSettings
from drupe_store_sqlite.transfer import Transfer
from drupe_store_sqlite.verify import find_damage, newest_tables, require_file

__all__ = ["repair"]


def repair(file: Path, settings: SqliteSettings, *, target: Path | None = None, progress: Progress | None = None) -> RepairReport:
    """See TrackingStore.repair."""
    require_file(file)
    if target is not None and target.exists():
        raise AlreadyExists(f"{target} exists already; give a path where nothing is yet", path=str(target))
    new = target or file.with_name(f"{file.name}.{free_label(file, 'repaired')}")
    unfinished = new.with_name(f"{new.name}.part")
    with alone(file, "repair the file"):
        try:
            tables, losses = _make(file, unfinished, settings, progress)
            losses += [evolve(left, place=str(file)) for left in find_damage(unfinished, settings)]
            with unfinished.open("rb") as written:
                os.fsync(written.fileno())
            os.replace(unfinished, new)
        except sqlite3.Error as fault:
            raise faults.explain(fault, new) or fault from fault
        finally:
            for end in ENDS:
                unfinished.with_name(unfinished.name + end).unlink(missing_ok=True)
        damaged = None if target is not None else swap(file, new, free_label(file, "damaged"))
    return RepairReport(str(target or file), None if damaged is None else str(damaged), tables, tuple(dict.fromkeys(losses)))


def _make(file: Path, new: Path, settings: SqliteSettings, progress: Progress | None) -> tuple[tuple[TableReport, ...], list[Damage]]:
    new.unlink(missing_ok=True)
    log = read_log(file)
    salvage = Salvage(Pages(file, log), newest_tables(), migrations.NEWEST)
    root = artifact_root_for(file, settings.artifact_root)
    connection = sqlite3.connect(new, isolation_level=None)
    try:
        transfer = Transfer(salvage, connection, str(file), root)
        transfer.run(progress)
    finally:
        connection.close()
    losses = [Damage(str(file), fault) for fault in log.faults] + transfer.losses
    dialect = SqliteDialect(new, settings)
    database = Database(dialect, lambda database: None)
    try:
        dialect.use_wal()
        migrations.upgrade(database, furnish=partial(experiments.add_default, now=database.clock(), artifact_root=root))
        with database.write() as session:
            losses += rebuild_series(session, str(file))
    finally:
        database.close()
    return transfer.report(), losses

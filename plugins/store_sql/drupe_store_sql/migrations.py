"""The schema's versions: how a database gets from any released one to the newest.

An empty database gets the newest tables at once; an older one goes through every step that it lacks, all in one transaction, after a
backup, by one process at a time, and only while nobody else has it open; the steps themselves are in `steps`. A database of a newer
release, or of another program, is refused and not touched. Steps are never changed once released, and a test holds an upgraded database
equal to a new one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Set
from importlib.metadata import PackageNotFoundError, version as release_of

from sqlalchemy import func, insert, select

from drupe.entities import SchemaStep, UpgradeReport
from drupe.errors import StoreBusy, StoreSchema, StoreUnavailable
from drupe.extend.upkeep import Progress
from drupe_store_sql.database import Database
from drupe_store_sql.dialect import Dialect
from drupe_store_sql.session import Session
from drupe_store_sql.steps import make, to_version_2, to_version_3, to_version_4
from drupe_store_sql.tables import metadata, schema

__all__ = ["NEWEST", "SCHEMA", "STEPS", "Step", "create", "examine", "plan", "upgrade"]

Step = Callable[[Session], None]

NEWEST = 4
SCHEMA = "schema"
"""What a transaction is alone for that changes the tables."""
STEPS: Mapping[int, Step] = {2: to_version_2, 3: to_version_3, 4: to_version_4}
"""By the version that a step leads to, from the one before."""

LEAVING_S = 3.0
"""How long others get to close the database: a process that only looks at its version has it open for a moment."""
PAUSE_S = 0.02

_VERSION = select(func.max(schema.c.version))
_APPLIED = insert(schema)
_MLFLOW = frozenset({"alembic_version", "experiments", "runs", "latest_metrics"})


def examine(database: Database, *, newest: int = NEWEST) -> int | None:
    """The schema version of the database; None when it is empty. Raises StoreSchema when it is newer, or not ours. Writes nothing."""
    with database.read() as session:
        return _version(session, newest)


def plan(database: Database, *, newest: int = NEWEST, steps: Mapping[int, Step] = STEPS) -> UpgradeReport:
    """What `upgrade` would do. Raises StoreSchema; StoreUnavailable when the database is empty."""
    found = examine(database, newest=newest)
    place = database.dialect.place
    if found is None:
        raise StoreUnavailable(f"{place}: nothing is kept there yet, so there is nothing to upgrade", place=place)
    taken = tuple(SchemaStep(version, _told(steps[version])) for version in range(found + 1, newest + 1))
    return UpgradeReport(place, found, newest, taken, database.dialect.place_of_backup(f"v{found}") if taken else None, is_plan=True)


def upgrade(
    database: Database,
    *,
    furnish: Callable[[Session], None],
    newest: int = NEWEST,
    steps: Mapping[int, Step] = STEPS,
    backup: bool = True,
    progress: Progress | None = None,
) -> str | None:
    """Bring the schema up to date; `furnish` fills a new database. Returns where the backup of an older one lies, if one was made.

    Raises StoreSchema, StoreBusy while others have the old one open, and whatever the database raises, and has changed nothing then.
    """
    found = examine(database, newest=newest)
    if found == newest:
        return None
    if found is None:
        _change(database, furnish, newest, steps)
        return None
    database.disconnect()  # whoever waits must not look like somebody who has the old one open
    with database.dialect.upgrading():
        found = examine(database, newest=newest)
        database.disconnect()
        if found == newest:  # another process has done it meanwhile
            return None
        _require_alone(database.dialect, found, newest)
        kept = database.dialect.back_up(f"v{found}", progress=progress) if backup else None
        _change(database, furnish, newest, steps)
    return kept


def _change(database: Database, furnish: Callable[[Session], None], newest: int, steps: Mapping[int, Step]) -> None:
    with database.write() as session:
        session.alone(SCHEMA)
        found = _version(session, newest)  # another process may have been here first
        if found is None:
            create(session)
            furnish(session)
            _record(session, newest, database.clock())
        else:
            for version in range(found + 1, newest + 1):
                steps[version](session)
                _record(session, version, database.clock())


def _require_alone(dialect: Dialect, found: int | None, newest: int) -> None:
    deadline = time.monotonic() + min(dialect.patience_s, LEAVING_S)
    while (others := dialect.others()) is not None:
        if time.monotonic() >= deadline:
            raise StoreBusy(
                f"{dialect.place}: its schema is version {found} and this release needs {newest}, but {others}; end that, then run: "
                "drupe store upgrade",
                place=dialect.place,
                found=found,
                needed=newest,
            )
        time.sleep(PAUSE_S)


def _told(step: Step) -> str:
    return (step.__doc__ or step.__name__).strip().partition("\n")[0].rstrip(".")


def create(session: Session) -> None:
    """Make all tables and indexes."""
    for table in metadata.sorted_tables:
        make(session, table)


def _version(session: Session, newest: int) -> int | None:
    tables = session.table_names()
    place = session.dialect.place
    if not tables:
        return None
    if schema.name not in tables:
        raise StoreSchema(
            f"{place}: {_whose(tables)}; it was left as it is. Give drupe a database of its own", place=place, tables=sorted(tables)
        )
    row = session.row(_VERSION)
    version = row[0] if row else None
    if version is None:
        raise StoreSchema(f"{place}: the table {schema.name} is empty, so the version of the schema is not known", place=place)
    if version > newest:
        raise StoreSchema(
            f"{place}: written by a newer release (schema {version}, this one knows up to {newest}): pip install --upgrade drupe-store-sql",
            place=place,
            found=version,
            known=newest,
        )
    return int(version)


def _whose(tables: Set[str]) -> str:
    if tables >= _MLFLOW:
        return "this is a database of MLflow, not of drupe"
    shown = ", ".join(sorted(tables)[:5]) + (", …" if len(tables) > 5 else "")
    return f"this is a database of another program (its tables: {shown})"


def _record(session: Session, version: int, now: int) -> None:
    try:
        release = release_of("drupe-store-sql")
    except PackageNotFoundError:  # run from a source folder
        release = "unknown"
    session.run(_APPLIED, version=version, applied_ms=now, release=release)

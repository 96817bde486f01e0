"""All that can be found broken in one SQLite file: its log, its pages, its list of tables, its rows, and whether those agree.

SQLite keeps no checksums of its pages. What is caught by what is told in docs/explanation/durability.md.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from drupe.entities import Damage
from drupe.errors import StoreCorrupt, StoreSchema, StoreUnavailable
from drupe.extend.tracking_store import Progress
from drupe_store_sql import experiments, migrations, tables
from drupe_store_sql.database import Database
from drupe_store_sql.session import Session
from drupe_store_sql.verify import check, isolated
from drupe_store_sqlite.dialect import SqliteDialect
from drupe_store_sqlite.files import check_file
from drupe_store_sqlite.layout import TableLayout, read_layout
from drupe_store_sqlite.pages import Pages, read_log
from drupe_store_sqlite.salvage import Salvage
from drupe_store_sqlite.settings import SqliteSettings

__all__ = ["find_damage", "newest_tables", "require_file"]

MOST = 100  # findings of SQLite's own checks
OURS = 5  # tables that make a database one of ours, whatever else it says


def find_damage(file: Path, settings: SqliteSettings, *, progress: Progress | None = None) -> list[Damage]:
    """Everything that is broken in the file. Raises StoreUnavailable, and StoreSchema when it is another program's."""
    require_file(file)
    try:
        check_file(file)
        log = read_log(file)
        if log.faults:  # SQLite would throw away what it cannot follow, so it must not open the file
            told = "; what is in the log was not looked at: drupe store repair keeps what it can of it"
            return [Damage(str(file), fault + told) for fault in log.faults]
        database = Database(SqliteDialect(file, settings), lambda database: None)
        try:
            found = _look(database, file, progress)
        finally:
            database.close()
        return found and [*found, *_of_pages(file)]
    except StoreCorrupt as fault:
        return [_as_damage(file, fault), *_of_pages(file)]


def require_file(file: Path) -> None:
    """Raises StoreUnavailable when no file is there: looking for damage makes no store."""
    if not file.exists():
        raise StoreUnavailable(f"{file}: there is no such file", path=str(file))


@cache
def newest_tables() -> tuple[tuple[str, str, int, str], ...]:
    """The list of tables of a new database: type, name, root page, statement."""
    with TemporaryDirectory(prefix="drupe-") as folder:
        file = Path(folder) / "new.db"
        database = Database(SqliteDialect(file, SqliteSettings()), lambda database: None)
        try:
            migrations.upgrade(database, furnish=partial(experiments.add_default, now=0, artifact_root="file:///"))
            with database.read() as session:
                return tuple(_list_of_tables(session))
        finally:
            database.close()


def _look(database: Database, file: Path, progress: Progress | None) -> list[Damage]:
    found: list[Damage] = []
    version: int | None = migrations.NEWEST
    try:
        version = migrations.examine(database)
    except StoreSchema as fault:
        with database.read() as session:
            if len(session.table_names() & tables.metadata.tables.keys()) < OURS:
                raise
        found.append(Damage(str(file), fault.message.removeprefix(f"{file}: ")))
    if version is None:
        return []  # an empty file is an empty database
    checks: list[Callable[[Session], Iterator[Damage]]] = [partial(_pages, file), partial(_ties, file)]
    if version == migrations.NEWEST:
        checks.append(partial(_tables, file))
    checks.append(partial(_rows, file))
    if version == migrations.NEWEST:
        checks.append(partial(check, progress=progress))
    for number, one in enumerate(checks):
        if progress is not None:
            progress(0, file.stat().st_size, "pages" if number == 0 else "rows")
        with database.read() as session:
            found += isolated(session, partial(one, session))
    return list(dict.fromkeys(_short(file, one) for one in found))


def _pages(file: Path, session: Session) -> Iterator[Damage]:
    for (told,) in session.driver.execute(f"PRAGMA integrity_check({MOST})"):
        yield from (Damage(str(file), line) for line in str(told).splitlines() if line != "ok" and not line.startswith("***"))


def _ties(file: Path, session: Session) -> Iterator[Damage]:
    for table, _, other, _ in session.driver.execute("PRAGMA foreign_key_check").fetchmany(MOST):
        yield Damage(str(file), f"a row of {table} belongs to a row of {other} that is not there")


def _tables(file: Path, session: Session) -> Iterator[Damage]:
    found = {name: statement for _, name, _, statement in _list_of_tables(session)}
    expected = {name: statement for _, name, _, statement in newest_tables()}
    changed = sorted(name for name, statement in expected.items() if found.get(name) != statement)
    if changed:
        yield Damage(str(file), f"the list of tables is damaged where it tells of {', '.join(changed)}")


def _rows(file: Path, session: Session) -> Iterator[Damage]:
    """Values of the wrong type, text that is none, and rows out of order, which SQLite does not look for."""
    layout = read_layout(statement for *_, statement in _list_of_tables(session) if statement)
    connection: sqlite3.Connection = session.driver
    usual = connection.text_factory
    connection.text_factory = _text
    try:
        for table in layout.tables.values():
            yield from isolated(session, partial(_rows_of, file, connection, table))
    finally:
        connection.text_factory = usual


def _rows_of(file: Path, connection: sqlite3.Connection, table: TableLayout) -> Iterator[Damage]:
    names = [column.name for column in table.columns]
    places = [names.index(name) for name in table.key if name in names]
    before: tuple[Any, ...] | None = None
    listed = ", ".join(f'"{name}"' for name in names)
    for row in connection.execute(f"SELECT {listed} FROM {table.name} NOT INDEXED"):
        key = tuple(row[place] for place in places)
        for column, value in zip(table.columns, row, strict=True):
            if not (column.is_nullable if value is None else isinstance(value, column.kinds)) or not _is_text(value):
                yield Damage(str(file), f"row {', '.join(map(str, key))} of {table.name} has {value!r:.80} as its {column.name}")
        if before is not None and None not in key and _is_behind(before, key):
            yield Damage(str(file), f"row {', '.join(map(str, key))} of {table.name} is out of order")
        before = key


def _is_behind(before: tuple[Any, ...], key: tuple[Any, ...]) -> bool:
    try:
        return before >= key
    except TypeError:  # of different types: told already
        return False


def _text(stored: bytes) -> str:
    return stored.decode("utf-8", "surrogateescape")


def _is_text(value: Any) -> bool:
    if not isinstance(value, str) or value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _of_pages(file: Path) -> list[Damage]:
    """The pages that a repair could not read whole: SQLite's own checks stop early."""
    salvage = Salvage(Pages(file), newest_tables(), migrations.NEWEST)
    for _ in chain(salvage.rows(), salvage.index_rows()):
        pass
    return [Damage(str(file), fault) for fault in dict.fromkeys(salvage.faults)]


def _list_of_tables(session: Session) -> list[tuple[str, str, int, str]]:
    found = session.driver.execute("SELECT type, name, rootpage, coalesce(sql, '') FROM sqlite_master").fetchall()
    return [(kind, name, root, statement) for kind, name, root, statement in found]


def _as_damage(file: Path, fault: StoreCorrupt) -> Damage:
    return Damage(str(file), str(fault.details.get("why", fault.message)))


def _short(file: Path, found: Damage) -> Damage:
    """Without the advice that an error carries, which the caller gives once."""
    return Damage(str(file), found.told.removeprefix(f"{file}: "), found.run_id, found.key)

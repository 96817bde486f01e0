"""A new database from all that can be read of a damaged one. Reading the damaged one is for `salvage`, files are for `repair`; here rows move.

A row whose page is lost is made again from the indexes that tell of it, as far as they do; a row that others belong to and nothing tells
of becomes a placeholder, so that those others stay.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from attrs import define, field

from drupe.entities import Damage, LoggedModelStatus, RunStatus, TableReport
from drupe.extend.tracking_store import Progress
from drupe_store_sql.tables import HEAD
from drupe_store_sqlite.layout import HEAD_OF_VALUE, TableLayout
from drupe_store_sqlite.records import Value
from drupe_store_sqlite.salvage import Row, Salvage

__all__ = ["Transfer"]

AT_ONCE = 500
RUN_NAME, USER = "mlflow.runName", "mlflow.user"
DERIVED = frozenset({"series", "chunks"})  # made anew by `drupe_store_sql.rebuild`, which tells what they lost
UNTIED = (("chunks", "run", "runs"), ("chunks", "key", "keys"))  # belong together without a foreign key
_EMPTY: Mapping[type, Value] = {str: "", int: 0, float: 0.0, bytes: b""}


@define
class Transfer:
    """One repair under way: rows from `salvage` into the empty database `new`. `artifact_root` is for experiments that lost their address."""

    salvage: Salvage
    new: sqlite3.Connection
    place: str
    artifact_root: str
    losses: list[Damage] = field(factory=list)
    _kept: dict[str, int] = field(factory=dict)
    _rebuilt: dict[str, int] = field(factory=dict)
    _lost: dict[str, int] = field(factory=dict)

    def run(self, progress: Progress | None = None) -> None:
        """Do all of it, and leave what was lost in `losses`."""
        self.new.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA foreign_keys=OFF; BEGIN")
        statements = self.salvage.layout.statements
        for statement in statements:
            if statement.upper().startswith("CREATE TABLE"):
                self.new.execute(statement)
        self._copy(progress)
        self._complete()
        if not self.new.execute("SELECT 1 FROM drupe_schema").fetchone():
            self.new.execute("INSERT INTO drupe_schema VALUES (?, 0, 'unknown')", (self.salvage.newest,))
        for _ in range(3):  # a placeholder may itself belong to something that is lost
            self._stand_in()
        self._straighten_runs()
        self._straighten_logged_models()
        for statement in statements:
            if not statement.upper().startswith("CREATE TABLE"):
                self.new.execute(statement)
        self.new.commit()
        self.losses += [Damage(self.place, told) for told in self.salvage.faults]

    def report(self) -> tuple[TableReport, ...]:
        """What became of every table that had rows."""
        names = sorted({*self._kept, *self._rebuilt, *self._lost})
        found = (TableReport(name, self._kept.get(name, 0), self._rebuilt.get(name, 0), self._lost.get(name, 0)) for name in names)
        return tuple(one for one in found if one.kept or one.rebuilt or one.lost)

    # --- rows as they are

    def _copy(self, progress: Progress | None) -> None:
        pages = self.salvage.pages
        rows = self.salvage.rows()
        while batch := list(islice(rows, AT_ONCE)):
            for row in batch:
                self._take(row)
            if progress is not None:
                progress(min(batch[-1].page, pages.count) * pages.size, pages.count * pages.size, batch[-1].table)
        for table, number in self.salvage.lost.items():
            self._count(self._lost, table, number)

    def _take(self, row: Row) -> None:
        if self._insert(row.table, row.values):
            self._count(self._kept, row.table)
            return
        table = self.salvage.layout.tables[row.table]
        key = tuple(row.values[name] for name in table.key)
        found = self._find(table, key)
        if found is None:
            self._count(self._lost, row.table)
            self._tell(f"row {_shown(key)} of {row.table}, on page {row.page}, contradicts other rows and was left out")
        elif any(found[name] != value for name, value in row.values.items()):
            self._tell(f"row {_shown(key)} of {row.table} is there twice; the one on page {row.page} was left out")

    def _insert(self, table: str, values: Mapping[str, Value]) -> bool:
        names = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join("?" * len(values))
        return self.new.execute(f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})", tuple(values.values())).rowcount > 0

    # --- rows that only indexes tell of

    def _complete(self) -> None:
        missing: dict[tuple[str, tuple[Value, ...]], dict[str, Value]] = {}
        for entry in self.salvage.index_rows():
            table = self.salvage.layout.tables[entry.index.table]
            key = tuple(entry.values.get(name) for name in table.key)
            found = self._find(table, key)
            if found is None and table.name not in DERIVED:
                missing.setdefault((table.name, key), {}).update(entry.values)
            elif (
                found is not None
                and table.name != "series"
                and any(found.get(name, value) != value for name, value in entry.values.items())
            ):
                told = ", ".join(
                    f"{name} {value!r} or {found[name]!r}" for name, value in entry.values.items() if found.get(name, value) != value
                )
                self._tell(f"row {_shown(key)} of {table.name} is doubtful: the table and its index {entry.index.name} differ ({told})")
        for (name, key), values in missing.items():
            self._make_again(self.salvage.layout.tables[name], key, values)

    def _find(self, table: TableLayout, key: tuple[Value, ...]) -> dict[str, Value] | None:
        where = " AND ".join(f'"{name}" = ?' for name in table.key)
        names = [column.name for column in table.columns]
        row = self.new.execute(f"SELECT {', '.join(map(_quoted, names))} FROM {table.name} WHERE {where}", key).fetchone()
        if row is None:
            return None
        found = dict(zip(names, row, strict=True))
        return found | {HEAD_OF_VALUE: str(found["value"]).partition("\x00")[0][:HEAD]} if "value" in found else found

    def _make_again(self, table: TableLayout, key: tuple[Value, ...], values: dict[str, Value]) -> None:
        head = values.pop(HEAD_OF_VALUE, None)
        if isinstance(head, str):
            if len(head) >= HEAD:
                self._count(self._lost, table.name)
                self._tell(f"row {_shown(key)} of {table.name} is lost; its value began with {head!r}")
                return
            values["value"] = head
        unknown = [column.name for column in table.columns if column.name not in values and not column.is_nullable]
        if self._insert(table.name, {**self._filled(table, values), **values}):
            self._count(self._rebuilt, table.name)
            told = f"; not known any more: {', '.join(unknown)}" if unknown else ""
            self._tell(f"row {_shown(key)} of {table.name} was lost and made again from its indexes{told}")
        else:
            self._count(self._lost, table.name)
            self._tell(f"row {_shown(key)} of {table.name} is lost")

    # --- rows that nothing tells of, but others belong to

    def _stand_in(self) -> None:
        for child, column, parent in self._ties():
            table = self.salvage.layout.tables[parent]
            missing = self.new.execute(
                f'SELECT DISTINCT c."{column}" FROM {child} AS c LEFT JOIN {parent} AS p ON c."{column}" = p.id '
                f'WHERE p.id IS NULL AND c."{column}" IS NOT NULL'
            ).fetchall()
            for (number,) in missing:
                values: dict[str, Value] = {"id": number}
                if self._insert(parent, {**self._filled(table, values), **values}):
                    self._count(self._lost, parent)
                    self._tell(f"row {number} of {parent} is lost; rows of {child} belong to it, so a placeholder stands in its place")

    def _ties(self) -> Iterator[tuple[str, str, str]]:
        tables = self.salvage.layout.tables
        for child in tables:
            for _, _, parent, column, *_ in self.new.execute(f"PRAGMA foreign_key_list({child})").fetchall():
                if parent in tables:
                    yield child, column, parent
        yield from (tie for tie in UNTIED if tie[0] in tables)

    def _straighten_runs(self) -> None:
        """What a run's own row says must be possible, and its name what its tag says."""
        known = ", ".join(f"'{status}'" for status in RunStatus)
        for number, run_id, status in self.new.execute(f"SELECT id, run_id, status FROM runs WHERE status NOT IN ({known})").fetchall():
            self.new.execute("UPDATE runs SET status = ? WHERE id = ?", (RunStatus.FAILED.value, number))
            self._tell(f"run {run_id} had the status {status!r}, which does not exist; it is {RunStatus.FAILED.value} now", run_id)
        for table in ("runs", "experiments", "logged_models"):
            for (number,) in self.new.execute(f"SELECT id FROM {table} WHERE is_deleted NOT IN (0, 1)").fetchall():
                self.new.execute(f"UPDATE {table} SET is_deleted = 0 WHERE id = ?", (number,))
                self._tell(f"row {number} of {table} was neither deleted nor not; it is not deleted now")
        differing = (
            "SELECT r.id, r.run_id, r.name, t.value FROM keys AS k JOIN tags AS t ON t.key = k.id JOIN runs AS r ON r.id = t.run "
            "WHERE k.name = ? AND t.value <> r.name"
        )
        for number, run_id, name, tagged in self.new.execute(differing, (RUN_NAME,)).fetchall():
            self.new.execute("UPDATE runs SET name = ? WHERE id = ?", (tagged, number))
            if name != _placeholder("runs", number):
                self._tell(f"run {run_id} was named {name!r}, its tag {RUN_NAME} says {tagged!r}; that is its name now", run_id)

    def _straighten_logged_models(self) -> None:
        known = ", ".join(f"'{status}'" for status in LoggedModelStatus)
        for number, model_id, status in self.new.execute(
            f"SELECT id, model_id, status FROM logged_models WHERE status NOT IN ({known})"
        ).fetchall():
            self.new.execute("UPDATE logged_models SET status = ? WHERE id = ?", (LoggedModelStatus.FAILED.value, number))
            self._tell(f"logged model {model_id} had the status {status!r}, which does not exist; it is {LoggedModelStatus.FAILED} now")

    def _filled(self, table: TableLayout, known: Mapping[str, Value]) -> dict[str, Value]:
        """Values for the columns that nothing is known of."""
        filled = {column.name: _EMPTY[column.kinds[0]] for column in table.columns if column.name not in known and not column.is_nullable}
        number = _number(known)
        if table.name == "runs":
            filled |= self._of_run(number, known)
        elif table.name == "experiments":
            filled |= {"artifact_location": f"{self.artifact_root}/{number}"}
        elif table.name == "models":
            highest = "SELECT coalesce(max(version), 0) FROM versions WHERE model = ?"
            filled["highest"] = self.new.execute(highest, (number,)).fetchone()[0]
        elif table.name == "versions":
            filled |= {"version": number, "stage": "None", "status": "READY"}
        elif table.name == "logged_models":
            filled |= self._of_logged_model(number, known)
        if "name" in filled and not filled["name"]:
            filled["name"] = _placeholder(table.name, number)
        return {name: value for name, value in filled.items() if name not in known}

    def _of_run(self, number: int, known: Mapping[str, Value]) -> dict[str, Value]:
        tagged = dict(
            self.new.execute("SELECT k.name, t.value FROM tags AS t JOIN keys AS k ON k.id = t.key WHERE t.run = ?", (number,)).fetchall()
        )
        run_id = str(known.get("run_id") or _placeholder("runs", number))
        return {
            "run_id": run_id,
            "name": _placeholder("runs", number),
            "user_id": tagged.get(USER, ""),
            "status": RunStatus.FAILED.value,
            "artifact_uri": f"{self._location_of(known)}/{run_id}/artifacts",
        }

    def _of_logged_model(self, number: int, known: Mapping[str, Value]) -> dict[str, Value]:
        model_id = str(known.get("model_id") or f"m-{number:032x}")  # an id that can be asked for
        return {
            "model_id": model_id,
            "status": LoggedModelStatus.FAILED.value,
            "artifact_location": f"{self._location_of(known)}/models/{model_id}/artifacts",
        }

    def _location_of(self, known: Mapping[str, Value]) -> str:
        """Where the experiment of a row keeps its artifacts."""
        location = self.new.execute("SELECT artifact_location FROM experiments WHERE id = ?", (known.get("experiment", 0),)).fetchone()
        return str(location[0]) if location else f"{self.artifact_root}/0"

    def _tell(self, told: str, run_id: str | None = None) -> None:
        self.losses.append(Damage(self.place, told, run_id))

    def _count(self, where: dict[str, int], table: str, number: int = 1) -> None:
        where[table] = where.get(table, 0) + number


def _number(row: Mapping[str, Value]) -> int:
    number = row.get("id", 0)
    return number if isinstance(number, int) else 0


def _placeholder(table: str, number: int) -> str:
    return f"recovered-{table}-{number}"


def _quoted(name: str) -> str:
    return f'"{name}"'


def _shown(key: Iterable[Any]) -> str:
    return ", ".join(map(str, key))

"""Damaging a database file at random places, and holding verify and repair to what they promise.

The promise: damage is named, or has changed nothing; a repair keeps every row that lies on pages which were not touched. The oracle is the
file before it was damaged: which row lies on which page is read from it and held against SQLite's own answers. What SQLite keeps without
any second copy or sum (see `PROTECTED`) cannot be caught, and is not promised.
"""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

from attrs import frozen

from drupe.entities import Dataset, DatasetInput, InputTag, LogBatch, NewRun, Points, RunStatus
from drupe.uris import Uri
from drupe_store_sql import migrations
from drupe_store_sql.codec import decode
from drupe_store_sql.tables import HEAD
from drupe_store_sqlite.pages import Pages
from drupe_store_sqlite.records import read_node
from drupe_store_sqlite.salvage import Salvage
from drupe_store_sqlite.stores import SqliteRegistryStore, SqliteTrackingStore
from drupe_store_sqlite.verify import newest_tables

__all__ = ["Original", "populate", "torment"]

PAGE = 4096
SECTOR = 512
Table = list[dict[str, Any]]

PROTECTED = {
    "runs": {"id", "run_id", "experiment", "name", "start_ms", "is_deleted"},
    "experiments": {"id", "name"},
    "keys": {"id", "name"},
    "experiment_tags": {"experiment"},
    "inputs": {"id", "run", "dataset"},
    "datasets": {"id", "experiment", "name", "digest"},
    "input_tags": {"input"},
    "models": {"id", "name"},
    "model_tags": {"model"},
    "versions": {"id", "model", "version", "run_id", "updated_ms"},
    "version_tags": {"version"},
    "aliases": {"model", "version"},
    "origins": set(),
    "heartbeats": {"run"},
    "drupe_schema": {"version"},
}
"""The columns that an index, a tie or a twin tells of once more. Of params and tags, it is the first 64 characters of a value."""


@frozen
class Original:
    """A file before it is damaged: its bytes, its rows by table, the points of its series, and where every row lies."""

    content: bytes
    rows: dict[str, Table]
    points: dict[tuple[int, int], set[tuple[int, int, float]]]
    places: list[tuple[str, dict[str, Any], frozenset[int]]]


def populate(file: Path) -> Original:
    """A small store with a bit of everything, most tables larger than one page."""
    uri = Uri.parse(f"sqlite:///{file}")
    store = SqliteTrackingStore.open(uri)
    for experiment in range(2):
        number = store.create_experiment(f"experiment {experiment}", tags={"team": "growth"}).experiment_id
        for place in range(16):
            run_id = store.create_run(NewRun(number, run_id=f"run{experiment}x{place}", user_id="ada")).info.run_id
            metrics = {f"m{key}": Points.of((n, 1000 + n, n / 7) for n in range(key * 60 + 1)) for key in range(4)}
            params = {f"p{key}": "v" * key * 15 for key in range(8)}
            store.log_batch(run_id, LogBatch(metrics, params, {f"t{key}": "w" * key for key in range(8)}))
            for step in range(5):
                store.log_batch(run_id, LogBatch({"tail": Points.of([(step, step, 0.5)])}))
    store.log_batch("run0x0", LogBatch({"long": Points.of((n, n, n * 7919 % 1000 / 7) for n in range(9000))}, {"code": "x" * 9000}))
    store.log_inputs("run0x1", [DatasetInput(Dataset("flights", "d1", "local", "{}"), (InputTag("mlflow.data.context", "train"),))])
    store.update_run("run0x2", status=RunStatus.FINISHED, end_time=5)
    registry = SqliteRegistryStore.open(uri)
    for model in range(3):
        registry.create_registered_model(f"clf{model}", tags={"team": "growth"})
        for _ in range(5):
            registry.create_model_version(f"clf{model}", "runs:/x/model", run_id="run0x0", tags={"quality": "good"})
        registry.set_alias(f"clf{model}", "champion", "3")
    registry.close()
    store.close()
    rows = read_rows(file)
    return Original(file.read_bytes(), rows, points_of(rows), _places(file, rows))


def torment(original: Original, folder: Path, seed: int) -> str:
    """Damage the file as the seed says, verify it, repair it. Returns what became of it; raises AssertionError when a promise is broken."""
    chance = random.Random(seed)
    content, touched, kind = _damaged(original.content, chance)
    file = folder / f"seed{seed}.db"
    file.write_bytes(content)
    uri = Uri.parse(f"sqlite:///{file}")
    told = f"seed {seed}: {kind} on pages {sorted(touched)[:9]}"
    found = SqliteTrackingStore.verify(uri)
    if not found:
        assert file.read_bytes() == content, f"{told}: looking for damage wrote into the file"
        assert _protected(read_rows(file)) == _protected(original.rows), f"{told}: nothing was found, but the data differs"
        outcome = "harmless"
    else:
        report = SqliteTrackingStore.repair(uri)
        assert SqliteTrackingStore.verify(uri) == [], f"{told}: the repaired store is damaged"
        assert report.damaged is not None, told
        assert Path(report.damaged).read_bytes() == content, f"{told}: the damaged file was changed"
        _require_rows(original, read_rows(file), touched, told)
        outcome = "repaired with losses" if report.lost else "repaired"
    for part in folder.glob(f"{file.name}*"):
        part.unlink()
    return outcome


def read_rows(file: Path) -> dict[str, Table]:
    """All rows of all tables, as SQLite has them."""
    connection = sqlite3.connect(file)
    found: dict[str, Table] = {}
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        rows = connection.execute(f"SELECT * FROM {name}")
        names = [column[0] for column in rows.description]
        found[name] = [dict(zip(names, row, strict=True)) for row in rows]
    connection.close()
    return found


def points_of(rows: dict[str, Table]) -> dict[tuple[int, int], set[tuple[int, int, float]]]:
    """The points of all series."""
    found: dict[tuple[int, int], set[tuple[int, int, float]]] = {}
    for chunk in rows["chunks"]:
        found.setdefault((chunk["run"], chunk["key"]), set()).update(decode(chunk["points"]))
    return found


def _places(file: Path, rows: dict[str, Table]) -> list[tuple[str, dict[str, Any], frozenset[int]]]:
    pages = Pages(file)
    salvage = Salvage(pages, newest_tables(), migrations.NEWEST)
    found: list[tuple[str, dict[str, Any], frozenset[int]]] = []
    for row in salvage.rows():
        node = read_node(pages, row.page)
        assert node is not None
        table = salvage.layout.tables[row.table]
        cell = next(cell for cell in node.cells if table.fit(cell.rowid, cell.values) == row.values)
        found.append((row.table, dict(row.values), frozenset({row.page, *cell.overflow})))
    read = Counter((table, _one(row)) for table, row, _ in found)
    assert read == Counter((table, _one(row)) for table, content in rows.items() for row in content), "the oracle and SQLite differ"
    return found


def _damaged(content: bytes, chance: random.Random) -> tuple[bytes, set[int], str]:
    changed = bytearray(content)
    kind = chance.choice(["one flipped bit", "one flipped bit", "flipped bytes", "torn sectors", "zeroed sectors", "a cut end"])
    if kind == "a cut end":
        end = chance.randrange(200, len(content))
        return content[:end], set(range(end // PAGE + 1, len(content) // PAGE + 1)), kind
    touched: list[range] = []
    if kind in ("torn sectors", "zeroed sectors"):
        start = chance.randrange(len(content) // SECTOR) * SECTOR
        end = min(start + SECTOR * chance.randrange(1, 20), len(content))
        changed[start:end] = bytes(end - start) if kind == "zeroed sectors" else chance.randbytes(end - start)
        touched.append(range(start, end))
    else:
        for _ in range(1 if kind == "one flipped bit" else chance.randrange(2, 12)):
            place = chance.randrange(len(content))
            changed[place] ^= 1 << chance.randrange(8) if kind == "one flipped bit" else chance.randrange(1, 256)
            touched.append(range(place, place + 1))
    return bytes(changed), {page for part in touched for page in range(part.start // PAGE + 1, (part.stop - 1) // PAGE + 2)}, kind


def _require_rows(original: Original, rows: dict[str, Table], touched: set[int], told: str) -> None:
    kept = {table: {_one(row) for row in content} for table, content in rows.items()}
    points = points_of(rows)
    for table, row, pages in original.places:
        if pages & touched or table == "series":  # made anew from the points
            continue
        if table == "chunks":
            missing = set(decode(row["points"])) - points.get((row["run"], row["key"]), set())
            assert not missing, f"{told}: {len(missing)} readable points of run {row['run']}, key {row['key']} are lost"
        else:
            assert _one(row) in kept[table], f"{told}: a readable row of {table} is lost: {row}"


def _protected(rows: dict[str, Table]) -> dict[str, list[str]]:
    return {table: sorted(_one(_told_twice(table, row)) for row in content) for table, content in rows.items()}


def _told_twice(table: str, row: dict[str, Any]) -> dict[str, Any]:
    if table in ("params", "tags"):
        return {**row, "value": row["value"][:HEAD]}
    return {name: value for name, value in row.items() if table not in PROTECTED or name in PROTECTED[table]}


def _one(row: dict[str, Any]) -> str:
    """The row as text; a whole number is one, however SQLite stores it."""
    return repr(sorted((name, int(value) if isinstance(value, float) and value.is_integer() else value) for name, value in row.items()))

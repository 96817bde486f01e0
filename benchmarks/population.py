"""Big stores for benchmarks and tests: a SQLite file of as many ended runs as asked for, in seconds where logging them would take hours.

    python benchmarks/population.py /tmp/big.db --runs 100000

Every run has 10 params, 10 metrics (of 3 points each, logged by one call) and 5 tags. The rows are those that the store itself would have written, which
plugins/store_sqlite/tests/test_population.py holds them to; they go in by bulk, and indexes are made at the end. The same seed makes the same runs.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy
from attrs import define, frozen

from drupe.uris import Uri
from drupe_store_sqlite.stores import SqliteTrackingStore

__all__ = ["EXPERIMENT", "METRICS", "PARAMS", "TAGS", "Made", "build", "made"]

EXPERIMENT = "population"
BEGAN_MS = 1_750_000_000_000
APART_MS = 20_000
POINTS = 3
GRID = 2.0**-20  # values are multiples of it, so that a sum of some is exact and the total of a series is one double
BLOCK = 5000

PARAMS = ("batch_size", "data", "depth", "dropout", "lr", "model", "optimizer", "seed", "warmup", "width")
METRICS = ("acc", "auc", "epoch_s", "f1", "grad_norm", "loss", "precision", "recall", "val_acc", "val_loss")
TAGS = ("git.commit", "mlflow.runName", "mlflow.source.name", "mlflow.user", "team")

_USERS = ("ada", "barbara", "edsger", "grace", "john", "ken", "margaret", "radia")
_TEAMS = ("growth", "risk", "search", "vision")
_MODELS = ("boosting", "forest", "linear", "mlp", "transformer")
_OPTIMIZERS = ("adam", "lion", "sgd")
_FRUITS = ("apple", "cherry", "fig", "lemon", "mango", "olive", "peach", "plum")
_STATUSES = ("FAILED", "FINISHED", "KILLED")
_FALLING = ("loss", "val_loss")
_AROUND = {"epoch_s": 30.0, "grad_norm": 2.0}
_CHUNK = numpy.dtype([("steps", "<i8", POINTS), ("times", "<i8", POINTS), ("values", "<f8", POINTS)])

_RAW = b"\x02"
_RAW_CRC = crc32(_RAW)

Column = Sequence[Any]


@frozen
class Made:
    """One run of a population: times in ms, the values of each metric at the steps 0, 1 and 2."""

    run_id: str
    name: str
    user_id: str
    status: str
    start_ms: int
    end_ms: int
    is_deleted: bool
    params: tuple[str, ...]
    tags: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]


def build(file: Path, runs: int, *, seed: int = 7) -> str:
    """Make a store of so many runs at `file`, where nothing may be yet; returns the id of their experiment.

    One run in a hundred is deleted.
    """
    if file.exists():
        raise FileExistsError(f"{file} exists; a population needs a file of its own")
    unfinished = file.with_name(f"{file.name}.part")
    unfinished.unlink(missing_ok=True)
    store = SqliteTrackingStore.open(Uri.parse(f"sqlite:///{unfinished}"))
    experiment = store.create_experiment(EXPERIMENT)
    store.close()
    connection = sqlite3.connect(unfinished, isolation_level=None)
    connection.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-400000; PRAGMA temp_store=MEMORY")
    connection.executemany("INSERT INTO keys (name) VALUES (?)", [(name,) for name in sorted({*PARAMS, *METRICS, *TAGS})])
    ids = {name: number for number, name in connection.execute("SELECT id, name FROM keys")}
    indexes = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").fetchall()
    for name, _ in indexes:
        connection.execute(f'DROP INDEX "{name}"')
    connection.execute("BEGIN")
    for block in _blocks(runs, seed):
        for table, names, rows in block.rows(int(experiment.experiment_id), experiment.artifact_location.rstrip("/"), ids):
            quoted, places = ", ".join(f'"{name}"' for name in names), ", ".join("?" * len(names))
            connection.executemany(f"INSERT INTO {table} ({quoted}) VALUES ({places})", rows)
    for _, sql in indexes:
        connection.execute(sql)
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()
    os.replace(unfinished, file)
    return experiment.experiment_id


def made(runs: int, *, seed: int = 7) -> Iterator[Made]:
    """The runs of a population, the oldest first."""
    for block in _blocks(runs, seed):
        for n, run_id in enumerate(block.run_ids):
            yield Made(
                run_id,
                block.names[n],
                block.users[n],
                block.statuses[n],
                block.starts[n],
                block.ends[n],
                block.is_deleted[n],
                tuple(column[n] for column in block.params),
                tuple(column[n] for column in block.tags),
                tuple(map(tuple, block.values[n].tolist())),
            )


def _blocks(runs: int, seed: int) -> Iterator[_Block]:
    for first in range(0, runs, BLOCK):
        yield _block(first, min(BLOCK, runs - first), numpy.random.default_rng([seed, first]))


@define
class _Block:
    """Some runs one after the other, as columns; `params` and `tags` have a column for each key, `values` is runs × metrics × points."""

    first: int
    run_ids: Column
    names: Column
    users: Column
    statuses: Column
    starts: Column
    ends: Column
    is_deleted: Column
    params: Sequence[Column]
    tags: Sequence[Column]
    values: Any

    def rows(self, experiment: int, location: str, ids: dict[str, int]) -> Iterator[tuple[str, tuple[str, ...], Iterable[tuple[Any, ...]]]]:
        """Of each table: its name, columns, and rows in the order of the primary key."""
        numbers = range(self.first + 1, self.first + 1 + len(self.run_ids))
        addresses = [f"{location}/{run_id}/artifacts" for run_id in self.run_ids]
        yield (
            "runs",
            ("id", "run_id", "experiment", "name", "user_id", "status", "start_ms", "end_ms", "is_deleted", "artifact_uri"),
            zip(
                *(numbers, self.run_ids, repeat(experiment), self.names, self.users, self.statuses, self.starts, self.ends),
                *(map(int, self.is_deleted), addresses),
                strict=False,
            ),
        )
        for table, keys, columns in (("params", PARAMS, self.params), ("tags", TAGS, self.tags)):
            owners = [number for number in numbers for _ in keys]
            values = [value for row in zip(*columns, strict=True) for value in row]
            starts = [start for start in self.starts for _ in keys]
            key_ids = [ids[key] for key in keys] * len(numbers)
            yield (
                table,
                ("run", "key", "value", "start_ms", "experiment"),
                zip(owners, key_ids, values, starts, repeat(experiment), strict=False),
            )
        owners = [number for number in numbers for _ in METRICS]
        key_ids = [ids[key] for key in METRICS] * len(numbers)
        began = numpy.repeat(numpy.array(self.starts, "<i8"), len(METRICS))
        values = self.values.reshape(-1, POINTS)
        totals = values.sum(axis=1)
        yield (
            "series",
            (
                *("run", "key", "first", "first_ms", "last", "last_ms", "min", "max", "argmin", "argmax", "mean", "total"),
                *("count", "nans", "first_step", "last_step", "tail_rows", "tail_points", "start_ms", "experiment"),
            ),
            zip(
                *(owners, key_ids, values[:, 0].tolist(), began.tolist(), values[:, -1].tolist(), (began + POINTS - 1).tolist()),
                *(values.min(axis=1).tolist(), values.max(axis=1).tolist(), values.argmin(axis=1).tolist(), values.argmax(axis=1).tolist()),
                *((totals / POINTS).tolist(), _cut(totals.astype("<f8").tobytes(), 8)),
                *map(repeat, (POINTS, 0, 0, POINTS - 1, 1, POINTS)),
                *(began.tolist(), repeat(experiment)),
                strict=False,
            ),
        )
        packed = numpy.zeros(len(values), _CHUNK)
        packed["steps"] = numpy.arange(POINTS)
        packed["times"] = began[:, None] + numpy.arange(POINTS)
        packed["values"] = values
        yield (
            "chunks",
            ("run", "key", "min_ms", "max_ms", "points", "is_tail", "count", "min_step", "max_step"),
            zip(
                *(
                    owners,
                    key_ids,
                    began.tolist(),
                    (began + POINTS - 1).tolist(),
                    [_sealed(points) for points in _cut(packed.tobytes(), _CHUNK.itemsize)],
                ),
                *map(repeat, (1, POINTS, 0, POINTS - 1)),
                strict=False,
            ),
        )


def _block(first: int, count: int, chance: numpy.random.Generator) -> _Block:
    def one_of(choices: Sequence[Any], weights: Sequence[float] | None = None) -> list[str]:
        return [str(choices[n]) for n in chance.choice(len(choices), count, p=weights).tolist()]

    numbers = range(first, first + count)
    names = [f"brave-{fruit}-{number}" for fruit, number in zip(one_of(_FRUITS), numbers, strict=True)]
    users = one_of(_USERS)
    starts = [BEGAN_MS + number * APART_MS for number in numbers]
    took = chance.exponential(300_000, count).astype(int).tolist()
    months = chance.integers(1, 13, count).tolist()
    params: dict[str, Column] = {
        "batch_size": one_of((16, 32, 64, 128, 256)),
        "data": [f"/data/{fruit}/2025-{month:02}" for fruit, month in zip(one_of(_FRUITS), months, strict=True)],
        "depth": list(map(str, chance.integers(2, 34, count).tolist())),
        "dropout": [str(percent / 100) for percent in chance.integers(0, 12, count).tolist()],
        "lr": [f"{rate:.6g}" for rate in (10 ** chance.uniform(-5, -1, count)).tolist()],
        "model": one_of(_MODELS),
        "optimizer": one_of(_OPTIMIZERS),
        "seed": list(map(str, chance.integers(0, 10_000, count).tolist())),
        "warmup": [str(hundreds * 100) for hundreds in chance.integers(0, 20, count).tolist()],
        "width": one_of((64, 128, 256, 512, 1024)),
    }
    tags: dict[str, Column] = {
        "git.commit": [digest.hex() for digest in _cut(chance.bytes(20 * count), 20)],
        "mlflow.runName": names,
        "mlflow.source.name": ["train.py"] * count,
        "mlflow.user": users,
        "team": one_of(_TEAMS),
    }
    return _Block(
        first,
        [digest.hex() for digest in _cut(chance.bytes(16 * count), 16)],
        names,
        users,
        one_of(_STATUSES, (0.08, 0.9, 0.02)),
        starts,
        [start + 1000 + ms for start, ms in zip(starts, took, strict=True)],
        [number % 100 == 99 for number in numbers],
        [params[key] for key in PARAMS],
        [tags[key] for key in TAGS],
        _curves(count, chance),
    )


def _curves(count: int, chance: numpy.random.Generator) -> Any:
    """Runs × metrics × points: what is good in one metric is good in most, but for the noise."""
    quality = chance.beta(5, 2, count)
    found = numpy.empty((count, len(METRICS), POINTS))
    for place, key in enumerate(METRICS):
        noise = chance.uniform(0.9, 1.1, (count, POINTS))
        if key in _AROUND:
            curve = _AROUND[key] * noise
        elif key in _FALLING:
            last = numpy.abs(1.2 - quality + chance.normal(0, 0.05, count)) + 0.001
            curve = numpy.stack([last + 2, last * (0.5 + noise[:, 1]), last], axis=1)
        else:
            last = numpy.clip(quality + chance.normal(0, 0.03, count), 0, 1)
            curve = numpy.stack([last / 2, numpy.minimum(1, last * noise[:, 1]), last], axis=1)
        found[:, place] = numpy.maximum(1, numpy.round(curve / GRID)) * GRID
    return found


def _sealed(points: bytes) -> bytes:
    """The form RAW of the store's codec, with its CRC."""
    return _RAW + crc32(points, _RAW_CRC).to_bytes(4, "little") + points


def _cut(packed: bytes, width: int) -> list[bytes]:
    return [packed[start : start + width] for start in range(0, len(packed), width)]


def main() -> None:
    """Make one file and say how long it took."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    began = time.perf_counter()
    experiment = build(given.file, given.runs, seed=given.seed)
    size = given.file.stat().st_size / 1e6
    print(f"{given.runs} runs in experiment {experiment}, {size:.0f} MB, made in {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()

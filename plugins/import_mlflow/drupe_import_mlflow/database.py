"""A database of MLflow, 2.x and 3.x: its runs. What concerns models is in `database_models` and `database_registry`.

Columns that only some releases have are asked for where they are there. Rows are checked as they are read: a database may hold anything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, column, select, table

from drupe.entities import (
    Dataset,
    DatasetInput,
    Experiment,
    InputTag,
    Points,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunOutputs,
    WholeModel,
    WholeRun,
)
from drupe.errors import StoreError
from drupe.extend import FoundExperiment, FoundLoggedModel, FoundRun, ImportSource, Loss
from drupe.uris import Uri, redact
from drupe_import_mlflow.connecting import engine_for, reading, sqlite_file
from drupe_import_mlflow.database_models import logged_model_ids, logged_models_of, ties_of
from drupe_import_mlflow.database_registry import left_over, models_in
from drupe_import_mlflow.schema import Schema
from drupe_import_mlflow.settings import MlflowSettings
from drupe_import_mlflow.values import Damaged, add_point, lifecycle, number, run_status, text

__all__ = ["DatabaseSource"]

RUN_NAME_TAG = "mlflow.runName"
MODELS_PAGE = 200
PROXY_ROOT = "mlartifacts"  # where a server keeps the artifacts that it serves, if it is not told otherwise

_RUN = ("run_uuid", "name", "user_id", "status", "start_time", "end_time", "lifecycle_stage", "artifact_uri")
_EXPERIMENT = ("experiment_id", "name", "artifact_location", "lifecycle_stage", "creation_time", "last_update_time")
_METRIC = ("run_uuid", "key", "value", "timestamp", "step", "is_nan")
_DATASET = ("name", "digest", "dataset_source_type", "dataset_source", "dataset_schema", "dataset_profile")


class DatabaseSource(ImportSource):
    """The database at one address."""

    def __init__(self, uri: Uri, settings: MlflowSettings) -> None:
        self.uri, self._settings = uri, settings
        self._file = sqlite_file(uri)
        self._place = str(self._file) if self._file else redact(uri.text)
        self._engine = engine_for(uri, settings)
        with reading(self._engine, self._place) as connection:
            self._schema = Schema.of(connection, self._place)
        self._locations: dict[str, str] = {}
        self._logged: set[str] = set()  # the logged models that could be read

    @classmethod
    def open(cls, uri: Uri, settings: Any = None) -> DatabaseSource:
        return cls(uri, settings or MlflowSettings())

    def close(self) -> None:
        self._engine.dispose()

    def description(self) -> str:
        return f"MLflow database {self._place}"

    def experiments(self) -> Iterator[FoundExperiment | Loss]:
        with reading(self._engine, self._place) as connection:
            tags = self._experiment_tags(connection)
            names = set()
            for row in self._schema.rows(connection, "experiments", _EXPERIMENT, workspace=self._settings.workspace):
                experiment_id = text(row["experiment_id"])
                try:
                    location = text(row["artifact_location"])
                    made = Experiment(
                        experiment_id,
                        text(row["name"]),
                        location,
                        lifecycle(row["lifecycle_stage"]),
                        number(row["creation_time"], "creation_time"),
                        number(row["last_update_time"], "last_update_time"),
                        tags.get(experiment_id, {}),
                    )
                    if made.name in names:
                        raise Damaged(f"its name {made.name!r:.100} is there twice")
                except Damaged as fault:
                    yield Loss("experiment", f"experiment {experiment_id}", str(fault), is_damage=True)
                    continue
                names.add(made.name)
                self._locations[experiment_id] = location
                yield FoundExperiment(made)

    def run_ids(self, experiment_id: str) -> Iterator[str]:
        runs = table("runs", column("run_uuid"), column("experiment_id"))
        statement = select(runs.c.run_uuid).where(runs.c.experiment_id == int(experiment_id)).order_by(runs.c.run_uuid)
        with reading(self._engine, self._place) as connection:
            for (run_id,) in connection.execute(statement):
                yield text(run_id)

    def read_runs(self, experiment_id: str, run_ids: Sequence[str]) -> Iterator[FoundRun | Loss]:
        try:
            found = self._read(experiment_id, run_ids)
        except StoreError as fault:
            if len(run_ids) > 1:  # a damaged page of the file holds some runs, and not all of them
                for run_id in run_ids:
                    yield from self.read_runs(experiment_id, [run_id])
                return
            found = [Loss("run", f"run {run_ids[0]}", fault.message, is_damage=True)]
        yield from found

    def logged_models(self, experiment_id: str) -> Iterator[FoundLoggedModel | Loss]:
        with reading(self._engine, self._place) as connection:
            model_ids = logged_model_ids(connection, self._schema, experiment_id)
        for start in range(0, len(model_ids), MODELS_PAGE):
            with reading(self._engine, self._place) as connection:
                page = list(logged_models_of(connection, self._schema, model_ids[start : start + MODELS_PAGE]))
            self._logged.update(found.model.model_id for found in page if isinstance(found, FoundLoggedModel))
            yield from page

    def models(self) -> Iterator[WholeModel | Loss]:
        with reading(self._engine, self._place) as connection:
            yield from list(models_in(connection, self._schema, self._settings.workspace, self._logged))

    def leftovers(self) -> Iterator[Loss]:
        with reading(self._engine, self._place) as connection:
            yield from list(left_over(connection, self._schema, self._settings.workspace))

    def roots(self) -> Sequence[tuple[str, Path]]:
        """Beside a SQLite file: its folder, and what has the name that the artifact root had where the database was made."""
        if self._file is None:
            return ()
        folder = self._file.parent
        found = [(str(folder), folder), (".", folder)]
        if (folder / PROXY_ROOT).is_dir():
            found.append(("mlflow-artifacts:/", folder / PROXY_ROOT))
        for experiment_id, location in self._locations.items():
            parts = location.rstrip("/").rpartition("/")[0].rpartition("/")
            home = folder / parts[2] / experiment_id
            if parts[2] not in ("", ".", "..") and location.rstrip("/").endswith(f"/{experiment_id}") and home.is_dir():
                found.append((location, home))
        return found

    # --- reading runs

    def _read(self, experiment_id: str, run_ids: Sequence[str]) -> list[FoundRun | Loss]:
        schema = self._schema
        with reading(self._engine, self._place) as connection:
            rows = {text(row["run_uuid"]): row for row in schema.rows(connection, "runs", _RUN, among=("run_uuid", run_ids))}
            params = _by_run(schema.rows(connection, "params", ("run_uuid", "key", "value"), among=("run_uuid", run_ids)))
            tags = _by_run(schema.rows(connection, "tags", ("run_uuid", "key", "value"), among=("run_uuid", run_ids)))
            losses: dict[str, list[Loss]] = defaultdict(list)
            points = self._points(connection, run_ids, losses)
            inputs = self._inputs(connection, run_ids)
            ties = ties_of(connection, self._schema, run_ids)
        found: list[FoundRun | Loss] = []
        for run_id in run_ids:
            row = rows.get(run_id)
            if row is None:
                continue
            try:
                info = _info(row, run_id, experiment_id, tags.get(run_id, {}))
            except Damaged as fault:
                found.append(Loss("run", f"run {run_id}", str(fault), is_damage=True))
                continue
            data = RunData(params=params.get(run_id, {}), tags=tags.get(run_id, {}))
            used, produced = ties[run_id]
            run = Run(info, data, RunInputs(tuple(inputs.get(run_id, ())), tuple(used)), RunOutputs(tuple(produced)))
            found.append(FoundRun(WholeRun(run, points.get(run_id, {})), tuple(losses.get(run_id, ()))))
        return found

    def _points(self, connection: Connection, run_ids: Sequence[str], losses: dict[str, list[Loss]]) -> dict[str, dict[str, Points]]:
        found: dict[str, dict[str, Points]] = defaultdict(dict)
        bad: dict[tuple[str, str], int] = defaultdict(int)
        for row in self._schema.rows(connection, "metrics", _METRIC, among=("run_uuid", run_ids)):
            run_id, key = text(row["run_uuid"]), text(row["key"])
            columns = found[run_id].get(key)
            if columns is None:
                columns = found[run_id][key] = Points()
            try:
                add_point(columns, row["step"] or 0, row["timestamp"], float("nan") if row["is_nan"] else float(row["value"]))
            except (Damaged, TypeError, ValueError):
                bad[run_id, key] += 1
        for (run_id, key), count in bad.items():
            losses[run_id].append(Loss("point", f"run {run_id}, metric {key!r:.100}", "its numbers are none", count, is_damage=True))
        return found

    def _inputs(self, connection: Connection, run_ids: Sequence[str]) -> dict[str, list[DatasetInput]]:
        if not {"inputs", "datasets"} <= self._schema.tables.keys():
            return {}
        ties = [
            (text(row["input_uuid"]), text(row["source_id"]), text(row["destination_id"]))
            for row in self._schema.rows(
                connection,
                "inputs",
                ("input_uuid", "source_type", "source_id", "destination_type", "destination_id"),
                among=("destination_id", run_ids),
            )
            if (row["source_type"], row["destination_type"]) == ("DATASET", "RUN")
        ]
        datasets = {
            text(row["dataset_uuid"]): Dataset(*_described(row))
            for row in self._schema.rows(
                connection, "datasets", ("dataset_uuid", *_DATASET), among=("dataset_uuid", sorted({of for _, of, _ in ties}))
            )
        }
        tags: dict[str, list[InputTag]] = defaultdict(list)
        names = ("input_uuid", "name", "value")
        for row in self._schema.rows(connection, "input_tags", names, among=("input_uuid", [tie for tie, _, _ in ties])):
            tags[text(row["input_uuid"])].append(InputTag(text(row["name"]), text(row["value"])))
        found: dict[str, list[DatasetInput]] = defaultdict(list)
        for tie, of, run_id in sorted(ties):
            if of in datasets:
                found[run_id].append(DatasetInput(datasets[of], tuple(tags[tie])))
        return found

    def _experiment_tags(self, connection: Connection) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = defaultdict(dict)
        for row in self._schema.rows(connection, "experiment_tags", ("experiment_id", "key", "value")):
            found[text(row["experiment_id"])][text(row["key"])] = text(row["value"])
        return found


def _info(row: dict[str, Any], run_id: str, experiment_id: str, tags: dict[str, str]) -> RunInfo:
    return RunInfo(
        run_id,
        experiment_id,
        text(row["name"]) or tags.get(RUN_NAME_TAG, ""),
        text(row["user_id"]),
        run_status(row["status"]),
        number(row["start_time"], "start_time") or 0,
        number(row["end_time"], "end_time"),
        lifecycle(row["lifecycle_stage"]),
        text(row["artifact_uri"]),
    )


def _described(row: dict[str, Any]) -> tuple[Any, ...]:
    name, digest, source_type, source, schema, profile = (row[key] for key in _DATASET)
    return text(name), text(digest), text(source_type), text(source), schema and text(schema), profile and text(profile)


def _by_run(rows: Iterator[dict[str, Any]]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for row in rows:
        found[text(row["run_uuid"])][text(row["key"])] = text(row["value"])
    return found

"""The logged models of an MLflow 3 database, and which runs use and have made them. Earlier ones have no such tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection

from drupe.entities import LifecycleStage, LoggedModel, Metric, ModelInput, ModelOutput
from drupe.extend import FoundLoggedModel, Loss
from drupe_import_mlflow.schema import Schema
from drupe_import_mlflow.values import Damaged, lifecycle, logged_model_status, number, text

__all__ = ["logged_model_ids", "logged_models_of", "ties_of"]

_MODEL = (
    *("model_id", "experiment_id", "name", "artifact_location", "creation_timestamp_ms", "last_updated_timestamp_ms"),
    *("status", "lifecycle_stage", "model_type", "source_run_id", "status_message"),
)
_METRIC = (
    *("model_id", "metric_name", "metric_timestamp_ms", "metric_step", "metric_value", "run_id"),
    *("dataset_name", "dataset_digest"),
)
_TIE = ("source_type", "source_id", "destination_type", "destination_id", "step")


def logged_model_ids(connection: Connection, schema: Schema, experiment_id: str) -> list[str]:
    """Those of one experiment, deleted ones too, oldest first."""
    rows = schema.rows(connection, "logged_models", ("model_id", "creation_timestamp_ms"), among=("experiment_id", [int(experiment_id)]))
    return [model_id for _, model_id in sorted((str(row["creation_timestamp_ms"]), text(row["model_id"])) for row in rows)]


def logged_models_of(connection: Connection, schema: Schema, model_ids: Sequence[str]) -> Iterator[FoundLoggedModel | Loss]:
    """These logged models, in this order; one that has gone is left out."""
    among = ("model_id", model_ids)
    params = _pairs(schema.rows(connection, "logged_model_params", ("model_id", "param_key", "param_value"), among=among))
    tags = _pairs(schema.rows(connection, "logged_model_tags", ("model_id", "tag_key", "tag_value"), among=among))
    metrics: dict[str, list[Metric]] = defaultdict(list)
    bad: dict[str, int] = defaultdict(int)
    for row in schema.rows(connection, "logged_model_metrics", _METRIC, among=among):
        model_id = text(row["model_id"])
        try:
            metrics[model_id].append(_metric(row))
        except (Damaged, TypeError, ValueError):
            bad[model_id] += 1
    rows = {text(row["model_id"]): row for row in schema.rows(connection, "logged_models", _MODEL, among=among)}
    for model_id in model_ids:
        place = f"logged model {model_id:.100}"
        if model_id not in rows:
            continue
        told = (Loss("metric of a logged model", place, "its numbers are none", bad[model_id], is_damage=True),) if bad[model_id] else ()
        try:
            row = rows[model_id]
            made = _model(row, tags.get(model_id, {}), params.get(model_id, {}), tuple(metrics[model_id]))
            is_deleted = lifecycle(row["lifecycle_stage"]) is LifecycleStage.DELETED
        except Damaged as fault:
            yield Loss("logged model", place, str(fault), is_damage=True)
            continue
        yield FoundLoggedModel(made, is_deleted, told)


def ties_of(connection: Connection, schema: Schema, run_ids: Sequence[str]) -> dict[str, tuple[list[ModelInput], list[ModelOutput]]]:
    """What these runs use and have made."""
    found: dict[str, tuple[list[ModelInput], list[ModelOutput]]] = defaultdict(lambda: ([], []))
    if "step" not in schema.tables.get("inputs", ()):
        return found
    for row in schema.rows(connection, "inputs", _TIE, among=("source_id", run_ids)):
        used, made = found[text(row["source_id"])]
        kinds, model_id = (row["source_type"], row["destination_type"]), text(row["destination_id"])
        if kinds == ("RUN_INPUT", "MODEL_INPUT"):
            used.append(ModelInput(model_id))
        elif kinds == ("RUN_OUTPUT", "MODEL_OUTPUT"):
            made.append(ModelOutput(model_id, row["step"] if isinstance(row["step"], int) else 0))
    return found


def _model(row: dict[str, Any], tags: dict[str, str], params: dict[str, str], metrics: tuple[Metric, ...]) -> LoggedModel:
    created = number(row["creation_timestamp_ms"], "creation_timestamp_ms") or 0
    updated = number(row["last_updated_timestamp_ms"], "last_updated_timestamp_ms")
    return LoggedModel(
        text(row["model_id"]),
        text(row["experiment_id"]),
        text(row["name"]),
        text(row["artifact_location"]),
        created,
        created if updated is None else updated,
        logged_model_status(row["status"]),
        text(row["model_type"]) or None,
        text(row["source_run_id"]) or None,
        text(row["status_message"]) or None,
        tags,
        params,
        metrics,
    )


def _metric(row: dict[str, Any]) -> Metric:
    step, at = number(row["metric_step"], "step"), number(row["metric_timestamp_ms"], "time")
    value = float("nan") if row["metric_value"] is None else float(row["metric_value"])
    return Metric(
        text(row["metric_name"]),
        value,
        at or 0,
        step or 0,
        text(row["run_id"]),
        None,
        text(row["dataset_name"]) or None,
        text(row["dataset_digest"]) or None,
    )


def _pairs(rows: Iterator[dict[str, Any]]) -> dict[str, dict[str, str]]:
    """By model, the second column of the rows to the third."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for row in rows:
        model_id, key, value = map(text, row.values())
        found[model_id][key] = value
    return found

"""The logged models of a file store: a folder for each of them in that of its experiment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from drupe.entities import LifecycleStage, LoggedModel, Metric
from drupe.extend import FoundLoggedModel, Loss
from drupe_import_mlflow.folders import files_below, folders_in, read_bytes, read_map, read_text
from drupe_import_mlflow.values import Damaged, lifecycle, logged_model_status, number, text, text_of

__all__ = ["MODELS", "logged_models_in"]

MODELS = "models"
METRIC_BYTES = 2**30


def logged_models_in(home: Path, experiment_id: str) -> Iterator[FoundLoggedModel | Loss]:
    """The logged models of the experiment in the folder `home`."""
    for name in folders_in(home / MODELS):
        try:
            yield _model(home / MODELS / name, name, experiment_id)
        except Damaged as fault:
            yield Loss("logged model", f"logged model {name:.100}", str(fault), is_damage=True)


def _model(folder: Path, model_id: str, experiment_id: str) -> FoundLoggedModel:
    meta, place = read_map(folder), f"logged model {model_id:.100}"
    named = text(meta.get("model_id"))
    if named != model_id:
        raise Damaged(f"its meta.yaml is that of {named[:60]!r}")
    losses: list[Loss] = []
    created = number(meta.get("creation_timestamp"), "creation_timestamp") or 0
    updated = number(meta.get("last_updated_timestamp"), "last_updated_timestamp")
    made = LoggedModel(
        model_id,
        experiment_id,
        text_of(meta, "name"),
        text(meta.get("artifact_location")),
        created,
        created if updated is None else updated,
        logged_model_status(meta.get("status")),
        text(meta.get("model_type")) or None,
        text(meta.get("source_run_id")) or None,
        text(meta.get("status_message")) or None,
        _texts(folder / "tags", place, "tag", losses),
        _texts(folder / "params", place, "param", losses),
        tuple(_metrics(folder / "metrics", place, losses)),
    )
    return FoundLoggedModel(made, lifecycle(meta.get("lifecycle_stage")) is LifecycleStage.DELETED, tuple(losses))


def _metrics(folder: Path, place: str, losses: list[Loss]) -> Iterator[Metric]:
    """Every point: lines are `time value step run`, or `time value step dataset digest run`."""
    for key, file in files_below(folder):
        at, bad = f"{place}, metric {key!r}", 0
        try:
            if isinstance(file, Damaged):
                raise file
            raw = read_bytes(file, METRIC_BYTES)
        except Damaged as fault:
            losses.append(Loss("metric of a logged model", at, str(fault), is_damage=True))
            continue
        for line in raw.decode("utf-8", "replace").split("\n"):
            parts = line.split()
            if not parts:
                continue
            try:
                timestamp, value, step, *dataset, run_id = parts
                yield _point(key, int(timestamp), float(value), int(step), run_id, dataset)
            except ValueError:
                bad += 1
        if bad:
            losses.append(Loss("point", at, "lines of its file are not 'time value step run'", bad, is_damage=True))


def _point(key: str, timestamp: int, value: float, step: int, run_id: str, dataset: list[str]) -> Metric:
    if not (-(2**63) <= step < 2**63 and -(2**63) <= timestamp < 2**63):
        raise ValueError("a number does not fit 64 bits")
    name, digest = (" ".join(dataset[:-1]), dataset[-1]) if len(dataset) > 1 else (None, None)
    return Metric(key, value, timestamp, step, run_id, None, name, digest)


def _texts(folder: Path, place: str, what: str, losses: list[Loss]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, file in files_below(folder):
        try:
            if isinstance(file, Damaged):
                raise file
            found[key] = read_text(file)
        except Damaged as fault:
            losses.append(Loss(f"logged model {what}", f"{place}, {what} {key!r}", str(fault), is_damage=True))
    return found

"""What the page of one run shows, in one answer: the run with its summaries, its signs of life, and what stands around it.

Changes of a run (its name, tags, stage) are asked with MLflow's own requests.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from drupe.entities import LoggedModel, ModelVersion, Run, RunStatus, ViewType
from drupe.entities.codec import to_plain
from drupe.errors import ExperimentNotFound, InvalidUri, LoggedModelNotFound, NotFound, RunNotFound
from drupe.extend import Feature, ServedStore, WebReply, WebRequest, WebRoute
from drupe.search import Kind, parse
from drupe.tracking.crashes import Crash
from drupe.tracking.liveness import Here, judge
from drupe.uris import redact
from drupe_ui_web.replies import json_reply, needed_text

__all__ = ["RunPage", "models_of", "short_model", "short_run", "short_version", "version_of", "versions_of_run"]

PARENT = "mlflow.parentRunId"
NESTED_MAX = 200
MODELS_MAX = 200
VERSIONS_MAX = 200


class RunPage:
    """The route of one run's page."""

    def __init__(self, store: ServedStore) -> None:
        self._store = store

    def routes(self, root: str) -> Sequence[WebRoute]:
        """The routes, below `root`."""
        return [WebRoute("GET", f"{root}/run", self.run)]

    def run(self, request: WebRequest) -> WebReply:
        """A run and what belongs to it. Raises RunNotFound."""
        run = self._store.tracking.get_run(needed_text(request, "run_id"))
        nested, nested_count = self._nested(run)
        crash = Crash.of(run.data.tags)
        told = to_plain(run, extras=True)
        told["info"]["artifact_uri"] = self._told(run.info.artifact_uri)
        form = {
            "run": told,
            "now": _now_ms(),
            "life": self._life(run),
            "crash": None
            if crash is None
            else {"at": crash.at_ms, "reason": crash.reason, "signal": crash.signal, "last_step": crash.last_step},
            "experiment": self._experiment(run.info.experiment_id),
            "parent": self._parent(run),
            "nested": [short_run(one) for one in nested],
            "nested_count": nested_count,
            "models": [short_model(one) for one in models_of(self._store, run)],
            "input_models": [short_model(one) for one in self._input_models(run)],
            "versions": [short_version(one) for one in versions_of_run(self._store, run.info.run_id)],
        }
        return json_reply(form)

    def _told(self, address: str) -> str:
        """An address as clients are told it: where the server keeps its files is not theirs to know."""
        try:
            return f"mlflow-artifacts:/{self._store.files(address)[1]}"
        except InvalidUri:
            return redact(address)

    def _life(self, run: Run) -> dict[str, Any] | None:
        """The latest sign of life of a running run; None where none was heard, or it has ended."""
        tracking = self._store.tracking
        if run.info.status is not RunStatus.RUNNING or not tracking.features.get(Feature.HEARTBEATS):
            return None
        beats = tracking.heartbeats([run.info.run_id])
        if not beats:
            return None
        verdict = judge(beats, now_ms=_now_ms(), here=Here())
        newest = max(beats, key=lambda beat: beat.at_ms)
        return {"life": verdict.life.value, "at": verdict.last_ms, "host": newest.host, "pid": newest.pid, "interval": newest.interval_ms}

    def _experiment(self, experiment_id: str) -> dict[str, str]:
        try:
            found = self._store.tracking.get_experiment(experiment_id)
        except ExperimentNotFound:
            return {"experiment_id": experiment_id, "name": experiment_id, "lifecycle_stage": "deleted"}
        return {"experiment_id": experiment_id, "name": found.name, "lifecycle_stage": found.lifecycle_stage.value}

    def _parent(self, run: Run) -> dict[str, Any] | None:
        parent_id = run.data.tags.get(PARENT)
        if not parent_id:
            return None
        try:
            return short_run(self._store.tracking.get_run(parent_id))
        except RunNotFound:
            return {"run_id": parent_id, "name": "", "status": "", "start_time": None, "end_time": None}

    def _nested(self, run: Run) -> tuple[list[Run], int]:
        query = parse(Kind.RUNS, f"tags.`{PARENT}` = '{run.info.run_id}'", ["start_time ASC"])
        experiments = [run.info.experiment_id]
        found = self._store.tracking.search_runs(query, experiment_ids=experiments, limit=NESTED_MAX, summaries=False)
        count = len(found)
        if found.token is not None:
            count = self._store.tracking.count_runs(query, experiment_ids=experiments, view=ViewType.ACTIVE_ONLY)
        return list(found), count

    def _input_models(self, run: Run) -> list[LoggedModel]:
        found = []
        for used in run.inputs.model_inputs[:MODELS_MAX]:
            try:
                found.append(self._store.tracking.get_logged_model(used.model_id))
            except LoggedModelNotFound:
                continue
        return found


def models_of(store: ServedStore, run: Run) -> list[LoggedModel]:
    """The logged models that a run has made, the newest first."""
    if not store.tracking.features.get(Feature.LOGGED_MODELS):
        return []
    query = parse(Kind.LOGGED_MODELS, f"source_run_id = '{run.info.run_id}'")
    return list(store.tracking.search_logged_models(query, experiment_ids=[run.info.experiment_id], limit=MODELS_MAX))


def versions_of_run(store: ServedStore, run_id: str) -> list[ModelVersion]:
    """The registered versions whose source a run is, with their aliases."""
    query = parse(Kind.MODEL_VERSIONS, f"run_id = '{run_id}'")
    found = store.registry.search_model_versions(query, limit=VERSIONS_MAX)
    return [version for one in found if (version := version_of(store, one.name, one.version)) is not None]


def version_of(store: ServedStore, name: str, number: str) -> ModelVersion | None:
    """A version with its aliases; None where it has been deleted since it was listed."""
    try:
        return store.registry.get_model_version(name, number)
    except NotFound:
        return None


def short_run(run: Run) -> dict[str, Any]:
    """A run as a line that names it."""
    info = run.info
    return {
        "run_id": info.run_id,
        "name": info.run_name,
        "status": info.status.value,
        "start_time": info.start_time,
        "end_time": info.end_time,
    }


def short_model(model: LoggedModel) -> dict[str, Any]:
    """A logged model as a line that names it, with its metrics."""
    return {
        "model_id": model.model_id,
        "name": model.name,
        "type": model.model_type or "",
        "status": model.status.value,
        "created": model.creation_timestamp,
        "metrics": [to_plain(metric) for metric in model.metrics[:20]],
    }


def short_version(version: ModelVersion) -> dict[str, Any]:
    """A version as a line that names it."""
    return {
        "name": version.name,
        "version": version.version,
        "stage": version.current_stage.value,
        "aliases": list(version.aliases),
        "source": version.source,
        "created": version.creation_timestamp,
    }


def _now_ms() -> int:
    return time.time_ns() // 1_000_000

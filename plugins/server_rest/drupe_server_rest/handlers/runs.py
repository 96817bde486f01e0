"""Runs: their life, what is logged to them, and finding them."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from attrs import evolve

from drupe.entities import LifecycleStage, LogBatch, ModelPoints, NewRun, Points, Run, RunInfo, ViewType
from drupe.entities.limits import check_metric
from drupe.errors import InvalidValue
from drupe.search import Kind, parse
from drupe.tracking.model_history import HISTORY_TAG, listed
from drupe.wire import artifacts as files, tracking as wire
from drupe.wire.points import columns, points_of_models
from drupe.wire.tracking import Nothing
from drupe_server_rest.changes import kind_of
from drupe_server_rest.services import Services

__all__ = ["HANDLERS", "run_of", "run_told"]

DEFAULT_EXPERIMENT = "0"
PAGE = 1000
MOST = {"metrics": 1000, "params": 100, "tags": 100}
MOST_TOGETHER = 1000


def run_of(asked: Any, what: str) -> str:
    """The run that a request names, under either name. Raises InvalidValue."""
    run_id: str | None = asked.run_id or asked.run_uuid
    if not run_id:
        raise InvalidValue(f"{what}: missing value for required parameter 'run_id'", fields=["run_id"])
    return run_id


def _create(services: Services, asked: wire.CreateRun) -> wire.RunFound:
    """See `wire.CreateRun`."""
    run = services.tracking.create_run(
        NewRun(
            asked.experiment_id or DEFAULT_EXPERIMENT,
            run_id=asked.run_id,
            run_name=asked.run_name or None,
            user_id=asked.user_id or "",
            start_time=time.time_ns() // 1_000_000 if asked.start_time is None else asked.start_time,
            tags={tag.key: tag.value for tag in asked.tags},
        )
    )
    services.changes.tell("run", experiment_id=run.info.experiment_id, run_id=run.info.run_id)
    return wire.RunFound(run_told(services, run))


def _get(services: Services, asked: wire.GetRun) -> wire.RunFound:
    """See `wire.GetRun`."""
    return wire.RunFound(run_told(services, services.tracking.get_run(run_of(asked, "runs/get"))))


def _search(services: Services, asked: wire.SearchRuns) -> wire.RunsFound:
    """See `wire.SearchRuns`."""
    page = services.tracking.search_runs(
        parse(Kind.RUNS, asked.filter, asked.order_by),
        experiment_ids=asked.experiment_ids,
        view=asked.run_view_type or ViewType.ACTIVE_ONLY,
        limit=PAGE if asked.max_results is None else asked.max_results,
        page_token=asked.page_token or None,
        summaries=False,
    )
    return wire.RunsFound(tuple(run_told(services, run) for run in page), page.token)


def _update(services: Services, asked: wire.UpdateRun) -> wire.RunUpdated:
    """See `wire.UpdateRun`."""
    run_id = run_of(asked, "runs/update")
    info = services.tracking.update_run(run_id, status=asked.status, end_time=asked.end_time, run_name=asked.run_name or None)
    services.changes.tell("run", experiment_id=info.experiment_id, run_id=run_id)
    return wire.RunUpdated(_told_info(services, info))


def _delete(services: Services, asked: wire.OneRun) -> Nothing:
    """Move it to the trash."""
    return _to_stage(services, asked.run_id, LifecycleStage.DELETED)


def _restore(services: Services, asked: wire.OneRun) -> Nothing:
    """Take it out of the trash."""
    return _to_stage(services, asked.run_id, LifecycleStage.ACTIVE)


def _log_metric(services: Services, asked: wire.LogMetric) -> Nothing:
    """See `wire.LogMetric`."""
    key, value, timestamp, step = check_metric(asked.key, asked.value, asked.timestamp, asked.step)
    points = Points()
    points.append(step, timestamp, value)
    of_model: tuple[ModelPoints, ...] = ()
    if asked.model_id:
        of_model = (ModelPoints(asked.model_id, key, points, asked.dataset_name or None, asked.dataset_digest or None),)
    return _log(services, run_of(asked, "runs/log-metric"), LogBatch({key: points}, model_points=of_model))


def _log_param(services: Services, asked: wire.LogParam) -> Nothing:
    """See `wire.LogParam`."""
    return _log(services, run_of(asked, "runs/log-parameter"), LogBatch(params={asked.key: asked.value}))


def _set_tag(services: Services, asked: wire.SetTag) -> Nothing:
    """See `wire.SetTag`."""
    return _log(services, run_of(asked, "runs/set-tag"), LogBatch(tags={asked.key: asked.value}))


def _delete_tag(services: Services, asked: wire.DeleteTag) -> Nothing:
    """See `wire.DeleteTag`."""
    services.tracking.delete_run_tag(asked.run_id, asked.key)
    services.changes.tell("tag", run_id=asked.run_id)
    return Nothing()


def _log_batch(services: Services, asked: wire.LogBatch) -> Nothing:
    """See `wire.LogBatch`."""
    counts = {name: len(getattr(asked, name)) for name in MOST}
    for name, count in counts.items():
        if count > MOST[name]:
            raise InvalidValue(f"runs/log-batch takes at most {MOST[name]} {name} at once, not {count}; send several batches")
    if sum(counts.values()) > MOST_TOGETHER:
        raise InvalidValue(
            f"runs/log-batch takes at most {MOST_TOGETHER} entries at once, not {sum(counts.values())}; send several batches"
        )
    params = _once("params", ((param.key, param.value) for param in asked.params))
    metrics, tags = columns(asked.metrics), {tag.key: tag.value for tag in asked.tags}
    batch = LogBatch(metrics, params, tags, points_of_models(asked.metrics))
    return _log(services, asked.run_id, batch)


def _log_inputs(services: Services, asked: wire.LogInputs) -> Nothing:
    """See `wire.LogInputs`."""
    if asked.models:
        services.tracking.log_model_inputs(asked.run_id, asked.models)
    services.tracking.log_inputs(asked.run_id, asked.datasets)
    services.changes.tell("run", run_id=asked.run_id)
    return Nothing()


def _log_model(services: Services, asked: wire.LogModel) -> Nothing:
    """Add what an MLmodel file says to the tag that lists a run's models, as clients before 3.0 expect it."""
    try:
        model = json.loads(asked.model_json)
    except ValueError as fault:
        raise InvalidValue(f"runs/log-model: model_json is no JSON: {fault}") from fault
    needed = ("artifact_path", "flavors", "utc_time_created", "run_id")
    missing = [name for name in needed if name not in model] if isinstance(model, Mapping) else list(needed)
    if missing:
        raise InvalidValue(f"runs/log-model: model_json lacks {', '.join(missing)}")
    known = services.tracking.get_run(asked.run_id).data.tags.get(HISTORY_TAG)
    return _log(services, asked.run_id, LogBatch(tags={HISTORY_TAG: listed(known, model)}))


def _list_artifacts(services: Services, asked: files.ListArtifacts) -> files.RunFilesFound:
    """The direct children of a folder of a run, told from the run's root."""
    run = services.tracking.get_run(run_of(asked, "artifacts/list"))
    root = services.places.inside(run.info.artifact_uri)
    folder = root / (asked.path or "")
    found = services.places.repo.list(folder)
    depth = len(root.segments)
    return files.RunFilesFound(
        services.places.told(run.info.artifact_uri), tuple(evolve(one, path="/".join(one.path.split("/")[depth:])) for one in found)
    )


def _log(services: Services, run_id: str, batch: LogBatch) -> Nothing:
    services.tracking.log_batch(run_id, batch)
    services.changes.tell(kind_of(batch), run_id=run_id)
    return Nothing()


def _to_stage(services: Services, run_id: str, stage: LifecycleStage) -> Nothing:
    services.tracking.set_run_stage(run_id, stage)
    services.changes.tell("run", run_id=run_id)
    return Nothing()


def _once(what: str, pairs: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in pairs:
        if key in found:
            raise InvalidValue(f"runs/log-batch: {key!r} is given twice among the {what}")
        found[key] = value
    return found


def run_told(services: Services, run: Run) -> Run:
    """The run with its artifacts where clients reach them."""
    return Run(_told_info(services, run.info), run.data, run.inputs, run.outputs)


def _told_info(services: Services, info: RunInfo) -> RunInfo:
    told = services.places.told(info.artifact_uri)
    if told == info.artifact_uri:
        return info
    return RunInfo(  # `evolve` takes ten times as long, and a page has a thousand
        info.run_id,
        info.experiment_id,
        info.run_name,
        info.user_id,
        info.status,
        info.start_time,
        info.end_time,
        info.lifecycle_stage,
        told,
    )


HANDLERS = {
    "POST runs/create": _create,
    "GET runs/get": _get,
    "POST runs/search": _search,
    "POST runs/update": _update,
    "POST runs/delete": _delete,
    "POST runs/restore": _restore,
    "POST runs/log-metric": _log_metric,
    "POST runs/log-parameter": _log_param,
    "POST runs/set-tag": _set_tag,
    "POST runs/delete-tag": _delete_tag,
    "POST runs/log-batch": _log_batch,
    "POST runs/log-inputs": _log_inputs,
    "POST runs/log-model": _log_model,
    "GET artifacts/list": _list_artifacts,
}

"""Tying a logged model to the run that has made it: at a step, with what the run has measured there."""

from __future__ import annotations

from collections.abc import Mapping

from drupe.entities import LogBatch, LoggedModel, ModelOutput, ModelPoints, Run
from drupe.tracking.artifact_client import ArtifactClient
from drupe.tracking.journal import outbox
from drupe.tracking.journal.outbox import Line
from drupe.tracking.run_log import line_here, note_model
from drupe.uris import ArtifactPath, inside_of

__all__ = ["gone_on", "path_in_run", "tie"]

_SYSTEM = "system/"  # what the machine did is not measured on a model


def path_in_run(run: Run, model: LoggedModel) -> ArtifactPath | None:
    """Where the files of a model are among those of its run; None when they are elsewhere."""
    return inside_of(model.artifact_location, run.info.artifact_uri)


def gone_on(run: Run, model: LoggedModel) -> dict[str, int]:
    """The last step of each metric of a run that went on after the last value which the model has of it; 0 where the model has none."""
    own = {one.key: one.step for one in model.metrics if one.run_id == run.info.run_id}
    named = _named(run.info.run_id)
    last = {key: summary.last_step for key, summary in run.data.summaries.items() if not key.startswith(_SYSTEM)}
    return {key: step for key, step in last.items() if step > own.get(key, 0) and (key, step) not in named}


def tie(client: ArtifactClient, run_id: str, model_id: str, step: int, metric_steps: Mapping[str, int]) -> None:
    """Say that a run has made a model at `step`; metrics that it logged at that step without naming a model are the model's too.

    `metric_steps` are the steps of those metrics that were measured on the model at another step.
    """
    client.log_outputs(run_id, [ModelOutput(model_id, step)])
    line = outbox.line_of(run_id) or line_here(run_id)
    if line is not None:
        note_model(line, model_id, step)
    points = _points_at(client, line, run_id, model_id, step, metric_steps)
    if points:
        client.store.log_batch(run_id, LogBatch(model_points=tuple(points)))


def _points_at(
    client: ArtifactClient, line: Line | None, run_id: str, model_id: str, step: int, metric_steps: Mapping[str, int]
) -> list[ModelPoints]:
    """What the run has measured at these steps without naming a model."""
    on: Mapping[tuple[str, int], tuple[str, str]] = {} if line is None else line.on
    named = _named(run_id)
    keys: dict[int, list[str]] = {}
    for key in client.store.get_run(run_id).data.metrics:
        at = metric_steps.get(key, step)
        if not key.startswith(_SYSTEM) and (key, at) not in named:
            keys.setdefault(at, []).append(key)
    return [
        ModelPoints(model_id, series.key, series.points, *on.get((series.key, at), (None, None)))
        for at, there in keys.items()
        for series in client.store.metric_bulk([run_id], there, first_step=at, last_step=at)
        if len(series.points)
    ]


def _named(run_id: str) -> Mapping[tuple[str, int], None]:
    """Metrics and steps that this process has logged to a run as measured on one model."""
    line = outbox.line_of(run_id)
    return {} if line is None else line.named

"""Tying a logged model to the run that has made it: at a step, with what the run has measured there."""

from __future__ import annotations

from drupe.entities import LogBatch, LoggedModel, ModelOutput, ModelPoints, Run
from drupe.tracking.artifact_client import ArtifactClient
from drupe.tracking.journal import outbox
from drupe.tracking.journal.outbox import Line
from drupe.tracking.run_log import line_here, note_model
from drupe.uris import ArtifactPath, inside_of

__all__ = ["path_in_run", "tie"]

_SYSTEM = "system/"  # what the machine did is not measured on a model


def path_in_run(run: Run, model: LoggedModel) -> ArtifactPath | None:
    """Where the files of a model are among those of its run; None when they are elsewhere."""
    return inside_of(model.artifact_location, run.info.artifact_uri)


def tie(client: ArtifactClient, run_id: str, model_id: str, step: int) -> None:
    """Say that a run has made a model at `step`; metrics that it logged at that step without naming a model are the model's too."""
    client.log_outputs(run_id, [ModelOutput(model_id, step)])
    line = outbox.line_of(run_id) or line_here(run_id)
    if line is not None:
        note_model(line, model_id, step)
    points = _points_at(client, line, run_id, model_id, step)
    if points:
        client.store.log_batch(run_id, LogBatch(model_points=tuple(points)))


def _points_at(client: ArtifactClient, line: Line | None, run_id: str, model_id: str, step: int) -> list[ModelPoints]:
    """What the run has measured at a step without naming a model."""
    named, on = ({}, {}) if line is None else (line.named, line.on)
    known = client.store.get_run(run_id).data.metrics
    keys = [key for key in known if not key.startswith(_SYSTEM) and (key, step) not in named]
    if not keys:
        return []
    return [
        ModelPoints(model_id, series.key, series.points, *on.get((series.key, step), (None, None)))
        for series in client.store.metric_bulk([run_id], keys, first_step=step, last_step=step)
        if len(series.points)
    ]

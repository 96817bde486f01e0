"""What the logging functions do with a run of this process: check, append to its journal, return. Which run is meant is `fluent`'s affair.

A run that was not started in this process has no journal here; `Client` writes to its store directly.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from time import time_ns
from typing import Any

from drupe.entities import DatasetInput, Run, RunStatus
from drupe.entities.limits import check_dataset_input, check_metric, check_param, check_tag
from drupe.errors import DrupeError, ParamConflict, StoreError
from drupe.extend import RunEnded
from drupe.tracking.address import tracking_store
from drupe.tracking.artifact_client import ArtifactClient
from drupe.tracking.chosen import client_here
from drupe.tracking.client import now_ms
from drupe.tracking.columns import points_from
from drupe.tracking.journal import outbox
from drupe.tracking.journal.adoption import staged_files
from drupe.tracking.journal.layout import FrameKind
from drupe.tracking.journal.outbox import Line
from drupe.tracking.sync import upload_staged

__all__ = [
    "Pending",
    "confirm",
    "end",
    "line_here",
    "log_inputs",
    "log_params",
    "log_point",
    "log_points",
    "log_series",
    "note_model",
    "open_line",
    "set_tags",
]

log = logging.getLogger("drupe.tracking")


class Pending:
    """What a logging call with `synchronous=False` returns: the call is in the journal already, `wait` returns when the store has it."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def wait(self) -> None:
        """Return when the store has what was logged. Raises what keeps it from that."""
        confirm(self._line)


def open_line(client: ArtifactClient, run: Run) -> Line:
    """The line of a run that is started or taken up in this process."""
    uri = client.tracking_uri
    line = outbox.open_line(uri, run.info.run_id, lambda: tracking_store(uri), params=run.data.params)
    if not line.models:
        for made in run.outputs.model_outputs:
            note_model(line, made.model_id, made.step)
        line.tied |= {one.model_id for one in run.inputs.model_inputs}
    return line


def note_model(line: Line, model_id: str, step: int) -> None:
    """Remember that the run has made a logged model: what is measured at this step from now on is measured on it."""
    line.tied.add(model_id)
    made = line.models.setdefault(step, [])
    if model_id not in made:
        made.append(model_id)


def line_here(run_id: str) -> Line | None:
    """The line of a run that was started in this process, or in the one that it was forked from; None for other runs."""
    line = outbox.line_of(run_id)
    client = client_here(run_id)
    if line is not None or client is None:
        return line
    try:
        run = client.get_run(run_id)
    except DrupeError:  # its params are not known then; a clash shows when it is shipped
        uri = client.tracking_uri
        return outbox.open_line(uri, run_id, lambda: tracking_store(uri))
    return open_line(client, run)


def log_point(line: Line, key: Any, value: Any, step: Any, timestamp: Any) -> None:
    """Log one point; `step` 0 and the time of now unless given."""
    time_ms = time_ns() // 1_000_000 if timestamp is None else timestamp
    name, number, time_ms, at = check_metric(key, value, time_ms, 0 if step is None else step)
    line.journal.metric(name, number, at, time_ms)


def log_points(line: Line, metrics: Mapping[str, Any], step: Any, timestamp: Any) -> None:
    """Log one point of each of several metrics, together."""
    now = time_ns() // 1_000_000 if timestamp is None else timestamp
    checked = [check_metric(key, value, now, 0 if step is None else step) for key, value in metrics.items()]
    if checked:
        line.journal.points({name: number for name, number, _, _ in checked}, checked[0][3], checked[0][2])


def log_series(line: Line, key: str, steps: Any, values: Any, timestamps: Any) -> None:
    """Log many points of one metric; see `columns.points_from` for what may be given."""
    line.journal.series(key, points_from(key, steps, values, timestamps, now=now_ms()))


def log_params(line: Line, params: Mapping[str, Any]) -> None:
    """Log params. Raises ParamConflict where this process knows another value; what others have logged meanwhile shows when it is shipped."""
    checked = dict(check_param(key, value) for key, value in params.items())
    known = line.params
    conflicts = [
        f"param {key!r} is {known[key][:100]!r} and cannot become {text[:100]!r}"
        for key, text in checked.items()
        if known.get(key, text) != text
    ]
    if conflicts:
        raise ParamConflict(f"run {line.run_id}: {'; '.join(conflicts)}; params never change", run_id=line.run_id)
    fresh = {key: text for key, text in checked.items() if key not in known}
    if fresh:
        line.journal.note(FrameKind.PARAMS, fresh)
        known.update(fresh)


def set_tags(line: Line, tags: Mapping[str, Any]) -> None:
    """Set tags."""
    checked = dict(check_tag("run tag", key, value, limit=None) for key, value in tags.items())
    if checked:
        line.journal.note(FrameKind.TAGS, checked)


def log_inputs(line: Line, datasets: Sequence[DatasetInput]) -> None:
    """Tie datasets to the run."""
    line.journal.inputs([check_dataset_input(one) for one in datasets])


def end(client: ArtifactClient, line: Line, status: RunStatus) -> None:
    """Say that the run has ended, ship everything, what dead children have left included, and close its line."""
    if line.journal.files or line.is_held or not _end_at_once(client, line.run_id, status):
        line.journal.note(FrameKind.CHANGE, {"status": status.value, "end_time": now_ms()})
    outbox.close(line.run_id)
    _upload_staged(line)
    client.tell(RunEnded, run_id=line.run_id, status=status)


def confirm(line: Line) -> None:
    """Return when the store has all that was logged before. Raises what keeps it from that."""
    line.ship(now=True)
    if line.fault is not None:
        raise line.fault


def _end_at_once(client: ArtifactClient, run_id: str, status: RunStatus) -> bool:
    """End a run for which no journal was needed; False when its store does not take that now."""
    try:
        client.store.update_run(run_id, status=status, end_time=now_ms())
    except StoreError:
        return False
    return True


def _upload_staged(line: Line) -> None:
    """Bring the artifacts of a run that began without its store to where they belong, if the store is there by now; else `drupe sync` does."""
    if line.is_held or line.fault is not None or not staged_files(line.journal.folder):
        return
    try:
        store = line.opened()
        upload_staged(line.journal.folder, store, store.get_run(line.run_id))
    except DrupeError as fault:
        log.warning("run %s: its artifacts wait in %s: %s; `drupe sync` ships them", line.run_id, line.journal.folder, fault)
    else:
        outbox.clean_folder(line.journal.folder)

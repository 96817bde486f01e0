"""The logging functions that a training script calls: to the active run, which is started when there is none. MLflow's names and argument order.

What is logged to a run of this process goes into its journal (see `run_log`), files go to its artifact repository at once. How runs start and end is in
`fluent`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from time import time_ns
from typing import Any

from drupe.entities import Dataset, LogBatch, ModelInput
from drupe.entities.limits import STEP_MAX, STEP_MIN, check_param
from drupe.errors import InvalidValue
from drupe.tracking import active, active_model, run_log
from drupe.tracking.chosen import client_of
from drupe.tracking.client import dataset_input
from drupe.tracking.fluent import start_run
from drupe.tracking.journal import outbox
from drupe.tracking.journal.outbox import Line
from drupe.tracking.measured import log_measured, tie_used
from drupe.tracking.run_log import Pending, confirm, line_here, log_point, log_points

__all__ = [
    "delete_tag",
    "flush",
    "flush_async_logging",
    "log_artifact",
    "log_artifacts",
    "log_dict",
    "log_figure",
    "log_image",
    "log_input",
    "log_inputs",
    "log_metric",
    "log_metrics",
    "log_param",
    "log_params",
    "log_series",
    "log_table",
    "log_text",
    "set_tag",
    "set_tags",
]


def log_metric(
    key: str,
    value: float,
    step: int | None = None,
    synchronous: bool | None = None,
    timestamp: int | None = None,
    run_id: str | None = None,
    model_id: str | None = None,
    dataset: Dataset | Any = None,
) -> Pending | None:
    """Log one value of a metric at `step` (0 by default) and `timestamp` (ms, now by default).

    When it returns, the value is in the run's journal, which outlives the process; the store has it within a second. `synchronous` True
    waits for the store, False gives something to wait with. `model_id` is the logged model that was measured, on `dataset` if given: without
    one, the active model, else those that the run has made at this step.
    """
    if type(value) is float and type(step) is int and type(key) is str and run_id is None and timestamp is None and synchronous is None:
        # the usual call, with as few steps as can be: between two of them, training has thrown this code out of the processor's caches
        runs = active.stack()
        known = outbox.line_of(runs[-1].info.run_id) if runs else None
        if (
            known is not None
            and key in known.journal.numbers
            and not known.is_strict
            and STEP_MIN <= step <= STEP_MAX
            and not known.models
            and model_id is None
            and dataset is None
            and active_model.chosen.get() is None
        ):
            known.journal.metric(key, value, step, time_ns() // 1_000_000)
            return None
    line = _line(run_id)
    measured = model_id or active_model.get_active_model_id()
    if line is None:
        client_of(str(run_id)).log_points(str(run_id), {key: value}, timestamp=timestamp, step=step, model_id=measured, dataset=dataset)
        return None
    if measured is None and dataset is None and not line.models:
        log_point(line, key, value, step, timestamp)
    else:
        log_measured(line, {key: value}, step, timestamp, measured, dataset)
    return _answer(line, synchronous) if synchronous is not None or line.is_strict else None


def log_metrics(
    metrics: Mapping[str, float],
    step: int | None = None,
    synchronous: bool | None = None,
    run_id: str | None = None,
    timestamp: int | None = None,
    model_id: str | None = None,
    dataset: Dataset | Any = None,
) -> Pending | None:
    """Log one value each of several metrics, together. `model_id` and `dataset` as in `log_metric`."""
    line = _line(run_id)
    measured = model_id or active_model.get_active_model_id()
    if line is None:
        client_of(str(run_id)).log_points(str(run_id), metrics, timestamp=timestamp, step=step, model_id=measured, dataset=dataset)
        return None
    if measured is None and dataset is None and not line.models:
        log_points(line, metrics, step, timestamp)
    else:
        log_measured(line, metrics, step, timestamp, measured, dataset)
    return _answer(line, synchronous)


def log_series(key: str, steps: Any, values: Any, timestamps: Any = None, run_id: str | None = None) -> None:
    """Log many points of one metric at once: lists, arrays, tensors or columns of one length; `timestamps` in ms, now for all by default."""
    line = _line(run_id)
    if line is None:
        client_of(str(run_id)).log_series(str(run_id), key, steps, values, timestamps)
        return
    run_log.log_series(line, key, steps, values, timestamps)
    _answer(line, None)


def log_param(key: str, value: Any, synchronous: bool | None = None) -> Any:
    """Log a param and return its value. Params never change: another value raises ParamConflict."""
    pending = log_params({key: value}, synchronous)
    return value if pending is None else pending


def log_params(params: Mapping[str, Any], synchronous: bool | None = None, run_id: str | None = None) -> Pending | None:
    """Log several params, together."""
    line = _line(run_id)
    if line is None:
        checked = dict(check_param(key, value) for key, value in params.items())
        client_of(str(run_id)).store.log_batch(str(run_id), LogBatch(params=checked))
        return None
    run_log.log_params(line, params)
    return _answer(line, synchronous)


def set_tag(key: str, value: Any, synchronous: bool | None = None) -> Pending | None:
    """Set a tag."""
    return set_tags({key: value}, synchronous)


def set_tags(tags: Mapping[str, Any], synchronous: bool | None = None) -> Pending | None:
    """Set several tags, together."""
    line = _line_of_active()
    run_log.set_tags(line, tags)
    return _answer(line, synchronous)


def delete_tag(key: str) -> None:
    """Remove a tag. Raises TagNotFound."""
    run_id = _run_id()
    client_of(run_id).delete_tag(run_id, key)


def log_input(
    dataset: Dataset | Any | None = None,
    context: str | None = None,
    tags: Mapping[str, Any] | None = None,
    model: ModelInput | None = None,
) -> None:
    """Say which dataset the run uses, and what for (`context`, such as "training"), or which logged model. Make datasets with `drupe.data`."""
    if dataset is None and model is None:
        raise InvalidValue("log_input needs a dataset, such as drupe.data.from_pandas makes, or a model")
    log_inputs([dataset], [context], [tags], [model])


def log_inputs(
    datasets: Sequence[Dataset | Any | None] | None = None,
    contexts: Sequence[str | None] | None = None,
    tags_list: Sequence[Mapping[str, Any] | None] | None = None,
    models: Sequence[ModelInput | None] | None = None,
) -> None:
    """Say which datasets and logged models the run uses; the lists that are given have one length, and None in them leaves that place out."""
    lengths = {len(one) for one in (datasets, contexts, tags_list, models) if one is not None}
    if len(lengths) > 1:
        raise InvalidValue("log_inputs: datasets, contexts, tags_list and models are lists of one length")
    left_out = [None] * max(lengths, default=0)
    line = _line_of_active()
    used = [
        dataset_input(dataset, context, tags)
        for dataset, context, tags in zip(datasets or left_out, contexts or left_out, tags_list or left_out, strict=True)
        if dataset is not None
    ]
    if used:
        run_log.log_inputs(line, used)
    for model in models or ():
        if model is not None:
            tie_used(line, model.model_id)
    _answer(line, None)


def flush(run_id: str | None = None) -> None:
    """Return when the store has everything that this process has logged to a run; without one, to all of its runs.

    Raises what keeps the store from taking it; nothing is lost then, and it is tried again.
    """
    found = outbox.lines() if run_id is None else [line for line in outbox.lines() if line.run_id == run_id]
    for line in found:
        confirm(line)


def flush_async_logging() -> None:
    """MLflow's name of `flush` for all runs."""
    flush()


def log_artifact(local_path: str | Path, artifact_path: str | None = None, run_id: str | None = None) -> None:
    """Keep a copy of a local file below the folder `artifact_path`."""
    run_id = run_id or _run_id()
    client_of(run_id).log_artifact(run_id, local_path, artifact_path)


def log_artifacts(local_dir: str | Path, artifact_path: str | None = None, run_id: str | None = None) -> None:
    """Keep a copy of all that is in a local folder."""
    run_id = run_id or _run_id()
    client_of(run_id).log_artifacts(run_id, local_dir, artifact_path)


def log_text(text: str, artifact_file: str, run_id: str | None = None) -> None:
    """Keep a text as a file."""
    run_id = run_id or _run_id()
    client_of(run_id).log_text(run_id, text, artifact_file)


def log_dict(dictionary: Mapping[str, Any] | list[Any], artifact_file: str, run_id: str | None = None) -> None:
    """Keep a dict or list as YAML or JSON, by the file's ending."""
    run_id = run_id or _run_id()
    client_of(run_id).log_dict(run_id, dictionary, artifact_file)


def log_figure(figure: Any, artifact_file: str, *, save_kwargs: Mapping[str, Any] | None = None) -> None:
    """Keep a matplotlib or plotly figure."""
    run_id = _run_id()
    client_of(run_id).log_figure(run_id, figure, artifact_file, save_kwargs=save_kwargs)


def log_image(
    image: Any,
    artifact_file: str | None = None,
    key: str | None = None,
    step: int | None = None,
    timestamp: int | None = None,
    synchronous: bool | None = None,
) -> None:
    """Keep an image as one file (`artifact_file`) or as one of a series over steps (`key`, `step`)."""
    run_id = _run_id()
    client_of(run_id).log_image(run_id, image, artifact_file, key, step, timestamp)


def log_table(data: Any, artifact_file: str, run_id: str | None = None) -> None:
    """Keep a DataFrame or dict of columns as `.json` or `.parquet`; rows are added to a table that is there already."""
    run_id = run_id or _run_id()
    client_of(run_id).log_table(run_id, data, artifact_file)


def _run_id() -> str:
    run = active.top() or start_run()
    return run.info.run_id


def _line(run_id: str | None) -> Line | None:
    """The line of that run, or of the active one; None for a run that was not started here."""
    if run_id is None:
        run_id = _run_id()
    return outbox.line_of(run_id) or line_here(run_id)


def _line_of_active() -> Line:
    line = _line(None)
    assert line is not None  # an active run was started here
    return line


def _answer(line: Line, synchronous: bool | None) -> Pending | None:
    if synchronous or line.is_strict:
        confirm(line)
    return Pending(line) if synchronous is False else None

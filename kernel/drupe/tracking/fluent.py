"""The functions that a training script calls: one active run, no ids. MLflow's names and argument order.

What they do to stores is `drupe.client`'s work; which run is meant is `active`'s; experiments are in `experiments`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from drupe import lazy
from drupe.entities import Dataset, FileInfo, LifecycleStage, LogBatch, Metric, Run, RunStatus, ViewType, gather
from drupe.entities.limits import check_param, check_tag
from drupe.errors import (
    InvalidValue,
    NoActiveRun,
    WrongLifecycle,
)
from drupe.settings import settings
from drupe.tracking import active
from drupe.tracking.active import ActiveRun
from drupe.tracking.address import get_tracking_uri
from drupe.tracking.artifact_client import ArtifactClient
from drupe.tracking.capture import finish_capture, start_capture
from drupe.tracking.chosen import client_of, current_experiment, keep_client, run_of_environment
from drupe.tracking.console import keeping
from drupe.tracking.context import context_tags
from drupe.tracking.series_forms import in_form
from drupe.tracking.system_metrics import unwatch, watch
from drupe.uris import ArtifactPath

__all__ = [
    "active_run",
    "delete_run",
    "delete_tag",
    "end_run",
    "get_artifact_uri",
    "get_metric_history",
    "get_metric_series",
    "get_parent_run",
    "get_run",
    "last_active_run",
    "list_artifacts",
    "load_table",
    "log_artifact",
    "log_artifacts",
    "log_dict",
    "log_figure",
    "log_image",
    "log_input",
    "log_metric",
    "log_metrics",
    "log_param",
    "log_params",
    "log_series",
    "log_table",
    "log_text",
    "restore_run",
    "search_runs",
    "set_tag",
    "set_tags",
    "start_run",
]

RUNS_PAGE = 5000


# --- the life of runs


def start_run(
    run_id: str | None = None,
    experiment_id: str | int | None = None,
    run_name: str | None = None,
    nested: bool = False,
    parent_run_id: str | None = None,
    tags: Mapping[str, Any] | None = None,
    description: str | None = None,
    log_system_metrics: bool | None = None,
) -> ActiveRun:
    """Start a run, or take up an existing one (`run_id`, or DRUPE_RUN_ID once), and make it the active run of this thread or task.

    Use it as a context manager, or end it with `end_run`. `nested` allows one inside another. Raises NoActiveRun when a run is active
    and `nested` is not given, RunNotFound, WrongLifecycle, ExperimentNotFound. `log_system_metrics` decides for this run whether the machine
    is sampled; None: as the settings have it.

        with drupe.start_run(run_name="baseline"):
            drupe.log_metric("loss", 0.1, step=3)
    """
    outer = active.top()
    if outer is not None and not nested:
        raise NoActiveRun(
            f"run {outer.info.run_name!r} ({outer.info.run_id}) is active; end it with end_run(), or start this one with nested=True",
            run_id=outer.info.run_id,
        )
    client = ArtifactClient(get_tracking_uri())  # fixed: a run stays with its store, whatever is set later
    resumed = run_id or run_of_environment()
    texts = {key: str(value) for key, value in (tags or {}).items()}
    if description is not None:
        if "mlflow.note.content" in texts:
            raise InvalidValue("give the description either as description=… or as the tag mlflow.note.content, not both")
        texts["mlflow.note.content"] = description
    if resumed:
        run = _take_up(client, resumed, experiment_id, run_name, texts)
    else:
        if parent_run_id:
            _check_is_active(client.get_run(parent_run_id))
        parent = parent_run_id or (outer.info.run_id if outer is not None else None)
        if parent:
            texts = {"mlflow.parentRunId": parent, **texts}
        where = str(experiment_id) if experiment_id is not None else current_experiment(client)
        name = run_name or settings().get("run_name")
        run = client.create_run(where, tags={**context_tags(), **texts}, run_name=str(name) if name else None)
    here = ActiveRun(run.info, run.data, run.inputs)
    active.watch_exit()
    active.push(here, lambda status, fault: _end(client, here.info.run_id, status, fault))
    if not resumed:
        start_capture(here.info.run_id, lambda text, name: client.log_text(here.info.run_id, text, name))
    keep_client(here.info.run_id, client)
    keeping.begin(run.info.run_id, client.tracking_uri, lambda: client.artifact_repo(run.info.run_id), is_resumed=bool(resumed))
    watch(here, log_system_metrics, lambda values, step: log_metrics(values, step=step, run_id=here.info.run_id))
    return here


def end_run(status: str = "FINISHED") -> None:
    """End the active run; nothing happens when there is none."""
    run = active.top()
    if run is not None:
        _end(client_of(run.info.run_id), run.info.run_id, RunStatus(status))


def active_run() -> ActiveRun | None:
    """The active run of this thread or task. It is as it was when started: read it anew with `get_run`."""
    return active.top()


def last_active_run() -> Run | None:
    """The active run of this thread or task, else the one that was active last, read anew; None when there was none."""
    run_id = active.last_run_id()
    return None if run_id is None else client_of(run_id).get_run(run_id)


def get_run(run_id: str) -> Run:
    """Read a run. Raises RunNotFound."""
    return client_of(run_id).get_run(run_id)


def get_parent_run(run_id: str) -> Run | None:
    """The run that this one is nested in, or None."""
    return client_of(run_id).get_parent_run(run_id)


def delete_run(run_id: str) -> None:
    """Move a run to the trash."""
    client_of(run_id).delete_run(run_id)


def restore_run(run_id: str) -> None:
    """Take a run out of the trash."""
    client_of(run_id).restore_run(run_id)


# --- logging; without an active run, each starts one, as MLflow does


def log_metric(
    key: str,
    value: float,
    step: int | None = None,
    synchronous: bool | None = None,
    timestamp: int | None = None,
    run_id: str | None = None,
) -> None:
    """Log one value of a metric at `step` (0 by default) and `timestamp` (ms, now by default)."""
    run_id = run_id or _run_id()
    client_of(run_id).log_metric(run_id, key, value, timestamp, step)


def log_metrics(
    metrics: Mapping[str, float],
    step: int | None = None,
    synchronous: bool | None = None,
    run_id: str | None = None,
    timestamp: int | None = None,
) -> None:
    """Log one value each of several metrics, together."""
    run_id = run_id or _run_id()
    client_of(run_id).log_points(run_id, metrics, timestamp=timestamp, step=step)


def log_series(key: str, steps: Any, values: Any, timestamps: Any = None, run_id: str | None = None) -> None:
    """Log many points of one metric at once: lists, arrays, tensors or columns of one length; `timestamps` in ms, now for all by default."""
    run_id = run_id or _run_id()
    client_of(run_id).log_series(run_id, key, steps, values, timestamps)


def log_param(key: str, value: Any, synchronous: bool | None = None) -> Any:
    """Log a param and return its value. Params never change: another value raises ParamConflict."""
    run_id = _run_id()
    return client_of(run_id).log_param(run_id, key, value)


def log_params(params: Mapping[str, Any], synchronous: bool | None = None, run_id: str | None = None) -> None:
    """Log several params, together."""
    run_id = run_id or _run_id()
    client_of(run_id).store.log_batch(run_id, LogBatch(params=dict(check_param(key, value) for key, value in params.items())))


def set_tag(key: str, value: Any, synchronous: bool | None = None) -> None:
    """Set a tag."""
    set_tags({key: value})


def set_tags(tags: Mapping[str, Any], synchronous: bool | None = None) -> None:
    """Set several tags, together."""
    run_id = _run_id()
    texts = dict(check_tag("run tag", key, value, limit=None) for key, value in tags.items())
    client_of(run_id).store.log_batch(run_id, LogBatch(tags=texts))


def delete_tag(key: str) -> None:
    """Remove a tag. Raises TagNotFound."""
    run_id = _run_id()
    client_of(run_id).delete_tag(run_id, key)


def log_input(dataset: Dataset | Any, context: str | None = None, tags: Mapping[str, Any] | None = None) -> None:
    """Say which dataset the run uses, and what for (`context`, such as "training"). Make one with `drupe.data`."""
    run_id = _run_id()
    client_of(run_id).log_input(run_id, dataset, context, tags)


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


# --- reading


def get_artifact_uri(artifact_path: str | None = None) -> str:
    """The address of the active run's artifacts, or of one of them."""
    run_id = _run_id()
    root = client_of(run_id).get_run(run_id).info.artifact_uri
    path = ArtifactPath.parse(artifact_path)
    return root if path.is_root else f"{root.rstrip('/')}/{path}"


def list_artifacts(artifact_path: str | None = None, run_id: str | None = None) -> list[FileInfo]:
    """The files and folders directly below `artifact_path` of a run (the active one by default)."""
    run_id = run_id or _run_id()
    return client_of(run_id).list_artifacts(run_id, artifact_path)


def load_table(artifact_file: str, run_ids: Sequence[str] | None = None, extra_columns: Sequence[str] | None = None) -> Any:
    """The rows that `log_table` kept in runs of the experiment in use; see `Client.load_table`."""
    client = ArtifactClient()
    return client.load_table(current_experiment(client), artifact_file, run_ids, extra_columns)


def get_metric_history(run_id: str, key: str) -> list[Metric]:
    """Every logged value of a metric, ordered by timestamp, step, value."""
    return client_of(run_id).get_metric_history(run_id, key)


def get_metric_series(
    run_ids: Sequence[str],
    keys: Sequence[str] | None = None,
    buckets: int | None = None,
    range: tuple[int | None, int | None] | None = None,
    as_: str = "list",
) -> Any:
    """The series of many runs at once, down-sampled for a chart with `buckets`; see `Client.get_metric_series`."""
    of_client: dict[str, list[str]] = {}
    for run_id in [run_ids] if isinstance(run_ids, str) else run_ids:
        of_client.setdefault(client_of(run_id).tracking_uri, []).append(run_id)
    found = [
        series for ids in of_client.values() for series in client_of(ids[0]).get_metric_series(ids, keys, buckets=buckets, range=range)
    ]
    return in_form(as_, found)


def search_runs(
    experiment_ids: Sequence[str] | None = None,
    filter_string: str = "",
    run_view_type: int = ViewType.ACTIVE_ONLY,
    max_results: int = 100_000,
    order_by: Sequence[str] | None = None,
    output_format: str = "pandas",
    search_all_experiments: bool = False,
    experiment_names: Sequence[str] | None = None,
) -> Any:
    """Runs that the filter finds, as a DataFrame (`output_format="pandas"`) or a list of Run values (`"list"`).

    Looks into the experiment in use unless others are named; naming some wins over `search_all_experiments`. Raises InvalidQuery with the place of the mistake.
    """
    if output_format not in ("pandas", "list"):
        raise InvalidValue(f"output_format is {output_format!r}; use 'pandas' or 'list'")
    if experiment_ids and experiment_names:
        raise InvalidValue("give either experiment_ids or experiment_names, not both")
    client = ArtifactClient()
    where: Sequence[str] | None
    if experiment_names is not None:
        named = [client.get_experiment_by_name(name) for name in experiment_names]
        where = [experiment.experiment_id for experiment in named if experiment is not None]
    elif search_all_experiments and not experiment_ids:
        where = None
    else:
        where = [current_experiment(client)] if experiment_ids is None else experiment_ids
    found = gather(
        lambda limit, token: client.search_runs(where, filter_string, run_view_type, limit, order_by, token),
        page_size=RUNS_PAGE,
        at_most=max_results,
    )
    return found if output_format == "list" else lazy.load("drupe.tracking.frames:runs_frame")(found)


# --- how runs start and end


def _run_id() -> str:
    run = active.top() or start_run()
    return run.info.run_id


def _end(client: ArtifactClient, run_id: str, status: RunStatus, fault: BaseException | None = None) -> None:
    active.forget(run_id)
    unwatch(run_id)
    try:
        finish_capture(run_id)
        keeping.finish(run_id, fault)
    finally:  # a second Ctrl-C while it waits
        client.set_terminated(run_id, status)


def _take_up(client: ArtifactClient, run_id: str, experiment_id: str | int | None, run_name: str | None, tags: Mapping[str, str]) -> Run:
    run = client.get_run(run_id)
    if any(open_run.info.run_id == run_id for open_run in active.stack()):
        raise NoActiveRun(f"run {run_id} is active already", run_id=run_id)
    _check_is_active(run)
    if experiment_id is not None and str(experiment_id) != run.info.experiment_id:
        raise InvalidValue(f"run {run_id} belongs to experiment {run.info.experiment_id}, not {experiment_id}", run_id=run_id)
    if run_name is not None:
        client.update_run(run_id, name=run_name)
    return client.resume_run(run_id, tags)


def _check_is_active(run: Run) -> None:
    if run.info.lifecycle_stage == LifecycleStage.DELETED:
        run_id = run.info.run_id
        raise WrongLifecycle(f"run {run_id} is deleted; restore it with `drupe runs restore {run_id}`", run_id=run_id)

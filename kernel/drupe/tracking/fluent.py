"""The functions that a training script calls: one active run, no ids. MLflow's names and argument order.

What they do to stores is `drupe.client`'s work; which run is meant is `active`'s; experiments are in `experiments`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from drupe import lazy
from drupe.artifacts.repos import repo_for
from drupe.entities import FileInfo, LifecycleStage, Metric, Page, Run, RunStatus, ViewType, each
from drupe.errors import ExperimentNotFound, InvalidValue, NoActiveRun, StoreBusy, StoreError, StoreFull, StoreUnavailable, WrongLifecycle
from drupe.settings import settings
from drupe.tracking import active, heartbeat, run_log
from drupe.tracking.active import ActiveRun
from drupe.tracking.address import get_tracking_uri, tracking_store
from drupe.tracking.artifact_client import ArtifactClient
from drupe.tracking.capture import finish_capture, start_capture
from drupe.tracking.chosen import client_of, current_experiment, keep_client, run_of_environment
from drupe.tracking.console import keeping
from drupe.tracking.context import context_tags
from drupe.tracking.journal import outbox
from drupe.tracking.journal.places import run_folder
from drupe.tracking.series_forms import in_form
from drupe.tracking.system_metrics import unwatch, watch
from drupe.uris import ArtifactPath

__all__ = [
    "active_run",
    "delete_run",
    "end_run",
    "get_artifact_uri",
    "get_metric_history",
    "get_metric_series",
    "get_parent_run",
    "get_run",
    "last_active_run",
    "list_artifacts",
    "load_table",
    "move_runs",
    "restore_run",
    "search_runs",
    "start_run",
]

RUNS_PAGE = 5000

log = logging.getLogger("drupe.tracking")


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
        parent = parent_run_id or (outer.info.run_id if outer is not None else None)
        if parent:
            texts = {"mlflow.parentRunId": parent, **texts}
        try:
            run = _begin(client, experiment_id, run_name, texts, parent_run_id)
        except (StoreUnavailable, StoreBusy, StoreFull) as fault:
            if settings().get("strict_logging"):
                raise
            run = _begin_without_store(client, experiment_id, run_name, texts, fault)
    here = ActiveRun(run.info, run.data, run.inputs)
    active.watch_exit()
    active.push(here, lambda status, fault: _end(client, here.info.run_id, status, fault))
    line = run_log.open_line(client, run)
    if not resumed:
        start_capture(here.info.run_id, lambda: repo_for(run.info.artifact_uri))
    keep_client(here.info.run_id, client)
    heartbeat.begin(run.info.run_id, client.tracking_uri, lambda: tracking_store(client.tracking_uri))
    keeping.begin(run.info.run_id, client.tracking_uri, lambda: client.artifact_repo(run.info.run_id), is_resumed=bool(resumed))
    watch(here, log_system_metrics, lambda values, step: run_log.log_points(line, values, step, None))
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


def move_runs(run_ids: str | Sequence[str], experiment_id: str | None = None, *, experiment_name: str | None = None) -> None:
    """Put runs into another experiment, named by its id or its name: all of them or none.

        drupe.move_runs([run.info.run_id for run in found], experiment_name="churn/final")

    With a run go its data, its datasets and the logged models that it has made; ids and artifacts stay where they are, and a program that logs
    to it goes on. Raises RunNotFound, ExperimentNotFound, WrongLifecycle (the experiment is deleted), UnsupportedFeature (MLflow's servers).
    """
    wanted = [run_ids] if isinstance(run_ids, str) else list(run_ids)
    client = client_of(wanted[0]) if wanted else ArtifactClient()
    if (experiment_id is None) == (experiment_name is None):
        raise InvalidValue("give either experiment_id or experiment_name")
    if experiment_id is None:
        named = client.get_experiment_by_name(str(experiment_name))
        if named is None:
            raise ExperimentNotFound(f"no experiment is named {experiment_name!r}")
        experiment_id = named.experiment_id
    client.move_runs(wanted, str(experiment_id))


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
    found = each(
        lambda limit, token: client.search_runs(where, filter_string, run_view_type, limit, order_by, token),
        page_size=RUNS_PAGE,
        at_most=max_results,
    )
    return Page(found) if output_format == "list" else lazy.load("drupe.tracking.frames:runs_frame")(found)


# --- how runs start and end


def _run_id() -> str:
    run = active.top() or start_run()
    return run.info.run_id


def _end(client: ArtifactClient, run_id: str, status: RunStatus, fault: BaseException | None = None) -> None:
    active.forget(run_id)
    unwatch(run_id)
    with ExitStack() as rest:  # all of it, also with a second Ctrl-C while one of them waits
        rest.callback(heartbeat.end, run_id)
        rest.callback(_terminate, client, run_id, status)
        rest.callback(heartbeat.let_end, run_id)
        rest.callback(keeping.finish, run_id, fault)
        finish_capture(run_id)


def _terminate(client: ArtifactClient, run_id: str, status: RunStatus) -> None:
    line = outbox.line_of(run_id)
    if line is None:
        client.set_terminated(run_id, status)
    else:
        run_log.end(client, line, status)


def _begin(
    client: ArtifactClient,
    experiment_id: str | int | None,
    run_name: str | None,
    tags: Mapping[str, str],
    parent_run_id: str | None = None,
) -> Run:
    if parent_run_id:
        _check_is_active(client.get_run(parent_run_id))
    where = str(experiment_id) if experiment_id is not None else current_experiment(client)
    name = run_name or settings().get("run_name")
    return client.create_run(where, tags={**context_tags(), **tags}, run_name=str(name) if name else None)


def _begin_without_store(
    client: ArtifactClient, experiment_id: str | int | None, run_name: str | None, tags: Mapping[str, str], fault: StoreError
) -> Run:
    """Start the run in the journals beside the store, from where it is shipped when the store is there again."""
    try:
        client.go_offline()
        run = _begin(client, experiment_id, run_name, tags)
        line = outbox.line_of(run.info.run_id)
        if line is not None and line.journal.trouble is not None:
            raise line.journal.trouble
    except OSError:  # not even a journal can be kept there, so the run cannot begin at all
        raise fault from None
    log.warning(
        "run %s is started without its store: %s. It is kept in %s and sent when the store is there again; see: drupe status",
        *(run.info.run_name, fault, run_folder(client.tracking_uri, run.info.run_id)),
    )
    return run


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

"""aim, in a repository of its own, without its samples of the system."""

from __future__ import annotations

from collections.abc import Sequence

from aim import Repo, Run
from aim.sdk.types import QueryReportMode
from points import value_at


def place(folder: str) -> None:
    global home
    home = folder


def begin() -> str:
    global run
    run = Run(repo=home, system_tracking_interval=None, log_system_params=False, capture_terminal_logs=False)
    return run.hash


def log(key: str, value: float, step: int) -> None:
    run.track(value, name=key, step=step)


def finish() -> None:
    run.close()


def read(run_hash: str, key: str) -> tuple[Sequence[int], Sequence[float]]:
    """What a query finds, once the index is made; a run is not in it until `aim up` or this has put it there. Steps come back as hashes, so they are told by the values."""
    repo = Repo(home)
    repo._recreate_index()
    values: list[float] = []
    for found in repo.query_metrics(
        f"metric.name == {key!r} and run.hash == {run_hash!r}", report_mode=QueryReportMode.DISABLED
    ).iter_runs():
        for metric in found:
            values += list(metric.values.sparse_numpy()[1])
    step_of = {value_at(step): step for step in range(2 * len(values) + 1000)}
    steps = sorted(step_of[value] for value in values)
    return steps, [value_at(step) for step in steps]

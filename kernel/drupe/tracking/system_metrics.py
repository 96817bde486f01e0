"""Which runs have system metrics, and how often: what was chosen in this process, else settings. MLflow's names.

The sampling itself is in `sampling`; what is measured is a matter of plugins.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from logging import getLogger
from typing import Any

from drupe.entities import Run
from drupe.errors import InvalidValue
from drupe.loading import Entry, catalog
from drupe.settings import settings
from drupe.tracking.sampling import Monitor, Pace

__all__ = [
    "disable_system_metrics_logging",
    "enable_system_metrics_logging",
    "set_system_metrics_node_id",
    "set_system_metrics_samples_before_logging",
    "set_system_metrics_sampling_interval",
    "unwatch",
    "watch",
]

HOOK = "drupe_system_metrics"
PREFIX = "system/"
INTERVAL_MIN_S = 0.05
_RANKS = ("RANK", "LOCAL_RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK")

_chosen: dict[str, Any] = {}


def enable_system_metrics_logging() -> None:
    """Sample the machine for all runs that are started from now on; `start_run(log_system_metrics=False)` leaves one out."""
    _chosen["enable_system_metrics_logging"] = True


def disable_system_metrics_logging() -> None:
    """Sample for no run that is started from now on; `start_run(log_system_metrics=True)` wants it for one."""
    _chosen["enable_system_metrics_logging"] = False


def set_system_metrics_sampling_interval(interval: float | None) -> None:
    """Seconds between two samples, for runs that are started from now on; None: as the settings have it."""
    if interval is not None and not (isinstance(interval, int | float) and interval >= INTERVAL_MIN_S):
        raise InvalidValue(f"the interval is {interval!r}; it must be a number of seconds of at least {INTERVAL_MIN_S}")
    _choose("system_metrics_sampling_interval", interval)


def set_system_metrics_samples_before_logging(samples: int | None) -> None:
    """So many samples make one logged value, their mean; None: as the settings have it."""
    if samples is not None and not (isinstance(samples, int) and samples >= 1):
        raise InvalidValue(f"the number of samples is {samples!r}; it must be a whole number of at least 1")
    _choose("system_metrics_samples_before_logging", samples)


def set_system_metrics_node_id(node_id: str | None) -> None:
    """Name this machine, so that several can log to one run: `system/<node>/cpu_utilization_percentage`; None: as the settings have it."""
    _choose("system_metrics_node_id", node_id)


def _choose(key: str, value: Any) -> None:
    if value is None:
        _chosen.pop(key, None)
    else:
        _chosen[key] = value


def watch(run: Run, wanted: bool | None, log: Callable[[Mapping[str, float], int], None]) -> None:
    """Begin to sample for a run that was just started or taken up, if `wanted`, or if nothing is said and the settings have it so.

    Steps go on from the last one that the run has.
    """
    node = _value("system_metrics_node_id")
    is_wanted = _value("enable_system_metrics_logging") and (node or not _is_one_of_many()) if wanted is None else wanted
    if not is_wanted:
        return
    if not catalog().offers(HOOK):
        if wanted or "enable_system_metrics_logging" in _chosen:
            getLogger("drupe.system_metrics").warning("no plugin measures the machine: pip install drupe-system-metrics")
        return
    prefix = PREFIX + (f"{node}/" if node else "")
    steps = [summary.last_step for key, summary in run.data.summaries.items() if key.startswith(prefix)]
    interval = max(float(_value("system_metrics_sampling_interval")), INTERVAL_MIN_S)
    pace = Pace(interval, max(int(_value("system_metrics_samples_before_logging")), 1), prefix)
    _monitor.start(run.info.run_id, log, step=max(steps, default=-1) + 1, pace=pace)


def unwatch(run_id: str) -> None:
    """Sample no longer for this run."""
    _monitor.stop(run_id)


def _value(key: str) -> Any:
    return _chosen[key] if key in _chosen else settings().get(key)


def _is_one_of_many() -> bool:
    """True in the processes of a group that are not its first: they would all write the same names into one run."""
    return any(os.environ.get(rank, "0") != "0" for rank in _RANKS)


def _offered() -> list[tuple[str, Callable[[], Any]]]:
    return [(entry.offer.name, lambda entry=entry: _opened(entry)) for entry in catalog().offers(HOOK)]  # type: ignore[misc]


def _opened(entry: Entry) -> Any:
    implementation = entry.load()
    return implementation.open(entry.options(settings(), query={}, given={}))


_monitor = Monitor(_offered)

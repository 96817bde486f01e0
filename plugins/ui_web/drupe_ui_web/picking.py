"""Which columns a table of runs begins with, when nobody has chosen: what tells the runs apart."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from time import monotonic

from drupe.entities import RunKeys, ViewType
from drupe.errors import ExperimentNotFound
from drupe.extend import TrackingStore
from drupe.search import Entity, Kind, parse
from drupe_ui_web.asked import Question, names_of

__all__ = ["KeysOfRuns", "all_columns", "picked_columns", "primary_metric"]

PRIMARY = "mlflow.experiment.primaryMetric.name"
OF_SYSTEM = "system/"
OF_MLFLOW = "mlflow."
METRICS = 4
PARAMS = 8
ALL_MAX = 2000
NEWEST = 200
"""How many runs are looked at to pick columns: the table must not wait until all have been."""

EXPERIMENTS_ASKED = 20
FRESH_S = 5.0
KEPT = 32


class KeysOfRuns:
    """Which keys runs have, not asked of the store again for some seconds. Its methods may be called from several threads."""

    def __init__(self, store: TrackingStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._kept: dict[tuple[Sequence[str], ViewType, str, int], tuple[float, RunKeys]] = {}

    def of(self, experiments: Sequence[str], view: ViewType, *, prefix: str = "", limit: int = ALL_MAX) -> RunKeys:
        """See `TrackingStore.run_keys`."""
        asked = (tuple(experiments), view, prefix, limit)
        with self._lock:
            at, keys = self._kept.get(asked, (0.0, None))
        if keys is None or monotonic() - at > FRESH_S:
            keys = self._store.run_keys(experiment_ids=experiments, view=view, prefix=prefix, limit=limit)
            with self._lock:
                if len(self._kept) >= KEPT:
                    self._kept.pop(min(self._kept, key=lambda one: self._kept[one][0]))
                self._kept[asked] = (monotonic(), keys)
        return keys


def primary_metric(store: TrackingStore, experiments: Sequence[str], frequent: Sequence[str]) -> str | None:
    """The metric that matters most: the one that a tag of an experiment names, or else the first of those that most runs have."""
    for experiment_id in experiments[:EXPERIMENTS_ASKED]:
        try:
            named = store.get_experiment(experiment_id).tags.get(PRIMARY)
        except ExperimentNotFound:
            continue
        if named:
            return named
    return next(iter(frequent), None)


def picked_columns(store: TrackingStore, question: Question) -> list[str]:
    """Names of columns: state and time, the primary metric and some more, and the params of which the newest runs have different values."""
    metrics: Counter[str] = Counter()
    values: dict[str, set[str | None]] = {}
    runs = store.search_runs(parse(Kind.RUNS), experiment_ids=question.experiments, view=question.view, limit=NEWEST, summaries=False)
    for run in runs:
        metrics.update(run.data.metrics.keys())
        for key, value in run.data.params.items():
            values.setdefault(key, set()).add(value)
    for run in runs:
        for key in values.keys() - run.data.params.keys():
            values[key].add(None)
    frequent = _own([key for key, _ in sorted(metrics.items(), key=lambda one: (-one[1], one[0]))])
    primary = primary_metric(store, question.experiments, frequent)
    chosen = list(dict.fromkeys([*([primary] if primary else []), *frequent]))[:METRICS]
    differing = sorted(sorted((key for key in values if len(values[key]) > 1), key=lambda key: (len(values[key]), key))[:PARAMS])
    places = ["experiment"] if len(question.experiments) > 1 else []
    return [*places, "status", "start_time", "duration", *names_of(Entity.METRIC, chosen), *names_of(Entity.PARAM, differing)]


def all_columns(store: TrackingStore, question: Question, keys: RunKeys) -> list[str]:
    """Names of all columns that there are: those that would be picked, then the others of each kind."""
    every = [*picked_columns(store, question), "user_id"]
    tags = [key.name for key in keys.tags if not key.name.startswith(OF_MLFLOW)]
    for entity, told in ((Entity.METRIC, keys.metrics), (Entity.PARAM, keys.params)):
        every.extend(names_of(entity, [key.name for key in told]))
    return list(dict.fromkeys([*every, *names_of(Entity.TAG, tags)]))[:ALL_MAX]


def _own(metrics: list[str]) -> list[str]:
    """Without those of the machine, where there are others."""
    return [key for key in metrics if not key.startswith(OF_SYSTEM)] or metrics

"""Experiments and runs as notebooks show them, alone and as lists."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

from drupe.entities import Experiment, LifecycleStage, MetricSummary, Run
from drupe.notebook import places
from drupe.notebook.html import Cell, facts, fold, frame, linked, note, number, prose, table, took, when
from drupe.uris import redact

__all__ = ["experiment_html", "experiments_html", "run_html", "runs_html"]

LISTED = 50
_FIRST = ("run", "status", "started", "took")
_CUT = 40
_COLUMNS = 6  # of metrics, and of params, in a list of runs
_NOTE, _RESERVED, _SYSTEM = "mlflow.note.content", ("mlflow.", "drupe."), "system/"
_SIGNS = {"FINISHED": "✓", "FAILED": "✗", "KILLED": "✗", "RUNNING": "●", "SCHEDULED": "○"}
_SOURCES = (
    ("source", "mlflow.source.name"),
    ("commit", "mlflow.source.git.commit"),
    ("branch", "mlflow.source.git.branch"),
    ("parent run", "mlflow.parentRunId"),
)


def run_html(run: Run) -> str:
    """One run: its state, where it came from, and what it logged."""
    info, data = run.info, run.data
    own = {key: value for key, value in data.tags.items() if not key.startswith(_RESERVED)}
    measured = [name for name in data.metrics if not name.startswith(_SYSTEM)]
    machine = [name for name in data.metrics if name.startswith(_SYSTEM)]
    rest = [(key, value) for key, value in sorted(data.tags.items()) if key not in own and key != _NOTE]
    return frame(
        "run",
        linked(info.run_name or info.run_id, places.of_run(info.experiment_id, info.run_id)),
        _state(run),
        [
            prose(data.tags.get(_NOTE, "")),
            facts(
                [
                    ("run", info.run_id),
                    ("experiment", linked(info.experiment_id, places.of_experiment(info.experiment_id))),
                    ("started", when(info.start_time)),
                    ("took", took(info.start_time, info.end_time)),
                    ("user", info.user_id),
                    *((label, data.tags.get(key)) for label, key in _SOURCES),
                    ("artifacts", redact(info.artifact_uri)),
                ]
            ),
            _metrics(run, "Metrics", measured),
            fold("Params", len(data.params), table(("param", "value"), sorted(data.params.items()))),
            fold("Tags", len(own), table(("tag", "value"), sorted(own.items()))),
            _datasets(run),
            fold("Models", len(run.outputs.model_outputs), table(("model", "step"), _models(run), numbers=[1])),
            _metrics(run, "System metrics", machine, is_open=False),
            fold("Kept by drupe and MLflow", len(rest), table(("tag", "value"), rest), is_open=False),
        ],
    )


def experiment_html(experiment: Experiment) -> str:
    """One experiment."""
    own = sorted((key, value) for key, value in experiment.tags.items() if not key.startswith(_RESERVED))
    return frame(
        "experiment",
        linked(experiment.name, places.of_experiment(experiment.experiment_id)),
        "experiment, in the trash" if experiment.lifecycle_stage is LifecycleStage.DELETED else "experiment",
        [
            prose(experiment.tags.get(_NOTE, "")),
            facts(
                [
                    ("experiment", experiment.experiment_id),
                    ("created", when(experiment.creation_time)),
                    ("last changed", when(experiment.last_update_time)),
                    ("artifacts", redact(experiment.artifact_location)),
                ]
            ),
            fold("Tags", len(own), table(("tag", "value"), own)),
        ],
    )


def runs_html(runs: Sequence[Run], told: str) -> str:
    """Runs as rows: the metrics that most have, and the params in which they differ."""
    shown = runs[:LISTED]
    metrics = [
        name
        for name, _ in Counter(name for run in shown for name in run.data.metrics if not name.startswith(_SYSTEM)).most_common(_COLUMNS)
    ]
    params = _differing(shown)
    rows: list[list[Cell]] = [
        [
            linked(run.info.run_name or run.info.run_id, places.of_run(run.info.experiment_id, run.info.run_id)),
            _state(run),
            when(run.info.start_time),
            took(run.info.start_time, run.info.end_time),
            *(run.data.metrics.get(name) for name in metrics),
            *(run.data.params.get(name) for name in params),
        ]
        for run in shown
    ]
    drawn = table((*_FIRST, *metrics, *params), rows, numbers=range(len(_FIRST) - 1, len(_FIRST) + len(metrics)), cut=_CUT)
    return frame("runs", told, "", [drawn, _more(len(runs) - len(shown))])


def experiments_html(experiments: Sequence[Experiment], told: str) -> str:
    """Experiments as rows."""
    shown = experiments[:LISTED]
    rows: list[list[Cell]] = [
        [
            linked(one.name, places.of_experiment(one.experiment_id)),
            one.experiment_id,
            "in the trash" if one.lifecycle_stage is LifecycleStage.DELETED else "",
            when(one.creation_time),
            when(one.last_update_time),
        ]
        for one in shown
    ]
    return frame(
        "experiments", told, "", [table(("experiment", "id", "", "created", "last changed"), rows), _more(len(experiments) - len(shown))]
    )


def _state(run: Run) -> str:
    status = run.info.status.value
    trashed = ", in the trash" if run.info.lifecycle_stage is LifecycleStage.DELETED else ""
    return f"{_SIGNS.get(status, '')} {status.lower()}{trashed}"


def _metrics(run: Run, title: str, names: Sequence[str], *, is_open: bool | None = None) -> str:
    known = run.data.summaries
    has_series = any(known[name].count > 1 for name in names if name in known)
    headings = ("metric", "last", "min", "max", "points") if has_series else ("metric", "value")
    rows = [[name, run.data.metrics[name], *(_summary(known.get(name)) if has_series else ())] for name in sorted(names)]
    return fold(title, len(names), table(headings, rows, numbers=range(1, len(headings))), is_open=is_open)


def _summary(found: MetricSummary | None) -> list[Cell]:
    return ["", "", ""] if found is None else [found.min, found.max, number(found.count)]


def _datasets(run: Run) -> str:
    rows = [
        [
            used.dataset.name,
            used.dataset.digest,
            ", ".join(tag.value for tag in used.tags if tag.key == "mlflow.data.context"),
            _source(used.dataset.source),
        ]
        for used in run.inputs.dataset_inputs
    ]
    return fold("Datasets", len(rows), table(("dataset", "digest", "for", "from"), rows))


def _source(told: str) -> str:
    try:
        found = json.loads(told)
    except ValueError:
        found = None
    where = found.get("uri") or found.get("url") if isinstance(found, dict) else None
    return redact(where if isinstance(where, str) else told)


def _models(run: Run) -> list[list[Cell]]:
    return [
        [linked(made.model_id, places.of_logged_model(run.info.experiment_id, made.model_id)), made.step]
        for made in run.outputs.model_outputs
    ]


def _differing(runs: Sequence[Run]) -> list[str]:
    """Params that differ between these runs, those first that most runs have; all of a single run."""
    held: Counter[str] = Counter(name for run in runs for name in run.data.params)
    differ = [name for name, _ in held.most_common() if len(runs) == 1 or len({run.data.params.get(name) for run in runs}) > 1]
    return differ[:_COLUMNS]


def _more(left: int) -> str:
    return note(f"… and {left:,} more") if left else ""

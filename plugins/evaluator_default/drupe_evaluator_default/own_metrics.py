"""The user's own metrics and artifacts: what their functions are given, in which order they are asked, and what may come back."""

from __future__ import annotations

import inspect
import json
import logging
import pickle
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from drupe.errors import InvalidValue
from drupe.extend import Evaluation, EvaluationMetric, MetricValue
from drupe_evaluator_default.writing import Report

__all__ = ["add_own"]

log = logging.getLogger("drupe.evaluation")

TABLE = "eval_results_table"
_KINDS = (".png", ".jpg", ".jpeg", ".json", ".npy", ".csv", ".parquet", ".txt")
_LATENCY = "latency"


class _Number(float):
    """A number that can also be asked as MLflow's MetricValue: its own functions are given one or the other, by release."""

    scores = justifications = None

    def __new__(cls, name: str, value: float) -> _Number:
        made = super().__new__(cls, value)
        made.aggregate_results = {name: float(value)}
        return made

    aggregate_results: Mapping[str, float]


def add_own(evaluation: Evaluation, report: Report, predictions: Any, others: Any = None) -> None:
    """Compute the user's metrics and artifacts into the report. One that raises is a failure under its name, and the others go on."""
    values: dict[str, MetricValue] = {name: MetricValue(aggregate_results={name: value}) for name, value in report.metrics.items()}
    table = pd.DataFrame({"prediction": list(predictions) if np.ndim(predictions) > 1 else predictions})
    if evaluation.targets is not None:
        table["target"] = evaluation.targets
    waiting = list(evaluation.extra_metrics)
    scored: dict[str, Any] = {}
    used: set[str] = set()
    while waiting:
        held = []
        for metric in waiting:
            try:
                arguments, named, missing = _arguments(metric, evaluation, table, others, values, used)
            except ValueError as fault:  # Python's, for functions of C that do not tell their parameters
                report.failures[metric.name] = f"its parameters are not known ({fault}); wrap it in a function that names them"
                continue
            if missing:
                held.append((metric, missing))
            else:
                _compute(metric, arguments, named, values, report, scored)
        if len(held) == len(waiting):  # none could be asked in this round, so none ever can
            for metric, missing in held:
                report.failures[metric.name] = (
                    f"it needs {', '.join(missing)}, which is no column, setting or metric; there are "
                    f"{', '.join(map(str, evaluation.frame.columns[:20]))}; evaluator_config={{'col_mapping': {{…}}}} renames"
                )
            break
        waiting = [metric for metric, _ in held]
    if scored and report.draws:
        _keep_scores(evaluation, report, predictions, others, scored, used)
    if report.draws:
        for place, function in enumerate(evaluation.custom_artifacts):
            _add_artifacts(function, place, table, report)


def _arguments(
    metric: EvaluationMetric, evaluation: Evaluation, table: Any, others: Any, values: Mapping[str, MetricValue], used: set[str]
) -> tuple[list[Any], dict[str, Any], list[str]]:
    """What the function is given, by the names of its parameters; or the names that stand for nothing (yet). Raises ValueError."""
    parameters = inspect.signature(metric.eval_fn).parameters
    if len(parameters) == 2 and "predictions" not in parameters and "targets" not in parameters and "metrics" not in parameters:
        return [table.copy(), _numbers(values)], {}, []
    mapping = evaluation.config.get("col_mapping") or {}
    arguments: list[Any] = []
    named: dict[str, Any] = {}
    missing: list[str] = []
    for name, parameter in parameters.items():
        if parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
            continue
        known, value = _lookup(mapping.get(name, name), evaluation, table, others, values, used)
        if not known and parameter.default is not inspect.Parameter.empty:
            known, value = True, parameter.default
        if not known:
            missing.append(name)
        elif parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            named[name] = value
        else:
            arguments.append(value)
    return arguments, named, missing


def _lookup(
    key: Any, evaluation: Evaluation, table: Any, others: Any, values: Mapping[str, MetricValue], used: set[str]
) -> tuple[bool, Any]:
    if not isinstance(key, str):
        return True, key  # the mapping may hold the values themselves
    if key == "predictions" or (key == evaluation.predictions_name is not None):
        return True, table["prediction"].copy()
    if key == "targets" or (key == evaluation.targets_name is not None):
        return ("target" in table.columns), (table["target"].copy() if "target" in table.columns else None)
    if key == "metrics":
        return True, dict(values)
    if key in evaluation.frame.columns:
        return True, evaluation.frame[key].copy()
    if others is not None and key in others.columns:
        used.add(key)
        return True, others[key].copy()
    if key == "sample_weights" and evaluation.weights is not None:
        return True, evaluation.weights
    if key in evaluation.config:
        return True, evaluation.config[key]
    found = next((value for name, value in values.items() if name.partition("/")[0] == key), None)
    return found is not None, found


def _numbers(values: Mapping[str, MetricValue]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, value in values.items():
        for part, number in (value.aggregate_results or {}).items():
            if number is not None:
                found[name if part == name.partition("/")[0] else f"{name}/{part}"] = float(number)
    return found


def _compute(
    metric: EvaluationMetric,
    arguments: list[Any],
    named: Mapping[str, Any],
    values: dict[str, MetricValue],
    report: Report,
    scored: dict[str, Any],
) -> None:
    value = report.attempt(metric.name, lambda: _checked(metric, metric.eval_fn(*arguments, **named)))
    if value is None:
        return
    name = f"{metric.name}/{metric.version}" if metric.version else metric.name
    values[name] = value
    found = _numbers({name: value})
    report.metrics |= found
    report.better |= dict.fromkeys(found, metric.greater_is_better)
    if value.scores:
        scored[name if metric.name == _LATENCY else f"{name}/score"] = value.scores
    if value.justifications:
        scored[f"{name}/justification"] = value.justifications


def _checked(metric: EvaluationMetric, value: Any) -> MetricValue:
    """A MetricValue, made of a number if it was one. Raises InvalidValue for anything else."""
    if isinstance(value, int | float | np.number) and not isinstance(value, bool):
        return MetricValue(aggregate_results={metric.name: float(value)})
    # of MLflow's own class too: its metrics work here
    if not all(hasattr(value, part) for part in ("scores", "justifications", "aggregate_results")):
        raise InvalidValue(f"it returned {type(value).__name__}; a metric returns a number or a MetricValue")
    numbers = value.aggregate_results or {}
    wrong = [part for part, number in numbers.items() if not (number is None or isinstance(number, int | float | np.number))]
    if wrong:
        raise InvalidValue(f"its aggregate {wrong[0]!r} is {type(numbers[wrong[0]]).__name__}, not a number")
    return MetricValue(value.scores, value.justifications, dict(numbers))


def _keep_scores(evaluation: Evaluation, report: Report, predictions: Any, others: Any, scored: Mapping[str, Any], used: set[str]) -> None:
    """MLflow's table with a row for each row of the data: what the model got, what it said, and its scores."""
    frame = evaluation.features.reset_index(drop=True)
    if evaluation.targets is not None:
        frame = frame.assign(**{evaluation.targets_name or "target": evaluation.targets})
    frame = frame.assign(**{evaluation.predictions_name or "outputs": list(predictions)})
    for name in sorted(used):
        frame[name] = others[name].to_numpy()
    for name, values in scored.items():
        if len(values) != len(frame):
            report.failures[name] = f"it has {len(values)} values for {len(frame)} rows"
        else:
            frame[name] = list(values)
    report.file(TABLE, f"{TABLE}.json", frame.to_json(orient="split", index=False, date_format="iso").encode())


def _add_artifacts(function: Any, place: int, table: Any, report: Report) -> None:
    label = getattr(function, "__name__", f"custom_artifacts[{place}]")
    with tempfile.TemporaryDirectory(prefix="drupe-artifacts-") as folder:
        metrics = {name: _Number(name, value) for name, value in report.metrics.items()}
        made = report.attempt(label, lambda: function(table.copy(), metrics, folder))
        if made is None:
            report.failures.setdefault(label, "it returned None; a function of custom_artifacts returns a dict of artifacts by name")
            return
        if not isinstance(made, dict) or not all(isinstance(name, str) for name in made):
            report.failures[label] = (
                f"it returned {type(made).__name__}; a function of custom_artifacts returns a dict of artifacts by name"
            )
            return
        for name, artifact in made.items():
            report.attempt(f"{label}/{name}", partial(_keep, name, artifact, report))


def _keep(name: str, artifact: Any, report: Report) -> None:
    if "/" in name or "\\" in name or name in ("", ".", ".."):
        raise InvalidValue(f"{name!r} is no name for a file")
    if name in report.artifacts:
        raise InvalidValue("there is an artifact of that name already")
    suffix, content = _as_bytes(artifact)
    report.file(name, f"{name}{suffix}", content)


def _as_bytes(artifact: Any) -> tuple[str, bytes]:
    """How it is written, as MLflow writes it: the ending of the file and its bytes."""
    if isinstance(artifact, str) and not _is_file(artifact):
        try:
            json.loads(artifact)
        except ValueError as fault:
            raise InvalidValue("the text is neither the path of a file nor JSON") from fault
        return ".json", artifact.encode()
    if isinstance(artifact, str | Path):
        path = Path(artifact)
        if path.suffix.lower() not in _KINDS or not path.is_file():
            raise InvalidValue(f"{path.name!r} is no file that can be kept; its name must end with {', '.join(_KINDS)}")
        return path.suffix.lower(), path.read_bytes()
    if isinstance(artifact, pd.DataFrame):
        return ".csv", artifact.to_csv(index=False).encode()
    if hasattr(artifact, "savefig"):
        with tempfile.SpooledTemporaryFile() as file:
            artifact.savefig(file, format="png")
            file.seek(0)
            return ".png", file.read()
    with tempfile.SpooledTemporaryFile() as file:
        if isinstance(artifact, np.ndarray):
            np.save(file, artifact, allow_pickle=False)
            file.seek(0)
            return ".npy", file.read()
    try:
        return ".json", json.dumps(artifact, default=_plain).encode()
    except (TypeError, ValueError):
        log.warning("an artifact of type %s is kept as a pickle, which runs code when it is read", type(artifact).__name__)
        return ".pickle", pickle.dumps(artifact)


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except OSError:  # too long for a path, as JSON may be
        return False


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(type(value).__name__)

"""`evaluate`: takes the arguments apart, asks the evaluators, and keeps what they found. MLflow's argument names and order."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from attrs import frozen

from drupe.artifacts.progress import progress_bar
from drupe.errors import DrupeError, InvalidValue, PluginUnusable
from drupe.evaluation.choosing import Chosen, choose_evaluators
from drupe.evaluation.elsewhere import JudgedElsewhere
from drupe.evaluation.judged import Judged, judged
from drupe.evaluation.keeping import Kept, keep
from drupe.evaluation.results import EvaluationArtifact, EvaluationResult
from drupe.evaluation.rows import WEIGHTS, Rows, rows_of
from drupe.evaluation.thresholds import MetricThreshold, validate_evaluation_results
from drupe.extend import Evaluation, EvaluationMetric, Findings
from drupe.tracking.autolog.guard import inside

__all__ = ["evaluate"]

log = logging.getLogger("drupe.evaluation")

BIG_ROWS = 20_000
"""From so many rows on, somebody at a terminal is shown what is being done."""
_PREFIX = "metric_prefix"
_STEPS = 100


def evaluate(
    model: Any = None,
    data: Any = None,
    *,
    model_type: str | None = None,
    targets: Any = None,
    predictions: Any = None,
    dataset_path: str | None = None,
    feature_names: Sequence[str] | None = None,
    evaluators: str | Sequence[str] | None = None,
    evaluator_config: Mapping[str, Any] | None = None,
    custom_metrics: Sequence[EvaluationMetric] | None = None,
    extra_metrics: Sequence[EvaluationMetric] | None = None,
    custom_artifacts: Sequence[Callable[..., Any]] | None = None,
    validation_thresholds: Mapping[str, MetricThreshold] | None = None,
    baseline_model: Any = None,
    env_manager: str | None = "local",
    model_config: Mapping[str, Any] | str | None = None,
    baseline_config: Mapping[str, Any] | str | None = None,
    inference_params: Mapping[str, Any] | None = None,
    model_id: str | None = None,
    slices: Sequence[str] | str | None = None,
    log_results: bool = True,
    run_id: str | None = None,
    run_name: str | None = None,
    experiment_id: str | None = None,
) -> EvaluationResult:
    """Judge a model, or predictions, on data whose true values are known, and put the results on the active run (one is started if none is).

        result = drupe.evaluate("models:/churn@champion", test, targets="churned", model_type="classifier", slices=["region", "age > 60"])
        result.metrics["roc_auc"], result.tables["slice_metrics"]

    `model` is an address, a loaded model, an object with `predict`, or a function of a DataFrame; None where `predictions` names a column
    with predictions. `data` is a DataFrame, array, dict of columns, described dataset or address of a file; `targets` a column or values.
    `model_type` is `classifier` or `regressor`; without one, and without metrics of your own, the model and the targets decide.
    `extra_metrics` are made with `make_metric`, `custom_artifacts` are functions of (DataFrame with `prediction` and `target`, metrics,
    folder) that return a dict of artifacts. `slices` are columns or queries: each part is judged by itself. `baseline_model` is judged on
    the same rows; with `validation_thresholds`, missing one raises ThresholdsMissed after everything was kept. `log_results` False keeps
    nothing; `env_manager` other than `local` (uv, virtualenv) lets a model that is given by its address predict in its own environment;
    `run_id`, `run_name` and `experiment_id` are for the run that is started where none is active. Raises InvalidValue for arguments that do
    not fit, ModelError when the model fails, and what loading it raises.
    """
    metrics = _metrics(extra_metrics, custom_metrics)
    mapping = (evaluator_config or {}).get("col_mapping") or {}
    targets = mapping.get(targets, targets) if isinstance(targets, str) else targets
    predictions = mapping.get(predictions, predictions) if isinstance(predictions, str) else predictions
    rows = rows_of(
        data,
        targets=targets,
        predictions=predictions,
        weights=_setting(evaluator_config, WEIGHTS),
        feature_names=feature_names,
        dataset_path=dataset_path,
        has_model=model is not None,
    )
    if model is None and rows.predictions is None:
        raise InvalidValue("there is nothing to judge: give a model, or name the column with predictions (predictions=…)")
    with ExitStack() as until:
        subject = judged(
            model, model_config=model_config, params=inference_params, env_manager=env_manager, is_array=rows.is_array, until=until
        )
        if model_type is None and not metrics and evaluators is None:
            model_type = _type_of(subject, rows)
        if model_type in ("classifier", "regressor") and rows.targets is None:
            raise InvalidValue(f"to judge a {model_type}, the true values must be known: targets=…")
        chosen = choose_evaluators(evaluators, evaluator_config, model_type)
        asked = _Asked(rows, model_type, metrics, tuple(custom_artifacts or ()), _slices(slices))
        begin = {"run_id": run_id, "run_name": run_name, "experiment_id": experiment_id}
        kept = Kept.of(subject, rows.dataset, model_id, _context(chosen), begin) if log_results else None
        # what is computed here is no training, and autologging leaves it alone
        with inside(), tempfile.TemporaryDirectory(prefix="drupe-evaluation-") as place, _telling(len(rows.frame)) as tell:
            result = _asked_all(chosen, subject, asked, Path(place) / "model", tell)
            if baseline_model is not None:
                before = judged(baseline_model, model_config=baseline_config, env_manager=env_manager, is_array=rows.is_array, until=until)
                plain = _Asked(rows, model_type, metrics, draws=False)
                result.baseline = _asked_all(chosen, before, plain, Path(place) / "baseline", tell)
            if kept is not None:
                keep(result, kept)
    for name, reason in result.failures.items():
        log.warning("%s could not be evaluated: %s", name, reason)
    if validation_thresholds is not None:
        validate_evaluation_results(validation_thresholds, result, result.baseline)
    return result


@frozen(eq=False)
class _Asked:
    """What all evaluators are asked, whatever they are."""

    rows: Rows
    model_type: str | None
    metrics: Sequence[EvaluationMetric]
    artifacts: Sequence[Callable[..., Any]] = ()
    slices: Sequence[str] = ()
    draws: bool = True

    def evaluation(self, subject: Judged | JudgedElsewhere | None, config: Mapping[str, Any], folder: Path, tell: Any) -> Evaluation:
        rows = self.rows
        names = subject.feature_names if subject is not None else None
        features = rows.features[names] if names and all(name in rows.features.columns for name in names) else rows.features
        return Evaluation(
            frame=rows.frame,
            features=features,
            folder=folder,
            targets=rows.targets,
            predictions=rows.predictions,
            weights=rows.weights,
            model=subject,
            model_type=self.model_type,
            targets_name=rows.targets_name,
            predictions_name=rows.predictions_name,
            config=config,
            slices=self.slices,
            extra_metrics=self.metrics,
            custom_artifacts=self.artifacts,
            draws=self.draws,
            tell=tell,
        )


def _asked_all(
    chosen: Sequence[Chosen], subject: Judged | JudgedElsewhere | None, asked: _Asked, place: Path, tell: Any
) -> EvaluationResult:
    """One result of what all evaluators found; the files are named as they will be on the run."""
    result = EvaluationResult({}, {})
    for place_in_list, one in enumerate(chosen):
        folder = place / str(place_in_list)
        folder.mkdir(parents=True)
        findings = _asked_one(one, asked.evaluation(subject, one.config, folder, tell))
        prefix = str(one.config.get(_PREFIX) or "")
        result.metrics |= {f"{prefix}{name}": float(value) for name, value in findings.metrics.items()}
        result.better |= {f"{prefix}{name}": bool(value) for name, value in findings.better.items()}
        result.failures |= {f"{prefix}{name}": str(reason) for name, reason in findings.failures.items()}
        for name, file in findings.artifacts.items():
            result.artifacts[name] = EvaluationArtifact(f"{prefix}{file}", (folder / file).read_bytes())
    return result


def _asked_one(one: Chosen, evaluation: Evaluation) -> Findings:
    try:
        findings = one.evaluator.evaluate(evaluation)
    except (DrupeError, KeyboardInterrupt, MemoryError):
        raise
    except Exception as fault:  # a plugin's own code
        raise PluginUnusable(f"the evaluator {one.name!r} failed: {type(fault).__name__}: {fault}", evaluator=one.name) from fault
    if not isinstance(findings, Findings):
        raise PluginUnusable(f"the evaluator {one.name!r} must return Findings, and returned {type(findings).__name__}", evaluator=one.name)
    return findings


def _metrics(extra: Sequence[EvaluationMetric] | None, custom: Sequence[EvaluationMetric] | None) -> tuple[EvaluationMetric, ...]:
    if extra and custom:
        raise InvalidValue("custom_metrics is the older name of extra_metrics; give extra_metrics alone")
    given = tuple(extra or custom or ())
    wrong = [metric for metric in given if not isinstance(metric, EvaluationMetric)]
    if wrong:
        raise InvalidValue(f"extra_metrics has a {type(wrong[0]).__name__}; make a metric of a function with drupe.make_metric(eval_fn=…)")
    return given


def _slices(given: Sequence[str] | str | None) -> tuple[str, ...]:
    found = (given,) if isinstance(given, str) else tuple(given or ())
    if not all(isinstance(one, str) and one.strip() for one in found):
        raise InvalidValue(f"slices are names of columns or queries such as 'age > 60'; got {given!r}")
    return found


def _setting(config: Mapping[str, Any] | None, key: str) -> Any:
    """A key of the configuration, wherever in it it stands: for all evaluators, or for one of them."""
    config = config or {}
    nested = (part.get(key) for part in config.values() if isinstance(part, Mapping))
    return config[key] if key in config else next((value for value in nested if value is not None), None)


def _context(chosen: Sequence[Chosen]) -> str | None:
    return next((str(one.config[_PREFIX]) for one in chosen if one.config.get(_PREFIX)), None)


def _type_of(subject: Judged | JudgedElsewhere | None, rows: Rows) -> str | None:
    """What kind of model it seems to be: by the model, else by the true values."""
    if rows.targets is None:
        raise InvalidValue("without model_type, evaluate needs targets, or metrics of your own (extra_metrics=…)")
    if subject is not None and (subject.classes is not None or subject.has_probabilities):
        return "classifier"
    kind = rows.targets.dtype.kind
    if kind not in "iu":
        return "regressor" if kind == "f" else "classifier"
    raise InvalidValue("the targets are whole numbers, which may be classes or amounts: say model_type='classifier' or 'regressor'")


@contextmanager
def _telling(rows: int) -> Iterator[Any]:
    """Says what is being done: in the log always, on a terminal where there is much to do."""
    with progress_bar(f"evaluating {rows:,} rows", is_count=True) as bar:

        def tell(what: str, share: float | None = None, /) -> None:
            log.debug("%s (%d rows)", what, rows)
            if bar is not None and rows >= BIG_ROWS:
                bar(round(_STEPS * (share or 0)), _STEPS, what)

        yield tell

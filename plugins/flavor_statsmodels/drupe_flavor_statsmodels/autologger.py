"""Autologging of statsmodels: every `fit` of a model, those of classes that are imported later and the user's own included."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

import numpy as np

from drupe import data
from drupe.extend import Autologger, AutologOptions, Call, Patches, Training, TrainingRun
from drupe.models import infer_signature, log_model

__all__ = ["StatsmodelsAutologger"]

_METRICS = (
    *("aic", "bic", "centered_tss", "condition_number", "df_model", "df_resid", "ess", "f_pvalue", "fvalue", "llf"),
    *("mse_model", "mse_resid", "mse_total", "rsquared", "rsquared_adj", "scale", "ssr", "uncentered_tss"),
)
"""What MLflow logs of a result, where it has it."""
_ROWS = 5


class _Fit(Training):
    """One call of `fit`."""

    def __init__(self, call: Call, options: AutologOptions) -> None:
        self.model, self.options = call.target, options
        try:
            bound = inspect.signature(call.function).bind(*call.args, **call.kwargs)
            bound.apply_defaults()
            self.given = dict(list(bound.arguments.items())[1:])
        except TypeError:  # the call does not fit the method, which will say so itself
            self.given = {}

    def begin(self, run: TrainingRun) -> None:
        """Log what `fit` is given, and the data of the model."""
        run.set_tags({"estimator_name": type(self.model).__name__})
        further = self.given.pop("kwargs", None)
        run.log_params({**self.given, **(further if isinstance(further, dict) else {})})
        if self.options.log_datasets:
            run.attempt("the data set", lambda: self._log_data(run))

    def finish(self, run: TrainingRun, result: Any) -> None:
        """Log metrics, summary and model."""
        metrics: dict[str, Any] = {}
        for name in _METRICS:
            value = run.attempt(f"the metric {name}", lambda name=name: getattr(result, name, None))  # type: ignore[misc]  # bound now
            if np.isscalar(value) and not isinstance(value, str):
                metrics[name] = value
        run.log_metrics(metrics)
        if hasattr(result, "summary"):
            run.attempt("the summary", lambda: run.log_files({"model_summary.txt": result.summary().as_text().encode()}))
        if self.options.log_models:
            run.attempt("the model", lambda: self._log_model(run, result))

    def _log_data(self, run: TrainingRun) -> None:
        features, targets = getattr(self.model, "exog", None), getattr(self.model, "endog", None)
        if features is None and targets is None:
            return
        if features is None:  # a time series
            features, targets = targets, None
        run.log_input(data.from_numpy(np.asarray(features), targets=None if targets is None else np.asarray(targets)), "train")

    def _log_model(self, run: TrainingRun, result: Any) -> None:
        if not hasattr(result, "save"):
            return  # of a regularised fit, for one: nothing that predicts
        rows = self._rows()
        signature: Any = False
        if self.options.log_model_signatures and rows is not None:
            signature = run.attempt("the signature", lambda: infer_signature(rows, result.predict(rows))) or False
        log_model(
            result,
            "model",
            flavor="statsmodels",
            run_id=run.run_id,
            metric_steps=run.last_steps,
            signature=signature,
            input_example=rows if self.options.log_input_examples else None,
            registered_model_name=self.options.registered_model_name,
        )

    def _rows(self) -> Any:
        """The first rows of the data as the user gave them; None for a time series, and for a formula, which has its own names."""
        source = getattr(self.model, "data", None)
        if _is_time_series(self.model):
            return None
        frame = getattr(source, "frame", None)  # what a formula was given
        if frame is not None:
            return frame.iloc[:_ROWS].copy()
        given = getattr(source, "orig_exog", None)
        if given is None:
            return None
        return given.iloc[:_ROWS].copy() if hasattr(given, "iloc") else np.array(given[:_ROWS])


def _is_time_series(model: Any) -> bool:
    return any(kind.__module__ == "statsmodels.tsa.base.tsa_model" for kind in type(model).__mro__)


class StatsmodelsAutologger(Autologger):
    """Logs the fits of statsmodels."""

    library = "statsmodels"
    distribution = "statsmodels"
    versions = ("0.14", "0.15")

    def install(self, patches: Patches, options: AutologOptions) -> None:
        """Watch `fit` of every class below `statsmodels.base.model.Model`, as soon as that is imported."""

        def fit(call: Call) -> Training:
            return _Fit(call, options)

        def watch(module: ModuleType) -> None:
            root = module.Model
            for kind in _family(root):
                patches.trains(kind, "fit", fit)
            patches.derives(root, lambda kind: patches.trains(kind, "fit", fit))

        patches.when_imported("statsmodels.base.model", watch)


def _family(kind: type) -> list[type]:
    derived: list[type] = kind.__subclasses__()
    return [kind, *(each for one in derived for each in _family(one))]

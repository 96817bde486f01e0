"""What is logged of one fit: params and tags before it; metrics, plots, the estimator as HTML, data and model after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn.utils import estimator_html_repr

from drupe.errors import MissingRequirement
from drupe.extend import Call, Training, TrainingRun
from drupe.models import infer_signature, log_model
from drupe_flavor_sklearn.autolog import searches
from drupe_flavor_sklearn.autolog.arguments import Given, first_rows, given_to, row_count
from drupe_flavor_sklearn.autolog.datasets import described, in_pandas
from drupe_flavor_sklearn.autolog.estimators import class_name
from drupe_flavor_sklearn.autolog.plots import confusion_matrix_png, precision_recall_png, roc_png
from drupe_flavor_sklearn.autolog.scores import Predicted, predicted, training_metrics
from drupe_flavor_sklearn.autolog.unchanged import random_numbers_kept, writes_into_data

__all__ = ["EXAMPLE_ROWS", "Fit"]

EXAMPLE_ROWS = 5
SIGNATURE_ROWS = 10_000
"""Enough rows to see the type of a column and, most often, whether values are missing."""


class Fit(Training):
    """One call of `fit`, `fit_predict` or `fit_transform`. `fitted` is told of the model, its run and its id afterwards.

    Libraries with estimators in scikit-learn's manner derive from it: `flavor` is the one that keeps the model.
    """

    flavor = "sklearn"

    def __init__(self, call: Call, options: Any, fitted: Callable[[Any, str, str | None], None]) -> None:
        self.model, self.options, self._fitted = call.target, options, fitted
        try:
            self.given = given_to(call)
        except TypeError:  # the call does not fit the method, which will say so itself
            self.given = Given()
        self.parts = self.model.get_params(deep=True)
        if writes_into_data(self.parts):
            self.given = self.given.copied()

    def begin(self, run: TrainingRun) -> None:
        """Log the estimator's class and params; of a search only its own, as those of its estimator are the candidates' matter."""
        kind = type(self.model)
        run.set_tags({"estimator_name": kind.__name__, "estimator_class": class_name(kind)})
        run.log_params(self.model.get_params(deep=False) if searches.is_search(self.model) else self.parts)

    def finish(self, run: TrainingRun, result: Any) -> None:
        """Log what came of it, part by part."""
        model_id = None
        with random_numbers_kept(self.parts):
            run.attempt("the metrics and files of a fit", lambda: self._results(run))
            if self.options.log_models:
                model_id = run.attempt("the model", lambda: self._log_models(run))
        self._fitted(self.model, run.run_id, model_id)

    def _results(self, run: TrainingRun) -> None:
        seen = (
            run.attempt("predictions for the training data", lambda: predicted(self.model, self._data())) if self.given.is_table else None
        )
        metrics = training_metrics(run, self.model, self._data(), seen, self._pos_label()) if self.given.is_table else {}
        files = self._pictures(run, seen)
        page = run.attempt("the estimator as HTML", lambda: estimator_html_repr(self.model))
        if page is not None:
            files["estimator.html"] = page.encode()
        if searches.is_search(self.model):
            run.attempt("the candidates of the search", lambda: self._search(run, metrics, files))
        run.log_metrics(metrics)
        run.attempt("plots and tables", lambda: run.log_files(files))
        if self.options.log_datasets and self.given.is_table:
            run.attempt("the data set", lambda: run.log_input(described(self.given.X, self.given.y), "train"))

    def _data(self) -> Given:
        """The training data, or a copy of it where predicting may write into it."""
        return self.given.copied() if writes_into_data(self.parts) else self.given

    def _pictures(self, run: TrainingRun, seen: Predicted | None) -> dict[str, bytes]:
        if seen is None or seen.kind not in ("binary", "multiclass"):
            return {}
        wanted = {
            "training_confusion_matrix.png": confusion_matrix_png,
            "training_roc_curve.png": roc_png,
            "training_precision_recall_curve.png": precision_recall_png,
        }
        made: dict[str, bytes] = {}
        for name, draw in wanted.items():
            picture = run.attempt(name, lambda draw=draw: _drawn(run, draw, seen))  # type: ignore[misc]  # the loop's variable, bound now
            if picture is not None:
                made[name] = picture
        return made

    def _search(self, run: TrainingRun, metrics: dict[str, float], files: dict[str, bytes]) -> None:
        params, scores = searches.best(self.model)
        metrics.update(scores)
        run.log_params(params)
        files["cv_results.csv"] = searches.results_csv(self.model)
        searches.candidates(run, self.model, self.options.max_tuning_runs)

    # --- the model

    def _log_models(self, run: TrainingRun) -> str | None:
        """The id of the model, where the store keeps such."""
        example = self._example()
        signature: Any = False
        if self.options.log_model_signatures and self.given.is_table:
            signature = run.attempt("the signature", self._signature) or False
        given = {
            "metric_steps": run.last_steps,
            "signature": signature,
            "input_example": example if self.options.log_input_examples else None,
            **self.model_options(),
        }
        chosen = getattr(self.model, "best_estimator_", None) if searches.is_search(self.model) else None
        if chosen is not None:
            run.attempt("the best estimator", lambda: log_model(chosen, "best_estimator", flavor=self.flavor, run_id=run.run_id, **given))
        return log_model(
            self.model,
            "model",
            flavor=self.flavor,
            run_id=run.run_id,
            registered_model_name=self.options.registered_model_name,
            **given,
        ).model_id

    def model_options(self) -> dict[str, Any]:
        """The flavor's own options for keeping the model."""
        return {"serialization_format": self.options.serialization_format}

    def _pos_label(self) -> Any:
        return self.options.pos_label

    def _example(self) -> Any:
        return in_pandas(first_rows(self.given.X, EXAMPLE_ROWS)) if self.given.is_table else None

    def _signature(self) -> Any:
        """Of what goes in and what the generic model gives: the output of `predict`, where there is one."""
        rows = first_rows(self.given.X, SIGNATURE_ROWS) if (row_count(self.given.X) or 0) > SIGNATURE_ROWS else self._data().X
        outputs = self.model.predict(first_rows(rows, EXAMPLE_ROWS)) if hasattr(self.model, "predict") else None
        return infer_signature(in_pandas(rows), outputs)


def _drawn(run: TrainingRun, draw: Callable[[Predicted], bytes | None], seen: Predicted) -> bytes | None:
    try:
        return draw(seen)
    except MissingRequirement as fault:
        run.warn(f"no plots are made: {fault.message}")
        return None

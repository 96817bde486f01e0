"""What is logged of one call of a library's `train(params, data, …)`: params, data sets, metrics of each iteration, importance, the booster."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from drupe.extend import AutologOptions, Call, Training, TrainingRun
from drupe.models import infer_signature, log_model
from drupe_flavor_boosting.first_rows import FirstRows
from drupe_flavor_boosting.importance import log_importance
from drupe_flavor_boosting.iterations import Iterations
from drupe_flavor_sklearn.autolog.arguments import first_rows

__all__ = ["EXAMPLE_ROWS", "BoostingTrain"]

EXAMPLE_ROWS = 5


class BoostingTrain(Training):
    """One call of `train`. A subclass names what is the library's own."""

    flavor: ClassVar[str]
    importance_types: tuple[str, ...] = ()
    not_params: ClassVar[frozenset[str]] = frozenset()
    """Arguments that are no params: data, functions, models."""

    def __init__(self, call: Call, options: AutologOptions, rows: FirstRows) -> None:
        self.options, self.rows = options, rows
        try:
            bound = inspect.signature(call.function).bind(*call.args, **call.kwargs)
            bound.apply_defaults()
            self.given: Mapping[str, Any] = bound.arguments
        except TypeError:  # the call does not fit the function, which will say so itself
            self.given = {}

    def begin(self, run: TrainingRun) -> None:
        """Log params and data sets: the library may give the data free while it trains."""
        self.iterations = Iterations(run)
        named = {name: value for name, value in self.given.items() if name not in self.not_params}
        params = self.given.get("params")
        run.log_params({**(params if isinstance(params, Mapping) else {}), **named})
        if self.options.log_datasets and self.given:
            run.attempt("the data sets", lambda: self.log_datasets(run))
        data = self.given.get(self.data_argument())
        self.sample = None if data is None else self.rows.of(data)

    def finish(self, run: TrainingRun, result: Any) -> None:
        """Log what came of it, part by part."""
        run.attempt("the best iteration", lambda: self._best(result))
        log_importance(run, self.importance_types, lambda kind: self.importance(result, kind))
        if self.options.log_models:
            run.attempt("the model", lambda: self._log_model(run, result))

    @abstractmethod
    def data_argument(self) -> str:
        """The name of the argument with the training data."""

    @abstractmethod
    def log_datasets(self, run: TrainingRun) -> None:
        """Log the training data as `train` and those of evaluations as `eval`."""

    @abstractmethod
    def importance(self, booster: Any, kind: str) -> Mapping[str, Any]:
        """The importance of each feature."""

    @abstractmethod
    def best(self, booster: Any) -> tuple[int, int, int] | None:
        """(best iteration, where it stopped, as the library counts; place of the best among those seen); None without early stopping."""

    @abstractmethod
    def predicted(self, booster: Any, rows: Any) -> Any:
        """What the generic model will give for these rows."""

    def model_options(self) -> dict[str, Any]:
        """The flavor's own options for keeping the booster."""
        return {}

    def _best(self, booster: Any) -> None:
        found = self.best(booster)
        if found is not None:
            best, stopped, place = found
            seen = self.iterations.seen
            self.iterations.log_best(best, stopped, seen[place] if 0 <= place < len(seen) else {})

    def _log_model(self, run: TrainingRun, booster: Any) -> None:
        signature: Any = False
        if self.options.log_model_signatures and self.sample is not None:
            rows = self.sample
            signature = run.attempt("the signature", lambda: infer_signature(rows, self.predicted(booster, rows))) or False
        example = first_rows(self.sample, EXAMPLE_ROWS) if self.options.log_input_examples and self.sample is not None else None
        log_model(
            booster,
            "model",
            flavor=self.flavor,
            run_id=run.run_id,
            metric_steps=run.last_steps,
            signature=signature,
            input_example=example,
            registered_model_name=self.options.registered_model_name,
            **self.model_options(),
        )

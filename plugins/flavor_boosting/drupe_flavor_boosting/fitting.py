"""What is logged of one fit of an estimator: what scikit-learn's autologging logs, and the iterations, importance and data sets beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from drupe.extend import AutologOptions, Call, TrainingRun
from drupe_flavor_boosting.importance import log_importance
from drupe_flavor_boosting.iterations import Iterations
from drupe_flavor_sklearn.autolog.datasets import described
from drupe_flavor_sklearn.autolog.fitting import Fit

__all__ = ["BoostingFit"]


class BoostingFit(Fit):
    """One call of `fit`. A subclass says what the library's own names are: `importance`, `best`, `evaluated`."""

    importance_types: ClassVar[tuple[str, ...]] = ()

    def __init__(self, call: Call, options: AutologOptions) -> None:
        super().__init__(call, options, lambda model, run_id, model_id: None)
        self.call = call
        if type(self.model).__module__.partition(".")[0] != self.flavor:
            self.flavor = "sklearn"  # a class of the user's own, which the library's files cannot bring back

    def begin(self, run: TrainingRun) -> None:
        """Log params and tags, and be ready for the first iteration."""
        super().begin(run)
        self.iterations = Iterations(run)

    def finish(self, run: TrainingRun, result: Any) -> None:
        """Log what came of it, part by part."""
        run.attempt("the best iteration", self._best)
        log_importance(run, self.importance_types, self.importance)
        if self.options.log_datasets:
            run.attempt("the data sets of evaluations", lambda: self._evaluated(run))
        super().finish(run, result)

    def importance(self, kind: str) -> Mapping[str, Any]:
        """The importance of each feature."""
        raise NotImplementedError

    def best(self) -> tuple[int, int, int] | None:
        """(best iteration, where it stopped, as the library counts; place of the best among those seen); None without early stopping."""
        raise NotImplementedError

    def evaluated(self) -> list[tuple[Any, Any]]:
        """The data and targets that the fit was watched on."""
        raise NotImplementedError

    def model_options(self) -> dict[str, Any]:
        """None beyond what every flavor takes."""
        return {}

    def _pos_label(self) -> Any:
        return None

    def _best(self) -> None:
        found = self.best()
        if found is not None:
            best, stopped, place = found
            seen = self.iterations.seen
            self.iterations.log_best(best, stopped, seen[place] if 0 <= place < len(seen) else {})

    def _evaluated(self, run: TrainingRun) -> None:
        for X, y in self.evaluated():
            if X is not self.given.X:
                run.log_input(described(X, y), "eval")

"""What a search over parameters (grid, random, halving) found: the best on the run of the search, the candidates as child runs in their order."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from drupe.extend import TrainingRun
from drupe_flavor_sklearn.autolog.estimators import class_name

__all__ = ["RANK_TAG", "best", "candidates", "is_search", "results_csv"]

RANK_TAG = "drupe.rank"
_SEARCH = GridSearchCV.__bases__[0]  # what grid, random and halving searches have in common; its own name is private


def is_search(model: Any) -> bool:
    """True for GridSearchCV and its like."""
    return isinstance(model, _SEARCH)


def best(search: Any) -> tuple[dict[str, Any], dict[str, float]]:
    """Params `best_…` and the metric `best_cv_score` of a search that has chosen one; empty for one that has not."""
    params = {f"best_{name}": value for name, value in getattr(search, "best_params_", {}).items()}
    score = getattr(search, "best_score_", None)
    return params, {} if score is None else {"best_cv_score": float(score)}


def results_csv(search: Any) -> bytes:
    """`cv_results_` as a table, a row for each candidate."""
    columns = {name: list(values) for name, values in search.cv_results_.items()}
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return stream.getvalue().encode()


def candidates(run: TrainingRun, search: Any, at_most: int | None) -> int:
    """Log the best candidates as child runs, the first first; all when `at_most` is None. Returns how many there were."""
    results = search.cv_results_
    ranks = _ranks(search)
    order = sorted(range(len(results["params"])), key=lambda place: (ranks[place], place))
    for place in order if at_most is None else order[:at_most]:
        _candidate(run, search.estimator, results, place, int(ranks[place]))
    return len(order)


def _candidate(run: TrainingRun, estimator: Any, results: Mapping[str, Any], place: int, rank: int) -> None:
    chosen = results["params"][place]
    kind = type(chosen.get("estimator", estimator)) if isinstance(chosen, dict) else type(estimator)
    tags = {"estimator_name": kind.__name__, "estimator_class": class_name(kind), RANK_TAG: str(rank)}
    with run.child(tags) as child:
        child.attempt("the params of a candidate", lambda: child.log_params(_params_with(estimator, chosen)))
        child.attempt("the metrics of a candidate", lambda: child.log_metrics(dict(_metrics(results, place))))


def _params_with(estimator: Any, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """All params of the estimator with the chosen ones, or those alone where the estimator cannot be copied."""
    try:
        return dict(clone(estimator).set_params(**clone(chosen, safe=False)).get_params(deep=True))
    except Exception:  # estimators of others; what was chosen is what matters
        return dict(chosen)


def _metrics(results: Mapping[str, Any], place: int) -> Iterator[tuple[str, float]]:
    """The columns of a candidate but for its params and single folds, which are in the table."""
    for name, values in results.items():
        if not name.startswith(("split", "param")) and np.ndim(values) == 1 and np.asarray(values).dtype.kind in "iuf":
            yield name, float(values[place])


def _ranks(search: Any) -> Any:
    """The place of each candidate in the order of the metric that the search refits by; of the first metric where it names none."""
    results = search.cv_results_
    metric = search.refit if isinstance(search.refit, str) else "score"
    found = results.get(f"rank_test_{metric}")
    if found is None:
        found = next((values for name, values in results.items() if name.startswith("rank_test_")), None)
    return np.zeros(len(results["params"]), dtype=int) if found is None else found

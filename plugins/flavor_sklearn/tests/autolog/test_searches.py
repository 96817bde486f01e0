"""Searches over parameters: one run with the best, child runs with the candidates in their order."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sklearn.experimental import enable_halving_search_cv  # noqa: F401  (makes the import below possible)
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, RandomizedSearchCV, cross_val_score

import drupe
from drupe.entities import Run, RunStatus

Runs = Callable[[], list[Run]]


@pytest.fixture(autouse=True)
def on(workspace: Path) -> None:
    drupe.sklearn.autolog(log_models=False)


def family(found: list[Run]) -> tuple[Run, list[Run]]:
    """The one run without a parent, and its children by rank."""
    (parent,) = [run for run in found if "mlflow.parentRunId" not in run.data.tags]
    children = [run for run in found if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    assert len(found) == 1 + len(children)
    return parent, sorted(children, key=lambda run: (int(run.data.tags["drupe.rank"]), run.info.start_time))


def test_a_grid_search_ranks_its_candidates(two_classes: tuple[Any, Any], runs: Runs) -> None:
    search = GridSearchCV(LogisticRegression(), {"C": [0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0]}, cv=3).fit(*two_classes)
    parent, children = family(runs())
    assert parent.data.params["best_C"] == str(search.best_params_["C"])
    assert parent.data.params["estimator"] == "LogisticRegression()"
    assert "estimator__C" not in parent.data.params
    assert parent.data.metrics["best_cv_score"] == pytest.approx(search.best_score_)
    assert parent.data.metrics["training_score"] == pytest.approx(search.score(*two_classes))
    assert len(children) == 5
    results = search.cv_results_
    order = sorted(range(7), key=lambda place: (results["rank_test_score"][place], place))[:5]
    assert [child.data.params["C"] for child in children] == [str(results["params"][place]["C"]) for place in order]
    assert [child.data.metrics["mean_test_score"] for child in children] == pytest.approx([results["mean_test_score"][p] for p in order])
    assert {child.info.status for child in children} == {RunStatus.FINISHED}
    assert set(children[0].data.metrics) == {
        *(f"{what}_{of}" for what in ("mean", "std") for of in ("fit_time", "score_time", "test_score")),
        "rank_test_score",
    }
    assert children[0].data.tags["estimator_name"] == "LogisticRegression"
    table = Path(drupe.download_artifacts(run_id=parent.info.run_id, artifact_path="cv_results.csv")).read_text()
    rows = list(csv.DictReader(table.splitlines()))
    assert [float(row["mean_test_score"]) for row in rows] == pytest.approx(list(results["mean_test_score"]))


@pytest.mark.parametrize(("at_most", "kept"), [(None, 7), (0, 0), (2, 2)])
def test_so_many_candidates_are_kept_as_was_asked(at_most: int | None, kept: int, two_classes: tuple[Any, Any], runs: Runs) -> None:
    drupe.sklearn.autolog(log_models=False, max_tuning_runs=at_most)
    GridSearchCV(LogisticRegression(), {"C": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]}, cv=2).fit(*two_classes)
    assert len(family(runs())[1]) == kept


def test_a_negative_number_of_candidates_is_refused() -> None:
    with pytest.raises(drupe.errors.InvalidSettings, match="max_tuning_runs is -1"):
        drupe.sklearn.autolog(max_tuning_runs=-1)


def test_other_searches_several_metrics_and_no_refit(two_classes: tuple[Any, Any], runs: Runs) -> None:
    grid = {"C": [0.1, 1.0, 10.0]}
    HalvingGridSearchCV(LogisticRegression(), grid, cv=2, random_state=0).fit(*two_classes)
    RandomizedSearchCV(LogisticRegression(), grid, n_iter=2, cv=2, random_state=0, scoring=["accuracy", "f1"], refit="f1").fit(*two_classes)
    GridSearchCV(LogisticRegression(), grid, cv=2, refit=False, scoring=["accuracy", "f1"]).fit(*two_classes)
    parents = [run for run in runs() if "mlflow.parentRunId" not in run.data.tags]
    names = [run.data.tags["estimator_name"] for run in parents]
    assert names == ["HalvingGridSearchCV", "RandomizedSearchCV", "GridSearchCV"]
    assert ["best_C" in run.data.params for run in parents] == [True, True, False]
    children = [run for run in runs() if run.data.tags.get("mlflow.parentRunId") == parents[1].info.run_id]
    assert {int(child.data.tags["drupe.rank"]) for child in children} <= {1, 2}
    assert {"mean_test_accuracy", "mean_test_f1"} <= set(children[0].data.metrics)


def test_the_best_estimator_is_a_model_of_its_own(two_classes: tuple[Any, Any], runs: Runs) -> None:
    drupe.sklearn.autolog(max_tuning_runs=0)
    GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2).fit(*two_classes)
    (run,) = runs()
    assert isinstance(drupe.sklearn.load_model(f"runs:/{run.info.run_id}/best_estimator"), LogisticRegression)
    assert isinstance(drupe.sklearn.load_model(f"runs:/{run.info.run_id}/model"), GridSearchCV)


IN_WORKERS = """
import sys, numpy, drupe
from joblib import parallel_backend
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
drupe.sklearn.autolog(log_models=False, max_tuning_runs=1)
X = numpy.random.default_rng(0).random((60, 3))
with parallel_backend(sys.argv[1], n_jobs=2):
    print(GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0, 2.0]}, cv=3).fit(X, X[:, 0] > 0.5).best_score_)
"""


@pytest.mark.usefixtures("quick_models")
@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
def test_fits_in_workers_are_part_of_the_search(backend: str, runs: Runs) -> None:
    # a process of its own: OpenMP, which other tests have used in this one, does not survive the fork of multiprocessing
    done = subprocess.run([sys.executable, "-c", IN_WORKERS, backend], capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == 0, done.stderr
    parent, children = family(runs())
    assert len(children) == 1
    assert parent.data.metrics["best_cv_score"] == pytest.approx(float(done.stdout))


def test_a_cross_validation_is_a_run_for_each_fit(two_classes: tuple[Any, Any], runs: Runs) -> None:
    cross_val_score(LogisticRegression(), *two_classes, cv=3)
    assert len(runs()) == 3


def test_a_search_that_fails_is_a_failed_run(two_classes: tuple[Any, Any], runs: Runs) -> None:
    with pytest.raises(ValueError, match="Invalid parameter"):
        GridSearchCV(LogisticRegression(), {"nothing": [1]}).fit(*two_classes)
    assert [run.info.status for run in runs()] == [RunStatus.FAILED]

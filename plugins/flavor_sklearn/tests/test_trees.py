"""Models of decision trees are kept as skops, load without trust, and are looked over before they predict."""

from __future__ import annotations

import functools
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingRegressor,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier

import drupe
from drupe.artifacts.manifest import read_manifest
from drupe.errors import InvalidModelFolder, InvalidValue, UntrustedModel
from drupe.testing.plugin import drupe_workspace
from drupe_flavor_sklearn.trees import check_trees

__all__ = ["drupe_workspace"]

pytestmark = pytest.mark.usefixtures("drupe_workspace")

X = np.random.default_rng(0).random((60, 4))
Y = (X[:, 0] + X[:, 1] > 1).astype(int)

MODELS: dict[str, Any] = {
    "one tree": DecisionTreeClassifier(max_depth=4),
    "a stump without a split": DecisionTreeClassifier(max_depth=1, min_samples_leaf=60),
    "forest": RandomForestClassifier(5),
    "forest of numbers": RandomForestRegressor(5),
    "extra trees": ExtraTreesRegressor(3),
    "boosting": GradientBoostingClassifier(n_estimators=3),
    "histograms": HistGradientBoostingClassifier(max_iter=3),
    "isolation": IsolationForest(n_estimators=3),
    "adaboost": AdaBoostClassifier(n_estimators=3),
    "bags of some features": BaggingRegressor(DecisionTreeClassifier(), 3, max_features=2),
    "pipeline": make_pipeline(StandardScaler(), RandomForestClassifier(3)),
}


def fitted(model: Any, x: Any = X) -> Any:
    return model.fit(np.column_stack([x[:, :3], np.floor(x[:, 3] * 5)]), Y)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_trees_are_kept_as_skops_and_load_without_trust(model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = fitted(model)
    drupe.sklearn.save_model(model, tmp_path / "m", pip_requirements=["scikit-learn"])
    assert read_manifest(tmp_path / "m").executes_code == ()  # type: ignore[union-attr]
    monkeypatch.setenv("DRUPE_MODELS_TRUST", "nobody")
    assert drupe.sklearn.load_model(tmp_path / "m").predict(X).tolist() == model.predict(X).tolist()


Damage = Callable[[Any], None]


def no_such_feature(nodes: Any) -> None:
    nodes["feature" if "feature" in nodes.dtype.names else "feature_idx"][0] = 4


def negative_feature(nodes: Any) -> None:
    nodes["feature" if "feature" in nodes.dtype.names else "feature_idx"][0] = -3


def beyond_the_end(nodes: Any) -> None:
    nodes["right_child" if "right_child" in nodes.dtype.names else "right"][0] = len(nodes) + 1000


def round_in_circles(nodes: Any) -> None:
    nodes["left_child" if "left_child" in nodes.dtype.names else "left"][0] = 0


def one_node_twice(nodes: Any) -> None:
    left, right = ("left_child", "right_child") if "left_child" in nodes.dtype.names else ("left", "right")
    nodes[left][0] = nodes[right][0]


@pytest.mark.parametrize("damage", [no_such_feature, negative_feature, beyond_the_end, round_in_circles, one_node_twice])
@pytest.mark.parametrize("name", ["one tree", "histograms"])
def test_a_tree_that_would_lead_compiled_code_astray_is_refused(name: str, damage: Damage, tmp_path: Path) -> None:
    drupe.sklearn.save_model(fitted(MODELS[name]), tmp_path / "m", pip_requirements=["scikit-learn"])
    _rewrite_nodes(tmp_path / "m" / "model.skops", damage)
    (tmp_path / "m" / "manifest.json").unlink()
    with pytest.raises(InvalidModelFolder, match=r"this \w+ cannot have been trained"):
        drupe.sklearn.load_model(tmp_path / "m")


def refused(model: Any) -> str:
    with pytest.raises(InvalidModelFolder) as told:
        check_trees(model)
    return told.value.message


def stages() -> Any:
    return fitted(GradientBoostingClassifier(n_estimators=3))


def test_an_estimator_that_takes_fewer_features_than_its_trees_use_is_refused() -> None:
    says = "asks for a feature that the 1 features of its model do not have"
    one, forest, boosted, histograms = (
        fitted(DecisionTreeClassifier()),
        fitted(RandomForestClassifier(3)),
        stages(),
        fitted(MODELS["histograms"]),
    )
    for model in (one, *forest.estimators_, boosted, boosted.estimators_[0, 0], histograms):
        model.n_features_in_ = 1
    assert [says in refused(model) for model in (one, forest, boosted, histograms)] == [True] * 4


def test_more_trees_in_a_stage_than_the_first_guess_has_columns_are_refused() -> None:
    model = stages()
    model.estimators_ = np.hstack([model.estimators_] * 3)
    assert "its first guess has the shape (1, 1), its stages 3 trees" in refused(model)


def test_stages_of_something_else_than_trees_of_one_number_are_refused() -> None:
    model, other = stages(), fitted(DecisionTreeClassifier())
    model.estimators_[0, 0] = other
    assert "something else than trees of one number" in refused(model)
    model.estimators_ = [[1]]
    assert "its stages are no table of trees" in refused(model)


def test_boosting_that_begins_with_another_model_is_kept_as_cloudpickle(tmp_path: Path) -> None:
    model = fitted(GradientBoostingClassifier(n_estimators=2, init=DecisionTreeClassifier(max_depth=1)))
    assert "its first guess is by DecisionTreeClassifier, which cannot be looked over" in refused(model)
    drupe.sklearn.save_model(model, tmp_path / "m", pip_requirements=["scikit-learn"])
    assert read_manifest(tmp_path / "m").executes_code == ("model.pkl",)  # type: ignore[union-attr]
    with pytest.raises(InvalidValue, match="cannot be looked over; use serialization_format='cloudpickle'"):
        drupe.sklearn.save_model(model, tmp_path / "n", serialization_format="skops")


def test_a_path_that_is_longer_than_its_tree_says_is_refused() -> None:
    model = fitted(DecisionTreeClassifier())
    state = model.tree_.__getstate__()
    model.tree_.__setstate__({**state, "max_depth": state["max_depth"] - 1})
    assert f"a path is longer than the {state['max_depth'] - 1} steps" in refused(model)


def test_splits_by_categories_are_refused() -> None:
    model = fitted(MODELS["histograms"])
    model._predictors[0][0].nodes["is_categorical"][0] = 1
    assert "it splits by categories" in refused(model)


def test_a_tree_is_found_wherever_it_hides() -> None:
    model = fitted(DecisionTreeClassifier())
    model.n_features_in_ = 1
    hidden = FunctionTransformer(func=functools.partial(model.predict))
    for place in (hidden, [(1, {"a": model})], np.array([model, None], dtype=object), model.predict):
        assert "asks for a feature" in refused(place)
    loose = fitted(MODELS["histograms"])._predictors
    assert "trees that no estimator of scikit-learn predicts by" in refused({"a": loose})


def test_types_beyond_trees_still_need_trust(tmp_path: Path) -> None:
    drupe.sklearn.save_model(fitted(DecisionTreeClassifier()), tmp_path / "m", pip_requirements=["scikit-learn"])
    (tmp_path / "m" / "manifest.json").unlink()
    text = (tmp_path / "m" / "MLmodel").read_text()
    whole = yaml.safe_load(text)
    whole["flavors"]["sklearn"]["skops_trusted_types"].append("os.system")
    (tmp_path / "m" / "MLmodel").write_text(yaml.safe_dump(whole))
    with pytest.raises(UntrustedModel, match=r"skops_trusted_types has types used that skops does not know.*os\.system"):
        drupe.sklearn.load_model(tmp_path / "m")


def _rewrite_nodes(file: Path, damage: Damage) -> None:
    """Change the first array of nodes that a skops file holds."""
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for name, content in members.items():
        if not name.endswith(".npy"):
            continue
        array = np.load(io.BytesIO(content))
        if {"left_child", "left"} & set(array.dtype.names or ()):
            damage(array)
            changed = io.BytesIO()
            np.save(changed, array)
            members[name] = changed.getvalue()
            break
    else:
        raise AssertionError("the file has no array of nodes")
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)

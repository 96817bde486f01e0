"""How a scikit-learn model is written: the safest format that can hold it, what is asked for, and what is refused."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn
import yaml
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.cluster import DBSCAN
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import drupe
from drupe.artifacts.manifest import read_manifest
from drupe.errors import InvalidModelFolder, InvalidValue, UntrustedModel
from drupe.loading import catalog
from drupe.models import get_model_info
from drupe.testing.plugin import drupe_workspace

__all__ = ["drupe_workspace"]

pytestmark = pytest.mark.usefixtures("drupe_workspace")


@pytest.fixture(autouse=True)
def _trust_folders_that_are_changed_here(drupe_workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a folder may do is decided by the gate, which has tests of its own."""
    monkeypatch.setenv("DRUPE_MODELS_TRUST", "everybody")


X = np.random.default_rng(0).random((40, 3))
Y = (X[:, 0] > 0.5).astype(int)


class Mean(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """An estimator of the user's own, which skops cannot know."""

    def fit(self, x: Any, y: Any) -> Mean:
        self.mean_ = float(np.mean(y))
        return self

    def predict(self, x: Any) -> Any:
        return np.full(len(x), self.mean_)


def classifier() -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y)


def keys(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((folder / "MLmodel").read_text())["flavors"]
    return found


def test_the_default_is_skops_when_it_trusts_every_type(tmp_path: Path) -> None:
    drupe.sklearn.save_model(classifier(), tmp_path / "m")
    assert keys(tmp_path / "m")["sklearn"] == {
        "code": None,
        "pickled_model": "model.skops",
        "serialization_format": "skops",
        "skops_trusted_types": None,
        "sklearn_version": sklearn.__version__,
    }
    assert read_manifest(tmp_path / "m").executes_code == ()  # type: ignore[union-attr]


@pytest.mark.parametrize("model", [make_pipeline(FunctionTransformer(lambda x: x), LogisticRegression()).fit(X, Y), Mean().fit(X, Y)])
def test_the_default_is_cloudpickle_for_what_skops_cannot_vouch_for(model: Any, tmp_path: Path) -> None:
    drupe.sklearn.save_model(model, tmp_path / "m")
    assert keys(tmp_path / "m")["sklearn"]["serialization_format"] == "cloudpickle"
    assert read_manifest(tmp_path / "m").executes_code == ("model.pkl",)  # type: ignore[union-attr]
    assert not list((tmp_path / "m").glob("*.skops"))
    assert drupe.load_model(tmp_path / "m").predict(X).tolist() == model.predict(X).tolist()


def test_types_of_ones_own_can_be_trusted_by_name_and_are_then_said_to_run_code(tmp_path: Path) -> None:
    model = Mean().fit(X, Y)
    name = f"{Mean.__module__}.Mean"
    with pytest.raises(InvalidValue, match=r"does not trust.*Mean; name them in skops_trusted_types"):
        drupe.sklearn.save_model(model, tmp_path / "m", serialization_format="skops")
    drupe.sklearn.save_model(model, tmp_path / "m", skops_trusted_types=[name])
    assert keys(tmp_path / "m")["sklearn"]["skops_trusted_types"] == [name]
    assert read_manifest(tmp_path / "m").executes_code == ("model.skops",)  # type: ignore[union-attr]
    assert drupe.sklearn.load_model(tmp_path / "m").mean_ == model.mean_


def test_a_skops_file_with_types_that_nobody_trusts_is_refused(tmp_path: Path) -> None:
    drupe.sklearn.save_model(Mean().fit(X, Y), tmp_path / "m", skops_trusted_types=[f"{Mean.__module__}.Mean"])
    flavor = catalog().flavor("sklearn")
    config = {**get_model_info(tmp_path / "m").flavors["sklearn"], "skops_trusted_types": None}
    with pytest.raises(UntrustedModel, match=r"model\.skops holds types that are not trusted"):
        flavor.load(tmp_path / "m", config)


@pytest.mark.parametrize("chosen", ["skops", "cloudpickle", "pickle"])
def test_the_format_that_is_asked_for_is_written(chosen: str, tmp_path: Path) -> None:
    drupe.sklearn.save_model(classifier(), tmp_path / "m", serialization_format=chosen)
    config = keys(tmp_path / "m")["sklearn"]
    assert config["serialization_format"] == chosen
    assert (tmp_path / "m" / config["pickled_model"]).suffix == (".skops" if chosen == "skops" else ".pkl")
    requirements = (tmp_path / "m" / "requirements.txt").read_text()
    assert ("skops==" in requirements) == (chosen == "skops")
    assert ("cloudpickle==" in requirements) == (chosen == "cloudpickle")


@pytest.mark.parametrize(
    ("model", "given", "says"),
    [
        (None, {"serialization_format": "joblib"}, "must be one of skops, cloudpickle, pickle"),
        (None, {"serialization_format": "pickle", "skops_trusted_types": ["x"]}, "means nothing"),
        (None, {"pyfunc_predict_fn": "__reduce__"}, "pyfunc_predict_fn is '__reduce__'"),
        (None, {"no_such": 1}, "does not know no_such; its own options are"),
        (FunctionTransformer(lambda x: x), {"serialization_format": "pickle"}, "cannot be pickled.*cloudpickle' can hold"),
        (FunctionTransformer((n for n in ()).__next__), {}, "cannot be pickled"),
    ],
)
def test_what_cannot_be_written_is_refused_and_leaves_nothing(model: Any, given: dict[str, Any], says: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match=says):
        drupe.sklearn.save_model(model or classifier(), tmp_path / "m", **given)
    assert not (tmp_path / "m").exists()


def test_the_generic_model_calls_the_chosen_method(tmp_path: Path) -> None:
    model = classifier()
    drupe.sklearn.save_model(model, tmp_path / "m", pyfunc_predict_fn="predict_proba", input_example=X[:2])
    assert keys(tmp_path / "m")["python_function"]["predict_fn"] == "predict_proba"
    loaded = drupe.load_model(tmp_path / "m")
    assert loaded.predict(X).tolist() == model.predict_proba(X).tolist()
    assert loaded.signature.outputs.to_dict()[0]["tensor-spec"] == {"dtype": "float64", "shape": [-1, 2]}


def test_a_model_that_cannot_predict_new_rows_has_no_generic_flavor(tmp_path: Path) -> None:
    drupe.sklearn.save_model(DBSCAN().fit(X), tmp_path / "m")
    assert set(keys(tmp_path / "m")) == {"sklearn"}
    assert drupe.sklearn.load_model(tmp_path / "m").labels_.shape == (40,)


def edited(folder: Path, **changes: Any) -> Path:
    (folder / "manifest.json").unlink()
    whole = yaml.safe_load((folder / "MLmodel").read_text())
    whole["flavors"]["sklearn"] |= changes
    (folder / "MLmodel").write_text(yaml.safe_dump(whole))
    return folder


def test_a_class_in_place_of_an_estimator_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match=r"StandardScaler is a class; give a fitted instance"):
        drupe.sklearn.save_model(StandardScaler, tmp_path / "m")
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("chosen", ["skops", "pickle"])
def test_another_release_of_scikit_learn_is_one_warning_that_names_both(
    chosen: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("sklearn.base.__version__", "1.4.0")  # what the pickled estimators say of themselves
        drupe.sklearn.save_model(classifier(), tmp_path / "m", serialization_format=chosen)
    edited(tmp_path / "m", sklearn_version="1.4.0")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        drupe.load_model(tmp_path / "m")
    (warning,) = caught
    assert f"saved with scikit-learn 1.4.0 and is loaded with {sklearn.__version__}" in str(warning.message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drupe.load_model(tmp_path / "m", suppress_warnings=True)


def test_a_pickle_of_a_missing_module_names_it(tmp_path: Path) -> None:
    drupe.sklearn.save_model(classifier(), tmp_path / "m", serialization_format="pickle")
    edited(tmp_path / "m")
    (tmp_path / "m" / "model.pkl").write_bytes(b"cno_such_library\nModel\n.")
    with pytest.raises(InvalidModelFolder, match="needs the module 'no_such_library', which is not installed here"):
        drupe.load_model(tmp_path / "m")


def test_a_folder_in_an_unknown_format_is_not_claimed(tmp_path: Path) -> None:
    drupe.sklearn.save_model(classifier(), tmp_path / "m")
    edited(tmp_path / "m", serialization_format="joblib")
    with pytest.raises(InvalidModelFolder, match="no model that the flavor sklearn can read"):
        drupe.sklearn.load_model(tmp_path / "m")


def test_a_predict_method_from_the_file_is_checked(tmp_path: Path) -> None:
    drupe.sklearn.save_model(classifier(), tmp_path / "m")
    edited(tmp_path / "m", predict_fn="__class__")
    with pytest.raises(InvalidModelFolder, match="predict_fn is '__class__'"):
        drupe.load_model(tmp_path / "m").predict(pd.DataFrame(X))


def test_old_files_that_name_no_format_are_pickles(tmp_path: Path) -> None:
    drupe.sklearn.save_model(classifier(), tmp_path / "m", serialization_format="pickle")
    edited(tmp_path / "m", serialization_format=None, sklearn_version=None)
    assert drupe.sklearn.load_model(tmp_path / "m").predict(X).shape == (40,)


TEXTS = ["good thing", "bad thing", "very good", "very bad"] * 2
LIKED = [1, 0, 1, 0] * 2
TEXT_MODELS = [
    make_pipeline(TfidfVectorizer(), LogisticRegression()),
    make_pipeline("passthrough", make_union(HashingVectorizer(), TfidfVectorizer()), LogisticRegression()),
    GridSearchCV(make_pipeline(TfidfVectorizer(), LogisticRegression()), {"logisticregression__C": [1.0]}, cv=2),
]


@pytest.mark.parametrize("model", TEXT_MODELS, ids=["pipeline", "union", "search"])
@pytest.mark.parametrize("example", [TEXTS[:3], pd.Series(TEXTS[:3], name="text"), pd.DataFrame({"text": TEXTS[:3]})], ids=type)
def test_a_model_of_texts_predicts_one_answer_for_each_text(tmp_path: Path, model: Any, example: Any) -> None:
    drupe.sklearn.save_model(model.fit(TEXTS, LIKED), tmp_path / "m", input_example=example)
    assert drupe.load_model(tmp_path / "m").predict(example).tolist() == [1, 0, 1]


def test_a_model_without_the_method_says_what_it_has(tmp_path: Path) -> None:
    drupe.sklearn.save_model(StandardScaler().fit(X), tmp_path / "m")
    with pytest.raises(InvalidValue, match="StandardScaler has no method 'predict'; save it with pyfunc_predict_fn='transform'"):
        drupe.load_model(tmp_path / "m").predict(X)


def test_a_method_that_is_asked_for_but_missing_is_refused_when_the_model_is_saved(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match=r"'predict_proba', which this StandardScaler does not have; .*'transform'"):
        drupe.sklearn.save_model(StandardScaler().fit(X), tmp_path / "m", pyfunc_predict_fn="predict_proba")
    assert not (tmp_path / "m").exists()


def test_what_reads_skops_imports_no_other_library_of_arrays(tmp_path: Path) -> None:
    for library in ("torch", "cupy", "dask"):
        (tmp_path / f"{library}.py").write_text("")
    code = """
        import sys
        import drupe_flavor_sklearn.formats as formats
        assert formats.skops.io.load
        found = [name for name in ("torch", "cupy", "dask") if name in sys.modules]
        assert found == [], found
        assert "sklearn.externals.array_api_compat.torch" not in sys.modules  # so that who wants it can import it
    """
    environ = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

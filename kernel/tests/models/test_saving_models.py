"""Saving: what a folder holds, and that it appears whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

import drupe
from drupe.artifacts.manifest import verify_manifest
from drupe.errors import InvalidValue, NoProvider
from drupe.loading import known
from drupe.models import ColSpec, ModelSignature, Schema, infer_signature


def test_a_folder_holds_everything_that_mlflow_expects(classifier: Any, table: pd.DataFrame, tmp_path: Path) -> None:
    info = drupe.save_model(classifier, tmp_path / "m", input_example=table.head(2), metadata={"owner": "me"})
    assert sorted(file.name for file in (tmp_path / "m").iterdir()) == [
        "MLmodel",
        "card.html",
        "card.md",
        "conda.yaml",
        "input_example.json",
        "manifest.json",
        "model.skops",
        "output_example.json",
        "python_env.yaml",
        "requirements.txt",
        "serving_input_example.json",
    ]
    keys = yaml.safe_load((tmp_path / "m" / "MLmodel").read_text())
    assert list(keys) == sorted(keys)
    assert keys["metadata"] == {"owner": "me"}
    assert keys["flavors"]["python_function"]["env"] == {"conda": "conda.yaml", "virtualenv": "python_env.yaml"}
    assert json.loads(keys["signature"]["inputs"]) == [{"type": "double", "name": name, "required": True} for name in "abc"]
    files = [file for file in (tmp_path / "m").iterdir() if file.name not in ("MLmodel", "manifest.json", "card.md", "card.html")]
    assert keys["model_size_bytes"] == sum(file.stat().st_size for file in files)
    assert info.signature is not None
    assert info.model_uuid == keys["model_uuid"]
    assert info.model_uri == str(tmp_path / "m")


def test_the_manifest_vouches_for_the_folder_and_names_what_runs_code(classifier: Any, tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("ANSWER = 42\n")
    drupe.save_model(classifier, tmp_path / "safe")
    drupe.save_model(classifier, tmp_path / "pickled", serialization_format="cloudpickle", code_paths=[tmp_path / "helper.py"])
    safe, pickled = verify_manifest(tmp_path / "safe"), verify_manifest(tmp_path / "pickled")
    assert safe is not None
    assert pickled is not None
    assert safe.executes_code == ()
    assert pickled.executes_code == ("code", "model.pkl")


def test_a_given_signature_is_taken_as_it_is(classifier: Any, table: pd.DataFrame, tmp_path: Path) -> None:
    signature = ModelSignature(Schema([ColSpec("double", name) for name in "abc"]))
    assert drupe.save_model(classifier, tmp_path / "m", signature=signature, input_example=table.head(1)).signature == signature


def test_signature_false_means_none_even_with_an_example(classifier: Any, table: pd.DataFrame, tmp_path: Path) -> None:
    assert drupe.save_model(classifier, tmp_path / "m", signature=False, input_example=table.head(1)).signature is None


def test_the_signature_of_the_example_describes_outputs_and_params(tmp_path: Path) -> None:
    def scaled(model_input: Any, params: Any) -> Any:
        return model_input["a"] * params["by"]

    frame = pd.DataFrame({"a": [1.0]})
    info = drupe.save_model(scaled, tmp_path / "m", input_example=(frame, {"by": 2.0}))
    assert info.signature == infer_signature(frame, frame["a"], {"by": 2.0})


def test_an_example_that_the_model_cannot_predict_for_costs_the_signature_and_not_the_model(tmp_path: Path) -> None:
    def picky(model_input: Any) -> Any:
        raise ValueError("only on Tuesdays")

    with pytest.warns(UserWarning, match="without a signature.*ValueError: only on Tuesdays"):
        info = drupe.save_model(picky, tmp_path / "m", input_example=[1])
    assert info.signature is None
    assert info.saved_input_example_info is not None


def test_extra_files_of_any_flavor_lie_beside_the_model_by_path_or_address(classifier: Any, table: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("no,yes")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "labels.csv").write_text("other")
    with drupe.start_run() as run:
        drupe.log_text("MIT", "texts/licence.txt")
    files = [tmp_path / "labels.csv", f"runs:/{run.info.run_id}/texts/licence.txt"]
    for name, model in (("sklearn", classifier), ("python_function", lambda model_input: [1])):
        drupe.save_model(model, tmp_path / name, extra_files=files)
        told = drupe.models.get_model_info(tmp_path / name).flavors[name]["extra_files"]
        assert told == [{"path": "extra_files/labels.csv"}, {"path": "extra_files/licence.txt"}]
        assert [(tmp_path / name / one["path"]).read_text() for one in told] == ["no,yes", "MIT"]
        verify_manifest(tmp_path / name)
        assert len(drupe.load_model(tmp_path / name).predict(table.head(1))) == 1
    with pytest.raises(InvalidValue, match=r"two extra files have the name 'labels\.csv'"):
        drupe.save_model(classifier, tmp_path / "twice", extra_files=[tmp_path / "labels.csv", tmp_path / "b" / "labels.csv"])
    assert not (tmp_path / "twice").exists()


def test_code_paths_are_copied_without_what_is_no_code_and_importable_at_load(tmp_path: Path) -> None:
    package = tmp_path / "my_features_of_this_test"
    (package / "__pycache__").mkdir(parents=True)
    (package / "__pycache__" / "x.pyc").touch()
    (package / "__init__.py").write_text("def double(x):\n    return x * 2\n")

    def uses_it(model_input: Any) -> Any:
        import my_features_of_this_test  # type: ignore[import-not-found]

        return my_features_of_this_test.double(model_input)

    drupe.save_model(uses_it, tmp_path / "m", code_paths=[package])
    assert [file.name for file in (tmp_path / "m" / "code" / package.name).iterdir()] == ["__init__.py"]
    assert drupe.load_model(tmp_path / "m").predict(4) == 8


def test_requirements_cover_the_library_and_what_checks_the_input(classifier: Any, table: pd.DataFrame, tmp_path: Path) -> None:
    drupe.save_model(lambda model_input: model_input, tmp_path / "f", input_example=table.head(1), extra_pip_requirements=["boto3"])
    names = [line.partition("==")[0] for line in (tmp_path / "f" / "requirements.txt").read_text().split("\n")]
    assert names == ["cloudpickle", "pandas", "boto3"]
    drupe.save_model(classifier, tmp_path / "g", pip_requirements=["scikit-learn"])
    assert (tmp_path / "g" / "requirements.txt").read_text() == "scikit-learn"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"signature": "double"}, "infer_signature makes one"),
        ({"extra_files": ["no/such/file.txt"]}, "is no file"),
        ({"extra_files": "file.txt"}, r"is a list .* such as \['file.txt'\]"),
        ({"extra_files": 5}, "is a list of paths and addresses of files"),
        ({"extra_files": [None]}, "is a list of paths and addresses of files"),
        ({"code_paths": ["no/such/file.py"]}, "does not exist"),
        ({"code_paths": "file.py"}, r"write \['file.py'\]"),
        ({"pip_requirements": ["a"], "conda_env": {}}, "give one of"),
        ({"no_such": 1}, "does not know no_such"),
        ({"input_example": object()}, "cannot be object"),
        ({"metadata": {"x": object()}}, "metadata"),
        ({"metadata": "text"}, "metadata"),
    ],
)
def test_a_refused_save_leaves_nothing_behind(given: dict[str, Any], says: str, classifier: Any, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InvalidValue, match=says):
        drupe.save_model(classifier, tmp_path / "m", **given)
    assert sorted(tmp_path.iterdir()) == before


def test_an_existing_folder_is_not_overwritten_but_an_empty_one_is_used(classifier: Any, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    drupe.save_model(classifier, tmp_path / "empty")
    for place in (tmp_path / "empty", tmp_path / "empty" / "MLmodel"):
        with pytest.raises(InvalidValue, match="something is there already"):
            drupe.save_model(classifier, place)


def test_folders_above_are_made(classifier: Any, tmp_path: Path) -> None:
    drupe.save_model(classifier, tmp_path / "x" / "y" / "m")
    assert drupe.load_model(tmp_path / "x" / "y" / "m").flavor == "sklearn"


def test_a_flavor_that_is_not_installed_says_what_to_install(classifier: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(known._PROVIDERS["drupe_model_flavors"], "quantum", "flavor-quantum")
    with pytest.raises(NoProvider, match="pip install drupe-flavor-quantum"):
        drupe.save_model(classifier, tmp_path / "m", flavor="quantum")


def test_the_flavor_is_chosen_by_the_class_of_the_model(classifier: Any, tmp_path: Path) -> None:
    assert "sklearn" in drupe.save_model(classifier, tmp_path / "a").flavors
    assert "sklearn" not in drupe.save_model(lambda model_input: 1, tmp_path / "b").flavors
    assert list(drupe.save_model(classifier, tmp_path / "c", flavor="python_function").flavors) == ["python_function"]

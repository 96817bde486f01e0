"""Loading: addresses, the gate, the choice of a flavor, and folders that MLflow wrote, on a machine without MLflow."""

from __future__ import annotations

import py_compile
import shutil
import sys
from importlib.util import cache_from_source, find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

import drupe
from drupe.errors import ArtifactCorrupt, ArtifactNotFound, InvalidModelFolder, InvalidUri, NoProvider, RunNotFound, SignatureMismatch
from drupe.loading import known
from drupe.models import get_model_info

ROWS = pd.DataFrame([[0.0763, 0.7799, 0.4384], [0.7235, 0.978, 0.5385]], columns=["a", "b", "c"])
RELEASES = ["2_22_5", "3_17_2"]

pytestmark = pytest.mark.skipif(find_spec("mlflow") is not None, reason="these tests are about machines without MLflow")

by_the_same_python = pytest.mark.skipif(
    sys.version_info[:2] != (3, 11), reason="functions pickled by value run on the Python that pickled them, 3.11"
)


@pytest.mark.parametrize("release", RELEASES)
def test_a_scikit_learn_model_of_mlflow_predicts_as_it_did_there(mlflow_folders: Path, release: str) -> None:
    folder = mlflow_folders / f"sklearn_model_{release}"
    assert drupe.load_model(folder).predict(ROWS).tolist() == [0, 1]
    native = drupe.sklearn.load_model(str(folder))
    assert type(native).__name__ == "LogisticRegression"
    assert np.allclose(native.predict_proba(ROWS)[:, 1], [0.413134, 0.763912], atol=1e-6)


@by_the_same_python
@pytest.mark.parametrize("release", RELEASES)
def test_a_python_model_of_mlflow_gets_its_artifact_and_params(mlflow_folders: Path, release: str) -> None:
    model = drupe.pyfunc.load_model(mlflow_folders / f"pyfunc_model_{release}")
    given = pd.DataFrame({"a": [1.0, 2.5]})
    assert model.predict(given).tolist() == [12.0, 15.0]
    assert model.predict(given, {"factor": 3}).tolist() == [18.0, 22.5]
    assert type(model.unwrap_python_model()).__name__ == "AddN"
    assert isinstance(model.unwrap_python_model(), drupe.pyfunc.PythonModel)


@by_the_same_python
@pytest.mark.parametrize("release", RELEASES)
def test_a_function_of_mlflow_loads_with_and_without_type_hints(mlflow_folders: Path, release: str) -> None:
    assert drupe.load_model(mlflow_folders / f"plain_model_{release}").predict({"a": [1, 2]}).tolist() == [2.0, 4.0]
    hinted = drupe.load_model(mlflow_folders / f"hinted_model_{release}")
    assert hinted.predict(["a", "b"]) == ["A", "B"]
    with pytest.raises(SignatureMismatch, match="type hint"):
        hinted.predict([1])


@pytest.mark.parametrize("release", RELEASES)
def test_a_script_of_mlflow_finds_drupe_where_it_imports_mlflow(mlflow_folders: Path, release: str) -> None:
    assert drupe.load_model(mlflow_folders / f"code_model_{release}").predict(pd.DataFrame({"a": [1.0]})).tolist() == [2.0]


def test_the_input_example_comes_back(mlflow_folders: Path) -> None:
    pd.testing.assert_frame_equal(drupe.load_model(mlflow_folders / "sklearn_model_3_17_2").input_example, ROWS)
    assert drupe.load_model(mlflow_folders / "code_model_3_17_2").input_example is None


def test_what_a_file_says_is_known_without_loading(mlflow_folders: Path) -> None:
    info = get_model_info(mlflow_folders / "sklearn_model_2_22_5")
    assert info.mlflow_version == "2.22.5"
    assert info.metadata == {"owner": "sample", "stage": 1}
    assert info.signature_dict is not None
    assert info.name is None


@pytest.fixture(autouse=True)
def _trust_what_mlflow_wrote(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate has tests of its own."""
    monkeypatch.setenv("DRUPE_MODELS_TRUST", "everybody")


@pytest.fixture
def folder(classifier: Any, table: pd.DataFrame, tmp_path: Path) -> Path:
    drupe.save_model(classifier, tmp_path / "m", input_example=table.head(2))
    return tmp_path / "m"


def test_a_changed_file_stops_loading_before_anything_of_the_folder_runs(tmp_path: Path) -> None:
    drupe.save_model(lambda model_input: 1, tmp_path / "m")
    marker = tmp_path / "ran"
    pickled = f"cos\nsystem\n(S'touch {marker}'\ntR.".encode()
    (tmp_path / "m" / "python_model.pkl").write_bytes(pickled)
    with pytest.raises(ArtifactCorrupt, match=r"python_model\.pkl was changed"):
        drupe.load_model(tmp_path / "m")
    assert not marker.exists()


def test_an_added_file_stops_loading(folder: Path) -> None:
    (folder / "more.py").touch()
    with pytest.raises(ArtifactCorrupt, match=r"more\.py was added"):
        drupe.load_model(folder)


@pytest.mark.parametrize("load", [drupe.load_model, drupe.sklearn.load_model, drupe.pyfunc.load_model])
def test_every_way_to_load_passes_the_gate(load: Any, folder: Path) -> None:
    (folder / "MLmodel").write_text((folder / "MLmodel").read_text() + "extra: 1\n")
    with pytest.raises(ArtifactCorrupt, match="MLmodel was changed"):
        load(folder)


def test_a_place_without_a_model_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidModelFolder, match="not a folder"):
        drupe.load_model(tmp_path / "missing")
    with pytest.raises(InvalidModelFolder, match="not a folder"):
        drupe.load_model(tmp_path / "file")
    with pytest.raises(InvalidModelFolder, match="not a model folder"):
        drupe.load_model(tmp_path)
    with pytest.raises(RunNotFound):
        drupe.load_model("runs:/0123456789abcdef0123456789abcdef/model")


def edited(mlflow_folders: Path, tmp_path: Path, name: str, change: Any) -> Path:
    shutil.copytree(mlflow_folders / name, tmp_path / "edited")
    keys = yaml.safe_load((tmp_path / "edited" / "MLmodel").read_text())
    change(keys["flavors"])
    (tmp_path / "edited" / "MLmodel").write_text(yaml.safe_dump(keys))
    return tmp_path / "edited"


def test_a_flavor_without_a_plugin_says_what_to_install(mlflow_folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def change(flavors: dict[str, Any]) -> None:
        flavors["quantum"] = flavors.pop("sklearn")
        flavors["python_function"]["loader_module"] = "mlflow.quantum"

    monkeypatch.setitem(known._PROVIDERS["drupe_model_flavors"], "quantum", "flavor-quantum")
    with pytest.raises(NoProvider, match="pip install drupe-flavor-quantum"):
        drupe.load_model(edited(mlflow_folders, tmp_path, "sklearn_model_2_22_5", change))


def test_a_loader_of_ones_own_is_named_in_the_refusal(mlflow_folders: Path, tmp_path: Path) -> None:
    def change(flavors: dict[str, Any]) -> None:
        del flavors["sklearn"], flavors["python_function"]["model_path"]
        flavors["python_function"]["loader_module"] = "os"

    with pytest.raises(InvalidModelFolder, match="to be loaded by 'os'"):
        drupe.load_model(edited(mlflow_folders, tmp_path, "sklearn_model_2_22_5", change))


def test_asking_for_a_flavor_that_is_not_there_names_those_that_are(mlflow_folders: Path) -> None:
    with pytest.raises(InvalidModelFolder, match="no flavor 'sklearn'; it has python_function"):
        drupe.sklearn.load_model(mlflow_folders / "pyfunc_model_3_17_2")


def test_code_that_lies_outside_is_not_put_on_the_path(mlflow_folders: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    with pytest.raises(InvalidModelFolder, match="which leads out of it"):
        drupe.load_model(
            edited(mlflow_folders, tmp_path, "pyfunc_model_3_17_2", lambda f: f["python_function"].update(code="../elsewhere"))
        )


def test_code_that_is_a_file_is_refused_in_words(mlflow_folders: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidModelFolder, match=r"names 'requirements.txt' as its code, which is no folder"):
        drupe.load_model(
            edited(mlflow_folders, tmp_path, "pyfunc_model_3_17_2", lambda f: f["python_function"].update(code="requirements.txt"))
        )


@pytest.mark.parametrize("address", [None, 5], ids=["nothing", "number"])
def test_an_address_that_is_no_text_is_refused_in_words(address: Any) -> None:
    with pytest.raises(InvalidUri, match=f"the address of a model is text or a path, not {type(address).__name__}"):
        drupe.load_model(address)


def test_model_config_is_overridden_key_by_key(tmp_path: Path) -> None:
    class Echo(drupe.pyfunc.PythonModel):  # type: ignore[misc, name-defined]
        def predict(self, context: Any, model_input: Any) -> Any:
            return dict(context.model_config)

    drupe.pyfunc.save_model(tmp_path / "m", python_model=Echo(), model_config={"a": 1, "b": 2})
    assert drupe.load_model(tmp_path / "m").predict(0) == {"a": 1, "b": 2}
    assert drupe.load_model(tmp_path / "m", model_config={"b": 3}).predict(0) == {"a": 1, "b": 3}
    (tmp_path / "c.yaml").write_text("a: 7\n")
    assert drupe.load_model(tmp_path / "m", model_config=tmp_path / "c.yaml").predict(0) == {"a": 7, "b": 2}
    with pytest.warns(UserWarning, match="has no z, so that is left out; it knows a, b"):
        assert drupe.load_model(tmp_path / "m", model_config={"z": 3}).predict(0) == {"a": 1, "b": 2}
    assert drupe.load_model(tmp_path / "m").model_config == {"a": 1, "b": 2}


def test_a_model_can_be_fetched_to_a_chosen_place(folder: Path, tmp_path: Path) -> None:
    model = drupe.load_model(folder.as_uri(), dst_path=tmp_path / "copy")
    assert model.path.is_relative_to(tmp_path / "copy")
    assert (model.path / "MLmodel").is_file()


def test_a_file_address_is_a_place_too(folder: Path, table: pd.DataFrame) -> None:
    assert len(drupe.load_model(folder.as_uri()).predict(table)) == len(table)
    assert get_model_info(folder.as_uri()).model_uri == folder.as_uri()
    with pytest.raises(ArtifactNotFound):
        get_model_info((folder.parent / "missing").as_uri())


def test_the_model_shows_where_it_is_from(folder: Path) -> None:
    model = drupe.load_model(folder)
    assert repr(model) == f"<LoadedModel sklearn from {folder}>"
    assert model.signature == model.metadata.signature
    assert model.get_raw_model() is model.native


def test_code_of_a_model_is_imported_from_its_sources_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    package = tmp_path / "features_from_source"
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").write_text("from features_from_source.inner import FACTOR\n")
    (package / "inner" / "__init__.py").write_text("FACTOR = 3\n")

    def uses_it(model_input: Any) -> Any:
        from features_from_source import FACTOR  # type: ignore[import-not-found]

        return model_input * FACTOR

    drupe.save_model(uses_it, tmp_path / "m", code_paths=[package])
    planted = Path(cache_from_source(str(tmp_path / "m" / "code" / package.name / "inner" / "__init__.py")))
    compile_as(planted, "FACTOR = 666\n", source=tmp_path / "m" / "code" / package.name / "inner" / "__init__.py")
    assert drupe.load_model(tmp_path / "m").predict(2) == 6
    assert list((tmp_path / "m").rglob("*.pyc")) == [planted]
    assert drupe.load_model(tmp_path / "m").predict(2) == 6


def test_a_module_of_a_name_that_is_already_taken_is_not_used_in_silence(tmp_path: Path) -> None:
    for number in (1, 2):
        helper = tmp_path / str(number) / "helper_taken_twice.py"
        helper.parent.mkdir()
        helper.write_text(f"NUMBER = {number}\n")
        drupe.save_model(uses_taken(), tmp_path / f"m{number}", code_paths=[helper])
    assert drupe.load_model(tmp_path / "m1").predict(0) == 1
    with pytest.warns(UserWarning, match="its own module 'helper_taken_twice', but another one of that name is already imported"):
        drupe.load_model(tmp_path / "m2")
    shutil.copytree(tmp_path / "m1", tmp_path / "the same again")
    assert drupe.load_model(tmp_path / "the same again").predict(0) == 1


def uses_taken() -> Any:
    def predict(model_input: Any) -> Any:
        import helper_taken_twice  # type: ignore[import-not-found]

        return helper_taken_twice.NUMBER

    return predict


def compile_as(target: Path, text: str, *, source: Path) -> None:
    """Write a compiled file that Python takes for that of `source`."""
    other = target.parent.parent / "other.py"
    other.write_text(text)
    py_compile.compile(str(other), str(target), doraise=True)
    other.unlink()
    stat = source.stat()
    content = target.read_bytes()
    target.write_bytes(content[:8] + int(stat.st_mtime).to_bytes(4, "little") + stat.st_size.to_bytes(4, "little") + content[16:])


def test_a_name_that_no_file_system_takes_is_no_model() -> None:
    with pytest.raises(InvalidModelFolder, match="is not a folder"):
        drupe.load_model("a" * 5000)

"""What the python flavor writes and reads: pickles that travel, artifacts, scripts, and MLflow's names."""

from __future__ import annotations

import bz2
import functools
import gzip
import lzma
import pickle
import subprocess
import sys
import threading
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

import drupe
from drupe.artifacts.manifest import read_manifest
from drupe.errors import InvalidModelFolder, InvalidValue
from drupe.loading import catalog
from drupe.testing.plugin import drupe_workspace
from drupe_flavor_python.pickling import read_pickle, write_pickle

__all__ = ["drupe_workspace"]

pytestmark = pytest.mark.usefixtures("drupe_workspace")


def adder() -> Any:
    class Adder(drupe.pyfunc.PythonModel):  # type: ignore[misc, name-defined]
        def load_context(self, context: Any) -> None:
            self.n = sum(int(Path(place).read_text()) for place in context.artifacts.values())

        def predict(self, context: Any, model_input: Any) -> Any:
            return model_input + self.n

    return Adder()


def keys(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((folder / "MLmodel").read_text())["flavors"]["python_function"]
    return found


def test_the_keys_are_those_of_mlflow(tmp_path: Path) -> None:
    (tmp_path / "n.txt").write_text("5")
    drupe.pyfunc.save_model(tmp_path / "m", python_model=adder(), artifacts={"n": str(tmp_path / "n.txt")}, model_config={"k": 1})
    assert keys(tmp_path / "m") == {
        "artifacts": {"n": {"path": "artifacts/n.txt", "uri": str(tmp_path / "n.txt")}},
        "cloudpickle_version": version("cloudpickle"),
        "code": None,
        "config": {"k": 1},
        "env": {"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
        "loader_module": "mlflow.pyfunc.model",
        "python_model": "python_model.pkl",
        "python_version": sys.version.partition(" ")[0],
        "streamable": False,
    }
    assert read_manifest(tmp_path / "m").executes_code == ("python_model.pkl",)  # type: ignore[union-attr]


def test_artifacts_of_one_name_are_kept_apart(tmp_path: Path) -> None:
    for folder, text in (("x", "1"), ("y", "2"), ("z", "4")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "n.txt").write_text(text)
    artifacts = {name: str(tmp_path / name / "n.txt") for name in "xyz"}
    drupe.pyfunc.save_model(tmp_path / "m", python_model=adder(), artifacts=artifacts)
    assert drupe.load_model(tmp_path / "m").predict(0) == 7


def test_an_artifact_can_be_given_by_address_and_its_login_is_not_kept(tmp_path: Path) -> None:
    with drupe.start_run() as run:
        drupe.log_text("3", "n.txt")
    drupe.pyfunc.save_model(tmp_path / "m", python_model=adder(), artifacts={"n": f"runs:/{run.info.run_id}/n.txt"})
    assert drupe.load_model(tmp_path / "m").predict(1) == 4
    assert keys(tmp_path / "m")["artifacts"]["n"]["uri"] == f"runs:/{run.info.run_id}/n.txt"


def test_a_model_loads_in_a_process_that_has_no_drupe_and_no_mlflow_of_its_own(tmp_path: Path) -> None:
    """A stand-in for MLflow's PythonModel is all that a pickle asks for; the real package is asked in the tests of whole folders."""
    (tmp_path / "mlflow").mkdir()
    (tmp_path / "mlflow" / "__init__.py").touch()
    (tmp_path / "mlflow" / "pyfunc.py").write_text("class PythonModel:\n    pass\n\nclass PythonModelContext:\n    pass\n")
    write_pickle(adder(), tmp_path / "class.pkl")
    modules = write_pickle(
        drupe.models.python_model.FunctionModel(lambda model_input, params: (model_input, params)), tmp_path / "function.pkl"
    )
    assert "drupe" not in modules
    code = """
import pickle, sys
sys.path.insert(0, sys.argv[1])
sys.modules["drupe"] = None
one = pickle.load(open(sys.argv[1] + "/class.pkl", "rb"))
one.n = 5
function = pickle.load(open(sys.argv[1] + "/function.pkl", "rb"))
import mlflow.pyfunc
assert isinstance(one, mlflow.pyfunc.PythonModel) and isinstance(function, mlflow.pyfunc.PythonModel)
print(one.predict(None, 1), function.predict(None, 2, {"p": 3}))
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "6 (2, {'p': 3})", done.stderr


def test_loaded_models_are_instances_of_our_own_class(tmp_path: Path) -> None:
    write_pickle(adder(), tmp_path / "m.pkl")
    assert isinstance(read_pickle(tmp_path / "m.pkl"), drupe.pyfunc.PythonModel)


def test_a_loaded_model_can_be_saved_again(tmp_path: Path) -> None:
    drupe.pyfunc.save_model(tmp_path / "one", python_model=lambda model_input: model_input * 2)
    again = drupe.load_model(tmp_path / "one").unwrap_python_model()
    drupe.pyfunc.save_model(tmp_path / "two", python_model=again)
    assert drupe.load_model(tmp_path / "two").predict(4) == 8


def test_requirements_are_what_the_pickle_imports(tmp_path: Path) -> None:
    import numpy as np

    drupe.pyfunc.save_model(tmp_path / "m", python_model=lambda model_input: np.asarray(model_input) + yaml.safe_load("1"))
    lines = (tmp_path / "m" / "requirements.txt").read_text().split("\n")
    assert lines == [f"cloudpickle=={version('cloudpickle')}", f"numpy=={version('numpy')}", f"PyYAML=={version('PyYAML')}"]


@pytest.mark.parametrize(("name", "opener"), [("gzip", gzip.open), ("bzip2", bz2.open), ("lzma", lzma.open), (None, open)])
def test_compressed_pickles_are_read(name: str | None, opener: Any, tmp_path: Path) -> None:
    with opener(tmp_path / "m.pkl", "wb") as stream:
        pickle.dump({"a": 1}, stream)
    assert read_pickle(tmp_path / "m.pkl", name) == {"a": 1}


def test_an_unknown_compression_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidModelFolder, match="compressed with"):
        read_pickle(tmp_path / "m.pkl", ["gzip"])
    with pytest.raises(InvalidModelFolder, match="compressed with 'zip'; known are gzip, bzip2, lzma"):
        read_pickle(tmp_path / "m.pkl", "zip")


def test_a_pickle_that_uses_mlflow_itself_says_that_it_is_missing(tmp_path: Path) -> None:
    (tmp_path / "m.pkl").write_bytes(b"cmlflow.tracking\nMlflowClient\n.")
    with pytest.raises(InvalidModelFolder, match="needs the module 'mlflow', which is not installed here"):
        read_pickle(tmp_path / "m.pkl")


@pytest.mark.parametrize(
    ("model", "given", "says"),
    [
        (threading.Lock(), {}, "no PythonModel, has no predict method"),
        (drupe.models.PythonModel, {}, "give an instance"),
        (functools.partial(max, threading.Lock()), {}, "cannot be pickled.*Open what it holds .* in load_context"),
        ("text", {}, "path of a .py script"),
        (Path("missing.py"), {}, "path of a .py script"),
        (len, {"artifacts": ["n.txt"]}, "artifacts are a dict"),
        (len, {"artifacts": {"n": "missing.txt"}}, "where nothing is"),
        (len, {"model_config": 3}, "model_config is a dict"),
        (len, {"loader_module": "os"}, "does not know loader_module"),
    ],
)
def test_what_cannot_be_saved_is_refused_in_words(model: Any, given: dict[str, Any], says: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match=says):
        drupe.pyfunc.save_model(tmp_path / "m", python_model=model, **given)
    assert not (tmp_path / "m").exists()


def test_a_script_that_is_no_python_is_refused_when_it_is_saved(tmp_path: Path) -> None:
    (tmp_path / "s.py").write_text("def (")
    with pytest.raises(InvalidValue, match=r"s\.py is not valid Python"):
        drupe.pyfunc.save_model(tmp_path / "m", python_model=tmp_path / "s.py")


def test_requirements_of_a_script_are_what_it_imports(tmp_path: Path) -> None:
    (tmp_path / "s.py").write_text("import os, numpy.linalg\nfrom yaml import safe_load\nfrom . import x\n")
    drupe.pyfunc.save_model(tmp_path / "m", python_model=str(tmp_path / "s.py"))
    lines = (tmp_path / "m" / "requirements.txt").read_text().split("\n")
    assert [line.partition("==")[0] for line in lines] == ["cloudpickle", "numpy", "PyYAML"]
    assert keys(tmp_path / "m")["model_code_path"] == "s.py"


def test_another_release_of_python_is_told(tmp_path: Path) -> None:
    drupe.pyfunc.save_model(tmp_path / "m", python_model=len)
    flavor = catalog().flavor("python_function")
    with pytest.warns(UserWarning, match="pickled by Python 3.8.1"):
        flavor.load(tmp_path / "m", {**keys(tmp_path / "m"), "python_version": "3.8.1"})


@pytest.mark.parametrize("artifacts", [["n"], {"n": "artifacts/n.txt"}, {"n": {"path": "../n.txt"}}, {"n": {}}])
def test_artifacts_in_a_form_that_makes_no_sense_are_refused_before_the_pickle_is_read(artifacts: Any, tmp_path: Path) -> None:
    (tmp_path / "m.pkl").write_bytes(b"not read")
    with pytest.raises(InvalidModelFolder, match=r"artifacts|no place in it|relative path"):
        catalog().flavor("python_function").load(tmp_path, {"python_model": "m.pkl", "artifacts": artifacts})

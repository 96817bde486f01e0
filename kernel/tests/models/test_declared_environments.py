"""What a model folder says that it needs is read from whichever file has it; and predictions are compared value by value."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from drupe.errors import InvalidModelFolder, InvalidPath
from drupe.models import Model
from drupe.models.environments.declared import Declared, declared_environment, project_of
from drupe.models.predictions import compare_predictions, plain_prediction, read_prediction, write_prediction

MODEL = Model({"python_function": {"python_version": "3.9.1"}})


def folder(place: Path, **files: str) -> Path:
    for name, text in files.items():
        (place / name.replace("_txt", ".txt").replace("_yaml", ".yaml").replace("_lock", ".lock")).write_text(text)
    return place


def test_requirements_constraints_and_python_are_read(workspace: Path) -> None:
    folder(
        workspace,
        requirements_txt="numpy==2.4.6  # arrays\n-r more.txt\n-c constraints.txt",
        more_txt="pandas\n",
        constraints_txt="pandas<3",
        python_env_yaml="python: 3.11.7\ndependencies: [-r requirements.txt]\n",
    )
    assert declared_environment(workspace, MODEL) == Declared("3.11.7", ["numpy==2.4.6", "pandas"], ["pandas<3"])


def test_an_old_folder_is_read_from_its_conda_file(workspace: Path) -> None:
    folder(workspace, conda_yaml="dependencies:\n- python=3.8.2\n- pip\n- pip: [mlflow==1.2, numpy]\n")
    assert declared_environment(workspace, MODEL) == Declared("3.8.2", ["mlflow==1.2", "numpy"], [])


def test_a_lock_is_read_with_its_hashes(workspace: Path) -> None:
    folder(workspace, requirements_txt="numpy", requirements_lock="numpy==2.4.6 \\\n    --hash=sha256:00\n")
    found = declared_environment(workspace, MODEL)
    assert found.lock == ["numpy==2.4.6 --hash=sha256:00"]
    assert found.python == "3.9.1"  # what MLmodel says, where no file does


def test_a_folder_that_says_nothing_is_an_error_that_says_what_works(workspace: Path) -> None:
    with pytest.raises(InvalidModelFolder, match=r"neither requirements.txt nor pip packages.*env_manager='local'"):
        declared_environment(workspace, MODEL)


def test_a_file_outside_of_the_folder_is_not_read(workspace: Path) -> None:
    with pytest.raises((InvalidModelFolder, InvalidPath)):
        declared_environment(folder(workspace, requirements_txt="-r ../../etc/passwd"), MODEL)


def test_lines_that_lead_elsewhere_are_told_apart() -> None:
    lines = [
        "numpy==2",
        "pandas[excel]>=2,<3; python_version > '3.8'",
        "--index-url https://elsewhere/simple",
        "-e .",
        "x @ https://elsewhere/x.whl",
    ]
    lines += ["git+https://elsewhere/x.git", "./x.whl", "../x", "x.tar.gz"]
    assert Declared("3.11.7", lines).foreign == lines[2:]
    assert Declared("3.11.7", [], lock=["numpy==2 --hash=sha256:0/1"]).foreign == []


@pytest.mark.parametrize(("line", "name"), [("Scikit_Learn==1", "scikit-learn"), ("numpy", "numpy"), ("--pre", None), ("a[b]>1", "a")])
def test_the_project_of_a_line(line: str, name: str | None) -> None:
    assert project_of(line) == name


PREDICTIONS = [
    (np.array([1.5, np.nan]), [1.5, None]),
    (pd.Series(["a", None]), ["a", None]),
    (pd.DataFrame({"a": [1, 2], "t": pd.to_datetime(["2026-01-01", None])}), {"a": [1, 2], "t": ["2026-01-01T00:00:00", None]}),
    ({"scores": np.array([[1], [2]])}, {"scores": [[1], [2]]}),
    ("text", "text"),
]


@pytest.mark.parametrize(("prediction", "plain"), PREDICTIONS, ids=["array", "series", "table", "map", "text"])
def test_a_prediction_is_kept_in_plain_form(prediction: object, plain: object, workspace: Path) -> None:
    info = write_prediction(workspace, prediction)
    assert info == {"prediction_path": "output_example.json"}
    assert plain_prediction(prediction) == plain
    assert read_prediction(workspace, info) == plain


def test_what_json_cannot_hold_is_not_kept(workspace: Path) -> None:
    assert write_prediction(workspace, object()) == {}
    assert list(workspace.iterdir()) == []


def test_predictions_may_differ_by_a_rounding_and_no_more() -> None:
    assert compare_predictions([1.0, None, "a"], [1.000001, None, "a"]) is None
    told = str(compare_predictions({"a": [1.0, 2.0, 3.0]}, {"a": [1.0, 2.5, 3.5]}))
    assert told == "2 of 3 values differ, the first at ['a'][1]: 2.0 was recorded, it predicts 2.5"
    assert str(compare_predictions([1], [1, 2])) == "1 of 1 values differ, the first at the whole: [1] was recorded, it predicts [1, 2]"
    assert compare_predictions([True], [1]) is None

"""Models as their pages are told them: card, files, lineage and differences, for logged models, versions and folders of runs."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.ui_web.tests.conftest import Ui

MLMODEL = """\
flavors:
  python_function:
    loader_module: mlflow.sklearn
    python_version: 3.11.7
  sklearn:
    sklearn_version: %(release)s
    pickled_model: model.pkl
model_uuid: 0123456789abcdef0123456789abcdef
run_id: %(run)s
utc_time_created: '2026-11-27 02:57:00.000000'
signature:
  inputs: '[{"type": "double", "name": "x <b>"}]'
  outputs: '[{"type": "long"}]'
metadata:
  purpose: To tell good from bad.
"""


@pytest.fixture
def run(ui: Ui) -> str:
    run = ui.server.new_run(run_name="maker")
    ui.server.post("runs/log-parameter", run_id=run, key="depth", value="3")
    ui.server.post("runs/log-metric", run_id=run, key="acc", value=0.5, timestamp=1, step=1)
    return run


def model_in(ui: Ui, run: str, folder: str = "model", release: str = "1.9.1") -> None:
    ui.put(run, f"{folder}/MLmodel", (MLMODEL % {"run": run, "release": release}).encode())
    ui.put(run, f"{folder}/requirements.txt", f"scikit-learn=={release}\nnumpy\n".encode())
    ui.put(run, f"{folder}/model.pkl", b"x" * 100)


def version_of(ui: Ui, name: str, run: str, folder: str = "model") -> str:
    ui.server.call("POST", "registered-models/create", {"name": name})
    made = ui.server.post("model-versions/create", name=name, source=f"runs:/{run}/{folder}", run_id=run)
    return str(made["model_version"]["version"])


def section(told: Any, title: str) -> Any:
    return next(one["blocks"] for one in told["sections"] if one["title"] == title)


def test_a_folder_of_a_run_is_told_as_a_model(ui: Ui, run: str) -> None:
    model_in(ui, run)
    told = ui.get("model", run_id=run, folder="model")
    assert told["address"] == f"runs:/{run}/model"
    assert [(one["name"], one["release"]) for one in told["flavors"]] == [("python_function", "3.11.7"), ("sklearn", "1.9.1")]
    assert {one["path"] for one in told["files"]} == {"MLmodel", "model.pkl", "requirements.txt"}
    assert section(told, "Purpose") == [{"kind": "prose", "text": "To tell good from bad."}]
    assert section(told, "Input and output")[0]["rows"][0][:3] == ["input", "x <b>", "double"]
    assert any(f"runs:/{run}/model" in block["text"] for block in section(told, "How to use it") if block["kind"] == "code")
    assert told["run"]["name"] == "maker"


def test_a_folder_without_mlmodel_is_told_from_its_run_with_the_reason(ui: Ui, run: str) -> None:
    told = ui.get("model", run_id=run, folder="nothing")
    assert "no file MLmodel" in told["fault"]
    assert (told["files"], told["sections"]) == ([], [])


def test_a_version_follows_its_source_and_tells_its_files(ui: Ui, run: str) -> None:
    model_in(ui, run)
    number = version_of(ui, "followed", run)
    told = ui.get("model", name="followed", version=number)
    assert told["files_count"] == 3
    assert [(one["name"], one["version"]) for one in told["versions"]] == [("followed", number)]
    assert ui.get("files", name="followed", version=number)["count"] == 3


def test_a_version_that_lies_elsewhere_is_told_without_opening_it(ui: Ui, run: str) -> None:
    ui.server.call("POST", "registered-models/create", {"name": "elsewhere"})
    ui.server.post("model-versions/create", name="elsewhere", source="s3://bucket/model")
    told = ui.get("model", name="elsewhere", version="1")
    assert "not below the server's artifacts" in told["fault"]
    assert ui.refused("files", name="elsewhere", version="1") == "INVALID_PARAMETER_VALUE"


def test_lineage_leads_from_data_over_the_run_to_versions(ui: Ui, run: str) -> None:
    model_in(ui, run)
    data = {
        "dataset": {"name": "wine", "digest": "d1", "source_type": "local", "source": "{}"},
        "tags": [{"key": "mlflow.data.context", "value": "training"}],
    }
    ui.server.post("runs/log-inputs", run_id=run, datasets=[data])
    number = version_of(ui, "traced", run)
    told = ui.get("lineage", run_id=run)
    assert [(one["kind"], one["title"]) for one in told["things"]] == [
        ("run", "maker"),
        ("dataset", "wine"),
        ("version", f"traced {number}"),
    ]
    assert told["ties"] == [["dataset wine d1", f"run {run}"], [f"run {run}", f"version traced {number}"]]
    assert [one["is_here"] for one in told["things"]] == [True, False, False]
    of_version = ui.get("lineage", name="traced", version=number)
    assert next(one for one in of_version["things"] if one["is_here"])["kind"] == "version"


def test_two_versions_differ_where_their_values_do(ui: Ui, run: str) -> None:
    model_in(ui, run)
    first = version_of(ui, "twice", run)
    other = ui.server.new_run()
    ui.server.post("runs/log-parameter", run_id=other, key="depth", value="4")
    model_in(ui, other, release="1.8.0")
    second = version_of(ui, "twice", other)
    rows = ui.get("differences", name="twice", version=second, with_name="twice", with_version=first)["rows"]
    found = {(row["section"], row["key"]): (row["values"], row["differs"]) for row in rows}
    assert found["params", "depth"] == (["4", "3"], True)
    assert found["metrics", "acc"] == ([None, "0.5"], True)
    assert found["environment", "scikit-learn"] == (["==1.8.0", "==1.9.1"], True)
    assert found["environment", "numpy"] == (["any", "any"], False)
    assert found["signature", "input x <b>"] == (["double", "double"], False)
    assert found["flavors", "sklearn"] == (["1.8.0", "1.9.1"], True)


def test_what_is_not_there_is_not_found(ui: Ui) -> None:
    assert ui.refused("model", model_id="m-" + "0" * 32) == "RESOURCE_DOES_NOT_EXIST"
    assert ui.refused("model", name="nobody", version="1") == "RESOURCE_DOES_NOT_EXIST"
    assert ui.refused("differences", name="nobody", version="1", with_name="nobody", with_version="2") == "RESOURCE_DOES_NOT_EXIST"
    for what in ("model", "lineage", "differences"):
        assert ui.refused(what) == "INVALID_PARAMETER_VALUE"


def test_an_mlmodel_that_is_broken_is_told_in_words(ui: Ui, run: str) -> None:
    for content in (b"- a list", b"flavors: [", b"\xff\xfe", b"flavors: 3"):
        ui.put(run, "broken/MLmodel", content)
        told = ui.get("model", run_id=run, folder="broken")
        assert told["fault"]


def test_a_logged_model_comes_with_its_params_and_tags(ui: Ui, run: str) -> None:
    body = {
        "experiment_id": "0",
        "name": "clf",
        "source_run_id": run,
        "params": [{"key": "c", "value": "1"}],
        "tags": [{"key": "t", "value": "<i>"}],
    }
    made = ui.server.post("logged-models", **body)["model"]["info"]["model_id"]
    told = ui.get("model", model_id=made)
    assert (told["model"]["name"], told["model"]["params"], told["model"]["tags"]) == (
        "clf",
        [{"key": "c", "value": "1"}],
        [{"key": "t", "value": "<i>"}],
    )

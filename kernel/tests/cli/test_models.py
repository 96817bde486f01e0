"""`drupe models`: what was logged, what it takes, what it predicts; and registering it from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import drupe
from drupe.client import Client

numpy = pytest.importorskip("numpy")
pandas = pytest.importorskip("pandas")


def doubled(frame: Any) -> Any:
    return frame["x"] * 2


@pytest.fixture
def logged(three_runs: list[str]) -> str:
    """A function logged as a model of run `baseline`, with a signature."""
    from drupe.models import infer_signature, log_model

    frame = pandas.DataFrame({"x": [1.0, 2.0], "name": ["a", "b"]})
    log_model(doubled, "model", run_id=three_runs[0], step=0, signature=infer_signature(frame, doubled(frame)))
    return three_runs[0]


def test_list_names_the_models_of_runs(drupe_cli: Any, logged: str) -> None:
    told = drupe_cli("models", "list")
    assert told.lines[0].split() == ["RUN", "NAME", "PATH", "MODEL", "FLAVORS", "CREATED"]
    run, name, path, model, flavor, *_ = told.lines[2].split()
    assert (run, name, path, flavor) == (logged[:8], "baseline", "model", "python_function")
    assert model.startswith("m-")
    assert json.loads(drupe_cli("models", "list", "baseline", "--json").out)[0]["model_uri"] == f"runs:/{logged}/model"
    assert drupe_cli("models", "list", "-e", "flights").err == "no logged models in experiment 'flights'\n"


def test_a_history_tag_that_is_no_json_hides_no_other_run(drupe_cli: Any, logged: str, three_runs: list[str], store: Client) -> None:
    store.set_tag(three_runs[1], "mlflow.log-model.history", '[{"artifact_path": "cut')
    assert len(json.loads(drupe_cli("models", "list", "--json").out)) == 1


def test_show_tells_flavors_signature_needs_and_size(drupe_cli: Any, logged: str) -> None:
    told = drupe_cli("models", "show", "baseline/model")
    assert told.code == 0
    assert any(line.startswith("flavors") and "python_function (Python 3" in line for line in told.lines)
    assert any(line.startswith("size") and " files" in line for line in told.lines)
    rows = [line.split() for line in told.lines]
    assert ["input", "x", "double"] in rows
    assert ["input", "name", "string"] in rows
    form = json.loads(drupe_cli("models", "show", f"runs:/{logged}/model", "--json").out)
    assert [column["name"] for column in form["signature"]["inputs"]] == ["x", "name"]
    assert form["size_bytes"] > 0


def test_predict_reads_csv_and_prints_json(drupe_cli: Any, logged: str) -> None:
    Path("in.csv").write_text("x,name\n1,007\n2.5,b\n")
    assert json.loads(drupe_cli("models", "predict", "-m", "baseline/model", "-i", "in.csv").out) == {"predictions": [2.0, 5.0]}


def test_predict_reads_every_json_form_of_the_scoring_server(drupe_cli: Any, logged: str) -> None:
    row = {"x": 3.0, "name": "c"}
    forms: list[Any] = [
        {"dataframe_split": {"columns": ["x", "name"], "data": [[3.0, "c"]]}},
        {"dataframe_records": [row]},
        {"instances": [row]},
        {"inputs": {"x": [3.0], "name": ["c"]}},
        [row],
    ]
    for form in forms:
        told = drupe_cli("models", "predict", "baseline/model", "-t", "json", stdin=json.dumps(form))
        assert json.loads(told.out) == {"predictions": [6.0]}, form


EXAMPLES: dict[str, Any] = {
    "one row": {"x": 1.5, "name": "a"},
    "messages": {"messages": [{"role": "user", "content": "hello"}]},
    "floats": numpy.array([[1.5, 2.5]], dtype="float32"),
    "named arrays": {"x": numpy.array([[1.5]], dtype="float32"), "n": numpy.array([1])},
    "table": pandas.DataFrame({"x": [1.5, None], "when": pandas.to_datetime(["2024-05-01", "2024-05-02"])}),
}


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=list(EXAMPLES))
def test_the_request_that_a_model_keeps_as_its_example_can_be_predicted(drupe_cli: Any, tmp_path: Path, example: Any) -> None:
    drupe.save_model(lambda given: ["answer"], tmp_path / "m", input_example=example)
    told = drupe_cli("models", "predict", "-m", str(tmp_path / "m"), "-i", str(tmp_path / "m" / "serving_input_example.json"))
    assert (told.code, told.out, told.err) == (0, '{"predictions": ["answer"]}\n', "")


def test_a_fault_of_the_model_itself_is_told_as_such(drupe_cli: Any, tmp_path: Path) -> None:
    drupe.save_model(lambda given: given["nowhere"], tmp_path / "m")
    told = drupe_cli("models", "predict", "-m", str(tmp_path / "m"), "-t", "json", stdin='[{"x": 1}]')
    assert told.code == 1
    assert "the model failed on this input: KeyError: 'nowhere' (DRP-0600)" in told.err


def test_a_place_for_predictions_that_is_not_there_is_one_clear_error(drupe_cli: Any, logged: str) -> None:
    Path("in.csv").write_text("x,name\n1,a\n")
    told = drupe_cli("models", "predict", "-m", "baseline/model", "-i", "in.csv", "-o", "nowhere/out.csv")
    assert told.code == 1
    assert "the predictions cannot be written to 'nowhere/out.csv': No such file or directory" in told.err


def test_predict_writes_csv_and_says_how_many(drupe_cli: Any, logged: str) -> None:
    Path("in.csv").write_text("x,name\n1,a\n2,b\n")
    told = drupe_cli("models", "predict", "-m", "baseline/model", "-i", "in.csv", "-o", "out.csv")
    assert told.err == "2 predictions → out.csv\n"
    assert [line.split(",")[0] for line in Path("out.csv").read_text().splitlines()[1:]] == ["2.0", "4.0"]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("in.csv", "y\n1\n", "'x' is missing"),
        ("in.json", "{", "is not JSON"),
        ("in.json", '{"rows": []}', "exactly one of"),
        ("in.json", '{"instances": [], "inputs": []}', "exactly one of"),
        ("in.json", '{"dataframe_split": 3}', "must be an object with 'columns' and 'data'"),
        ("in.parquet", "", "cannot be read as parquet"),
        ("in.txt", "", "--content-type"),
    ],
)
def test_bad_input_is_one_clear_error_and_nothing_is_written(drupe_cli: Any, logged: str, name: str, text: str, said: str) -> None:
    Path(name).write_text(text)
    told = drupe_cli("models", "predict", "-m", "baseline/model", "-i", name, "-o", "out.csv")
    assert (told.code, told.out) == (1, "")
    assert said in told.err
    assert not Path("out.csv").exists()


def test_register_takes_a_run_and_sets_aliases(drupe_cli: Any, logged: str, store: Client) -> None:
    told = drupe_cli("registry", "register", "churn", "baseline/model", "--alias", "champion", "--description", "first", "--tag", "k=v")
    assert told.err == "registered version 1 of 'churn', alias champion; load it with models:/churn/1\n"
    version = store.get_model_version_by_alias("churn", "champion")
    assert (version.run_id, version.description, version.tags["k"]) == (logged, "first", "v")
    Path("in.csv").write_text("x,name\n4,a\n")
    assert json.loads(drupe_cli("models", "predict", "-m", "models:/churn@champion", "-i", "in.csv").out) == {"predictions": [8.0]}
    assert "MLmodel" in drupe_cli("artifacts", "list", "models:/churn@champion").out


def test_what_is_no_model_cannot_be_registered(drupe_cli: Any, three_runs: list[str], store: Client) -> None:
    assert drupe_cli("registry", "register", "churn", "deeper/model").code == 1
    assert list(store.search_registered_models()) == []


def test_a_name_without_path_says_how_models_are_named(drupe_cli: Any, three_runs: list[str]) -> None:
    told = drupe_cli("models", "show", "baseline")
    assert told.code == 1
    assert "models:/NAME@ALIAS" in told.err


def test_a_name_and_a_version_alone_are_told_the_address_of_a_version(drupe_cli: Any, three_runs: list[str]) -> None:
    told = drupe_cli("models", "show", "churn/3")
    assert told.code == 1
    assert "a version of a registered model is models:/churn/3" in told.err
    assert "registered model" not in drupe_cli("models", "show", "churn/model").err


def test_whole_numbers_in_files_count_as_doubles_only_where_nothing_is_lost(drupe_cli: Any, logged: str) -> None:
    Path("in.csv").write_text(f"x,name\n{2**53 + 1},a\n")
    told = drupe_cli("models", "predict", "-m", "baseline/model", "-i", "in.csv")
    assert told.code == 1
    assert "column 'x' (double), row 0: holds the number 9007199254740993" in told.err

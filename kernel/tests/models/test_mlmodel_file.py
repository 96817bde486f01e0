"""The MLmodel file: read without surprises, kept whole, written as MLflow writes it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml

from drupe.errors import InvalidModelFolder
from drupe.models import ColSpec, Model, ModelSignature, Schema, inside
from drupe.models.yaml_text import read_yaml, write_yaml

FOLDERS = [f"{kind}_model_{release}" for kind in ("sklearn", "pyfunc", "plain", "hinted", "code") for release in ("2_22_5", "3_17_2")]


@pytest.mark.parametrize("name", FOLDERS)
def test_a_file_of_mlflow_is_kept_whole(mlflow_folders: Path, tmp_path: Path, name: str) -> None:
    original = yaml.safe_load((mlflow_folders / name / "MLmodel").read_text())
    Model.load(mlflow_folders / name).save(tmp_path / "MLmodel")
    assert yaml.safe_load((tmp_path / "MLmodel").read_text()) == original


def test_the_text_is_the_one_that_mlflow_writes(mlflow_folders: Path, tmp_path: Path) -> None:
    for name in ("sklearn_model_2_22_5", "sklearn_model_3_17_2", "pyfunc_model_3_17_2"):
        Model.load(mlflow_folders / name).save(tmp_path / "MLmodel")
        assert (tmp_path / "MLmodel").read_text() == (mlflow_folders / name / "MLmodel").read_text()


def test_what_is_not_known_is_absent_and_the_signature_is_json_in_yaml(tmp_path: Path) -> None:
    signature = ModelSignature(Schema([ColSpec("double", "a")]))
    model = Model(
        flavors={"sklearn": {"code": None}}, signature=signature, model_uuid="u" * 32, utc_time_created="2024-05-01 12:00:00.000000"
    )
    model.save(tmp_path / "MLmodel")
    assert (tmp_path / "MLmodel").read_text() == (
        "flavors:\n  sklearn:\n    code: null\n"
        "is_signature_from_type_hint: false\n"
        f"model_uuid: {'u' * 32}\n"
        'signature:\n  inputs: \'[{"type": "double", "name": "a", "required": true}]\'\n  outputs: null\n  params: null\n'
        "type_hint_from_example: false\n"
        "utc_time_created: '2024-05-01 12:00:00.000000'\n"
    )


def test_every_model_has_an_id_and_a_time_of_its_own() -> None:
    one, other = Model(flavors={"x": {}}), Model(flavors={"x": {}})
    assert one.model_uuid != other.model_uuid
    assert len(str(one.model_uuid)) == 32
    assert len(one.utc_time_created) == len("2024-05-01 12:00:00.000000")


def test_all_faults_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "MLmodel").write_text('flavors: [sklearn]\nmetadata: text\nrun_id: 7\nsignature: {inputs: \'[{"type": "odd"}]\'}\n')
    with pytest.raises(InvalidModelFolder) as caught:
        Model.load(tmp_path)
    for fault in ("it lists no flavors", "metadata must be a map, not str", "run_id must be text, not int", "its signature cannot be read"):
        assert fault in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds NoneType, not a map"),
        ("- a", "holds list, not a map"),
        ("flavors: {}", "lists no flavors"),
        ("flavors: {sklearn: text}", "name → map"),
        ("a: [", "not readable YAML"),
        ("a: !!python/object/apply:os.system ['true']", "not readable YAML"),
        ("a: \x00", "not readable YAML"),
        ("flavors: {sklearn: {}}\nrun_id: a\nflavors: {other: {}}", "the key 'flavors' is there twice"),
        ("a: " + "[" * 100 + "]" * 100, "nested more than 64 deep"),
        ("a: &a [1]\nb: &b [*a, *a]\n", "aliases inside an anchored value"),
        ("a: &a [*a]", "aliases inside an anchored value"),
        ("a: &a 1\nb: [" + "*a, " * 200 + "]", "more than 100 aliases"),
    ],
)
def test_a_file_that_is_none_is_refused_in_words(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "MLmodel").write_text(text)
    with pytest.raises(InvalidModelFolder, match=says):
        Model.load(tmp_path)


def test_a_file_that_is_far_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "MLmodel").open("wb") as stream:
        stream.truncate(17 * 2**20)
    with pytest.raises(InvalidModelFolder, match="larger than 16 MB"):
        Model.load(tmp_path)


def test_a_folder_without_the_file_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(InvalidModelFolder, match="not a model folder"):
        Model.load(tmp_path)


def test_reading_the_same_text_again_gives_a_value_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "MLmodel"
    for text, inner in (("a: {b: [1]}\n", [1]), ("a: {b: 2024-05-01}\n", date(2024, 5, 1))):
        file.write_text(text)
        first = read_yaml(file)
        first["a"]["b"] = "changed"
        assert read_yaml(file) == {"a": {"b": inner}}
    file.write_text("a: 1\na: 2\n")
    for _ in range(2):
        with pytest.raises(InvalidModelFolder, match="the key 'a' is there twice"):
            read_yaml(file)


def test_a_value_used_twice_is_read_back_from_its_alias(tmp_path: Path) -> None:
    shared = ["x"]
    write_yaml(tmp_path / "a.yaml", {"one": shared, "two": shared})
    assert "*id001" in (tmp_path / "a.yaml").read_text()
    assert read_yaml(tmp_path / "a.yaml") == {"one": ["x"], "two": ["x"]}


def test_the_keys_of_python_function_lie_below_those_of_the_flavor() -> None:
    model = Model(flavors={"python_function": {"env": "e", "data": "p"}, "sklearn": {"data": "s"}})
    assert model.config("sklearn") == {"env": "e", "data": "s"}
    with pytest.raises(InvalidModelFolder, match="no flavor 'onnx'; it has python_function, sklearn"):
        model.config("onnx")


# --- names of files


def test_a_name_inside_the_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "m 50%.pkl").touch()
    (tmp_path / "link").symlink_to("data")
    assert inside(tmp_path, "data/m 50%.pkl") == tmp_path.resolve() / "data" / "m 50%.pkl"
    assert inside(tmp_path, "./data/") == tmp_path.resolve() / "data"
    assert inside(tmp_path, "link/m 50%.pkl") == tmp_path.resolve() / "data" / "m 50%.pkl"


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "a/../../x",
        "/etc/passwd",
        "%2e%2e/x",
        "..\\x",
        "C:\\x",
        "a\x00b",
        "",
        " ",
        ".",
        None,
        3,
        ["x"],
        "missing",
        "file/below",
        "out",
        "out/secret",
    ],
)
def test_a_name_that_leads_elsewhere_or_nowhere_is_refused(tmp_path: Path, name: object) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "file").touch()
    (tmp_path / "x").touch()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "secret").touch()
    (folder / "out").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InvalidModelFolder):
        inside(folder, name)

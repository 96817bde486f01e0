"""Stores that are damaged, or made to do harm: each thing that is wrong is told once, nothing outside is read, and the rest arrives."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from drupe.artifacts.repos import repo_for
from drupe.artifacts.trees import list_tree
from drupe.entities import ViewType
from drupe.errors import DrupeError, StoreSchema, StoreUnavailable
from drupe.migrate.report import ImportReport
from drupe.search.parse import parse
from drupe.search.query import Kind

from .conftest import EXPECTED, Brought

FILES = "mlruns_3_17_2"
DATABASE = "db_3_17_2"


def of(store: str, name: str, run_name: str) -> tuple[str, str]:
    """(experiment id, run id) of a recorded run."""
    for experiment in EXPECTED[store]["experiments"]:
        for run in experiment["runs"]:
            if experiment["name"] == name and run["run_name"] == run_name:
                return experiment["experiment_id"], run["run_id"]
    raise LookupError(run_name)


def damage(report: ImportReport) -> list[tuple[str, str, str]]:
    return [(loss.what, loss.name, loss.why) for loss in report.losses if loss.is_damage]


def count(here: Brought) -> int:
    return here.tracking.count_runs(parse(Kind.RUNS, None, None), view=ViewType.ALL)


@pytest.fixture
def store(unpack: Callable[[str], Path]) -> Path:
    return unpack(FILES)


@pytest.fixture
def full(store: Path) -> Path:
    """The folder of the run with artifacts and an input."""
    return store.joinpath(*of(FILES, "iris-baseline", "full"))


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    folder = tmp_path / "secret"
    folder.mkdir()
    (folder / "key.txt").write_text("top secret")
    return folder


def logged(here: Brought) -> list[str]:
    return sorted(one.source_run_id or "" for one in here.tracking.search_logged_models(parse(Kind.LOGGED_MODELS), experiment_ids=None))


# --- file stores


BOMB = "a: &a [x, x]\nb: &b [*a, *a, *a]\nc: &c [*b, *b, *b]\nname: *c\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (BOMB, "aliases"),
        ("x: " + "[" * 200, "nested"),
        ("run_id: !!python/object/apply:os.system ['true']", "not readable YAML"),
        ("[1, 2]", "no map"),
        ("\x00\x01", "not readable YAML"),
        ("", "no map"),
        ("run_id: other\nstatus: 3\n", "that of run 'other'"),
    ],
)
def test_a_run_with_a_wrong_meta_file_is_left_out_and_told(full: Path, store: Path, here: Brought, content: str, words: str) -> None:
    (full / "meta.yaml").write_text(content)
    report = here.bring(store)
    ((what, name, why),) = damage(report)
    assert (what, name) == ("run", f"run {full.name}")
    assert words in why
    assert count(here) == 9
    assert not report.is_whole
    assert report.mismatches == []


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("status", "9", "status"),
        ("start_time", "soon", "start_time"),
        ("lifecycle_stage", "gone", "lifecycle_stage"),
        ("end_time", "[1]", "end_time"),
    ],
)
def test_a_field_of_the_wrong_kind_is_named(full: Path, store: Path, here: Brought, field: str, value: str, words: str) -> None:
    lines = [line for line in (full / "meta.yaml").read_text().splitlines() if not line.startswith(f"{field}:")]
    (full / "meta.yaml").write_text("\n".join([*lines, f"{field}: {value}"]))
    ((_, name, why),) = damage(here.bring(store))
    assert name == f"run {full.name}"
    assert words in why


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (BOMB, "aliases"),
        ("model_id: m-1\n", "that of 'm-1'"),
        (None, "cannot be read"),
        ("status: 9\n", "status is '9'"),
        ("name: ''\n", "name"),
    ],
)
def test_a_logged_model_with_a_wrong_meta_file_is_told_and_its_versions_keep_their_files(
    full: Path, store: Path, here: Brought, content: str | None, words: str
) -> None:
    (folder,) = (full.parent / "models").iterdir()
    meta = folder / "meta.yaml"
    if content is None:
        meta.unlink()
    elif content is BOMB or content.startswith("model_id"):
        meta.write_text(content)
    else:
        field = content.partition(":")[0]
        meta.write_text("\n".join([*(line for line in meta.read_text().splitlines() if not line.startswith(f"{field}:")), content]))
    report = here.bring(store)
    ((what, name, why),) = damage(report)
    assert (what, name) == ("logged model", f"logged model {folder.name}")
    assert words in why
    assert [(loss.what, loss.count) for loss in report.losses if not loss.is_damage] == [("tie to a logged model", 1)]
    assert logged(here) == [of(FILES, "churn/π", "full")[1]]
    source = here.registry.get_model_version("iris-classifier", "1").source
    assert "MLmodel" in [file.path for file in list_tree(repo_for(source))]


def test_parts_of_a_logged_model_that_are_wrong_are_left_out_and_told(full: Path, store: Path, here: Brought, secret: Path) -> None:
    (folder,) = (full.parent / "models").iterdir()
    (folder / "tags" / "stolen").symlink_to(secret / "key.txt")
    (folder / "params" / "bad").write_bytes(b"\xff")
    (folder / "metrics" / "accuracy").write_text(
        f"x 1 2 r\n1 0.5 99999999999999999999 {full.name}\n7 0.25 3 iris 1 d1 {full.name}\n1 2 3 elsewhere\n"
    )
    (folder / "artifacts" / "stolen.txt").symlink_to(secret / "key.txt")
    report = here.bring(store)
    assert sorted((what, name.partition(", ")[2].split("/m-")[0]) for what, name, _ in damage(report)) == [
        ("file", "models"),
        ("logged model param", "param 'bad'"),
        ("logged model tag", "tag 'stolen'"),
        ("point", "metric 'accuracy'"),
    ]
    assert [(loss.what, loss.count) for loss in report.losses if not loss.is_damage] == [("metric of a logged model", 1)]
    kept = here.tracking.get_logged_model(folder.name)
    assert [(one.key, one.value, one.step, one.dataset_name, one.dataset_digest) for one in kept.metrics] == [
        ("accuracy", 0.25, 3, "iris 1", "d1"),
        ("model_acc", 0.95, 2, None, None),
    ]
    assert report.mismatches == []


def test_links_are_not_followed(full: Path, store: Path, here: Brought, secret: Path) -> None:
    (full / "params" / "stolen").symlink_to(secret / "key.txt")
    (full / "metrics" / "folder").symlink_to(secret)
    (full / "artifacts" / "stolen.txt").symlink_to(secret / "key.txt")
    (store / "999").symlink_to(secret)
    report = here.bring(store)
    assert sorted((what, name.partition(", ")[2]) for what, name, _ in damage(report)) == [
        ("file", ""),
        ("metric", "metric 'folder'"),
        ("param", "param 'stolen'"),
    ]
    run = here.tracking.get_run(full.name)
    assert "stolen" not in run.data.params
    assert [file.path for file in list_tree(repo_for(run.info.artifact_uri))] == [
        "config.json",
        "notes/hello.txt",
        "odd names/50% done.txt",
    ]


def test_a_meta_file_that_is_a_link_or_a_pipe_is_not_opened(store: Path, here: Brought, full: Path, secret: Path) -> None:
    shutil.move(full / "meta.yaml", secret / "meta.yaml")
    (full / "meta.yaml").symlink_to(secret / "meta.yaml")
    other = store.joinpath(*of(FILES, "iris-baseline", "child"))
    (other / "meta.yaml").unlink()
    os.mkfifo(other / "meta.yaml")
    assert {name for _, name, _ in damage(here.bring(store))} == {f"run {full.name}", f"run {other.name}"}
    assert count(here) == 8


@pytest.mark.parametrize(
    "address", ["/", "file:///", "{secret}", "file://{secret}", "../../secret", "file:///srv/../{secret}", "{secret}%2f.."]
)
def test_an_artifact_address_that_leads_elsewhere_is_not_followed(
    full: Path, store: Path, here: Brought, secret: Path, address: str
) -> None:
    meta = (full / "meta.yaml").read_text().splitlines()
    lines = [line for line in meta if not line.startswith("artifact_uri:")]
    (full / "meta.yaml").write_text("\n".join([*lines, f"artifact_uri: '{address.format(secret=secret)}'"]))
    here.bring(store)
    run = here.tracking.get_run(full.name)
    assert [file.path for file in list_tree(repo_for(run.info.artifact_uri))] == []


def test_the_whole_store_is_told_where_artifacts_may_be_read_by_the_user_alone(
    full: Path, store: Path, here: Brought, secret: Path
) -> None:
    lines = [line for line in (full / "meta.yaml").read_text().splitlines() if not line.startswith("artifact_uri:")]
    (full / "meta.yaml").write_text("\n".join([*lines, "artifact_uri: /elsewhere/deep"]))
    (secret / "deep").mkdir()
    (secret / "deep" / "found.txt").write_text("x")
    told = here.bring(store)
    assert [(loss.what, loss.name) for loss in told.losses if loss.what == "files"] == [("files", "/elsewhere/deep")]
    here.bring(store, roots=(("/elsewhere", secret),))
    assert [file.path for file in list_tree(repo_for(here.tracking.get_run(full.name).info.artifact_uri))] == ["found.txt"]


def test_lines_that_are_no_points_are_counted(full: Path, store: Path, here: Brought) -> None:
    with (full / "metrics" / "accuracy").open("a") as file:
        file.write("17000 0.5\nnonsense\n1 2 x\n99999999999999999999 1 1\n1700000000001 0.8")  # two columns: a file of long ago
    report = here.bring(store)
    assert [(loss.what, loss.count) for loss in report.losses if loss.is_damage] == [("point", 3)]
    (series,) = here.tracking.metric_bulk([full.name], ["accuracy"])
    assert list(series.points) == [(0, 17000, 0.5), (0, 1700000000000, 0.9), (0, 1700000000001, 0.8)]


def test_names_that_no_param_may_have_are_told_and_long_texts_cut(full: Path, store: Path, here: Brought) -> None:
    (full / "params" / "bad$name").write_text("1")
    (full / "params" / "long").write_text("y" * 7000)
    (full / "tags" / "nul").write_text("a\x00b")
    (full / "tags" / "latin").write_bytes(b"\xff\xfe")
    report = here.bring(store)
    told = {loss.name.partition(", ")[2]: loss.why for loss in report.losses if loss.name.startswith(f"run {full.name}")}
    assert sorted(told) == ["param 'bad$name'", "param 'long'", "tag 'latin'", "tag 'nul'"]
    assert told["param 'long'"] == "cut from 7000 to 6000 characters"
    assert here.tracking.get_run(full.name).data.params == {"x": "1", "long": "y" * 6000}


def test_a_version_or_model_that_cannot_be_read_leaves_the_others(store: Path, here: Brought) -> None:
    (store / "models" / "iris-classifier" / "version-2" / "meta.yaml").write_text("current_stage: Somewhere")
    (store / "models" / "churn-model" / "meta.yaml").write_text(":")
    report = here.bring(store)
    assert sorted(name for _, name, _ in damage(report)) == [
        "registered model 'churn-model'",
        "registered model 'iris-classifier', version 2",
    ]
    kept = here.registry.get_registered_model("iris-classifier")
    assert kept.aliases == {"challenger": "3"}
    assert [loss.name for loss in report.losses if loss.what == "alias"] == ["registered model 'iris-classifier', alias 'champion'"]


@pytest.mark.parametrize("name", ["nothing", "file.txt", "empty"])
def test_what_is_no_store_is_refused(tmp_path: Path, here: Brought, name: str) -> None:
    (tmp_path / "file.txt").write_text("x")
    (tmp_path / "empty").mkdir()
    with pytest.raises(StoreUnavailable):
        here.bring(tmp_path / name)


# --- databases


@pytest.fixture
def database(unpack: Callable[[str], Path]) -> Path:
    return unpack(DATABASE)


def change(database: Path, *statements: str) -> None:
    with sqlite3.connect(database) as opened:
        opened.execute("PRAGMA ignore_check_constraints = 1")
        for statement in statements:
            opened.execute(statement)
    opened.close()


def test_rows_that_are_not_what_mlflow_writes_are_told(database: Path, here: Brought) -> None:
    _, full = of(DATABASE, "iris-baseline", "full")
    _, child = of(DATABASE, "iris-baseline", "child")
    _, parent = of(DATABASE, "iris-baseline", "parent")
    change(
        database,
        f"UPDATE runs SET status = 'BORED' WHERE run_uuid = '{full}'",
        f"UPDATE runs SET start_time = 'soon' WHERE run_uuid = '{child}'",
        f"UPDATE metrics SET value = 'high' WHERE run_uuid = '{parent}' AND step = 2",
        f"UPDATE params SET value = CAST(x'ff41' AS TEXT) WHERE run_uuid = '{parent}' AND key = 'kind'",
    )
    report = here.bring(database)
    assert sorted((what, name) for what, name, _ in damage(report)) == [
        ("point", f"run {parent}, metric 'best/loss'"),
        ("run", f"run {child}"),
        ("run", f"run {full}"),
    ]
    assert [loss.name for loss in report.losses if loss.what == "param"] == [f"run {parent}, param 'kind'"]
    assert count(here) == 8


def test_logged_models_that_are_not_what_mlflow_writes_are_told(database: Path, here: Brought) -> None:
    _, full = of(DATABASE, "iris-baseline", "full")
    change(
        database,
        f"UPDATE logged_models SET status = 9 WHERE source_run_id = '{full}'",
        f"UPDATE logged_model_metrics SET metric_value = 'high' WHERE run_id <> '{full}' AND metric_name = 'accuracy'",
        f"UPDATE logged_models SET artifact_location = '/etc', lifecycle_stage = 'deleted' WHERE source_run_id <> '{full}'",
        f"INSERT INTO inputs SELECT 'x' || input_uuid, 'RUN_INPUT', source_id, 'MODEL_INPUT', 'm-1', 0 FROM inputs WHERE source_id = '{full}'",
    )
    report = here.bring(database)
    assert sorted((what, why) for what, _, why in damage(report)) == [
        ("logged model", "its status is '9', which MLflow does not have"),
        ("metric of a logged model", "its numbers are none"),
    ]
    assert {(loss.what, loss.count) for loss in report.losses if not loss.is_damage} >= {("tie to a logged model", 2), ("files", 1)}
    assert logged(here) == []
    assert (report.logged_models.new, report.mismatches) == (1, [])


@pytest.mark.parametrize("address", ["/", "/etc", "file:///etc", "../secret", "./../secret", "{secret}"])
def test_files_outside_the_folder_of_the_database_are_not_read(database: Path, here: Brought, secret: Path, address: str) -> None:
    _, full = of(DATABASE, "iris-baseline", "full")
    change(database, f"UPDATE runs SET artifact_uri = '{address.format(secret=secret)}' WHERE run_uuid = '{full}'")
    report = here.bring(database)
    assert [file.path for file in list_tree(repo_for(here.tracking.get_run(full).info.artifact_uri))] == []
    assert [loss.what for loss in report.losses if "--artifact-root" in loss.why] == ["files"]


def test_a_view_in_the_place_of_a_table_is_not_asked(database: Path, here: Brought) -> None:
    change(database, "ALTER TABLE params RENAME TO other", "CREATE VIEW params AS SELECT * FROM other")
    with pytest.raises(StoreSchema):
        here.bring(database)


def test_a_database_of_something_else_is_refused(tmp_path: Path, here: Brought) -> None:
    change(tmp_path / "other.db", "CREATE TABLE runs (id)")
    with pytest.raises(StoreSchema, match="no database of MLflow"):
        here.bring(tmp_path / "other.db")


def test_a_damaged_file_is_one_clear_error_or_loss(database: Path, here: Brought) -> None:
    with database.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (database.stat().st_size - 4096))
    with pytest.raises(DrupeError, match=r"cannot be read"):
        here.bring(database)
    assert count(here) == 0


def test_the_database_is_only_read(database: Path, here: Brought) -> None:
    before = database.read_bytes(), sorted(database.parent.rglob("*"))
    here.bring(database)
    assert (database.read_bytes(), sorted(database.parent.rglob("*"))) == before


def test_other_workspaces_are_told_and_can_be_asked_for(database: Path, here: Brought) -> None:
    change(database, "UPDATE experiments SET workspace = 'team' WHERE name = 'iris-baseline'")
    report = here.bring(database)
    assert [(loss.what, loss.count) for loss in report.losses if "workspace" in loss.why] == [("experiment", 1)]
    assert here.tracking.get_experiment_by_name("iris-baseline") is None
    here.bring(f"sqlite:///{database}?workspace=team")
    assert here.tracking.get_experiment_by_name("iris-baseline") is not None


def test_columns_of_later_releases_may_be_missing(database: Path, here: Brought) -> None:
    change(
        database,
        "CREATE TABLE plain AS SELECT experiment_id, name, artifact_location, lifecycle_stage FROM experiments",
        "DROP TABLE experiments",
        "ALTER TABLE plain RENAME TO experiments",
        "DROP TABLE inputs",
        "DROP TABLE logged_models",
        "DROP TABLE registered_model_aliases",
    )
    report = here.bring(database)
    assert report.is_whole
    assert (report.runs.new, report.inputs, report.models.new) == (10, 0, 3)

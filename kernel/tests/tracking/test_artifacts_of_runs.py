"""Files and values kept as artifacts of runs."""

from __future__ import annotations

import io
import json
from collections import OrderedDict
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path, PurePosixPath

import matplotlib
import numpy as np
import pandas as pd
import pytest
import yaml
from matplotlib.figure import Figure
from PIL import Image

import drupe
from drupe.errors import ArtifactNotFound, InvalidPath, InvalidValue

matplotlib.use("Agg")


def names(run_id: str, path: str | None = None) -> list[str]:
    return [entry.path for entry in drupe.Client().list_artifacts(run_id, path)]


def content(run_id: str, path: str) -> bytes:
    return Path(drupe.Client().download_artifacts(run_id, path)).read_bytes()


def test_files_folders_texts_and_dicts_are_kept_under_their_names(workspace: Path) -> None:
    (workspace / "a.txt").write_text("alpha")
    (workspace / "sub/deep").mkdir(parents=True)
    (workspace / "sub/deep/50% done.txt").write_text("percent")
    with drupe.start_run() as run:
        drupe.log_artifact("a.txt")
        drupe.log_artifact(workspace / "a.txt", "copies")
        drupe.log_artifacts("sub", "tree")
        drupe.log_artifact("sub")
        drupe.log_text("naïve ☃", "notes/hello.txt")
        drupe.log_dict({"a": [1, np.float32(0.5)]}, "config.json")
        drupe.log_dict({"b": 2}, "config.yaml")
    run_id = run.info.run_id
    assert names(run_id) == ["a.txt", "config.json", "config.yaml", "copies", "notes", "sub", "tree"]
    assert names(run_id, "tree/deep") == ["tree/deep/50% done.txt"]
    assert names(run_id, "sub/deep") == ["sub/deep/50% done.txt"]
    assert content(run_id, "notes/hello.txt") == "naïve ☃".encode()
    assert json.loads(content(run_id, "config.json")) == {"a": [1, 0.5]}
    assert content(run_id, "config.yaml") == b"b: 2\n"
    assert drupe.list_artifacts("copies", run_id=run_id)[0].file_size == 5


def test_a_figure_and_images_are_kept_as_pictures() -> None:
    figure = Figure()
    figure.subplots().plot([1, 2])
    with drupe.start_run() as run:
        drupe.log_figure(figure, "plots/line.png")
        drupe.log_image(np.zeros((4, 6, 3), dtype=np.uint8), "black.png")
        drupe.log_image(Image.new("RGB", (5, 5)), "pil.jpg")
        drupe.log_image(np.linspace(0, 1, 600 * 300).reshape(600, 300), key="grid/a", step=3, timestamp=5)
    run_id = run.info.run_id
    assert content(run_id, "plots/line.png")[:8] == b"\x89PNG\r\n\x1a\n"
    assert content(run_id, "pil.jpg")[:3] == b"\xff\xd8\xff"
    series = sorted(names(run_id, "images"))
    assert len(series) == 2
    assert all(name.startswith("images/grid~a+step+3+timestamp+5+") for name in series)
    full, small = (Image.open(io.BytesIO(content(run_id, name))).size for name in (series[1], series[0]))
    assert (full, small) == ((300, 600), (128, 256))
    assert drupe.get_run(run_id).data.tags["mlflow.loggedImages"] == "true"


@pytest.mark.parametrize("image", [np.zeros((2, 2, 5)), np.array([[300]]), np.array([["a"]]), np.array([[np.nan]])])
def test_an_array_that_is_no_image_is_refused(image: np.ndarray) -> None:
    with drupe.start_run(), pytest.raises(InvalidValue, match="image array"):
        drupe.log_image(image, "x.png")


def test_floats_a_little_out_of_range_are_clipped_with_a_warning() -> None:
    with drupe.start_run() as run, pytest.warns(UserWarning, match="from -0.5 to 2; it is clipped"):
        drupe.log_image(np.array([[-0.5, 0.5], [1.0, 2.0]]), "x.png")
    assert np.asarray(Image.open(io.BytesIO(content(run.info.run_id, "x.png")))).tolist() == [[0, 128], [255, 255]]


def test_an_image_that_its_format_cannot_hold_is_refused() -> None:
    with drupe.start_run():
        with pytest.raises(InvalidValue, match="of mode RGBA cannot be written as jpeg"):
            drupe.log_image(Image.new("RGBA", (3, 3)), "x.jpg")
        with pytest.raises(InvalidValue, match="cannot be written as nonsense"):
            drupe.log_image(Image.new("RGB", (3, 3)), "x.nonsense")


def test_a_figure_takes_the_format_of_its_options_over_that_of_its_name() -> None:
    with drupe.start_run() as run:
        drupe.log_figure(Figure(), "plot.dat", save_kwargs={"format": "png"})
    assert content(run.info.run_id, "plot.dat")[:4] == b"\x89PNG"


class Colour(StrEnum):
    RED = "red"


UNUSUAL = {
    "when": datetime(2020, 1, 2, 3, 4, 5),
    "where": PurePosixPath("/a/b"),
    "pair": (1, 2),
    "set": {3, 1, 2},
    "number": np.float64(0.5),
    "count": np.int64(7),
    "array": np.array([1, 2]),
    "colour": Colour.RED,
    "ordered": OrderedDict(a=1),
    "fraction": Decimal("0.1"),
}
PLAIN = {
    "where": "/a/b",
    "pair": [1, 2],
    "set": [1, 2, 3],
    "number": 0.5,
    "count": 7,
    "array": [1, 2],
    "colour": "red",
    "ordered": {"a": 1},
    "fraction": "0.1",
}


def test_values_without_a_form_in_json_or_yaml_are_written_as_their_text() -> None:
    with drupe.start_run() as run:
        drupe.log_dict(UNUSUAL, "a.json")
        drupe.log_dict(UNUSUAL, "a.yaml")
    assert json.loads(content(run.info.run_id, "a.json")) == {**PLAIN, "when": "2020-01-02 03:04:05"}
    assert yaml.safe_load(content(run.info.run_id, "a.yaml")) == {**PLAIN, "when": datetime(2020, 1, 2, 3, 4, 5)}


@pytest.mark.parametrize("name", ["a.json", "a.yaml"])
def test_a_dict_that_contains_itself_is_refused(name: str) -> None:
    endless: dict[str, object] = {}
    endless["self"] = endless
    with drupe.start_run(), pytest.raises(InvalidValue, match="cannot be written"):
        drupe.log_dict(endless, name)


def test_log_text_takes_only_text() -> None:
    with drupe.start_run(), pytest.raises(InvalidValue, match="log_dict keeps dicts"):
        drupe.log_text({"a": 1}, "a.txt")  # type: ignore[arg-type]


def test_tables_of_several_runs_are_read_together_with_facts_about_the_runs() -> None:
    for rate in (1, 2):
        with drupe.start_run(run_name=f"run {rate}") as run:
            drupe.log_param("rate", rate)
            drupe.log_table({"q": [f"q{rate}"]}, "t.json")
    drupe.start_run()
    drupe.end_run()
    table = drupe.load_table("t.json", extra_columns=["params.rate", "tags.none"])
    assert sorted(map(tuple, table.to_numpy().tolist())) == [("q1", "1", None), ("q2", "2", None)]
    assert drupe.Client().load_table("0", "t.json", run_ids=[run.info.run_id])["q"].tolist() == ["q2"]
    with pytest.raises(ArtifactNotFound, match=r"other\.json"):
        drupe.load_table("other.json")


def test_a_download_lands_under_its_own_name_and_without_a_destination_nothing_is_copied(workspace: Path) -> None:
    with drupe.start_run() as run:
        drupe.log_text("x", "a/b/c.txt")
    place = drupe.Client().download_artifacts(run.info.run_id, "a/b/c.txt", workspace / "out")
    assert place == str(workspace / "out/c.txt")
    assert str(workspace) in drupe.Client().download_artifacts(run.info.run_id, "a/b/c.txt")


def test_the_address_of_an_artifact_stays_below_that_of_its_run() -> None:
    with drupe.start_run() as run:
        assert drupe.get_artifact_uri() == run.info.artifact_uri
        assert drupe.get_artifact_uri("a/b") == f"{run.info.artifact_uri}/a/b"
        with pytest.raises(InvalidPath):
            drupe.get_artifact_uri("../x")


def test_a_table_grows_with_every_call() -> None:
    with drupe.start_run() as run:
        drupe.log_table({"q": ["a", "b"], "n": [1, 2]}, "t.json")
        drupe.log_table(pd.DataFrame({"q": ["c"], "n": [3]}), "t.json")
        with pytest.raises(InvalidValue, match="another ending"):
            drupe.log_table({"q": [1]}, "t.txt")
    table = drupe.load_table("t.json")
    assert table.to_dict("list") == {"q": ["a", "b", "c"], "n": [1, 2, 3]}
    assert json.loads(drupe.get_run(run.info.run_id).data.tags["mlflow.loggedArtifacts"]) == [{"path": "t.json", "type": "table"}]


@pytest.mark.parametrize("path", ["../x.txt", "/etc/x.txt", "a/../../x", "a//b", "C:\\x", "a\x00b", "%2e%2e/x"])
def test_a_path_that_leaves_the_run_is_refused_and_nothing_is_written(workspace: Path, path: str) -> None:
    with drupe.start_run() as run:
        before = sorted(str(entry) for entry in workspace.rglob("*"))
        with pytest.raises(InvalidPath):
            drupe.log_text("x", path)
        assert names(run.info.run_id) == []
        assert sorted(str(entry) for entry in workspace.rglob("*")) == before


def test_a_missing_file_says_where_it_was_looked_for(workspace: Path) -> None:
    with drupe.start_run(), pytest.raises(ArtifactNotFound, match=str(workspace)):
        drupe.log_artifact("nothing.txt")


class ForeignDataset:
    def to_dict(self) -> dict[str, str]:
        return {"name": "theirs", "digest": "d1", "source_type": "local", "source": "{}", "schema": "{}", "profile": "{}"}


def test_a_dataset_of_another_library_that_describes_itself_is_taken() -> None:
    with drupe.start_run() as run:
        drupe.log_input(ForeignDataset(), context="training")
    (entry,) = drupe.get_run(run.info.run_id).inputs.dataset_inputs
    assert (entry.dataset.name, entry.dataset.digest) == ("theirs", "d1")


@pytest.mark.parametrize("dataset", [None, "train.csv", pd.DataFrame({"name": [1]})])
def test_what_is_no_dataset_is_refused_with_what_would_be(dataset: object) -> None:
    with drupe.start_run(), pytest.raises(InvalidValue, match=r"drupe\.data\.from_pandas"):
        drupe.log_input(dataset)

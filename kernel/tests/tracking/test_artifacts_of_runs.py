"""Files and values kept as artifacts of runs."""

from __future__ import annotations

import io
import json
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
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


@pytest.mark.parametrize("image", [np.zeros((2, 2, 5)), np.array([[2.0]]), np.array([["a"]]), np.array([[np.nan]])])
def test_an_array_that_is_no_image_is_refused(image: np.ndarray) -> None:
    with drupe.start_run(), pytest.raises(InvalidValue, match="image array"):
        drupe.log_image(image, "x.png")


def test_a_table_grows_with_every_call() -> None:
    with drupe.start_run() as run:
        drupe.log_table({"q": ["a", "b"], "n": [1, 2]}, "t.json")
        drupe.log_table(pd.DataFrame({"q": ["c"], "n": [3]}), "t.json")
        with pytest.raises(InvalidValue, match="another ending"):
            drupe.log_table({"q": [1]}, "t.txt")
    table = drupe.Client().load_table(run.info.run_id, "t.json")
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


def test_a_dataset_is_tied_to_the_run_with_its_context() -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0], "y": [0, 1]})
    with drupe.start_run() as run:
        drupe.log_input(drupe.data.from_pandas(frame, name="train", targets="y"), context="training")
        drupe.log_input(drupe.data.from_numpy(np.zeros((3, 2)), name="grid"), context="test", tags={"k": "v"})
    inputs = {entry.dataset.name: entry for entry in drupe.get_run(run.info.run_id).inputs.dataset_inputs}
    assert json.loads(inputs["train"].dataset.profile or "") == {"num_rows": 2, "num_elements": 4}
    assert {tag.key: tag.value for tag in inputs["grid"].tags} == {"mlflow.data.context": "test", "k": "v"}
    assert drupe.data.from_pandas(frame).digest == drupe.data.from_pandas(frame.copy()).digest
    assert drupe.data.from_pandas(frame).digest != drupe.data.from_pandas(frame + 1).digest

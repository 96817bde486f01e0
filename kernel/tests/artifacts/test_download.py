"""MLflow's artifact functions on the stores that are set up for the process."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from drupe.artifacts import download_artifacts, list_artifacts, load_dict, load_image, load_text
from drupe.artifacts.repos import repo_for
from drupe.artifacts.trees import put_tree
from drupe.entities import FileInfo, NewRun
from drupe.errors import ArtifactCorrupt, ArtifactNotFound, InvalidPath, InvalidValue, RunNotFound
from drupe.tracking import address
from drupe.uris import ArtifactPath


@pytest.fixture(autouse=True)
def stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A tracking and registry database of its own; its address."""
    monkeypatch.chdir(tmp_path)
    uri = f"sqlite:///{tmp_path / 'runs.db'}"
    address.set_tracking_uri(uri)
    yield uri
    address.close_stores()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "artifacts"


@pytest.fixture
def run_id(root: Path) -> str:
    """A run with the files a.txt, model/MLmodel and model/data/w.bin, put through its repository."""
    store = address.tracking_store()
    experiment = store.create_experiment("files", artifact_location=root.as_uri())
    run = store.create_run(NewRun(experiment.experiment_id))
    source = root.parent / "source"
    (source / "model" / "data").mkdir(parents=True)
    (source / "a.txt").write_text("größe")
    (source / "model" / "MLmodel").write_text("flavors: {}")
    (source / "model" / "data" / "w.bin").write_bytes(b"\x00\xff")
    put_tree(repo_for(run.info.artifact_uri), source, ArtifactPath())
    return run.info.run_id


def files(folder: str | Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*") if path.is_file())


def test_artifacts_on_this_machine_are_used_where_they_lie(run_id: str, root: Path) -> None:
    assert download_artifacts(run_id=run_id, artifact_path="a.txt") == str(root / run_id / "artifacts" / "a.txt")
    assert download_artifacts(f"runs:/{run_id}/model") == str(root / run_id / "artifacts" / "model")
    assert download_artifacts(run_id=run_id) == str(root / run_id / "artifacts")


def test_artifacts_used_in_place_are_checked_first(run_id: str, root: Path) -> None:
    (root / run_id / "artifacts" / "model" / "data" / "w.bin").write_bytes(b"\x00\xfe")
    with pytest.raises(ArtifactCorrupt, match=r"w\.bin"):
        download_artifacts(f"runs:/{run_id}/model")
    with pytest.raises(ArtifactCorrupt, match=r"w\.bin"):
        download_artifacts(f"runs:/{run_id}/model", dst_path="out")
    assert download_artifacts(f"runs:/{run_id}/a.txt")


@pytest.mark.parametrize(
    ("uri", "returned", "found"),
    [
        ("runs:/{}/a.txt", "a.txt", ["a.txt"]),
        ("runs:/{}/model", "model", ["model/MLmodel", "model/data/w.bin"]),
        ("runs:/{}/model/data/w.bin", "w.bin", ["w.bin"]),
        ("runs:/{}", ".", ["a.txt", "model/MLmodel", "model/data/w.bin"]),
        ("models:/clf/1", ".", ["MLmodel", "data/w.bin"]),
        ("models:/clf@best/data", "data", ["data/w.bin"]),
        ("models:/clf/latest/data/w.bin", "data/w.bin", ["data/w.bin"]),
    ],
)
def test_a_copy_lies_in_the_destination_under_its_own_name(run_id: str, tmp_path: Path, uri: str, returned: str, found: list[str]) -> None:
    registry = address.registry_store()
    registry.create_registered_model("clf")
    registry.create_model_version("clf", f"runs:/{run_id}/model")
    registry.set_alias("clf", "best", "1")
    destination = tmp_path / "new" / "folder"
    assert Path(download_artifacts(uri.format(run_id), dst_path=str(destination))) == destination / returned
    assert files(destination) == found


def test_a_path_of_a_run_and_the_same_as_an_address_give_the_same_copy(run_id: str, tmp_path: Path) -> None:
    place = download_artifacts(run_id=run_id, artifact_path="model/data", dst_path=tmp_path / "out")
    assert place == str(tmp_path / "out" / "data")


def test_another_store_can_be_named(run_id: str, stores: str, tmp_path: Path) -> None:
    address.set_tracking_uri(f"sqlite:///{tmp_path / 'other.db'}")
    with pytest.raises(RunNotFound):
        download_artifacts(f"runs:/{run_id}/a.txt")
    assert download_artifacts(f"runs:/{run_id}/a.txt", tracking_uri=stores)
    assert list_artifacts(run_id=run_id, tracking_uri=stores)


def test_what_is_not_there_is_not_found_with_or_without_a_destination(run_id: str, tmp_path: Path) -> None:
    for destination in (None, tmp_path / "out"):
        for path in ("missing", "model/missing", "a.txt/deeper"):
            with pytest.raises(ArtifactNotFound):
                download_artifacts(run_id=run_id, artifact_path=path, dst_path=destination)
        with pytest.raises(InvalidPath):
            download_artifacts(run_id=run_id, artifact_path="../x", dst_path=destination)
    assert not (tmp_path / "out").exists()


def test_links_in_an_artifact_folder_are_not_handed_out(run_id: str, root: Path) -> None:
    (root / run_id / "artifacts" / "leak").symlink_to("/etc")
    for path in ("leak", "leak/passwd"):
        with pytest.raises((ArtifactNotFound, InvalidPath)):
            download_artifacts(run_id=run_id, artifact_path=path)


@pytest.mark.parametrize(
    "given",
    [{}, {"artifact_uri": "x", "run_id": "y"}, {"artifact_uri": "x", "artifact_path": "y"}],
    ids=["nothing", "both", "a path beside an address"],
)
def test_the_arguments_must_name_one_thing(given: dict[str, str]) -> None:
    for function in (download_artifacts, list_artifacts):
        with pytest.raises(InvalidValue):
            function(**given)


def test_a_run_is_listed_with_paths_from_its_root_and_an_address_from_its_parent(run_id: str) -> None:
    assert list_artifacts(run_id=run_id) == [FileInfo("a.txt", False, 7), FileInfo("model", True)]
    assert [info.path for info in list_artifacts(run_id=run_id, artifact_path="model/data")] == ["model/data/w.bin"]
    assert [info.path for info in list_artifacts(f"runs:/{run_id}/model/data")] == ["data/w.bin"]
    assert list_artifacts(f"runs:/{run_id}/a.txt") == []


def test_small_artifacts_are_read_into_values(run_id: str, root: Path, tmp_path: Path) -> None:
    folder = root / run_id / "artifacts"
    (folder / "config.json").write_text('{"depth": 3}')
    assert load_text(f"runs:/{run_id}/a.txt") == "größe"
    assert load_dict(f"runs:/{run_id}/config.json") == {"depth": 3}
    images = pytest.importorskip("PIL.Image")
    picture = io.BytesIO()
    images.new("RGB", (4, 3), (255, 0, 0)).save(picture, "PNG")
    (folder / "red.png").write_bytes(picture.getvalue())
    loaded = load_image(f"runs:/{run_id}/red.png")
    assert (loaded.size, loaded.getpixel((0, 0))) == ((4, 3), (255, 0, 0))


def test_what_is_not_of_the_kind_asked_for_is_named(run_id: str) -> None:
    with pytest.raises(InvalidValue, match="not UTF-8"):
        load_text(f"runs:/{run_id}/model/data/w.bin")
    with pytest.raises(InvalidValue, match="not JSON"):
        load_dict(f"runs:/{run_id}/a.txt")
    pytest.importorskip("PIL.Image")
    with pytest.raises(InvalidValue, match="not an image"):
        load_image(f"runs:/{run_id}/a.txt")


def test_a_truncated_image_is_no_image(run_id: str, root: Path) -> None:
    images = pytest.importorskip("PIL.Image")
    picture = io.BytesIO()
    images.effect_noise((64, 64), 50).save(picture, "PNG")
    (root / run_id / "artifacts" / "half.png").write_bytes(picture.getvalue()[:1000])
    with pytest.raises(InvalidValue, match="not an image"):
        load_image(f"runs:/{run_id}/half.png")


def test_a_folder_has_no_content(run_id: str) -> None:
    with pytest.raises(ArtifactNotFound, match="folder"):
        load_text(f"runs:/{run_id}/model")


def test_reading_leaves_no_temporary_folder(run_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    load_text(f"runs:/{run_id}/a.txt")
    with pytest.raises(InvalidValue):
        load_dict(f"runs:/{run_id}/a.txt")
    assert os.listdir(temporary) == []

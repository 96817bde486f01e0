"""The manifest names every file that is not what it was."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from drupe.artifacts import survey as reading
from drupe.artifacts.manifest import MANIFEST_FILE, Manifest, read_manifest, verify_manifest, write_manifest
from drupe.errors import ArtifactCorrupt, InvalidModelFolder, InvalidPath


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    model = tmp_path / "model"
    (model / "code" / "pkg").mkdir(parents=True)
    (model / "MLmodel").write_text("flavors: {}\n")
    (model / "model.pkl").write_bytes(b"\x80\x04")
    (model / "empty").write_bytes(b"")
    (model / "code" / "pkg" / "größe 50%.py").write_text("x = 1\n")
    return model


def test_it_lists_every_file_with_size_and_sha256_sorted_by_path(folder: Path) -> None:
    write_manifest(folder, executes_code=["model.pkl", "code"])
    written = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
    assert written["format"] == "drupe.manifest/1"
    assert written["executes_code"] == ["code", "model.pkl"]
    assert [entry["path"] for entry in written["files"]] == ["MLmodel", "code/pkg/größe 50%.py", "empty", "model.pkl"]
    assert written["files"][3] == {"path": "model.pkl", "size": 2, "sha256": hashlib.sha256(b"\x80\x04").hexdigest()}
    assert written["files"][2]["sha256"] == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_an_untouched_folder_verifies_and_gives_the_manifest_back(folder: Path) -> None:
    written = write_manifest(folder, executes_code=["model.pkl"])
    verified = verify_manifest(folder)
    assert verified == written
    assert verified is not None
    assert verified.executes_code == ("model.pkl",)
    assert verified.size_bytes == 12 + 2 + 6
    listing = "".join(
        f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()} {(folder / name).stat().st_size} {name}\n"
        for name in sorted(file.path for file in written.files)
    )
    assert verified.digest == written.digest == hashlib.sha256(listing.encode()).hexdigest()


def test_a_folder_of_another_tool_has_no_manifest(folder: Path) -> None:
    assert verify_manifest(folder) is None
    (folder / MANIFEST_FILE).write_text('{"name": "a web app"}')
    assert verify_manifest(folder) is None


def test_all_changed_missing_and_added_files_are_named_at_once(folder: Path) -> None:
    write_manifest(folder)
    (folder / "MLmodel").write_text("flavors: []\n")
    (folder / "empty").write_bytes(b"now it is not")
    (folder / "model.pkl").unlink()
    (folder / "code" / "extra.py").write_text("import os\n")
    with pytest.raises(ArtifactCorrupt) as caught:
        verify_manifest(folder)
    assert caught.value.details["changed"] == ["MLmodel", "empty"]
    assert caught.value.details["missing"] == ["model.pkl"]
    assert caught.value.details["added"] == ["code/extra.py"]
    for name in ("MLmodel was changed", "0 bytes expected, 13 found", "model.pkl is missing", "code/extra.py was added"):
        assert name in str(caught.value)


def test_a_file_replaced_by_a_link_to_equal_bytes_does_not_verify(folder: Path, tmp_path: Path) -> None:
    write_manifest(folder)
    (folder / "model.pkl").rename(tmp_path / "elsewhere.pkl")
    (folder / "model.pkl").symlink_to(tmp_path / "elsewhere.pkl")
    with pytest.raises(ArtifactCorrupt, match=r"model\.pkl is a link"):
        verify_manifest(folder)


def test_an_added_link_to_a_folder_does_not_verify(folder: Path, tmp_path: Path) -> None:
    write_manifest(folder)
    (folder / "more").symlink_to(tmp_path)
    with pytest.raises(ArtifactCorrupt, match="more is a link"):
        verify_manifest(folder)


def test_what_a_store_keeps_beside_the_files_is_not_looked_at(folder: Path) -> None:
    (folder / ".drupe-sha256").write_text("")
    written = write_manifest(folder)
    (folder / "code" / ".drupe-sha256").write_text("abc 1 x\n")
    (folder / ".drupe-partial-0123").write_text("half")
    assert verify_manifest(folder) == written
    assert not [file.path for file in written.files if ".drupe" in file.path]


def test_large_folders_are_hashed_in_parallel_with_the_same_result(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one_by_one = write_manifest(folder)
    monkeypatch.setattr(reading, "_PARALLEL_FROM_BYTES", 1)
    assert write_manifest(folder) == one_by_one


def test_a_folder_without_mlmodel_or_with_unknown_code_names_gets_no_manifest(folder: Path) -> None:
    (folder / "MLmodel").unlink()
    with pytest.raises(InvalidModelFolder, match=r"MLmodel is missing; weights\.pt is said to execute code"):
        write_manifest(folder, executes_code=["weights.pt"])
    assert not (folder / MANIFEST_FILE).exists()
    with pytest.raises(InvalidModelFolder, match="not a folder"):
        write_manifest(folder / "nowhere")


def test_a_link_in_the_folder_gets_no_manifest(folder: Path) -> None:
    (folder / "data").symlink_to("/etc")
    with pytest.raises(InvalidModelFolder, match="data is a link"):
        write_manifest(folder)


def test_a_name_that_no_artifact_may_have_gets_no_manifest(folder: Path) -> None:
    (folder / "%2e%2e").write_text("")
    with pytest.raises(InvalidPath):
        write_manifest(folder)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[" * 100_000,
        '{"format": "drupe.manifest/1"}',
        '{"format": "drupe.manifest/1", "executes_code": [], "files": [{"path": "../x", "size": 1, "sha256": "' + "0" * 64 + '"}]}',
        '{"format": "drupe.manifest/1", "executes_code": [], "files": [{"path": "x", "size": -1, "sha256": "' + "0" * 64 + '"}]}',
        '{"format": "drupe.manifest/1", "executes_code": [], "files": [{"path": "x", "size": 1, "sha256": "00"}]}',
        '{"format": "drupe.manifest/1", "executes_code": [], "files": 3}',
    ],
)
def test_a_damaged_manifest_is_named(folder: Path, text: str) -> None:
    (folder / MANIFEST_FILE).write_text(text)
    with pytest.raises(ArtifactCorrupt, match=MANIFEST_FILE):
        read_manifest(folder)


def test_a_manifest_that_lists_a_path_twice_is_damaged(folder: Path) -> None:
    write_manifest(folder)
    written = json.loads((folder / MANIFEST_FILE).read_text())
    written["files"].append(written["files"][0])
    (folder / MANIFEST_FILE).write_text(json.dumps(written))
    with pytest.raises(ArtifactCorrupt, match="twice"):
        verify_manifest(folder)


def test_a_manifest_that_is_a_link_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / MANIFEST_FILE).symlink_to(tmp_path / "other.json")
    with pytest.raises(ArtifactCorrupt, match="link"):
        verify_manifest(folder)


def test_a_manifest_of_a_newer_release_says_to_upgrade(folder: Path) -> None:
    (folder / MANIFEST_FILE).write_text('{"format": "drupe.manifest/2"}')
    with pytest.raises(InvalidModelFolder, match="upgrade"):
        verify_manifest(folder)


def test_writing_again_replaces_the_manifest_and_leaves_nothing_else(folder: Path) -> None:
    first = write_manifest(folder)
    (folder / "model.pkl").write_bytes(b"other")
    second = write_manifest(folder)
    assert isinstance(second, Manifest)
    assert second.digest != first.digest
    assert sorted(path.name for path in folder.iterdir()) == ["MLmodel", "code", "empty", "manifest.json", "model.pkl"]

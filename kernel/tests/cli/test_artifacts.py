"""`drupe artifacts` on a local repository: trees, copies both ways, printing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from drupe.client import Client


@pytest.fixture
def files(store: Client, three_runs: list[str]) -> str:
    store.log_text(three_runs[0], "hello\n", "notes/a.txt")
    store.log_text(three_runs[0], "x" * 1500, "big.txt")
    return three_runs[0]


def test_list_is_a_tree_with_sizes(drupe_cli: Any, files: str) -> None:
    assert drupe_cli("artifacts", "list", "baseline").lines == [
        "baseline       2 files, 1.5 kB",
        "├── notes/",
        "│   └── a.txt     6 B",
        "└── big.txt    1.5 kB",
    ]


def test_a_folder_can_be_listed_alone_and_depth_folds_the_rest(drupe_cli: Any, files: str) -> None:
    assert drupe_cli("artifacts", "list", f"{files[:8]}/notes").lines == ["baseline/notes  1 file, 6 B", "└── a.txt       6 B"]
    assert "├── notes/ (1)     6 B" in drupe_cli("artifacts", "list", "baseline", "--depth", "1").lines


def test_list_as_json_names_every_file_below_the_runs_root(drupe_cli: Any, files: str) -> None:
    told = drupe_cli("artifacts", "list", "-r", files, "-a", "notes", "--json")
    assert json.loads(told.out) == [{"path": "notes/a.txt", "is_dir": False, "file_size": 6}]


def test_no_files_is_said(drupe_cli: Any, three_runs: list[str]) -> None:
    told = drupe_cli("artifacts", "list", "deeper")
    assert (told.code, told.out, told.err) == (0, "", "no files in deeper\n")


def test_cat_prints_the_bytes_of_one_file(drupe_cli: Any, files: str) -> None:
    assert drupe_cli("artifacts", "cat", "baseline/notes/a.txt").out == "hello\n"
    assert drupe_cli("artifacts", "cat", f"runs:/{files[:8]}/notes/a.txt").out == "hello\n"


def test_cat_of_a_folder_or_of_nothing_says_so(drupe_cli: Any, files: str) -> None:
    assert "'notes' is a folder" in drupe_cli("artifacts", "cat", "baseline/notes").err
    told = drupe_cli("artifacts", "cat", "baseline/nothing.txt")
    assert told.code == 1
    assert "no file 'nothing.txt' in baseline" in told.err


def test_download_of_a_file_keeps_its_name(drupe_cli: Any, files: str) -> None:
    assert drupe_cli("artifacts", "download", "baseline/notes/a.txt", "here").out == "here/a.txt\n"
    assert Path("here/a.txt").read_text() == "hello\n"


def test_download_of_a_run_makes_a_folder_with_its_name(drupe_cli: Any, files: str) -> None:
    assert drupe_cli("artifacts", "download", "baseline").out == "baseline\n"
    assert sorted(str(path) for path in Path("baseline").rglob("*.txt")) == ["baseline/big.txt", "baseline/notes/a.txt"]


def test_download_of_what_is_not_there_fails_and_leaves_nothing(drupe_cli: Any, files: str) -> None:
    told = drupe_cli("artifacts", "download", "baseline/none", "here")
    assert (told.code, told.out) == (1, "")
    assert not Path("here").exists()


def test_upload_of_files_and_of_what_is_in_folders(drupe_cli: Any, store: Client, three_runs: list[str]) -> None:
    Path("pics/inner").mkdir(parents=True)
    Path("pics/a.png").write_bytes(b"a")
    Path("pics/inner/b.png").write_bytes(b"bb")
    Path("one.txt").write_text("1")
    told = drupe_cli("artifacts", "upload", "baseline/up", "one.txt", "pics")
    assert told.err.splitlines() == ["one.txt (1 B) → baseline/up/one.txt", "2 files from pics (3 B) → baseline/up"]
    assert {info.path for info in store.list_artifacts(three_runs[0], "up")} == {"up/one.txt", "up/a.png", "up/inner"}


def test_a_path_that_climbs_out_of_the_run_is_refused(drupe_cli: Any, files: str) -> None:
    Path("one.txt").write_text("1")
    for words in (("upload", "baseline/../x", "one.txt"), ("cat", "baseline/%2e%2e/x"), ("download", "baseline/notes/../../x")):
        told = drupe_cli("artifacts", *words)
        assert told.code == 1, words
        assert "(DRP-0104)" in told.err, words

"""Addresses of a source are text from elsewhere: they find what lies below a root, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from drupe.migrate.places import Addresses, Roots, is_local, is_proxied


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("store/7/a/artifacts", "store/we%20ird", "secret"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "store" / "out").symlink_to(tmp_path / "secret")
    (tmp_path / "store" / "in").symlink_to(tmp_path / "store" / "7")
    (tmp_path / "store" / "file").write_text("x")
    return tmp_path / "store"


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("/srv/mlruns/7/a/artifacts", "7/a/artifacts"),
        ("file:///srv/mlruns/7/a/artifacts/", "7/a/artifacts"),
        ("file:/srv/mlruns//7/./a", "7/a"),
        ("file://localhost/srv/mlruns/7", "7"),
        ("FILE:///srv/mlruns", "."),
        ("file:///srv/mlruns/we%2520ird", "we%20ird"),
        ("mlruns/7", "7"),
        ("./mlruns/7", "7"),
        ("file:mlruns/7", "7"),
        ("/srv/mlruns/in/a", "7/a"),
        ("/srv/mlruns/nothing", None),
        ("/srv/mlruns/file", None),
        ("/srv/mlruns/out", None),
        ("/srv/mlruns/../secret", None),
        ("file:///srv/mlruns/%2e%2e/secret", None),
        ("file://host/srv/mlruns/7", None),
        ("file://[/srv/mlruns/7", None),
        ("\\\\srv\\mlruns", None),
        ("/srv/mlruns/7\x00", None),
        ("/srv", None),
        ("/", None),
        ("", None),
        ("s3://srv/mlruns/7", None),
    ],
)
def test_an_address_finds_what_lies_below_its_root(root: Path, address: str, found: str | None) -> None:
    roots = Roots([("/srv/mlruns", root), ("mlruns", root), ("mlflow-artifacts:/", root)])
    assert roots.folder_of(address) == (None if found is None else (root / found).resolve())


def test_the_longest_root_decides_and_a_given_one_goes_first(root: Path) -> None:
    roots = Roots([("/a/7", root / "7"), ("/a", root), ("/a/7", root.parent / "secret")])
    assert roots.folder_of("/a/7/a") == root / "7" / "a"
    assert roots.folder_of("/a/in") == root / "7"


def test_a_place_below_a_root_is_covered_though_nothing_is_there(root: Path) -> None:
    roots = Roots([("/srv", root), ("/away", root / "missing"), (".", root)])
    asked = ("/srv/7/none/artifacts", "7/none", "/away/1", "/other", "s3://srv/1", "mlflow-artifacts:/7/none")
    assert [roots.covers(address) for address in asked] == [True, True, False, False, False, False]


def test_an_address_below_one_that_moved_follows_it() -> None:
    moved = Addresses()
    moved.moved("mlflow-artifacts:/7/a/artifacts", "file:///new/a")
    moved.moved("/old/7", "file:///new/7")
    assert moved.follow("mlflow-artifacts:/7/a/artifacts/model") == "file:///new/a/model"
    assert moved.follow("/old/7/models/m-1/") == "file:///new/7/models/m-1"
    assert [moved.follow(address) for address in ("/old/77", "/old", "/", "mlflow-artifacts:/", "", "s3://b")] == [None] * 6


@pytest.mark.parametrize(
    ("address", "local", "proxied"),
    [("/a", True, False), ("a/b:c", True, False), ("file:a", True, False), ("mlflow-artifacts:/1", False, True), ("s3://b", False, False)],
)
def test_addresses_are_told_apart(address: str, local: bool, proxied: bool) -> None:
    assert (is_local(address), is_proxied(address)) == (local, proxied)

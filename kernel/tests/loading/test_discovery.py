"""Discovery: what counts as a claim, from plain folders, zip files and finders of others."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import importlib_metadata
import pytest

from drupe.loading.discovery import Claim, discover

ENTRY = "[console_scripts]\nx = y:z\n\n[drupe.plugins]\n# ours\n{plugin} = {module}\n\n[other]\nnot = mine\n"


def lay(folder: Path, distribution: str, plugin: str, version: str = "1.0", *, suffix: str = "dist-info", file: str = "METADATA") -> None:
    metadata = folder / f"{distribution}-{version}.{suffix}"
    metadata.mkdir(parents=True)
    (metadata / file).write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n\nName: not this\n")
    (metadata / "entry_points.txt").write_text(ENTRY.format(plugin=plugin, module=f"{distribution}_door"))


@pytest.fixture
def path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """A `sys.path` of two empty folders."""
    places = [str(tmp_path / "first"), str(tmp_path / "second")]
    for place in places:
        Path(place).mkdir()
    monkeypatch.setattr(sys, "path", places)
    return places


def test_claims_come_by_name_with_their_distribution_and_version(path: list[str]) -> None:
    lay(Path(path[1]), "beta", "a-plugin")
    lay(Path(path[0]), "alpha", "b-plugin", "2.5")
    assert discover() == [Claim("a-plugin", "beta_door", "beta", "1.0"), Claim("b-plugin", "alpha_door", "alpha", "2.5")]


def test_of_a_distribution_that_is_there_twice_the_first_on_the_path_counts(path: list[str]) -> None:
    lay(Path(path[0]), "same", "p", "2.0")
    lay(Path(path[1]), "Same", "p", "1.0")
    assert discover() == [Claim("p", "same_door", "same", "2.0")]


def test_older_forms_of_metadata_are_read_and_left_overs_are_not(path: list[str]) -> None:
    lay(Path(path[0]), "old", "p", suffix="egg-info", file="PKG-INFO")
    lay(Path(path[0]), "~rest", "q")
    (Path(path[0]) / "plain.egg-info").write_text("Name: plain")
    (Path(path[0]) / "odd-1.dist-info").mkdir()
    (Path(path[0]) / "odd-1.dist-info" / "entry_points.txt").write_bytes(b"[drupe.plugins]\n\xff\xfe = x")
    assert discover() == [Claim("p", "old_door", "old", "1.0")]


def test_the_name_of_an_author_in_another_encoding_hides_no_plugin(path: list[str]) -> None:
    lay(Path(path[0]), "odd", "p")
    (Path(path[0]) / "odd-1.0.dist-info" / "METADATA").write_bytes(b"Name: odd\nVersion: 1.0\nAuthor: J\xfcrgen\n")
    assert discover() == [Claim("p", "odd_door", "odd", "1.0")]


def test_a_distribution_in_a_zip_file_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lay(tmp_path / "loose", "zipped", "p")
    archive = tmp_path / "packed.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for file in filter(Path.is_file, (tmp_path / "loose").rglob("*")):
            packed.write(file, file.relative_to(tmp_path / "loose"))
    monkeypatch.syspath_prepend(str(archive))
    assert Claim("p", "zipped_door", "zipped", "1.0") in discover()


def test_a_finder_of_others_is_asked_for_its_distributions(path: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lay(tmp_path / "hidden", "hidden", "p")

    class Finder:
        def find_spec(self, *_: object) -> None:
            return None

        def find_distributions(self, _: object) -> Iterator[importlib_metadata.Distribution]:
            yield importlib_metadata.PathDistribution(tmp_path / "hidden" / "hidden-1.0.dist-info")

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder()])
    assert discover() == [Claim("p", "hidden_door", "hidden", "1.0")]


def test_folders_that_are_gone_or_forbidden_are_passed_over(path: list[str]) -> None:
    path.append("/no/such/folder")
    lay(Path(path[0]), "there", "p")
    assert [claim.name for claim in discover()] == ["p"]


def test_discovery_agrees_with_importlib_metadata_on_what_is_installed_here() -> None:
    theirs = {(entry.name, entry.value) for entry in importlib_metadata.entry_points(group="drupe.plugins")}
    assert {(claim.name, claim.module) for claim in discover()} == theirs
    assert theirs

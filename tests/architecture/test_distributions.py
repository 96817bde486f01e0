"""Each folder with a `pyproject.toml` is a distribution of its own, and its wheel holds its own package and nothing else."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = {
    str(file.parent.relative_to(ROOT)): file.parent for file in (*ROOT.glob("*/pyproject.toml"), *ROOT.glob("plugins/*/pyproject.toml"))
}


def contents(folder: Path, target: Path) -> set[str]:
    """The top-level names in the wheel of that folder."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = target.glob("*.whl")
    return {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}


def project(folder: Path) -> dict[str, object]:
    found = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("folder", FOLDERS.values(), ids=FOLDERS)
def test_a_wheel_holds_one_package_and_its_metadata(folder: Path, tmp_path: Path) -> None:
    (package,) = (entry.parent.name for entry in folder.glob("drupe*/__init__.py"))
    label = str(project(folder)["name"]).replace("-", "_")
    assert contents(folder, tmp_path) == {package, f"{label}-{project(folder)['version']}.dist-info"}


def test_the_umbrella_holds_no_code(tmp_path: Path) -> None:
    assert contents(ROOT, tmp_path) == {f"drupe-{project(ROOT)['version']}.dist-info"}


def test_all_distributions_have_one_version_and_a_readme() -> None:
    folders = [ROOT, *FOLDERS.values()]
    assert len({str(project(folder)["version"]) for folder in folders}) == 1
    assert [folder for folder in folders if not (folder / "README.md").is_file() or not project(folder)["description"]] == []

"""Throw-away environments with real little distributions in them, and `drupe` run there as a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import site
import subprocess
import sys
import textwrap
import venv
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

GOOD = """
from drupe.extend import Offer, hookimpl

DRUPE_API = "1.0"

@hookimpl
def drupe_artifact_repos():
    return [Offer("{scheme}", load="{module}.repo:Repo", help="files somewhere")]
"""

REPO = """
from drupe.extend import ArtifactRepo

class Repo(ArtifactRepo):
    @classmethod
    def open(cls, uri, settings=None):
        made = cls()
        made.root, made.settings = uri, settings
        return made

    def put_file(self, source, path): ...
    def get_file(self, path, target): ...
    def list(self, path=None): return []
    def delete(self, path): ...
    def is_file(self, path): return False
"""


class Result(NamedTuple):
    """What a process left behind."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)


class House:
    """A virtual environment that sees this repository's packages, and a working folder."""

    def __init__(self, folder: Path) -> None:
        self.work = folder / "work"
        self.home = folder / "home"
        self.work.mkdir()
        self.home.mkdir()
        venv.create(folder / "venv", symlinks=True, with_pip=False)
        self.python = folder / "venv" / "bin" / "python"
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        self.site = folder / "venv" / "lib" / version / "site-packages"
        here = next(path for path in site.getsitepackages() if Path(path, "pluggy").is_dir())
        (self.site / "repository.pth").write_text(f"import site; site.addsitedir({here!r})\n")

    def install(
        self,
        plugin: str,
        front_door: str | None = None,
        *,
        distribution: str | None = None,
        version: str = "1.0",
        module: str | None = None,
        entry: str | None = None,
        files: Mapping[str, str] | None = None,
    ) -> str:
        """Lay down what an installer would: a package with this front door, and its metadata. Returns the package's name.

        Without a front door it is one that works, and offers an artifact repository for the scheme of the plugin's name.
        """
        distribution = distribution or f"acme-{plugin}"
        module = module or distribution.replace("-", "_")
        if front_door is None:
            front_door = GOOD.format(scheme=plugin, module=module)
            files = {"repo.py": REPO} | dict(files or {})
        package = self.site / module
        package.mkdir()
        (package / "__init__.py").write_text(textwrap.dedent(front_door))
        for name, text in (files or {}).items():
            (package / name).write_text(textwrap.dedent(text))
        metadata = self.site / f"{distribution.replace('-', '_')}-{version}.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        (metadata / "entry_points.txt").write_text(entry or f"[drupe.plugins]\n{plugin} = {module}\n")
        return module

    def uninstall(self, distribution: str) -> None:
        """Remove a distribution that `install` laid down."""
        name = distribution.replace("-", "_")
        shutil.rmtree(self.site / name)
        for metadata in self.site.glob(f"{name}-*.dist-info"):
            shutil.rmtree(metadata)

    def run(self, *arguments: str, **environ: str) -> Result:
        """Run this environment's Python."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("DRUPE_", "MLFLOW_", "PYTHON", "XDG_"))}
        clean |= {"HOME": str(self.home), "COLUMNS": "300", "NO_COLOR": "1", **environ}
        done = subprocess.run(
            [self.python, "-W", "error", *arguments], cwd=self.work, env=clean, capture_output=True, text=True, timeout=120, check=False
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def drupe(self, *arguments: str, **environ: str) -> Result:
        """Run the command line."""
        return self.run("-m", "drupe", *arguments, **environ)

    def plugins(self, **environ: str) -> dict[str, dict[str, Any]]:
        """The report of all plugins, by name."""
        return {plugin["name"]: plugin for plugin in self.drupe("plugins", "--json", **environ).json()}


@pytest.fixture
def house(tmp_path: Path) -> House:
    """An empty house: the plugins of this repository, and nothing else."""
    return House(tmp_path)

"""Environments made by uv: found or fetched Python, packages from uv's cache, locks with hashes, wheels built from folders."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from uv import find_uv_bin

from drupe.errors import EnvironmentUnusable
from drupe.extend import EnvironmentManager, EnvironmentSpec
from drupe_env_uv.tool import Told, beside, minor, run_tool, write_lines

__all__ = ["UvManager"]


class UvManager(EnvironmentManager):
    """Environments made by uv. Its own variables and files are honoured, and pip's for indexes where uv's are not set."""

    name = "uv"

    def create(self, wanted: EnvironmentSpec, folder: Path, *, tell: Callable[[str], None]) -> None:
        """Make the environment with the release of Python asked for, or another of the same minor one."""
        done = self._make(wanted.python, folder)
        if done.code:
            done = self._make(minor(wanted.python), folder)
            if done.code:
                raise EnvironmentUnusable(
                    f"no Python {minor(wanted.python)} could be had, which the model was made with: {done.reason}; install one where uv "
                    f"finds it (uv python install {minor(wanted.python)}), or see whether the model works here with env_manager='local'",
                    python=wanted.python,
                )
            tell(f"Python {wanted.python} is not here, so another release of {minor(wanted.python)} is used")
        with tempfile.TemporaryDirectory(prefix="drupe-env-") as place:
            files = Path(place)
            target = ["--python", str(self.python(folder))]
            if wanted.requirements:
                options = ["--requirements", str(write_lines(files / "requirements.txt", wanted.requirements))]
                if wanted.constraints:
                    options += ["--constraints", str(write_lines(files / "constraints.txt", wanted.constraints))]
                if wanted.hashes:
                    options += ["--require-hashes"]
                self._must("the model's requirements cannot be installed", "pip", "install", *target, *options)
            if wanted.beside:
                pins = [*wanted.constraints, *([] if wanted.hashes else _names(wanted.requirements))]
                kept = ["--constraints", str(write_lines(files / "kept.txt", pins))] if pins else []
                self._must(
                    f"{beside(wanted)} cannot be installed beside the model's requirements",
                    "pip",
                    "install",
                    *target,
                    *kept,
                    *wanted.beside,
                )

    def lock(self, wanted: EnvironmentSpec) -> list[str]:
        """What the requirements come to, with the hashes of every file of each release."""
        with tempfile.TemporaryDirectory(prefix="drupe-lock-") as place:
            files = Path(place)
            asked = str(write_lines(files / "requirements.in", wanted.requirements))
            options = ["--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url", "--python-version", wanted.python]
            if wanted.constraints:
                options += ["--constraints", str(write_lines(files / "constraints.txt", wanted.constraints))]
            told = self._must("the model's requirements cannot be locked", "pip", "compile", "--quiet", asked, *options)
        return [line for line in told.replace(" \\\n    ", " ").splitlines() if line.strip()]

    def wheel(self, source: Path, target: Path) -> Path:
        """Build the project in `source`."""
        with tempfile.TemporaryDirectory(prefix="drupe-wheel-") as place:
            self._must(f"{source} cannot be built", "build", "--wheel", "--quiet", "--out-dir", place, str(source))
            (built,) = Path(place).glob("*.whl")
            kept = target / built.name
            kept.write_bytes(built.read_bytes())
        return kept

    def _make(self, python: str, folder: Path) -> Told:
        return self._run("venv", "--quiet", "--no-project", "--relocatable", "--python", python, str(folder))

    def _must(self, failing: str, *arguments: str) -> str:
        done = self._run(*arguments)
        if done.code:
            raise EnvironmentUnusable(f"{failing}: {done.reason}")
        return done.out

    def _run(self, *arguments: str) -> Told:
        return run_tool([find_uv_bin(), *arguments], of_uv=True)


def _names(requirements: Sequence[str]) -> list[str]:
    """The lines that can stand in a constraints file: names with releases, no options and no addresses."""
    return [line for line in requirements if not line.startswith("-") and "@" not in line and "/" not in line]

"""Environments made by Python's own venv and by pip: slower than uv, for where it has to be pip."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from drupe.errors import EnvironmentUnusable
from drupe.extend import EnvironmentManager, EnvironmentSpec
from drupe_env_uv.tool import beside, minor, run_tool, write_lines

__all__ = ["PipManager"]

# The shell runs the second line, Python sees a text there: the script finds the interpreter beside itself wherever both lie.
_RELOCATABLE = "#!/bin/sh\n'''exec' \"$(dirname -- \"$(realpath -- \"$0\")\")\"/'python' \"$0\" \"$@\"\n' '''\n"


class PipManager(EnvironmentManager):
    """Environments made by venv and pip, with an interpreter of the asked-for minor release that is on the search path."""

    name = "virtualenv"

    def create(self, wanted: EnvironmentSpec, folder: Path, *, tell: Callable[[str], None]) -> None:
        """Make the environment, and let pip install everything in one go."""
        base, release = _interpreter(wanted.python)
        if release != wanted.python:
            tell(f"Python {wanted.python} is not here, so {release} is used")
        has_pip = (
            run_tool([base, "-I", "-m", "pip", "--version"]).code == 0
        )  # then it can install elsewhere, and no copy of pip is made first
        failing = f"Python {release} cannot make an environment"
        self._must(failing, base, "-I", "-m", "venv", *(["--without-pip"] if has_pip else []), str(folder))
        inside = str(self.python(folder))
        pip = [base, "-I", "-m", "pip", "--python", inside] if has_pip else [inside, "-I", "-m", "pip"]
        install = [*pip, "install", "--quiet", "--no-input", "--disable-pip-version-check"]
        with tempfile.TemporaryDirectory(prefix="drupe-env-") as place:
            files = Path(place)
            options = []
            if wanted.requirements:
                options += ["--requirement", str(write_lines(files / "requirements.txt", wanted.requirements))]
            if wanted.constraints:
                options += ["--constraint", str(write_lines(files / "constraints.txt", wanted.constraints))]
            if wanted.hashes:
                self._must("the model's requirements cannot be installed", *install, "--require-hashes", *options)
                options = []
            if options or wanted.beside:
                what = "the model's requirements" + (f" and {beside(wanted)}" if wanted.beside else "")
                self._must(f"{what} cannot be installed", *install, *options, *wanted.beside)
        for script in (folder / "bin").iterdir():
            _make_relocatable(script, folder)

    def _must(self, failing: str, *command: str) -> None:
        done = run_tool(list(command))
        if done.code:
            raise EnvironmentUnusable(f"{failing}: {done.reason}")


def _interpreter(wanted: str) -> tuple[str, str]:
    """(path, release) of an interpreter of the minor release of `wanted`: the exact one where it is to be had."""
    found: dict[str, str] = {}
    for candidate in _candidates(wanted):
        release = _release(candidate)
        if minor(release) == minor(wanted):
            found.setdefault(release, candidate)
        if release == wanted:
            break
    if not found:
        raise EnvironmentUnusable(
            f"no Python {minor(wanted)} is on the search path, which the model was made with; install one, or use env_manager='uv', "
            f"which fetches it, or see whether the model works here with env_manager='local'",
            python=wanted,
        )
    release = wanted if wanted in found else next(iter(found))
    return found[release], release


def _candidates(wanted: str) -> Iterator[str]:
    if minor(platform.python_version()) == minor(wanted):
        yield getattr(sys, "_base_executable", sys.executable)
    for name in (f"python{minor(wanted)}", "python3", "python"):
        if path := shutil.which(name):
            yield path


def _release(interpreter: str) -> str:
    command = [interpreter, "-I", "-c", "import platform; print(platform.python_version())"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _make_relocatable(script: Path, folder: Path) -> None:
    if script.is_symlink() or not script.is_file():
        return
    content = script.read_bytes()
    first, _, rest = content.partition(b"\n")
    if first.startswith(b"#!" + os.fsencode(folder)):
        script.write_bytes(_RELOCATABLE.encode() + rest)

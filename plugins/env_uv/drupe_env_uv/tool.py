"""Runs uv and pip as processes that see nothing of the calling Python, and tells why they failed without what is secret."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from attrs import frozen

from drupe.extend import EnvironmentSpec
from drupe.uris import redact

__all__ = ["Told", "beside", "minor", "run_tool", "write_lines"]

_OF_THE_CALLER = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "CONDA_PREFIX", "__PYVENV_LAUNCHER__")
_UV_FOR_PIP = {"PIP_INDEX_URL": "UV_INDEX_URL", "PIP_EXTRA_INDEX_URL": "UV_EXTRA_INDEX_URL", "PIP_FIND_LINKS": "UV_FIND_LINKS"}
_MOST_CHARACTERS = 1500


@frozen
class Told:
    """What a tool left behind: its exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def reason(self) -> str:
        """The end of what it said about its failure, in one line, without passwords."""
        said = " ".join(redact(self.err or self.out).split())
        return said if len(said) <= _MOST_CHARACTERS else f"… {said[-_MOST_CHARACTERS:]}"


def run_tool(command: Sequence[str], *, of_uv: bool = False) -> Told:
    """Run a tool to its end. With `of_uv`, indexes that pip's variables name are uv's where it has none of its own."""
    environ = {key: value for key, value in os.environ.items() if key not in _OF_THE_CALLER}
    if of_uv:
        environ |= _pip_settings(environ) | {"NO_COLOR": "1", "UV_NO_PROGRESS": "1"}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, errors="replace", check=False, stdin=subprocess.DEVNULL)
    return Told(done.returncode, done.stdout, done.stderr)


def _pip_settings(environ: Mapping[str, str]) -> dict[str, str]:
    return {uv: environ[pip] for pip, uv in _UV_FOR_PIP.items() if pip in environ and uv not in environ}


def write_lines(file: Path, lines: Iterable[str]) -> Path:
    """Write a requirements file."""
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return file


def minor(python: str) -> str:
    """The minor release: `3.11` of `3.11.7`."""
    return ".".join(python.split(".")[:2])


def beside(wanted: EnvironmentSpec) -> str:
    """What is installed beside the requirements, for a message."""
    return ", ".join(Path(entry).name.split("-py3-")[0] for entry in wanted.beside)

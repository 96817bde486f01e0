"""What a model folder says about the environment it needs: requirements.txt or a lock, constraints, and the release of Python.

Folders of old releases of MLflow have only conda.yaml, or a name for it; that is read, too. Nothing is installed here.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from drupe.errors import InvalidModelFolder
from drupe.models.confine import inside
from drupe.models.environment import CONDA_FILE, CONSTRAINTS_FILE, LOCK_FILE, PYTHON_ENV_FILE, REQUIREMENTS_FILE
from drupe.models.mlmodel import PYFUNC, Model
from drupe.models.yaml_text import read_yaml

__all__ = ["Declared", "declared_environment", "project_of"]

_RELEASE = re.compile(r"\d+\.\d+(\.\d+)?")
_PROJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_MOST_LINES = 5000


@frozen
class Declared:
    """`python` is a release such as `3.11.7`; `lines` and `constraints` are those of requirements files, `lock` lines with hashes or None."""

    python: str
    lines: Sequence[str]
    constraints: Sequence[str] = ()
    lock: Sequence[str] | None = None

    @property
    def foreign(self) -> list[str]:
        """Lines that name another place than the index which this machine is set up for: options, addresses, paths."""
        return [line for line in (*self.lines, *self.constraints, *(self.lock or ())) if _is_foreign(line)]


def declared_environment(folder: Path, model: Model) -> Declared:
    """Read the environment files of a model folder. Raises InvalidModelFolder when they are missing or say nothing usable."""
    conda = _map(folder / CONDA_FILE)
    python_env = _map(folder / PYTHON_ENV_FILE)
    recorded = model.flavors.get(PYFUNC, {}).get("python_version")
    python = next((found for found in map(_release, (python_env.get("python"), _python_of(conda), recorded)) if found), None)
    lines = list(_read(folder, REQUIREMENTS_FILE)) if (folder / REQUIREMENTS_FILE).is_file() else _pip_of(conda)
    if lines is None:
        raise InvalidModelFolder(
            f"{folder} does not say what it needs: it has neither {REQUIREMENTS_FILE} nor pip packages in {CONDA_FILE}; log the model anew, "
            "or use env_manager='local'",
            path=str(folder),
        )
    constraints = list(_read(folder, CONSTRAINTS_FILE)) if (folder / CONSTRAINTS_FILE).is_file() else []
    lock = list(_read(folder, LOCK_FILE)) if (folder / LOCK_FILE).is_file() else None
    return Declared(python or platform.python_version(), lines, constraints, lock)


def project_of(line: str) -> str | None:
    """The normalised name of the distribution that a requirement is about; None for options."""
    match = _PROJECT.match(line)
    return re.sub(r"[-_.]+", "-", match[0]).lower() if match and "://" not in line.partition("@")[0] else None


def _read(folder: Path, name: str, depth: int = 0) -> Iterator[str]:
    """The lines of a requirements file, with those of files in the folder that it includes; constraints are read on their own."""
    if depth > 5:
        raise InvalidModelFolder(f"the requirements files of {folder} include each other")
    file = inside(folder, name)
    try:
        text = file.read_text(encoding="utf-8").replace("\\\n", " ")
    except (OSError, UnicodeDecodeError) as fault:
        raise InvalidModelFolder(f"{file} cannot be read: {fault}", path=str(file)) from fault
    lines = text.splitlines()
    if len(lines) > _MOST_LINES:
        raise InvalidModelFolder(f"{file} has {len(lines)} lines; that is no list of requirements", path=str(file))
    for line in lines:
        line = " ".join(re.sub(r"(^|\s)#.*$", "", line).split())
        included = re.match(r"(-r|--requirement|-c|--constraint)(?:\s+|=)(?P<file>\S+)$", line)
        if included is None:
            if line:
                yield line
        elif included[1] in ("-r", "--requirement"):
            yield from _read(folder, included["file"], depth + 1)


def _map(file: Path) -> Mapping[str, Any]:
    found = read_yaml(file) if file.is_file() else {}
    return found if isinstance(found, Mapping) else {}


def _release(text: Any) -> str | None:
    return text if isinstance(text, str) and _RELEASE.fullmatch(text) else None


def _python_of(conda: Mapping[str, Any]) -> str | None:
    for entry in _list(conda.get("dependencies")):
        match = re.fullmatch(r"python\s*[=<>]+\s*([\d.]+)", entry) if isinstance(entry, str) else None
        if match:
            return match[1]
    return None


def _pip_of(conda: Mapping[str, Any]) -> list[str] | None:
    for entry in _list(conda.get("dependencies")):
        if isinstance(entry, Mapping) and "pip" in entry:
            return [line for line in _list(entry["pip"]) if isinstance(line, str) and not line.startswith(("-r", "-c"))]
    return None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_foreign(line: str) -> bool:
    named = line.partition(" --hash=")[0].partition(";")[0].strip()
    return (
        named.startswith(("-", ".", "/", "~", "$"))
        or "://" in named
        or " @ " in named
        or "/" in named
        or named.endswith((".whl", ".gz", ".zip"))
    )

"""Files beside a model that its user asks to keep: `extra_files` and `requirements_file`, as MLflow has them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from drupe.artifacts import download_artifacts
from drupe.errors import InvalidValue

__all__ = ["copy_files"]

_FOLDER = "extra_files"


def copy_files(folder: Path, files: Sequence[str | Path] | None, requirements: str | Path | None) -> dict[str, Any]:
    """Copy both into the model's folder and return the keys of MLmodel that name them. Raises InvalidValue for what is not there."""
    keys: dict[str, Any] = {}
    if files is not None:
        if isinstance(files, str | Path):
            raise InvalidValue(f"extra_files is a list of files; write [{str(files)!r}]")
        (folder / _FOLDER).mkdir()
        keys["extra_files"] = [{"path": f"{_FOLDER}/{_copied(file, folder / _FOLDER)}"} for file in files]
    if requirements is not None:
        # requirements.txt is the environment's own file here; this one keeps its name in a folder apart
        (folder / "requirements_file").mkdir()
        keys["requirements_file"] = {"path": f"requirements_file/{_copied(requirements, folder / 'requirements_file')}"}
    return keys


def _copied(given: str | Path, target: Path) -> str:
    source = Path(download_artifacts(artifact_uri=str(given))) if ":/" in str(given) else Path(given)
    if not source.is_file():
        raise InvalidValue(f"the extra file {str(given)!r} is not there; it is looked up from {Path.cwd()}")
    if (target / source.name).exists():
        raise InvalidValue(f"two extra files have the name {source.name!r}")
    shutil.copyfile(source, target / source.name)
    return source.name

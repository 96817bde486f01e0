"""Files that a user wants to have beside the model, whatever its flavor: MLflow's `extra_files`, and a flavor's own of that kind.

Code that the model imports is for `code_paths`, and what a PythonModel opens for `artifacts`.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from drupe.artifacts.download import download_artifacts
from drupe.errors import InvalidValue

__all__ = ["EXTRA_FILES", "copy_extra_files"]

EXTRA_FILES = "extra_files"


def copy_extra_files(given: Sequence[str | Path], folder: Path, *, below: str = EXTRA_FILES) -> list[dict[str, str]]:
    """Copy files, by path or address, into the folder `below` of the model's `folder`; returns what MLmodel says of them.

    Raises InvalidValue for a path where no file is, and for two of one name; ArtifactNotFound, InvalidUri for an address.
    """
    if not isinstance(given, Sequence) or isinstance(given, str) or not all(isinstance(one, str | Path) for one in given):
        example = str(given) if isinstance(given, str | Path) else "notes.txt"
        raise InvalidValue(f"{below} is a list of paths and addresses of files, such as [{example!r}]")
    target = folder / below
    kept = []
    for one in given:
        target.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="drupe-extra-") as place:
            source = Path(download_artifacts(str(one), dst_path=place)) if ":/" in str(one) else Path(one)
            if not source.is_file():
                raise InvalidValue(f"the extra file {str(one)!r} is no file; it is looked up from {Path.cwd()}")
            if (target / source.name).exists():
                raise InvalidValue(f"two extra files have the name {source.name!r}")
            shutil.copyfile(source, target / source.name)
            kept.append({"path": f"{below}/{source.name}"})
    return kept

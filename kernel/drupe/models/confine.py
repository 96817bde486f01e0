"""Keeps the names that a model folder gives for its own files inside that folder."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from drupe.errors import InvalidModelFolder, InvalidPath
from drupe.uris import ArtifactPath

__all__ = ["inside"]


def inside(folder: Path, relative: object) -> Path:
    """The file or folder that `relative` names in `folder`; it exists, and neither `..` nor a link leads out of `folder`.

    Every name that is read from MLmodel goes through here before it is opened. Raises InvalidModelFolder.
    """
    if not isinstance(relative, str) or not relative.strip():
        raise InvalidModelFolder(
            f"the MLmodel file of {folder} names a file with {relative!r}; a relative path is needed", folder=str(folder)
        )
    try:
        path = ArtifactPath.parse(relative.removeprefix("./"))
    except InvalidPath as fault:
        raise InvalidModelFolder(f"the MLmodel file of {folder} names {relative!r}, which is no place in it: {fault.message}") from fault
    root = folder.resolve()
    try:
        found = _without_links(root, path) or root.joinpath(*path.segments).resolve(strict=True)
    except (FileNotFoundError, NotADirectoryError) as fault:
        raise InvalidModelFolder(f"the MLmodel file of {folder} names {relative!r}, which is not there", folder=str(folder)) from fault
    except OSError as fault:
        raise InvalidModelFolder(f"the MLmodel file of {folder} names {relative!r}, which cannot be reached: {fault}") from fault
    if not found.is_relative_to(root):
        raise InvalidModelFolder(f"the MLmodel file of {folder} names {relative!r}, which is a link out of the folder", folder=str(folder))
    return found


def _without_links(root: Path, path: ArtifactPath) -> Path | None:
    """The place below a resolved folder when no part of the way is a link, which is nearly always so and quickly seen; else None. Raises OSError."""
    place = str(root)
    for segment in path.segments:
        place = os.path.join(place, segment)
        if stat.S_ISLNK(os.lstat(place).st_mode):
            return None
    return Path(place)

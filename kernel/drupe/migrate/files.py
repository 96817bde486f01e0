"""Copying the files below one artifact address of a source, one by one: what is there already is compared, never replaced.

A file is there whole or not at all, so an import that was interrupted goes on with the files that are missing.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from attrs import define

from drupe.artifacts.local_files import survey
from drupe.artifacts.trees import list_tree
from drupe.entities import FileInfo
from drupe.errors import ArtifactCorrupt, ArtifactNotFound, DrupeError, StoreFull, StoreReadOnly
from drupe.extend import ArtifactRepo, Loss
from drupe.uris import ArtifactPath

__all__ = ["CopiedFiles", "copy_files", "count_files"]

Tell = Callable[[Loss], None]
_HOPELESS = (StoreFull, StoreReadOnly)


@define
class CopiedFiles:
    """How many files were written, how many were there with the same content, and the bytes of both."""

    new: int = 0
    unchanged: int = 0
    total_bytes: int = 0


def copy_files(there: Path | ArtifactRepo, here: ArtifactRepo, place: str, tell: Tell) -> CopiedFiles:
    """Copy what is below `there`; `place` names it in losses. A file is compared with its source after it was written.

    Raises StoreFull and StoreReadOnly; whatever else is wrong with a file is told.
    """
    copied = CopiedFiles()
    if isinstance(there, Path):
        files, faults = survey(there)
        for fault in faults:
            tell(Loss("file", place, fault, is_damage=True))
        for file in files:
            _try(place, str(file.path), tell, partial(_copy, file.source, file.path, here, copied, place, tell))
        return copied
    for info in _listed(there, place, tell):
        with tempfile.TemporaryDirectory(prefix="drupe-import-") as folder:
            target = Path(folder) / "file"

            def fetch(info: FileInfo = info, target: Path = target) -> None:
                path = ArtifactPath.parse(info.path)
                if _size_here(here, path) is not None and info.file_size == _size_here(here, path):
                    copied.unchanged += 1  # fetching it again would tell no more than its size does
                    copied.total_bytes += info.file_size or 0
                    return
                there.get_file(path, target)
                _copy(target, path, here, copied, place, tell)

            _try(place, info.path, tell, fetch)
    return copied


def count_files(there: Path | ArtifactRepo, place: str, tell: Tell) -> CopiedFiles:
    """What `copy_files` would find, all as new."""
    if isinstance(there, Path):
        files, faults = survey(there)
        for fault in faults:
            tell(Loss("file", place, fault, is_damage=True))
        return CopiedFiles(len(files), 0, sum(file.size for file in files))
    listed = _listed(there, place, tell)
    return CopiedFiles(len(listed), 0, sum(info.file_size or 0 for info in listed))


def _listed(there: ArtifactRepo, place: str, tell: Tell) -> list[FileInfo]:
    try:
        return list_tree(there, workers=1)
    except DrupeError as fault:
        tell(Loss("files", place, f"they cannot be listed: {fault.message}", is_damage=True))
        return []


def _copy(source: Path, path: ArtifactPath, here: ArtifactRepo, copied: CopiedFiles, place: str, tell: Tell) -> None:
    with source.open("rb", buffering=0) as stream:
        wanted = hashlib.file_digest(stream, "sha256").hexdigest()
    size = source.stat().st_size
    if here.is_file(path):
        if _digest_here(here, path) == wanted:
            copied.unchanged += 1
            copied.total_bytes += size
            return
        tell(Loss("file", f"{place}/{path}", "another file is here under this name, and stays"))
        return
    here.put_file(source, path)
    if _digest_here(here, path) != wanted:
        raise ArtifactCorrupt("what was written differs from its source", path=str(path))
    copied.new += 1
    copied.total_bytes += size


def _digest_here(here: ArtifactRepo, path: ArtifactPath) -> str | None:
    with suppress(ArtifactCorrupt, ArtifactNotFound):
        known = here.digest(path)
        if known is not None:
            return known
        with tempfile.TemporaryDirectory(prefix="drupe-import-") as folder:
            here.get_file(path, Path(folder) / "file")
            with open(Path(folder) / "file", "rb", buffering=0) as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest()
    return None


def _size_here(here: ArtifactRepo, path: ArtifactPath) -> int | None:
    return next((info.file_size for info in here.list(path.parent) if info.path == str(path)), None)


def _try(place: str, name: str, tell: Tell, act: Callable[[], None]) -> None:
    try:
        act()
    except _HOPELESS:
        raise
    except (DrupeError, OSError) as fault:
        why = fault.message if isinstance(fault, DrupeError) else str(fault.strerror or fault)
        tell(Loss("file", f"{place}/{name}", why, is_damage=True))

"""Console logs from a run's own folder to its artifacts, by the process that printed or by one that found it dead."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from drupe.errors import ArtifactNotFound
from drupe.extend import ArtifactRepo
from drupe.tracking.console.parts import FOLDER, sequence_of
from drupe.tracking.journal.places import STAGED
from drupe.uris import ArtifactPath

__all__ = ["clear_parts", "keep_parts", "stage_parts"]


def keep_parts(folder: Path, open_repo: Callable[[], ArtifactRepo], kept: dict[str, tuple[int, int]] | None = None) -> None:
    """Put the parts in a run's own folder to its artifacts: those that `kept` does not know as they are. Parts that are gone are deleted there."""
    kept = {} if kept is None else kept
    found = {path.name: path for path in folder.glob("console*.log") if sequence_of(path.name)} if folder.is_dir() else {}
    repo: ArtifactRepo | None = None
    for name, path in sorted(found.items()):
        try:
            facts = path.stat()
            state = (facts.st_size, facts.st_mtime_ns)
            if kept.get(name) != state:
                repo = repo or open_repo()
                repo.put_file(path, ArtifactPath((FOLDER, name)))
                kept[name] = state
        except (FileNotFoundError, ArtifactNotFound):
            if path.exists():
                raise
            # else somebody else who found the program dead has put it there a moment ago, or the log has grown over its bound
    for name in [name for name in kept if name not in found]:
        repo = repo or open_repo()
        repo.delete(ArtifactPath((FOLDER, name)))
        del kept[name]


def stage_parts(folder: Path) -> None:
    """Move the parts to where artifacts wait until their store is there again (see `sync`)."""
    staged = folder.parent / STAGED / FOLDER
    for path in folder.glob("console*.log"):
        staged.mkdir(parents=True, exist_ok=True)
        path.replace(staged / path.name)
    clear_parts(folder)


def clear_parts(folder: Path) -> None:
    """Remove the parts, and their folder if nothing else is in it."""
    if not folder.is_dir():
        return
    for path in folder.glob("console*.log"):
        path.unlink(missing_ok=True)
    for emptied in (folder, folder.parent):
        with contextlib.suppress(OSError):  # something is in it
            emptied.rmdir()

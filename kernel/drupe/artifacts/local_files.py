"""What a local folder holds for an upload: every file with the artifact path it will get, or all faults at once.

A link to a file inside the folder counts as that file; a link to a folder inside is followed, but links found behind it are not. Links that
lead out of the folder are refused, because an upload must not carry off what its user did not point at. Empty folders are not
artifacts, and files that repositories keep for themselves stay behind.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from drupe.artifacts.bookkeeping import is_bookkeeping
from drupe.errors import ArtifactNotFound, InvalidPath
from drupe.uris import ArtifactPath, join_segments

__all__ = ["LocalFile", "files_below", "opened", "survey"]

_NAMED_FAULTS = 20


@frozen
class LocalFile:
    """A file to upload: where it is, its path relative to the folder, its size in bytes."""

    source: Path
    path: ArtifactPath
    size: int


def files_below(folder: Path) -> list[LocalFile]:
    """The files of a folder, sorted by path.

    Raises ArtifactNotFound when it is no folder; InvalidPath that names every link which leads out, dangles or goes in circles, every
    special file, and every name that no artifact may have.
    """
    found, faults = survey(folder)
    if faults:
        shown = "; ".join(faults[:_NAMED_FAULTS]) + (f"; and {len(faults) - _NAMED_FAULTS} more" if len(faults) > _NAMED_FAULTS else "")
        raise InvalidPath(f"the folder {folder} cannot be stored as it is: {shown}. Nothing was stored", folder=str(folder), faults=faults)
    return found


def survey(folder: Path) -> tuple[list[LocalFile], list[str]]:
    """The files of a folder that may be stored, sorted by path, and what is wrong with each of the others. Raises ArtifactNotFound."""
    if not folder.is_dir():
        raise ArtifactNotFound(f"{folder} is not a local folder", path=str(folder))
    faults: list[str] = []
    return sorted(_walk(folder, faults), key=lambda file: file.path.segments), faults


def _walk(folder: Path, faults: list[str]) -> Iterator[LocalFile]:
    root = folder.resolve()
    waiting: list[tuple[str, ArtifactPath, bool]] = [(str(folder), ArtifactPath(), False)]
    while waiting:
        place, path, behind_link = waiting.pop()
        try:
            entries = sorted(os.scandir(place), key=lambda entry: entry.name)
        except OSError as fault:
            faults.append(f"{path or '.'} cannot be read ({fault.strerror})")
            continue
        for entry in entries:
            if is_bookkeeping(entry.name):
                continue
            shown = f"{path}/{entry.name}".lstrip("/")
            try:
                inner = ArtifactPath(path.segments + join_segments((entry.name,)).segments)
            except InvalidPath:
                faults.append(f"{shown!r} has a name that no artifact may have")
                continue
            wrong = _link_fault(entry, root, behind_link) if entry.is_symlink() else None
            if wrong:
                faults.append(f"{shown} {wrong}")
            elif entry.is_dir():
                waiting.append((entry.path, inner, behind_link or entry.is_symlink()))
            elif entry.is_file():
                yield LocalFile(Path(entry.path), inner, entry.stat().st_size)
            else:
                faults.append(f"{shown} is a {_kind(entry)}, not a file")


def _link_fault(entry: os.DirEntry[str], root: Path, behind_link: bool) -> str | None:
    try:
        leads_to = Path(entry.path).resolve(strict=True)
    except (OSError, RuntimeError):
        return "is a link that leads nowhere"
    if not leads_to.is_relative_to(root):
        return f"is a link that leads out of the folder, to {leads_to}; copy the file itself (cp -L)"
    if leads_to.is_dir():
        if Path(entry.path).parent.resolve().is_relative_to(leads_to):
            return "is a link to a folder that it lies in"
        if behind_link:
            return "is a link to a folder, found behind another such link"
    return None


def _kind(entry: os.DirEntry[str]) -> str:
    mode = entry.stat(follow_symlinks=False).st_mode
    return "pipe" if stat.S_ISFIFO(mode) else "socket" if stat.S_ISSOCK(mode) else "device"


@contextmanager
def opened(source: Path) -> Iterator[int]:
    """A descriptor of a file to upload. Raises ArtifactNotFound for what cannot be read or is no ordinary file; a fifo is not waited for."""
    try:
        descriptor = os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as fault:
        raise ArtifactNotFound(f"the local file {source} cannot be read: {getattr(fault, 'strerror', fault)}", path=str(source)) from fault
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ArtifactNotFound(f"{source} is not an ordinary local file", path=str(source))
        yield descriptor
    finally:
        os.close(descriptor)

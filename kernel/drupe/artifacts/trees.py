"""Whole folders to and from any artifact repository: several files at once, resumable, all of it or an error that says what is missing.

Built on the verbs of `drupe.extend.ArtifactRepo` alone. What a local folder holds is found in `local_files`; a single file of a repository
is a tree of one. Nothing here depends on the order in which files are copied.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Lock

from attrs import frozen

from drupe.artifacts.local_files import files_below
from drupe.artifacts.progress import BIG_BYTES, Progress, progress_bar
from drupe.entities import FileInfo
from drupe.errors import ArtifactCorrupt, ArtifactNotFound, DrupeError, InvalidPath, StoreError, StoreFull, StoreReadOnly
from drupe.extend import ArtifactRepo
from drupe.settings import settings
from drupe.uris import ArtifactPath

__all__ = ["Copied", "get_tree", "list_tree", "put_tree"]

_ROOT = ArtifactPath()
_NAMED_FAULTS = 10
_HOPELESS = (StoreFull, StoreReadOnly)  # the other files would meet the same fault


@frozen
class Copied:
    """What a copy came to: files written, files that were there already with the same digest, and the bytes of both."""

    files: int
    unchanged: int
    total_bytes: int


@frozen
class _Task:
    path: ArtifactPath
    local: Path
    size: int


def list_tree(repo: ArtifactRepo, path: ArtifactPath = _ROOT, *, workers: int | None = None) -> list[FileInfo]:
    """Every file at or below `path`, sorted by path; paths are relative to the repository's root. Nothing there gives []."""
    if not path.is_root and repo.is_file(path):
        return [info for info in repo.list(path.parent) if info.path == str(path)]
    found: list[FileInfo] = []
    folders = [path]
    with ThreadPoolExecutor(_workers(workers)) as pool:
        while folders:
            listed = list(pool.map(repo.list, folders)) if len(folders) > 1 else [repo.list(folders[0])]
            children = [_checked(info, folder) for folder, infos in zip(folders, listed, strict=True) for info in infos]
            found += [info for info in children if not info.is_dir]
            folders = [ArtifactPath.parse(info.path) for info in children if info.is_dir]
    return sorted(found)


def put_tree(
    repo: ArtifactRepo, folder: Path, path: ArtifactPath = _ROOT, *, progress: Progress | None = None, workers: int | None = None
) -> Copied:
    """Store every file of a local folder below `path`; what else is there stays.

    Files that are there already with the same digest are not sent again, so that an interrupted upload can simply be repeated. Nothing is
    stored when the folder itself has faults (InvalidPath, see `local_files`). When files fail, the others are stored all the same, and
    an error of the first one's class names them all. Without `progress`, big uploads draw a bar on a terminal.
    """
    files = files_below(folder)
    there = _sizes_there(repo, {file.path.parent for file in files}, path)
    tasks = [_Task(path / file.path, file.source, file.size) for file in files]

    def put(task: _Task) -> bool:
        if there.get(str(task.path)) == task.size:
            kept = _kept_digest(repo, task.path)
            if kept is not None and kept == _digest(task.local):
                return False
        repo.put_file(task.local, task.path)
        return True

    return _run(put, tasks, f"uploading {folder.name}", "stored", progress, workers)


def get_tree(
    repo: ArtifactRepo,
    path: ArtifactPath,
    target: Path,
    *,
    relative_to: ArtifactPath = _ROOT,
    progress: Progress | None = None,
    workers: int | None = None,
) -> Path:
    """Copy the file or folder at `path` into the local folder `target` and return where it is now.

    It keeps its path below `target`, less the leading `relative_to`: `a/b` becomes `target/a/b`, or `target/b` relative to `a`. Files that are
    there already with the same digest are not fetched again. Raises ArtifactNotFound; when files fail, the others are fetched all the
    same, and an error of the first one's class names them all.
    """
    if path.segments[: len(relative_to.segments)] != relative_to.segments:
        raise InvalidPath(f"{str(path)!r} does not lie below {str(relative_to)!r}")
    if target.exists() and not target.is_dir():
        raise InvalidPath(f"{target} is a file; artifacts are copied into a folder", path=str(target))
    files = list_tree(repo, path, workers=workers)
    place = target.joinpath(*path.segments[len(relative_to.segments) :])
    if not files:
        if not path.is_root and not any(info.path == str(path) for info in repo.list(path.parent)):
            raise ArtifactNotFound(f"no artifact at {str(path)!r} in {repo.root}", path=str(path))
        place.mkdir(parents=True, exist_ok=True)
        return place
    tasks = []
    for info in files:
        inner = ArtifactPath.parse(info.path)
        tasks.append(_Task(inner, target.joinpath(*inner.segments[len(relative_to.segments) :]), info.file_size or 0))

    def get(task: _Task) -> bool:
        if task.local.is_file() and task.local.stat().st_size == task.size:
            kept = repo.digest(task.path)
            if kept is not None and kept == _digest(task.local):
                return False
        task.local.parent.mkdir(parents=True, exist_ok=True)
        repo.get_file(task.path, task.local)
        return True

    _run(get, tasks, f"downloading {path.name or 'artifacts'}", "fetched", progress, workers)
    return place


def _checked(info: FileInfo, folder: ArtifactPath) -> FileInfo:
    """A listing may come from far away: only direct children of the folder that was asked are believed."""
    if ArtifactPath.parse(info.path).parent != folder:
        raise InvalidPath(f"the listing of {str(folder)!r} names {info.path!r}, which does not lie directly in it")
    return info


def _sizes_there(repo: ArtifactRepo, folders: Iterable[ArtifactPath], below: ArtifactPath) -> dict[str, int | None]:
    """Sizes of the files that are already in the folders to be written; folders that do not exist are not asked for."""
    wanted = {below / folder for folder in folders}
    for folder in list(wanted):
        while folder != below:
            folder = folder.parent
            wanted.add(folder)
    found: dict[str, int | None] = {}
    existing = {below}
    for folder in sorted(wanted, key=lambda path: len(path.segments)):
        if folder in existing:
            for info in repo.list(folder):
                if info.is_dir:
                    existing.add(ArtifactPath.parse(info.path))
                else:
                    found[info.path] = info.file_size
    return found


def _kept_digest(repo: ArtifactRepo, path: ArtifactPath) -> str | None:
    try:
        return repo.digest(path)
    except (ArtifactCorrupt, ArtifactNotFound):
        return None  # storing it again repairs it


def _digest(file: Path) -> str:
    with file.open("rb", buffering=0) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _run(
    copy: Callable[[_Task], bool], tasks: Sequence[_Task], label: str, done_word: str, progress: Progress | None, workers: int | None
) -> Copied:
    total = sum(task.size for task in tasks)
    if progress is None and total >= BIG_BYTES:
        with progress_bar(label) as bar:
            return _copy_all(copy, tasks, total, done_word, bar, workers)
    return _copy_all(copy, tasks, total, done_word, progress, workers)


def _copy_all(
    copy: Callable[[_Task], bool], tasks: Sequence[_Task], total: int, done_word: str, progress: Progress | None, workers: int | None
) -> Copied:
    told = _Teller(progress, total)
    faults: list[tuple[_Task, Exception]] = []
    stop = Event()

    def one(task: _Task) -> str:
        if stop.is_set():
            return "untried"
        try:
            written = copy(task)
        except Exception as fault:  # a plugin's repository may raise anything; it is raised again below
            faults.append((task, fault))
            if isinstance(fault, _HOPELESS):
                stop.set()
            return "failed"
        try:
            told.finished(task)
        except BaseException:
            stop.set()  # before another thread begins with the next file
            raise
        return "written" if written else "unchanged"

    with ThreadPoolExecutor(_workers(workers), thread_name_prefix="drupe-copy") as pool:
        # Large files first, so that the last one to finish is a small one.
        came_to = Counter(pool.map(one, sorted(tasks, key=lambda task: -task.size)))
    if faults:
        raise _together(faults, len(tasks), done_word, came_to["untried"])
    return Copied(came_to["written"], came_to["unchanged"], total)


def _together(faults: list[tuple[_Task, Exception]], count: int, done_word: str, untried: int) -> DrupeError:
    faults.sort(key=lambda pair: (not isinstance(pair[1], _HOPELESS), pair[0].path.segments))
    first = faults[0][1]
    if count == 1 and isinstance(first, DrupeError):
        return first
    lines = [f"{task.path}: {fault.message if isinstance(fault, DrupeError) else repr(fault)}" for task, fault in faults[:_NAMED_FAULTS]]
    more = f"; and {len(faults) - _NAMED_FAULTS} more" if len(faults) > _NAMED_FAULTS else ""
    rest = f". {untried} others were not tried" if untried else ""
    kind = type(first) if isinstance(first, DrupeError) else StoreError
    details = dict(first.details) if isinstance(first, DrupeError) else {}
    details["paths"] = [str(task.path) for task, _ in faults]
    made = kind(f"{len(faults)} of {count} files could not be {done_word}: {'; '.join(lines)}{more}{rest}", **details)
    made.__cause__ = first
    return made


class _Teller:
    """Adds up what is done and tells it, one thread at a time. What a progress function raises ends the copy."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0
        self._lock = Lock()
        if progress is not None:
            progress(0, total, "")

    def finished(self, task: _Task) -> None:
        if self._progress is not None:
            with self._lock:
                self._done += task.size
                self._progress(self._done, self._total, str(task.path))


def _workers(asked: int | None) -> int:
    given = asked if asked is not None else settings().get("artifact_workers")
    return max(1, int(given)) if given is not None else min(16, 4 * (os.cpu_count() or 1))

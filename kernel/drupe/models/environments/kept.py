"""Environments that are kept on this machine, by what is in them: one folder each, made by one process at a time and never seen half made.

An environment is made under another name, renamed, and marked last; without its mark it does not count. A file lock per environment
says who makes one (exclusive) and who uses it (shared), and is let go of when the process dies.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import Any

from attrs import frozen

from drupe.settings import settings

__all__ = ["MARK", "KeptEnvironment", "kept_environments", "kept_root", "prune_environments", "used_environment"]

MARK = "drupe-environment.json"
_LOCKS, _DRAFT = "locks", ".draft-"


@frozen
class KeptEnvironment:
    """An environment in the folder `path`. `about` is what it was made of, `made_at` and `used_at` are times in UTC."""

    key: str
    path: Path
    about: Mapping[str, Any]
    size_bytes: int
    made_at: datetime
    used_at: datetime


def kept_root() -> Path:
    """The folder where environments are kept: setting `env_root`, else the user's cache folder by the XDG convention."""
    given = settings().get("env_root")
    if given:
        return Path(str(given)).expanduser().absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "drupe" / "environments"


@contextmanager
def used_environment(
    key: str, about: Mapping[str, Any], make: Callable[[Path], None], *, tell: Callable[[str], None], root: Path | None = None
) -> Iterator[tuple[Path, bool]]:
    """The environment `key` while the block lasts, and whether it was made for it; `make(folder)` makes it where it is not there yet.

    One process makes it; another that asks meanwhile says so and waits. It cannot be pruned while it is used. Raises what `make` raises;
    nothing is left behind then.
    """
    root = root or kept_root()
    (root / _LOCKS).mkdir(parents=True, exist_ok=True, mode=0o700)
    folder, lock = root / key, root / _LOCKS / key
    is_new = False
    while True:
        with _locked(lock, fcntl.LOCK_SH, tell):
            if _is_whole(folder):
                os.utime(folder / MARK)
                yield folder, is_new
                return
        with _locked(lock, fcntl.LOCK_EX, tell):
            if not _is_whole(folder):
                _make(root, folder, about, make)
                is_new = True


def kept_environments(root: Path | None = None) -> list[KeptEnvironment]:
    """Every whole environment, the one that was used last first."""
    root = root or kept_root()
    found = [_read(folder) for folder in root.iterdir() if _is_whole(folder)] if root.is_dir() else []
    return sorted((one for one in found if one is not None), key=lambda one: one.used_at, reverse=True)


def prune_environments(
    is_unwanted: Callable[[KeptEnvironment], bool], root: Path | None = None
) -> tuple[list[KeptEnvironment], list[KeptEnvironment]]:
    """Remove the environments that `is_unwanted` says, and what was left half made. Returns (removed, kept because they are in use)."""
    root = root or kept_root()
    removed: list[KeptEnvironment] = []
    in_use: list[KeptEnvironment] = []
    for one in kept_environments(root):
        if is_unwanted(one):
            (removed if _remove(root, one.key) else in_use).append(one)
    for folder in list(root.iterdir()) if root.is_dir() else []:
        if folder.name.startswith(_DRAFT):
            key = folder.name.removeprefix(_DRAFT).rpartition("-")[0]
            with _tried(root / _LOCKS / key) as is_mine:  # nobody makes it any more
                if is_mine:
                    shutil.rmtree(folder, ignore_errors=True)
        elif folder.is_dir() and folder.name not in (_LOCKS, "wheels") and not _is_whole(folder):
            _remove(root, folder.name)
    return removed, in_use


def _make(root: Path, folder: Path, about: Mapping[str, Any], make: Callable[[Path], None]) -> None:
    shutil.rmtree(folder, ignore_errors=True)  # renamed, but never marked
    for left in root.glob(f"{_DRAFT}{folder.name}-*"):
        shutil.rmtree(left, ignore_errors=True)
    draft = root / f"{_DRAFT}{folder.name}-{token_hex(4)}"
    try:
        make(draft)
        size = sum(file.lstat().st_size for file in draft.rglob("*"))
        draft.rename(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    mark = folder / f".{MARK}"
    mark.write_text(json.dumps({**about, "made_at": datetime.now(UTC).isoformat(), "size_bytes": size}, indent=1), encoding="utf-8")
    mark.rename(folder / MARK)


def _is_whole(folder: Path) -> bool:
    return not folder.name.startswith(".") and (folder / MARK).is_file()


def _read(folder: Path) -> KeptEnvironment | None:
    mark = folder / MARK
    try:
        about = json.loads(mark.read_text(encoding="utf-8"))
        used_at = datetime.fromtimestamp(mark.stat().st_mtime, UTC)
    except FileNotFoundError:  # removed since it was listed
        return None
    return KeptEnvironment(folder.name, folder, about, int(about["size_bytes"]), datetime.fromisoformat(about["made_at"]), used_at)


def _remove(root: Path, key: str) -> bool:
    with _tried(root / _LOCKS / key) as is_mine:
        if is_mine:
            (root / key / MARK).unlink(missing_ok=True)  # first: what is half removed does not count
            shutil.rmtree(root / key, ignore_errors=True)
    return is_mine


@contextmanager
def _tried(lock: Path) -> Iterator[bool]:
    """Whether the lock could be had at once; held while the block lasts."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


@contextmanager
def _locked(lock: Path, how: int, tell: Callable[[str], None]) -> Iterator[None]:
    with lock.open("ab") as file:
        try:
            fcntl.flock(file, how | fcntl.LOCK_NB)
        except BlockingIOError:
            tell("another process is at work on this environment; waiting for it")
            fcntl.flock(file, how)
        yield

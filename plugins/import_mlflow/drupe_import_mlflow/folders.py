"""Reading below one folder that somebody else filled: no link is followed, only plain files are opened, and every size is bounded."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from drupe.errors import InvalidModelFolder
from drupe.models.yaml_text import parse_yaml
from drupe_import_mlflow.values import Damaged, mapping

__all__ = ["files_below", "folders_in", "has_folder", "read_bytes", "read_map", "read_text"]

META = "meta.yaml"
TEXT_BYTES = 4 * 2**20  # of a param or tag: longer than any limit, in any encoding
META_BYTES = 64 * 2**20  # a dataset's profile has up to 16 million characters
DEPTH = 64  # of names with slashes


def folders_in(folder: Path) -> list[str]:
    """The names of the folders in it, sorted; links are left out. Empty when it is none itself."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as fault:
        raise Damaged(f"{folder.name} cannot be listed: {fault.strerror}") from fault


def has_folder(folder: Path) -> bool:
    """True when it is a folder and no link."""
    try:
        return stat.S_ISDIR(folder.lstat().st_mode)
    except OSError:
        return False


def files_below(folder: Path) -> Iterator[tuple[str, Path | Damaged]]:
    """The files below a folder, sorted, as (path with slashes, file); what is no plain file comes with the reason in its place."""
    waiting = [(folder, "", 0)] if has_folder(folder) else []
    while waiting:
        place, prefix, depth = waiting.pop()
        try:
            with os.scandir(place) as listed:
                entries = sorted(listed, key=lambda entry: entry.name)
        except OSError as fault:
            yield prefix.rstrip("/") or folder.name, Damaged(f"it cannot be listed: {fault.strerror}")
            continue
        for entry in entries:
            name = prefix + entry.name
            if entry.is_symlink():
                yield name, Damaged("it is a link, which is not followed")
            elif entry.is_dir(follow_symlinks=False):
                if depth >= DEPTH:
                    yield name, Damaged(f"it lies more than {DEPTH} folders deep")
                else:
                    waiting.append((Path(entry.path), f"{name}/", depth + 1))
            elif entry.is_file(follow_symlinks=False):
                yield name, Path(entry.path)
            else:
                yield name, Damaged("it is no file")


def read_bytes(file: Path, most: int) -> bytes:
    """What is in a plain file of at most so many bytes. Raises Damaged."""
    try:
        opened = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as fault:
        raise Damaged(f"{file.name} cannot be read: {fault.strerror}") from fault
    with os.fdopen(opened, "rb") as stream:
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            raise Damaged(f"{file.name} is no file")
        try:
            raw = stream.read(most + 1)
        except OSError as fault:
            raise Damaged(f"{file.name} cannot be read: {fault.strerror}") from fault
    if len(raw) > most:
        raise Damaged(f"{file.name} has more than {most} bytes")
    return raw


def read_text(file: Path) -> str:
    """The text in a file. Raises Damaged."""
    try:
        return read_bytes(file, TEXT_BYTES).decode()
    except UnicodeDecodeError:
        raise Damaged("it is not UTF-8") from None


def read_map(folder: Path) -> dict[str, object]:
    """The map in the `meta.yaml` of a folder. Raises Damaged."""
    file = folder / META
    raw = read_bytes(file, META_BYTES)
    try:
        return mapping(parse_yaml(raw, Path(folder.name) / META), f"{folder.name}/{META}")
    except InvalidModelFolder as fault:
        raise Damaged(fault.message) from None

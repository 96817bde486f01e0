"""Damaged journals: finding what is damaged, and making files of all frames that can be read.

A repaired file has every frame where it was, so that what the store has of it already is known by its position. Bytes that are no frame become
the payload of a frame of kind SKIPPED, which readers pass over; a name or a header among them is put together again where others tell of it.
The damaged file is kept beside the new one. Journals whose writers live are left alone.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import define, field

from drupe.entities import Damage, TableReport
from drupe.errors import StoreCorrupt
from drupe.tracking.journal import layout
from drupe.tracking.journal.adoption import lock_of, run_folders
from drupe.tracking.journal.cursor import read_header, writers_in
from drupe.tracking.journal.layout import FrameKind
from drupe.tracking.journal.places import boot_id, host_name

__all__ = ["SKIPPED", "find_damage", "repair"]

SKIPPED = 255
"""The kind of a frame that holds what was no frame."""

LEAST = layout.LEAD.size + layout.CRC.size  # bytes of the shortest frame
_NAMED = (FrameKind.METRIC, FrameKind.POINTS, FrameKind.SERIES)


@define
class _Part:
    """A stretch of a file: one frame, or (`kind` None) bytes that are none."""

    start: int
    stop: int
    kind: int | None
    payload: bytes = b""


@define
class _File:
    """One file of a journal as it was found. `end` is where its last frame ends; behind it is nothing, or what was being written."""

    path: Path
    content: bytes
    parts: list[_Part] = field(factory=list)

    @property
    def end(self) -> int:
        return self.parts[-1].stop if self.parts else 0

    @property
    def header(self) -> Mapping[str, Any] | None:
        if self.parts and self.parts[0].kind == FrameKind.HEADER:
            return layout.header_of(self.parts[0].payload)
        return None


def find_damage(root: Path) -> list[Damage]:
    """What is damaged in the journals below a root, a file at a time. A record that its writer died over is no damage."""
    return [damage for folder in run_folders(root) for files in _idle(folder) for damage in _damage_of(folder, files)]


def repair(root: Path) -> tuple[list[TableReport], list[Damage]]:
    """Repair the journals below a root that are damaged; how many frames were kept, and what is lost."""
    kept = lost = 0
    losses: list[Damage] = []
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    for folder in run_folders(root):
        for files in _idle(folder):
            found = list(_damage_of(folder, files))
            if found:
                losses += found
                kept += sum(part.kind is not None for file in files for part in file.parts)
                try:
                    lost += _mend(folder, files, stamp, losses)
                except StoreCorrupt as fault:
                    losses.append(Damage(str(folder), fault.message, folder.name))
    return ([TableReport("journal records", kept, 0, lost)] if losses else []), losses


def _idle(folder: Path) -> Iterator[list[_File]]:
    """The files of each writer that is not at work."""
    for paths in writers_in(folder).values():
        with lock_of(paths[-1]) as is_free:
            if is_free:
                yield [_read(path) for path in paths]


def _read(path: Path) -> _File:
    content = path.read_bytes()
    file = _File(path, content)
    filled = len(content.rstrip(b"\x00")) + layout.CRC.size  # a checksum may end in zeros
    view = memoryview(content)[:filled]
    at = 0
    while at < len(view):
        stop = layout.end_of_frame(view, at)
        if stop:
            kind = view[at + layout.LEAD.size - 1]
            file.parts.append(_Part(at, stop, kind, bytes(view[at + layout.LEAD.size : stop - layout.CRC.size])))
            at = stop
            continue
        following = layout.find_frame(view, at + 1)
        if following is None:
            return file  # nothing, or a record that was being written
        file.parts.append(_Part(at, following, None))
        at = following
    return file


def _damage_of(folder: Path, files: list[_File]) -> Iterator[Damage]:
    behind: int | None = None
    for place, file in enumerate(files):
        if file.header is None:
            yield Damage(str(file.path), "its beginning, which says what it belongs to, cannot be read", folder.name)
        for part in file.parts:
            if part.kind is None and part.start:
                yield Damage(
                    str(file.path), f"{part.stop - part.start} bytes from {part.start} on are no records; others follow", folder.name
                )
        base = None if file.header is None else int(file.header["base"])
        if base is not None and behind is not None and base > behind:
            yield Damage(str(file.path), f"{base - behind} bytes of the journal before it are missing", folder.name)
        if place + 1 < len(files) and file.content[file.end :].strip(b"\x00"):
            yield Damage(str(file.path), f"{len(file.content) - file.end} bytes at its end are no records", folder.name)
        behind = None if base is None else base + _length(file, is_last=place + 1 == len(files))


def _length(file: _File, *, is_last: bool) -> int:
    """How many positions a file takes: one that is followed by another was cut to its length, but for what the system did not keep."""
    return file.end if is_last or not file.content[file.end :].strip(b"\x00") else len(file.content)


def _mend(folder: Path, files: list[_File], stamp: str, losses: list[Damage]) -> int:
    """Write the files anew; how many records are lost, as far as that can be told."""
    names = {number: name for file in files for number, name in _names_in(file)}
    bases = _bases(files)
    lost = 0
    for place, file in enumerate(files):
        base, following = bases[place], bases[place + 1] if place + 1 < len(files) else None
        content = bytearray(file.content[: file.end])
        if following is not None and len(content) < following - base:  # what is missing at its end
            file.parts.append(_Part(len(content), following - base, None))
            content += file.content[file.end : following - base].ljust(following - base - len(content), b"\x00")
        known: set[int] = set()
        there = {number for number, _ in _names_in(file)}
        wanted = dict(sorted(names.items(), key=lambda each: (each[0] in there, each[0])))  # those first that this file has lost
        for part in file.parts:
            if part.kind == FrameKind.KEY:
                known.add(layout.KEY.unpack_from(part.payload)[0])
            elif part.kind is None:
                lost += 1
                content[part.start : part.stop] = _in_place_of(
                    bytes(content[part.start : part.stop]), _told(folder, file, base) if part.start == 0 else None, wanted, known
                )
            elif part.kind in _NAMED and not _numbers_in(part) <= known:
                lost += 1
                content[part.start : part.stop] = _skipped(bytes(content[part.start : part.stop]))
                losses.append(Damage(str(file.path), f"a record at byte {part.start} is of a metric whose name is lost", folder.name))
        _replace(file.path, bytes(content), stamp)
    return lost


def _bases(files: list[_File]) -> list[int]:
    """Where each file begins in the stream of its writer, from what the others say where its own header is lost."""
    told = [None if file.header is None else int(file.header["base"]) for file in files]
    for place, base in enumerate(told):
        if base is None:
            before = told[place - 1] if place else None
            after = told[place + 1] if place + 1 < len(files) else None
            if after is not None:
                told[place] = after - len(files[place].content)
            elif before is not None:
                told[place] = before + len(files[place - 1].content)
            elif files[place].path.name.partition(".")[2] == f"00001{layout.SUFFIX}":
                told[place] = 0
            else:
                raise StoreCorrupt(
                    f"{files[place].path}: where this journal begins in the stream of its writer cannot be told; its records can be read with "
                    "drupe.tracking.journal.cursor.frames_in",
                    path=str(files[place].path),
                )
    return [base or 0 for base in told]


def _in_place_of(lost: bytes, header: bytes | None, names: Mapping[int, str], known: set[int]) -> bytes:
    """Frames of exactly the length of what was lost: the header or names that belong there, and the rest as SKIPPED."""
    room = len(lost) - (0 if header is None else LEAST + len(header))
    if room < 0:
        raise StoreCorrupt("there is no room for the header of a journal; it was left as it is")
    made = b""
    for number, name in names.items():
        frame = layout.frame(0, FrameKind.KEY, layout.KEY.pack(number) + name.encode())
        left = room - len(made) - len(frame)
        if number not in known and (left == 0 or left >= LEAST or (header is not None and left > 0)):
            made += frame
            known.add(number)
    left = room - len(made)
    if header is not None:
        padding = b" " * left if left < LEAST else b""
        made = layout.frame(0, FrameKind.HEADER, header + padding) + made
    rest = lost[len(made) :]
    return made + _skipped(rest) if rest else made


def _skipped(lost: bytes) -> bytes:
    return layout.frame(0, SKIPPED, lost[: len(lost) - LEAST])  # type: ignore[arg-type]


def _told(folder: Path, file: _File, base: int) -> bytes:
    """The header of a file, as far as it can be told from where it lies."""
    writer, _, rest = file.path.name.partition(".")
    told = {
        "format": layout.FORMAT,
        "writer": writer,
        "file": int(rest.partition(".")[0]),
        "base": base,
        "run_id": folder.name,
        "store": "",
    }
    made_ms = int(file.path.stat().st_mtime * 1000)
    return layout.to_json({**told, "host": host_name()[:20], "boot_id": boot_id(), "pid": 0, "made_ms": made_ms})


def _names_in(file: _File) -> Iterator[tuple[int, str]]:
    for part in file.parts:
        if part.kind == FrameKind.KEY:
            yield layout.KEY.unpack_from(part.payload)[0], part.payload[layout.KEY.size :].decode()


def _numbers_in(part: _Part) -> set[int]:
    if part.kind == FrameKind.SERIES:
        return {layout.HEAD_OF_SERIES.unpack_from(part.payload)[0]}
    return {number for number, *_ in layout.POINT.iter_unpack(part.payload)}


def _replace(path: Path, content: bytes, stamp: str) -> None:
    if content == path.read_bytes()[: len(content)] and not path.read_bytes()[len(content) :].strip(b"\x00"):
        return
    unfinished = path.with_name(f".{path.name}.part")
    with unfinished.open("wb") as written:
        written.write(content)
        written.flush()
        os.fsync(written.fileno())
    names = (f"{path.name}.damaged-{stamp}{number}" for number in ("", *(f"-{n}" for n in range(2, 1000))))
    os.link(path, next(kept for name in names if not (kept := path.with_name(name)).exists()))
    os.replace(unfinished, path)
    layout.sync_folder(path.parent)
    read_header(path)  # raises where the repair did not help

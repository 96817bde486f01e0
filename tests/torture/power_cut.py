"""What a disk may hold when power is cut: made from a record of all writes and syncs, for any moment of it.

What was synced is there, and so are removals before any sync, since file systems keep the order of what they note about folders. Of what was written since, each file may hold all, nothing, or any part: the disk's own cache writes as it likes, in
whole sectors.
"""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

__all__ = ["Happened", "built", "happened_in", "left_after"]

HEAD = struct.Struct("<5q")
SECTOR = 512


@frozen
class Happened:
    """One call that has returned: `what` is w(rite), t(runcate), s(ync) or u(nlink)."""

    what: str
    at_ns: int
    path: Path
    offset: int
    written: bytes


def built() -> Path | None:
    """The recorder, compiled; None without a compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        return None
    library = Path(tempfile.mkdtemp(prefix="drupe-torture-recorder-")) / "recorder.so"
    source = Path(__file__).with_name("recorder.c")
    done = subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-w", "-o", str(library), str(source), "-ldl", "-lpthread"], check=False)
    return library if done.returncode == 0 else None


def happened_in(record: Path) -> Iterator[Happened]:
    """The record, in order."""
    with record.open("rb") as file:
        while len(head := file.read(HEAD.size)) == HEAD.size:
            what, at_ns, length, offset, size = HEAD.unpack(head)
            path = Path(file.read(length).decode())
            yield Happened(chr(what), at_ns, path, offset, file.read(size) if what == ord("w") else b"")


def left_after(happened: list[Happened], chance: random.Random | None) -> dict[Path, bytes]:
    """The files after power was cut behind the last of these; with `chance`, parts of what was not synced have reached the disk too."""
    on_disk: dict[Path, bytearray] = {}
    since: dict[Path, list[Happened]] = {}
    removed: list[Path] = []
    for one in happened:
        if one.what == "u":
            removed.append(one.path)
        elif one.what == "s":
            for path in removed:
                on_disk.pop(path, None)
                since.pop(path, None)
            removed = []
            for earlier in since.pop(one.path, ()):
                _apply(on_disk, earlier)
        else:
            since.setdefault(one.path, []).append(one)
    if chance is not None:
        for left in since.values():
            for one in left:
                if chance.random() < 0.5:
                    whole = len(one.written) // SECTOR * SECTOR
                    cut = chance.randrange(0, whole + 1, SECTOR) if whole and chance.random() < 0.3 else len(one.written)
                    _apply(on_disk, Happened(one.what, one.at_ns, one.path, one.offset, one.written[:cut]))
    return {path: bytes(content) for path, content in on_disk.items()}


def _apply(on_disk: dict[Path, bytearray], one: Happened) -> None:
    content = on_disk.setdefault(one.path, bytearray())
    if one.what == "t":
        del content[one.offset :]
        content.extend(bytes(one.offset - len(content)))
        return
    content.extend(bytes(max(0, one.offset + len(one.written) - len(content))))
    content[one.offset : one.offset + len(one.written)] = one.written

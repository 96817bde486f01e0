"""Journals that dead processes have left: found by a lock that nobody holds, shipped by whoever opens the store next, and deleted then.

A living writer holds a lock on its newest file. On the same running kernel a free lock means that the writer is dead; a journal of
another kernel (restarted, another machine, a copied folder) is left alone until nobody has touched it for a while, unless it is asked for.
"""

from __future__ import annotations

import fcntl
import logging
import os
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import define, field, frozen

from drupe.artifacts.local_files import files_below
from drupe.entities import Heartbeat, Parcel
from drupe.errors import DrupeError, StoreCorrupt
from drupe.extend import TrackingStore
from drupe.tracking.journal import outbox, trouble
from drupe.tracking.journal.cursor import Ending, read_header, writers_in
from drupe.tracking.journal.places import STAGED, boot_id, host_name
from drupe.tracking.journal.shipping import Consignment, Shipped
from drupe.uris import redact

__all__ = ["Adopted", "Left", "adopt", "adopt_run", "catch_up", "left_in", "lock_of", "run_folders", "size_of", "staged_files"]

QUIET_S = 900.0
BEAT_MS = 10_000

log = logging.getLogger("drupe.tracking")


@frozen
class Left:
    """One writer's journal as it lies in a folder. `is_alive` when its writer holds the lock."""

    writer: str
    bytes: int
    is_alive: bool


@define
class Adopted:
    """What became of one run's folder. `fault` is why something of it was not shipped; `alive` counts the writers that are still at work."""

    run_id: str
    folder: Path
    shipped: Shipped = field(factory=Shipped)
    writers: int = 0
    alive: int = 0
    is_torn: bool = False
    fault: DrupeError | None = None


def left_in(folder: Path) -> list[Left]:
    """Every journal in a run's folder that is not this process's own."""
    found = []
    for writer, files in writers_in(folder).items():
        if writer not in outbox.own_writers():
            with lock_of(files[-1]) as is_free:
                found.append(Left(writer, sum(map(size_of, files)), not is_free))
    return found


def run_folders(root: Path) -> list[Path]:
    """The folders of runs below a root."""
    try:
        return sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return []


def adopt(root: Path, store: TrackingStore, *, prepare: Callable[[Parcel], Parcel] | None = None) -> list[Adopted]:
    """Ship and delete what dead processes of this machine have left below a root. What cannot be shipped stays, and is told once."""
    found = []
    for folder in run_folders(root):
        adopted = adopt_run(folder, store, prepare=prepare)
        if adopted.fault is not None:
            _tell_once(folder, adopted.fault)
        found.append(adopted)
    if found:
        outbox.clean_folder(root)
    return found


def catch_up(uri: str, store: TrackingStore) -> None:
    """Bring to the store at `uri` what this process has logged to it, and what its dead children have."""
    for line in outbox.lines():
        if line.uri == uri and not line.is_held:
            line.ship(now=line.is_worth_trying)
            if len(writers_in(line.journal.folder)) > bool(line.journal.files):
                adopt_run(line.journal.folder, store)


def adopt_run(
    folder: Path,
    store: TrackingStore,
    *,
    anywhere: bool = False,
    keep: bool = False,
    prepare: Callable[[Parcel], Parcel] | None = None,
    passed: Callable[[Shipped], None] | None = None,
    but: Collection[str] = (),
) -> Adopted:
    """Ship what dead writers have left in one run's folder.

    `anywhere` takes journals of other machines too, `keep` deletes nothing, `prepare` and `passed` are those of `Consignment.send`, `but` names
    writers to leave alone. Never raises for what a store or a journal has: see `fault`.
    """
    adopted = Adopted(folder.name, folder)
    own = {*outbox.own_writers(), *but}
    for writer, files in writers_in(folder).items():
        if writer in own:
            continue
        newest = files[-1]
        with lock_of(newest) as is_free:
            files = writers_in(folder).get(writer, [])  # somebody may have shipped and deleted it meanwhile
            if not files:
                continue
            if not is_free or files[-1] != newest:  # a full file is unlocked when its living writer goes on to the next one
                adopted.alive += 1
                continue
            try:
                header = read_header(files[-1])
                if not anywhere and not _is_ours_to_take(header, files[-1]):
                    continue
                adopted.writers += 1
                consignment = Consignment(str(header["run_id"]), writer, files, prepare)
                done = consignment.send(store, passed=passed)
                adopted.shipped.add(done)
                ending = consignment.ending()
                adopted.is_torn = adopted.is_torn or ending is Ending.TORN
                if ending is Ending.DAMAGED:
                    raise StoreCorrupt(
                        f"{files[-1]}: the journal is damaged, and goes on behind the damage. What stands before it was shipped; "
                        "`drupe store repair` keeps the rest that is readable",
                        path=str(files[-1]),
                    )
                if done.is_new and not done.is_ended:
                    store.beat([_last_sign(header, files[-1])])  # so that a reader can tell that the process is gone
            except FileNotFoundError:  # its writer has shipped and deleted it after all, as at the end of a process
                adopted.alive += 1
                continue
            except DrupeError as fault:
                if all(path.exists() for path in files):
                    adopted.fault = fault
                else:  # the same
                    adopted.alive += 1
                continue
            if not keep:
                for path in files:
                    path.unlink(missing_ok=True)
    if not keep and adopted.fault is None and not adopted.alive:
        trouble.clear(folder)
        outbox.clean_folder(folder)
    return adopted


def staged_files(folder: Path) -> list[Path]:
    """The artifacts that wait in a run's folder."""
    return [] if not (folder / STAGED).is_dir() else [file.source for file in files_below(folder / STAGED)]


def size_of(path: Path) -> int:
    """The bytes of a file, 0 when it is gone."""
    try:
        return path.stat().st_size
    except FileNotFoundError:  # it was shipped and deleted a moment ago
        return 0


@contextmanager
def lock_of(path: Path) -> Iterator[bool]:
    """True while this process holds the lock that a living writer has on its newest file; False when its writer holds it."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        yield True  # gone, or another user's: whoever reads it next will say
        return
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_free = True
        except OSError:
            is_free = False
        yield is_free
    finally:
        os.close(fd)


def _tell_once(folder: Path, fault: DrupeError) -> None:
    known = trouble.read(folder)
    if known is None or known.reason != redact(str(fault)):
        trouble.note(folder, "", fault)
        log.warning("run %s: its journal in %s was not shipped: %s; see: drupe status", folder.name, folder, fault)


def _is_ours_to_take(header: dict[str, object], path: Path) -> bool:
    if header.get("boot_id") == boot_id() or header.get("host") == host_name():
        return True
    return time.time() - path.stat().st_mtime > QUIET_S


def _last_sign(header: dict[str, object], path: Path) -> Heartbeat:
    return Heartbeat(
        run_id=str(header["run_id"]),
        writer=path.name.partition(".")[0],
        at_ms=int(path.stat().st_mtime * 1000),
        interval_ms=BEAT_MS,
        host=str(header["host"]),
        pid=int(str(header["pid"])),
        boot_id=str(header["boot_id"]),
    )

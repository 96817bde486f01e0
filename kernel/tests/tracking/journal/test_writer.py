"""Writing a journal: what is in the file when a call has returned, also in odd moments."""

from __future__ import annotations

import itertools
import math
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from drupe.entities import Points
from drupe.tracking.journal import writer
from drupe.tracking.journal.cursor import Cursor, writers_in
from drupe.tracking.journal.folding import fold
from drupe.tracking.journal.layout import FrameKind
from drupe.tracking.journal.writer import Journal, Sync


def points_in(folder: Path) -> dict[str, list[tuple[int, int, float]]]:
    """All points of all journals in a folder, by metric, in the order in which they were logged."""
    found: dict[str, list[tuple[int, int, float]]] = {}
    for name, files in writers_in(folder).items():
        cursor = Cursor(files)
        while stretch := cursor.read():
            for key, points in fold("r", name, stretch).batch.metrics.items():
                found.setdefault(key, []).extend(points)
    return found


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "run", "r", store="memory:")


def test_nothing_is_made_before_something_is_logged(journal: Journal) -> None:
    assert not journal.folder.exists()


def test_a_point_is_in_the_file_when_the_call_has_returned(journal: Journal) -> None:
    journal.metric("loss", 0.5, -3, 1000)
    journal.metric("loss", math.inf, 2**63 - 1, 1001)
    journal.points({"loss": 0.1, "acc": 0.9}, 4, 1002)
    journal.series("acc", Points.of([(5, 1, 0.2), (6, 2, 0.3)]))
    assert points_in(journal.folder) == {
        "loss": [(-3, 1000, 0.5), (2**63 - 1, 1001, math.inf), (4, 1002, 0.1)],
        "acc": [(4, 1002, 0.9), (5, 1, 0.2), (6, 2, 0.3)],
    }


def test_the_end_is_never_before_what_was_logged_although_a_file_becomes_full_while_one_looks(tmp_path: Path) -> None:
    class Overtaken(Journal):
        is_overtaken = False

        def __getattribute__(self, name: str) -> Any:
            found = super().__getattribute__(name)
            if name == "_base" and self.is_overtaken:  # another thread has its turn here
                self.is_overtaken = False
                self._next_file(0)
            return found

    journal = Overtaken(tmp_path / "run", "r", store="memory:")
    journal.metric("loss", 0.5, 1, 1000)
    end = journal.end
    journal.is_overtaken = True
    assert journal.end > end


def test_a_folder_that_somebody_removes_before_the_first_file_is_in_it_is_made_again(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    mkdir = Path.mkdir

    def make_and_lose_the_turn(folder: Path, *arguments: Any, **options: Any) -> None:
        mkdir(folder, *arguments, **options)
        monkeypatch.undo()
        folder.rmdir()  # as who looks for journals does with what is empty

    monkeypatch.setattr(Path, "mkdir", make_and_lose_the_turn)
    journal.metric("loss", 0.5, 1, 1000)
    assert journal.trouble is None
    assert points_in(journal.folder) == {"loss": [(1, 1000, 0.5)]}


def test_files_follow_each_other_and_each_can_be_read_by_itself(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "FIRST_BYTES", 4096)
    monkeypatch.setattr(writer, "LARGEST_BYTES", 4096)
    for step in range(300):
        journal.metric("loss" if step % 2 else "acc", step / 7, step, step)
    files = writers_in(journal.folder)[journal.writer]
    assert len(files) > 3
    assert files == journal.files
    cursor = Cursor(files[2:])
    stretch = cursor.read()
    assert stretch is not None
    assert set(fold("r", "w", stretch).batch.metrics) == {"loss", "acc"}
    found = points_in(journal.folder)
    assert sorted(step for points in found.values() for step, _, _ in points) == list(range(300))


def test_a_record_larger_than_a_file_gets_a_file_that_is_large_enough(journal: Journal) -> None:
    count = writer.POINTS_IN_FRAME * 7
    journal.metric("other", 1.0, 0, 0)
    journal.series("big", Points.of((step, step, float(step)) for step in range(count)))
    journal.note(FrameKind.TAGS, {"long": "x" * (5 << 20)})
    journal.metric("other", 2.0, 1, 0)
    assert [len(points) for points in points_in(journal.folder).values()] == [2, count]
    assert journal.end == sum(path.stat().st_size for path in journal.files[:-1]) + journal._at


def test_threads_log_at_once_and_every_point_is_there(journal: Journal) -> None:
    def log(number: int) -> None:
        for step in range(2000):
            journal.metric(f"m{number}", float(step), step, 0)

    threads = [threading.Thread(target=log, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert points_in(journal.folder) == {f"m{number}": [(step, 0, float(step)) for step in range(2000)] for number in range(8)}


def test_a_signal_handler_may_log_in_the_middle_of_a_call(journal: Journal) -> None:
    numbers, logged = itertools.count(), []

    def handler(*_: object) -> None:  # which may itself be interrupted by the next signal
        number = next(numbers)
        journal.metric("from the handler", float(number), number, 0)
        logged.append(number)

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
    try:
        step = 0
        while len(logged) < 200:
            journal.metric("loss", float(step), step, 0)
            step += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    found = points_in(journal.folder)
    assert [number for number, _, _ in found["loss"]] == list(range(step))
    assert sorted(number for number, _, _ in found["from the handler"]) == sorted(logged)


@pytest.mark.parametrize("sync", [Sync.PROCESS, Sync.CALL])
@pytest.mark.parametrize(("key", "first_bytes"), [("loss", 1), ("logged for the first time", 1), ("logged for the first time", 4096)])
def test_signal_handlers_may_log_between_any_two_instructions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sync: Sync, key: str, first_bytes: int
) -> None:
    monkeypatch.setattr(writer, "FIRST_BYTES", first_bytes)  # 1: each file has room for what it was made for
    moments = 1
    while moments:
        journal = Journal(tmp_path / str(moments), "r", store="memory:", sync=sync)
        journal.metric("loss", 0.0, 0, 0)
        signals = Signals(journal, key, moments)
        signals.come_while(lambda journal=journal: journal.metric(key, 0.0, 1, 0))  # type: ignore[misc]
        journal.metric("loss", 0.0, 4, 0)
        found = {(name, step) for name, points in points_in(journal.folder).items() for step, _, _ in points}
        assert found == {("loss", 0), (key, 1), *((key, step) for step in signals.logged), ("loss", 4)}, moments
        moments = moments + 1 if 3 in signals.logged else 0
    assert signals.logged == [2], "no moment in the middle of a frame was found"


class Signals:
    """Two signals that come while a journal is written: one in the first moment in which it is busy, one after so many instructions."""

    def __init__(self, journal: Journal, key: str, moment: int) -> None:
        self.logged: list[int] = []
        self._journal, self._key, self._left = journal, key, moment

    def come_while(self, call: Callable[[], None]) -> None:
        before = sys.gettrace()
        sys.settrace(self._trace)
        try:
            call()
        finally:
            sys.settrace(before)

    def _trace(self, frame: FrameType, event: str, _: object) -> Any:
        if not frame.f_code.co_filename.endswith("journal/writer.py"):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            self._left -= 1
            if self._left == 0:
                self._log(3)
            elif 2 not in self.logged and self._journal._is_busy:
                self._log(2)
        return self._trace

    def _log(self, step: int) -> None:
        self._journal.metric(self._key, 0.0, step, 0)
        self.logged.append(step)


def test_an_interrupted_call_leaves_a_journal_that_goes_on(journal: Journal) -> None:
    class Interrupted(Exception):
        pass

    def handler(*_: object) -> None:
        raise Interrupted

    acknowledged, interrupts, step = [], 0, 0
    before = signal.signal(signal.SIGALRM, handler)
    try:
        while interrupts < 100:
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.0003)
                while True:
                    journal.metric("loss", float(step), step, 0)
                    acknowledged.append(step)
                    step += 1
            except Interrupted:
                interrupts += 1
                step += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    journal.metric("loss", -1.0, -1, 0)
    kept = [number for number, _, _ in points_in(journal.folder)["loss"]]
    assert set(acknowledged) <= set(kept)
    assert len(kept) == len(set(kept))


def test_without_a_place_for_files_frames_wait_in_memory_and_are_written_when_there_is_one(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "run", "r", store="memory:")
    (tmp_path / "run").write_text("a file in the way")
    for step in range(5):
        journal.metric("loss", float(step), step, 0)
    assert journal.is_waiting
    assert isinstance(journal.trouble, OSError)
    (tmp_path / "run").unlink()
    journal.retry()
    journal.metric("loss", 5.0, 5, 0)
    assert (journal.is_waiting, journal.trouble, journal.dropped) == (False, None, 0)
    assert [step for step, _, _ in points_in(journal.folder)["loss"]] == [0, 1, 2, 3, 4, 5]


def test_what_waits_in_memory_is_bounded_and_what_is_dropped_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "HELD_BYTES", 28 * 100)
    journal = Journal(tmp_path / "run", "r", store="memory:")
    (tmp_path / "run").write_text("a file in the way")
    for step in range(1000):
        journal.metric("loss", float(step), step, 0)
    (tmp_path / "run").unlink()
    journal.retry()
    kept = [step for step, _, _ in points_in(journal.folder)["loss"]]
    assert kept == list(range(1000 - len(kept), 1000))
    assert journal.dropped == 1000 - len(kept)
    assert 90 <= len(kept) <= 100


@pytest.mark.parametrize("sync", list(Sync))
def test_every_way_of_syncing_writes_the_same(tmp_path: Path, sync: Sync) -> None:
    journal = Journal(tmp_path / "run", "r", store="memory:", sync=sync)
    for step in range(50):
        journal.metric("loss", float(step), step, 0)
    journal.note(FrameKind.TAGS, {"a": "b"})
    journal.flush_to_disk()
    journal.close()
    assert [step for step, _, _ in points_in(journal.folder)["loss"]] == list(range(50))


def test_a_disk_that_does_not_sync_or_cut_is_a_state_and_no_exception(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    journal.metric("loss", 1.0, 0, 0)
    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", fail)
        journal.flush_to_disk()
        assert str(journal.unsynced) == "[Errno 5] Input/output error"
    journal.flush_to_disk()
    assert journal.unsynced is None
    monkeypatch.setattr(os, "ftruncate", fail)
    journal.close()
    assert [step for step, _, _ in points_in(journal.folder)["loss"]] == [0]


def test_a_closed_journal_has_its_true_size(journal: Journal) -> None:
    journal.metric("loss", 1.0, 0, 0)
    filled = journal._at
    journal.close()
    assert journal.files[0].stat().st_size == filled < writer.FIRST_BYTES


def test_files_are_for_their_user_only(journal: Journal) -> None:
    journal.metric("loss", 1.0, 0, 0)
    assert oct(journal.folder.stat().st_mode & 0o777) == "0o700"
    assert oct(journal.files[0].stat().st_mode & 0o777) == "0o600"
    assert not os.get_inheritable(journal._fd)

"""Damaged journals: named, left alone by shipping, and repaired so that every readable record reaches the store, once."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from drupe.entities import NewRun
from drupe.testing.memory import MemoryTrackingStore
from drupe.tracking.journal import layout, writer
from drupe.tracking.journal.adoption import adopt_run
from drupe.tracking.journal.cursor import frames_in, writers_in
from drupe.tracking.journal.layout import FrameKind
from drupe.tracking.journal.repair import find_damage, repair
from drupe.tracking.journal.writer import Journal

RUN = "0123456789abcdef0123456789abcdef"
STEPS = 400


@pytest.fixture
def store() -> MemoryTrackingStore:
    made = MemoryTrackingStore()
    made.create_run(NewRun("0", run_id=RUN))
    return made


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The journal of a dead writer in several small files."""
    monkeypatch.setattr(writer, "FIRST_BYTES", 4096)
    monkeypatch.setattr(writer, "LARGEST_BYTES", 4096)
    journal = Journal(tmp_path / RUN, RUN, store="memory:")
    journal.note(FrameKind.TAGS, {"team": "growth"})
    for step in range(STEPS):
        journal.metric("loss" if step % 3 else "acc", step / 7, step, 1000 + step)
    journal.close()
    return journal.files


def places(path: Path) -> list[tuple[int, int, int]]:
    """The frames of a whole file: begin, end, kind."""
    content, at, found = path.read_bytes(), 0, []
    while stop := layout.end_of_frame(content, at):
        found.append((at, stop, content[at + layout.LEAD.size - 1]))
        at = stop
    return found


def ruin(path: Path, start: int, stop: int) -> None:
    content = bytearray(path.read_bytes())
    content[start:stop] = b"\xff" * (stop - start)
    path.write_bytes(content)


def shipped_steps(store: MemoryTrackingStore) -> list[int]:
    return sorted(step for series in store.metric_bulk([RUN]) for step in series.points.steps)


def test_a_whole_journal_has_no_damage_and_a_cut_tail_is_none(files: list[Path], tmp_path: Path) -> None:
    assert find_damage(tmp_path) == []
    files[-1].write_bytes(files[-1].read_bytes()[:-7])
    assert find_damage(tmp_path) == []
    assert repair(tmp_path) == ([], [])


def test_damage_in_the_middle_is_named_not_shipped_over_and_costs_one_record(
    files: list[Path], tmp_path: Path, store: MemoryTrackingStore
) -> None:
    start, stop, _ = places(files[1])[10]
    ruin(files[1], start + 20, start + 24)
    (damage,) = find_damage(tmp_path)
    assert (damage.place, damage.run_id) == (str(files[1]), RUN)
    assert damage.told == f"{stop - start} bytes from {start} on are no records; others follow"
    assert "damaged at byte" in str(adopt_run(tmp_path / RUN, store).fault)
    before = shipped_steps(store)
    assert 0 < len(before) < STEPS

    ((table,), losses) = repair(tmp_path)
    assert (table.lost, losses) == (1, [damage])
    assert find_damage(tmp_path) == []
    assert adopt_run(tmp_path / RUN, store).fault is None
    found = shipped_steps(store)
    assert len(found) == len(set(found)) == STEPS - 1
    assert [path.name for path in (tmp_path / RUN).iterdir()] == [path.name for path in (tmp_path / RUN).glob("*.damaged-*")]


def test_of_two_repairs_within_a_second_each_keeps_the_file_that_it_found(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = time.gmtime()
    monkeypatch.setattr(time, "gmtime", lambda *at: moment)
    damaged = []
    for record in (10, 20):
        start, _, _ = places(files[1])[record]
        ruin(files[1], start + 20, start + 24)
        damaged.append(files[1].read_bytes())
        repair(tmp_path)
        assert find_damage(tmp_path) == []
    assert sorted(path.read_bytes() for path in files[1].parent.glob("*.damaged-*")) == sorted(damaged)


def test_a_lost_header_and_lost_names_are_told_again_by_other_files(files: list[Path], tmp_path: Path, store: MemoryTrackingStore) -> None:
    for path in (files[0], files[2]):
        end_of_names = max(stop for _, stop, kind in places(path)[:4] if kind in (FrameKind.HEADER, FrameKind.KEY))
        ruin(path, 0, end_of_names)
    repair(tmp_path)
    assert find_damage(tmp_path) == []
    assert adopt_run(tmp_path / RUN, store).fault is None
    assert len(shipped_steps(store)) >= STEPS - 2  # what stood between the names of the first file


def test_a_file_that_is_missing_in_the_middle_does_not_keep_the_rest(files: list[Path], tmp_path: Path, store: MemoryTrackingStore) -> None:
    files[1].unlink()
    assert "bytes of the journal before it are missing" in find_damage(tmp_path)[0].told
    repair(tmp_path)
    assert adopt_run(tmp_path / RUN, store).fault is None
    assert len(shipped_steps(store)) > STEPS // 2


def test_records_of_a_metric_whose_name_is_lost_are_told_and_left_out(tmp_path: Path, store: MemoryTrackingStore) -> None:
    journal = Journal(tmp_path / RUN, RUN, store="memory:")
    for step in range(20):
        journal.metric("loss", 0.5, step, step)
        journal.metric("acc", 0.5, step, step)
    journal.close()
    content = journal.files[0].read_bytes()
    for start, stop, kind in places(journal.files[0]):
        if kind == FrameKind.KEY and content[start:stop].count(b"loss"):
            ruin(journal.files[0], start, stop)
    _, losses = repair(tmp_path)
    assert sum("whose name is lost" in loss.told for loss in losses) == 20
    assert adopt_run(tmp_path / RUN, store).fault is None
    assert [series.key for series in store.metric_bulk([RUN])] == ["acc"]


def test_a_living_writers_journal_is_left_alone(tmp_path: Path) -> None:
    journal = Journal(tmp_path / RUN, RUN, store="memory:")
    for step in range(20):
        journal.metric("loss", 0.5, step, step)
    start, _, _ = places(journal.files[0])[5]
    ruin(journal.files[0], start, start + 5)
    assert find_damage(tmp_path) == []
    journal.close()
    assert len(find_damage(tmp_path)) == 1


def test_a_journal_whose_writer_goes_on_to_its_next_file_meanwhile_is_not_adopted(
    tmp_path: Path, store: MemoryTrackingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "FIRST_BYTES", 4096)
    journal = Journal(tmp_path / RUN, RUN, store="memory:")
    journal.metric("loss", 0.5, 0, 0)
    listed = writers_in(tmp_path / RUN)
    answers = [listed]
    while len(journal.files) < 2:  # the file that was listed as the newest is full, and unlocked
        journal.metric("loss", 0.5, 1, 1)
    monkeypatch.setattr("drupe.tracking.journal.adoption.writers_in", lambda folder: answers.pop() if answers else writers_in(folder))
    adopted = adopt_run(tmp_path / RUN, store)
    assert (adopted.alive, adopted.writers) == (1, 0)
    assert all(path.exists() for path in journal.files)


def test_a_journal_that_its_writer_ships_and_deletes_meanwhile_is_left_to_it(
    files: list[Path], tmp_path: Path, store: MemoryTrackingStore
) -> None:
    def deleted(_: object) -> None:
        for path in files:
            path.unlink(missing_ok=True)

    adopted = adopt_run(tmp_path / RUN, store, passed=deleted)
    assert (adopted.fault, adopted.alive) == (None, 1)


@pytest.mark.parametrize("place", range(12))
def test_random_damage_is_named_or_harmless_and_every_untouched_record_survives(
    files: list[Path], tmp_path: Path, store: MemoryTrackingStore, place: int
) -> None:
    seed = time.time_ns() % 10**6 * 100 + place
    print(f"seed {seed}")
    chance = random.Random(seed)
    expected = set(range(STEPS))
    whole = {path: (places(path), path.read_bytes()) for path in files}
    for _ in range(chance.randrange(1, 4)):
        path = chance.choice(files)
        content = bytearray(path.read_bytes())
        start = chance.randrange(len(content))
        stop = min(start + chance.choice([1, 1, 8, 600]), len(content))
        frames, untouched = whole[path]
        for begin, end, kind in frames:
            if begin < stop and start < end and kind in (FrameKind.METRIC, FrameKind.POINTS):
                expected.discard(layout.POINT.unpack_from(untouched, begin + layout.LEAD.size)[1])
        content[start:stop] = bytes(byte ^ chance.randrange(1, 256) for byte in content[start:stop])
        path.write_bytes(content)
    repair(tmp_path)
    assert find_damage(tmp_path) == []
    adopted = adopt_run(tmp_path / RUN, store)
    assert adopted.fault is None
    assert set(shipped_steps(store)) >= expected
    assert not [frame for path in files if path.exists() for frame in frames_in(path)]

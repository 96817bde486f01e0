"""From a journal to a store: exactly once, whatever fails in between."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drupe.entities import LogBatch, NewRun, Parcel, Points, Receipt, RunStatus
from drupe.errors import OriginGap, StoreCorrupt, StoreFull, StoreUnavailable
from drupe.testing.memory import MemoryTrackingStore
from drupe.tracking.journal import adoption, cursor, layout, local_runs, outbox, trouble, writer
from drupe.tracking.journal.adoption import adopt_run
from drupe.tracking.journal.cursor import writers_in
from drupe.tracking.journal.folding import new_run_form
from drupe.tracking.journal.layout import FrameKind
from drupe.tracking.journal.local_runs import LocalRun
from drupe.tracking.journal.shipping import CLASHES_TAG, Consignment
from drupe.tracking.journal.writer import Journal

RUN = "0123456789abcdef0123456789abcdef"


class Failing(MemoryTrackingStore):
    """A store that is away for some calls: before it does what was asked, or after, when its answer is lost."""

    plan: Callable[[int], str] = staticmethod(lambda number: "")
    calls = 0

    def ship(self, parcel: Parcel) -> Receipt:
        type(self).calls += 1
        todo = self.plan(type(self).calls)
        if todo == "before":
            raise StoreUnavailable("away")
        receipt = super().ship(parcel)
        if todo == "after":
            raise StoreUnavailable("the answer was lost")
        return receipt


@pytest.fixture
def store() -> MemoryTrackingStore:
    made = MemoryTrackingStore()
    made.create_run(NewRun("0", run_id=RUN))
    return made


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Journal:
    monkeypatch.setattr(writer, "FIRST_BYTES", 4096)
    monkeypatch.setattr(writer, "LARGEST_BYTES", 4096)
    monkeypatch.setattr(cursor, "BLOCK", 1000)
    return Journal(tmp_path / RUN, RUN, store="memory:")


def log_some(journal: Journal, count: int = 300) -> None:
    for step in range(count):
        journal.metric("loss", step / 7, step, 1000 + step)
        if step % 50 == 0:
            journal.note(FrameKind.PARAMS, {f"p{step}": str(step)})
            journal.note(FrameKind.TAGS, {"last": str(step), f"only{step}": "x"})
            journal.note(FrameKind.UNTAG, f"only{step}")


def check(store: MemoryTrackingStore, count: int = 300) -> None:
    run = store.get_run(RUN)
    history = store.metric_history(RUN, "loss", limit=50_000)
    assert [(one.step, one.timestamp, one.value) for one in history] == [(step, 1000 + step, step / 7) for step in range(count)]
    assert run.data.params == {f"p{step}": str(step) for step in range(0, count, 50)}
    assert {key: value for key, value in run.data.tags.items() if not key.startswith("mlflow.")} == {"last": str((count - 1) // 50 * 50)}


def test_everything_is_shipped_in_stretches_and_shipped_files_are_deleted(store: MemoryTrackingStore, journal: Journal) -> None:
    consignment = Consignment(RUN, journal.writer, [])
    log_some(journal)
    consignment.files += journal.files
    parts: list[int] = []
    shipped = consignment.send(store, end=journal.end, passed=lambda part: parts.append(part.points))
    assert (shipped.points, sum(parts), len(parts) > 10) == (300, 300, True)
    assert consignment.position == journal.end
    consignment.delete_shipped()
    assert consignment.files == journal.files[-1:] == writers_in(journal.folder)[journal.writer]
    check(store)


def test_a_first_record_too_large_for_the_first_file_is_shipped_all_the_same(store: MemoryTrackingStore, journal: Journal) -> None:
    journal.series("loss", Points.of((step, 1000 + step, step / 7) for step in range(5000)))
    consignment = Consignment(RUN, journal.writer, list(journal.files))
    assert consignment.send(store, end=journal.end).points == 5000
    assert consignment.position == journal.end
    journal.note(FrameKind.TAGS, {"a": "b"})
    consignment.files += [path for path in journal.files if path not in consignment.files]
    consignment.send(store, end=journal.end)
    assert (store.get_run(RUN).data.tags["a"], store.get_run(RUN).data.summaries["loss"].count) == ("b", 5000)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("every", [1, 2, 3, 7])
def test_a_store_that_fails_again_and_again_gets_everything_once(journal: Journal, when: str, every: int) -> None:
    class Store(Failing):
        calls = 0
        plan = staticmethod(lambda number: when if number % (every + 1) else "")

    store = Store()
    store.create_run(NewRun("0", run_id=RUN))
    consignment = Consignment(RUN, journal.writer, [])
    for start in range(0, 300, 100):
        for step in range(start, start + 100):
            journal.metric("loss", step / 7, step, 1000 + step)
            if step % 50 == 0:
                journal.note(FrameKind.PARAMS, {f"p{step}": str(step)})
                journal.note(FrameKind.TAGS, {"last": str(step)})
        consignment.files += [path for path in journal.files if path not in consignment.files and path.exists()]
        while consignment.position < journal.end:
            try:
                consignment.send(store, end=journal.end)
            except StoreUnavailable:
                continue
            finally:
                consignment.delete_shipped()
    check(store)
    assert store.calls > 10


def test_a_store_put_back_to_an_earlier_state_gets_the_rest_of_the_journal(store: MemoryTrackingStore, journal: Journal) -> None:
    consignment = Consignment(RUN, journal.writer, [])
    log_some(journal, 200)
    consignment.files += journal.files
    consignment.send(store, end=journal.end)
    consignment.delete_shipped()
    seen = len(journal.files)
    earlier = MemoryTrackingStore()
    earlier.create_run(NewRun("0", run_id=RUN))
    for step in range(200, 400):
        journal.metric("loss", step / 7, step, 1000 + step)
    consignment.files += journal.files[seen:]
    consignment.send(earlier, end=journal.end)
    kept = [one.step for one in earlier.metric_history(RUN, "loss", limit=50_000)]
    assert kept == list(range(kept[0], 400))
    assert kept[0] < 200


def test_a_store_that_contradicts_itself_about_a_journal_is_an_error_and_no_endless_round(journal: Journal) -> None:
    class Confused(MemoryTrackingStore):
        def ship(self, parcel: Parcel) -> Receipt:
            raise OriginGap("somewhere else", position=0)

    store = Confused()
    store.create_run(NewRun("0", run_id=RUN))
    log_some(journal)
    with pytest.raises(OriginGap):
        Consignment(RUN, journal.writer, list(journal.files)).send(store, end=journal.end)


def test_a_param_with_another_value_is_told_and_the_rest_is_shipped(store: MemoryTrackingStore, journal: Journal) -> None:
    store.log_batch(RUN, LogBatch(params={"p0": "other"}))
    log_some(journal)
    shipped = Consignment(RUN, journal.writer, list(journal.files)).send(store, end=journal.end)
    assert [(clash.key, clash.kept, clash.refused) for clash in shipped.clashes] == [("p0", "other", "0")]
    run = store.get_run(RUN)
    assert (run.data.params["p0"], run.data.metrics["loss"]) == ("other", 299 / 7)
    assert run.data.tags[CLASHES_TAG] == '{"p0": {"kept": "other", "refused": "0"}}'


def test_a_journal_with_a_torn_tail_is_shipped_up_to_it_and_deleted(store: MemoryTrackingStore, journal: Journal) -> None:
    log_some(journal)
    journal.close()
    with journal.files[-1].open("r+b") as opened:
        opened.truncate(journal.files[-1].stat().st_size - 5)
    adopted = adopt_run(journal.folder, store)
    assert (adopted.fault, adopted.is_torn, adopted.shipped.points) == (None, True, 299)
    assert not journal.folder.exists()


def test_a_damaged_journal_is_named_shipped_up_to_the_damage_and_kept(store: MemoryTrackingStore, journal: Journal) -> None:
    log_some(journal, 60)
    journal.close()
    content = bytearray(journal.files[0].read_bytes())
    content[len(content) // 2] ^= 1
    journal.files[0].write_bytes(content)
    adopted = adopt_run(journal.folder, store)
    assert isinstance(adopted.fault, StoreCorrupt)
    assert str(journal.files[0]) in str(adopted.fault)
    assert 0 < adopted.shipped.points < 60
    assert journal.files[0].read_bytes() == content


def test_a_lost_file_in_the_middle_is_noticed(store: MemoryTrackingStore, journal: Journal) -> None:
    log_some(journal)
    journal.close()
    assert len(journal.files) > 2
    journal.files[1].unlink()
    adopted = adopt_run(journal.folder, store)
    assert isinstance(adopted.fault, StoreCorrupt)
    assert "a part is missing" in str(adopted.fault)


def test_a_living_writer_is_left_alone(store: MemoryTrackingStore, journal: Journal) -> None:
    log_some(journal)
    assert (adopt_run(journal.folder, store).alive, store.get_run(RUN).data.metrics) == (1, {})
    journal.close()
    assert adopt_run(journal.folder, store).shipped.points == 300
    check(store)


def test_a_journal_that_its_writer_deletes_while_another_looks_at_it_is_no_fault(journal: Journal) -> None:
    class Store(MemoryTrackingStore):
        def shipped_to(self, writer: str) -> int:
            for path in journal.files:  # the writer has shipped it, and comes to delete it now
                path.unlink()
            return super().shipped_to(writer)

    log_some(journal)
    journal.close()
    adopted = adopt_run(journal.folder, Store())
    assert (adopted.fault, adopted.alive) == (None, 1)


def test_a_journal_of_another_machine_is_left_until_it_is_quiet_or_asked_for(
    store: MemoryTrackingStore, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "boot_id", lambda: "another")
    monkeypatch.setattr(writer, "host_name", lambda: "elsewhere")
    log_some(journal)
    journal.close()
    assert adopt_run(journal.folder, store).writers == 0
    monkeypatch.setattr(adoption, "QUIET_S", -1.0)
    assert adopt_run(journal.folder, store, keep=True).shipped.points == 300
    monkeypatch.undo()
    assert adopt_run(journal.folder, store, anywhere=True).shipped.points == 0  # the store has it all already
    check(store)


def test_a_run_whose_journal_is_shipped_and_deleted_while_it_is_read_is_no_longer_here(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.note(FrameKind.NEW, new_run_form(NewRun("0", run_id=RUN)))
    journal.close()
    assert LocalRun(journal.folder).follow() is not None
    read_header = local_runs.read_header

    def lose_the_turn_and_read(path: Path) -> dict[str, Any]:
        path.unlink(missing_ok=True)
        return read_header(path)

    monkeypatch.setattr(local_runs, "read_header", lose_the_turn_and_read)
    assert LocalRun(journal.folder).follow() is None


def test_a_copy_of_a_journal_that_was_shipped_changes_nothing(store: MemoryTrackingStore, journal: Journal) -> None:
    log_some(journal)
    journal.close()
    for _ in range(3):
        adopt_run(journal.folder, store, keep=True)
    check(store)


def test_a_run_that_its_dead_writer_began_is_made_and_its_last_sign_of_life_kept(journal: Journal) -> None:
    journal.note(FrameKind.NEW, new_run_form(NewRun("0", run_id=RUN, run_name="late", start_time=5)))
    log_some(journal)
    journal.close()
    store = MemoryTrackingStore()
    adopt_run(journal.folder, store)
    assert (store.get_run(RUN).info.run_name, store.get_run(RUN).info.status) == ("late", RunStatus.RUNNING)
    (sign,) = store.heartbeats([RUN])
    assert sign.writer == journal.writer


def test_what_is_no_journal_is_refused_by_name(store: MemoryTrackingStore, tmp_path: Path) -> None:
    folder = tmp_path / RUN
    folder.mkdir()
    for number, content in enumerate(
        (b"", b"not a journal", layout.frame(0, FrameKind.TAGS, b"{}"), layout.frame(0, FrameKind.HEADER, b"[]"))
    ):
        (folder / f"w{number}.00001.journal").write_bytes(content)
        adopted = adopt_run(folder, store, but=[f"w{n}" for n in range(number)])
        assert isinstance(adopted.fault, StoreCorrupt)
        assert f"w{number}.00001.journal" in str(adopted.fault)


# --- lines: the journals of this process


@pytest.fixture
def line(drupe_workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    class Store(Failing):
        calls = 0

    store = Store()
    store.create_run(NewRun("0", run_id=RUN))
    made = outbox.open_line("memory:", RUN, lambda: store)
    yield made, Store, store
    outbox.close(RUN)


def test_an_unreachable_store_is_told_once_and_has_everything_in_the_end(line: Any, caplog: pytest.LogCaptureFixture) -> None:
    made, kind, store = line
    kind.plan = staticmethod(lambda number: "before")
    with caplog.at_level(logging.WARNING):
        for step in range(100):
            made.journal.metric("loss", step / 7, step, 1000 + step)
            made.ship(now=True)
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        assert "is kept in" in caplog.text
        told = trouble.read(made.journal.folder)
        assert told is not None
        assert "away" in told.reason
        kind.plan = staticmethod(lambda number: "")
        made.ship(now=True)
        assert "takes what is logged again" in caplog.text
    assert trouble.read(made.journal.folder) is None
    assert len(store.metric_history(RUN, "loss", limit=1000)) == 100


def test_between_tries_a_store_that_is_away_is_not_asked(line: Any) -> None:
    made, kind, _ = line
    kind.plan = staticmethod(lambda number: "before")
    made.journal.metric("loss", 1.0, 0, 0)
    made.ship(now=True)
    asked = kind.calls
    for _ in range(20):
        made.ship()
    assert kind.calls == asked


def test_a_disk_that_takes_no_journal_is_told_once_and_nothing_is_lost(line: Any, caplog: pytest.LogCaptureFixture) -> None:
    made, _, store = line
    made.journal.folder.parent.mkdir(parents=True, exist_ok=True)
    made.journal.folder.write_text("a file in the way")
    with caplog.at_level(logging.WARNING):
        for step in range(100):
            made.journal.metric("loss", step / 7, step, 1000 + step)
            made.ship()
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        assert "cannot be written" in caplog.text
        made.is_strict = True
        made.ship(now=True)
        assert isinstance(made.fault, StoreFull)
        made.journal.folder.unlink()
        made.ship(now=True)
    assert made.fault is None
    assert len(store.metric_history(RUN, "loss", limit=1000)) == 100


def test_a_store_that_lags_behind_slows_logging_down_and_says_so_once(
    line: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, kind, _ = line
    kind.plan = staticmethod(lambda number: "before")
    monkeypatch.setattr(writer, "FIRST_BYTES", 1 << 16)
    monkeypatch.setattr(writer, "LARGEST_BYTES", 1 << 16)
    monkeypatch.setattr(outbox, "BRAKE_S", 0.0)
    monkeypatch.setenv("DRUPE_JOURNAL_MAX_MB", "1")
    outbox.close(RUN)
    braked = outbox.open_line("memory:", RUN, made.opened)
    with caplog.at_level(logging.WARNING):
        for step in range(40_000):
            braked.journal.metric("loss", 0.0, step, 0)
    assert caplog.text.count("more than journal_max_mb") == 1
    kind.plan = staticmethod(lambda number: "")


def test_a_process_that_ends_waits_for_its_thread_that_is_deleting_what_was_shipped(line: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    has_begun, may_go_on = threading.Event(), threading.Event()
    unlink = Path.unlink

    def lose_the_turn_and_unlink(path: Path, **options: Any) -> None:
        has_begun.set()
        assert may_go_on.wait(60)
        unlink(path, **options)
        told.append("deleted")

    def end() -> None:
        outbox.close_all()
        told.append("ended")

    made, kind, _ = line
    kind.plan = staticmethod(lambda number: "")
    made.journal.metric("loss", 0.5, 1, 1000)
    made.ship(now=True)
    assert made.has_origins, "else nobody but who closes the line deletes its journal"
    monkeypatch.setattr(Path, "unlink", lose_the_turn_and_unlink)
    outbox.close(RUN)  # and its thread deletes the journal
    assert has_begun.wait(60)
    ending = threading.Thread(target=end)
    ending.start()
    ending.join(0.5)  # time enough to end too soon
    may_go_on.set()
    ending.join(60)
    assert told == ["deleted", "ended"]

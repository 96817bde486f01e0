"""Runs whose process died: marked by the next reader, with signal and last step; each case is a real program."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import drupe
from drupe.entities import Heartbeat, NewRun, Run, RunStatus
from drupe.errors import StoreReadOnly
from drupe.testing.memory_tracking import MemoryTrackingStore
from drupe.tracking import evidence, heartbeat, reaper
from drupe.tracking.crashes import Crash
from drupe.tracking.evidence import how_it_died
from drupe.tracking.journal.places import boot_id, host_name, run_folder
from drupe.tracking.liveness import Here, started_ms
from drupe.tracking.reaper import crash_of, look_after

START = "import os, sys, signal, time, drupe\n"
WAIT = (
    "print('ready', flush=True)\nwhile True: time.sleep(0.1)\n"  # signal.pause() would wait for ever where the signal comes just before it
)
pytestmark = pytest.mark.usefixtures("quick_programs")


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reaper, "_looked", {})
    monkeypatch.setenv("DRUPE_HEARTBEAT_S", "1")


def start(folder: Path, code: str, **changes: str) -> subprocess.Popen[bytes]:
    (folder / "train.py").write_text(START + code)
    environment = {**os.environ, **changes}
    return subprocess.Popen([sys.executable, "train.py"], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def die(folder: Path, code: str, **changes: str) -> int:
    with start(folder, code, **changes) as process:
        process.communicate(timeout=120)
    return process.returncode


def only_run() -> Run:
    (run,) = drupe.search_runs(search_all_experiments=True, output_format="list")
    return run


def until(is_so: Callable[[], Any]) -> None:
    """Wait for something that another process does, a minute at most."""
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("capture", ["true", "false"])
@pytest.mark.parametrize(
    ("last_line", "name"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL"),
        ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
        ("os.abort()", "SIGABRT"),
    ],
)
def test_a_killed_process_leaves_a_crashed_run_with_signal_and_last_step(workspace: Path, last_line: str, name: str, capture: str) -> None:
    code = f"drupe.start_run()\nfor step in range(0, 50, 10):\n    drupe.log_metric('loss', 1 / (step + 1), step=step)\ndrupe.log_metric('other', 1, step=3)\n{last_line}\n"
    assert die(workspace, code, DRUPE_CAPTURE_CONSOLE=capture) == -signal.Signals[name]
    run = only_run()
    crash = crash_of(run)
    assert run.info.status == "FAILED"
    assert crash is not None
    assert (crash.signal, crash.last_step) == (name, 40)
    assert run.info.end_time == crash.at_ms
    assert {key: run.data.tags[key] for key in ("drupe.crash.signal", "drupe.crash.last_step")} == {
        "drupe.crash.signal": name,
        "drupe.crash.last_step": "40",
    }


def test_the_trace_of_a_fatal_signal_and_what_was_printed_become_artifacts(workspace: Path) -> None:
    code = "with drupe.start_run():\n    print('last words')\n    def innermost():\n        import ctypes; ctypes.string_at(0)\n    innermost()\n"
    die(workspace, code, DRUPE_CAPTURE_CONSOLE="true")
    run = only_run()
    trace = drupe.artifacts.load_text(f"runs:/{run.info.run_id}/logs/crash.txt")
    assert trace.startswith("Fatal Python error: Segmentation fault")
    assert "in innermost" in trace
    assert drupe.artifacts.load_text(f"runs:/{run.info.run_id}/logs/console.0001.log").endswith(" last words\n")
    assert list(run_folder(drupe.get_tracking_uri(), run.info.run_id).parent.iterdir()) == []


def test_a_reader_waits_for_what_the_witness_of_a_dead_process_has_yet_to_write(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "from drupe.tracking.console import capture\n"
        "drupe.start_run()\n"
        "capture._console._starter.wait()\n"  # until then it is its parent that is found
        "pids = [int(name) for name in os.listdir('/proc') if name.isdigit()]\n"
        "def line_of(pid):\n"
        "    try:\n        return open(f'/proc/{pid}/cmdline', 'rb').read()\n"
        "    except OSError:\n        return b''\n"
        "mine = f'\\0{os.getpid()}\\0'.encode()\n"
        "print(*[pid for pid in pids if b'console.witness' in line_of(pid) and mine in line_of(pid)], flush=True)\n"
        "sys.stdin.readline()\n"
        "print('last words', flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    (workspace / "train.py").write_text(START + code)
    environment = {**os.environ, "DRUPE_CAPTURE_CONSOLE": "true"}
    with subprocess.Popen(
        [sys.executable, "train.py"], cwd=workspace, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        witness = int(process.stdout.readline())
        os.kill(witness, signal.SIGSTOP)
        until(lambda: "\nState:\tT" in Path(f"/proc/{witness}/status").read_text())
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
        assert process.wait(60) == -signal.SIGKILL
        is_witnessed = evidence.is_witnessed

        def look_and_let_it_go_on(root: Path, pid: int) -> bool:
            is_at_work = is_witnessed(root, pid)
            with contextlib.suppress(ProcessLookupError):  # it has gone on since the last look, and is done
                os.kill(witness, signal.SIGCONT)
            return is_at_work

        monkeypatch.setattr(evidence, "is_witnessed", look_and_let_it_go_on)
        run = only_run()
    crash = crash_of(run)
    assert crash is not None
    assert crash.signal == "SIGKILL"
    assert drupe.artifacts.load_text(f"runs:/{run.info.run_id}/logs/console.0001.log").endswith(" last words\n")
    assert list(run_folder(drupe.get_tracking_uri(), run.info.run_id).parent.iterdir()) == []


def test_a_process_that_leaves_without_a_word_is_told_with_its_exit_status_where_the_system_tells_it(workspace: Path) -> None:
    die(workspace, "drupe.start_run()\nos._exit(3)\n", DRUPE_CAPTURE_CONSOLE="true")
    crash = crash_of(only_run())
    assert crash is not None
    by_status = (None, "the process left with exit status 3 without ending its run, as os._exit does")
    by_absence = ("SIGKILL", "killed from outside by SIGKILL, most likely by kill -9 or the out-of-memory killer")  # Linux before 6.15
    assert (crash.signal, crash.reason) in (by_status, by_absence)


def test_all_runs_of_a_dead_process_are_marked(workspace: Path) -> None:
    code = (
        "drupe.start_run(run_name='outer')\n"
        "drupe.start_run(run_name='inner', nested=True)\n"
        "drupe.start_run(run_name='innermost', nested=True)\n"
        "os.kill(os.getpid(), signal.SIGABRT)\n"
    )
    die(workspace, code)
    runs = drupe.search_runs(search_all_experiments=True, output_format="list")
    assert {run.info.run_name: (run.info.status, run.data.tags.get("drupe.crash.signal")) for run in runs} == dict.fromkeys(
        ("outer", "inner", "innermost"), ("FAILED", "SIGABRT")
    )


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, "KILLED"), (signal.SIGINT, "KILLED"), (signal.SIGHUP, "KILLED"), (signal.SIGUSR1, "FAILED")]
)
def test_signals_that_python_can_mind_end_the_run_in_order(workspace: Path, number: int, status: str) -> None:
    code = (
        f"signal.signal({int(number)}, signal.default_int_handler if {int(number)} == signal.SIGINT else signal.SIG_DFL)\n"  # whoever ran the tests
        f"drupe.start_run()\n{WAIT}"
    )
    with start(workspace, code) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(number)
        process.communicate(timeout=60)
    run = only_run()
    assert run.info.status == status
    assert (crash_of(run) is not None) is (number == signal.SIGUSR1)


def test_a_child_that_outlives_its_parent_does_not_keep_the_run_alive(workspace: Path) -> None:
    code = (
        "drupe.start_run()\n"
        "read, write = os.pipe()\n"
        "if not os.fork():\n    os.close(write)\n    sys.stdin.read()\n    os._exit(0)\n"
        "print('forked', flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    (workspace / "train.py").write_text(START + code)
    with subprocess.Popen([sys.executable, "train.py"], cwd=workspace, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.wait(60) == -signal.SIGKILL  # while the child waits for the end of its stdin
        crash = crash_of(only_run())
        assert crash is not None
        assert crash.signal == "SIGKILL"
        assert process.stdin is not None
        process.stdin.close()


def test_a_stopped_process_that_goes_on_takes_its_run_back(workspace: Path) -> None:
    uri, client = drupe.get_tracking_uri(), drupe.Client()
    elsewhere = Here("other", "other-boot", lambda pid: None)
    with start(workspace, f"drupe.start_run()\n{WAIT}") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        until(client.store.heartbeats)
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)
        assert look_after(uri, client.store, now=True) == []  # here everybody sees that it is only stopped
        (run_id,) = look_after(uri, client.store, now=True, here=elsewhere, clock=lambda: time.time_ns() // 1_000_000 + 60_000)
        assert client.get_run(run_id).info.status == "FAILED"
        assert Crash.of(client.get_run(run_id).data.tags) is not None
        process.send_signal(signal.SIGCONT)
        until(lambda: client.get_run(run_id).info.status == "RUNNING")
        until(client.store.heartbeats)
        assert Crash.of(client.get_run(run_id).data.tags) is None
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert client.get_run(run_id).info.status == "KILLED"
    assert crash_of(client.get_run(run_id)) is None


def test_a_run_that_ends_while_its_process_takes_it_back_has_ended(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "FIRST_S", 1000)
    uri, store = drupe.get_tracking_uri(), drupe.Client().store
    elsewhere = Here("other", "other-boot", lambda pid: None)
    run_id = drupe.start_run().info.run_id
    beat = heartbeat._runs[run_id].beat
    store.beat([beat])
    assert look_after(uri, store, now=True, here=elsewhere, clock=lambda: time.time_ns() // 1_000_000 + 60_000) == [run_id]
    has_read, may_go_on, read = threading.Event(), threading.Event(), store.get_run

    def read_and_lose_the_turn(run_id: str) -> Run:
        run = read(run_id)
        if threading.current_thread() is reviving:
            has_read.set()
            assert may_go_on.wait(60)
        return run

    monkeypatch.setattr(store, "get_run", read_and_lose_the_turn)
    reviving = threading.Thread(target=heartbeat._revive, args=(store, beat))
    reviving.start()
    assert has_read.wait(60)
    threading.Timer(0.5, may_go_on.set).start()  # time enough to end too soon
    drupe.end_run()
    reviving.join(60)
    assert read(run_id).info.status is RunStatus.FINISHED


def test_a_crashed_run_that_is_taken_up_again_is_no_longer_crashed(workspace: Path) -> None:
    die(workspace, "drupe.start_run()\nos.kill(os.getpid(), signal.SIGKILL)\n")
    run_id = only_run().info.run_id
    drupe.start_run(run_id=run_id)
    drupe.end_run("FAILED")  # for a reason of its own
    assert crash_of(only_run()) is None
    assert not any(key.startswith("drupe.crash") for key in only_run().data.tags)


def test_a_crashed_run_that_was_taken_up_a_moment_ago_is_left_alone(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, uri = drupe.Client().store, drupe.get_tracking_uri()
    with start(workspace, f"drupe.start_run()\n{WAIT}") as process:
        until(store.heartbeats)
        assert look_after(uri, store, now=True) == []  # so that this process does not look again when it takes the run up
        process.kill()
        process.communicate(timeout=60)
    (run_id,) = [beat.run_id for beat in store.heartbeats()]
    monkeypatch.setattr(heartbeat, "FIRST_S", 1000)  # this process has lost its turn before its first sign of life
    drupe.start_run(run_id=run_id)
    try:
        assert look_after(uri, store, now=True) == []
        assert store.get_run(run_id).info.status is RunStatus.RUNNING
    finally:
        drupe.end_run()


def test_a_run_that_lives_and_runs_of_others_are_left_alone(workspace: Path) -> None:
    by_a_client = drupe.Client().create_run("0").info.run_id  # as MLflow's clients do: nothing is known of the process
    with start(workspace, f"drupe.start_run()\n{WAIT}") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        until(drupe.Client().store.heartbeats)
        assert {run.info.status for run in drupe.search_runs(output_format="list")} == {"RUNNING"}
        process.kill()
        process.communicate(timeout=60)
    with drupe.start_run():
        assert look_after(drupe.get_tracking_uri(), drupe.Client().store, now=True) != []
        states = sorted(run.info.status for run in drupe.search_runs(output_format="list"))
    assert states == ["FAILED", "RUNNING", "RUNNING"]
    assert drupe.get_run(by_a_client).info.status == "RUNNING"


def test_nothing_is_left_in_the_folder_of_a_run_that_ended(workspace: Path) -> None:
    with drupe.start_run() as run:
        root = run_folder(drupe.get_tracking_uri(), run.info.run_id).parent
        assert list(root.glob(f"{run.info.run_id}.{os.getpid()}.process.json"))
    assert not root.exists() or list(root.iterdir()) == []


def test_no_signs_are_given_when_that_is_asked_for(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRUPE_HEARTBEAT_S", "0")
    with drupe.start_run() as run:
        assert not list(run_folder(drupe.get_tracking_uri(), run.info.run_id).parent.glob("*.json"))


class _ReadOnly(MemoryTrackingStore):
    """A store that this reader cannot write to."""

    def log_batch(self, run_id: str, batch: Any) -> None:
        raise StoreReadOnly("no")


def test_a_reader_that_cannot_write_tells_it_all_the_same() -> None:
    store = _ReadOnly()
    run_id = store.create_run(NewRun(store.create_experiment("e").experiment_id)).info.run_id
    store.beat([Heartbeat(run_id, "w", 1000, 1000, host_name(), 2**22 + 1, boot_id())])  # more than a process id can be
    assert look_after("memory://", store, now=True) == [run_id]
    run = store.get_run(run_id)
    assert run.info.status is RunStatus.RUNNING
    crash = crash_of(run)
    assert crash is not None
    assert (crash.at_ms, crash.signal, crash.reason) == (1000, None, "the process is gone, and left no word of how it ended")


def test_a_run_of_a_process_whose_number_this_one_has_got_is_dead() -> None:
    store = MemoryTrackingStore()  # as in a container that was started again, where the program is always process 1
    experiment = store.create_experiment("e").experiment_id
    run_ids = [store.create_run(NewRun(experiment)).info.run_id for _ in range(2)]
    began = started_ms(os.getpid())
    assert began is not None
    for run_id, at_ms in zip(run_ids, (began - 60_000, began + 1000), strict=True):
        store.beat([Heartbeat(run_id, "w", at_ms, 1000, host_name(), os.getpid(), boot_id())])
    assert look_after("memory://", store, now=True) == run_ids[:1]


def test_readers_look_again_only_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryTrackingStore()
    asked = []
    monkeypatch.setattr(store, "heartbeats", lambda: asked.append(1) or [])
    for _ in range(5):
        look_after("memory://", store)
    assert len(asked) == 1


# --- evidence


def left(folder: Path, pid: int, oom_kills: int = 0, source: Path | None = None) -> None:
    """What a process leaves for a run."""
    note = {"at_ms": 1, "host": "box", "pid": pid, "boot_id": "b", "oom_source": str(source or ""), "oom_kills": oom_kills}
    folder.with_name(f"{folder.name}.{pid}.process.json").write_text(json.dumps(note))
    evidence.crash_file(folder, pid).touch()


def test_a_kill_while_the_system_was_short_of_memory_is_told_as_such(tmp_path: Path) -> None:
    counter = tmp_path / "memory.events"
    counter.write_text("low 0\noom 7\noom_kill 3\n")
    left(tmp_path / "apple", 7, 3, counter)
    assert how_it_died(tmp_path / "apple", 7, "gone").reason == (
        "killed from outside by SIGKILL, most likely by kill -9 or the out-of-memory killer"
    )
    counter.write_text("oom_kill 4\n")
    assert how_it_died(tmp_path / "apple", 7, "gone").reason.endswith("most likely by the out-of-memory killer")


def test_what_the_witness_saw_goes_before_guesses(tmp_path: Path) -> None:
    apple = tmp_path / "apple"
    left(apple, 7)
    (apple / "logs").mkdir(parents=True)
    (apple / "logs/death-7.json").write_text('{"at_ms": 5, "signal": 15}')
    (apple / "logs/death-8.json").write_text('{"at_ms": 6, "signal": 11}')  # another process of the run
    assert (how_it_died(apple, 7, "gone").signal, how_it_died(apple, 7, "gone").at_ms) == ("SIGTERM", 5)
    assert how_it_died(apple, 7, "restarted").reason == "the machine was restarted"


def test_a_program_that_has_faulthandler_in_use_keeps_it(workspace: Path) -> None:
    code = "import faulthandler, ctypes\nfaulthandler.enable()\ndrupe.start_run()\nctypes.string_at(0)\n"
    with start(workspace, code, DRUPE_CAPTURE_CONSOLE="false") as process:
        _, err = process.communicate(timeout=60)
    assert b"Fatal Python error: Segmentation fault" in err
    crash = crash_of(only_run())
    assert crash is not None
    assert crash.signal is None  # nobody saw it


def test_a_crash_can_be_read_back_from_its_tags() -> None:
    crash = Crash(1_700_000_000_123, "a sentence", "SIGKILL", 12)
    assert Crash.of(crash.tags()) == crash
    assert crash.tags()["drupe.crash.at"] == "2023-11-14T22:13:20.123Z"
    assert Crash.of(Crash(5, "r").tags()) == Crash(5, "r")
    assert Crash.of({"drupe.crash.at": "yesterday"}) is None
    assert Crash.of({}) is None

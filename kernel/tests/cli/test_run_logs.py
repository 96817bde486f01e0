"""`drupe runs logs` through the real root: what is there, what comes, and clean ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from drupe.client import Client
from drupe.tracking.console.parts import prefix
from drupe.tracking.journal.places import run_folder

NOON = 1_700_000_000_000
DRUPE = ["-m", "drupe"]
pytestmark = pytest.mark.usefixtures("quick_programs")


@pytest.fixture
def run_id(store: Client) -> str:
    """A run that goes on, with a log in its own folder."""
    run_id = store.create_run("0", run_name="patient").info.run_id
    write(store, run_id, "console", [("stdout", "one"), ("stderr", "two"), ("stdout", "three")])
    return run_id


def write(store: Client, run_id: str, sequence: str, lines: list[tuple[str, str]], at_ms: int = NOON, number: int = 1) -> None:
    folder = run_folder(store.tracking_uri, run_id) / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{sequence}.{number:04}.log").open("a") as part:
        part.writelines(f"{prefix(at_ms + n, stream)}{text}\n" for n, (stream, text) in enumerate(lines))


def test_lines_are_printed_as_the_program_did(drupe_cli: Any, run_id: str) -> None:
    assert drupe_cli("runs", "logs", "patient").lines == ["one", "two", "three"]
    assert drupe_cli("runs", "logs", "patient", "--timestamps", "--tail", "1").lines == ["2023-11-14T22:13:20.002Z three"]
    assert drupe_cli("runs", "logs", run_id, "--tail", "0").lines == []


def test_streams_can_be_told_apart_unless_they_were_one_terminal(drupe_cli: Any, store: Client, run_id: str) -> None:
    assert drupe_cli("runs", "logs", "patient", "--stream", "stderr").lines == ["two"]
    assert drupe_cli("runs", "logs", "patient", "--stream", "stdout", "--tail", "1").lines == ["three"]
    write(store, run_id, "console", [("terminal", "four")])
    told = drupe_cli("runs", "logs", "patient", "--stream", "stderr")
    assert told.lines == ["two", "four"]
    assert "led to one terminal" in told.err


def test_programs_get_json_and_csv(drupe_cli: Any, run_id: str) -> None:
    assert json.loads(drupe_cli("runs", "logs", "patient", "--json").out)[1] == {
        "time": "2023-11-14T22:13:20.001Z",
        "stream": "stderr",
        "text": "two",
    }
    assert drupe_cli("runs", "logs", "patient", "--output", "csv").lines[:2] == ["time,stream,text", "2023-11-14T22:13:20.000Z,stdout,one"]


def test_logs_of_several_processes_are_put_in_order(drupe_cli: Any, store: Client, run_id: str) -> None:
    write(store, run_id, "console", [("stdout", "next part")], NOON + 50, number=2)
    write(store, run_id, "console-20231114T221320-7", [("stdout", "early"), ("stdout", "earlier than the part")], NOON + 1)
    assert drupe_cli("runs", "logs", "patient").lines == ["one", "two", "early", "three", "earlier than the part", "next part"]


def test_what_lies_in_the_artifacts_is_read_from_there(drupe_cli: Any, store: Client) -> None:
    run_id = store.create_run("0", run_name="elsewhere").info.run_id
    store.log_text(run_id, f"{prefix(NOON, 'stdout')}from afar\n", "logs/console.0001.log")
    store.set_terminated(run_id)
    assert drupe_cli("runs", "logs", "elsewhere").lines == ["from afar"]
    assert drupe_cli("runs", "logs", "elsewhere", "--follow").lines == ["from afar"]


def test_a_run_without_a_log_is_said(drupe_cli: Any, three_runs: list[str]) -> None:
    told = drupe_cli("runs", "logs", "baseline")
    assert (told.code, told.out) == (0, "")
    assert told.err.startswith(f"nothing was kept of what run 'baseline' ({three_runs[0][:8]}) printed")


def test_a_line_cannot_change_the_terminal(drupe_cli: Any, store: Client, run_id: str) -> None:
    write(store, run_id, "console", [("stdout", "bell\x07 and \x9b31m\ttab")])
    assert drupe_cli("runs", "logs", "patient", "--tail", "1").out == "bell  and  31m\ttab\n"


def test_following_shows_new_lines_and_ends_with_the_run(workspace: Path, store: Client, run_id: str) -> None:
    with subprocess.Popen(
        [sys.executable, *DRUPE, "runs", "logs", "patient", "--follow"], cwd=workspace, stdout=subprocess.PIPE, text=True
    ) as follower:
        assert follower.stdout is not None
        assert [follower.stdout.readline() for _ in range(3)] == ["one\n", "two\n", "three\n"]
        write(store, run_id, "console", [("stdout", "four")])
        assert follower.stdout.readline() == "four\n"
        write(store, run_id, "console", [("stdout", "five")], number=2)
        store.set_terminated(run_id)
        assert follower.stdout.read() == "five\n"
        assert follower.wait(60) == 0


def test_ctrl_c_ends_the_following_without_a_word(workspace: Path, run_id: str) -> None:
    with subprocess.Popen(
        [sys.executable, *DRUPE, "runs", "logs", "patient", "--follow", "--json"],
        cwd=workspace,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as follower:
        assert follower.stdout is not None
        assert json.loads(follower.stdout.readline())["text"] == "one"
        follower.send_signal(signal.SIGINT)
        _, err = follower.communicate(timeout=60)
    assert (follower.returncode, err) == (130, "")


@pytest.mark.parametrize("form", [[], ["--json"], ["--output", "csv"]])
def test_a_reader_that_has_seen_enough_is_no_fault(workspace: Path, store: Client, run_id: str, form: list[str]) -> None:
    write(store, run_id, "console", [("stdout", "x" * 100)] * 5000)
    read, write_end = os.pipe()
    with subprocess.Popen(
        [sys.executable, *DRUPE, "runs", "logs", "patient", *form], cwd=workspace, stdout=write_end, stderr=subprocess.PIPE
    ) as command:
        os.close(write_end)
        os.read(read, 100)
        os.close(read)
        _, err = command.communicate(timeout=60)
    assert (command.returncode, err) == (0, b"")

"""Workers and the process that looks after them, where no server is needed to see it."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

from drupe_asgi.workers import Place

TOLD_TO_END_WHILE_IT_STARTS = """
import os, signal
from drupe_asgi import workers

workers.END_WITHIN_S = 1000.0
fork, forks = os.fork, []

def fork_and_be_told():
    forks.append(1)
    if len(forks) == 2:  # after one worker was started, before the second is
        os.kill(os.getpid(), signal.SIGTERM)
    return fork()

os.fork = fork_and_be_told
workers.supervise(2, lambda place: signal.pause(), lambda: None)
print("ended", flush=True)
"""


def place_in(folder: Path) -> tuple[Place, socket.socket]:
    ours, theirs = socket.socketpair()
    return Place(0, theirs, folder), ours


def test_counts_that_cannot_be_written_do_not_keep_a_worker_from_answering(tmp_path: Path) -> None:
    place, line = place_in(tmp_path / "gone")
    with line, place.line:
        place.keep({"requests": []})
        assert place.kept() is None


def test_counts_are_there_for_the_worker_that_takes_the_place(tmp_path: Path) -> None:
    place, line = place_in(tmp_path)
    with line, place.line:
        place.keep({"requests": [["GET /", 200, 3]]})
        assert Place(0, place.line, tmp_path).kept() == {"requests": [["GET /", 200, 3]]}
        assert Place(1, place.line, tmp_path).others() == [{"requests": [["GET /", 200, 3]]}]


def test_a_worker_that_is_started_while_the_server_is_told_to_end_ends_too() -> None:
    done = subprocess.run([sys.executable, "-c", TOLD_TO_END_WHILE_IT_STARTS], capture_output=True, text=True, timeout=120)  # not killed
    assert done.stdout == "ended\n", done


def test_a_worker_that_meets_a_fault_says_where(tmp_path: Path) -> None:
    code = "from drupe_asgi.workers import supervise\nsupervise(1, lambda place: {}['no such key'], lambda: None)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "KeyError: 'no such key'" in done.stderr, done

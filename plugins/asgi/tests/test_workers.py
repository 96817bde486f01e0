"""Workers and the process that looks after them, where no server is needed to see it."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from drupe_asgi.workers import PARCEL_BYTES, Place

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


def all_heard(line: socket.socket) -> list[Any]:
    """What waits in a line."""
    found = []
    with contextlib.suppress(BlockingIOError):
        while parcel := line.recv(PARCEL_BYTES):
            found.append(json.loads(parcel))
    return found


def test_changes_that_the_supervisor_had_no_turn_for_are_told_as_missed(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        place = Place(0, theirs, tmp_path)
        for number in range(10_000):
            place.tell({"kind": "run", "run_id": str(number)})
        place.catch_up()  # still nobody hears
        heard = all_heard(ours)
        assert heard == [{"kind": "run", "run_id": str(number)} for number in range(len(heard))]
        assert len(heard) < 10_000
        for _ in range(2):
            place.catch_up()
        assert all_heard(ours) == [{"kind": "missed"}]


TOLD_WHILE_IT_LOOKED_AWAY = """
import json, os, signal, sys
from drupe_asgi.workers import PARCEL_BYTES, supervise

turn, given = os.pipe()

def tell(place):
    for number in range(10_000):
        place.line.setblocking(True)
        place.tell({"kind": "run", "run_id": str(number)})
    os.write(given, b"x")  # all is with the supervisor
    signal.pause()

def hear(place):
    os.read(turn, 1)
    place.line.setblocking(True)
    heard = []
    while not heard or heard[-1] != {"kind": "missed"}:
        heard.append(json.loads(place.line.recv(PARCEL_BYTES)))
    print(len(heard) < 10_000, flush=True)
    os.kill(os.getppid(), signal.SIGTERM)
    signal.pause()

def work(place):
    place.tell_ready()
    (tell if place.number else hear)(place)

supervise(2, work, lambda: None)
"""


def test_a_worker_that_had_no_turn_while_others_told_hears_that_it_has_missed_some() -> None:
    done = subprocess.run([sys.executable, "-c", TOLD_WHILE_IT_LOOKED_AWAY], capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.stderr) == ("True\n", "")

"""Accidents of a server with many writers at it: our client, whose journal bridges the gaps, and MLflow's own, which asks again."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from . import power_cut
from .cutting_proxy import cut_between
from .ledger import Tally
from .served import TorturedServer, Writers

__all__ = ["SERVER_SCENARIOS"]

Accident = Callable[[TorturedServer, random.Random], None]
ACCIDENTS_S = (0.4, 1.6)
ORPHANS_GONE_S = 60.0


def server_killed(folder: Path, seed: int, is_small: bool) -> Tally:
    """SIGKILL, again and again, and a new start at once."""

    def kill(server: TorturedServer, chance: random.Random) -> None:
        server.end(signal.SIGKILL)
        server.start()

    return _with_accidents(folder, seed, is_small, kill)


def server_ended(folder: Path, seed: int, is_small: bool) -> Tally:
    """SIGTERM, as an upgrade does it; it must end in order."""

    def end(server: TorturedServer, chance: random.Random) -> None:
        code = server.end(signal.SIGTERM)
        assert code == 0, f"SIGTERM: the server ended with {code}"
        server.start()

    return _with_accidents(folder, seed, is_small, end)


def server_paused(folder: Path, seed: int, is_small: bool) -> Tally:
    """SIGSTOP and SIGCONT: clients wait, or give up and ask again."""
    return _with_accidents(folder, seed, is_small, lambda server, chance: server.pause(chance.uniform(0.5, 2.0 if is_small else 8.0)))


def lost_answers(folder: Path, seed: int, is_small: bool) -> Tally:
    """A proxy cuts connections before, in and after requests and answers, so that nobody knows whether a request was taken."""
    server = TorturedServer(folder / "home")
    with cut_between(server.port, seed) as (port, proxy):
        writers = Writers(folder / "work", seed, f"http://127.0.0.1:{port}")
        writers.start(own=2 if is_small else 8, official=1 if is_small else 4, calls=80 if is_small else 500)
        _wait_for(lambda: writers.are_done)
        os.kill(proxy, signal.SIGUSR1)
        return _ended(server, writers)


def server_on_full_disk(folder: Path, seed: int, is_small: bool) -> Tally:
    """The server's disk is full for a while: it refuses, reads go on, and when there is space all that waits comes."""
    home = folder / "home"
    home.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(home)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        return Tally(skipped="needs the right to mount a small file system")
    try:
        server = TorturedServer(home)
        writers = Writers(folder / "work", seed, server.url)
        writers.start(own=2, official=1, calls=100 if is_small else 400)
        _wait_for(lambda: _points_in(server) > 50 or writers.are_done)
        notes = []
        with (home / "filler").open("wb", buffering=0) as filler:
            for size in (1 << 16, 1 << 12, 1):
                with contextlib.suppress(OSError):
                    while True:
                        filler.write(b"x" * size)
        for _ in range(20):
            if server.post("runs/search", experiment_ids=["0"]).get("runs", []) == []:
                notes.append("no runs were told while the disk was full")
            time.sleep(0.1)
        (home / "filler").unlink()
        _wait_for(lambda: writers.are_done)
        return _ended(server, writers) + Tally(notes=tuple(notes))
    finally:
        subprocess.run(["umount", "--lazy", str(home)], check=True)


def power_is_cut(folder: Path, seed: int, is_small: bool) -> Tally:
    """All writes and syncs of a server are recorded; behind any of them, what an answer has promised by then is on the disk."""
    recorder = power_cut.built()
    if recorder is None:
        return Tally(skipped="needs a C compiler")
    home, record = folder / "home", folder / "record"
    home.mkdir(parents=True)
    environment = {"LD_PRELOAD": str(recorder), "DRUPE_RECORD_BELOW": str(home.resolve()), "DRUPE_RECORD_TO": str(record)}
    server = TorturedServer(home, "--durability", os.environ.get("DRUPE_TORTURE_DURABILITY", "full"), env=environment)
    acknowledged: list[tuple[int, str, int]] = []
    writers = [threading.Thread(target=_log, args=(server, n, 60 if is_small else 400, acknowledged)) for n in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    server.end(signal.SIGKILL)
    happened = list(power_cut.happened_in(record))
    chance = random.Random(seed)
    first = min(at_ns for at_ns, _, _ in acknowledged)
    later = [at for at, one in enumerate(happened) if one.at_ns > first]
    cuts = sorted(chance.sample(later, min(len(later), 12 if is_small else 100)))
    total, notes = 0, []
    for number, cut in enumerate(cuts):
        # power is cut just before the next call returns: all that was answered until then counts
        until = happened[cut + 1].at_ns if cut + 1 < len(happened) else 2**63 - 1
        place = folder / f"cut{number}"
        place.mkdir()
        for path, content in power_cut.left_after(happened[: cut + 1], chance if number % 2 else None).items():
            if path.parent == home.resolve():
                (place / path.name).write_bytes(content)
        promised = {(run, step) for at_ns, run, step in acknowledged if at_ns < until}
        total += len(promised)
        lost, twice = _compare(place, promised)
        if lost or twice:
            notes.append(
                f"seed {seed}: power cut after call {cut}: {len(lost)} points are lost, {twice} are there twice: {sorted(lost)[:3]}"
            )
    return Tally(total, sum("lost" in note for note in notes), 0, tuple(notes))


def _log(server: TorturedServer, number: int, count: int, acknowledged: list[tuple[int, str, int]]) -> None:
    """Log point after point; each answer is noted with its time."""
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)

    def post(path: str, **fields: Any) -> Any:
        line.request("POST", f"/api/2.0/mlflow/{path}", json.dumps(fields), {"Content-Type": "application/json"})
        answer = line.getresponse()
        told = json.loads(answer.read())
        assert answer.status == 200, told
        return told

    run = post("runs/create", experiment_id="0", run_name=f"writer {number}")["run"]["info"]["run_id"]
    for step in range(count):
        post("runs/log-metric", run_id=run, key="loss", value=0.5, timestamp=step, step=step)
        acknowledged.append((time.monotonic_ns(), run, step))
    line.close()


def _compare(place: Path, promised: set[tuple[str, int]]) -> tuple[set[tuple[str, int]], int]:
    """What is not there of what was promised, and how many points there are twice. Opening the file repairs nothing but its log."""
    from drupe.tracking import address

    store = address.tracking_store(f"sqlite:///{place}/drupe.db")
    try:
        with contextlib.closing(sqlite3.connect(place / "drupe.db")) as file:
            assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        lost, twice = set(), 0
        for run in {run for run, _ in promised}:
            try:
                series = store.metric_bulk([run], ["loss"])
            except Exception:
                series = []
            steps = list(series[0].points.steps) if series else []
            twice += len(steps) - len(set(steps))
            lost |= {(run, step) for of, step in promised if of == run} - {(run, step) for step in steps}
        return lost, twice
    finally:
        address.close_stores()


def _with_accidents(folder: Path, seed: int, is_small: bool, accident: Accident) -> Tally:
    chance, notes = random.Random(seed), []
    server = TorturedServer(folder / "home")
    first = len(server.starts_ms)
    writers = Writers(folder / "work", seed, server.url)
    writers.start(own=4 if is_small else 16, official=1 if is_small else 6, calls=80 if is_small else 800)
    _wait_for(lambda: _points_in(server) > 0 or writers.are_done)
    least = 2 if is_small else 12
    for _ in range(least):
        time.sleep(chance.uniform(*ACCIDENTS_S))
        try:
            accident(server, chance)
        except AssertionError as fault:
            notes.append(f"seed {seed}: {fault}")
            break
    _wait_for(lambda: writers.are_done)
    tally = _ended(server, writers)
    return tally + Tally(notes=tuple(notes), restarts_ms=tuple(server.starts_ms[first:]))


def _points_in(server: TorturedServer) -> int:
    runs = server.post("runs/search", experiment_ids=["0"]).get("runs", [])
    return sum(metric["step"] for run in runs for metric in run["data"].get("metrics", []))


def _ended(server: TorturedServer, writers: Writers) -> Tally:
    """The sum when all writers are gone: compared through the server, with what our client had left taken in."""
    tally = writers.finish()
    notes = writers.codes()
    until = time.monotonic() + ORPHANS_GONE_S
    while (orphans := server.orphans(writers)) and time.monotonic() < until:
        time.sleep(0.2)
    left = [str(path) for path in (writers.trainers.folder / "state").rglob("*.journal")]
    notes += [f"{name} was not shipped" for name in left]
    notes += [f"{len(orphans)} runs are said to be running: {orphans[:3]}"] if orphans else []
    code = server.end(signal.SIGTERM)
    notes += [f"the server ended with {code}"] if code else []
    return tally + Tally(notes=tuple(notes), orphaned=len(orphans))


def _wait_for(is_so: Callable[[], bool], seconds: float = 240.0) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > until:
            raise AssertionError(f"not within {seconds:g} s")
        time.sleep(0.02)


SERVER_SCENARIOS: Mapping[str, Callable[[Path, int, bool], Tally]] = {
    "server killed": server_killed,
    "server ended": server_ended,
    "server paused": server_paused,
    "lost answers": lost_answers,
    "server on a full disk": server_on_full_disk,
    "power is cut": power_is_cut,
}

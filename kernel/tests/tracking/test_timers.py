"""Things done a moment later: in order, by one thread that is not woken without need."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

import pytest

from drupe.tracking import timers
from drupe.tracking.timers import after

WAIT_S = 30


def wait_for(done: threading.Event) -> None:
    assert done.wait(WAIT_S)


def test_what_is_due_is_done_in_order_of_time() -> None:
    order: list[str] = []
    done = threading.Event()
    after(0.06, lambda: (order.append("last"), done.set()))
    after(0.01, lambda: order.append("first"))
    after(0.03, lambda: order.append("second"))
    wait_for(done)
    assert order == ["first", "second", "last"]


def test_what_is_called_off_is_not_done() -> None:
    order: list[str] = []
    done = threading.Event()
    timer = after(0.01, lambda: order.append("never"))
    after(0.03, done.set)
    timer.cancel()
    wait_for(done)
    assert order == []


def test_a_fault_does_not_keep_the_next_from_being_done() -> None:
    done = threading.Event()
    after(0.0, lambda: 1 / 0)
    after(0.01, done.set)
    wait_for(done)


def test_only_something_sooner_wakes_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    ready = threading.Event()
    after(0.0, ready.set)
    wait_for(ready)
    after(3600, lambda: None).cancel()
    while timers._wakes_at > time.monotonic() + 3600:  # the thread has not seen it yet
        time.sleep(0.001)
    woken: list[float] = []
    real: Callable[[], None] = timers._sooner.set
    monkeypatch.setattr(timers._sooner, "set", lambda: (woken.append(1), real()))
    for _ in range(100):
        after(3601, lambda: None).cancel()
    assert woken == []
    done = threading.Event()
    after(0.0, done.set)
    wait_for(done)
    assert len(woken) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_does_what_it_asked_for_itself_and_nothing_of_its_parent() -> None:
    source, sink = os.pipe()
    after(0.2, lambda: os.write(sink, b"p"))
    if os.fork() == 0:
        done = threading.Event()
        after(0.3, lambda: (os.write(sink, b"c"), done.set()))
        done.wait(WAIT_S)
        os._exit(0)
    os.wait()
    assert sorted(os.read(source, 10)) == sorted(b"pc")
    os.close(source)
    os.close(sink)

"""Which runs are active where, and how they end when nobody ends them.

Every thread and every async task has its own stack of active runs (a context variable, so a task starts with its parent's). A run that is
still active when the process ends is ended for it: FINISHED on a normal exit, FAILED after an unhandled exception, KILLED after SIGTERM,
SIGHUP and Ctrl-C.
A forked child may log to its parent's runs but never ends them.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextvars import ContextVar
from types import FrameType, TracebackType

from attrs import frozen

from drupe.entities import Run, RunStatus

__all__ = ["ActiveRun", "Ender", "ended_by", "forget", "last_run_id", "push", "stack", "top", "watch_exit"]

ENDING_SIGNALS = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]  # there is no SIGHUP on Windows
Ender = Callable[[RunStatus, "BaseException | None"], None]
"""How to end a run: as what, and the exception that left its block, if one did."""


@frozen(slots=False, eq=False)
class ActiveRun(Run):
    """A run that is being logged to; as a context manager it ends with the block: FINISHED, or FAILED or KILLED by an exception."""

    def __enter__(self) -> ActiveRun:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None) -> None:
        if os.getpid() != _owner:  # a child that was forked inside the block leaves the run to its parent
            return
        runs = [run.info.run_id for run in _stack.get()]
        inside = runs[runs.index(self.info.run_id) + 1 :] if self.info.run_id in runs else []
        for run_id in (*reversed(inside), self.info.run_id):  # runs that were started in the block and left open end with it
            end = _enders.get(run_id)
            if end is not None:
                end(ended_by(fault), fault)


_stack: ContextVar[tuple[ActiveRun, ...]] = ContextVar("drupe_active_runs", default=())
_last: ContextVar[str | None] = ContextVar("drupe_last_run", default=None)
_enders: dict[str, Ender] = {}  # how to end each run that this process has active, in order of start
_owner = os.getpid()
_watching = False
_minds_signals = False
_was_terminated = False
_crash: BaseException | None = None


def top() -> ActiveRun | None:
    """The innermost active run of this thread or task."""
    runs = _stack.get()
    return runs[-1] if runs else None


def stack() -> tuple[ActiveRun, ...]:
    """All active runs of this thread or task, the outermost first."""
    return _stack.get()


def push(run: ActiveRun, end: Ender) -> None:
    """Make `run` the active one; `end(status, fault)` is how it will be ended."""
    global _owner
    if os.getpid() != _owner:  # first run of a forked child: the inherited ones are the parent's to end
        _enders.clear()
        _owner = os.getpid()
    _stack.set((*_stack.get(), run))
    _enders[run.info.run_id] = end


def forget(run_id: str) -> None:
    """Take a run off this thread's stack wherever it stands, and never end it."""
    runs = _stack.get()
    if any(run.info.run_id == run_id for run in runs):
        _last.set(run_id)
        _stack.set(tuple(run for run in runs if run.info.run_id != run_id))
    _enders.pop(run_id, None)


def last_run_id() -> str | None:
    """The run that is active in this thread or task, else the one that ended last."""
    run = top()
    return _last.get() if run is None else run.info.run_id


def ended_by(fault: BaseException | None) -> RunStatus:
    """The end status of a run whose block was left by `fault`."""
    if fault is None or (isinstance(fault, SystemExit) and fault.code in (None, 0)):
        return RunStatus.FINISHED
    killed = isinstance(fault, KeyboardInterrupt) or (_was_terminated and isinstance(fault, SystemExit))
    return RunStatus.KILLED if killed else RunStatus.FAILED


def watch_exit() -> None:
    """Begin to end this process's runs when it ends; asked for by every start of a run, done once."""
    global _watching, _minds_signals
    if not _minds_signals and threading.current_thread() is threading.main_thread():  # Python allows it in no other thread
        _minds_signals = True
        for number in ENDING_SIGNALS:
            if signal.getsignal(number) == signal.SIG_DFL:
                signal.signal(number, _terminate)
    if _watching:
        return
    _watching = True
    atexit.register(_end_all)
    earlier = sys.excepthook

    def note_crash(kind: type[BaseException], fault: BaseException, trace: TracebackType | None) -> None:
        global _crash
        _crash = fault
        earlier(kind, fault, trace)

    sys.excepthook = note_crash


def _terminate(number: int, frame: FrameType | None) -> None:
    """SIGTERM and SIGHUP unwind the program as an exception would, so that `with` blocks and `finally` do their work."""
    global _was_terminated
    if os.getpid() != _owner:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        return
    _was_terminated = True
    raise SystemExit(128 + number)  # as shells tell it


def _end_all() -> None:
    if os.getpid() != _owner:
        return
    status = RunStatus.KILLED if _was_terminated else ended_by(_crash)
    for end in reversed(list(_enders.values())):
        try:
            end(status, None)  # an unhandled exception was printed by now
        except Exception as fault:  # the store may be gone; the process is ending anyway, and the others should still be ended
            sys.stderr.write(f"drupe: a run could not be ended at exit: {fault}\n")
    _enders.clear()


# --- forks: a child takes these signals as any program does, until it starts a run of its own


def _before_fork() -> None:
    # Python drops what arrives in a child before it is set up, so a pool that ends its workers at once would wait for ever for one of them
    if _minds_signals:
        _masks.before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING_SIGNALS)


def _after_fork_in_parent() -> None:
    before = _masks.__dict__.pop("before", None)
    if before is not None:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _after_fork_in_child() -> None:
    global _minds_signals
    for number in ENDING_SIGNALS:
        if signal.getsignal(number) is _terminate:
            signal.signal(number, signal.SIG_DFL)
    _minds_signals = False
    _after_fork_in_parent()


_masks = threading.local()  # of the thread that forks
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)

"""The heavier facts about a run, kept as artifacts under `environment/`: Python, machine, command, installed packages, uncommitted diff.

They are gathered once per process by a thread of its own and written for every run without holding up training; a run that ends sooner
than they are begun writes them itself, and any other waits for them. Settings `capture_environment` and `capture_git_diff` turn the parts off. A fault here is a warning, never an exception.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import sys
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, TimeoutError as WaitedTooLong
from functools import lru_cache
from threading import Lock
from typing import Any

from drupe.extend import ArtifactRepo
from drupe.settings import settings
from drupe.tracking.command import command_line, kept_variables
from drupe.tracking.context import code_state, run_context, working_folder
from drupe.tracking.git import GitState, uncommitted_diff, untracked_files
from drupe.tracking.machine import container_facts, gpu_facts, machine_facts
from drupe.tracking.packages import installed_packages
from drupe.tracking.timers import after
from drupe.uris import ArtifactPath

__all__ = ["ENVIRONMENT_FOLDER", "environment_files", "finish_capture", "start_capture"]

ENVIRONMENT_FOLDER = "environment"
WAIT_S = 30.0
DELAY_S = 0.1
UNTRACKED_MAX = 100

_lock = Lock()
_worker: tuple[int, ThreadPoolExecutor] | None = None  # with the process id that it belongs to
_pending: dict[str, _Capture] = {}


def start_capture(run_id: str, open_repo: Callable[[], ArtifactRepo]) -> None:
    """Begin to write this run's environment files; `open_repo` gives the repository of its artifacts."""
    if not (settings().get("capture_environment", True) or settings().get("capture_git_diff", True)):
        return
    run_context(), code_state()  # belong to the calling thread's moment: working folder and __main__ may change
    with _lock:
        _pending[run_id] = capture = _Capture(run_id, open_repo)
    if environment_files.cache_info().currsize:
        after(DELAY_S, capture.begin)
    else:
        capture.begin()


def finish_capture(run_id: str) -> None:
    """Wait until this run's files are written; problems become one warning."""
    with _lock:
        capture = _pending.pop(run_id, None)
    if capture is None or capture.pid != os.getpid():  # started before a fork: the parent writes them
        return
    try:
        capture.finish()
    except WaitedTooLong:
        warnings.warn(f"the environment of run {run_id} was not written within {WAIT_S:.0f} s", stacklevel=3)
    except Exception as fault:  # whatever the store or git raised: the run itself is complete
        warnings.warn(f"the environment of run {run_id} could not be kept: {fault}", stacklevel=3)


class _Capture:
    """The files of one run: begun by a thread after a moment, or written by whoever ends the run before."""

    def __init__(self, run_id: str, open_repo: Callable[[], ArtifactRepo]) -> None:
        self.run_id, self.pid = run_id, os.getpid()
        self._open_repo = open_repo
        self._writing: Future[None] | None = None

    def begin(self) -> None:
        with _lock, contextlib.suppress(RuntimeError):  # Python starts no more threads: the end of the run writes them
            if self._writing is None and _pending.get(self.run_id) is self:
                self._writing = _pool().submit(_write_all, self._open_repo)

    def finish(self) -> None:
        if self._writing is None:  # nobody begins any more, since it is not pending
            _write_all(self._open_repo)
        else:
            self._writing.result(WAIT_S)


@lru_cache(maxsize=1)
def environment_files() -> Mapping[str, str]:
    """File name → text of what describes this process: `environment.json`, `requirements.txt`, and `uncommitted.diff` if there is one."""
    files: dict[str, str] = {}
    state = code_state()
    diff = uncommitted_diff(state.folder) if state is not None and settings().get("capture_git_diff", True) else None
    if diff:
        files["uncommitted.diff"] = diff
    if settings().get("capture_environment", True):
        files["environment.json"] = json.dumps(_facts(state, diff), indent=2, sort_keys=True) + "\n"
        files["requirements.txt"] = "".join(f"{line}\n" for line in installed_packages())
    return files


def _facts(state: GitState | None, diff: str | None) -> dict[str, Any]:
    context = run_context()
    facts = {
        "python": _python(context.environ),
        "platform": machine_facts(),
        "gpu": gpu_facts(),
        "container": container_facts(environ=context.environ),
        "command": [] if context.is_notebook else command_line(sys.orig_argv),
        "variables": kept_variables(context.environ),
        "git": {} if state is None else _git(state, diff),
        "entry_point": context.entry_point,
        "working_folder": str(working_folder()),
    }
    return {name: value for name, value in facts.items() if value not in ({}, [])}


def _python(environ: Mapping[str, str]) -> dict[str, Any]:
    conda = environ.get("CONDA_DEFAULT_ENV")
    home = os.path.expanduser("~")
    shown = sys.executable.replace(home, "~", 1) if len(home) > 1 and sys.executable.startswith(home) else sys.executable
    return {
        "version": platform.python_version(),
        "implementation": platform.python_implementation(),
        "executable": shown,
        **({"environment": os.path.basename(sys.prefix)} if sys.prefix != sys.base_prefix else {}),
        **({"conda": conda} if conda else {}),
    }


def _git(state: GitState, diff: str | None) -> dict[str, Any]:
    """`is_dirty` is about files that git knows; those that it does not are listed, as far as they are few."""
    facts: dict[str, Any] = {"commit": state.commit, "branch": state.branch, "remote_url": state.remote_url}
    if diff is not None:
        facts["is_dirty"] = bool(diff)
        untracked = untracked_files(state.folder)
        if untracked:
            facts |= {"untracked": untracked[:UNTRACKED_MAX], "untracked_count": len(untracked)}
    return {name: value for name, value in facts.items() if value is not None}


def _write_all(open_repo: Callable[[], ArtifactRepo]) -> None:
    files = environment_files()
    repo = open_repo()
    for name, text in files.items():
        repo.put_bytes(text.encode("utf-8", "surrogatepass"), ArtifactPath((ENVIRONMENT_FOLDER, name)))


def _after_fork() -> None:
    """What was begun in the parent is written there; another thread may have held the lock."""
    global _lock
    _lock = Lock()
    _pending.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _pool() -> ThreadPoolExecutor:
    global _worker
    if _worker is None or _worker[0] != os.getpid():
        _worker = (os.getpid(), ThreadPoolExecutor(1, thread_name_prefix="drupe-capture"))
    return _worker[1]

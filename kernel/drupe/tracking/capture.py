"""The heavier facts about a run, kept as artifacts under `environment/`: Python, platform, installed packages, uncommitted diff.

They are gathered once per process by a thread of its own and written for every run without holding up training; ending a run waits for
its files. Settings `capture_environment` and `capture_git_diff` turn the parts off. A fault here is a warning, never an exception.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, TimeoutError as WaitedTooLong
from functools import lru_cache
from importlib.metadata import distributions
from threading import Lock

from drupe.settings import settings
from drupe.tracking.context import code_state, run_context, working_folder
from drupe.tracking.git import uncommitted_diff

__all__ = ["ENVIRONMENT_FOLDER", "environment_files", "finish_capture", "start_capture"]

ENVIRONMENT_FOLDER = "environment"
WAIT_S = 30.0

_lock = Lock()
_worker: tuple[int, ThreadPoolExecutor] | None = None  # with the process id that it belongs to
_pending: dict[str, Future[None]] = {}


def start_capture(run_id: str, write: Callable[[str, str], None]) -> None:
    """Begin to write this run's environment files; `write(text, file name)` stores one of them."""
    if not (settings().get("capture_environment", True) or settings().get("capture_git_diff", True)):
        return
    run_context(), code_state()  # belong to the calling thread's moment: working folder and __main__ may change
    with _lock:
        try:
            _pending[run_id] = _pool().submit(_write_all, write)
        except RuntimeError:  # a thread that outlives the main one: Python starts no more threads, and the run goes without
            warnings.warn(f"the environment of run {run_id} is not kept: the process is ending", stacklevel=3)


def finish_capture(run_id: str) -> None:
    """Wait until this run's files are written; problems become one warning."""
    with _lock:
        future = _pending.pop(run_id, None)
        if future is not None and (_worker is None or _worker[0] != os.getpid()):
            return  # started before a fork: the parent writes them
    if future is None:
        return
    try:
        future.result(WAIT_S)
    except WaitedTooLong:
        warnings.warn(f"the environment of run {run_id} was not written within {WAIT_S:.0f} s", stacklevel=3)
    except Exception as fault:  # whatever the store or git raised: the run itself is complete
        warnings.warn(f"the environment of run {run_id} could not be kept: {fault}", stacklevel=3)


@lru_cache(maxsize=1)
def environment_files() -> Mapping[str, str]:
    """File name → text of what describes this process: `environment.json`, `requirements.txt`, and `uncommitted.diff` if there is one."""
    files: dict[str, str] = {}
    if settings().get("capture_environment", True):
        context = run_context()
        facts = {
            "python": {
                "version": platform.python_version(),
                "implementation": platform.python_implementation(),
                "executable": sys.executable,
            },
            "platform": {
                "system": platform.system(),
                "release": platform.release(),
                "machine": platform.machine(),
                "cpu_count": os.cpu_count(),
            },
            "entry_point": context.entry_point,
            "working_folder": str(working_folder()),
        }
        files["environment.json"] = json.dumps(facts, indent=2, sort_keys=True) + "\n"
        files["requirements.txt"] = "".join(f"{line}\n" for line in _installed())
    state = code_state()
    if state is not None and settings().get("capture_git_diff", True):
        diff = uncommitted_diff(state.folder)
        if diff:
            files["uncommitted.diff"] = diff
    return files


def _write_all(write: Callable[[str, str], None]) -> None:
    for name, text in environment_files().items():
        write(text, f"{ENVIRONMENT_FOLDER}/{name}")


def _installed() -> list[str]:
    """`name==version` of every installed distribution, sorted, each once (the first on the path is the one that is imported)."""
    found: dict[str, str] = {}
    for distribution in distributions():
        try:
            name, version = distribution.metadata["Name"], distribution.version
        except Exception:  # what a half-removed or damaged package makes importlib.metadata raise; the others are still worth keeping
            continue
        if name:
            found.setdefault(name.lower().replace("_", "-"), f"{name}=={version}")
    return [found[name] for name in sorted(found)]


def _pool() -> ThreadPoolExecutor:
    global _worker
    if _worker is None or _worker[0] != os.getpid():
        _worker = (os.getpid(), ThreadPoolExecutor(1, thread_name_prefix="drupe-capture"))
    return _worker[1]

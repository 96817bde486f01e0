"""The tags that every run gets without asking: who, which program, which version of the code, and what plugins add.

Cheap by design: file reads only, remembered per process. The heavier facts (packages, diff) are captured by `capture`.
"""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from drupe.entities import SourceType
from drupe.extend import RunContext
from drupe.loading import catalog
from drupe.tracking.git import GitState, git_state

__all__ = ["code_state", "context_tags", "program_tags", "run_context", "working_folder"]


@lru_cache(maxsize=1)
def run_context() -> RunContext:
    """What is known about this process; read once."""
    notebook = _is_notebook()
    program = None if notebook else _entry_point()
    folder = Path(program).absolute().parent if program and Path(program).is_file() else working_folder()
    return RunContext(entry_point=program, folder=folder, user=_user(), environ=dict(os.environ), is_notebook=notebook)


@lru_cache(maxsize=1)
def code_state() -> GitState | None:
    """The git state of the running program's folder; read once, since the code that runs is the code that was loaded."""
    return git_state(run_context().folder)


def context_tags() -> dict[str, str]:
    """Tags for a new run: built-in ones, then what plugins answer to `drupe_run_tags`."""
    tags = program_tags()
    for _plugin, added in catalog().collect("drupe_run_tags", context=run_context()):
        if isinstance(added, Mapping):
            tags.update({str(key): str(value) for key, value in added.items()})
    return tags


def program_tags() -> dict[str, str]:
    """The built-in tags: who runs which program, in which version."""
    context = run_context()
    tags = {
        "mlflow.user": context.user,
        "mlflow.source.name": context.entry_point or ("notebook" if context.is_notebook else "python"),
        "mlflow.source.type": (SourceType.NOTEBOOK if context.is_notebook else SourceType.LOCAL).value,
    }
    state = code_state()
    if state is not None:
        tags["mlflow.source.git.commit"] = state.commit
        if state.branch:
            tags["mlflow.source.git.branch"] = state.branch
        if state.remote_url:
            tags["mlflow.source.git.repoURL"] = state.remote_url
    return tags


def working_folder() -> Path:
    """The working folder, or the root folder when it was deleted under the process."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return Path(os.sep)


def _entry_point() -> str | None:
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    if spec is not None and getattr(spec, "name", None):
        return str(spec.name).removesuffix(".__main__")  # python -m package.module
    path = getattr(main, "__file__", None)
    return str(path) if path else None


def _is_notebook() -> bool:
    shell = sys.modules.get("IPython")
    if shell is None:
        return False
    get = getattr(shell, "get_ipython", None)
    running = get() if get else None
    return running is not None and "IPKernelApp" in getattr(running, "config", {})


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in containers
        return str(os.getuid()) if hasattr(os, "getuid") else "unknown"

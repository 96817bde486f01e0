"""Which experiment, run and store are meant where a call does not say: what was chosen in this process, else settings, else plugins.

State of the whole process; the active runs, which each thread and task has for itself, are in `active`.
"""

from __future__ import annotations

import os
import threading

from drupe.entities import Experiment
from drupe.errors import AlreadyExists, ExperimentNotFound
from drupe.loading import catalog
from drupe.settings import settings
from drupe.tracking import active_model, last_model
from drupe.tracking.artifact_client import ArtifactClient
from drupe.tracking.context import run_context

__all__ = [
    "choose_experiment",
    "client_here",
    "client_of",
    "current_experiment",
    "get_or_create",
    "keep_client",
    "reset",
    "run_of_environment",
]

_experiment_id: str | None = None
_named_by_plugin: str | None = None
_resumed_from_environment = False
_clients: dict[str, ArtifactClient] = {}  # of runs that were started here, so that a later set_tracking_uri does not move them
_lock = threading.RLock()


def choose_experiment(experiment_id: str) -> None:
    """Use this experiment for runs from now on."""
    global _experiment_id
    with _lock:
        _experiment_id = experiment_id


def current_experiment(client: ArtifactClient) -> str:
    """The id of the experiment for new runs: chosen by a call, the environment or settings, a plugin; else "0"."""
    if _experiment_id is not None:
        return _experiment_id
    by_name, by_id = settings().get("experiment_name"), settings().get("experiment_id")
    if by_id:
        return str(by_id)
    if by_name:
        return get_or_create(client, str(by_name)).experiment_id
    global _named_by_plugin
    if _named_by_plugin is None:
        _named_by_plugin = str(catalog().first("drupe_default_experiment", context=run_context()) or "")
    return get_or_create(client, _named_by_plugin).experiment_id if _named_by_plugin else "0"


def get_or_create(client: ArtifactClient, name: str) -> Experiment:
    """The experiment of that name, made if there is none."""
    found = client.get_experiment_by_name(name)
    if found is not None:
        return found
    try:
        return client.get_experiment(client.create_experiment(name))
    except AlreadyExists:  # another process was quicker
        found = client.get_experiment_by_name(name)
        if found is None:
            raise ExperimentNotFound(f"experiment {name!r} was created and deleted by others just now", name=name) from None
        return found


def run_of_environment() -> str | None:
    """The run that a launcher named in the environment; only for the first run of the process, as with MLflow."""
    global _resumed_from_environment
    with _lock:
        if _resumed_from_environment:
            return None
        _resumed_from_environment = True
    found = settings().get("run_id")
    return str(found) if found else None


def keep_client(run_id: str, client: ArtifactClient) -> None:
    """Remember where a run lies that is started now."""
    _clients[run_id] = client


def client_of(run_id: str) -> ArtifactClient:
    """The client of the store that this run was started in, or of the store in use for a run that was not started here."""
    return _clients.get(run_id) or ArtifactClient()


def client_here(run_id: str) -> ArtifactClient | None:
    """The client of a run that was started in this process, or in the one that it was forked from."""
    return _clients.get(run_id)


def reset() -> None:
    """Forget the experiment in use and the runs of this process; for tests and notebooks that start over."""
    global _experiment_id, _named_by_plugin, _resumed_from_environment
    with _lock:
        _experiment_id, _named_by_plugin, _resumed_from_environment = None, None, False
        _clients.clear()
    active_model.forget()
    last_model.forget()


def _after_fork() -> None:
    global _lock
    _lock = threading.RLock()  # another thread of the parent may have held it


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

"""Where the web UI shows a value, when the store in use is a server's. Addresses have the form that MLflow's servers and ours both answer.

Values do not say which store they are from: it is taken to be the one in use, so that a value of another client has a link that leads nowhere.
"""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from drupe.tracking.address import get_registry_uri, get_tracking_uri

__all__ = ["of_experiment", "of_logged_model", "of_registered_model", "of_run", "of_version"]


def of_experiment(experiment_id: str) -> str | None:
    """The page of an experiment; None when the store is no server."""
    return _below(get_tracking_uri(), "experiments", experiment_id)


def of_run(experiment_id: str, run_id: str) -> str | None:
    """The page of a run."""
    return _below(get_tracking_uri(), "experiments", experiment_id, "runs", run_id)


def of_logged_model(experiment_id: str, model_id: str) -> str | None:
    """The page of a logged model."""
    return _below(get_tracking_uri(), "experiments", experiment_id, "models", model_id)


def of_registered_model(name: str) -> str | None:
    """The page of a registered model."""
    return _below(get_registry_uri(), "models", name)


def of_version(name: str, version: str) -> str | None:
    """The page of a version of a model."""
    return _below(get_registry_uri(), "models", name, "versions", version)


def _below(store: str, *parts: str) -> str | None:
    address = urlsplit(store)
    if address.scheme not in ("http", "https") or not address.hostname:
        return None
    server = address.netloc.rpartition("@")[2]  # user and password are nobody's business, least of all a saved notebook's
    return f"{address.scheme}://{server}{address.path.rstrip('/')}/#/{'/'.join(quote(part, safe='') for part in parts)}"

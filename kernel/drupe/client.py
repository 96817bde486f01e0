"""`drupe.Client`: everything that can be asked of the stores, with no active run. The shape of MLflow's `MlflowClient`."""

from __future__ import annotations

from collections.abc import Callable

from drupe.registry.client import RegistryClient
from drupe.tracking.artifact_client import ArtifactClient
from drupe.tracking.client import now_ms

__all__ = ["Client", "MlflowClient"]


class Client(ArtifactClient, RegistryClient):
    """Talks to the tracking store at `tracking_uri` and the registry at `registry_uri`; both default to the process's choice.

    When only `tracking_uri` is given, registered models are looked for there too.
    """

    def __init__(self, tracking_uri: str | None = None, registry_uri: str | None = None, *, clock: Callable[[], int] = now_ms) -> None:
        ArtifactClient.__init__(self, tracking_uri, clock=clock)
        RegistryClient.__init__(self, registry_uri or tracking_uri)


MlflowClient = Client
"""MLflow's name of it, so that `import drupe as mlflow` finds it."""

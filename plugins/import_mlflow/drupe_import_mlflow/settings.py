"""The options of the MLflow sources."""

from __future__ import annotations

from attrs import frozen

__all__ = ["MlflowSettings"]


@frozen
class MlflowSettings:
    """Options; in an address they follow as a query: `sqlite:///mlflow.db?workspace=team`."""

    workspace: str = "default"
    """Databases of MLflow 3 may hold several; one is read."""
    connect_s: float = 10.0
    """Seconds until a connection to a server or database must stand."""
    read_s: float = 120.0
    """Seconds that a server may take for an answer."""
    insecure_tls: bool = False
    """Do not check the certificate of a server."""

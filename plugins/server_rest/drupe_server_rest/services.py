"""What the handlers of requests work with."""

from __future__ import annotations

from attrs import frozen

from drupe.extend import RegistryStore, TrackingStore
from drupe_server_rest.changes import Changes
from drupe_server_rest.places import Places

__all__ = ["Services"]


@frozen
class Services:
    """One store with what belongs to it, opened for a server."""

    tracking: TrackingStore
    registry: RegistryStore
    places: Places
    changes: Changes

"""The stores on whatever server answers at an address: drupe's own, or MLflow's of some release."""

from __future__ import annotations

from typing import Self, cast

from drupe.uris import Uri
from drupe_store_http.link import link_for
from drupe_store_http.mlflow_models import Mlflow3TrackingStore
from drupe_store_http.mlflow_registry import MlflowRegistryStore
from drupe_store_http.mlflow_shipping import MlflowTrackingStore
from drupe_store_http.own import OwnTrackingStore
from drupe_store_http.registry import HttpRegistryStore
from drupe_store_http.servers import server_at
from drupe_store_http.settings import HttpSettings

__all__ = ["AnyRegistryStore", "AnyTrackingStore"]


class AnyTrackingStore(OwnTrackingStore):
    """The tracking store on drupe's server; opened where an MLflow server answers, it is that one's."""

    @classmethod
    def open(cls, uri: Uri, settings: HttpSettings | None = None) -> Self:
        link = link_for(uri, settings)
        server = server_at(link)
        if server.is_own:
            return cls(link, server)
        kind = Mlflow3TrackingStore if server.has_logged_models else MlflowTrackingStore
        return cast("Self", kind(link, server))


class AnyRegistryStore(HttpRegistryStore):
    """The registry store on drupe's server; opened where an MLflow server answers, it is that one's."""

    @classmethod
    def open(cls, uri: Uri, settings: HttpSettings | None = None) -> Self:
        link = link_for(uri, settings)
        server = server_at(link)
        return cls(link, server) if server.is_own else cast("Self", MlflowRegistryStore(link, server))

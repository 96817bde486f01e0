"""Registered models as a use case: the client, and registering with one call."""

from drupe.registry.client import RegistryClient
from drupe.registry.fluent import register_model, search_model_versions, search_registered_models

__all__ = ["RegistryClient", "register_model", "search_model_versions", "search_registered_models"]

"""The in-memory stores pass the kits that they are the oracle of."""

from __future__ import annotations

import pytest

from drupe.testing.memory_registry import MemoryRegistryStore
from drupe.testing.memory_tracking import MemoryTrackingStore
from drupe.testing.registry_store import RegistryStoreKit
from drupe.testing.tracking_store import TrackingStoreKit


class TestMemoryTrackingStore(TrackingStoreKit):
    @pytest.fixture
    def store(self) -> MemoryTrackingStore:
        return MemoryTrackingStore()


class TestMemoryRegistryStore(RegistryStoreKit):
    @pytest.fixture
    def store(self) -> MemoryRegistryStore:
        return MemoryRegistryStore()

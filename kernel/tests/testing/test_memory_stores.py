"""The in-memory stores pass the kits that they are the oracle of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import pytest

from drupe.extend.features import Feature, Support
from drupe.extend.tracking_store import TrackingStore
from drupe.testing.kit_shipping import ShippingTests
from drupe.testing.memory_registry import MemoryRegistryStore
from drupe.testing.memory_tracking import MemoryTrackingStore
from drupe.testing.registry_store import RegistryStoreKit
from drupe.testing.tracking_store import TrackingStoreKit


class TestMemoryTrackingStore(TrackingStoreKit):
    @pytest.fixture
    def store(self) -> MemoryTrackingStore:
        return MemoryTrackingStore()


class _ShipsInParts(MemoryTrackingStore):
    """What a third party's store is that knows nothing of shipping."""

    features: ClassVar[Mapping[Feature, Support]] = {}
    shipped_to, ship = TrackingStore.shipped_to, TrackingStore.ship
    beat, heartbeats = TrackingStore.beat, TrackingStore.heartbeats


class TestStoreThatShipsInParts(ShippingTests):
    @pytest.fixture
    def store(self) -> MemoryTrackingStore:
        return _ShipsInParts()


class TestMemoryRegistryStore(RegistryStoreKit):
    @pytest.fixture
    def store(self) -> MemoryRegistryStore:
        return MemoryRegistryStore()

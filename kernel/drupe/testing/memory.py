"""The in-memory stores under one roof; see `memory_tracking` and `memory_registry`."""

from __future__ import annotations

from drupe.testing.memory_registry import MemoryRegistryStore
from drupe.testing.memory_tracking import MemoryTrackingStore

__all__ = ["MemoryRegistryStore", "MemoryTrackingStore"]

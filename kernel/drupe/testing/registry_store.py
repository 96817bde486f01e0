"""The conformance kit of registry stores: every sentence of the contract as a test.

A store's test file subclasses the kit and provides its fixtures, as for tracking stores:

    class TestMyRegistry(RegistryStoreKit):
        @pytest.fixture
        def store(self, tmp_path):
            opened = MyRegistry.open(Uri.parse(f"mine:///{tmp_path}/store"))
            yield opened
            opened.close()

A store that outlives its process overrides `reopen`, one that several processes may write to overrides `address` (see StoreKit).
What it cannot do it lists in `cannot`, by test name. Random operations against the oracle are in `drupe.testing.operations`.
"""

from __future__ import annotations

from drupe.testing.kit_aliases import AliasTests
from drupe.testing.kit_imports import ModelImportTests
from drupe.testing.kit_models import ModelTests
from drupe.testing.kit_stages import StageTests
from drupe.testing.kit_versions import VersionTests

__all__ = ["RegistryStoreKit"]


class RegistryStoreKit(ModelTests, VersionTests, StageTests, AliasTests, ModelImportTests):
    """All tests that a registry store passes. Provide the fixture `store`: an open, empty store."""

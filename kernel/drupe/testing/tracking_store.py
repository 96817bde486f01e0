"""The conformance kit of tracking stores: every sentence of the contract as a test.

A store's test file subclasses the kit and provides its fixtures; nothing else is needed:

    class TestMyStore(TrackingStoreKit):
        @pytest.fixture
        def store(self, tmp_path):
            opened = MyStore.open(Uri.parse(f"mine:///{tmp_path}/store"))
            yield opened
            opened.close()

A store that outlives its process overrides `reopen`, one that several processes may write to overrides `address` (see StoreKit).
What it cannot do it lists in `cannot`, by test name. Random operations against the oracle are in `drupe.testing.operations`.
"""

from __future__ import annotations

from drupe.testing.kit_experiments import ExperimentTests
from drupe.testing.kit_imports import RunImportTests
from drupe.testing.kit_logged_imports import LoggedModelImportTests
from drupe.testing.kit_logged_model_search import LoggedModelSearchTests
from drupe.testing.kit_logged_shipping import LoggedShippingTests
from drupe.testing.kit_logging import LoggingTests
from drupe.testing.kit_metrics import MetricTests
from drupe.testing.kit_moves import MovingTests
from drupe.testing.kit_run_columns import RunColumnTests
from drupe.testing.kit_run_search import RunSearchTests
from drupe.testing.kit_runs import RunTests
from drupe.testing.kit_shipping import ShippingTests
from drupe.testing.kit_together import TogetherTests
from drupe.testing.kit_watching import WatchingTests

__all__ = ["TrackingStoreKit"]


class TrackingStoreKit(
    ExperimentTests,
    RunTests,
    LoggingTests,
    MetricTests,
    ShippingTests,
    RunSearchTests,
    RunColumnTests,
    RunImportTests,
    LoggedModelImportTests,
    LoggedModelSearchTests,
    LoggedShippingTests,
    MovingTests,
    WatchingTests,
    TogetherTests,
):
    """All tests that a tracking store passes. Provide the fixture `store`: an open, empty store."""

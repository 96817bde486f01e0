"""The sources pass the published kit, and the front door the published check."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from drupe.extend import SystemMetricSource
from drupe.testing.plugin import check_front_door
from drupe.testing.system_metrics import SystemMetricsKit
from drupe_system_metrics.host import HostMetrics
from drupe_system_metrics.process import ProcessMetrics


def test_the_front_door_keeps_the_rules() -> None:
    check_front_door("drupe_system_metrics")


class TestHost(SystemMetricsKit):
    @pytest.fixture
    def open_source(self) -> Callable[[], SystemMetricSource]:
        return HostMetrics.open


class TestProcess(SystemMetricsKit):
    @pytest.fixture
    def open_source(self) -> Callable[[], SystemMetricSource]:
        return ProcessMetrics.open

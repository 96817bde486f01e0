"""The machine as a whole: processor, memory, one disk, all networks. MLflow's names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import psutil

from drupe.extend import SystemMetricSource
from drupe_system_metrics.settings import SystemMetricsSettings

__all__ = ["HostMetrics"]

MEGABYTE = 1e6


class HostMetrics(SystemMetricSource):
    """What all programs of the machine do together; in a container most of it is still that of the host."""

    totals: ClassVar[frozenset[str]] = frozenset({"network_receive_megabytes", "network_transmit_megabytes"})

    def __init__(self, settings: SystemMetricsSettings) -> None:
        self._disk = str(settings.disk)
        self._network = psutil.net_io_counters()
        psutil.cpu_percent()  # the load is measured since the call before

    @classmethod
    def open(cls, settings: Any = None) -> Self:
        return cls(settings or SystemMetricsSettings())

    def read(self) -> Mapping[str, float]:
        memory, disk = psutil.virtual_memory(), psutil.disk_usage(self._disk)
        return {
            "cpu_utilization_percentage": psutil.cpu_percent(),
            "system_memory_usage_megabytes": memory.used / MEGABYTE,
            "system_memory_usage_percentage": memory.used / memory.total * 100,
            "disk_usage_percentage": disk.percent,
            "disk_usage_megabytes": disk.used / MEGABYTE,
            "disk_available_megabytes": disk.free / MEGABYTE,
            **self._traffic(),
        }

    def _traffic(self) -> dict[str, float]:
        now = psutil.net_io_counters()
        if now is None or self._network is None:  # a machine without a network, as some containers are
            return {}
        return {
            "network_receive_megabytes": (now.bytes_recv - self._network.bytes_recv) / MEGABYTE,
            "network_transmit_megabytes": (now.bytes_sent - self._network.bytes_sent) / MEGABYTE,
        }

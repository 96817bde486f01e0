"""NVIDIA GPUs: load, memory, power, temperature of each. MLflow's names, and the temperature."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

from drupe.errors import UnsupportedFeature
from drupe.extend import SystemMetricSource
from drupe_system_metrics.nvml import Nvml, NvmlFault
from drupe_system_metrics.settings import SystemMetricsSettings

__all__ = ["NvidiaMetrics"]

MEGABYTE = 1e6


class NvidiaMetrics(SystemMetricSource):
    """All GPUs of the machine, those that the process does not use included, numbered as `nvidia-smi` does."""

    def __init__(self, nvml: Nvml) -> None:
        self._nvml = nvml
        self._devices = nvml.devices()

    @classmethod
    def open(cls, settings: Any = None) -> Self:
        try:
            source = cls(Nvml((settings or SystemMetricsSettings()).nvml))
        except (OSError, AttributeError) as fault:  # no library, no driver, or a library that is no NVML
            raise UnsupportedFeature(f"this machine has no NVIDIA GPU: {fault}") from fault
        if not source._devices:
            source.close()
            raise UnsupportedFeature("this machine has no NVIDIA GPU")
        return source

    def read(self) -> Mapping[str, float]:
        found: dict[str, float] = {}
        for index, device in enumerate(self._devices):
            for measure in (_utilization, _memory, _power, _temperature):
                found |= {f"gpu_{index}_{name}": value for name, value in _told(measure, self._nvml, device).items()}
        return found

    def close(self) -> None:
        self._nvml.close()


def _told(measure: Callable[[Nvml, Any], Mapping[str, float]], nvml: Nvml, device: Any) -> Mapping[str, float]:
    """What a GPU does not tell (parts of one do not tell their power) is left out."""
    try:
        return measure(nvml, device)
    except NvmlFault:
        return {}


def _utilization(nvml: Nvml, device: Any) -> Mapping[str, float]:
    return {"utilization_percentage": nvml.utilization(device)}


def _memory(nvml: Nvml, device: Any) -> Mapping[str, float]:
    used, total = nvml.memory(device)
    return {"memory_usage_megabytes": used / MEGABYTE, **({"memory_usage_percentage": used / total * 100} if total else {})}


def _power(nvml: Nvml, device: Any) -> Mapping[str, float]:
    drawn, limit = nvml.power(device), nvml.power_limit(device)
    return {"power_usage_watts": drawn / 1000, **({"power_usage_percentage": drawn / limit * 100} if limit else {})}


def _temperature(nvml: Nvml, device: Any) -> Mapping[str, float]:
    return {"temperature_celsius": nvml.temperature(device)}

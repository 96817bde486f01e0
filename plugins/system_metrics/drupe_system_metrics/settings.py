"""The options of the system metrics."""

from __future__ import annotations

from pathlib import Path

from attrs import field, frozen

__all__ = ["SystemMetricsSettings"]


@frozen
class SystemMetricsSettings:
    """`disk` is a path on the disk to measure; `children` counts child processes in; `nvml` names NVIDIA's library, where it lies elsewhere."""

    disk: Path = field(default=Path("/"), converter=Path)
    children: bool = True
    nvml: str = "libnvidia-ml.so.1"

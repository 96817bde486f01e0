"""drupe-system-metrics: what the machine and the process do while a run lasts."""

from drupe.extend import Offer, hookimpl

DRUPE_API = "1.0"
_SETTINGS = "drupe_system_metrics.settings:SystemMetricsSettings"


@hookimpl
def drupe_system_metrics() -> list[Offer]:
    return [
        Offer(
            "host",
            load="drupe_system_metrics.host:HostMetrics",
            help="processor, memory, disk and network of the machine",
            requires=("psutil",),
            settings=_SETTINGS,
        ),
        Offer(
            "process",
            load="drupe_system_metrics.process:ProcessMetrics",
            help="processor, memory, threads and open files of the process and its children",
            requires=("psutil",),
            settings=_SETTINGS,
        ),
        Offer("nvidia", load="drupe_system_metrics.nvidia:NvidiaMetrics", help="NVIDIA GPUs, through NVML", settings=_SETTINGS),
    ]

"""This process and its children: processor, memory, threads, open files. MLflow's names."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import psutil

from drupe.extend import SystemMetricSource
from drupe_system_metrics.settings import SystemMetricsSettings

__all__ = ["ProcessMetrics", "children_of"]

MEGABYTE = 1e6


class ProcessMetrics(SystemMetricSource):
    """Sums over the process and, unless told otherwise, all that descend from it, such as workers that load data.

    100 % is one processor core. Memory that processes share is counted for each of them.
    """

    def __init__(self, settings: SystemMetricsSettings) -> None:
        self._with_children = settings.children
        self._known: dict[int, psutil.Process] = {}
        self._total = psutil.virtual_memory().total
        for process in self._processes():
            process.cpu_percent()  # the load is measured since the call before

    @classmethod
    def open(cls, settings: Any = None) -> Self:
        return cls(settings or SystemMetricsSettings())

    def read(self) -> Mapping[str, float]:
        load = resident = virtual = 0.0
        threads = files = 0
        for process in self._processes():
            with suppress(psutil.Error), process.oneshot():  # it has ended, or is somebody else's
                memory = process.memory_info()
                load += process.cpu_percent()
                resident += memory.rss
                virtual += memory.vms
                threads += process.num_threads()
                files += process.num_fds()
        return {
            "process_cpu_percentage": load,
            "process_memory_rss_megabytes": resident / MEGABYTE,
            "process_memory_vms_megabytes": virtual / MEGABYTE,
            "process_memory_percentage": resident / self._total * 100,
            "process_threads": threads,
            "process_open_files": files,
        }

    def _processes(self) -> list[psutil.Process]:
        own = os.getpid()
        pids = [own, *(children_of(own) if self._with_children else ())]
        known = {}
        for pid in pids:
            with suppress(psutil.Error):
                before = self._known.get(pid)
                known[pid] = before if before is not None and before.is_running() else psutil.Process(pid)
        self._known = known
        return list(known.values())


def children_of(pid: int) -> Iterator[int]:
    """All that descend from a process. Linux lists them for each thread; elsewhere all processes of the machine are looked through."""
    tasks = Path(f"/proc/{pid}/task")
    if not (tasks / str(pid) / "children").exists():
        with suppress(psutil.Error):
            yield from (child.pid for child in psutil.Process(pid).children(recursive=True))
        return
    with suppress(OSError):
        for task in tasks.iterdir():
            with suppress(OSError):  # the thread has ended
                for child in map(int, (task / "children").read_text().split()):
                    yield child
                    yield from children_of(child)

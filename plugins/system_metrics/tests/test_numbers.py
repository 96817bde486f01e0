"""The numbers are those of this machine and process; compared with what the system says by other ways."""

from __future__ import annotations

import os
import resource
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from drupe_system_metrics.host import HostMetrics
from drupe_system_metrics.process import ProcessMetrics, children_of
from drupe_system_metrics.settings import SystemMetricsSettings


def test_the_names_are_mlflows() -> None:
    assert set(HostMetrics.open().read()) == {
        "cpu_utilization_percentage",
        "system_memory_usage_megabytes",
        "system_memory_usage_percentage",
        "disk_usage_percentage",
        "disk_usage_megabytes",
        "disk_available_megabytes",
        "network_receive_megabytes",
        "network_transmit_megabytes",
    }
    assert set(ProcessMetrics.open().read()) == {
        "process_cpu_percentage",
        "process_memory_rss_megabytes",
        "process_memory_vms_megabytes",
        "process_memory_percentage",
        "process_threads",
        "process_open_files",
    }


def test_memory_and_disk_agree_with_the_system(tmp_path: Path) -> None:
    values = HostMetrics.open(SystemMetricsSettings(disk=tmp_path)).read()
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e6
    assert 0 < values["system_memory_usage_megabytes"] < total
    assert values["system_memory_usage_percentage"] == pytest.approx(values["system_memory_usage_megabytes"] / total * 100, rel=0.01)
    assert values["disk_available_megabytes"] == pytest.approx(shutil.disk_usage(tmp_path).free / 1e6, rel=0.2)


def test_what_goes_over_the_network_is_counted_since_the_start() -> None:
    source = HostMetrics.open()
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as out,
        server.accept()[0] as into,
    ):
        for _ in range(40):
            out.sendall(b"x" * 50_000)
            left = 50_000
            while left:
                left -= len(into.recv(left))
    values = source.read()
    assert values["network_transmit_megabytes"] >= 2.0
    assert values["network_receive_megabytes"] >= 2.0


def test_work_of_the_process_shows_as_load() -> None:
    source = ProcessMetrics.open(SystemMetricsSettings(children=False))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    while resource.getrusage(resource.RUSAGE_SELF).ru_utime < before + 0.3:
        sum(range(10_000))
    assert source.read()["process_cpu_percentage"] > 1


def test_threads_files_and_memory_of_the_process_are_counted(tmp_path: Path) -> None:
    source = ProcessMetrics.open(SystemMetricsSettings(children=False))
    before = source.read()
    go_on = threading.Event()
    threads = [threading.Thread(target=go_on.wait) for _ in range(5)]
    for thread in threads:
        thread.start()
    files = [(tmp_path / str(number)).open("w") for number in range(7)]
    ballast = bytearray(os.urandom(1000)) * 80_000
    after = source.read()
    go_on.set()
    for opened in files:
        opened.close()
    for thread in threads:
        thread.join()
    assert 3 <= after["process_threads"] - before["process_threads"] <= 5  # five, but threads of earlier tests may end meanwhile
    assert after["process_open_files"] == before["process_open_files"] + 7
    assert after["process_memory_rss_megabytes"] > before["process_memory_rss_megabytes"] + 60
    assert len(ballast) == 80_000_000


def test_children_count_and_may_come_and_go() -> None:
    program = (
        "import subprocess, sys; p = subprocess.Popen(['sleep', '60']); print(p.pid, flush=True); sys.stdin.read(); p.kill(); p.wait()"
    )
    source, alone = ProcessMetrics.open(), ProcessMetrics.open(SystemMetricsSettings(children=False))
    child = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdin is not None
    assert child.stdout is not None
    grandchild = int(child.stdout.readline())
    assert {child.pid, grandchild} <= set(children_of(os.getpid()))
    assert source.read()["process_threads"] > alone.read()["process_threads"]  # threads of earlier tests may end meanwhile
    child.communicate("", timeout=30)
    assert set(children_of(os.getpid())).isdisjoint({child.pid, grandchild})


def test_children_are_found_without_the_lists_that_linux_keeps(monkeypatch: pytest.MonkeyPatch) -> None:
    child = subprocess.Popen(["sleep", "60"])
    monkeypatch.setattr(Path, "exists", lambda path: False)
    found = set(children_of(os.getpid()))
    child.kill()
    child.wait()
    assert child.pid in found


def test_a_machine_without_a_network_leaves_its_numbers_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "net_io_counters", lambda: None)
    assert not {name for name in HostMetrics.open().read() if name.startswith("network")}

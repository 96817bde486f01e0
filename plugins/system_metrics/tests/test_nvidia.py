"""The binding to NVIDIA's library, against a library with the same functions that is compiled here: no GPU is needed for it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from ctypes import CDLL
from pathlib import Path

import pytest

from drupe.errors import UnsupportedFeature
from drupe.extend import SystemMetricSource
from drupe.testing.system_metrics import SystemMetricsKit
from drupe_system_metrics.nvidia import NvidiaMetrics
from drupe_system_metrics.settings import SystemMetricsSettings

SOURCE = Path(__file__).with_name("fake_nvml.c")


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A function (what to define) that compiles the library."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler here")
    folder = tmp_path_factory.mktemp("nvml")

    def build(define: str) -> Path:
        library = folder / f"lib{define}.so"
        if not library.exists():
            subprocess.run([compiler, "-shared", "-fPIC", "-Wall", "-Werror", f"-D{define}", "-o", str(library), str(SOURCE)], check=True)
        return library

    return build


def settings(library: Path) -> SystemMetricsSettings:
    return SystemMetricsSettings(nvml=str(library))


class TestNvidia(SystemMetricsKit):
    @pytest.fixture
    def open_source(self, compiled: Callable[[str], Path]) -> Callable[[], SystemMetricSource]:
        return lambda: NvidiaMetrics.open(settings(compiled("COMPLETE")))


def test_each_gpu_is_told_in_mlflows_names_and_what_it_does_not_tell_is_left_out(compiled: Callable[[str], Path]) -> None:
    source = NvidiaMetrics.open(settings(compiled("COMPLETE")))
    assert source.read() == {
        "gpu_0_utilization_percentage": 75,
        "gpu_0_memory_usage_megabytes": 20_000.0,
        "gpu_0_memory_usage_percentage": 25.0,
        "gpu_0_power_usage_watts": 350.5,
        "gpu_0_power_usage_percentage": 50.0,
        "gpu_0_temperature_celsius": 64,
        "gpu_1_utilization_percentage": 76,
        "gpu_1_memory_usage_megabytes": 20_000.0,
        "gpu_1_memory_usage_percentage": 25.0,
        "gpu_1_temperature_celsius": 64,
    }
    source.close()


def test_what_is_opened_is_let_go_of(compiled: Callable[[str], Path]) -> None:
    library = CDLL(str(compiled("COMPLETE")))
    before = library.fake_users()
    source = NvidiaMetrics.open(settings(compiled("COMPLETE")))
    assert library.fake_users() == before + 1
    source.close()
    assert library.fake_users() == before


@pytest.mark.parametrize(("define", "reason"), [("NO_DRIVER", "Driver Not Loaded"), ("NO_DEVICE", "has no NVIDIA GPU")])
def test_a_machine_without_driver_or_gpu_has_nothing_to_measure(compiled: Callable[[str], Path], define: str, reason: str) -> None:
    with pytest.raises(UnsupportedFeature, match=reason):
        NvidiaMetrics.open(settings(compiled(define)))
    assert CDLL(str(compiled(define))).fake_users() == 0


@pytest.mark.parametrize("library", ["libnvidia-ml-that-is-not-there.so", "libc.so.6"])
def test_a_machine_without_the_library_has_nothing_to_measure(library: str) -> None:
    with pytest.raises(UnsupportedFeature, match="no NVIDIA GPU"):
        NvidiaMetrics.open(SystemMetricsSettings(nvml=library))

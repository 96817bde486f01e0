"""The few functions of NVIDIA's management library that are needed, called directly: no package has to be installed for them.

Signatures and structures are those of NVIDIA's NVML API reference (nvml.h): every function answers 0 when it is done.
"""

from __future__ import annotations

from ctypes import CDLL, Structure, byref, c_char_p, c_uint, c_ulonglong, c_void_p
from typing import Any

__all__ = ["Nvml", "NvmlFault"]

TEMPERATURE_GPU = 0


class NvmlFault(OSError):
    """A function of the library answered with a fault."""


class _Utilization(Structure):
    _fields_ = (("gpu", c_uint), ("memory", c_uint))


class _Memory(Structure):
    _fields_ = (("total", c_ulonglong), ("free", c_ulonglong), ("used", c_ulonglong))


class Nvml:
    """The opened library. Raises OSError when it is not there, NvmlFault when no driver answers."""

    def __init__(self, library: str) -> None:
        self._library = CDLL(library)
        self._library.nvmlErrorString.restype = c_char_p
        self._call("nvmlInit_v2")

    def close(self) -> None:
        """Let go of the driver."""
        self._call("nvmlShutdown")

    def devices(self) -> list[Any]:
        """A handle for each GPU, in the driver's order."""
        count = c_uint()
        self._call("nvmlDeviceGetCount_v2", byref(count))
        handles = [c_void_p() for _ in range(count.value)]
        for index, handle in enumerate(handles):
            self._call("nvmlDeviceGetHandleByIndex_v2", c_uint(index), byref(handle))
        return handles

    def utilization(self, device: Any) -> int:
        """Percent of the time in which a kernel ran."""
        found = _Utilization()
        self._call("nvmlDeviceGetUtilizationRates", device, byref(found))
        return int(found.gpu)

    def memory(self, device: Any) -> tuple[int, int]:
        """(used, total) in bytes."""
        found = _Memory()
        self._call("nvmlDeviceGetMemoryInfo", device, byref(found))
        return int(found.used), int(found.total)

    def power(self, device: Any) -> int:
        """Milliwatts drawn now."""
        return self._number("nvmlDeviceGetPowerUsage", device)

    def power_limit(self, device: Any) -> int:
        """Milliwatts that the device may draw."""
        return self._number("nvmlDeviceGetEnforcedPowerLimit", device)

    def temperature(self, device: Any) -> int:
        """Degrees Celsius of the chip."""
        return self._number("nvmlDeviceGetTemperature", device, c_uint(TEMPERATURE_GPU))

    def _number(self, function: str, *arguments: Any) -> int:
        found = c_uint()
        self._call(function, *arguments, byref(found))
        return int(found.value)

    def _call(self, function: str, *arguments: Any) -> None:
        status = getattr(self._library, function)(*arguments)
        if status:
            said = self._library.nvmlErrorString(status)
            raise NvmlFault(f"{function}: {(said or b'').decode('utf-8', 'replace') or f'fault {status}'}")

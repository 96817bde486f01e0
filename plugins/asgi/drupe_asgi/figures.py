"""What a server tells Prometheus: requests by route and status, how long they took, and whatever numbers it adds."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from typing import Any

__all__ = ["Counted", "Figures", "Number"]

Counted = dict[str, Any]
Number = tuple[str, str, float, str]  # name, kind, value, what it is
BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Figures:
    """Counts since the start. Used by one thread, the event loop's."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, int]] = Counter()
        self._buckets: dict[str, list[int]] = {}
        self._seconds: Counter[str] = Counter()

    def count(self, route: str, status: int, seconds: float) -> None:
        """One request is answered."""
        self._requests[route, status] += 1
        buckets = self._buckets.get(route)
        if buckets is None:
            buckets = self._buckets[route] = [0] * (len(BOUNDS_S) + 1)
        buckets[bisect_left(BOUNDS_S, seconds)] += 1
        self._seconds[route] += seconds  # type: ignore[assignment]

    def counted(self, **numbers: int) -> Counted:
        """All of it, with further numbers by name, in a form that can be written as JSON."""
        requests = [[route, status, n] for (route, status), n in self._requests.items()]
        return {"requests": requests, "buckets": self._buckets, "seconds": dict(self._seconds), "numbers": numbers}

    def add(self, counted: Counted) -> None:
        """Add what another server has counted, but for its further numbers."""
        for route, status, n in counted["requests"]:
            self._requests[route, status] += n
        for route, buckets in counted["buckets"].items():
            known = self._buckets.setdefault(route, [0] * len(buckets))
            self._buckets[route] = [a + b for a, b in zip(known, buckets, strict=True)]
        for route, seconds in counted["seconds"].items():
            self._seconds[route] += seconds

    def text(self, further: Iterable[Number] = ()) -> str:
        """All of it, with further numbers, in the text form of Prometheus, version 0.0.4."""
        lines = ["# HELP drupe_requests_total Requests answered.", "# TYPE drupe_requests_total counter"]
        lines += [f'drupe_requests_total{{route="{route}",status="{status}"}} {n}' for (route, status), n in sorted(self._requests.items())]
        lines += ["# HELP drupe_request_seconds How long answers took.", "# TYPE drupe_request_seconds histogram"]
        for route, buckets in sorted(self._buckets.items()):
            total = 0
            for bound, n in zip((*map(str, BOUNDS_S), "+Inf"), buckets, strict=True):
                total += n
                lines.append(f'drupe_request_seconds_bucket{{route="{route}",le="{bound}"}} {total}')
            lines.append(f'drupe_request_seconds_sum{{route="{route}"}} {self._seconds[route]:.6f}')
            lines.append(f'drupe_request_seconds_count{{route="{route}"}} {total}')
        for name, kind, value, told in further:
            lines += [f"# HELP {name} {told}", f"# TYPE {name} {kind}", f"{name} {value}"]
        return "\n".join(lines) + "\n"

"""The conformance kit of sources of system metrics: what every implementation of `drupe.extend.SystemMetricSource` must do.

A plugin's test module subclasses the kit and opens the source; nothing else is needed:

    class TestMyMetrics(SystemMetricsKit):
        @pytest.fixture
        def open_source(self):
            return MyMetrics.open

Whether the numbers are true is for the plugin's own tests.
"""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar

import pytest

from drupe.entities.limits import check_metric
from drupe.extend import SystemMetricSource

__all__ = ["SystemMetricsKit"]

RANGES = {"percentage": (0.0, math.inf), "megabytes": (0.0, math.inf), "watts": (0.0, math.inf)}


class SystemMetricsKit:
    """Subclass it as `Test…` and override the fixture `open_source`.

    `cannot` names tests that this source does not pass, each with the reason; they are skipped and the reason shown.
    """

    cannot: ClassVar[Mapping[str, str]] = {}

    @pytest.fixture
    def open_source(self) -> Callable[[], SystemMetricSource]:
        """A function that opens the source."""
        raise NotImplementedError(f"{type(self).__name__} needs a fixture `open_source` that gives a function which opens the source")

    @pytest.fixture
    def source(self, open_source: Callable[[], SystemMetricSource]) -> Iterator[SystemMetricSource]:
        """The opened source, closed afterwards."""
        source = open_source()
        yield source
        source.close()

    @pytest.fixture(autouse=True)
    def _leave_out_what_the_source_cannot(self, request: pytest.FixtureRequest) -> None:
        reason = self.cannot.get(getattr(request.function, "__name__", ""))
        if reason:
            pytest.skip(reason)

    def test_what_is_left_out_are_tests_of_this_kit(self) -> None:
        assert [name for name in self.cannot if not callable(getattr(self, name, None))] == []

    def test_it_reads_something_and_every_value_is_a_finite_number(self, source: SystemMetricSource) -> None:
        values = source.read()
        assert values
        assert {name: value for name, value in values.items() if isinstance(value, bool) or not isinstance(value, int | float)} == {}
        assert {name: value for name, value in values.items() if not math.isfinite(value)} == {}

    def test_names_are_lower_case_words_that_can_be_metrics_below_system(self, source: SystemMetricSource) -> None:
        for name, value in source.read().items():
            assert re.fullmatch(r"[a-z][a-z0-9_]*", name), name
            check_metric(f"system/{name}", value, 0, 0)

    def test_sizes_and_shares_are_not_negative(self, source: SystemMetricSource) -> None:
        for name, value in source.read().items():
            low, high = RANGES.get(name.rpartition("_")[2], (-math.inf, math.inf))
            assert low <= value <= high, name

    def test_each_read_is_a_mapping_of_its_own(self, source: SystemMetricSource) -> None:
        first = source.read()
        before = dict(first)
        source.read()
        assert dict(first) == before

    def test_it_reads_the_same_names_again_and_again(self, source: SystemMetricSource) -> None:
        names = set(source.read())
        assert [set(source.read()) for _ in range(3)] == [names] * 3

    def test_totals_are_names_that_it_reads_and_never_fall(self, source: SystemMetricSource) -> None:
        first, second = source.read(), source.read()
        assert source.totals <= set(first)
        assert [name for name in source.totals if second[name] < first[name]] == []

    def test_reading_does_not_sleep_to_measure_a_rate(self, source: SystemMetricSource, monkeypatch: pytest.MonkeyPatch) -> None:
        slept: list[float] = []
        monkeypatch.setattr(time, "sleep", slept.append)
        source.read()
        source.read()
        assert slept == []

    def test_it_can_be_opened_and_read_in_a_thread(self, open_source: Callable[[], SystemMetricSource]) -> None:
        read: list[Mapping[str, float]] = []

        def work() -> None:
            source = open_source()
            read.append(source.read())
            source.close()

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert read
        assert read[0]

    def test_two_of_them_do_not_disturb_each_other(self, open_source: Callable[[], SystemMetricSource]) -> None:
        one, other = open_source(), open_source()
        names = set(one.read())
        other.read()
        other.close()
        assert set(one.read()) == names
        one.close()

    def test_it_can_be_opened_again_after_it_was_closed(self, open_source: Callable[[], SystemMetricSource]) -> None:
        for _ in range(2):
            source = open_source()
            assert source.read()
            source.close()

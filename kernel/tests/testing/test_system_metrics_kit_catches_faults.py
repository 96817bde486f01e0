"""Every promise of the kit for system metrics has teeth: for each way to get it wrong, a named test of the kit fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

import pytest

from drupe.extend import SystemMetricSource
from drupe.testing.system_metrics import SystemMetricsKit

from .kit_runner import Faults, call, check_mistyped_names_are_noticed, promises_of


class Correct(SystemMetricSource):
    """Counts its own reads; the broken ones below differ from it in one thing each."""

    totals: ClassVar = frozenset({"reads"})
    opened: ClassVar[int] = 0

    def __init__(self) -> None:
        self.reads = 0

    @classmethod
    def open(cls, settings: Any = None) -> Self:
        return cls()

    def read(self) -> Mapping[str, float]:
        self.reads += 1
        return {"reads": self.reads, "load_percentage": 12.5}


class TestCorrect(SystemMetricsKit):
    @pytest.fixture
    def open_source(self) -> Callable[[], SystemMetricSource]:
        return Correct.open


BROKEN = Faults()
caught_by = BROKEN.caught_by


@caught_by("test_it_reads_something_and_every_value_is_a_finite_number")
class ReadsNothing(Correct):
    totals: ClassVar = frozenset()

    def read(self) -> Mapping[str, float]:
        return {}


@caught_by("test_it_reads_something_and_every_value_is_a_finite_number")
class SaysNaNForWhatItCannotTell(Correct):
    def read(self) -> Mapping[str, float]:
        return {**super().read(), "load_percentage": float("nan")}


@caught_by("test_names_are_lower_case_words_that_can_be_metrics_below_system")
class NamesWithBlanks(Correct):
    def read(self) -> Mapping[str, float]:
        return {**super().read(), "Load in %": 1.0}


@caught_by("test_sizes_and_shares_are_not_negative")
class SaysMinusOneForUnknown(Correct):
    def read(self) -> Mapping[str, float]:
        return {**super().read(), "load_percentage": -1.0}


@caught_by("test_each_read_is_a_mapping_of_its_own")
class FillsTheSameDict(Correct):
    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, float] = {}

    def read(self) -> Mapping[str, float]:
        self.values.update(super().read())
        return self.values


@caught_by("test_it_reads_the_same_names_again_and_again")
class NumbersItsReads(Correct):
    def read(self) -> Mapping[str, float]:
        return {**super().read(), f"load_{self.reads}_percentage": 1.0}


@caught_by("test_totals_are_names_that_it_reads_and_never_fall")
class DeclaresATotalThatFalls(Correct):
    def read(self) -> Mapping[str, float]:
        return {**super().read(), "reads": -self.reads}


@caught_by("test_totals_are_names_that_it_reads_and_never_fall")
class DeclaresATotalThatItDoesNotRead(Correct):
    totals: ClassVar = frozenset({"writes"})


@caught_by("test_reading_does_not_sleep_to_measure_a_rate")
class SleepsToMeasure(Correct):
    def read(self) -> Mapping[str, float]:
        time.sleep(0.001)
        return super().read()


@caught_by("test_it_can_be_opened_and_read_in_a_thread")
class WantsTheMainThread(Correct):
    def read(self) -> Mapping[str, float]:
        return super().read() if threading.current_thread() is threading.main_thread() else {}


class _Shared(Correct):
    values: ClassVar[dict[str, float]]

    def read(self) -> Mapping[str, float]:
        return dict(self.values)


@caught_by("test_two_of_them_do_not_disturb_each_other")
class ClosesForAll(_Shared):
    totals: ClassVar = frozenset()

    def __init__(self) -> None:
        super().__init__()
        ClosesForAll.values = {"load_percentage": 1.0}

    def close(self) -> None:
        ClosesForAll.values = {}


@caught_by("test_it_can_be_opened_again_after_it_was_closed")
class ClosesForGood(_Shared):
    totals: ClassVar = frozenset()
    values: ClassVar = {"load_percentage": 1.0}

    def close(self) -> None:
        ClosesForGood.values = {}


@BROKEN.each()
def test_a_broken_source_is_caught_by_the_named_test(kind: type[Correct], test: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known: dict[str, Any] = {"open_source": kind.open, "source": kind.open(), "monkeypatch": monkeypatch}
    with pytest.raises((AssertionError, KeyError)):
        call(TestCorrect, test, **known)


def test_every_test_of_the_kit_catches_something() -> None:
    assert promises_of(SystemMetricsKit) == BROKEN.tests


def test_leaving_out_a_test_that_does_not_exist_is_noticed() -> None:
    check_mistyped_names_are_noticed(TestCorrect)

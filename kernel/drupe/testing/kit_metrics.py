"""The part of the tracking kit about metric series: which points are kept, the latest value, summaries, history, sampling."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import permutations

import pytest

from drupe.entities import LogBatch, Metric, MetricSummary, Points, Series
from drupe.errors import InvalidPageToken, InvalidValue
from drupe.extend.tracking_store import TrackingStore
from drupe.testing.kit import StoreKit, all_pages, log, new_run

__all__ = ["MetricTests"]

_NAN, _INF = math.nan, math.inf


def _history(store: TrackingStore, run_id: str, key: str = "loss") -> list[tuple[int, int, str]]:
    """(step, timestamp, value) of a metric's history; values as text, so that NaN equals NaN."""
    return [(point.step, point.timestamp, repr(point.value)) for point in store.metric_history(run_id, key)]


def _one_series(store: TrackingStore, run_id: str, *, buckets: int | None = None) -> Series:
    found = store.metric_bulk([run_id], ["loss"], buckets=buckets)
    assert [(series.run_id, series.key) for series in found] == [(run_id, "loss")]
    return found[0]


class MetricTests(StoreKit):
    # --- which points are kept

    def test_a_logged_point_is_read_back_whole(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        log(store, run_id, {"loss": [(3, 1234, 0.1)]})
        assert store.metric_history(run_id, "loss") == [Metric("loss", 0.1, 1234, 3, run_id)]
        assert store.get_run(run_id).data.metrics == {"loss": 0.1}

    def test_zero_is_a_value_a_time_and_a_step(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        log(store, run_id, {"loss": [(0, 0, 0.0)]})
        assert _history(store, run_id) == [(0, 0, "0.0")]
        assert store.get_run(run_id).data.metrics == {"loss": 0.0}

    def test_steps_may_be_negative_and_use_64_bits(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        log(store, run_id, {"loss": [(-(2**63), 1, 1.0), (-1, 2, 2.0), (2**63 - 1, 2**62, 3.0)]})
        assert _history(store, run_id) == [(-(2**63), 1, "1.0"), (-1, 2, "2.0"), (2**63 - 1, 2**62, "3.0")]
        assert store.get_run(run_id).data.metrics == {"loss": 3.0}

    def test_nan_is_kept_as_a_value(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        log(store, run_id, {"loss": [(0, 1, _NAN)], "acc": [(0, 1, 0.5), (1, 2, _NAN)]})
        metrics = store.get_run(run_id).data.metrics
        assert math.isnan(metrics["loss"])
        assert math.isnan(metrics["acc"])
        assert _history(store, run_id, "acc") == [(0, 1, "0.5"), (1, 2, "nan")]

    def test_infinities_are_kept_as_values(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        log(store, run_id, {"up": [(0, 1, _INF)], "down": [(0, 1, -_INF)]})
        assert store.get_run(run_id).data.metrics == {"up": _INF, "down": -_INF}
        assert _history(store, run_id, "down") == [(0, 1, "-inf")]

    def test_every_bit_of_a_float_is_kept(self, store: TrackingStore) -> None:
        values = [0.1 + 0.2, 1e-308, 5e-324, 1.7976931348623157e308, -1 / 3]
        run_id = new_run(store).info.run_id
        log(store, run_id, {"loss": [(step, step, value) for step, value in enumerate(values)]})
        assert [point.value for point in store.metric_history(run_id, "loss")] == values

    def test_the_same_point_again_is_dropped(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        log(store, run_id, {"loss": [(0, 1, 0.5), (0, 1, 0.5), (0, 1, _NAN)]})
        log(store, run_id, {"loss": [(0, 1, _NAN), (0, 1, 0.5)]})
        assert _history(store, run_id) == [(0, 1, "nan"), (0, 1, "0.5")]
        assert store.get_run(run_id).data.summaries["loss"].count == 2

    def test_a_point_that_differs_in_one_thing_is_kept(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        for point in [(0, 1, 0.5), (1, 1, 0.5), (0, 2, 0.5), (0, 1, 0.25)]:
            log(store, run_id, {"loss": [point]})
        assert _history(store, run_id) == [(0, 1, "0.25"), (0, 1, "0.5"), (1, 1, "0.5"), (0, 2, "0.5")]

    def test_nan_and_zero_at_one_place_are_two_points(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        log(store, run_id, {"loss": [(0, 1, _NAN), (0, 1, 0.0)]})
        assert _history(store, run_id) == [(0, 1, "0.0"), (0, 1, "nan")]

    def test_metric_names_differ_by_case_and_may_hold_signs(self, store: TrackingStore) -> None:
        names = ["loss", "Loss", "eval/f1 score", "a.b-c_d:e", "päron", "k" * 250]
        run_id = new_run(store).info.run_id
        log(store, run_id, {name: [(0, 1, float(number))] for number, name in enumerate(names)})
        assert store.get_run(run_id).data.metrics == {name: float(number) for number, name in enumerate(names)}

    # --- the latest value

    @pytest.mark.parametrize(
        ("points", "latest"),
        [
            ([(0, 9, 3.0), (1, 5, 2.0), (2, 1, 1.0)], 1.0),  # the step decides
            ([(1, 5, 9.0), (1, 7, 2.0), (0, 8, 5.0)], 2.0),  # then the time
            ([(1, 5, 2.0), (1, 5, 3.0), (1, 5, -4.0)], 3.0),  # then the value
            ([(1, 5, _NAN), (1, 5, -1.0), (0, 9, 7.0)], _NAN),  # NaN counts as 0: above -1
            ([(1, 5, _NAN), (1, 5, 1.0), (0, 9, 7.0)], 1.0),  # and below 1
            ([(-3, 5, 1.0), (-2, 4, 2.0), (-1, 3, 3.0)], 3.0),  # negative steps count upwards
            ([(1, 5, _INF), (1, 5, 1e308), (1, 5, -_INF)], _INF),
        ],
    )
    def test_the_latest_value_does_not_depend_on_the_order_of_arrival(
        self, store: TrackingStore, points: list[tuple[int, int, float]], latest: float
    ) -> None:
        for arrival in permutations(points):
            one_by_one, at_once = new_run(store).info.run_id, new_run(store).info.run_id
            for point in arrival:
                log(store, one_by_one, {"loss": [point]})
            log(store, at_once, {"loss": arrival})
            for run_id in (one_by_one, at_once):
                assert repr(store.get_run(run_id).data.metrics["loss"]) == repr(latest)

    # --- summaries

    def test_a_summary_tells_count_ends_extremes_and_mean(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        log(store, run_id, {"loss": [(2, 30, 1.0), (0, 10, 4.0)]})
        log(store, run_id, {"loss": [(1, 20, 7.0), (3, 40, 2.0)]})
        expected = MetricSummary(
            count=4, first=4.0, last=2.0, last_step=3, last_timestamp=40, min=1.0, max=7.0, mean=3.5, argmin=2, argmax=1
        )
        assert store.get_run(run_id).data.summaries == {"loss": expected}

    def test_a_summary_leaves_nan_out_of_extremes_and_mean_but_not_of_the_count(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        log(store, run_id, {"loss": [(0, 1, _NAN), (1, 2, 2.0), (2, 3, 4.0), (3, 4, _NAN)]})
        summary = store.get_run(run_id).data.summaries["loss"]
        assert (summary.count, summary.min, summary.max, summary.mean) == (4, 2.0, 4.0, 3.0)
        assert (summary.argmin, summary.argmax, summary.last_step) == (1, 2, 3)
        assert math.isnan(summary.first)
        assert math.isnan(summary.last)

    def test_a_summary_of_nothing_but_nan_has_no_extremes(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        log(store, run_id, {"loss": [(0, 1, _NAN), (1, 2, _NAN)]})
        summary = store.get_run(run_id).data.summaries["loss"]
        assert (summary.count, summary.argmin, summary.argmax) == (2, None, None)
        assert all(math.isnan(number) for number in (summary.first, summary.last, summary.min, summary.max, summary.mean))

    def test_a_summary_with_infinities_has_them_as_extremes(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        log(store, run_id, {"up": [(0, 1, 1.0), (1, 2, _INF)], "both": [(0, 1, _INF), (1, 2, 1.0), (2, 3, -_INF)]})
        summaries = store.get_run(run_id).data.summaries
        assert (summaries["up"].min, summaries["up"].max, summaries["up"].mean, summaries["up"].argmax) == (1.0, _INF, _INF, 1)
        assert (summaries["both"].min, summaries["both"].max, summaries["both"].argmin, summaries["both"].argmax) == (-_INF, _INF, 2, 0)
        assert math.isnan(summaries["both"].mean)

    def test_of_equal_extremes_the_lowest_step_is_told(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        for step in (3, 1, 2):
            log(store, run_id, {"loss": [(step, 9 - step, 5.0)]})
        summary = store.get_run(run_id).data.summaries["loss"]
        assert (summary.argmin, summary.argmax, summary.min, summary.max) == (1, 1, 5.0, 5.0)

    def test_a_repeated_point_counts_once_in_the_summary(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        for _ in range(3):
            log(store, run_id, {"loss": [(0, 1, 1.0), (1, 2, 4.0)]})
        summary = store.get_run(run_id).data.summaries["loss"]
        assert (summary.count, summary.mean) == (2, 2.5)

    # --- history

    def test_history_is_ordered_by_time_then_step_then_value(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        points = [(5, 1, 9.0), (0, 3, 1.0), (1, 2, 5.0), (0, 2, 7.0), (0, 2, _NAN), (0, 2, -7.0)]
        for point in points:
            log(store, run_id, {"loss": [point]})
        assert _history(store, run_id) == [
            (5, 1, "9.0"),
            (0, 2, "-7.0"),
            (0, 2, "nan"),
            (0, 2, "7.0"),
            (1, 2, "5.0"),
            (0, 3, "1.0"),
        ]

    def test_history_of_an_unknown_metric_or_run_is_empty(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        for page in (store.metric_history(run_id, "loss"), store.metric_history("unknown", "loss")):
            assert page == []
            assert page.token is None

    @pytest.mark.parametrize("limit", [1, 3, 10, 11])
    def test_pages_of_a_history_hold_each_point_once_in_order(self, store: TrackingStore, limit: int) -> None:
        run_id = new_run(store).info.run_id
        log(store, run_id, {"loss": [(step, step // 4, float(step)) for step in reversed(range(10))], "other": [(0, 0, 0.5)]})
        pages = all_pages(lambda token: store.metric_history(run_id, "loss", limit=limit, page_token=token))
        assert [point.step for page in pages for point in page] == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
        assert all(len(page) == limit for page in pages[:-1])
        assert pages[-1]

    def test_a_history_in_columns_is_the_same_page(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        log(store, run_id, {"loss": [(2, 5, 0.5), (1, 3, math.nan), (1, 3, -1.0), (0, 9, math.inf), (7, 3, 2.0)]})
        token, seen = None, []
        while True:
            points, following = store.history_columns(run_id, "loss", limit=2, page_token=token)
            page = store.metric_history(run_id, "loss", limit=2, page_token=token)
            assert [repr(point) for point in points] == [repr((one.step, one.timestamp, one.value)) for one in page]
            seen += list(points)
            token = following
            if token is None:
                break
        assert len(seen) == 5
        assert len(store.history_columns(run_id, "other")[0]) == len(store.history_columns("0" * 32, "loss")[0]) == 0

    def test_a_history_that_grows_between_pages_shows_no_point_twice(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        log(store, run_id, {"loss": [(step, 10 * step, 0.5) for step in range(1, 6)]})
        first = store.metric_history(run_id, "loss", limit=2)
        log(store, run_id, {"loss": [(0, 0, 0.5), (9, 90, 0.5)]})
        rest = store.metric_history(run_id, "loss", page_token=first.token)
        assert [point.step for point in [*first, *rest]] == [1, 2, 3, 4, 5, 9]

    def test_a_history_refuses_foreign_tokens_and_page_sizes(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        log(store, run_id, {"loss": [(step, 1, 0.5) for step in range(5)]})
        for token in ("garbage", "MTIz", "-1", "eyJvZmZzZXQiOiAwfQ==", "é"):
            with pytest.raises(InvalidPageToken):
                store.metric_history(run_id, "loss", page_token=token)
        for limit in (0, -1, 50_001):
            with pytest.raises(InvalidValue):
                store.metric_history(run_id, "loss", limit=limit)

    # --- many points

    def test_a_hundred_thousand_points_are_kept_and_summarised(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        points = Points.of((step, 1_000 + step, float(step % 1000)) for step in range(100_000))
        store.log_batch(run_id, LogBatch({"loss": points}))
        summary = store.get_run(run_id).data.summaries["loss"]
        assert (summary.count, summary.min, summary.max, summary.mean) == (100_000, 0.0, 999.0, 499.5)
        assert (summary.first, summary.last, summary.last_step, summary.argmin, summary.argmax) == (0.0, 999.0, 99_999, 0, 999)
        pages = all_pages(lambda token: store.metric_history(run_id, "loss", limit=40_000, page_token=token))
        assert [len(page) for page in pages] == [40_000, 40_000, 20_000]
        assert [point.step for page in pages for point in page] == list(range(100_000))

    def test_a_late_point_finds_its_place_among_many(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        even = Points.of((step, step, 1.0) for step in range(0, 6_000, 2))
        odd = Points.of((step, step, 2.0) for step in range(1, 6_000, 2))
        for part in (odd, even, even):
            store.log_batch(run_id, LogBatch({"loss": part}))
        assert [point.step for point in store.metric_history(run_id, "loss")] == list(range(6_000))
        summary = store.get_run(run_id).data.summaries["loss"]
        assert (summary.count, summary.first, summary.last, summary.mean) == (6_000, 1.0, 2.0, 1.5)

    # --- many series at once

    def test_bulk_gives_every_metric_of_every_run_sorted_by_step(self, store: TrackingStore) -> None:
        first, second = new_run(store).info.run_id, new_run(store).info.run_id
        log(store, first, {"loss": [(2, 1, 0.25), (0, 3, 1.0), (1, 2, 0.5)], "acc": [(0, 1, 0.75)]})
        log(store, second, {"loss": [(0, 1, 2.0)]})
        found = {(series.run_id, series.key): series for series in store.metric_bulk([first, second])}
        assert {place: list(series.points) for place, series in found.items()} == {
            (first, "loss"): [(0, 3, 1.0), (1, 2, 0.5), (2, 1, 0.25)],
            (first, "acc"): [(0, 1, 0.75)],
            (second, "loss"): [(0, 1, 2.0)],
        }
        assert not any(series.is_sampled for series in found.values())

    def test_bulk_leaves_unknown_runs_and_keys_out(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        log(store, run_id, {"loss": [(0, 1, 1.0)], "acc": [(0, 1, 2.0)]})
        found = store.metric_bulk([run_id, "unknown"], ["loss", "nothing"])
        assert [(series.run_id, series.key) for series in found] == [(run_id, "loss")]
        assert store.metric_bulk([]) == []
        assert store.metric_bulk([run_id], []) == []

    def test_bulk_keeps_a_short_series_whole(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        log(store, run_id, {"loss": [(step, step, float(step)) for step in range(12)]})
        series = _one_series(store, run_id, buckets=4)
        assert not series.is_sampled
        assert list(series.points.steps) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]

    @pytest.mark.parametrize("buckets", [1, 2, 10, 100])
    def test_a_sampled_series_keeps_every_spike_and_both_ends_of_the_values(self, store: TrackingStore, buckets: int) -> None:
        run_id = new_run(store).info.run_id
        spikes = {137: 1000.0, 2_500: -1000.0}
        log(store, run_id, {"loss": [(step, step, spikes.get(step, float(step % 7))) for step in range(3_000)]})
        series = _one_series(store, run_id, buckets=buckets)
        points = list(series.points)
        assert series.is_sampled
        assert len(points) <= 3 * buckets
        assert (137, 137, 1000.0) in points
        assert (2_500, 2_500, -1000.0) in points
        assert points[-1] == (2_999, 2_999, float(2_999 % 7))
        assert points == sorted(points)
        assert all(value == spikes.get(step, float(step % 7)) for step, _, value in points)

    def test_a_sampled_series_keeps_the_lowest_highest_and_last_point_of_each_range_of_steps(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        values = [5.0, 9.0, 1.0, 4.0, 3.0, 2.0, 7.0, 6.0]  # steps 0-3 and 4-7
        log(store, run_id, {"loss": [(step, step, value) for step, value in enumerate(values)]})
        points = list(_one_series(store, run_id, buckets=2).points)
        assert points == [(1, 1, 9.0), (2, 2, 1.0), (3, 3, 4.0), (5, 5, 2.0), (6, 6, 7.0), (7, 7, 6.0)]

    def test_a_sampled_series_with_nan_still_shows_its_numbers(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        log(store, run_id, {"loss": [(step, step, _NAN if step != 5 else 2.0) for step in range(100)]})
        points = list(_one_series(store, run_id, buckets=3).points)
        assert (5, 5, 2.0) in points
        assert points[-1][0] == 99
        assert len(points) <= 9

    def test_a_sampled_series_of_one_step_is_one_range(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        log(store, run_id, {"loss": [(0, time, float((time * 7) % 50)) for time in range(50)]})
        points = list(_one_series(store, run_id, buckets=5).points)
        assert sorted(value for _, _, value in points) == [0.0, 43.0, 49.0]

    def test_ranges_of_steps_begin_at_multiples_of_their_width_and_so_stay_as_the_series_grows(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        log(store, run_id, {"loss": [(step, 0, float((step * 7) % 5)) for step in range(-3, 90)]})
        before = list(_one_series(store, run_id, buckets=9).points)  # ranges of 16 steps, of which the first holds 3
        assert [before[0][0], before[-1][0]] == [-3, 89]
        log(store, run_id, {"loss": [(step, 0, 2.0) for step in range(90, 128)]})
        after = list(_one_series(store, run_id, buckets=9).points)
        assert [point for point in after if point[0] < 80] == [point for point in before if point[0] < 80]
        lasts = [step for step in (-1, 15, 31, 47, 63, 79, 95, 111, 127) if step not in {point[0] for point in after}]
        assert lasts == []

    def test_one_range_may_hold_steps_of_both_signs(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        log(store, run_id, {"loss": [(step, 0, float(step % 4)) for step in (-(2**63), -2, -1, 0, 1, 2**63 - 1)]})
        assert [step for step, _, _ in _one_series(store, run_id, buckets=1).points] == [-(2**63), -1, 2**63 - 1]

    # --- ranges of steps

    def test_bulk_gives_only_the_points_between_the_steps_asked_for(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        log(store, run_id, {"loss": [(step, 0, 0.5) for step in range(-5, 6)], "acc": [(3, 0, 0.5)]})

        def steps(first: int | None, last: int | None) -> dict[str, list[int]]:
            found = store.metric_bulk([run_id], first_step=first, last_step=last)
            return {series.key: list(series.points.steps) for series in found}

        assert steps(-2, 1) == {"loss": [-2, -1, 0, 1]}
        assert steps(3, None) == {"loss": [3, 4, 5], "acc": [3]}
        assert steps(None, -4) == {"loss": [-5, -4]}
        assert steps(4, 4) == {"loss": [4]}
        assert steps(6, None) == steps(None, -6) == steps(2, 1) == {}

    def test_a_sampled_range_is_cut_as_finely_as_its_own_steps_allow(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        log(store, run_id, {"loss": [(step, 0, float(step % 11)) for step in range(4_000)]})
        (series,) = store.metric_bulk([run_id], ["loss"], buckets=8, first_step=1_024, last_step=1_151)
        steps = list(series.points.steps)
        assert series.is_sampled
        assert len(steps) <= 24
        lasts = range(1_039, 1_152, 16)
        assert [step for step in lasts if step not in steps] == []

    def test_a_range_of_few_points_is_not_sampled(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        log(store, run_id, {"loss": [(step, 0, 0.5) for step in range(4_000)]})
        (series,) = store.metric_bulk([run_id], ["loss"], buckets=4, first_step=3_988, last_step=9_999)
        assert not series.is_sampled
        assert list(series.points.steps) == list(range(3_988, 4_000))

    def test_a_range_that_begins_and_ends_with_buckets_has_the_spikes_inside_and_none_from_outside(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        spikes = {2_047: 9.0, 2_048: 8.0, 5_000: -7.0, 9_215: 6.0, 9_216: 9.0}
        log(store, run_id, {"loss": [(step, 0, spikes.get(step, step % 11 / 11)) for step in range(10_000)]})
        (series,) = store.metric_bulk([run_id], ["loss"], buckets=14, first_step=2_048, last_step=9_215)
        found = {step: value for step, _, value in series.points}
        assert series.is_sampled
        assert {step: value for step, value in found.items() if abs(value) > 1} == {2_048: 8.0, 5_000: -7.0, 9_215: 6.0}
        assert [step for step in range(2_559, 9_216, 512) if step not in found] == []
        assert (len(found) <= 42, min(found), max(found)) == (True, 2_048, 9_215)

    def test_a_range_of_few_points_among_many_that_begins_and_ends_with_buckets_is_not_sampled(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        steps = [*range(0, 200_000, 2_048), *range(200_000, 204_000)]
        log(store, run_id, {"loss": [(step, 0, 0.5) for step in steps]})
        (series,) = store.metric_bulk([run_id], ["loss"], buckets=23, first_step=0, last_step=12 * 8_192 - 1)
        assert not series.is_sampled
        assert list(series.points.steps) == list(range(0, 12 * 8_192, 2_048))

    def test_a_number_of_buckets_below_1_is_refused(self, store: TrackingStore) -> None:
        for buckets in (0, -1):
            with pytest.raises(InvalidValue):
                store.metric_bulk(["unknown"], buckets=buckets)

    # --- lasting

    def test_series_outlive_the_opened_store_and_go_on_growing(self, store: TrackingStore, reopen: Callable[[], TrackingStore]) -> None:
        run_id = new_run(store).info.run_id
        log(store, run_id, {"loss": [(step, step, float(step)) for step in range(2_000)]})
        again = reopen()
        log(again, run_id, {"loss": [(1_999, 1_999, 1_999.0), (2_000, 2_000, -_INF)]})
        summary = again.get_run(run_id).data.summaries["loss"]
        assert (summary.count, summary.last, summary.min, summary.max) == (2_001, -_INF, -_INF, 1_999.0)
        assert [point.step for point in again.metric_history(run_id, "loss")] == list(range(2_001))

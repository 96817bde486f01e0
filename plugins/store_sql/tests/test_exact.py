"""Exact totals."""

from __future__ import annotations

import math
from fractions import Fraction

from hypothesis import given, strategies as st

from drupe_store_sql.exact import EMPTY, add, mean

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(FINITE, min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_the_total_is_the_same_in_every_order_and_grouping(values: list[float], chance: object) -> None:
    at_once = add(EMPTY, values)
    one_by_one = EMPTY
    chance.shuffle(values)  # type: ignore[attr-defined]
    for value in values:
        one_by_one = add(one_by_one, [value])
    assert mean(one_by_one, len(values)) == mean(at_once, len(values))


@given(st.lists(FINITE, min_size=1, max_size=30))
def test_the_mean_is_that_of_exact_arithmetic_but_for_one_rounding(values: list[float]) -> None:
    exact = sum(map(Fraction, values), Fraction(0)) / len(values)
    found = mean(add(EMPTY, values), len(values))
    assert math.isclose(found, float(exact), rel_tol=4e-16, abs_tol=1e-323)


def test_sums_beyond_the_largest_double_still_have_a_mean() -> None:
    total = add(add(EMPTY, [1.7e308] * 3), [1.7e308])
    assert mean(total, 4) == 1.7e308
    assert mean(add(total, [-1.7e308] * 4 + [5.0]), 9) == 5.0 / 9


def test_a_mean_is_the_same_whether_or_not_its_total_was_beyond_the_largest_double_on_the_way() -> None:
    largest, before, far = 1.7976931348623157e308, 1.7976931348623155e308, 1.960412428211216e292
    beyond, within = EMPTY, EMPTY
    for value in (far, largest, -1.0, -before):
        beyond = add(beyond, [value])
    for value in (largest, -before, far, -1.0):
        within = add(within, [value])
    assert (len(beyond) % 8, len(within) % 8) == (1, 0)
    assert [mean(beyond, count) for count in range(1, 200)] == [mean(within, count) for count in range(1, 200)]


def test_a_total_of_a_million_ordinary_values_takes_a_few_bytes() -> None:
    total = EMPTY
    for start in range(100):
        total = add(total, [(start * 1000 + n) * 0.001 for n in range(1000)])
    assert len(total) <= 32

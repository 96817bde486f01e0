"""How much a param tells of a metric, against SciPy where it knows the measure."""

from __future__ import annotations

import math
import random

import pytest

from drupe_ui_web.importance import BINS, eta_squared, groups_of, importance_of, ranks, spearman

stats = pytest.importorskip("scipy.stats")


def test_ranks_are_those_of_scipy_where_values_tie() -> None:
    values = [3.0, 1.0, 3.0, 2.0, 1.0, 1.0]
    assert ranks(values) == list(stats.rankdata(values))


@pytest.mark.parametrize("seed", range(5))
def test_correlation_is_that_of_scipy(seed: int) -> None:
    chance = random.Random(seed)
    one = [float(chance.randrange(12)) for _ in range(60)]
    other = [value + chance.gauss(0, 4) for value in one]
    assert spearman(one, other) == pytest.approx(stats.spearmanr(one, other).statistic, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_eta_squared_of_ranks_is_kruskals_h_over_n_less_one(seed: int) -> None:
    chance = random.Random(seed)
    groups = [chance.randrange(4) for _ in range(50)]
    values = [float(round(group + chance.gauss(0, 1.5))) for group in groups]
    members = [[value for value, own in zip(values, groups, strict=True) if own == group] for group in sorted(set(groups))]
    expected = stats.kruskal(*members).statistic / (len(values) - 1)
    assert eta_squared(ranks(values), groups) == pytest.approx(expected, abs=1e-12)


def test_a_param_that_decides_the_metric_has_the_strength_one() -> None:
    told = importance_of(["a", "b", "c"] * 10, [1.0, 2.0, 3.0] * 10)
    assert told is not None
    assert told.strength == pytest.approx(1.0)
    assert (told.correlation, told.runs, told.groups) == (None, 30, 3)


def test_a_falling_number_has_a_negative_correlation_and_a_hump_has_strength_without_one() -> None:
    numbers = [str(n) for n in range(64)]
    falling = importance_of(numbers, [-float(n) for n in range(64)])
    hump = importance_of(numbers, [-((n - 31.5) ** 2) for n in range(64)])
    assert falling is not None
    assert hump is not None
    assert falling.correlation == pytest.approx(-1.0)
    assert hump.correlation == pytest.approx(0.0, abs=1e-9)
    assert hump.strength > 0.8
    assert hump.groups == BINS


def test_chance_alone_tells_nothing_whatever_the_number_of_groups() -> None:
    chance = random.Random(0)
    strengths = []
    for _ in range(60):
        told = importance_of([f"g{chance.randrange(20)}" for _ in range(60)], [chance.random() for _ in range(60)])
        assert told is not None
        strengths.append(told.strength)
    assert sum(strengths) / len(strengths) < 0.08


def test_a_param_that_is_different_in_every_run_tells_nothing() -> None:
    told = importance_of(["a", "b", "c", "d"], [1.0, 2.0, 3.0, 4.0])
    assert told is not None
    assert told.strength == 0.0


@pytest.mark.parametrize(
    ("param", "metric"),
    [
        (["1", "2"], [1.0, 2.0]),
        (["1", "1", "1"], [1.0, 2.0, 3.0]),
        (["1", "2", "3"], [5.0, 5.0, 5.0]),
        (["1", "2", "3", "4"], [1.0, math.nan, None, math.inf]),
    ],
)
def test_too_little_is_no_importance(param: list[str], metric: list[float | None]) -> None:
    assert importance_of(param, metric) is None


def test_bins_of_many_numbers_hold_about_as_many_each_and_equals_stay_together() -> None:
    groups = groups_of([float(n // 2) for n in range(160)])
    assert [groups.count(n) for n in range(BINS)] == [20] * BINS
    assert all(groups[n] == groups[n + 1] for n in range(0, 160, 2))

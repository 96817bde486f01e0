"""What is done here for servers that cannot: thinning, requests within limits, walking pages, cutting filters. Against oracles, without a server."""

from __future__ import annotations

import math
import random

import pytest

from drupe.entities import Experiment, LogBatch, ModelPoints, Page, Points
from drupe.errors import InvalidPageToken, UnsupportedFeature
from drupe.search import Kind, parse
from drupe.testing.memory_series import bucket_width, sample
from drupe_store_http.batches import _pieces
from drupe_store_http.dialect import asked_of
from drupe_store_http.series import series_points
from drupe_store_http.servers import Server, server_at
from drupe_store_http.walking import WALK_MOST, walked
from plugins.store_http.tests.test_link import Told, link, told

__all__ = ["link", "told"]

TWO, THREE = Server(release=(2, 22)), Server(release=(3, 17), has_logged_models=True)


@pytest.mark.parametrize("seed", range(20))
def test_a_series_is_thinned_as_every_store_does_it(seed: int) -> None:
    chance = random.Random(seed)
    points = {(chance.randrange(-500, 3000), chance.randrange(5), chance.choice([chance.gauss(0, 1), 0.0, math.inf])) for _ in range(400)}
    buckets = chance.choice([1, 3, 10, 100])
    ordered = sorted(points)
    found, is_sampled = series_points(points, buckets=buckets, first_step=None, last_step=None)
    expected = sample(ordered, bucket_width(ordered[0][0], ordered[-1][0], buckets)) if len(ordered) > 3 * buckets else ordered
    assert list(found) == expected
    assert is_sampled is (len(ordered) > 3 * buckets)


@pytest.mark.parametrize(
    ("points", "params", "tags"), [(0, 0, 0), (2500, 250, 150), (1000, 0, 100), (0, 101, 0), (999, 1, 0), (901, 100, 100)]
)
def test_every_request_is_within_the_limits_and_nothing_is_left_out(points: int, params: int, tags: int) -> None:
    columns = Points.of((step, step, step / 8) for step in range(points))
    batch = LogBatch(
        {"loss": columns},
        {f"p{number}": "1" for number in range(params)},
        {f"t{number}": "1" for number in range(tags)},
        (ModelPoints("m-1", "acc", Points.of([(0, 1, math.nan)]), "iris"),) if points else (),
    )
    pieces = list(_pieces("r", batch, {"place": "9"}))
    for piece in pieces:
        sizes = (len(piece.metrics), len(piece.params), len(piece.tags))
        assert all(size <= most for size, most in zip(sizes, (1000, 100, 100), strict=True))
        assert sum(sizes) <= 1000
    metrics = [one for piece in pieces for one in piece.metrics]
    assert [one["step"] for one in metrics if one["key"] == "loss"] == list(range(points))
    assert [one for one in metrics if one["key"] == "acc"] == (
        [{"key": "acc", "value": "NaN", "timestamp": 1, "step": 0, "model_id": "m-1", "dataset_name": "iris"}] if points else []
    )
    assert [one.key for piece in pieces for one in piece.params] == [f"p{number}" for number in range(params)]
    assert [one.key for piece in pieces for one in piece.tags] == [*(f"t{number}" for number in range(tags)), "place"]
    assert pieces[-1].tags[-1].key == "place"


def test_a_walk_that_finds_nothing_for_long_is_refused() -> None:
    asked: list[str | None] = []

    def fetch(size: int, token: str | None) -> tuple[list[Experiment], str | None]:
        asked.append(token)
        start = int(token or 0)
        return [Experiment(str(number), f"e{number}", "") for number in range(start, start + size)], str(start + size)

    rest = parse(Kind.EXPERIMENTS, "name = 'none'").where
    with pytest.raises(UnsupportedFeature, match="50000"):
        walked(fetch, rest, search="x", limit=10, token=None)
    assert len(asked) == WALK_MOST // 1000


def test_a_token_of_a_walk_goes_on_within_a_page_and_belongs_to_its_search() -> None:
    def fetch(size: int, token: str | None) -> tuple[list[Experiment], str | None]:
        return [Experiment(str(number), f"e{number}", "") for number in range(10)], None

    rest = parse(Kind.EXPERIMENTS, "name LIKE 'e%' OR name = 'x'").where
    found: list[str] = []
    token = None
    while True:
        page: Page[Experiment] = walked(fetch, rest, search="x", limit=3, token=token)
        found += [one.name for one in page]
        token = page.token
        if token is None:
            break
    assert found == [f"e{number}" for number in range(10)]
    of_x = walked(fetch, rest, search="x", limit=3, token=None).token
    with pytest.raises(InvalidPageToken):
        walked(fetch, rest, search="y", limit=3, token=of_x)


@pytest.mark.parametrize(
    ("filter", "server", "sent", "is_all"),
    [
        ("metrics.loss < 1 AND params.a = 'x'", TWO, "metrics.loss < 1.0 AND params.a = 'x'", True),
        ("metrics.loss < 1 OR params.a = 'x'", THREE, "", False),
        ("metrics.loss < 1 AND NOT params.a = 'x'", THREE, "metrics.loss < 1.0", False),
        ("params.a IS NULL", THREE, "params.a IS NULL", True),
        ("params.a IS NULL", TWO, "", False),
        ("metrics.loss.min < 1", THREE, "metrics.`loss.min` < 1.0", True),
        ("metrics.loss < 1e+20", THREE, "", False),
        ("metrics.loss = inf", THREE, "", False),
        ("status IN ('FAILED') AND run_id IN ('a', 'b')", TWO, "run_id IN ('a', 'b')", False),
        ("start_time > 5 AND end_time IS NULL", THREE, "start_time > 5", False),
    ],
)
def test_a_filter_is_cut_into_what_the_server_knows_and_the_rest(filter: str, server: Server, sent: str, is_all: bool) -> None:
    asked = asked_of(parse(Kind.RUNS, filter), server)
    assert asked.filter == sent
    assert (asked.rest is None) is is_all
    assert asked.order_by == ()


def test_what_is_no_tracking_server_is_told_so(told: Told, link: object) -> None:
    with pytest.raises(UnsupportedFeature, match="no tracking server"):
        server_at(link)  # type: ignore[arg-type]

"""The largest queries that the parser lets through are within the limits of SQLite, and mean what the oracle says."""

from __future__ import annotations

import pytest

from drupe.entities import LogBatch, NewRun, Points
from drupe.search import Kind, parse
from drupe.search.match import find
from drupe_store_sqlite.stores import SqliteTrackingStore

KEYS = [f"m{n}" for n in range(40)]

QUERIES = {
    "500 AND": (" AND ".join(f"metrics.m{n % 40} >= {n // 40 - 20}" for n in range(500)), []),
    "500 OR": (" OR ".join(f"metrics.m{n % 40} = {n}" for n in range(500)), []),
    "500 params": (" AND ".join(f"params.m{n % 40} != '{n}'" for n in range(500)), []),
    "100 parentheses": ("(" * 100 + "metrics.m1 > 0" + ")" * 100, []),
    "99 NOT": ("NOT (" * 99 + "metrics.m1 > 0" + ")" * 99, []),
    "10000 listed": (f"run_id IN ({', '.join(repr(f'r{n}') for n in range(10_000))})", []),
    "20 sort keys of two joins each": (
        " AND ".join(f"metrics.m{n} >= 0" for n in range(30)),
        [f"metrics.m{n}.min DESC" for n in range(20)],
    ),
}


@pytest.fixture
def filled(store: SqliteTrackingStore) -> SqliteTrackingStore:
    for number in range(6):
        store.create_run(NewRun("0", run_id=f"r{number}", start_time=number))
        metrics = {key: Points.of([(0, 0, float(number + place % 3))]) for place, key in enumerate(KEYS) if number % 2 or place % 7}
        shadows = {f"m{n}.min": Points.of([(0, 0, float(n * number % 5))]) for n in range(20) if (n + number) % 3}
        store.log_batch(f"r{number}", LogBatch({**metrics, **shadows}, {key: str(number) for key in KEYS}))
    return store


@pytest.mark.parametrize("name", QUERIES)
@pytest.mark.parametrize("few", [0, 2000])
def test_the_largest_queries_find_what_the_oracle_finds(
    filled: SqliteTrackingStore, monkeypatch: pytest.MonkeyPatch, name: str, few: int
) -> None:
    monkeypatch.setattr("drupe_store_sql.walks.FEW", few)
    query = parse(Kind.RUNS, *QUERIES[name])
    everything = filled.search_runs(parse(Kind.RUNS), experiment_ids=None)
    found = []
    page = filled.search_runs(query, experiment_ids=["0"], limit=2)
    found += page
    while page.token:
        page = filled.search_runs(query, experiment_ids=["0"], limit=2, page_token=page.token)
        found += page
    assert [run.info.run_id for run in found] == [run.info.run_id for run in find(query, everything)]

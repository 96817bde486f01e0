"""How PostgreSQL finds things in a store of forty thousand runs: pages of runs and all else by an index, never through a whole table."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from attrs import frozen
from sqlalchemy.engine import Connection

from drupe.search import Kind, parse
from drupe.uris import Uri
from drupe_store_postgres.settings import PostgresSettings
from drupe_store_postgres.stores import PostgresTrackingStore
from drupe_store_sql.session import Session

RUNS = 40_000
SMALL = {"keys", "experiments", "experiment_tags", "drupe_schema", "datasets", "inputs", "input_tags", "heartbeats", "origins"}
SMALL |= {
    "logged_models",
    "logged_model_ties",
    "logged_model_metrics",
    "logged_model_params",
    "logged_model_tags",
}  # empty, so an index is no help


@frozen
class Search:
    """A search, and which index of which table it must use; None where most of the runs are read and sorted."""

    filter: str
    order: tuple[str, ...]
    index: str | None


SEARCHES = {
    "newest": Search("", (), "runs_by_experiment"),
    "a rare value of a metric": Search("metrics.loss < 0.001", (), "series_by_last"),
    "a common value of a metric": Search("metrics.loss < 5", (), "runs_by_experiment"),
    "a rare param": Search("params.seed = '77'", (), "params_by_value"),
    "a common param": Search("params.model = 'mlp'", (), "params_by_value"),
    "a common tag": Search("tags.team = 'risk'", (), "tags_by_value"),
    "the beginning of a param": Search("params.lr LIKE '0.0101%'", (), "params_by_value"),
    "a metric and a param": Search("metrics.loss < 5 AND params.model = 'mlp'", (), "params_by_value"),
    "by a metric": Search("", ("metrics.acc DESC",), "series_by_last"),
    "by a metric, upwards": Search("", ("metrics.acc",), "series_by_last"),
    "by a metric, with a filter on it": Search("metrics.acc > 0.01", ("metrics.acc",), "series_by_last"),
    "by a metric that none has": Search("", ("metrics.nothing",), "runs_by_experiment"),
    "by name": Search("", ("run_name",), "runs_by_name"),
    "by end": Search("", ("end_time DESC",), "runs_by_end"),
    "by status": Search("", ("status",), "runs_by_status"),
    "by id": Search("", ("run_id",), "runs_run_id_key"),
    "any text in a param": Search("params.data LIKE '%fig%'", (), "runs_by_experiment"),
    "a dataset": Search("datasets.name = 'iris'", (), None),
}


@pytest.fixture(scope="module")
def big(server: Any, population: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresTrackingStore]:
    name = server.new_database()
    store = PostgresTrackingStore.open(
        Uri.parse(server.address(name), user_info=True), PostgresSettings(artifact_root=str(tmp_path_factory.mktemp("artifacts")))
    )
    with server.connect(name) as connection:
        population.populate(connection, RUNS)
    yield store
    store.close()
    server.drop(name)


@pytest.fixture
def plans(big: PostgresTrackingStore, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Each statement that runs from now on with its plan."""
    seen: list[tuple[str, str]] = []
    run, execute = Session._run, Connection.execute

    def explain(driver: Any, sql: str, values: Any) -> None:
        if sql.lstrip().startswith(("SELECT", "UPDATE", "DELETE")):
            rows = driver.execute(f"EXPLAIN {sql}", values).fetchall()
            seen.append((sql, "\n".join(row[0] for row in rows)))

    def noting_run(session: Session, statement: Any, values: Any) -> None:
        prepared = session._prepared(statement, values)
        explain(session.driver, prepared.sql, prepared.line_up(values))
        run(session, statement, values)

    def noting_execute(connection: Connection, statement: Any, parameters: Any = None, **options: Any) -> Any:
        if not isinstance(statement, str):
            compiled = statement.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
            explain(connection.connection.driver_connection, str(compiled), {**compiled.params, **(parameters or {})})
        return execute(connection, statement, parameters, **options)

    monkeypatch.setattr(Session, "_run", noting_run)
    monkeypatch.setattr(Connection, "execute", noting_execute)
    return seen


def scanned(plan: str) -> set[str]:
    """Tables that a plan reads from one end to the other; not where it counts and stops early, which most rows are good for."""
    if re.match(r"Aggregate .*\n  ->  Limit ", plan):
        return set()
    return set(re.findall(r"Seq Scan on (\w+)", plan)) - SMALL


@pytest.mark.parametrize("name", SEARCHES)
def test_a_page_of_runs_is_found_by_an_index(big: PostgresTrackingStore, plans: list[tuple[str, str]], name: str) -> None:
    search = SEARCHES[name]
    query = parse(Kind.RUNS, search.filter, search.order)
    page = big.search_runs(query, experiment_ids=["1"], limit=50)
    found = [plan for sql, plan in plans if "value_0" in sql]
    assert search.index is None or any(search.index in plan for plan in found), "\n\n".join(found)
    if page.token:
        big.search_runs(query, experiment_ids=["1"], limit=50, page_token=page.token)
    assert [scanned(plan) for _, plan in plans if scanned(plan)] == []


QUESTIONS: dict[str, Callable[[PostgresTrackingStore, str], Any]] = {
    "a run": lambda store, run: store.get_run(run),
    "a history": lambda store, run: store.metric_history(run, "loss"),
    "whole series": lambda store, run: store.metric_bulk([run]),
    "a chart": lambda store, run: store.metric_bulk([run], ["loss"], buckets=10),
    "heartbeats": lambda store, run: store.heartbeats([run]),
    "a new tag": lambda store, run: store.update_run(run, run_name="renamed"),
    "an experiment by name": lambda store, _: store.get_experiment_by_name("population"),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_no_other_question_reads_a_whole_table(big: PostgresTrackingStore, plans: list[tuple[str, str]], name: str) -> None:
    run_id = big.search_runs(parse(Kind.RUNS), experiment_ids=["0"], limit=1)[0].info.run_id
    plans.clear()
    QUESTIONS[name](big, run_id)
    assert plans
    assert [scanned(plan) for _, plan in plans if scanned(plan)] == []


def test_counting_by_a_rare_value_reads_an_index(big: PostgresTrackingStore, plans: list[tuple[str, str]]) -> None:
    assert big.count_runs(parse(Kind.RUNS, "params.seed = '77'"), experiment_ids=["1"]) == 1
    assert [scanned(plan) for _, plan in plans if scanned(plan)] == []

"""How SQLite goes about every kind of question: by which index it begins, what it sorts, and how much work a page deep in a list takes.

The store has three thousand runs, and the limits that decide are lowered, so that the plans are those of a store of a million.
Statements are explained with their values bound, as they are run: with the values written into them SQLite may choose otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field, frozen
from sqlalchemy import event

from drupe.entities import Dataset, DatasetInput, LogBatch, ModelOutput, ModelPoints, NewLoggedModel, NewRun, Points, Stat, ViewType
from drupe.extend import TrackingStore
from drupe.search import Entity, Field, Kind, ModelOrder, OnDataset, Query, parse, parse_logged_models
from drupe.search.match import find
from drupe.uris import Uri
from drupe_store_sql.session import Session
from drupe_store_sqlite.stores import SqliteRegistryStore, SqliteTrackingStore

RUNS = 3000
BIG = (
    "runs",
    "params",
    "tags",
    "series",
    "chunks",
    "inputs",
    "experiments",
    "versions",
    "models",
    "logged_models",
    "logged_model_tags",
    "logged_model_params",
    "logged_model_metrics",
    "logged_model_ties",
)
ONE = ("1",)


@pytest.fixture(scope="module")
def file(population: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file: Path = tmp_path_factory.mktemp("plans") / "plans.db"
    population.build(file, RUNS, seed=5)
    tracking = SqliteTrackingStore.open(Uri.parse(f"sqlite:///{file}"))
    for number in range(3):
        run_id = tracking.create_run(NewRun("0", start_time=number, tags={"note": "x" * 100})).info.run_id
        tracking.log_inputs(run_id, [DatasetInput(Dataset("iris", str(number)))])
        for step in range(0, 3000, 600):
            tracking.log_batch(run_id, LogBatch({"loss": Points.of((step + n, 0, 0.5) for n in range(600))}))
        tracking.create_logged_model(NewLoggedModel("0", f"m-{number:032d}", f"pie {number}", "tree", run_id, {"t": "x"}, {"p": "1"}))
        tracking.log_outputs(run_id, [ModelOutput(f"m-{number:032d}")])
        of_model = ModelPoints(f"m-{number:032d}", "loss", Points.of([(0, 0, 0.25)]), "iris", str(number))
        tracking.log_batch(run_id, LogBatch(model_points=(of_model,)))
    tracking.close()
    registry = SqliteRegistryStore.open(Uri.parse(f"sqlite:///{file}"))
    for name in ("churn", "iris"):
        registry.create_registered_model(name, tags={"team": "risk"})
        for number in range(3):
            registry.create_model_version(name, f"/models/{number}", run_id=f"r{number}", tags={"n": str(number)})
    registry.set_alias("iris", "champion", "2")
    registry.close()
    return file


@pytest.fixture
def tracking(file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqliteTrackingStore]:
    monkeypatch.setattr("drupe_store_sql.walks.FEW", 50)
    monkeypatch.setattr("drupe_store_sql.walks.WORTH", 0.05)
    store = SqliteTrackingStore.open(Uri.parse(f"sqlite:///{file}"))
    yield store
    store.close()


@pytest.fixture
def registry(file: Path) -> Iterator[SqliteRegistryStore]:
    store = SqliteRegistryStore.open(Uri.parse(f"sqlite:///{file}"))
    yield store
    store.close()


@define
class Watched:
    """The statements that ran, with their values, and the steps of their plans."""

    store: SqliteTrackingStore | SqliteRegistryStore
    statements: list[tuple[str, Any]] = field(factory=list)

    def plans(self) -> list[list[str]]:
        with self.store._database.read() as session:
            return [
                [step for *_, step in session.driver.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
                for statement, values in self.statements
            ]

    def scans(self) -> list[str]:
        """Steps that read a whole table or index of those that grow."""
        return [step for plan in self.plans() for step in plan if re.match(rf"SCAN ({'|'.join(BIG)})(_\d+)?\b", step)]


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Any], Watched]]:
    ended: list[Callable[[], None]] = []

    def start(store: Any) -> Watched:
        watched = Watched(store)
        run = Session._run

        def note_run(session: Session, statement: Any, values: Any) -> None:
            prepared = session._prepared(statement, values)
            watched.statements.append((prepared.sql, prepared.line_up(values)))
            run(session, statement, values)

        def note_search(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
            watched.statements.append((statement, parameters))

        monkeypatch.setattr(Session, "_run", note_run)
        engine = store._database._engine
        event.listen(engine, "before_cursor_execute", note_search)
        ended.append(lambda: event.remove(engine, "before_cursor_execute", note_search))
        return watched

    yield start
    for end in ended:
        end()


@frozen
class Search:
    """A search of runs, and how its first and second page begin; `sorts` where all that is found must be sorted."""

    filter: str
    order: tuple[str, ...]
    first: str
    second: str | None = None
    sorts: bool = False
    experiments: tuple[str, ...] | None = ONE
    view: ViewType = ViewType.ACTIVE_ONLY


NEWEST = "runs_by_experiment (experiment=? AND is_deleted=?)"
NEWEST_ON = "runs_by_experiment (experiment=? AND is_deleted=? AND start_ms<?)"
STARTED, STARTED_ON = "runs_by_start (is_deleted=?)", "runs_by_start (is_deleted=? AND start_ms<?)"
EQUAL, EQUAL_ON = "params_by_value (key=? AND <expr>=?)", "params_by_value (key=? AND <expr>=? AND start_ms<?)"
ALONG = "series_by_last (key=? AND last>?)"
TIED = "series_by_last (key=? AND last=? AND start_ms<?)"

SEARCHES = {
    "the newest": Search("", (), NEWEST, NEWEST_ON),
    "the newest of all": Search("", (), STARTED, STARTED_ON, experiments=None),
    "the newest of two experiments": Search("", (), NEWEST, NEWEST_ON, experiments=("0", "1")),
    "the newest of many experiments": Search("", (), STARTED, STARTED_ON, experiments=tuple(map(str, range(20)))),
    "the newest, deleted or not": Search("", (), NEWEST, NEWEST_ON, view=ViewType.ALL),
    "the newest of all, deleted or not": Search("", (), STARTED, STARTED_ON, experiments=None, view=ViewType.ALL),
    "the newest deleted of all": Search("", (), STARTED, STARTED_ON, experiments=None, view=ViewType.DELETED_ONLY),
    "the oldest": Search("", ("start_time",), NEWEST, NEWEST_ON.replace("<", ">")),
    "since a time": Search("start_time > 1750000000500", (), NEWEST_ON.replace("<", ">"), NEWEST_ON.replace("<?", ">? AND start_ms<?")),
    "one run": Search("run_id = 'abc'", (), "sqlite_autoindex_runs_1 (run_id=?)", sorts=True),
    "the beginning of an id": Search("run_id LIKE 'a0%'", (), "sqlite_autoindex_runs_1 (run_id>? AND run_id<?)", sorts=True),
    "one name": Search("run_name = 'brave-fig-7'", (), "runs_by_name (name=?)"),
    "the beginning of a name": Search("run_name LIKE 'brave-fig-10%'", (), "runs_by_name (name>? AND name<?)", sorts=True),
    "a user without runs": Search("user_id = 'nobody'", (), "runs_by_user (user_id=?)"),
    "a rare status": Search("status = 'RUNNING'", (), "runs_by_status (status=?)"),
    "a common status": Search("status = 'FINISHED'", (), NEWEST, NEWEST_ON),
    "a rare value of a metric": Search("metrics.loss < 0.19", (), "series_by_last (key=? AND last<?)", sorts=True),
    "a common value of a metric": Search("metrics.loss < 5", (), NEWEST, NEWEST_ON),
    "a rare param": Search("params.seed = '77'", (), EQUAL),
    "a common param": Search("params.model = 'mlp'", (), EQUAL, EQUAL_ON),
    "a common tag": Search("tags.team = 'risk'", (), EQUAL.replace("params", "tags"), EQUAL_ON.replace("params", "tags")),
    "some rare params": Search("params.seed IN ('77', '78')", (), EQUAL, sorts=True),
    "the beginning of a param": Search("params.lr LIKE '0.0101%'", (), "params_by_value (key=? AND <expr>>? AND <expr><?)", sorts=True),
    "a metric and a param": Search("metrics.loss < 5 AND params.model = 'mlp'", (), EQUAL, EQUAL_ON),
    "a rare metric and a common param": Search(
        "metrics.loss < 0.19 AND params.model = 'mlp'", (), "series_by_last (key=? AND last<?)", sorts=True
    ),
    "by a metric": Search("", ("metrics.acc DESC",), ALONG, TIED),
    "by a metric, of all": Search("", ("metrics.acc",), ALONG, TIED, experiments=None),
    "by a metric, with a filter on it": Search("metrics.acc > 0.01", ("metrics.acc",), ALONG, TIED),
    "by a metric, with a common param": Search("params.model = 'mlp'", ("metrics.acc DESC",), ALONG, TIED),
    "by a metric that none has": Search("", ("metrics.nothing",), NEWEST, NEWEST, sorts=True),
    "by a param": Search("", ("params.model",), "params_by_value (key=?)", EQUAL_ON),
    "by a tag, downwards": Search("", ("tags.team DESC",), "tags_by_value (key=?)", EQUAL_ON.replace("params", "tags")),
    "by name": Search("", ("run_name",), "runs_by_name (name>?)", "runs_by_name (name=? AND start_ms<?)"),
    "by end": Search("", ("end_time DESC",), "runs_by_end (end_ms>?)", "runs_by_end (end_ms=? AND start_ms<?)"),
    "by status": Search("", ("status",), "runs_by_status (status>?)", "runs_by_status (status=? AND start_ms<?)"),
    "by id": Search("", ("run_id",), "sqlite_autoindex_runs_1 (run_id>?)", "sqlite_autoindex_runs_1 (run_id>?)"),
    "OR": Search("params.model = 'mlp' OR tags.team = 'risk'", (), NEWEST, NEWEST_ON),
    "NOT": Search("NOT (metrics.loss.max > 5 OR tags.team = 'risk')", (), NEWEST, NEWEST_ON),
    "any text in a param": Search("params.data LIKE '%fig%'", (), NEWEST, NEWEST_ON),
    "a dataset": Search("datasets.name = 'iris'", (), NEWEST),
    "by a statistic of a metric, for which there is no index": Search("", ("metrics.loss.min",), NEWEST, NEWEST, sorts=True),
    "by the mean of a metric, for which there is no index": Search("", ("metrics.loss.mean DESC",), NEWEST, NEWEST, sorts=True),
}


@pytest.mark.parametrize("name", SEARCHES)
def test_a_page_of_runs_begins_in_the_right_index_and_sorts_only_what_it_must(
    tracking: SqliteTrackingStore, watch: Callable[[Any], Watched], name: str
) -> None:
    search = SEARCHES[name]
    query = parse(Kind.RUNS, search.filter, search.order)
    token = None
    for expected in (search.first, search.second):
        if expected is None:
            break
        watched = watch(tracking)
        page = tracking.search_runs(query, experiment_ids=search.experiments, view=search.view, limit=10, page_token=token)
        token = page.token
        plans = [plan for plan, (statement, _) in zip(watched.plans(), watched.statements, strict=True) if "place_0" in statement]
        steps = [re.sub(r"SEARCH \w+ USING (COVERING )?INDEX ", "", step) for plan in plans for step in plan]
        assert next(step for step in steps if " (" in step and "UNION" not in step) == expected
        if not search.sorts and "UNION" not in str(steps):
            assert "USE TEMP B-TREE FOR ORDER BY" not in steps
    assert search.second is None or token is not None


COLUMNS = (
    *(Field(Entity.METRIC, key, stat) for key in ("loss", "acc") for stat in Stat),
    *(Field(Entity.PARAM, key) for key in ("lr", "model", "seed")),
    *(Field(Entity.TAG, key) for key in ("team", "note")),
    *(Field(Entity.ATTRIBUTE, key) for key in ("status", "end_time")),
)


@pytest.mark.parametrize("name", ["the newest, deleted or not", "one run", "some rare params", "by a metric", "by name"])
def test_columns_of_runs_are_read_by_the_key_of_their_rows(
    tracking: SqliteTrackingStore, watch: Callable[[Any], Watched], name: str
) -> None:
    search = SEARCHES[name]
    query = parse(Kind.RUNS, search.filter, search.order)
    watched = watch(tracking)
    found = tracking.run_columns(query, experiment_ids=search.experiments, view=search.view, fields=COLUMNS)
    assert found == TrackingStore.run_columns(tracking, query, experiment_ids=search.experiments, view=search.view, fields=COLUMNS)
    plans = [plan for plan, (statement, _) in zip(watched.plans(), watched.statements, strict=True) if "FROM json_each" in statement]
    for plan in filter(lambda plan: len(plan) > 10, plans):
        assert re.match("SCAN anon_1 VIRTUAL TABLE", plan[0])
        assert {re.sub(r"(series|params|tags)_\d+", "T", step) for step in plan[1:]} == {
            "SEARCH T USING PRIMARY KEY (run=? AND key=?) LEFT-JOIN"
        }
    assert len(found.run_ids) == 0 or any(len(plan) > 10 for plan in plans)


def test_the_keys_of_runs_are_read_by_the_key_of_their_rows(tracking: SqliteTrackingStore, watch: Callable[[Any], Watched]) -> None:
    watched = watch(tracking)
    found = tracking.run_keys(experiment_ids=ONE)
    assert found.looked_at > 2900
    assert watched.scans() == []
    assert sum("USING PRIMARY KEY (run=?)" in step for plan in watched.plans() for step in plan) == 3


def test_runs_named_by_their_ids_are_read_without_a_look_at_others(tracking: SqliteTrackingStore, watch: Callable[[Any], Watched]) -> None:
    ids = tracking.run_columns(parse(Kind.RUNS), experiment_ids=ONE).run_ids[::10][:200]
    watched = watch(tracking)
    found = tracking.search_runs(parse(Kind.RUNS, f"run_id IN ({', '.join(map(repr, ids))})"), experiment_ids=ONE)
    assert [run.info.run_id for run in found] == ids
    assert watched.scans() == []
    (plan,) = [plan for plan, (statement, _) in zip(watched.plans(), watched.statements, strict=True) if "place_0" in statement]
    assert plan[0] == "SEARCH runs USING INDEX sqlite_autoindex_runs_1 (run_id=?)"


@pytest.mark.parametrize("name", SEARCHES)
def test_no_search_of_runs_reads_a_whole_table(tracking: SqliteTrackingStore, watch: Callable[[Any], Watched], name: str) -> None:
    search = SEARCHES[name]
    query = parse(Kind.RUNS, search.filter, search.order)
    watched = watch(tracking)
    page = tracking.search_runs(query, experiment_ids=search.experiments, view=search.view, limit=10)
    if page.token:
        tracking.search_runs(query, experiment_ids=search.experiments, view=search.view, limit=10, page_token=page.token)
    tracking.count_runs(query, experiment_ids=search.experiments, view=search.view)
    assert watched.scans() == (
        [] if search.experiments or search.view is not ViewType.ALL else ["SCAN runs USING COVERING INDEX runs_by_end"]
    )


OTHER_QUESTIONS: dict[str, Callable[[Any], Any]] = {
    "a run": lambda store: store.get_run(store.search_runs(parse(Kind.RUNS), experiment_ids=["0"], limit=1)[0].info.run_id),
    "a page of a history": lambda store: store.metric_history(long_run(store), "loss", limit=50),
    "the next page of a history": lambda store: store.metric_history(
        long_run(store), "loss", limit=50, page_token=store.metric_history(long_run(store), "loss", limit=50).token
    ),
    "whole series": lambda store: store.metric_bulk([long_run(store)]),
    "series of a key, as buckets": lambda store: store.metric_bulk([long_run(store)], ["loss"], buckets=10),
    "a stretch of a series": lambda store: store.metric_bulk([long_run(store)], ["loss"], buckets=10, first_step=100, last_step=500),
    "a logged model": lambda store: store.get_logged_model("m-" + "0" * 32),
    "an experiment": lambda store: store.get_experiment("1"),
    "an experiment by name": lambda store: store.get_experiment_by_name("population"),
    "heartbeats": lambda store: store.heartbeats([long_run(store)]),
    "how far a journal was shipped": lambda store: store.shipped_to("w"),
}
LOGGED_MODELS: dict[str, tuple[Query, tuple[str, ...] | None, str]] = {
    "the newest": (parse(Kind.LOGGED_MODELS), ("0",), "logged_models_by_experiment (experiment=? AND is_deleted=?)"),
    "the newest of all": (parse(Kind.LOGGED_MODELS), None, "logged_models_by_creation (is_deleted=?)"),
    "of two experiments": (parse(Kind.LOGGED_MODELS), ("0", "1"), "logged_models_by_creation (is_deleted=?)"),
    "of one name": (
        parse(Kind.LOGGED_MODELS, "name = 'pie 1'"),
        ("0",),
        "logged_models_by_name (name=? AND experiment=? AND is_deleted=?)",
    ),
    "of one run": (
        parse(Kind.LOGGED_MODELS, "source_run_id = 'r1'"),
        ("0",),
        "logged_models_by_run (source_run_id=? AND experiment=? AND is_deleted=?)",
    ),
    "one": (parse(Kind.LOGGED_MODELS, "model_id = 'm-1'"), ("0",), "sqlite_autoindex_logged_models_1 (model_id=?)"),
    "with a metric on a dataset": (
        parse_logged_models("metrics.loss < 1", datasets=[OnDataset("iris", "1")]),
        ("0",),
        "logged_models_by_experiment (experiment=? AND is_deleted=?)",
    ),
    "with a tag and a param": (
        parse(Kind.LOGGED_MODELS, "tags.t = 'x' AND params.p = '1'"),
        ("0",),
        "logged_models_by_experiment (experiment=? AND is_deleted=?)",
    ),
    "by a metric": (
        parse_logged_models(order_by=[ModelOrder("metrics.loss", False, "iris")]),
        ("0",),
        "logged_models_by_experiment (experiment=? AND is_deleted=?)",
    ),
}


@pytest.mark.parametrize("name", LOGGED_MODELS)
def test_a_page_of_logged_models_begins_in_the_right_index_and_reads_no_whole_table(
    tracking: SqliteTrackingStore, watch: Callable[[Any], Watched], name: str
) -> None:
    query, experiments, expected = LOGGED_MODELS[name]
    watched = watch(tracking)
    tracking.search_logged_models(query, experiment_ids=experiments, limit=2)
    (plan,) = [plan for plan, (statement, _) in zip(watched.plans(), watched.statements, strict=True) if "place_0" in statement]
    steps = [re.sub(r"SEARCH \w+ USING (COVERING )?INDEX ", "", step) for step in plan]
    assert next(step for step in steps if "logged_models" in step) == expected
    assert watched.scans() == []
    if query.where is None and query.order == parse(Kind.LOGGED_MODELS).order:
        assert "USE TEMP B-TREE FOR ORDER BY" not in plan


REGISTRY_QUESTIONS: dict[str, Callable[[Any], Any]] = {
    "a model": lambda store: store.get_registered_model("iris"),
    "a version": lambda store: store.get_model_version("iris", "2"),
    "a version by alias": lambda store: store.get_version_by_alias("iris", "champion"),
    "models by name": lambda store: store.search_registered_models(parse(Kind.REGISTERED_MODELS, "name = 'iris'")),
    "versions of a model": lambda store: store.search_model_versions(parse(Kind.MODEL_VERSIONS, "name = 'iris'")),
    "versions of a run": lambda store: store.search_model_versions(parse(Kind.MODEL_VERSIONS, "run_id = 'r1'")),
}
READ_WHOLE: dict[str, tuple[Callable[[Any], Any], str]] = {
    "experiments": (lambda store: store.search_experiments(parse(Kind.EXPERIMENTS)), "hundreds, and sorted by a time that has no index"),
    "models": (lambda store: store.search_registered_models(parse(Kind.REGISTERED_MODELS)), "hundreds, read in the order of their names"),
    "versions": (
        lambda store: store.search_model_versions(parse(Kind.MODEL_VERSIONS, "", ["version_number"])),
        "thousands, and sorted by a number that has no index but that of a model",
    ),
}


def long_run(store: SqliteTrackingStore) -> str:
    return store.search_runs(parse(Kind.RUNS), experiment_ids=["0"], limit=1)[0].info.run_id


@pytest.mark.parametrize("name", OTHER_QUESTIONS)
def test_no_other_question_about_runs_reads_a_whole_table(
    tracking: SqliteTrackingStore, watch: Callable[[Any], Watched], name: str
) -> None:
    watched = watch(tracking)
    OTHER_QUESTIONS[name](tracking)
    assert watched.statements
    assert watched.scans() == []


@pytest.mark.parametrize("name", REGISTRY_QUESTIONS)
def test_no_question_about_models_reads_a_whole_table(registry: SqliteRegistryStore, watch: Callable[[Any], Watched], name: str) -> None:
    watched = watch(registry)
    assert REGISTRY_QUESTIONS[name](registry)
    assert watched.scans() == []


@pytest.mark.parametrize("name", READ_WHOLE)
def test_what_is_read_whole_is_short(
    tracking: SqliteTrackingStore, registry: SqliteRegistryStore, watch: Callable[[Any], Watched], name: str
) -> None:
    ask, reason = READ_WHOLE[name]
    store: Any = tracking if name == "experiments" else registry
    watched = watch(store)
    ask(store)
    assert [scan.split()[1] for scan in watched.scans()] == [name], f"no longer an exception: {reason}"


@pytest.mark.parametrize("name", SEARCHES)
def test_the_number_of_statements_is_small_and_the_same_for_a_long_page(
    tracking: SqliteTrackingStore, watch: Callable[[Any], Watched], name: str
) -> None:
    search = SEARCHES[name]
    query = parse(Kind.RUNS, search.filter, search.order)
    counts = []
    for limit in (5, 10):
        tracking.search_runs(query, experiment_ids=search.experiments, view=search.view, limit=limit)  # keys are known from now on
        watched = watch(tracking)
        tracking.search_runs(query, experiment_ids=search.experiments, view=search.view, limit=limit)
        counts.append(len(watched.statements))
    assert counts[0] == counts[1] <= 12


def work(store: SqliteTrackingStore, ask: Callable[[], Any]) -> tuple[int, Any]:
    """In steps of SQLite's virtual machine, by the fifty, and the answer."""
    with store._database.read() as session:
        connection = session.driver  # the pool hands out the same one again
    done = [0]

    def count() -> int:
        done[0] += 1
        return 0

    connection.set_progress_handler(count, 50)
    answer = ask()
    connection.set_progress_handler(None, 50)
    return done[0], answer


WALKED = [
    name
    for name, search in SEARCHES.items()
    if search.second and not search.sorts and search.experiments is not None and len(search.experiments) == 1
]


@pytest.mark.parametrize("name", WALKED)
def test_a_page_deep_in_a_list_takes_no_more_work_than_the_first(tracking: SqliteTrackingStore, name: str) -> None:
    search = SEARCHES[name]
    query = parse(Kind.RUNS, search.filter, search.order)

    def page(token: str | None, limit: int = 20) -> tuple[int, Any]:
        return work(tracking, lambda: tracking.search_runs(query, experiment_ids=ONE, view=search.view, limit=limit, page_token=token))

    page(None)
    first, found = page(None)
    _, found = page(found.token, limit=400)
    deep, found = page(found.token)
    assert len(found) == 20
    assert deep <= first * 1.5 + 20


@pytest.mark.parametrize("name", SEARCHES)
def test_its_pages_are_what_the_oracle_finds(tracking: SqliteTrackingStore, everything: list[Any], name: str) -> None:
    search = SEARCHES[name]
    query = parse(Kind.RUNS, search.filter, search.order)
    states = {ViewType.ACTIVE_ONLY: ("active",), ViewType.DELETED_ONLY: ("deleted",), ViewType.ALL: ("active", "deleted")}[search.view]
    in_scope = [
        run
        for run in everything
        if run.info.lifecycle_stage.value in states and (search.experiments is None or run.info.experiment_id in search.experiments)
    ]
    wanted = [run.info.run_id for run in find(query, in_scope)][:1500]
    found: list[str] = []
    token = None
    while len(found) < 1500:
        page = tracking.search_runs(query, experiment_ids=search.experiments, view=search.view, limit=300, page_token=token)
        found += [run.info.run_id for run in page]
        token = page.token
        if token is None:
            break
    assert found == wanted


@pytest.fixture(scope="module")
def everything(file: Path) -> list[Any]:
    store = SqliteTrackingStore.open(Uri.parse(f"sqlite:///{file}"))
    found = store.search_runs(parse(Kind.RUNS), experiment_ids=None, view=ViewType.ALL, limit=2 * RUNS)
    store.close()
    return found

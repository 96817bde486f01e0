"""What queries mean in memory, with literal expectations; and laws that hold for random queries over random things."""

import itertools
import math
from collections.abc import Mapping

import pytest
from attrs import evolve
from hypothesis import given, strategies as st

from drupe.entities import (
    Dataset,
    DatasetInput,
    Experiment,
    InputTag,
    LifecycleStage,
    LoggedModel,
    MetricSummary,
    ModelVersion,
    RegisteredModel,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunStatus,
)
from drupe.errors import InvalidQuery
from drupe.search import And, Comparison, Entity, Field, Kind, Not, Op, Or, OrderBy, Query, parse
from drupe.search.match import Searchable, find, matches, sort

from .queries import THINGS, comparisons, conditions, orders, queries, unhurried

NAN = math.nan


def run(
    run_id: str = "r",
    *,
    metrics: Mapping[str, float] | None = None,
    params: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
    summaries: Mapping[str, MetricSummary] | None = None,
    datasets: tuple[tuple[str, str, str | None], ...] = (),
    start_time: int = 5,
    end_time: int | None = None,
) -> Run:
    info = RunInfo(run_id, "0", "Brisk-fox-1", "ada", RunStatus.RUNNING, start_time, end_time, LifecycleStage.ACTIVE, "file:///x/r")
    used = tuple(
        DatasetInput(Dataset(name, digest), () if context is None else (InputTag("mlflow.data.context", context),))
        for name, digest, context in datasets
    )
    return Run(info, RunData(metrics or {}, params or {}, tags or {}, summaries or {}), RunInputs(used))


FULL = run(
    metrics={"loss": 0.5, "bad": NAN, "top": math.inf, "bottom": -math.inf, "best.min": 7.0, "best": 3.0},
    params={"depth": "12", "empty": "", "kind": "Tree"},
    tags={"team": "Vision Élite", "note": "a%b_c"},
    summaries={
        "loss": MetricSummary(3, 2.0, 0.5, 9, 9, 0.25, 2.0, 1.0, 4, 0),
        "bad": MetricSummary(2, 1.0, NAN, 1, 1, 1.0, 1.0, 1.0, 0, 0),
        "best": MetricSummary(2, 1.0, 3.0, 1, 1, 1.0, 3.0, 2.0, 0, 1),
        "best.min": MetricSummary(1, 7.0, 7.0, 0, 0, 7.0, 7.0, 7.0, 0, 0),
    },
    datasets=(("iris", "d1", "training"), ("wine", "d2", None)),
)


def is_found(text: str, thing: Run | Experiment | RegisteredModel | ModelVersion = FULL) -> bool:
    kinds = {Run: Kind.RUNS, Experiment: Kind.EXPERIMENTS, RegisteredModel: Kind.REGISTERED_MODELS, ModelVersion: Kind.MODEL_VERSIONS}
    return find(parse(kinds[type(thing)], text), [thing]) == [thing]


class TestComparisons:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("metrics.loss = 0.5", True),
            ("metrics.loss != 0.5", False),
            ("metrics.loss < 0.5", False),
            ("metrics.loss <= 0.5", True),
            ("metrics.loss > 0.4", True),
            ("metrics.loss >= 0.6", False),
            ("metrics.loss IN (1, 0.5)", True),
            ("metrics.loss NOT IN (1, 0.5)", False),
            ("metrics.loss NOT IN (1)", True),
            ("metrics.top > 1e308", True),
            ("metrics.top = inf", True),
            ("metrics.bottom < -1e308", True),
            ("metrics.bottom < -inf", False),
        ],
    )
    def test_metrics_compare_as_numbers(self, text: str, expected: bool) -> None:
        assert is_found(text) is expected

    @pytest.mark.parametrize(
        ("operator", "expected"),
        [
            ("= 1", False),
            ("!= 1", True),
            ("< 1", False),
            ("<= inf", False),
            ("> 1", False),
            (">= -inf", False),
            ("IN (1)", False),
            ("NOT IN (1)", True),
            ("IS NULL", False),
            ("IS NOT NULL", True),
        ],
    )
    def test_nan_matches_what_says_not(self, operator: str, expected: bool) -> None:
        assert is_found(f"metrics.bad {operator}") is expected

    def test_nan_can_be_found_as_what_is_there_and_not_below_infinity(self) -> None:
        text = "metrics.{0} IS NOT NULL AND NOT metrics.{0} <= inf"
        assert [is_found(text.format(key)) for key in ("bad", "loss", "top", "absent")] == [True, False, False, False]

    @pytest.mark.parametrize("field", ["metrics.absent", "metrics.absent.min", "params.absent", "tags.absent", "end_time"])
    def test_a_missing_value_matches_only_is_null(self, field: str) -> None:
        is_number = field.startswith(("metrics", "end_time"))
        value = "1" if is_number else "'1'"
        operators = ["=", "!=", *(("<", "<=", ">", ">=") if is_number else ("LIKE", "ILIKE"))]
        assert not any(is_found(f"{field} {op} {value}") for op in operators)
        assert not is_found(f"{field} IN ({value})")
        assert not is_found(f"{field} NOT IN ({value})")
        assert not is_found(f"{field} IS NOT NULL")
        assert is_found(f"{field} IS NULL")

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("params.depth = '12'", True),
            ("params.depth = '12.0'", False),
            ("params.empty = ''", True),
            ("params.empty IS NULL", False),
            ("params.kind = 'tree'", False),
            ("params.kind LIKE 'tree'", False),
            ("params.kind ILIKE 'tREE'", True),
            ("params.kind LIKE 'Tr__'", True),
            ("params.kind IN ('a', 'Tree')", True),
            ("params.kind NOT IN ('a', 'Tree')", False),
            ("tags.team ILIKE '%éLITE'", True),
            ("tags.team LIKE '%élite'", False),
            ("tags.note LIKE 'a%c'", True),
            ("tags.note LIKE 'b%'", False),
            ("run_name LIKE 'Brisk-%'", True),
            ("run_name ILIKE 'bRISK-%'", True),
            ("status = 'RUNNING'", True),
            ("status = 'running'", False),
            ("status LIKE 'RUN%'", True),
            ("status ILIKE 'run%'", True),
            ("status IN ('RUNNING', 'FAILED')", True),
            ("status NOT IN ('RUNNING', 'FAILED')", False),
            ("user_id = 'ada'", True),
            ("artifact_uri LIKE 'file:%'", True),
            ("run_id IN ('q', 'r')", True),
        ],
    )
    def test_texts_compare_with_case_but_for_ilike(self, text: str, expected: bool) -> None:
        assert is_found(text) is expected

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("start_time = 5", True),
            ("start_time > 5.5", False),
            ("start_time >= 4.5", True),
            ("start_time IN (4, 5)", True),
            ("end_time IS NULL", True),
        ],
    )
    def test_times(self, text: str, expected: bool) -> None:
        assert is_found(text) is expected

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("datasets.name = 'iris'", True),
            ("datasets.name = 'iris' AND datasets.digest = 'd2'", True),
            ("datasets.name != 'iris'", True),
            ("datasets.name NOT IN ('iris', 'wine')", False),
            ("NOT datasets.name = 'iris'", False),
            ("datasets.context = 'training'", True),
            ("datasets.context != 'training'", False),
            ("datasets.context ILIKE 'TRAIN%'", True),
            ("datasets.digest LIKE 'd_'", True),
        ],
    )
    def test_each_dataset_comparison_may_be_met_by_another_dataset(self, text: str, expected: bool) -> None:
        assert is_found(text) is expected

    @pytest.mark.parametrize("operator", ["=", "!=", "LIKE"])
    def test_a_run_without_datasets_meets_no_dataset_comparison(self, operator: str) -> None:
        assert not is_found(f"datasets.name {operator} 'iris'", run())


class TestStatistics:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("loss", 0.5),
            ("loss.last", 0.5),
            ("loss.first", 2.0),
            ("loss.min", 0.25),
            ("loss.max", 2.0),
            ("loss.mean", 1.0),
            ("loss.count", 3.0),
            ("`loss`.first", 2.0),
            ("best.max", 3.0),
            ("best.min", 7.0),
            ("`best`.min", 1.0),
            ("`best.min`", 7.0),
            ("best.min.count", 1.0),
        ],
    )
    def test_statistics_come_from_the_summary(self, name: str, value: float) -> None:
        assert is_found(f"metrics.{name} = {value}")
        assert not is_found(f"metrics.{name} != {value}")

    def test_a_statistic_can_be_nan_like_a_value(self) -> None:
        assert is_found("metrics.bad.last != 1")
        assert not is_found("metrics.bad.last = 1")
        assert is_found("metrics.bad.max = 1")

    def test_a_metric_without_a_summary_has_only_its_value(self) -> None:
        bare = run(metrics={"loss": 0.5})
        assert is_found("metrics.loss = 0.5", bare)
        assert is_found("metrics.`loss`.last = 0.5", bare)
        assert is_found("metrics.loss.min IS NULL", bare)


class TestLogic:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("status = 'x' OR run_id = 'r'", True),
            ("status = 'x' AND run_id = 'r'", False),
            ("NOT status = 'x'", True),
            ("NOT params.absent = '1'", True),
            ("NOT params.absent != '1'", True),
            ("run_id = 'r' OR status = 'x' AND status = 'y'", True),
            ("(run_id = 'r' OR status = 'x') AND status = 'y'", False),
        ],
    )
    def test_logic_is_two_valued(self, text: str, expected: bool) -> None:
        assert is_found(text) is expected


class TestOtherKinds:
    EXPERIMENT = Experiment("12", "fruit", "file:///x", creation_time=5, tags={"team": "x"})
    MODEL = RegisteredModel("clf", 1, 2, tags={"team": "x"})
    VERSION = ModelVersion("clf", "12", 1, 2, "s3://b/m", run_id=None, tags={"team": "x"})

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("experiment_id = '12'", True),
            ("experiment_id = '0012'", True),
            ("experiment_id NOT IN ('1', '2')", True),
            ("name ILIKE 'FR%'", True),
            ("creation_time <= 5", True),
            ("last_update_time != 5", False),
            ("tags.team = 'x' AND tags.none IS NULL", True),
        ],
    )
    def test_experiments(self, text: str, expected: bool) -> None:
        assert is_found(text, self.EXPERIMENT) is expected

    @pytest.mark.parametrize(
        ("text", "expected"), [("name = 'clf'", True), ("name IN ('a')", False), ("tag.team LIKE '_'", True), ("tags.none != 'x'", False)]
    )
    def test_registered_models(self, text: str, expected: bool) -> None:
        assert is_found(text, self.MODEL) is expected

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("version_number = 12", True),
            ("version_number = '12'", True),
            ("version_number > 9", True),
            ("version_number IN (1, 12)", True),
            ("source_path LIKE 's3:%'", True),
            ("run_id = ''", False),
            ("run_id != 'x'", False),
            ("NOT run_id LIKE '%'", True),
            ("name = 'clf' AND tags.team = 'x'", True),
        ],
    )
    def test_model_versions(self, text: str, expected: bool) -> None:
        assert is_found(text, self.VERSION) is expected

    @pytest.mark.parametrize("thing", [MODEL, VERSION])
    def test_prompts_are_left_out_of_the_registry_until_asked_for(self, thing: RegisteredModel | ModelVersion) -> None:
        prompt = evolve(thing, tags={"mlflow.prompt.is_prompt": "true"})
        tag = "tags.`mlflow.prompt.is_prompt`"
        for text, of_prompt, of_model in [
            ("", False, True),
            ("name = 'clf'", False, True),
            (f"{tag} = 'true'", True, False),
            (f"{tag} != 'false'", True, False),
            (f"{tag} = 'false'", False, True),
            (f"{tag} != 'true'", False, True),
            (f"{tag} = 'true' OR name = 'clf'", True, True),
        ]:
            assert (is_found(text, prompt), is_found(text, thing)) == (of_prompt, of_model), text

    @pytest.mark.parametrize(
        ("thing", "field"),
        [
            (FULL, Field(Entity.ATTRIBUTE, "lifecycle_stage")),
            (EXPERIMENT, Field(Entity.METRIC, "loss")),
            (EXPERIMENT, Field(Entity.DATASET, "name")),
            (MODEL, Field(Entity.ATTRIBUTE, "__class__")),
            (VERSION, Field(Entity.PARAM, "p")),
        ],
    )
    def test_a_field_that_the_kind_does_not_have_is_refused(self, thing: Run | Experiment, field: Field) -> None:
        with pytest.raises(InvalidQuery):
            matches(Comparison(field, Op.EQ, "x"), thing)


class TestOrder:
    def ids(self, things: list[Run], *order_by: str) -> str:
        found = find(parse(Kind.RUNS, None, list(order_by)), things)
        return "".join(thing.info.run_id for thing in found)

    @pytest.mark.parametrize(("order", "expected"), [("metrics.m", "dbacef"), ("metrics.m DESC", "cabdef")])
    def test_values_then_nan_then_missing_in_both_directions(self, order: str, expected: str) -> None:
        values = {"a": 1.0, "b": 0.5, "c": math.inf, "d": -math.inf, "e": NAN}
        things = [run(key, metrics={"m": value}) for key, value in values.items()] + [run("f")]
        for shuffled in itertools.islice(itertools.permutations(things), 0, 720, 37):
            assert self.ids(list(shuffled), order) == expected

    def test_params_sort_as_text(self) -> None:
        things = [run(key, params={"p": value}) for key, value in {"a": "10", "b": "9", "c": "B", "d": "a", "e": "é"}.items()] + [run("f")]
        assert self.ids(things, "params.p") == "abcdef"
        assert self.ids(things, "params.p DESC") == "edcbaf"

    def test_ties_end_at_the_newest_run_and_then_the_lowest_id(self) -> None:
        things = [run("b", start_time=1), run("a", start_time=1), run("c", start_time=2)]
        assert self.ids(things) == "cab"
        assert self.ids(things, "status") == "cab"
        assert self.ids(things, "start_time ASC") == "abc"

    def test_runs_without_an_end_come_last(self) -> None:
        things = [run("a"), run("b", end_time=7), run("c", end_time=8)]
        assert self.ids(things, "end_time") == "bca"
        assert self.ids(things, "end_time DESC") == "cba"

    def test_a_tag_named_like_an_id_sorts_as_text(self) -> None:
        things = [run(key, tags={"experiment_id": value}) for key, value in {"a": "10", "b": "9", "c": "x"}.items()]
        assert self.ids(things, "tags.experiment_id") == "abc"

    def test_a_statistic_gives_way_to_a_metric_of_its_name_run_by_run(self) -> None:
        summary = MetricSummary(1, 5.0, 5.0, 0, 0, 5.0, 5.0, 5.0, 0, 0)
        things = [
            run("a", metrics={"m": 5.0}, summaries={"m": summary}),
            run("b", metrics={"m": 5.0, "m.min": 9.0}, summaries={"m": summary}),
            run("c", metrics={"m.min": 1.0}),
        ]
        assert self.ids(things, "metrics.m.min") == "cab"
        assert self.ids(things, "metrics.`m`.min DESC") == "abc"

    def test_experiment_ids_sort_as_numbers(self) -> None:
        things = [Experiment(number, f"e{number}", "x", creation_time=1) for number in ("10", "9", "0", "100")]
        assert [e.experiment_id for e in find(parse(Kind.EXPERIMENTS), things)] == ["0", "9", "10", "100"]
        assert [e.experiment_id for e in find(parse(Kind.EXPERIMENTS, None, ["creation_time"]), things)] == ["100", "10", "9", "0"]

    def test_versions_sort_as_numbers(self) -> None:
        things = [ModelVersion("m", number, 1, 1, "s") for number in ("10", "9", "1")]
        assert [v.version for v in find(parse(Kind.MODEL_VERSIONS), things)] == ["10", "9", "1"]
        assert [v.version for v in find(parse(Kind.MODEL_VERSIONS, None, ["version_number"]), things)] == ["1", "9", "10"]

    def test_an_empty_list_stays_empty(self) -> None:
        assert sort((OrderBy(Field(Entity.ATTRIBUTE, "run_id")),), []) == []


class TestLaws:
    """Laws of logic and order on random queries and things."""

    @pytest.mark.parametrize("kind", list(Kind))
    @unhurried
    @given(data=st.data())
    def test_and_or_and_not_are_those_of_logic(self, kind: Kind, data: st.DataObject) -> None:
        thing, left, right = data.draw(THINGS[kind]), data.draw(conditions(kind)), data.draw(conditions(kind))
        assert matches(And((left, right)), thing) is (matches(left, thing) and matches(right, thing))
        assert matches(Or((left, right)), thing) is (matches(left, thing) or matches(right, thing))
        assert matches(Not(left), thing) is (not matches(left, thing))

    @pytest.mark.parametrize("kind", list(Kind))
    @unhurried
    @given(data=st.data())
    def test_a_list_is_its_values_one_by_one(self, kind: Kind, data: st.DataObject) -> None:
        thing = data.draw(THINGS[kind])
        comparison = data.draw(comparisons(kind).filter(lambda c: c.op in (Op.IN, Op.NOT_IN) and c.field.entity is not Entity.DATASET))
        assert isinstance(comparison.value, tuple)
        one = Op.EQ if comparison.op is Op.IN else Op.NE
        join = any if comparison.op is Op.IN else all
        assert matches(comparison, thing) is join(matches(Comparison(comparison.field, one, value), thing) for value in comparison.value)

    @pytest.mark.parametrize("kind", list(Kind))
    @unhurried
    @given(data=st.data())
    def test_a_search_keeps_what_matches_whatever_the_order_of_arrival(self, kind: Kind, data: st.DataObject) -> None:
        query = data.draw(queries(kind))
        query = Query(kind, query.where, (*query.order, *parse(kind).order))
        things = data.draw(st.lists(THINGS[kind], max_size=6, unique_by=_identity))
        found = find(query, things)
        assert {_identity(t) for t in found} == {_identity(t) for t in things if query.where is None or matches(query.where, t)}
        assert [_identity(t) for t in find(query, data.draw(st.permutations(things)))] == [_identity(t) for t in found]

    @pytest.mark.parametrize("kind", list(Kind))
    @unhurried
    @given(data=st.data())
    def test_the_other_direction_turns_the_values_round_and_leaves_the_rest(self, kind: Kind, data: st.DataObject) -> None:
        (key,) = data.draw(orders(kind).filter(lambda keys: len(keys) == 1))
        things = data.draw(st.lists(THINGS[kind], max_size=6, unique_by=_identity))
        missing = [t for t in things if matches(Comparison(key.field, Op.IS_NULL), t)]
        nans = [t for t in things if key.field.entity is Entity.METRIC and matches(_is_nan(key.field), t)]
        values = [t for t in things if t not in missing and t not in nans]
        up, down = (sort((OrderBy(key.field, descending),), things) for descending in (False, True))
        assert up[len(values) :] == down[len(values) :] == nans + missing
        assert down[: len(values)] == sort((OrderBy(key.field),), values[::-1])[::-1]


def _identity(thing: Searchable) -> str:
    if isinstance(thing, Run):
        return thing.info.run_id
    if isinstance(thing, LoggedModel):
        return thing.model_id
    if isinstance(thing, Experiment):
        return thing.experiment_id
    return f"{thing.name}/{thing.version}" if isinstance(thing, ModelVersion) else thing.name


def _is_nan(field: Field) -> And:
    return And((Comparison(field, Op.IS_NOT_NULL), Not(Comparison(field, Op.LE, math.inf))))

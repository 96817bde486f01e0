"""Orders: every accepted form, the defaults, the tie-breakers, every fault."""

import pytest
from hypothesis import given, strategies as st

from drupe.entities import Stat
from drupe.errors import InvalidQuery
from drupe.search import Entity, Field, Kind, OrderBy, parse
from drupe.search.order import KEYS_MAX

from .queries import unhurried


def by(key: str, *, descending: bool = False) -> OrderBy:
    return OrderBy(Field(Entity.ATTRIBUTE, key), descending)


def order(kind: Kind, *entries: str) -> tuple[OrderBy, ...]:
    return parse(kind, None, list(entries)).order


def refused(kind: Kind, *entries: str) -> InvalidQuery:
    with pytest.raises(InvalidQuery) as caught:
        order(kind, *entries)
    return caught.value


NEWEST, RUN_ID = by("start_time", descending=True), by("run_id")
NEWEST_VERSION = by("version_number", descending=True)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Kind.RUNS, (NEWEST, RUN_ID)),
        (Kind.EXPERIMENTS, (by("creation_time", descending=True), by("experiment_id"))),
        (Kind.REGISTERED_MODELS, (by("name"),)),
        (Kind.MODEL_VERSIONS, (by("last_updated_timestamp", descending=True), by("name"), NEWEST_VERSION)),
        (Kind.LOGGED_MODELS, (by("creation_timestamp", descending=True), by("model_id"))),
    ],
)
@pytest.mark.parametrize("given_order", [None, [], ()])
def test_each_kind_has_a_default_order(kind: Kind, expected: tuple[OrderBy, ...], given_order: list[str] | None) -> None:
    assert parse(kind, None, given_order).order == expected


@pytest.mark.parametrize(
    ("kind", "entries", "expected"),
    [
        (Kind.RUNS, ["status"], (by("status"), NEWEST, RUN_ID)),
        (Kind.RUNS, ["start_time"], (by("start_time"), RUN_ID)),
        (Kind.RUNS, ["run_id DESC"], (by("run_id", descending=True),)),
        (Kind.RUNS, ["run_id", "status"], (RUN_ID, by("status"))),
        (Kind.EXPERIMENTS, ["name"], (by("name"), by("experiment_id", descending=True))),
        (Kind.EXPERIMENTS, ["creation_time DESC"], (by("creation_time", descending=True), by("experiment_id", descending=True))),
        (Kind.EXPERIMENTS, ["experiment_id"], (by("experiment_id"),)),
        (Kind.REGISTERED_MODELS, ["timestamp DESC"], (by("last_updated_timestamp", descending=True), by("name"))),
        (Kind.REGISTERED_MODELS, ["name DESC"], (by("name", descending=True),)),
        (Kind.MODEL_VERSIONS, ["name"], (by("name"), NEWEST_VERSION)),
        (Kind.LOGGED_MODELS, ["name"], (by("name"), by("creation_timestamp", descending=True), by("model_id"))),
        (Kind.LOGGED_MODELS, ["creation_time"], (by("creation_timestamp"), by("model_id"))),
        (Kind.MODEL_VERSIONS, ["version_number"], (by("version_number"), by("name"))),
        (Kind.MODEL_VERSIONS, ["creation_timestamp"], (by("creation_timestamp"), by("name"), NEWEST_VERSION)),
        (Kind.MODEL_VERSIONS, ["version_number", "name DESC"], (by("version_number"), by("name", descending=True))),
    ],
)
def test_ties_are_broken_until_the_order_is_total_and_not_further(kind: Kind, entries: list[str], expected: tuple[OrderBy, ...]) -> None:
    assert order(kind, *entries) == expected


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        ("metrics.loss", Field(Entity.METRIC, "loss", Stat.LAST)),
        ("metric.`a b`", Field(Entity.METRIC, "a b", Stat.LAST)),
        ('metrics."a-b"', Field(Entity.METRIC, "a-b", Stat.LAST)),
        ("metrics.'a-b'", Field(Entity.METRIC, "a-b", Stat.LAST)),
        ("metrics.loss.min", Field(Entity.METRIC, "loss", Stat.MIN, "loss.min")),
        ("metrics.`loss`.max", Field(Entity.METRIC, "loss", Stat.MAX)),
        ("params.p", Field(Entity.PARAM, "p")),
        ("parameter.p", Field(Entity.PARAM, "p")),
        ("tag.mlflow.user", Field(Entity.TAG, "mlflow.user")),
        ("attributes.start_time", Field(Entity.ATTRIBUTE, "start_time")),
        ("Created", Field(Entity.ATTRIBUTE, "start_time")),
        ("end_time", Field(Entity.ATTRIBUTE, "end_time")),
        ("user_id", Field(Entity.ATTRIBUTE, "user_id")),
        ("artifact_uri", Field(Entity.ATTRIBUTE, "artifact_uri")),
        ("`run name`", Field(Entity.ATTRIBUTE, "run_name")),
        ('"run name"', Field(Entity.ATTRIBUTE, "run_name")),
    ],
)
@pytest.mark.parametrize(("direction", "descending"), [("", False), (" ASC", False), (" asc", False), (" DESC", True), ("  dEsC ", True)])
def test_runs_are_sorted_by_any_of_their_fields(entry: str, field: Field, direction: str, descending: bool) -> None:
    assert order(Kind.RUNS, entry + direction)[0] == OrderBy(field, descending)


@pytest.mark.parametrize(
    ("entries", "column", "message"),
    [
        ([""], 0, "this entry is empty"),
        (["  "], 2, "this entry is empty"),
        (["metrics.loss up"], 13, "only ASC or DESC may stand, not 'up'"),
        (["metrics.loss DESC DESC"], 18, "nothing may follow DESC"),
        (["metrics.loss ASC NULLS LAST"], 17, "nothing may follow ASC"),
        (["start_time, run_id"], 10, "give a list of several entries"),
        (["'start_time'"], 0, "a name is expected"),
        (["5"], 0, "a name is expected"),
        (["("], 0, "a name is expected"),
        (["start_time DESC;"], 15, "unexpected ';'"),
        (["run name"], 0, "such as run.run_id"),
        (["stat_time"], 0, "did you mean 'start_time'"),
        (["metrcs.loss"], 0, "did you mean 'metrics.loss'"),
        (["dataset.name"], 0, "runs cannot be sorted by dataset.name"),
        (["lifecycle_stage"], 0, "run_view_type"),
        (["run_id", "start_time", "created"], 0, "sorted by already, in order_by[1]"),
        (["params.p", "param.p DESC"], 0, "sorted by already, in order_by[0]"),
    ],
)
def test_faults_are_pointed_at_in_their_entry(entries: list[str], column: int, message: str) -> None:
    fault = refused(Kind.RUNS, *entries)
    assert message in fault.message
    assert fault.message.startswith(f"order_by[{len(entries) - 1}], column {column + 1}: ")
    assert (fault.text, fault.column) == (entries[-1], column)


@pytest.mark.parametrize(
    ("kind", "entry"),
    [
        (Kind.EXPERIMENTS, "tags.x"),
        (Kind.EXPERIMENTS, "lifecycle_stage"),
        (Kind.EXPERIMENTS, "attributes.name"),
        (Kind.REGISTERED_MODELS, "tags.x"),
        (Kind.REGISTERED_MODELS, "creation_timestamp"),
        (Kind.REGISTERED_MODELS, "version_number"),
        (Kind.MODEL_VERSIONS, "tags.x"),
        (Kind.LOGGED_MODELS, "tags.x"),
        (Kind.LOGGED_MODELS, "params.x"),
        (Kind.MODEL_VERSIONS, "timestamp"),
        (Kind.MODEL_VERSIONS, "run_id"),
        (Kind.MODEL_VERSIONS, "source_path"),
    ],
)
def test_the_other_kinds_are_sorted_by_a_few_attributes_only(kind: Kind, entry: str) -> None:
    assert refused(kind, entry).width == len(entry)


def test_the_number_of_entries_is_limited() -> None:
    entries = [f"metrics.m{number}" for number in range(KEYS_MAX)]
    assert len(order(Kind.RUNS, *entries)) == KEYS_MAX + 2
    assert f"at most {KEYS_MAX}" in refused(Kind.RUNS, *entries, "run_id").message


def test_a_bare_text_is_no_list() -> None:
    with pytest.raises(InvalidQuery, match=r"order_by is a list of texts: \['start_time'\]"):
        parse(Kind.RUNS, None, "start_time")


def test_an_entry_is_a_text() -> None:
    with pytest.raises(InvalidQuery, match=r"order_by\[1\] is text, not int"):
        parse(Kind.RUNS, None, ["start_time", 5])  # type: ignore[list-item]


@unhurried
@given(
    st.sampled_from(list(Kind)),
    st.lists(st.sampled_from(["start_time", "name", "metrics.a", "tags.`x", "DESC", ",", "", "version_number ASC"]), max_size=4),
)
def test_any_order_is_total_or_refused(kind: Kind, entries: list[str]) -> None:
    unique = {
        Kind.RUNS: {"run_id"},
        Kind.EXPERIMENTS: {"experiment_id"},
        Kind.REGISTERED_MODELS: {"name"},
        Kind.MODEL_VERSIONS: {"name", "version_number"},
        Kind.LOGGED_MODELS: {"model_id"},
    }[kind]
    try:
        keys = order(kind, *entries)
    except InvalidQuery:
        return
    assert unique <= {key.field.key for key in keys if key.field.entity is Entity.ATTRIBUTE}
    assert len({key.field for key in keys}) == len(keys)

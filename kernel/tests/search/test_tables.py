"""The tables of fields agree with themselves, with MLflow's documented names and with the entities."""

import pytest

from drupe.entities import Experiment, LifecycleStage, LoggedModel, ModelVersion, RegisteredModel, Run, RunInfo, RunStatus
from drupe.search import Comparison, Entity, Field, Kind, Op, OrderBy
from drupe.search.fields import SEARCHES, Search
from drupe.search.match import Searchable, matches, sort

_INFO = RunInfo("r", "0", "n", "u", RunStatus.RUNNING, 1, None, LifecycleStage.ACTIVE, "x")
EXAMPLES: dict[Kind, Searchable] = {
    Kind.RUNS: Run(_INFO),
    Kind.EXPERIMENTS: Experiment("0", "n", "x"),
    Kind.REGISTERED_MODELS: RegisteredModel("n", 1, 1),
    Kind.MODEL_VERSIONS: ModelVersion("n", "1", 1, 1, "x"),
    Kind.LOGGED_MODELS: LoggedModel("m-1", "0", "n", "x", 1, 1),
}


@pytest.mark.parametrize("search", SEARCHES.values(), ids=lambda s: s.kind.value)
class TestEachTable:
    def test_it_stands_under_its_kind(self, search: Search) -> None:
        assert SEARCHES[search.kind] is search

    def test_every_spelling_means_one_attribute(self, search: Search) -> None:
        spellings = [name for attribute in search.attributes for name in (attribute.key, *attribute.aliases)]
        assert len(set(spellings)) == len(spellings)
        for attribute in search.attributes:
            for name in (attribute.key, *attribute.aliases):
                assert search.attribute(name) is attribute

    def test_defaults_and_tie_breakers_can_be_sorted_by(self, search: Search) -> None:
        for key in (*search.default_order, *search.tie_breakers):
            attribute = search.attribute(key.field.key)
            assert attribute is not None
            assert attribute.is_sortable

    def test_defaults_and_tie_breakers_decide_every_tie(self, search: Search) -> None:
        for order in (search.default_order, search.tie_breakers):
            assert any(unique <= {key.field.key for key in order} for unique in search.unique)

    def test_every_word_leads_to_an_entity_with_operators(self, search: Search) -> None:
        assert set(search.words.values()) == {Entity.ATTRIBUTE, *search.operators}

    def test_no_hint_stands_before_a_name_that_works(self, search: Search) -> None:
        assert not any(search.attribute(name) and search.attribute(name).operators for name in search.hints)  # type: ignore[union-attr]

    def test_the_oracle_reads_every_field(self, search: Search) -> None:
        thing = EXAMPLES[search.kind]
        for attribute in search.attributes:
            field = Field(Entity.ATTRIBUTE, attribute.key)
            assert matches(Comparison(field, Op.IS_NULL), thing) is not matches(Comparison(field, Op.IS_NOT_NULL), thing)
            assert sort((OrderBy(field),), [thing, thing]) == [thing, thing]
        for entity in search.operators:
            matches(Comparison(Field(entity, "name"), Op.EQ, "x"), thing)
        for entity in search.sortable:
            if entity is not Entity.ATTRIBUTE:
                assert sort((OrderBy(Field(entity, "name")),), [thing, thing]) == [thing, thing]


MLFLOW_NAMES = {
    Kind.RUNS: {
        *("metric", "metrics", "param", "params", "parameter", "parameters", "tag", "tags"),
        *("attribute", "attributes", "attr", "run", "dataset", "datasets"),
    },
    Kind.EXPERIMENTS: {"attribute", "tag", "tags"},
    Kind.REGISTERED_MODELS: {"attribute", "tag", "tags"},
    Kind.MODEL_VERSIONS: {"attribute", "tag", "tags"},
    Kind.LOGGED_MODELS: {"attributes", "metrics", "params", "tags"},
}
MLFLOW_FILTERED = {
    Kind.RUNS: {
        *("run_id", "status", "user_id", "artifact_uri", "run_name", "run name", "Run name", "Run Name"),
        *("start_time", "created", "Created", "end_time"),
    },
    Kind.EXPERIMENTS: {"name", "experiment_id", "creation_time", "last_update_time"},
    Kind.REGISTERED_MODELS: {"name"},
    Kind.MODEL_VERSIONS: {"name", "run_id", "source_path", "version_number"},
    Kind.LOGGED_MODELS: {
        *("name", "model_id", "model_type", "status", "source_run_id", "experiment_id"),
        *("creation_timestamp", "creation_time", "last_updated_timestamp", "last_updated_time"),
    },
}
MLFLOW_SORTED = {
    Kind.RUNS: {"run_id", "status", "user_id", "run_name", "artifact_uri", "start_time", "end_time"},
    Kind.EXPERIMENTS: {"name", "experiment_id", "creation_time", "last_update_time"},
    Kind.REGISTERED_MODELS: {"name", "last_updated_timestamp"},
    Kind.MODEL_VERSIONS: {"name", "version_number", "creation_timestamp", "last_updated_timestamp"},
    Kind.LOGGED_MODELS: {
        *("name", "model_id", "model_type", "status", "source_run_id", "experiment_id"),
        *("creation_timestamp", "last_updated_timestamp"),
    },
}


@pytest.mark.parametrize("kind", list(Kind))
def test_the_names_are_those_of_mlflow(kind: Kind) -> None:
    search = SEARCHES[kind]
    assert set(search.words) == MLFLOW_NAMES[kind]
    assert {name for a in search.attributes if a.operators for name in (a.key, *a.aliases)} == MLFLOW_FILTERED[kind]
    assert {a.key for a in search.attributes if a.is_sortable} == MLFLOW_SORTED[kind]

"""Random searches as hypothesis strategies: filter and order texts over the few names that random operations use.

They are texts, so that every form of the grammar takes part; `parse` makes them queries.
"""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from drupe.entities.enums import Stat
from drupe.search.logged_models import ModelOrder, parse_logged_models
from drupe.search.parse import parse
from drupe.search.query import Entity, Field, Kind, OnDataset, Query

__all__ = [
    "TEXTS",
    "VALUES",
    "experiment_queries",
    "logged_model_queries",
    "model_queries",
    "run_fields",
    "run_queries",
    "texts",
    "values",
    "version_queries",
]

TEXTS = ["", "a", "b", "A", "ab", "a%", "a_b", "1", "1.0", "ä"]
"""Values of params and tags, and what they are compared with."""
VALUES = [0.0, 0.25, -0.25, 0.5, 1.0, -1.0, 7.75, 1024.0, float("inf"), float("-inf"), float("nan")]
"""Metric values whose sums are exact, and the three that are no numbers."""
texts = st.sampled_from(TEXTS)
values = st.sampled_from(VALUES)

_NUMBERS = st.sampled_from(["0", "0.25", "-0.25", "0.5", "1", "-1.0", "1e1", "1024"])
_TIMES = st.sampled_from(["0", "1", "2", "3", "100"])
_PATTERNS = st.sampled_from(["%", "a%", "%b", "_", "a_", "A%", "%a%", "", "ä", "1%"])
_LIKE_OPS = st.sampled_from(["=", "!="])
_NUMBER_OPS = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
_DIRECTIONS = st.sampled_from(["", " ASC", " DESC"])


def _quoted(text: str) -> str:
    return f"'{text}'"


def _listed(entries: Sequence[str]) -> str:
    return f"({', '.join(entries)})"


def _about_text(fields: Sequence[str], wanted: st.SearchStrategy[str] = texts, *, is_nullable: bool = False) -> st.SearchStrategy[str]:
    field = st.sampled_from(fields)
    forms = [
        st.builds("{} {} {}".format, field, _LIKE_OPS, wanted.map(_quoted)),
        st.builds("{} {} {}".format, field, st.sampled_from(["LIKE", "ILIKE", "like"]), _PATTERNS.map(_quoted)),
        st.builds(
            "{} {} {}".format, field, st.sampled_from(["IN", "NOT IN"]), st.lists(wanted.map(_quoted), min_size=1, max_size=3).map(_listed)
        ),
    ]
    if is_nullable:
        forms.append(st.builds("{} {}".format, field, st.sampled_from(["IS NULL", "IS NOT NULL"])))
    return st.one_of(forms)


def _about_numbers(fields: Sequence[str], wanted: st.SearchStrategy[str], *, is_nullable: bool = False) -> st.SearchStrategy[str]:
    field = st.sampled_from(fields)
    forms = [st.builds("{} {} {}".format, field, _NUMBER_OPS, wanted)]
    if is_nullable:
        forms.append(st.builds("{} {}".format, field, st.sampled_from(["IS NULL", "IS NOT NULL"])))
    return st.one_of(forms)


def _logic(comparisons: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Comparisons joined with AND, OR, NOT and parentheses; the empty text too."""
    joined = st.recursive(
        comparisons,
        lambda inner: st.one_of(
            st.builds("{} AND {}".format, inner, inner),
            st.builds("{} OR {}".format, inner, inner),
            st.builds("({} OR {}) AND {}".format, inner, inner, inner),
            st.builds("NOT ({})".format, inner),
            st.builds("NOT {}".format, comparisons),
        ),
        max_leaves=5,
    )
    return st.one_of(st.just(""), joined)


def _orders(fields: Sequence[str]) -> st.SearchStrategy[list[str]]:
    entry = st.tuples(st.sampled_from(fields), _DIRECTIONS)
    return st.lists(entry, max_size=3, unique_by=lambda pair: pair[0]).map(lambda pairs: ["".join(pair) for pair in pairs])


def _queries(kind: Kind, comparisons: st.SearchStrategy[str], orders: st.SearchStrategy[list[str]]) -> st.SearchStrategy[Query]:
    return st.builds(parse, st.just(kind), _logic(comparisons), orders)


_METRICS = ["metrics.loss", "metrics.acc", "metrics.`a/b`", "metrics.nothing"]
_STATS = [f"metrics.{key}.{stat}" for key in ("loss", "acc") for stat in ("first", "last", "min", "max", "mean", "count")]
_RUN_IDS = st.sampled_from(["r0", "r1", "r2", "r3", "zz"])

run_fields = st.lists(
    st.one_of(
        st.builds(
            Field, st.just(Entity.METRIC), st.sampled_from(["loss", "acc", "a/b", "loss.min", "nothing"]), st.none() | st.sampled_from(Stat)
        ),
        st.just(Field(Entity.METRIC, "loss", Stat.MIN, shadow="loss.min")),
        st.builds(Field, st.just(Entity.PARAM), st.sampled_from(["p", "q", "nothing"])),
        st.builds(Field, st.just(Entity.TAG), st.sampled_from(["t", "u", "mlflow.runName"])),
        st.builds(
            Field,
            st.just(Entity.ATTRIBUTE),
            st.sampled_from(["run_id", "run_name", "status", "start_time", "end_time", "experiment_id", "lifecycle_stage"]),
        ),
    ),
    max_size=6,
)
"""What columns of runs may be asked for."""

run_queries = _queries(
    Kind.RUNS,
    st.one_of(
        _about_numbers([*_METRICS, *_STATS], _NUMBERS, is_nullable=True),
        _about_text(["params.p", "params.q", "params.nothing"], is_nullable=True),
        _about_text(["tags.t", "tags.u", "tags.`mlflow.runName`"], is_nullable=True),
        _about_text(["run_name", "user_id"]),
        _about_text(["status"], st.sampled_from(["RUNNING", "FINISHED", "FAILED", "running"])),
        _about_text(["run_id"], _RUN_IDS),
        _about_text(["datasets.name", "datasets.digest", "datasets.context"]),
        _about_numbers(["start_time"], _TIMES),
        _about_numbers(["end_time"], _TIMES, is_nullable=True),
        st.builds("artifact_uri LIKE '%/{}/artifacts'".format, _RUN_IDS),
    ),
    _orders(
        [
            *_METRICS,
            *_STATS,
            "params.p",
            "params.q",
            "tags.t",
            "tags.u",
            "run_name",
            "user_id",
            "status",
            "run_id",
            "start_time",
            "end_time",
        ]
    ),
)
"""Searches of runs with every entity, operator and form of logic."""

experiment_queries = _queries(
    Kind.EXPERIMENTS,
    st.one_of(
        _about_text(["name", "attribute.name"]),
        _about_text(["tags.t", "tags.u"], is_nullable=True),
        st.builds("experiment_id IN ('{}', '{}')".format, st.integers(0, 4), st.integers(0, 4)),
        st.builds("experiment_id != '{}'".format, st.integers(0, 4)),
    ),
    # Never by time: the clocks of store and oracle differ.
    st.sampled_from([["name"], ["name DESC"], ["experiment_id"], ["experiment_id DESC"]]),
)
"""Searches of experiments, but for their times."""

model_queries = _queries(
    Kind.REGISTERED_MODELS,
    st.one_of(_about_text(["name"]), _about_text(["tags.t", "tags.u"])),
    st.sampled_from([[], ["name"], ["name DESC"]]),
)
"""Searches of registered models, but for their times."""

version_queries = _queries(
    Kind.MODEL_VERSIONS,
    st.one_of(
        _about_text(["name"]),
        _about_text(["run_id"], _RUN_IDS),
        _about_text(["source_path"]),
        _about_text(["tags.t", "tags.u"]),
        _about_numbers(["version_number"], st.sampled_from(["0", "1", "2", "'3'"])),
    ),
    st.sampled_from([["name"], ["name DESC"], ["version_number"], ["version_number DESC", "name DESC"]]),
)
"""Searches of model versions, but for their times."""

_DATASETS = st.builds(OnDataset, st.sampled_from(["iris", "wine", "none"]), st.sampled_from([None, "d1", "d2"]))
_LOGGED_ORDER = st.lists(
    st.builds(ModelOrder, st.sampled_from(["name", "model_type", "status", "source_run_id", "experiment_id"]), st.booleans())
    | st.builds(ModelOrder, st.sampled_from(["metrics.loss", "metrics.acc", "metrics.nothing"]), st.booleans())
    | st.builds(ModelOrder, st.just("metrics.loss"), st.booleans(), st.sampled_from(["iris", "wine"]), st.sampled_from([None, "d1"])),
    max_size=3,
    unique_by=lambda key: (key.field_name, key.dataset_name, key.dataset_digest),
).map(lambda keys: [*keys, ModelOrder("model_id")])

logged_model_queries = st.builds(
    parse_logged_models,
    _logic(
        st.one_of(
            _about_numbers(["metrics.loss", "metrics.acc", "metrics.`loss.min`", "metrics.nothing"], _NUMBERS, is_nullable=True),
            _about_text(["params.p", "params.q", "tags.t", "tags.u"], is_nullable=True),
            _about_text(["name", "status"]),
            _about_text(["model_type", "source_run_id"], is_nullable=True),
            st.builds("experiment_id IN ('{}', '{}')".format, st.integers(0, 4), st.integers(0, 4)),
        )
    ),
    _LOGGED_ORDER,
    st.one_of(st.just([]), st.lists(_DATASETS, max_size=2)),
)
"""Searches of logged models, but for their times."""

"""Columns of runs as JSON and back."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from drupe.entities import LifecycleStage, RunColumns, RunKey, RunKeys, RunStatus, Stat
from drupe.errors import InvalidQuery, InvalidValue
from drupe.search.query import Entity, Field
from drupe.wire.run_columns import ColumnsFound, FieldOfRuns, KeysFound, columns_form, columns_of, field_form, fields_of, keys_form, keys_of
from drupe.wire.shapes import plain, read

FIELDS = [
    Field(Entity.METRIC, "loss", Stat.MIN, shadow="loss.min"),
    Field(Entity.METRIC, "steps", Stat.COUNT),
    Field(Entity.PARAM, "lr"),
    Field(Entity.TAG, "a`b\"c'd"),
    Field(Entity.ATTRIBUTE, "status"),
    Field(Entity.ATTRIBUTE, "lifecycle_stage"),
    Field(Entity.ATTRIBUTE, "end_time"),
]
FOUND = RunColumns(
    ["a", "b", "c"],
    [
        [math.inf, None, -math.inf],
        [3.0, 1.0, None],
        ["NaN", "", None],
        [None, "x", "Infinity"],
        [RunStatus.FINISHED, RunStatus.RUNNING, RunStatus.FAILED],
        [LifecycleStage.ACTIVE, LifecycleStage.DELETED, LifecycleStage.ACTIVE],
        [2**53 + 1, None, 0],
    ],
    is_cut=True,
)


def _sent(found: RunColumns, fields: list[Field]) -> ColumnsFound:
    return read(ColumnsFound, json.loads(json.dumps(columns_form(found, fields), allow_nan=False)))


def test_columns_come_back_as_they_were_sent() -> None:
    assert columns_of(_sent(FOUND, FIELDS), FIELDS) == FOUND


def test_nan_is_a_number_in_the_column_of_a_metric_and_a_text_in_that_of_a_param() -> None:
    fields = [Field(Entity.METRIC, "m"), Field(Entity.PARAM, "p")]
    back = columns_of(_sent(RunColumns(["a"], [[math.nan], ["NaN"]]), fields), fields)
    assert math.isnan(back.columns[0][0])
    assert back.columns[1] == ["NaN"]


def test_fields_come_back_as_they_were_asked_for() -> None:
    assert fields_of(map(field_form, FIELDS)) == FIELDS


@pytest.mark.parametrize(
    ("field", "told"),
    [
        (FieldOfRuns("colour", "k"), "entity of a field is 'colour'; it is one of attribute, metric, param, tag"),
        (FieldOfRuns("metric", "k", "median"), "stat of a field is 'median'; it is one of last, first, min, max, mean, count"),
    ],
)
def test_a_field_that_is_none_is_refused_with_what_would_be_one(field: FieldOfRuns, told: str) -> None:
    with pytest.raises(InvalidQuery, match=told):
        fields_of([field])


@pytest.mark.parametrize(
    "columns",
    [[], [["x"]], [["x", "y"], ["x"]], [["x", "y"], "xy"], [[[], "y"], ["x", "y"]]],
    ids=["none", "too few", "too short", "no list", "no number"],
)
def test_columns_that_are_not_those_asked_for_are_refused(columns: Any) -> None:
    fields = [Field(Entity.METRIC, "m"), Field(Entity.PARAM, "p")]
    with pytest.raises(InvalidValue):
        columns_of(read(ColumnsFound, {"run_ids": ["a", "b"], "columns": columns}), fields)


def test_keys_come_back_as_they_were_sent() -> None:
    for found in (
        RunKeys((RunKey("m", 3),), (RunKey("p", 2, differs=False),), (RunKey("t", 1, differs=True),), 3, False, ("tags",)),
        RunKeys(),
    ):
        assert keys_of(read(KeysFound, json.loads(json.dumps(plain(keys_form(found)))))) == found

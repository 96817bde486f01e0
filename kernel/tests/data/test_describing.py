"""Describing data: digests of content, schemas as MLflow writes them, profiles, sources."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import drupe
from drupe.data import ArrayDataset, FrameDataset
from drupe.entities import DatasetInput
from drupe.errors import InvalidValue

ROWS = {
    "price": [1.5, None, -3.0],
    "rooms": [1, 2, 3],
    "town": ["Ulm", None, "a\0b"],
    "sold": [True, False, True],
    "on": [dt.datetime(2020, 1, 1, 12, 0, 0, 5), None, dt.datetime(1960, 2, 29)],
}
PANDAS = pd.DataFrame(ROWS)
POLARS = pl.DataFrame(ROWS)
ARROW = {
    "price": "double[pyarrow]",
    "rooms": "int64[pyarrow]",
    "town": "string[pyarrow]",
    "sold": "bool[pyarrow]",
    "on": "timestamp[us][pyarrow]",
}


def digest(frame: Any, **given: Any) -> str:
    describe = drupe.data.from_polars if isinstance(frame, pl.DataFrame) else drupe.data.from_pandas
    return describe(frame, **given).digest


def profile(frame: Any, **given: Any) -> dict[str, Any]:
    return dict(drupe.data.from_pandas(frame, **given).profile)


# --- digests


@pytest.mark.parametrize(
    "same",
    [
        PANDAS.copy(),
        PANDAS.convert_dtypes(),
        PANDAS.astype(ARROW),
        PANDAS.astype({"rooms": "uint8", "town": "category"}),
        PANDAS.astype({"town": object}),
        PANDAS.astype({"on": "datetime64[ns]"}),
        PANDAS.set_index(pd.Index([7, 8, 9])),
        POLARS,
        POLARS.with_columns(pl.col("town").cast(pl.Categorical), pl.col("rooms").cast(pl.Int8), pl.col("on").dt.cast_time_unit("ns")),
    ],
    ids=["copy", "nullable", "arrow", "narrow", "object", "nanoseconds", "index", "polars", "polars-narrow"],
)
def test_equal_values_have_an_equal_digest_whatever_holds_them(same: Any) -> None:
    assert digest(same) == digest(PANDAS)


@pytest.mark.parametrize(
    "other",
    [
        PANDAS.assign(price=[1.5, None, -3.1]),
        PANDAS.assign(price=[1.5, 0.0, -3.0]),
        PANDAS.assign(rooms=[1.0, 2.0, 3.0]),
        PANDAS.assign(town=["Ulm", "", "a\0b"]),
        PANDAS.assign(town=["Ulm\0", None, "ab"]),
        PANDAS.assign(sold=[True, True, True]),
        PANDAS.assign(on=[dt.datetime(2020, 1, 1, 12, 0, 0, 6), None, dt.datetime(1960, 2, 29)]),
        PANDAS.assign(on=PANDAS["on"].dt.tz_localize("Europe/Berlin")),
        PANDAS.rename(columns={"rooms": "room"}),
        PANDAS[["rooms", "price", "town", "sold", "on"]],
        PANDAS.iloc[::-1],
        PANDAS.iloc[:2],
    ],
)
def test_another_value_type_name_or_order_gives_another_digest(other: Any) -> None:
    assert digest(other) != digest(PANDAS)


def test_a_digest_is_the_same_in_every_process() -> None:
    program = (
        "import drupe, pandas as pd; print(drupe.data.from_pandas(pd.DataFrame({'a': ['x', None], 'b': [{'k': {1, 2}}, object]})).digest)"
    )
    frame = pd.DataFrame({"a": ["x", None], "b": [{"k": {1, 2}}, object]})
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == digest(frame)


def test_objects_are_told_apart_by_type_and_content_and_not_by_where_they_lie() -> None:
    class Anonymous:
        pass

    assert digest(pd.DataFrame({"a": [Anonymous()]})) == digest(pd.DataFrame({"a": [Anonymous()]}))
    cells: list[Any] = [[1, 2], [1, 2.0], ["1", "2"], {"a": 1}, {"a": "1"}, b"x", "x", None, 1, True]
    assert len({digest(pd.DataFrame({"a": pd.Series([cell], dtype=object)})) for cell in cells}) == len(cells)


def test_times_far_from_today_keep_their_digest_and_their_differences() -> None:
    old, older = dt.datetime(1, 1, 1), dt.datetime(1, 1, 2)
    frames = [pl.DataFrame({"t": [moment]}) for moment in (old, older)]
    assert digest(frames[0]) == digest(pd.DataFrame({"t": pd.Series(np.array([old], "datetime64[us]"))})) != digest(frames[1])


def test_a_digest_that_is_given_is_kept() -> None:
    assert drupe.data.from_pandas(PANDAS, digest="mine").digest == "mine"
    assert drupe.data.from_numpy(np.zeros(2), digest="mine").digest == "mine"


@pytest.mark.parametrize(
    "values", [np.array(["a", "b"], object), np.array([b"a", b"b"]), np.array([1 + 2j, 3]), np.zeros((0, 3)), np.array(5)]
)
def test_arrays_of_any_type_and_shape_have_a_digest_of_their_values(values: Any) -> None:
    again = np.array(values.tolist(), dtype=values.dtype).reshape(values.shape)
    assert drupe.data.from_numpy(values).digest == drupe.data.from_numpy(again).digest


def test_arrays_of_other_shapes_or_parts_differ() -> None:
    ones = np.ones(6)
    described = [
        drupe.data.from_numpy(ones),
        drupe.data.from_numpy(ones.reshape(2, 3)),
        drupe.data.from_numpy({"a": ones}),
        drupe.data.from_numpy(ones, targets=ones),
        drupe.data.from_numpy(ones * 2),
    ]
    assert len({dataset.digest for dataset in described}) == len(described)
    assert drupe.data.from_numpy(np.ones((2, 3), order="F")).digest == described[1].digest
    assert drupe.data.from_numpy(ones.astype(">f4")).digest == described[0].digest


def test_a_huge_table_is_read_at_even_distances_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drupe.data.content.CELLS_MAX", 4000)
    frame = pd.DataFrame({"a": np.arange(9000.0), "b": np.arange(9000)})
    described = drupe.data.from_pandas(frame)
    assert described.profile["sampled_rows"] == 2000
    assert described.profile["num_rows"] == 9000
    assert described.profile["columns"]["a"]["max"] == 8999.0
    assert drupe.data.from_polars(pl.from_pandas(frame)).digest == described.digest
    assert digest(frame.iloc[:8999]) != described.digest
    frame.loc[8999, "a"] = 0
    assert digest(frame) != described.digest
    assert drupe.data.from_numpy(np.arange(9000)).profile["sampled_elements"] == 4000


def test_a_missing_value_that_was_not_read_still_shows_in_the_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drupe.data.content.CELLS_MAX", 1000)
    frame = pd.DataFrame({"a": np.arange(3000.0)})
    frame.loc[1, "a"] = np.nan
    described = drupe.data.from_pandas(frame)
    assert described.profile["columns"]["a"]["missing"] == 0
    assert json.loads(described.schema_json() or "")["mlflow_colspec"][0]["required"] is False


# --- schemas: as MLflow 3.17.2 writes them for the same data


@pytest.mark.parametrize(
    ("frame", "types"),
    [
        (PANDAS, [("double", False), ("long", True), ("string", False), ("boolean", True), ("datetime", False)]),
        (POLARS, [("double", False), ("long", True), ("string", False), ("boolean", True), ("datetime", False)]),
        (pd.DataFrame({"a": np.array([1], "int8"), "b": np.array([1], "uint32"), "c": np.array([1], "float32")}), [("integer", True), ("long", True), ("float", True)]),
        (pl.DataFrame({"a": pl.Series([1], dtype=pl.Int8), "b": pl.Series([1], dtype=pl.UInt32), "c": pl.Series([1], dtype=pl.Float32)}), [("integer", True), ("long", True), ("float", True)]),
        (pd.DataFrame({"a": pd.Categorical(["x"]), "b": [b"x"]}), [("string", True), ("binary", True)]),
    ],
)  # fmt: skip
def test_columns_have_mlflows_types(frame: Any, types: list[tuple[str, bool]]) -> None:
    describe = drupe.data.from_polars if isinstance(frame, pl.DataFrame) else drupe.data.from_pandas
    columns = json.loads(describe(frame).to_dict()["schema"] or "")["mlflow_colspec"]
    assert [(column["type"], column["required"]) for column in columns] == types
    assert [column["name"] for column in columns] == list(frame.columns)


def test_nested_polars_columns_are_arrays_and_objects() -> None:
    frame = pl.DataFrame({"a": [[1, 2], [3]], "b": [{"x": 1.5}, {"x": 2.5}]})
    columns = json.loads(drupe.data.from_polars(frame).schema_json() or "")["mlflow_colspec"]
    assert columns[0]["items"] == {"type": "long"}
    assert columns[1]["properties"]["x"]["type"] == "double"


def test_a_type_without_a_name_in_mlflow_leaves_the_schema_out_and_says_why() -> None:
    for described in (
        drupe.data.from_pandas(pd.DataFrame({"c": [1 + 2j]})),
        drupe.data.from_polars(pl.DataFrame({"c": [dt.timedelta(1)]})),
    ):
        assert described.schema is None
        assert described.to_dict()["schema"] is None
        assert "'c'" in described.profile["no_schema"]


def test_arrays_are_tensors_written_as_texts_in_the_text() -> None:
    described = drupe.data.from_numpy(np.zeros((3, 2), "float32"), targets=np.zeros(3, int))
    specs = json.loads(described.schema_json() or "")["mlflow_tensorspec"]
    assert json.loads(specs["features"]) == [{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 2]}}]
    assert json.loads(specs["targets"]) == [{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]
    assert json.loads(drupe.data.from_numpy(np.zeros(3)).schema_json() or "")["mlflow_tensorspec"]["targets"] is None


# --- profiles


def test_a_profile_counts_and_measures_each_column() -> None:
    frame = pd.DataFrame(
        {
            "x": [1.0, 2.0, 3.0, np.nan, np.inf],
            "n": [1, 2, 3, 4, 2**62],
            "b": [True, False, True, True, True],
            "t": pd.to_datetime(["2020-01-01", "2021-01-01", None, "2019-01-01", "2020-06-01"]),
            "s": ["a", "b", "a", None, "a"],
            "id": ["k1", "k2", "k3", "k4", "k5"],
        }
    )
    found = profile(frame, targets="x", predictions="n")
    assert (found["num_rows"], found["num_elements"], found["targets"], found["predictions"]) == (5, 30, "x", "n")
    columns = found["columns"]
    assert columns["x"] == {"missing": 1, "min": 1.0, "max": 3.0, "mean": 2.0, "std": pytest.approx(0.8164965), "infinite": 1}
    assert columns["n"]["max"] == 2**62
    assert columns["b"] == {"missing": 0, "true": 4, "false": 1}
    assert columns["t"] == {"missing": 1, "min": "2019-01-01T00:00:00", "max": "2021-01-01T00:00:00"}
    assert columns["s"] == {"missing": 1, "distinct": 2, "top": [["a", 3], ["b", 1]]}
    assert columns["id"] == {"missing": 0, "distinct": 5}


def test_a_profile_is_json_that_any_reader_takes() -> None:
    frame = pd.DataFrame(
        {"none": [None, None], "nan": [np.nan, np.nan], "inf": [np.inf, -np.inf], "huge": [1.7e308, 1.7e308], "c": [1j, 2j]}
    )
    text = drupe.data.from_pandas(frame).to_dict()["profile"] or ""
    assert json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} in the profile"))["columns"]["huge"]["max"] == 1.7e308


def test_wide_tables_are_profiled_up_to_a_limit() -> None:
    assert len(profile(pd.DataFrame(np.zeros((2, 400))))["columns"]) == 300


def test_empty_tables_are_described() -> None:
    for described in (
        drupe.data.from_pandas(pd.DataFrame({"x": []})),
        drupe.data.from_pandas(pd.DataFrame()),
        drupe.data.from_polars(pl.DataFrame()),
    ):
        assert described.profile["num_rows"] == 0
        json.loads(described.to_json())


def test_statistics_are_left_out_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRUPE_DATASET_PROFILE", "false")
    assert profile(PANDAS) == {"num_rows": 3, "num_elements": 15}


# --- the rest of a description


def test_attributes_have_mlflows_names() -> None:
    described = drupe.data.from_pandas(PANDAS, targets="price", predictions="rooms", name="homes")
    assert isinstance(described, FrameDataset)
    assert (described.name, described.targets, described.predictions) == ("homes", "price", "rooms")
    assert described.df is PANDAS
    features = np.zeros((2, 2))
    arrays = drupe.data.from_numpy(features, targets=np.ones(2))
    assert isinstance(arrays, ArrayDataset)
    assert arrays.features is features
    assert set(described.to_dict()) == {"name", "digest", "source", "source_type", "schema", "profile"}


@pytest.mark.parametrize("what", ["targets", "predictions"])
def test_a_column_that_is_not_there_is_refused_with_those_that_are(what: str) -> None:
    with pytest.raises(InvalidValue, match=f"{what} is 'cost', which is not a column; there are price, rooms"):
        drupe.data.from_pandas(PANDAS, **{what: "cost"})


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(InvalidValue, match="takes a DataFrame, not ndarray"):
        drupe.data.from_pandas(np.zeros(2))
    with pytest.raises(InvalidValue, match="collect"):
        drupe.data.from_polars(POLARS.lazy())
    with pytest.raises(InvalidValue, match="empty"):
        drupe.data.from_numpy({})


def test_datasets_are_tied_to_the_run_with_their_context() -> None:
    with drupe.start_run() as run:
        drupe.log_input(drupe.data.from_pandas(PANDAS, name="train", targets="price"), context="training")
        drupe.log_input(drupe.data.from_numpy(np.zeros((3, 2)), name="grid"), context="test", tags={"k": "v"})
        described = drupe.data.from_polars(POLARS, name="polars").to_entity()
        drupe.Client().log_inputs(run.info.run_id, [DatasetInput(described)])
    inputs = {entry.dataset.name: entry for entry in drupe.get_run(run.info.run_id).inputs.dataset_inputs}
    assert set(inputs) == {"train", "grid", "polars"}
    assert json.loads(inputs["train"].dataset.profile or "")["targets"] == "price"
    assert {tag.key: tag.value for tag in inputs["grid"].tags} == {"mlflow.data.context": "test", "k": "v"}
    assert inputs["polars"].dataset.digest == inputs["train"].dataset.digest


# --- sources


@pytest.mark.parametrize(
    ("given", "kind", "facts"),
    [
        ("data/x.csv", "local", {"uri": "data/x.csv"}),
        (Path("data/x.csv"), "local", {"uri": "data/x.csv"}),
        ("file:///data/x.csv", "local", {"uri": "file:///data/x.csv"}),
        ("HTTPS://host/x.csv", "http", {"url": "HTTPS://host/x.csv"}),
        ("s3://bucket/x.csv", "s3", {"uri": "s3://bucket/x.csv"}),
        ("https://me:pw@host/x.csv?token=abc&sig=d", "http", {"url": "https://***@host/x.csv?token=***&sig=***"}),
        ("sklearn.datasets.load_digits", "local", {"uri": "sklearn.datasets.load_digits"}),
    ],
)
def test_a_source_is_recorded_as_mlflow_does_and_without_secrets(given: Any, kind: str, facts: dict[str, str]) -> None:
    source = drupe.data.from_pandas(PANDAS, source=given).source
    assert (source.source_type, source.to_dict()) == (kind, facts)


def test_without_a_source_the_program_is_the_source() -> None:
    source = drupe.data.from_pandas(PANDAS).source
    assert source.source_type == "code"
    assert source.to_dict()["tags"]["mlflow.source.type"] == "LOCAL"
    with pytest.raises(InvalidValue, match="made in code"):
        source.load()


def test_a_source_of_mlflow_is_taken_as_it_describes_itself() -> None:
    class TheirSource:
        def to_json(self) -> str:
            return '{"uri": "delta-table"}'

        def _get_source_type(self) -> str:
            return "delta_table"

    source = drupe.data.from_pandas(PANDAS, source=TheirSource()).source
    assert (source.source_type, source.uri) == ("delta_table", "delta-table")
    assert drupe.data.from_numpy(np.zeros(1), source=source).source == source
    with pytest.raises(InvalidValue, match="an address, a path or"):
        drupe.data.from_pandas(PANDAS, source=5)

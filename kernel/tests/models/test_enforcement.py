"""Input against signatures. The table of column conversions is MLflow's."""

from __future__ import annotations

import json
import warnings
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csc_matrix

from drupe.errors import InvalidValue, SignatureMismatch
from drupe.models import AnyType, Array, Coercion, ColSpec, DataType, Map, Object, ParamSchema, ParamSpec, Property, Schema, TensorSpec
from drupe.models.enforce import InputFit, enforce_input, enforce_params, valid_example, valid_request
from drupe.models.quick_frames import dtypes_of, frame_of_arrays

AB = Schema([ColSpec("double", "a"), ColSpec("string", "b")])
NOW = np.datetime64("2024-05-01T12:00:00", "s")

FITS: list[tuple[str, Any, str]] = [
    ("long", pd.Series([1], dtype="int32"), "int64"),
    ("long", pd.Series([1], dtype="uint32"), "int64"),
    ("long", pd.Series([1, 2], dtype="Int64"), "int64"),
    ("integer", pd.Series([1], dtype="int8"), "int32"),
    ("integer", pd.Series([1], dtype="uint16"), "int32"),
    ("double", pd.Series([1], dtype="float32"), "float64"),
    ("double", pd.Series([1], dtype="int32"), "float64"),
    ("double", pd.Series([1], dtype="uint8"), "float64"),
    ("double", pd.Series([0, 1], dtype="int64"), "float64"),
    ("float", pd.Series([0, 1], dtype="int64"), "float32"),
    ("double", pd.Series([Decimal("1.5")]), "float64"),
    ("double", pd.Series([1.5, None], dtype="object"), "float64"),
    ("double", pd.Series([None, None], dtype="object"), "float64"),
    ("double", pd.Series([1, None], dtype="object"), "float64"),
    ("float", pd.Series([None], dtype="object"), "float32"),
    ("double", pd.Series([], dtype="object"), "float64"),
    ("long", pd.Series([], dtype="object"), "int64"),
    ("datetime", pd.Series([NOW]), "datetime64[ns]"),
    ("datetime", pd.Series([datetime(2024, 5, 1)], dtype="object"), "datetime64[ns]"),
    ("datetime", pd.Series(["2024-05-01"], dtype="object"), "datetime64[ns]"),
    ("string", pd.Series(["a", None], dtype="object"), "object"),
    ("string", pd.Series(["a"], dtype="str"), "str"),
    ("string", pd.Series(pd.Categorical(["a"])), "category"),
    ("binary", pd.Series([b"a"]), "object"),
    ("boolean", pd.Series([True]), "bool"),
    ("boolean", pd.Series([True, None], dtype="object"), "object"),
]
MISFITS: list[tuple[str, Any, str]] = [
    ("double", pd.Series([2], dtype="int64"), r"holds int64, double expected \(64-bit integers may be too large"),
    ("float", pd.Series([1.0]), r"holds float64, float expected \(doubles lose digits"),
    ("long", pd.Series([1.5]), "holds float64, long expected"),
    ("long", pd.Series([1, None]), r"whole numbers with missing values become floats"),
    ("long", pd.Series([1, None], dtype="Int64"), "whole numbers with missing values"),
    ("integer", pd.Series([1]), "holds int64, integer expected"),
    ("integer", pd.Series([1], dtype="uint32"), "holds uint32"),
    ("long", pd.Series([True]), "holds bool"),
    ("boolean", pd.Series([1]), "holds int64, boolean expected"),
    ("boolean", pd.Series(["x"], dtype="object"), "holds str 'x' in row 0"),
    ("string", pd.Series([1]), "holds int64, string expected"),
    ("double", pd.Series(["x"]), "holds str, double expected"),
    ("double", pd.Series([1.5, "x"], dtype="object"), "holds str 'x' in row 1, double expected"),
    ("float", pd.Series([5], dtype="int8"), r"\(integers may be too large"),
    ("boolean", pd.Series([True, None], dtype="boolean"), r"it has missing values, which a boolean cannot be"),
    ("string", pd.Series(pd.Categorical([1])), "holds int64, string expected"),
    ("datetime", pd.Series([1]), "holds int64, datetime expected"),
    ("datetime", pd.Series(["soon"], dtype="object"), "holds"),
    ("datetime", pd.to_datetime(pd.Series(["2024-05-01"])).dt.tz_localize("UTC"), "have no zone"),
]


@pytest.mark.parametrize(("kind", "series", "dtype"), FITS)
def test_a_column_is_converted_when_nothing_is_lost(kind: str, series: Any, dtype: str) -> None:
    fitted = enforce_input(series.to_frame("x"), Schema([ColSpec(kind, "x")]))
    assert str(fitted["x"].dtype) == dtype
    assert len(fitted) == len(series)


@pytest.mark.parametrize(("kind", "series", "says"), MISFITS)
def test_a_column_that_would_lose_something_is_refused(kind: str, series: Any, says: str) -> None:
    with pytest.raises(SignatureMismatch, match=says):
        enforce_input(series.to_frame("x"), Schema([ColSpec(kind, "x")]))


def test_columns_are_taken_by_name_and_extra_ones_left_out_with_a_warning() -> None:
    given = pd.DataFrame({"b": ["x", "y"], "extra": [1, 2], "a": [0.5, 1.5]}, index=[7, 9])
    with pytest.warns(UserWarning, match="does not take 'extra', which is left out; it takes 'a', 'b'"):
        fitted = enforce_input(given, AB)
    assert fitted.to_dict("list") == {"a": [0.5, 1.5], "b": ["x", "y"]}
    assert list(fitted.columns) == ["a", "b"]
    assert list(fitted.index) == [7, 9]
    assert list(given.columns) == ["b", "extra", "a"]


def test_an_optional_column_may_be_left_out() -> None:
    schema = Schema([ColSpec("double", "a"), ColSpec("double", "b", required=False)])
    assert list(enforce_input(pd.DataFrame({"a": [1.0]}), schema).columns) == ["a"]


def test_a_table_that_fits_is_passed_on_without_a_copy() -> None:
    schema = Schema([ColSpec("double", "a"), ColSpec("long", "n")])
    given = pd.DataFrame({"a": [1.0], "n": [1]})
    assert enforce_input(given, schema) is given


def test_all_faults_are_told_at_once_with_what_was_expected_found_and_an_example() -> None:
    with pytest.raises(SignatureMismatch) as caught:
        enforce_input(pd.DataFrame({"b": [1], "other": [2]}), AB)
    text = str(caught.value)
    assert "column 'a' is missing, double expected" in text
    assert "column 'b' holds int64, string expected" in text
    assert "the input has 'b', 'other'" in text
    assert "A valid input: [{'a': 0.5, 'b': 'text'}]" in text
    assert [fault["column"] for fault in caught.value.details["faults"]] == ["a", "b"]


def test_a_column_that_is_there_twice_is_refused() -> None:
    with pytest.raises(SignatureMismatch, match="column 'a' is there 2 times"):
        enforce_input(pd.DataFrame([[1.0, 2.0, "x"]], columns=["a", "a", "b"]), AB)


@pytest.mark.parametrize(
    "given",
    [
        {"a": [1, 2.5], "b": ["x", "y"]},
        [{"a": 1, "b": "x"}, {"b": "y", "a": 2.5}],
        {"a": np.array([1.0, 2.5]), "b": np.array(["x", "y"])},
        {"a": (1, 2.5), "b": ("x", "y")},
    ],
)
def test_plain_data_is_read_as_a_table_with_ints_taken_for_doubles(given: Any) -> None:
    fitted = enforce_input(given, AB)
    assert fitted.to_dict("list") == {"a": [1.0, 2.5], "b": ["x", "y"]}
    assert fitted["a"].dtype == "float64"


def test_a_dict_of_scalars_is_one_row() -> None:
    assert enforce_input({"a": None, "b": "x"}, AB).to_dict("records")[0]["b"] == "x"
    assert enforce_input({"a": None, "b": "x"}, AB)["a"].isna().all()


@pytest.mark.parametrize(
    "given", [5, "text", [1.0, 2.0], [[1.0, "x"]], np.zeros((2, 2)), {"a": [1, 2], "b": ["x"]}, np.zeros((2, 2, 2)), [[1], [2, 3]], []]
)
def test_data_without_the_names_is_refused_for_named_columns(given: Any) -> None:
    with pytest.raises(SignatureMismatch):
        enforce_input(given, AB)


@pytest.mark.parametrize(
    ("given", "kind", "says"),
    [
        ([1.0], "long", "holds float '1.0' in row 0"),
        ([2**31], "integer", "holds int '2147483648' in row 0"),
        ([True], "long", "holds bool 'True' in row 0"),
        ([0, 1], "boolean", "holds int '0' in row 0"),
        ([2**60], "double", "holds int"),
        (["!"], "binary", "holds str '!' in row 0"),
        (["soon"], "datetime", "holds str 'soon' in row 0"),
        ([None], "long", "holds NoneType 'None' in row 0"),
        ([1e300], "float", "holds float '1e\\+300' in row 0"),
    ],
)
def test_a_plain_value_of_a_wrong_type_is_named_with_its_row(given: Any, kind: str, says: str) -> None:
    with pytest.raises(SignatureMismatch, match=says):
        enforce_input({"x": given}, Schema([ColSpec(kind, "x")]))


def test_unnamed_columns_are_taken_by_place() -> None:
    schema = Schema([ColSpec("double"), ColSpec("string")])
    assert enforce_input([[1, "x"]], schema).values.tolist() == [[1.0, "x"]]
    with pytest.warns(UserWarning, match="does not take 'r'"):
        assert enforce_input(pd.DataFrame({"p": [1.0], "q": ["x"], "r": [0]}), schema).values.tolist() == [[1.0, "x"]]
    with pytest.raises(SignatureMismatch, match="column 1 is missing"):
        enforce_input(pd.DataFrame({"p": [1.0]}), schema)


def test_two_columns_of_one_name_are_both_kept_where_the_signature_has_no_names() -> None:
    table = pd.DataFrame([[1.5, 2.5]], columns=["a", "a"])
    fitted = enforce_input(table, Schema([ColSpec("double"), ColSpec("double")]))
    assert fitted.to_numpy().tolist() == [[1.5, 2.5]]
    assert list(fitted.columns) == ["a", "a"]


@pytest.mark.parametrize("given", [None, csc_matrix(np.eye(2))], ids=["nothing", "sparse matrix"])
def test_what_is_no_table_is_refused_even_for_one_column_of_text(given: Any) -> None:
    with pytest.raises(
        SignatureMismatch, match=f"the input is {type(given).__name__}, a DataFrame, dict of columns, or list of dicts expected"
    ):
        enforce_input(given, Schema([ColSpec("string")]))


def test_names_found_in_records_are_told() -> None:
    with pytest.raises(SignatureMismatch, match="column 'b' is missing, string expected; the input has 'a', 'c'"):
        enforce_input([{"a": 1.5}, {"c": 2}], AB)


def test_plain_values_of_any_type_become_a_column_of_the_type_they_have() -> None:
    assert enforce_input({"a": [1, 2]}, Schema([ColSpec(AnyType(), "a")])).dtypes["a"] == "int64"


def test_a_series_without_a_name_is_the_only_column() -> None:
    assert list(enforce_input(pd.Series([1.0]), Schema([ColSpec("double", "x")])).columns) == ["x"]
    assert enforce_input("text", Schema([ColSpec("string")])).values.tolist() == [["text"]]


NESTED = Schema(
    [
        ColSpec(Array("long"), "ids"),
        ColSpec(Object([Property("k", "double"), Property("o", "string", False)]), "one"),
        ColSpec(Map("long"), "m", False),
    ]
)


def test_nested_values_are_checked_and_cast_inside() -> None:
    row = {"ids": [1, 2], "one": {"k": 1}, "m": {"x": 3}}
    assert enforce_input([row], NESTED).to_dict("records") == [{"ids": [1, 2], "one": {"k": 1.0}, "m": {"x": 3}}]
    assert enforce_input(row, NESTED)["ids"].tolist() == [[1, 2]]
    assert enforce_input(pd.DataFrame([row]), NESTED)["one"].tolist() == [{"k": 1.0}]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"ids": [1, "x"]}, r"row 0\[1\] needs long, got str 'x'"),
        ({"ids": 1}, "column 'ids' holds int"),
        ({"one": {}}, "lacks the property 'k'"),
        ({"one": {"k": 1, "z": 2}}, r"has \['z'\] besides"),
        ({"m": {"x": "y"}}, r"row 0\['x'\] needs long"),
    ],
)
def test_a_nested_value_that_does_not_fit_is_named_by_its_place(change: dict[str, Any], says: str) -> None:
    with pytest.raises(SignatureMismatch, match=says):
        enforce_input([{"ids": [1], "one": {"k": 1.0}} | change], NESTED)


@pytest.mark.parametrize(
    "kind", [*DataType, Array("datetime"), Map("double"), Object([Property("x", "integer"), Property("y", "long", False)])]
)
@pytest.mark.parametrize("name", ["x", None])
def test_the_example_of_a_valid_input_is_valid(kind: Any, name: str | None) -> None:
    schema = Schema([ColSpec(kind, name)])
    assert len(enforce_input(eval(valid_example(schema)), schema)) == 1


def test_the_example_for_tensors_is_valid_too() -> None:
    one, two = Schema([TensorSpec("float32", (-1, 3))]), Schema([TensorSpec("int64", (-1,), "x"), TensorSpec("bool", (2, 2), "y")])
    assert enforce_input(eval(valid_example(one), {"numpy": np}), one).shape == (1, 3)
    assert set(enforce_input(eval(valid_example(two), {"numpy": np}), two)) == {"x", "y"}


# --- tensors

TENSOR = Schema([TensorSpec("float32", (-1, 2))])


@pytest.mark.parametrize(
    "given",
    [
        np.ones((3, 2), "float32"),
        np.ones((1, 2), "float16"),
        [[1, 2]],
        [[0.5, None]],
        pd.DataFrame(np.ones((2, 2), "float32")),
        csc_matrix(np.eye(2, dtype="float32")),
    ],
)
def test_an_array_is_taken_in_its_type_when_nothing_is_lost(given: Any) -> None:
    fitted = enforce_input(given, TENSOR)
    assert fitted.dtype == np.dtype("float32")
    assert fitted.shape[1] == 2


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (np.ones((3, 3), "float32"), r"has the shape \(3, 3\), float32 of shape \(-1, 2\) expected"),
        (np.ones(2, "float32"), r"has the shape \(2,\)"),
        (np.ones((1, 2)), r"holds float64, .*astype\('float32'\)"),
        (np.ones((1, 2), "int64"), "holds int64"),
        ([["x", "y"]], "holds <U1"),
        ([[1], [2, 3]], "is no array"),
        ([[10**400, 1]], "holds numbers that float32 has no room for"),
        ([[1e300, 1]], "holds numbers that float32 has no room for"),
    ],
)
def test_an_array_that_does_not_fit_is_refused(given: Any, says: str) -> None:
    with pytest.raises(SignatureMismatch, match=says):
        enforce_input(given, TENSOR)


def test_named_tensors_are_taken_by_name() -> None:
    schema = Schema([TensorSpec("int64", (-1,), "x"), TensorSpec("str", (-1,), "y")])
    with pytest.warns(UserWarning, match="does not take 'z', which is left out; it takes 'x', 'y'"):
        fitted = enforce_input({"x": [1, 2], "y": np.array(["a", "bcd"]), "z": [0]}, schema)
    assert set(fitted) == {"x", "y"}
    assert fitted["x"].dtype == np.dtype("int64")
    assert set(enforce_input(pd.DataFrame({"x": [1], "y": ["a"]}), schema)) == {"x", "y"}
    with pytest.raises(SignatureMismatch, match="column 'y' is missing"):
        enforce_input({"x": [1]}, schema)
    with pytest.raises(SignatureMismatch, match="a dict of the arrays x, y"):
        enforce_input([1], schema)


def test_a_column_of_lists_is_an_array_of_one_more_axis() -> None:
    schema = Schema([TensorSpec("float64", (-1, 3), "v")])
    assert enforce_input(pd.DataFrame({"v": [[1.0, 2.0, 3.0]]}), schema)["v"].shape == (1, 3)


def test_a_column_of_arrays_is_an_array_of_one_more_axis() -> None:
    table = pd.DataFrame({"a": [np.array([1.0, 2.0]), np.array([3.0, 4.0])]})
    assert enforce_input(table, Schema([TensorSpec("float64", (-1, 2))])).tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_without_a_schema_input_passes_as_it_is() -> None:
    thing = object()
    assert enforce_input(thing, None) is thing


# --- gaps in optional columns

MAYBE = Schema([ColSpec("long", "n", required=False), ColSpec("boolean", "flag", required=False)])


@pytest.mark.parametrize(
    "given",
    [
        [{"n": 1, "flag": True}, {"n": None, "flag": None}],
        {"n": [1, None], "flag": [True, None]},
        pd.DataFrame({"n": [1.0, np.nan], "flag": pd.Series([True, None], dtype="boolean")}),
        pd.DataFrame({"n": pd.Series([1, None], dtype="Int64"), "flag": pd.Series([True, None], dtype="boolean")}),
    ],
)
def test_gaps_among_whole_numbers_and_flags_stay_gaps_in_optional_columns(given: Any) -> None:
    fitted = enforce_input(given, MAYBE)
    assert list(map(str, fitted.dtypes)) == ["Int64", "boolean"]
    assert fitted.isna().to_numpy().tolist() == [[False, False], [True, True]]
    assert (fitted["n"][0], fitted["flag"][0]) == (1, True)


def test_an_optional_column_without_gaps_is_an_ordinary_one() -> None:
    assert list(map(str, enforce_input([{"n": 1, "flag": True}], MAYBE).dtypes)) == ["int64", "bool"]


def test_a_fraction_among_gaps_is_refused() -> None:
    with pytest.raises(SignatureMismatch, match="column 'n' holds float64, long expected"):
        enforce_input(pd.DataFrame({"n": [1.5, np.nan], "flag": [True, True]}), MAYBE)


def test_a_gap_in_a_required_column_is_named_with_its_row() -> None:
    with pytest.raises(SignatureMismatch, match=r"column 'n' holds NoneType 'None' in row 1, long expected \(this column is required"):
        enforce_input({"n": [1, None]}, Schema([ColSpec("long", "n")]))


# --- coercion


@pytest.mark.parametrize(
    ("kind", "series", "dtype"),
    [
        ("long", pd.Series([3.0, -2.0]), "int64"),
        ("integer", pd.Series([2**31 - 1]), "int32"),
        ("double", pd.Series([2**53]), "float64"),
        ("float", pd.Series([0.5, np.nan]), "float32"),
        ("float", pd.Series([2**24]), "float32"),
        ("long", pd.Series([2**63 - 1], dtype="uint64"), "int64"),
        ("datetime", pd.to_datetime(pd.Series(["2024-05-01T12:00"])).dt.tz_localize("Europe/Berlin"), "datetime64[ns]"),
    ],
)
def test_lossless_coercion_looks_at_the_values(kind: str, series: Any, dtype: str) -> None:
    schema = Schema([ColSpec(kind, "x")])
    with pytest.raises(SignatureMismatch):
        enforce_input(series.to_frame("x"), schema)
    fitted = enforce_input(series.to_frame("x"), schema, Coercion.lossless)["x"]
    assert str(fitted.dtype) == dtype
    assert fitted.dropna().tolist() == [
        value.tz_convert("UTC").tz_localize(None) if kind == "datetime" else value for value in series.dropna()
    ]


@pytest.mark.parametrize(
    ("kind", "series"),
    [
        ("long", pd.Series([3.5])),
        ("long", pd.Series([2.0**63])),
        ("long", pd.Series([1.0, np.nan])),
        ("integer", pd.Series([2**31])),
        ("double", pd.Series([2**53 + 1])),
        ("float", pd.Series([0.1])),
        ("float", pd.Series([2**24 + 1])),
        ("long", pd.Series([2**63], dtype="uint64")),
        ("boolean", pd.Series([1])),
        ("long", pd.Series(["1"])),
    ],
)
def test_even_lossless_coercion_refuses_values_that_would_change(kind: str, series: Any) -> None:
    with pytest.raises(SignatureMismatch, match="expected"):
        enforce_input(series.to_frame("x"), Schema([ColSpec(kind, "x")]), Coercion.lossless)


def test_exact_coercion_converts_nothing_and_takes_no_other_columns() -> None:
    schema = Schema([ColSpec("double", "a"), ColSpec("string", "b")])
    assert len(enforce_input(pd.DataFrame({"b": ["x"], "a": [0.5]}), schema, Coercion.exact)) == 1
    with pytest.raises(SignatureMismatch, match=r"column 'a' holds float32, double expected \(nothing is converted .*astype\('float64'\)"):
        enforce_input(pd.DataFrame({"a": np.ones(1, "float32"), "b": ["x"]}), schema, Coercion.exact)
    with pytest.raises(SignatureMismatch, match="column 'c' is there, no column of this name expected"):
        enforce_input(pd.DataFrame({"a": [0.5], "b": ["x"], "c": [1]}), schema, Coercion.exact)
    assert enforce_input([{"a": 1, "b": "x"}], schema, Coercion.exact)["a"].tolist() == [1.0]


def test_arrays_follow_the_coercion_too() -> None:
    schema = Schema([TensorSpec("float32", (-1,))])
    assert enforce_input(np.array([0.5, np.nan]), schema, Coercion.lossless).dtype == np.dtype("float32")
    assert enforce_input(np.array([1, 2]), schema, Coercion.lossless).tolist() == [1.0, 2.0]
    with pytest.raises(SignatureMismatch, match="holds float64"):
        enforce_input(np.array([0.1]), schema, Coercion.lossless)
    with pytest.raises(SignatureMismatch, match="holds float16"):
        enforce_input(np.ones(1, "float16"), schema, Coercion.exact)
    with pytest.raises(SignatureMismatch, match="column 'z' is there, no array of this name expected"):
        enforce_input({"x": [1], "z": [1]}, Schema([TensorSpec("int64", (-1,), "x")]), Coercion.exact)


@pytest.mark.parametrize("text", ["2024-05-01T12:00:00Z", "2024-05-01T14:00:00+02:00", "2024-05-01T12:00:00.000000000", "2024-05-01 12:00"])
def test_a_time_in_text_is_taken_to_utc(text: str) -> None:
    assert enforce_input([{"t": text}], Schema([ColSpec("datetime", "t")]))["t"].tolist() == [pd.Timestamp("2024-05-01 12:00")]


def test_a_time_that_would_lose_digits_is_refused() -> None:
    with pytest.raises(SignatureMismatch, match=r"column 't' holds str '2024-05-01T12:00:00\.1234567' in row 0"):
        enforce_input([{"t": "2024-05-01T12:00:00.1234567"}], Schema([ColSpec("datetime", "t")]))


def test_an_unknown_coercion_is_refused_with_those_there_are() -> None:
    assert Coercion.of("lossless") is Coercion.lossless
    with pytest.raises(InvalidValue, match="coercion is 'loose'; it must be one of exact, safe, lossless"):
        Coercion.of("loose")


@pytest.mark.parametrize("given", [[{"a": 1, "b": "x"}], [{"b": "x", "a": 1.0}], {"a": [1], "b": ["x"]}, {"a": 1, "b": "x"}])
@pytest.mark.parametrize("schema", [AB, Schema([ColSpec("double", "a"), ColSpec("string", "b"), ColSpec("datetime", "t", required=False)])])
def test_the_quick_way_and_the_slow_way_agree(given: Any, schema: Schema) -> None:
    pd.testing.assert_frame_equal(enforce_input(given, AB), enforce_input(given, schema), check_column_type=False)


def test_one_fit_looks_at_the_names_and_types_of_every_table() -> None:
    fit = InputFit(Schema([ColSpec("double", "x"), ColSpec("double", "y")]))
    table = pd.DataFrame({"x": [1.0], "y": [2.0]})
    assert fit(table) is table
    assert fit(table.head(1)).equals(table)
    assert fit(table[["y", "x"]]).columns.tolist() == ["x", "y"]
    ints = pd.DataFrame(np.array([[2**60, 1]]), columns=table.columns)  # the very names, of other types
    with pytest.raises(SignatureMismatch, match="column 'x' holds int64"):
        fit(ints)
    table["y"] = ["text"]
    with pytest.raises(SignatureMismatch, match="column 'y' holds"):
        fit(table)
    table.columns = ["y", "x"]
    with pytest.raises(SignatureMismatch, match="column 'x' holds"):
        fit(table)


def test_tables_of_several_types_keep_them_by_the_quick_way() -> None:
    fit = InputFit(Schema([ColSpec(kind, kind) for kind in ("double", "string", "long", "boolean")] + [ColSpec("string", "more")]))
    rows = [
        {"double": 1, "string": "x", "long": 2**53, "boolean": True, "more": ""},
        {"more": "y", "double": 0.5, "string": "ü", "long": -1, "boolean": False},
    ]
    for given in (rows, {name: [row[name] for row in rows] for name in rows[0]}):
        table = fit(given)
        assert [str(dtype) for dtype in table.dtypes] == ["float64", "object", "int64", "bool", "object"]
        assert table.to_dict("records") == [dict(sorted(row.items(), key=lambda item: list(rows[0]).index(item[0]))) for row in rows]
        assert table.index.equals(pd.RangeIndex(2))
        table.loc[0, "string"] = "written"
        assert rows[0]["string"] == "x"
    assert fit({name: [] for name in rows[0]}).shape == (0, 5)


TABLES = [
    pd.DataFrame({"a": [1.0], "b": [2.0]}),
    pd.DataFrame({"a": [1.0], "b": ["x"], "c": [1], "d": pd.Categorical(["u"]), "e": pd.array([1], dtype="Int64")}),
    pd.DataFrame({"t": pd.to_datetime(["2024-05-01"]), "z": pd.to_datetime(["2024-05-01"], utc=True)})[["z", "t", "z"]],
    pd.DataFrame(index=[1, 2]),
]


@pytest.mark.parametrize("table", TABLES)
def test_the_types_of_columns_are_those_that_pandas_tells(table: pd.DataFrame) -> None:
    assert dtypes_of(table) == table.dtypes.tolist()
    assert dtypes_of(table.assign(later=0.5)) == [*table.dtypes, np.dtype("float64")]


def test_a_table_of_arrays_is_the_one_that_pandas_makes_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = [np.array([1.5, 2.5]), np.array(["x", None], dtype=object), np.array([True, False]), np.array([0.5, 1.0])]
    names = pd.Index(["a", "b", "c", "d"])
    quick = frame_of_arrays(pd, arrays, names)
    monkeypatch.delattr(pd.DataFrame, "_from_arrays")
    pd.testing.assert_frame_equal(quick, frame_of_arrays(pd, arrays, names), check_index_type="exact")
    assert quick.dtypes.tolist() == [array.dtype for array in arrays]


def test_the_quick_way_takes_numbers_of_one_type_as_one_block() -> None:
    fit = InputFit(Schema([ColSpec("double", name) for name in "xyz"]))
    assert fit([{"x": 1, "z": float("nan"), "y": 2.5}, {"x": -1.0, "y": 2, "z": 3}]).fillna(0.0).to_numpy().tolist() == [
        [1.0, 2.5, 0.0],
        [-1.0, 2.0, 3.0],
    ]
    with pytest.raises(SignatureMismatch, match="column 'y' holds bool 'True' in row 0"):
        fit({"x": 1, "y": True, "z": 2})
    with pytest.raises(SignatureMismatch, match="column 'y' holds int"):
        fit({"x": 1, "y": 2**60, "z": 2})


@pytest.mark.parametrize(
    "schema",
    [
        Schema([ColSpec(kind, kind.name) for kind in DataType]),
        Schema([ColSpec("double"), ColSpec("string")]),
        Schema([ColSpec(Object([Property("x", Array("binary"))]), "o")]),
        Schema([TensorSpec("float32", (-1, 3))]),
        Schema([TensorSpec("int64", (2,), "a"), TensorSpec("str", (-1,), "b")]),
    ],
)
def test_the_example_of_a_valid_request_is_valid(schema: Schema) -> None:
    (shape, content), *rest = valid_request(schema).items()
    assert not rest
    json.dumps(content)
    assert len(enforce_input(content["data"] if shape == "dataframe_split" else content, schema))


# --- params

PARAMS = ParamSchema([ParamSpec("t", "double", 0.5), ParamSpec("ids", "long", [1], (-1,)), ParamSpec("when", "datetime", None)])


def test_params_that_are_left_out_get_their_defaults() -> None:
    assert enforce_params(None, PARAMS) == {"t": 0.5, "ids": [1], "when": None}
    assert enforce_params({"t": 1, "ids": np.array([2, 3])}, PARAMS) == {"t": 1.0, "ids": [2, 3], "when": None}


def test_unknown_params_are_dropped_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="does not take the params z, which are left out; it takes t, ids, when"):
        assert "z" not in enforce_params({"z": 1}, PARAMS)
    with pytest.warns(UserWarning, match="its signature declares none"):
        assert enforce_params({"z": 1}, None) == {}


def test_params_of_a_wrong_type_are_all_named() -> None:
    with pytest.raises(SignatureMismatch, match=r"param 't' needs double, got str 'x'; param 'ids'\[1\] needs long, got float 1.5"):
        enforce_params({"t": "x", "ids": [1, 1.5]}, PARAMS)
    with pytest.raises(SignatureMismatch, match="needs a list of long, got 1"):
        enforce_params({"ids": 1}, PARAMS)
    with pytest.raises(SignatureMismatch, match="dict of name"):
        enforce_params([1], PARAMS)  # type: ignore[arg-type]


def test_no_params_and_none_given_is_silent() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert enforce_params({}, None) == {}


# --- type hints of MLflow's models


def test_a_hinted_model_gets_a_list() -> None:
    schema = Schema([ColSpec("string")])
    hinted = InputFit(schema, is_hinted=True)
    assert hinted(["a", "b"]) == ["a", "b"]
    assert hinted(pd.DataFrame({"x": ["a"]})) == ["a"]
    with pytest.raises(SignatureMismatch, match=r"the input\[0\] needs string, got int 1.* A valid input: \['text'\]"):
        hinted([1])

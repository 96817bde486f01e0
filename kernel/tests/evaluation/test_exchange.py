"""What goes to another process is there what it is here; what cannot be sent is refused with its name."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from drupe.errors import InvalidValue
from drupe.evaluation.exchange import receive, send


def there(value: Any) -> Any:
    stream = io.BytesIO()
    send(stream, "kind", value)
    stream.seek(0)
    found = receive(stream)
    assert found is not None
    assert receive(stream) is None
    return found[1]


TABLE = pd.DataFrame(
    {
        "f32": np.array([1.5, np.nan], dtype="float32"),
        "i8": np.array([-1, 127], dtype="int8"),
        "big": np.array([2**63, 1], dtype="uint64"),
        "bool": [True, False],
        "time": pd.to_datetime(["2026-01-02T03:04:05.123456789", None]),
        "zone": pd.to_datetime(["2026-06-02 12:00", None]).tz_localize("Europe/Stockholm"),
        "span": pd.to_timedelta(["1h", None]),
        "text": ["å", "b"],
        "gaps": ["a", None],
        "kind": pd.Categorical(["x", None], categories=["y", "x"], ordered=True),
        "number": pd.array([1, None], dtype="Int32"),
        "share": pd.array([0.5, None], dtype="Float64"),
        "maybe": pd.array([True, None], dtype="boolean"),
        "string": pd.array(["s", None], dtype="string"),
        "mixed": pd.Series([1, "a"], dtype=object),
        "nested": [[1.0, 2.0], {"a": None}],
        7: [0.1, 0.2],
    }
)


def test_a_table_is_the_same_there() -> None:
    found = there(TABLE)
    for place, name in enumerate(TABLE.columns):
        if name == "string":  # texts are what texts are in the other pandas
            assert [None if pd.isna(one) else one for one in found[name]] == ["s", None]
        else:
            pd.testing.assert_series_equal(found.iloc[:, place], TABLE.iloc[:, place], check_exact=True)


def test_odd_tables_are_the_same_there() -> None:
    twice = pd.DataFrame([[1, 2.5]], columns=["a", "a"], index=[9])
    pd.testing.assert_frame_equal(there(twice), twice.reset_index(drop=True))
    assert there(pd.DataFrame(index=range(3))).shape == (3, 0)
    empty = TABLE.iloc[:0]
    assert list(there(empty).columns) == list(empty.columns)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "text",
        float("inf"),
        np.array([[1, 2], [3, 4]], dtype=">i4"),
        np.array(["a", "bc"]),
        np.array([["a", None], [1, 2.5]], dtype=object),
        [1, "a", [None, 2.5]],
        {"a": np.array([1.0]), 3: [True]},
        np.float32(2.5),
    ],
    ids=str,
)
def test_a_value_is_the_same_there(value: Any) -> None:
    np.testing.assert_equal(there(value), value if not isinstance(value, np.generic) else np.asarray(value))


def test_series_sparse_arrays_and_missing_values_too() -> None:
    pd.testing.assert_series_equal(there(pd.Series([1, 2], name="n")), pd.Series([1, 2]))
    assert there(csr_matrix(np.eye(2))).tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert there([pd.NA, pd.NaT]) == [pd.NA, pd.NaT] or there([pd.NA])[0] is pd.NA


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (pd.DataFrame({"price": [Decimal(1)]}), r"the column 'price' holds decimal.Decimal, which cannot be sent"),
        (pd.DataFrame({"span": pd.period_range("2026", periods=1)}), r"the column 'span' is of type period"),
        ([object()], r"the value holds builtins.object"),
    ],
)
def test_what_cannot_be_sent_is_named(value: Any, told: str) -> None:
    with pytest.raises(InvalidValue, match=told):
        there(value)


def test_what_is_torn_is_no_message() -> None:
    stream = io.BytesIO()
    send(stream, "kind", np.arange(100))
    whole = stream.getvalue()
    for size in (0, 4, 20, len(whole) - 1):
        assert receive(io.BytesIO(whole[:size])) is None

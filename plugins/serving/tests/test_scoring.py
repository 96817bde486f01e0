"""MLflow's scoring protocol: every form of a request, what the model is given for it, and what is said of one that does not fit."""

from __future__ import annotations

import base64
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas
import pytest

from plugins.serving.tests.scoring import Scored

Of = Callable[[str], Scored]
ROW = {
    "flag": True,
    "i": 1,
    "l": 2,
    "f": 0.5,
    "d": 1,
    "s": "é",
    "b": base64.b64encode(b"hi").decode(),
    "t": "2024-05-01T12:30:00",
    "o": None,
}


@pytest.mark.parametrize(
    "form",
    [
        {"dataframe_split": {"columns": ["a", "b"], "data": [[0.1, 0.2], [0.9, 0.1]]}},
        {"dataframe_split": {"columns": ["b", "more", "a"], "index": ["x", "y"], "data": [[0.2, 7, 0.1], [0.1, 7, 0.9]]}},
        {"dataframe_records": [{"a": 0.1, "b": 0.2}, {"b": 0.1, "a": 0.9}]},
        {"instances": [{"a": 0.1, "b": 0.2}, {"a": 0.9, "b": 0.1}]},
        {"inputs": {"a": [0.1, 0.9], "b": [0.2, 0.1]}},
        {"inputs": [{"a": 0.1, "b": 0.2}, {"a": 0.9, "b": 0.1}], "params": None, "client_request_id": "x"},
    ],
)
def test_every_form_of_a_table_is_predicted(scored: Of, form: Any) -> None:
    assert scored("columns").score(form).predictions == [0, 0]


@pytest.mark.parametrize(
    ("form", "names"),
    [
        ({"dataframe_split": {"columns": ["b", "más", "a"], "data": [[0.2, 7, 0.1]]}}, "m%C3%A1s"),
        ({"dataframe_records": [{"a": 0.1, "b": 0.2, "c": 1, "d": 2}]}, "c, d"),
        ({"dataframe_records": [{"a": 0.1, "b": 0.2}, {"a": 0.1, "b": 0.2, "c": 1}], "params": {"k": 1}}, "c, k"),
        ({"inputs": {"a": [0.1], "b": [0.2], "c": [0]}}, "c"),
        ({"inputs": {"a": [0.1], "b": [0.2]}}, None),
    ],
)
def test_what_the_model_does_not_take_is_named_in_the_answer(scored: Of, form: Any, names: str | None) -> None:
    told = scored("columns").score(form)
    assert told.predictions
    assert told.headers.get("drupe-left-out") == names


@pytest.mark.parametrize("kind", ["text/csv", "text/csv; charset=utf-8", "Text/CSV;charset=UTF-8"])
def test_csv_is_predicted(scored: Of, kind: str) -> None:
    assert scored("columns").score(b"a,b\n0.1,0.2\n\n1,0\n", kind).predictions == [0, 0]


def test_parquet_is_predicted(scored: Of) -> None:
    body = BytesIO()
    pandas.DataFrame({"a": [0.1], "b": [0.2]}).to_parquet(body)
    assert scored("columns").score(body.getvalue(), "application/vnd.apache.parquet").predictions == [0]
    assert "cannot be read as parquet" in scored("columns").score(b"PAR1", "application/vnd.apache.parquet").error


def test_values_get_the_types_of_the_signature(scored: Of) -> None:
    (told,) = scored("types").score({"dataframe_records": [ROW], "params": {"k": 5, "unknown": 1}}).predictions
    assert told["row"] == {
        "flag": "True",
        "i": "1",
        "l": "2",
        "f": "0.5",
        "d": "1.0",
        "s": "'é'",
        "b": "b'hi'",
        "t": "Timestamp('2024-05-01 12:30:00')",
        "o": "nan",
    }
    assert told["dtypes"] == ["bool", "int32", "int64", "float32", "float64", "str", "object", "datetime64[ns]", "float64"]
    assert told["params"] == {"k": 5, "names": ["x"]}


@pytest.mark.parametrize(
    ("changed", "given"),
    [
        ({"i": 1.0, "l": 2**62}, {"i": "1", "l": str(2**62)}),
        ({"d": None, "s": None, "b": None, "t": None}, {"d": "nan", "s": "nan", "b": "None", "t": "NaT"}),
        ({"d": "NaN", "f": "-Infinity"}, {"d": "nan", "f": "-inf"}),
        ({"t": "2024-05-01"}, {"t": "Timestamp('2024-05-01 00:00:00')"}),
        ({"t": "2024-05-01T12:30:00+02:00"}, {"t": "Timestamp('2024-05-01 10:30:00')"}),
    ],
)
def test_what_a_column_can_hold_is_taken(scored: Of, changed: dict[str, Any], given: dict[str, str]) -> None:
    (told,) = scored("types").score({"dataframe_records": [{**ROW, **changed}]}).predictions
    assert {name: told["row"][name] for name in given} == given


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"flag": 1}, "column 'flag' (boolean), row 0: holds the number 1"),
        ({"flag": None}, "column 'flag' (boolean), row 0: holds null"),
        ({"i": 1.5}, "column 'i' (integer), row 0: holds the number 1.5"),
        ({"i": 2**40}, "column 'i' (integer), row 0: holds the number 1099511627776"),
        ({"l": "2"}, "column 'l' (long), row 0: holds the text '2'"),
        ({"f": 1e300}, "column 'f' (float), row 0: holds the number 1e+300"),
        ({"d": 2**60 + 1}, "column 'd' (double), row 0: holds the number 1152921504606846977"),
        ({"d": True}, "column 'd' (double), row 0: holds the boolean true"),
        ({"s": 5}, "column 's' (string), row 0"),
        ({"b": "###"}, "needs bytes or base64 text"),
        ({"t": "05/01/2024"}, "needs a time such as"),
    ],
)
def test_what_does_not_fit_is_told_with_its_column_and_row(scored: Of, changed: dict[str, Any], said: str) -> None:
    told = scored("types").score({"dataframe_records": [{**ROW, **changed}]})
    assert told.status == 400
    assert said in told.error
    assert '. A valid request: {"dataframe_records": [{"flag": true,' in told.error
    assert told.json["faults"][0]["column"] in changed


def test_all_faults_are_told_at_once(scored: Of) -> None:
    told = scored("types").score({"dataframe_records": [{**ROW, "i": "x"}, {**{k: v for k, v in ROW.items() if k != "s"}, "i": 1}]})
    assert [fault["column"] for fault in told.json["faults"]] == ["i"]  # a text that one record leaves out is missing, which a text may be
    told = scored("columns").score({"dataframe_records": [{"a": "x", "c": 1}]})
    assert "column 'a' (double), row 0: holds the text 'x'; column 'b' is missing (double); the request has 'a', 'c'" in told.error


def test_the_example_of_an_error_is_answered(scored: Of) -> None:
    for name in ("columns", "types", "nested", "tensor", "tensors", "unnamed", "texts"):
        shown = scored(name).score({"nothing": 1}).error.partition("A valid request: ")[2]
        assert scored(name).score(shown.encode()).status == 200, shown


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "the body is not JSON"),
        (b"{", "the body is not JSON"),
        (b'{"inputs": "\xff"}', "the body is not JSON"),
        (b"[1, 2]", "it is a list"),
        (b"5", "it is a number"),
        (b'{"rows": 1}', "exactly one of dataframe_split, dataframe_records, instances, inputs; it has 'rows'"),
        (b'{"inputs": 1, "instances": []}', "it has 'instances', 'inputs'"),
        (b'{"inputs": {"a": [1], "b": [2]}, "params": [1]}', "'params' must be an object"),
        (b'{"dataframe_split": [1]}', "'dataframe_split' must be an object"),
        (b'{"dataframe_split": {"columns": ["a"]}}', "must have 'data'"),
        (b'{"dataframe_split": {"columns": ["a", "b"], "data": [[1], [1, 2]]}}', "row 0 must be a list of 2 values"),
        (b'{"dataframe_split": {"columns": ["a", "a"], "data": [[1, 2]]}}', "names that differ"),
        (b'{"dataframe_split": {"data": [[1, 2]]}}', "finds its columns by name"),
        (b'{"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2]], "x": 1}}', "has 'x'"),
        (b'{"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2]], "index": []}}', "one for each row"),
        (b'{"dataframe_records": {"a": 1, "b": 2}}', "must be a list of objects"),
        (b'{"dataframe_records": [{"a": 1, "b": 2}, 3]}', "record 1 must be an object"),
        (b'{"inputs": {"a": [1, 2], "b": [1]}}', "must have one length"),
    ],
)
def test_bodies_that_are_no_request_are_refused_in_plain_words(scored: Of, body: bytes, said: str) -> None:
    told = scored("columns").score(body)
    assert told.status == 400
    assert said in told.error


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "the body is empty"),
        (b"a\n0.1\n", "column 'b' is missing (double)"),
        (b"a,b\n1,2\n1,2,3\n", "row 1 of the CSV has 3 fields, its header 2"),
        (b"a,b\n\xff,1\n", "not UTF-8"),
        (b"a,b\nzz,0.2\n", "column 'a' (double), row 0: holds the text 'zz'"),
        (b'a,b\n"1,2\n', "cannot be read as CSV"),
    ],
)
def test_csv_that_does_not_fit_is_refused(scored: Of, body: bytes, said: str) -> None:
    assert said in scored("columns").score(body, "text/csv").error


def test_csv_is_read_by_the_types_of_the_columns(scored: Of) -> None:
    text = "flag,i,l,f,d,s,b,t\nTrue,1,2,0.5,1,007,aGk=,2024-05-01T12:30:00\n"
    (told,) = scored("types").score(text.encode(), "text/csv").predictions
    assert told["row"]["s"] == "'007'"
    assert told["row"]["flag"] == "True"
    assert told["row"]["t"] == "Timestamp('2024-05-01 12:30:00')"


@pytest.mark.parametrize("kind", [None, "", "text/plain", "application/json; format=pandas-split", "text/csv; charset=latin-1"])
def test_other_media_types_get_415(scored: Of, kind: str | None) -> None:
    assert scored("columns").ask("/invocations", {"inputs": 1}, kind).status == 415


def test_nan_and_infinities_are_taken_as_literals_and_given_as_null(scored: Of, models: Path) -> None:
    (told,) = (
        scored("types")
        .score(
            b'{"dataframe_records": [%s]}'
            % str({**ROW, "d": 0}).replace("'", '"').replace("True", "true").replace("None", "null").replace('"d": 0', '"d": NaN').encode()
        )
        .predictions
    )
    assert told["row"]["d"] == "nan"
    model = Scored(models / "free")
    model.predictor._model.predict = lambda given, params=None: [1.0, float("nan"), float("inf")]  # type: ignore[method-assign]
    assert model.score({"inputs": [1]}).body == b'{"predictions":[1.0,null,null]}'
    model.close()


@pytest.mark.parametrize(
    ("name", "form", "given"),
    [
        ("tensor", {"inputs": [[1, 2], [3, 4.5]]}, "float32 (2, 2) [[1.0, 2.0], [3.0, 4.5]]"),
        ("tensor", {"instances": [[1, None]]}, "float32 (1, 2) [[1.0, nan]]"),
        ("tensor", {"dataframe_split": {"columns": ["p", "q"], "data": [[1, 2]]}}, "float32 (1, 2) [[1.0, 2.0]]"),
        ("tensors", {"inputs": {"x": [[1, 2]], "y": [1], "more": 1}}, {"x": "float64 (1, 2) [[1.0, 2.0]]", "y": "int64 (1,) [1]"}),
        ("tensors", {"instances": [{"x": [1, 2], "y": 1}]}, {"x": "float64 (1, 2) [[1.0, 2.0]]", "y": "int64 (1,) [1]"}),
        ("free", {"inputs": [1, 2]}, "int64 (2,) [1, 2]"),
        ("free", {"inputs": {"a": [1, 2], "b": ["x", "y"]}}, {"a": "int64 (2,) [1, 2]", "b": "<U1 (2,) ['x', 'y']"}),
        ("free", {"instances": [{"a": 1}, {"a": 2}]}, {"a": "int64 (2,) [1, 2]"}),
        ("free", {"inputs": "hello"}, "<U5 () hello"),
    ],
)
def test_arrays_are_given_as_the_signature_says(scored: Of, name: str, form: Any, given: Any) -> None:
    assert scored(name).score(form).predictions == given


@pytest.mark.parametrize(
    ("name", "form", "said"),
    [
        ("tensor", {"inputs": [1, 2]}, "has the shape (2,)"),
        ("tensor", {"inputs": [[1, 2], [3]]}, "is no array"),
        ("tensors", {"inputs": {"x": [[1, 2]]}}, "'y' is missing"),
        ("tensors", {"inputs": {"x": [[1, 2]], "y": [1.5]}}, "holds float64"),
        ("tensors", {"instances": [{"x": [1, 2], "y": 1}, {"x": [3, 4]}]}, "must have the same names"),
        ("nested", {"dataframe_records": [{"xs": [1, "z"], "ob": {"p": "a"}}]}, "[1] needs long, got str 'z'"),
        ("nested", {"dataframe_records": [{"xs": [1], "ob": {"q": 1}}]}, "lacks the property 'p'"),
        ("nested", {"inputs": [{"xs": None, "ob": {"p": "a"}}]}, "'xs'"),
        ("types", {"dataframe_records": [ROW], "params": {"k": "5"}}, "param 'k' needs long, got str '5'"),
    ],
)
def test_nested_values_arrays_and_params_that_do_not_fit_are_told(scored: Of, name: str, form: Any, said: str) -> None:
    assert said in scored(name).score(form).error


def test_a_fault_of_the_model_is_told_with_the_requests_id_and_without_a_trace(scored: Of, caplog: pytest.LogCaptureFixture) -> None:
    told = scored("columns").score({"dataframe_records": [{"a": None, "b": 1}]})
    assert told.status == 400
    request = told.headers["x-request-id"]
    assert f"the model failed on this input: ValueError: Input X contains NaN. (request {request}," in told.error
    assert any(request in record.getMessage() and record.exc_info for record in caplog.records)


def test_a_clients_own_request_id_is_kept(scored: Of) -> None:
    form = {"dataframe_records": [{"a": 1, "b": 1}]}
    assert scored("columns").ask("/invocations", form, X_Request_ID="job-7").headers["x-request-id"] == "job-7"
    assert scored("columns").ask("/invocations", form, X_Request_ID="a b").headers["x-request-id"] != "a b"


@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [
        ("GET", "/ping", 200, b"\n"),
        ("GET", "/health", 200, b"\n"),
        ("HEAD", "/ping", 200, b""),
        ("GET", "/version", 200, b"3.17.2"),
        ("POST", "/ping", 405, None),
        ("GET", "/invocations", 405, None),
        ("GET", "/nothing", 404, None),
        ("GET", "/v2/models/other", 404, None),
    ],
)
def test_health_and_other_paths(scored: Of, method: str, path: str, status: int, body: bytes | None) -> None:
    told = scored("columns").ask(path, b"", None, method)
    assert told.status == status
    assert told.body == body if body is not None else told.error


def test_hosts_and_origins_are_checked(scored: Of) -> None:
    form = {"dataframe_records": [{"a": 1, "b": 1}]}
    assert scored("columns").ask("/invocations", form, Host="evil.example").status == 403
    assert scored("columns").ask("/invocations", form, Origin="http://evil.example").status == 403
    assert scored("columns").ask("/invocations", form, Origin="http://127.0.0.1").status == 200
    assert scored("columns").get("/ping", Host="10.0.0.7").status == 200


def test_bodies_are_limited(models: Path) -> None:
    small = Scored(models / "columns", max_body_mb=1)
    told = small.score(b" " * (1 << 20) + b'{"inputs": 1}')
    small.close()
    assert told.status == 413

"""Requests and models at the edge of what there is: each gets an answer that says what is wrong, and the next one is served as before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest

import drupe
from drupe.models import ColSpec, ModelSignature, ParamSchema, ParamSpec, Schema, TensorSpec
from plugins.serving.tests.conftest import echo
from plugins.serving.tests.scoring import Scored
from plugins.serving.tests.test_together import ask_while_busy, form, held

LARGE = 2**70


def tensor(**changed: Any) -> dict[str, Any]:
    return {"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1, 2], **changed}]}


@pytest.fixture(scope="module")
def of_params(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scored]:
    folder = tmp_path_factory.mktemp("params") / "m"
    params = ParamSchema([ParamSpec("k", "long", 3), ParamSpec("s", "string", "x"), ParamSpec("z", "double", 0.5)])
    signature = ModelSignature(Schema([ColSpec("double", "a")]), params=params)
    drupe.save_model(echo, folder, signature=signature, pip_requirements=["pandas"])
    scored = Scored(folder, "m")
    yield scored
    scored.close()


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "0.5"])
@pytest.mark.parametrize(
    "body",
    [
        '{"inputs": [{"a": 1.0}], "params": {"k": LARGE, "z": LITERAL}}',
        '{"inputs": [{"a": 1.0}], "params": {"s": "\\ud800", "z": LITERAL}}',
        '{"inputs": [{"a": 1.0}], "params": {"\\ud800": LITERAL}}',
        '{"inputs": [{"a": 1.0, "\\ud800": LITERAL}]}',
        '{"inputs": [{"a": LITERAL}], "x": "\\udfff"}',
        '{"dataframe_split": {"columns": ["a"], "data": [[LITERAL]], "index": [[1, 2]]}}',
        '{"dataframe_split": {"columns": ["a"], "data": [[LITERAL]], "index": [{}]}}',
        '{"dataframe_split": {"columns": [[1]], "data": [[LITERAL]]}}',
        '{"inputs": [[], LITERAL]}',
        '{"instances": [1, [LITERAL]]}',
    ],
)
def test_values_that_no_text_or_number_can_have_are_refused_whoever_reads_the_body(of_params: Scored, body: str, literal: str) -> None:
    """With NaN and Infinity, which are no JSON, another reader is asked than without."""
    told = of_params.ask("/invocations", body.replace("LITERAL", literal).replace("LARGE", str(LARGE)).encode())
    assert told.status == 400, told
    assert "fault of its own" not in told.error


@pytest.mark.parametrize("id", ["7", '"\\ud800"', str(LARGE)])
@pytest.mark.parametrize("k", ["4", str(LARGE)])
def test_the_same_holds_for_the_other_protocol(of_params: Scored, k: str, id: str) -> None:
    tensors = '[{"name": "a", "shape": [1], "datatype": "FP64", "data": [1.0]}]'
    for literal in ("0.5", "NaN"):
        body = f'{{"id": {id}, "parameters": {{"k": {k}, "z": {literal}}}, "inputs": {tensors}}}'
        told = of_params.ask("/v2/models/m/infer", body.encode())
        assert told.status == (400 if "ud800" in id or k != "4" else 200), told


@pytest.mark.parametrize(
    "changed",
    [
        {"shape": [0, 10**30], "data": []},
        {"shape": [0] * 100, "data": []},
        {"shape": [1] * 70, "data": [1]},
        {"shape": [10**30], "data": [1]},
        {"data": [[]]},
        {"data": [10**400, 1]},
        {"data": [None, 1]},
        {"datatype": "BYTES", "data": ["\ud800", "x"]},
        {"datatype": "FP16", "data": [1e300, 1]},
        {"data": [1e300, 1]},
        {"parameters": {"binary_data_size": 0}, "shape": [0, 10**30]},
    ],
)
@pytest.mark.parametrize("name", ["tensor", "free", "columns"])
def test_odd_tensors_are_refused_or_predicted(scored: Callable[[str], Scored], name: str, changed: dict[str, Any]) -> None:
    told = scored(name).ask(f"/v2/models/{name}/infer", tensor(**changed))
    assert told.status in (200, 400), told


@pytest.mark.timeout(20)
def test_the_room_of_a_shape_with_very_many_lengths_is_not_computed(scored: Callable[[str], Scored]) -> None:
    told = scored("tensor").ask("/v2/models/tensor/infer", tensor(shape=[2**62] * 200_000, data=[1]))
    assert "200000" in told.error


@pytest.mark.parametrize("length", ["9" * 5000, "-1", "x", "", "1e3", "+5"])
def test_a_length_that_is_none_is_refused(scored: Callable[[str], Scored], length: str) -> None:
    told = scored("tensor").ask("/v2/models/tensor/infer", tensor(), inference_header_content_length=length)
    assert told.status == 400, told
    assert "Inference-Header-Content-Length" in told.error


@pytest.mark.parametrize("columns", [["a", []], [{}], ["a", ["b"]], "ab", 5])
@pytest.mark.parametrize("data", [[], [[1, 2]]])
@pytest.mark.parametrize("name", ["free", "tensor", "columns", "types", "unnamed"])
def test_names_of_columns_that_are_none_are_refused(scored: Callable[[str], Scored], name: str, columns: Any, data: Any) -> None:
    told = scored(name).score({"dataframe_split": {"columns": columns, "data": data}})
    assert told.status == 400, told


@pytest.mark.parametrize("name", ["tensors", "tensor", "columns", "types", "unnamed"])
def test_numbers_in_csv_that_no_float_can_hold_are_refused(scored: Callable[[str], Scored], name: str) -> None:
    told = scored(name).score(f"x,y\n1{'0' * 400},1\n0,[]".encode(), "text/csv")
    assert told.status == 400, told


def test_a_parquet_with_two_columns_of_one_name_is_refused(scored: Callable[[str], Scored], tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(arrow.table([[1.0], [2.0]], names=["x", "x"]), tmp_path / "twice.parquet")
    for name in ("tensors", "tensor", "columns", "types", "unnamed"):
        told = scored(name).ask("/invocations", (tmp_path / "twice.parquet").read_bytes(), "application/vnd.apache.parquet")
        assert told.status in (200, 400), (name, told)


def test_figures_know_a_route_by_one_name_however_it_is_spelled(models: Path) -> None:
    asked = Scored(models / "columns", "columns")  # of its own: the figures of the others know what other tests have asked
    for path in ("/ping", "/ping/", "/ping//", "/v2/models/columns/", "/v2/models/columns//"):
        assert asked.get(path).status == 200, path
    routes = {line.split('route="')[1].split('"')[0] for line in asked.get("/metrics").body.decode().splitlines() if "route=" in line}
    asked.close()
    assert routes == {"GET /ping", "GET /v2/models/{model}"}


def test_a_model_that_would_end_the_process_fails_its_own_requests_only(tmp_path: Path) -> None:
    drupe.save_model(lambda given: given["a"] * 2, tmp_path / "m", signature=drupe.models.infer_signature(pandas.DataFrame({"a": [0.5]})),
                     metadata={"rows_are_independent": True}, pip_requirements=["pandas"])  # fmt: skip
    scored, model = held(tmp_path / "m", timeout=20)
    double = model.__call__

    def predict(given: Any, params: Any = None) -> Any:
        predictions = double(given, params)
        if (given["a"] == 13).any():
            raise SystemExit("an unlucky number")
        return predictions

    scored.predictor._model.predict = predict  # type: ignore[method-assign]
    one, unlucky, other = ask_while_busy(scored, model, [form(1.0), form(13.0), form(2.0)])
    assert (one.predictions, other.predictions) == ([2.0], [4.0])
    assert "SystemExit" in unlucky.error
    assert scored.predictor.lost == 0
    assert scored.ask(*form(3.0)).predictions == [6.0]
    scored.close()


def test_predictions_that_have_no_answer_fail_their_own_requests_only(tmp_path: Path) -> None:
    """Rows of differing lengths are no tensor; with others or alone."""
    drupe.save_model(
        lambda given: [[0.0] * int(row[0]) for row in given],
        tmp_path / "m",
        signature=ModelSignature(Schema([TensorSpec(numpy.dtype("float32"), (-1, 1))])),
        metadata={"rows_are_independent": True},
        pip_requirements=["pandas"],
    )
    scored = Scored(tmp_path / "m", "m", timeout=20)
    assert scored.predictor.together

    def asked(*values: int) -> tuple[str, Any]:
        return "/v2/models/m/infer", {"inputs": [{"name": "x", "shape": [len(values), 1], "datatype": "FP32", "data": list(values)}]}

    even, odd, again = scored.ask_all([asked(2, 2), asked(1, 2), asked(3, 3)])
    assert (even.status, again.status) == (200, 200)
    assert odd.status == 400
    assert "the model failed on this input" in odd.error
    assert scored.predictor.lost == 0
    scored.close()

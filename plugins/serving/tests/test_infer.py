"""The Open Inference Protocol: metadata, tensors as JSON and as bytes, errors under its own name."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest

from plugins.serving.tests.scoring import Scored, Told

Of = Callable[[str], Scored]


def tensor(name: str, datatype: str, data: list[Any], shape: list[int] | None = None) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": shape or [len(data)], "data": data}


A, B = tensor("a", "FP64", [0.1, 0.9]), tensor("b", "FP32", [0.5, 0.25])


def infer(scored: Scored, name: str = "columns", **form: Any) -> Told:
    return scored.ask(f"/v2/models/{name}/infer", form)


def test_the_server_and_its_model_describe_themselves(scored: Of, models: Path) -> None:
    one = scored("columns")
    assert one.get("/v2").json["extensions"] == ["binary_tensor_data"]
    assert one.get("/v2/health/live").json == {"live": True}
    assert one.get("/v2/health/ready").json == {"ready": True}
    assert one.get("/v2/models/columns/ready").json == {"name": "columns", "ready": True}
    told = one.get("/v2/models/columns").json
    assert told["inputs"] == [{"name": name, "datatype": "FP64", "shape": [-1]} for name in ("a", "b")]
    assert told["platform"] == "drupe_sklearn"
    tensors = scored("tensors").get("/v2/models/tensors").json["inputs"]
    assert tensors[0] == {"name": "x", "datatype": "FP64", "shape": [-1, 2]}
    versioned = Scored(models / "columns", "churn", "3")
    assert versioned.get("/v2/models/churn/versions/3").json["versions"] == ["3"]
    assert versioned.ask("/v2/models/churn/versions/3/infer", {"inputs": [A, B]}).json["model_version"] == "3"
    assert versioned.get("/v2/models/churn/versions/4").status == 404
    versioned.close()


def test_columns_are_tensors_of_rows(scored: Of) -> None:
    told = infer(scored("columns"), id="7", inputs=[A, B]).json
    assert told == {
        "model_name": "columns",
        "id": "7",
        "outputs": [{"name": "predictions", "datatype": "INT64", "shape": [2], "data": [0, 0]}],
    }
    both = tensor("x", "FP64", [0.1, 0.5, 0.9, 0.25], [2, 2])
    assert infer(scored("columns"), inputs=[both]).json["outputs"][0]["data"] == [0, 0]
    assert infer(scored("columns"), inputs=[{**A, "shape": [2, 1]}, B]).status == 200


def test_every_type_arrives_as_the_signature_has_it(scored: Of) -> None:
    inputs = [
        tensor("flag", "BOOL", [True]),
        tensor("i", "INT32", [1]),
        tensor("l", "INT64", [2]),
        tensor("f", "FP32", [0.5]),
        tensor("d", "FP64", [None]),
        tensor("s", "BYTES", ["é"]),
        tensor("b", "BYTES", ["aGk="]),
        tensor("t", "BYTES", ["2024-05-01T12:30:00"]),
    ]
    (output,) = infer(scored("types"), "types", inputs=inputs, parameters={"k": 9}).json["outputs"]
    assert output["datatype"] == "BYTES"
    told = json.loads(output["data"][0])
    assert told["row"]["s"] == "'é'"
    assert (told["row"]["b"], told["row"]["d"], told["params"]["k"]) == ("b'hi'", "nan", 9)


def test_tensors_go_and_come_as_bytes(scored: Of) -> None:
    a, b = numpy.array([0.1, 0.9]), numpy.array([0.5, 0.25], dtype="<f4")
    head: dict[str, Any] = {"inputs": [], "parameters": {"binary_data_output": True}}
    for name, datatype, array in (("a", "FP64", a), ("b", "FP32", b)):
        head["inputs"].append({"name": name, "datatype": datatype, "shape": [2], "parameters": {"binary_data_size": array.nbytes}})
    text = json.dumps(head).encode()
    told = scored("columns").ask(
        "/v2/models/columns/infer", text + a.tobytes() + b.tobytes(), None, Inference_Header_Content_Length=str(len(text))
    )
    assert told.status == 200, told
    length = int(told.headers["inference-header-content-length"])
    (output,) = json.loads(told.body[:length])["outputs"]
    assert output["parameters"] == {"binary_data_size": 16}
    assert numpy.frombuffer(told.body[length:], "<i8").tolist() == [0, 0]


def test_texts_go_as_bytes_with_their_lengths(scored: Of) -> None:
    data = b"".join(struct.pack("<I", len(text)) + text for text in (b"a", "é".encode()))
    head = json.dumps({"inputs": [{"name": "text", "datatype": "BYTES", "shape": [2], "parameters": {"binary_data_size": len(data)}}]})
    told = scored("texts").ask("/v2/models/texts/infer", head.encode() + data, None, Inference_Header_Content_Length=str(len(head)))
    assert [json.loads(one)["row"]["text"] for one in told.json["outputs"][0]["data"]] == ["'a'", "'é'"]
    told = scored("texts").ask("/v2/models/texts/infer", head.encode() + data[:-1], None, Inference_Header_Content_Length=str(len(head)))
    assert "binary_data_size" in told.error


def test_one_of_several_outputs_can_be_asked_for(scored: Of) -> None:
    inputs = [tensor("x", "FP64", [1, 2], [1, 2]), tensor("y", "INT64", [1])]
    told = infer(scored("tensors"), "tensors", inputs=inputs, outputs=[{"name": "y"}]).json
    assert [output["name"] for output in told["outputs"]] == ["y"]
    assert "no output 'z'" in infer(scored("tensors"), "tensors", inputs=inputs, outputs=[{"name": "z"}]).error


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ([], "'inputs' must be a list of tensors"),
        ([A], "column 'b' is missing (double)"),
        ([A, A], "two inputs with the name 'a'"),
        ([A, {**B, "shape": [3]}], "has 2 values, and the shape [3] has room for 3"),
        ([A, {**B, "shape": [-1]}], "'shape' must be a list of whole numbers"),
        ([A, {**B, "datatype": "FLOAT"}], "'datatype' must be one of BOOL"),
        ([A, {**B, "data": ["x", "y"]}], "is said to be FP32, and holds texts"),
        ([A, tensor("b", "INT8", [1, 300])], "values that INT8 has no room for"),
        ([A, tensor("b", "FP64", [1.0])], "must have as many; they have 1, 2"),
        ([A, tensor("b", "FP64", [1, 2, 3, 4], [2, 2])], "a column has one value for each row"),
        ([A, {"name": "b", "datatype": "FP64", "shape": [2]}], "has no 'data'"),
        ([A, {"name": "b", "datatype": "FP64", "shape": [2], "parameters": {"binary_data_size": 16}}], "0 bytes are there"),
    ],
)
def test_tensors_that_do_not_fit_are_refused(scored: Of, inputs: Any, said: str) -> None:
    told = infer(scored("columns"), inputs=inputs)
    assert told.status == 400
    assert said in told.error
    assert told.json["error"] == told.error

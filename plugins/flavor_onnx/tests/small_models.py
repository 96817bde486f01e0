"""Small ONNX models, built from nodes: no other library is needed."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

__all__ = ["WEIGHTS", "linear", "two_inputs"]

WEIGHTS = np.arange(6, dtype=np.float32).reshape(3, 2)


def linear(weights: Any = WEIGHTS) -> Any:
    """`y = x @ weights`, of float matrices."""
    rows, columns = weights.shape
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "linear",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, rows])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, columns])],
        [numpy_helper.from_array(weights, "w")],
    )
    return _model(graph)


def two_inputs() -> Any:
    """`total = a + b` of a column of floats and one of whole numbers, and `text`, as it came."""
    column = [None, 1]
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["b"], ["b_float"], to=TensorProto.FLOAT),
            helper.make_node("Add", ["a", "b_float"], ["total"]),
            helper.make_node("Identity", ["t"], ["text"]),
        ],
        "two",
        [
            helper.make_tensor_value_info("a", TensorProto.FLOAT, column),
            helper.make_tensor_value_info("b", TensorProto.INT64, column),
            helper.make_tensor_value_info("t", TensorProto.STRING, column),
        ],
        [
            helper.make_tensor_value_info("total", TensorProto.FLOAT, column),
            helper.make_tensor_value_info("text", TensorProto.STRING, column),
        ],
    )
    return _model(graph)


def _model(graph: Any) -> Any:
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)

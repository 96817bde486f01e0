"""Models that the tests of this plugin serve, saved once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest
from sklearn.linear_model import LogisticRegression

import drupe
from drupe.models import (
    Array,
    ColSpec,
    DataType,
    ModelSignature,
    Object,
    ParamSchema,
    ParamSpec,
    Property,
    Schema,
    TensorSpec,
    infer_signature,
)
from plugins.serving.tests.scoring import Scored

TABLE = pandas.DataFrame({"a": [0.2, 0.8, 0.4], "b": [0.1, 0.2, 0.9]})


def echo(given: Any, params: Any = None) -> Any:
    """What the model is given, in words."""
    if isinstance(given, pandas.DataFrame):
        kinds = [str(dtype) for dtype in given.dtypes]
        return [{"row": {str(k): repr(v) for k, v in row.items()}, "dtypes": kinds, "params": params} for row in given.to_dict("records")]
    if isinstance(given, dict):
        return {name: f"{value.dtype} {value.shape} {value.tolist()}" for name, value in given.items()}
    if hasattr(given, "dtype"):
        return f"{given.dtype} {given.shape} {given.tolist()}"
    return f"{type(given).__name__} {given}"


TYPES = Schema(
    [
        ColSpec("boolean", "flag"),
        ColSpec("integer", "i"),
        ColSpec("long", "l"),
        ColSpec("float", "f"),
        ColSpec("double", "d"),
        ColSpec("string", "s"),
        ColSpec("binary", "b"),
        ColSpec("datetime", "t"),
        ColSpec("double", "o", False),
    ]
)
SIGNATURES = {
    "types": ModelSignature(TYPES, params=ParamSchema([ParamSpec("k", "long", 3), ParamSpec("names", "string", ["x"], (-1,))])),
    "nested": ModelSignature(
        Schema([ColSpec(Array(DataType.long), "xs"), ColSpec(Object([Property("p", "string"), Property("q", "double", False)]), "ob")])
    ),
    "tensor": ModelSignature(Schema([TensorSpec(numpy.dtype("float32"), (-1, 2))])),
    "tensors": ModelSignature(Schema([TensorSpec(numpy.dtype("float64"), (-1, 2), "x"), TensorSpec(numpy.dtype("int64"), (-1,), "y")])),
    "unnamed": ModelSignature(Schema([ColSpec("double"), ColSpec("double")])),
    "texts": ModelSignature(Schema([ColSpec("string", "text")])),
    "free": None,
}


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a classifier and models that tell what they are given."""
    folder = tmp_path_factory.mktemp("models")
    classifier = LogisticRegression().fit(TABLE, [0, 1, 0])
    outputs = numpy.array([0, 1])
    drupe.sklearn.save_model(
        classifier, folder / "columns", signature=infer_signature(TABLE, outputs), input_example=TABLE.head(2), pip_requirements=["pandas"]
    )
    for name, signature in SIGNATURES.items():
        drupe.save_model(echo, folder / name, signature=signature, pip_requirements=["pandas"])
    return folder


@pytest.fixture(scope="session")
def scored(models: Path) -> Iterator[Callable[[str], Scored]]:
    """A function (name of a model) → that model behind the application, each made once."""
    made: dict[str, Scored] = {}

    def of(name: str) -> Scored:
        if name not in made:
            made[name] = Scored(models / name, name)
        return made[name]

    yield of
    for one in made.values():
        one.close()

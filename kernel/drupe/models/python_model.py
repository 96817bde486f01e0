"""The classes that a user's Python model is made from: `PythonModel` to subclass, the context it is given, and both bound together.

How such models are written and read is the python flavor's work; scripts that make a model are for `code_model`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from attrs import field, frozen

from drupe.errors import InvalidValue

__all__ = ["BoundModel", "FunctionModel", "PythonModel", "PythonModelContext", "as_python_model", "call_predict"]


@frozen
class PythonModelContext:
    """What a Python model is given beside its input: local paths of its artifacts by name, and its `model_config`."""

    artifacts: Mapping[str, str] = field(factory=dict)
    model_config: Mapping[str, Any] | None = None


class PythonModel:
    """A model in plain Python: subclass it, write `predict`, and `load_context` if there is something to open first.

    class AddN(PythonModel):
        def load_context(self, context):
            self.n = int(Path(context.artifacts["n_file"]).read_text())

        def predict(self, context, model_input, params=None):
            return model_input["a"] + self.n

    `predict` may leave out `context` and `params`. MLflow's class of the same name is used in the same way.
    """

    def load_context(self, context: PythonModelContext) -> None:
        """Open what `predict` needs; called once after the model was loaded."""

    def predict(self, context: PythonModelContext, model_input: Any, params: Mapping[str, Any] | None = None) -> Any:
        """Predict for `model_input`. Subclasses must write it."""
        raise NotImplementedError(f"{type(self).__name__} has no predict method")


class FunctionModel(PythonModel):
    """A function `f(model_input)` or `f(model_input, params)`, or another object's `predict` method, as a Python model."""

    def __init__(self, func: Callable[..., Any]) -> None:
        self.func = func

    def predict(self, context: PythonModelContext, model_input: Any, params: Mapping[str, Any] | None = None) -> Any:
        """What the function returns for `model_input`."""
        return call_predict(self.func, context, model_input, params)


def as_python_model(model: Any) -> Any:
    """`model` itself if it is a Python model of ours or of MLflow's, else a function or an object with `predict` made into one.

    Raises InvalidValue for classes and for objects that cannot predict.
    """
    if isinstance(model, type):
        raise InvalidValue(f"{model.__name__} is a class; give an instance: {model.__name__}()")
    if isinstance(model, PythonModel) or hasattr(model, "load_context"):
        return model
    if callable(getattr(model, "predict", None)):
        return FunctionModel(model.predict)
    if callable(model):
        return FunctionModel(model)
    raise InvalidValue(
        f"{type(model).__name__} is not a model that can be saved: it is no PythonModel, has no predict method and cannot be called"
    )


def call_predict(func: Callable[..., Any], context: PythonModelContext, model_input: Any, params: Mapping[str, Any] | None) -> Any:
    """Call a `predict` with as much of (context, model_input, params) as it takes."""
    try:
        names = list(inspect.signature(func).parameters.values())
    except (TypeError, ValueError):  # some functions written in C do not tell
        return func(model_input)
    given = [context, model_input] if names and names[0].name in ("context", "_") else [model_input]
    takes_params = any(p.name == "params" or p.kind is inspect.Parameter.VAR_KEYWORD for p in names[len(given) :])
    return func(*given, params=dict(params or {})) if takes_params else func(*given)


@frozen
class BoundModel:
    """A Python model together with its context, ready to predict: what the python flavor loads."""

    python_model: Any
    context: PythonModelContext = field(factory=PythonModelContext)

    def predict(self, model_input: Any, params: Mapping[str, Any] | None = None) -> Any:
        """The model's prediction."""
        return call_predict(self.python_model.predict, self.context, model_input, params)

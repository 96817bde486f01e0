"""What MLflow's pickles refer to by name, for machines where MLflow is not installed.

Only names that its Python models are known to use are answered; any other name of MLflow's means that the model itself uses MLflow.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from drupe.errors import DrupeError
from drupe.models import PythonModel, PythonModelContext
from drupe.models.python_model import FunctionModel

__all__ = ["HintedInput", "Leftover", "StoredFunction", "pass_on", "stand_in"]


class StoredFunction(FunctionModel):
    """A function that MLflow wrapped as a model; its pickle sets `func`, and the signature that MLmodel has too."""

    signature: Any = None


class HintedInput(NamedTuple):
    """What MLflow's wrapper knows of a `predict` with a type hint."""

    input_type_hint: Any
    input_param_name: str


class Leftover:
    """Values in a pickle that are carried along and not used: MLflow's copy of the signature and of type hints."""

    def __init__(self, *given: Any) -> None: ...

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, dict):
            self.__dict__.update(state)


def pass_on(args: Any, kwargs: Any, *about_type_hints: Any) -> tuple[Any, Any]:
    """MLflow's wrapper around `predict` checks its input here; ours has been checked against the signature before."""
    return args, kwargs


_NAMES: dict[str, dict[str, Any]] = {
    "mlflow.pyfunc": {"PythonModel": PythonModel, "PythonModelContext": PythonModelContext},
    "mlflow.pyfunc.model": {"PythonModel": PythonModel, "PythonModelContext": PythonModelContext, "_FunctionPythonModel": StoredFunction},
    "mlflow.pyfunc.utils.data_validation": {"_validate_model_input": pass_on, "FuncInfo": HintedInput},
    "mlflow.exceptions": {"MlflowException": DrupeError},
    "mlflow.models.signature": {"ModelSignature": Leftover, "_TypeHints": Leftover},
    "mlflow.types.schema": dict.fromkeys(
        ("AnyType", "Array", "ColSpec", "DataType", "Map", "Object", "ParamSchema", "ParamSpec", "Property", "Schema", "TensorSpec"),
        Leftover,
    ),
}


def stand_in(module: str, name: str) -> Any:
    """What answers to `module.name`. Raises ModuleNotFoundError for names that nothing here can stand for."""
    try:
        return _NAMES[module][name]
    except KeyError:
        raise ModuleNotFoundError(f"the pickle uses {module}.{name}, which MLflow has", name="mlflow") from None

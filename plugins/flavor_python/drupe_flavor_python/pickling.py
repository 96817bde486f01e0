"""Pickles of Python models that travel: written here, they load where drupe or MLflow is installed; MLflow's load here without it.

The classes of `drupe.models.python_model` are not pickled by name but as a small function that finds them, or MLflow's own, where the
pickle is read. The other way round, an unpickler answers the few names of MLflow's that its pickles use.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import pickle
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import IO, Any

import cloudpickle

from drupe.errors import InvalidModelFolder, InvalidValue
from drupe.models import PythonModel, PythonModelContext
from drupe.models.python_model import FunctionModel
from drupe_flavor_python.mlflow_names import StoredFunction, stand_in

__all__ = ["read_pickle", "write_pickle"]

_OPENERS: dict[str, Callable[..., Any]] = {"gzip": gzip.open, "bzip2": bz2.open, "lzma": lzma.open}


def write_pickle(model: Any, file: Path) -> set[str]:
    """Pickle `model` into `file` and return the top-level modules that reading it back imports. Raises InvalidValue."""
    try:
        with file.open("wb") as stream:
            pickler = _Pickler(stream)
            pickler.dump(model)
    except Exception as fault:  # pickling runs the __reduce__ of whatever the model holds
        file.unlink(missing_ok=True)
        raise InvalidValue(
            f"this {type(model).__name__} cannot be pickled: {type(fault).__name__}: {fault}. Open what it holds (connections, locks, files) in "
            "load_context, or save it from code: python_model='script.py'"
        ) from fault
    return pickler.modules


def read_pickle(file: Path, compression: Any = None) -> Any:
    """Read a pickled Python model, which runs the code that it holds: the folder has passed the gate before. Raises InvalidModelFolder."""
    if compression and not (isinstance(compression, str) and compression in _OPENERS):
        raise InvalidModelFolder(f"{file.name} is compressed with {compression!r}; known are {', '.join(_OPENERS)}")
    try:
        with _OPENERS[compression](file, "rb") if compression else file.open("rb") as stream:
            return _Unpickler(stream).load()
    except ModuleNotFoundError as fault:
        raise InvalidModelFolder(
            f"{file.name} needs the module {fault.name!r}, which is not installed here; the model's requirements.txt says what it was made "
            "with, and code_paths keeps modules of your own with the model",
            module=fault.name,
        ) from fault
    except (
        pickle.UnpicklingError,
        EOFError,
        AttributeError,
        TypeError,
        ValueError,
        IndexError,
        KeyError,
        OSError,
        lzma.LZMAError,
    ) as fault:
        raise InvalidModelFolder(f"{file.name} cannot be read as a pickled Python model: {type(fault).__name__}: {fault}") from fault


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    """cloudpickle that finds our classes in a portable way, and notes which modules the pickle will import."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(stream)
        self.modules: set[str] = set()

    def persistent_id(self, thing: Any) -> None:
        """Called for everything that is pickled; nothing is kept outside the pickle."""
        if type(thing) in _FINDERS or (isinstance(thing, type) and thing in _FINDERS):
            return
        if isinstance(thing, ModuleType):
            self._note(thing.__name__)
        elif isinstance(thing, type | FunctionType) or type(thing).__name__ == "builtin_function_or_method":
            self._note(getattr(thing, "__module__", None))
        else:
            self._note(type(thing).__module__)

    def _note(self, module: str | None) -> None:
        if module and module != "__main__":
            self.modules.add(module.partition(".")[0])

    def reducer_override(self, thing: Any) -> Any:
        finder = _FINDERS.get(thing) if isinstance(thing, type) else None
        return (finder, ()) if finder is not None else super().reducer_override(thing)


# The bodies below run where the pickle is read, possibly without drupe: each stands alone and imports what it uses.


def _find_python_model() -> Any:
    from importlib import import_module

    try:
        return import_module("drupe.models").PythonModel
    except ImportError:
        return import_module("mlflow.pyfunc").PythonModel


def _find_context() -> Any:
    from importlib import import_module

    try:
        return import_module("drupe.models").PythonModelContext
    except ImportError:
        return import_module("mlflow.pyfunc").PythonModelContext


def _find_function_model() -> Any:
    from importlib import import_module
    from inspect import signature

    try:
        return import_module("drupe.models.python_model").FunctionModel
    except ImportError:
        base = import_module("mlflow.pyfunc").PythonModel

    def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def] # MLflow reads type hints as a signature
        names = list(signature(self.func).parameters.values())
        given = [context, model_input] if names and names[0].name in ("context", "_") else [model_input]
        if any(p.name == "params" or p.kind is p.VAR_KEYWORD for p in names[len(given) :]):
            return self.func(*given, params=dict(params or {}))
        return self.func(*given)

    found = type("FunctionModel", (base,), {})
    setattr(found, "predict", predict)  # noqa: B010 - after the class is made: MLflow wraps what it finds in the body
    return found


def _by_value(function: Callable[[], Any]) -> Any:
    """A copy of `function` that cloudpickle cannot find by name, and therefore writes out whole."""
    code = getattr(function, "__code__")  # noqa: B009 - Callable does not promise it
    assert isinstance(code, CodeType)
    copy = FunctionType(code, {"__name__": "drupe_portable", "__builtins__": __builtins__}, function.__name__)
    copy.__module__ = "drupe_portable"
    return copy


_FINDERS: dict[type, Any] = {
    PythonModel: _by_value(_find_python_model),
    PythonModelContext: _by_value(_find_context),
    FunctionModel: _by_value(_find_function_model),
    StoredFunction: _by_value(_find_function_model),
}


class _Unpickler(pickle.Unpickler):
    """Reads MLflow's names as our classes where MLflow is not installed."""

    def find_class(self, module: str, name: str) -> Any:
        if module.partition(".")[0] != "mlflow" or find_spec("mlflow") is not None:
            return super().find_class(module, name)
        return stand_in(module, name)

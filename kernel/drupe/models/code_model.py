"""Models from code: a script that makes a model and hands it over with `set_model`, kept as text instead of a pickle.

    # my_model.py
    import drupe
    class Doubler(drupe.pyfunc.PythonModel):
        def predict(self, model_input): return model_input * 2
    drupe.models.set_model(Doubler())

Scripts written for MLflow run as they are; where MLflow is not installed, their `import mlflow` finds drupe.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

from drupe.errors import InvalidModelFolder, InvalidValue
from drupe.models.yaml_text import read_yaml

__all__ = ["ModelConfig", "run_script", "set_model"]

_handed_over: ContextVar[list[Any] | None] = ContextVar("drupe_handed_over", default=None)
_config: ContextVar[Mapping[str, Any] | None] = ContextVar("drupe_model_config", default=None)


def set_model(model: Any) -> None:
    """Say which model this script makes: a PythonModel instance or a function. Outside of loading it changes nothing."""
    if isinstance(model, str | type) or not (callable(model) or hasattr(model, "predict")):
        raise InvalidValue(f"set_model needs a PythonModel instance or a function, got {model!r}")
    place = _handed_over.get()
    if place is not None:
        place.append(model)


class ModelConfig:
    """The values that a model script may be given from outside: `model_config` when it is loaded, else `development_config`.

    `development_config` is a dict or the path of a YAML file. Raises InvalidValue when there are neither.
    """

    def __init__(self, *, development_config: str | Path | Mapping[str, Any] | None = None) -> None:
        given = _config.get()
        if given is None and isinstance(development_config, str | Path):
            given = read_yaml(Path(development_config))
        elif given is None:
            given = development_config  # type: ignore[assignment]
        if not isinstance(given, Mapping):
            raise InvalidValue("this model has no configuration: give model_config when it is saved, or development_config here")
        self._values = dict(given)

    def get(self, key: str) -> Any:
        """The value of `key`. Raises InvalidValue that lists the known keys."""
        if key not in self._values:
            raise InvalidValue(f"the model's configuration has no {key!r}; it has {', '.join(map(str, self._values)) or 'nothing'}")
        return self._values[key]

    def to_dict(self) -> dict[str, Any]:
        """All values."""
        return dict(self._values)


def run_script(script: Path, model_config: Mapping[str, Any] | None = None) -> Any:
    """Run a model script and return what it handed to `set_model`. Raises InvalidModelFolder with the script's own fault as cause."""
    name = f"drupe_model_script_{uuid4().hex}"
    module = ModuleType(name)
    module.__file__ = str(script)
    if find_spec("mlflow") is None:
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": _import_for_script}
    place: list[Any] = []
    tokens = _handed_over.set(place), _config.set(model_config)
    sys.modules[name] = module  # classes of the script name it as their module
    _forget_real()
    try:
        exec(compile(script.read_bytes(), str(script), "exec", dont_inherit=True), module.__dict__)
        model = place[-1] if place else _forget_real()
        if model is None:
            raise InvalidModelFolder(f"the model script {script.name} did not hand over a model; end it with drupe.models.set_model(model)")
    except InvalidModelFolder:
        del sys.modules[name]
        raise
    except Exception as fault:  # the script is the user's; whatever it raises is told as its fault
        del sys.modules[name]
        raise InvalidModelFolder(f"the model script {script.name} failed: {type(fault).__name__}: {fault}", path=str(script)) from fault
    finally:
        _handed_over.reset(tokens[0])
        _config.reset(tokens[1])
    return model


def _forget_real() -> Any:
    """Where MLflow is installed, its scripts hand over to it: take what it was given last, which it would keep for ever."""
    real = sys.modules.get("mlflow.models.model")
    model = getattr(real, "__mlflow_model__", None)
    if model is not None:
        setattr(real, "__mlflow_model__", None)  # noqa: B010 - its name, not ours
    return model


_STAND_INS = {
    "mlflow": "drupe",
    "mlflow.models": "drupe.models",
    "mlflow.models.signature": "drupe.models",
    "mlflow.types": "drupe.models",
    "mlflow.types.schema": "drupe.models",
    "mlflow.pyfunc": "drupe.pyfunc",
    "mlflow.pyfunc.model": "drupe.pyfunc",
}


def _import_for_script(name: str, namespace: Any = None, local: Any = None, fromlist: Sequence[str] = (), level: int = 0) -> Any:
    """`import` for scripts on a machine without MLflow: what they take from it comes from drupe. Nothing else is changed."""
    if level or name not in _STAND_INS:
        return __import__(name, namespace, local, fromlist, level)
    if not fromlist:
        return import_module("drupe")
    target = _STAND_INS[name]
    return getattr(import_module("drupe"), "pyfunc") if target == "drupe.pyfunc" else import_module(target)  # noqa: B009 - the porch is lazy

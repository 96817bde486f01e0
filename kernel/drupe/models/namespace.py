"""`drupe.sklearn`, `drupe.pyfunc` and their like: a flavor's functions under MLflow's names, for whatever flavors are installed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drupe.errors import InvalidValue, PluginError
from drupe.extend import Flavor
from drupe.lazy import load
from drupe.loading import catalog
from drupe.models.code_model import ModelConfig
from drupe.models.coercion import Coercion
from drupe.models.loaded import LoadedModel
from drupe.models.logged import log_model
from drupe.models.mlmodel import PYFUNC, ModelInfo
from drupe.models.opening import get_model_info, load_model, load_native
from drupe.models.python_model import PythonModel, PythonModelContext
from drupe.models.saving import save_model
from drupe.tracking.autolog import autolog_library, has_autologger

__all__ = ["AutologNamespace", "FlavorNamespace", "PyfuncNamespace", "namespace"]


class AutologNamespace:
    """`autolog` of one library, for those that have no flavor of the same name."""

    def __init__(self, library: str) -> None:
        self.library = library

    def autolog(self, *args: Any, **options: Any) -> None:
        """Log the trainings of this library by themselves, or stop doing so (`disable=True`); MLflow's options, in MLflow's order."""
        autolog_library(self.library, *args, **options)

    def __reduce__(self) -> tuple[Any, ...]:
        return namespace, (self.library,)

    def __repr__(self) -> str:
        return f"<drupe autologging of {self.library}>"


class FlavorNamespace:
    """`save_model`, `log_model` and `load_model` of one flavor. The model may also be given by the flavor's own keyword (`sk_model=`)."""

    def __init__(self, flavor: str) -> None:
        self.flavor = flavor

    def save_model(self, model: Any = None, path: str | Path | None = None, **given: Any) -> ModelInfo:
        """Write the model as a model folder at `path`; see `drupe.save_model`."""
        if path is None:
            raise InvalidValue(f"{self.flavor}.save_model needs the path of the folder to write")
        return save_model(self._model(model, given), path, flavor=self.flavor, **given)

    def log_model(self, model: Any = None, artifact_path: str | None = None, *, name: str | None = None, **given: Any) -> ModelInfo:
        """Save the model among the artifacts of the active run; see `drupe.log_model`."""
        return log_model(self._model(model, given), name, artifact_path=artifact_path, flavor=self.flavor, **given)

    def load_model(self, model_uri: str | Path, dst_path: str | Path | None = None, **given: Any) -> Any:
        """Load the library's own object; `drupe.load_model` gives the generic model instead."""
        return load_native(self.flavor, model_uri, dst_path, **given)

    def autolog(self, *args: Any, **options: Any) -> None:
        """Log the trainings of this library by themselves, or stop doing so (`disable=True`); MLflow's options, in MLflow's order."""
        autolog_library(self.flavor, *args, **options)

    def _model(self, model: Any, given: dict[str, Any]) -> Any:
        keyword = self._implementation().model_argument
        if (model is None) == (keyword not in given):
            raise InvalidValue(f"{self.flavor} needs one model to save: the first argument, or {keyword}=")
        return given.pop(keyword) if model is None else model

    def _implementation(self) -> Flavor:
        return catalog().flavor(self.flavor)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        flavor = self._implementation()
        if name in flavor.functions:
            found = self.__dict__[name] = load(flavor.functions[name])
            return found
        if name.isupper() and hasattr(flavor, name):  # constants of the flavor, such as SERIALIZATION_FORMAT_SKOPS
            return getattr(flavor, name)
        there = ["save_model", "log_model", "load_model", "autolog", *sorted(flavor.functions)]
        raise AttributeError(f"the flavor {self.flavor!r} has no {name!r}; it has {', '.join(there)}")

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._implementation().functions})

    def __reduce__(self) -> tuple[Any, ...]:
        return namespace, (self.flavor,)

    def __repr__(self) -> str:
        return f"<drupe flavor {self.flavor}>"


class PyfuncNamespace(FlavorNamespace):
    """`drupe.pyfunc`: Python functions, classes and scripts as models, and any model through its generic interface.

    As in MLflow the path or name comes first here, and the model is `python_model`: a PythonModel, a function, an object with `predict`, or
    the path of a script that calls `drupe.models.set_model`.
    """

    PythonModel = PythonModel
    PythonModelContext = PythonModelContext
    ModelConfig = ModelConfig
    PyFuncModel = LoadedModel

    def save_model(self, path: str | Path, **given: Any) -> ModelInfo:  # type: ignore[override]
        """Write `python_model` as a model folder at `path`."""
        return super().save_model(None, path, **given)

    def log_model(self, artifact_path: str | None = None, *, name: str | None = None, **given: Any) -> ModelInfo:  # type: ignore[override]
        """Save `python_model` among the artifacts of the active run."""
        return super().log_model(None, artifact_path, name=name, **given)

    def load_model(  # type: ignore[override]
        self,
        model_uri: str | Path,
        suppress_warnings: bool = False,
        dst_path: str | Path | None = None,
        model_config: str | Path | Mapping[str, Any] | None = None,
        coercion: Coercion | str = Coercion.safe,
        *,
        trust: bool | str | None = None,
    ) -> LoadedModel:
        """Load a model of any flavor as one that predicts through its signature; the same as `drupe.load_model`."""
        return load_model(model_uri, suppress_warnings, dst_path, model_config, coercion, trust=trust)

    def get_model_info(self, model_uri: str | Path) -> ModelInfo:
        """What the MLmodel file at `model_uri` says."""
        return get_model_info(model_uri)


def namespace(name: str) -> FlavorNamespace | AutologNamespace:
    """The functions of the flavor `name` (`pyfunc` is python_function). Raises AttributeError that says what to install, or what there is."""
    flavor = PYFUNC if name == "pyfunc" else name
    try:
        catalog().find("drupe_model_flavors", flavor)
    except PluginError as fault:
        if has_autologger(name):
            return AutologNamespace(name)
        raise AttributeError(f"module 'drupe' has no attribute {name!r}: {fault.message}", name=name) from fault
    return PyfuncNamespace(PYFUNC) if flavor == PYFUNC else FlavorNamespace(flavor)

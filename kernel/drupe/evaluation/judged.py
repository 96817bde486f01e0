"""The model that is judged, as evaluators see it: made of an address, a loaded model, a library's own object, or a function."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from drupe.errors import DrupeError, InvalidValue, ModelError, UnsupportedFeature
from drupe.evaluation.elsewhere import JudgedElsewhere, opened_elsewhere
from drupe.loading import catalog
from drupe.models import LoadedModel, load_model
from drupe.models.enforce import enforce_input
from drupe.models.environments import LOCAL

__all__ = ["Judged", "judged"]

_CHOSEN_METHOD = "predict_fn"


class Judged:
    """See `drupe.extend.JudgedModel`. What the model raises becomes a ModelError that says in what it failed."""

    def __init__(self, given: Any, name: str, params: Mapping[str, Any] | None, *, is_array: bool) -> None:
        self.name = name
        self._given, self._params, self._is_array = given, params, is_array
        self._loaded = given if isinstance(given, LoadedModel) else None
        is_function = self._loaded is None and not hasattr(given, "predict")
        self.native = None if is_function else self._loaded.native if self._loaded is not None else given
        self.classes = getattr(self.native, "classes_", None)

    @property
    def model_id(self) -> str | None:
        """The id of the logged model, where it is one."""
        return None if self._loaded is None else self._loaded.metadata.model_id

    @property
    def has_probabilities(self) -> bool:
        """True when the library's object tells probabilities."""
        return callable(getattr(self.native, "predict_proba", None))

    @property
    def feature_names(self) -> list[str] | None:
        """The columns that the model takes, in order, where it says so."""
        signature = self._loaded.signature if self._loaded is not None else None
        if signature is not None and signature.inputs is not None and signature.inputs.has_input_names():
            return [str(name) for name in signature.inputs.input_names()]
        names = getattr(self.native, "feature_names_in_", None)
        return None if names is None else [str(name) for name in names]

    def predict(self, features: Any) -> Any:
        """What the model predicts. Where it was saved to give something else than labels (`predict_proba`), its labels all the same."""
        loaded = self._loaded
        if loaded is None:
            return self._called(self.native.predict if self.native is not None else self._given, features)
        if loaded.config.get(_CHOSEN_METHOD, "predict") != "predict" and callable(getattr(self.native, "predict", None)):
            return self._called(lambda inputs: self._by_method("predict", inputs), features)
        return self._called(lambda inputs: loaded.predict(inputs, self._params), features)

    def predict_proba(self, features: Any) -> Any:
        """Probabilities, one column for each class."""
        return self._called(lambda inputs: self._by_method("predict_proba", inputs), features)

    def _by_method(self, method: str, features: Any) -> Any:
        """A method of the library's object, with input that fits the signature; through the flavor where that lets methods be chosen."""
        loaded = self._loaded
        if loaded is None:
            return getattr(self.native, method)(features)
        inputs = enforce_input(features, loaded.signature.inputs if loaded.signature else None)
        if _CHOSEN_METHOD in loaded.config:
            return catalog().flavor(loaded.flavor).predict(loaded.native, inputs, {}, {**loaded.config, _CHOSEN_METHOD: method})
        return getattr(loaded.native, method)(inputs)

    def _called(self, function: Any, features: Any) -> Any:
        rows = len(features)
        given = features.to_numpy() if self._is_array and self.feature_names is None else features
        try:
            found = function(given.copy())
        except (DrupeError, KeyboardInterrupt, MemoryError):
            raise
        except Exception as fault:  # the user's model raised it
            raise ModelError(f"the model {self.name} failed on this data: {type(fault).__name__}: {fault}") from fault
        count = _rows_in(found)
        if count is not None and count != rows:
            raise ModelError(f"the model {self.name} gave {count} predictions for {rows} rows; it must give one for each")
        return found


def judged(
    model: Any,
    *,
    model_config: Mapping[str, Any] | str | None = None,
    params: Mapping[str, Any] | None = None,
    env_manager: str | None = "local",
    is_array: bool = False,
    until: ExitStack,
) -> Judged | JudgedElsewhere | None:
    """The model to judge, loaded where an address was given; None for None. Raises InvalidValue, UnsupportedFeature, and as `load_model`.

    With an environment manager the model is loaded in its own environment, by a process that lives as long as `until`.
    """
    if model is None:
        return None
    if isinstance(model, str) and model.startswith("endpoints:"):
        raise UnsupportedFeature(f"evaluate asks no endpoint itself ({model}); give a function that takes a DataFrame and asks it")
    is_address = isinstance(model, str | Path)
    if env_manager not in (None, LOCAL):
        if not is_address:
            raise InvalidValue(
                f"env_manager is {env_manager!r}, and the model is a {type(model).__name__} that lives here already; give the model's address, "
                "or leave env_manager out"
            )
        way = opened_elsewhere(model, env_manager=env_manager, model_config=model_config, params=params, is_array=is_array)
        return until.enter_context(way)
    if is_address:
        loaded = load_model(model, model_config=model_config)
        return Judged(loaded, str(model), params, is_array=is_array)
    if model_config is not None:
        raise InvalidValue("model_config is for loading a model from its address, and this model is loaded already")
    if isinstance(model, LoadedModel):
        return Judged(model, model.path.name, params, is_array=is_array)
    if not callable(model) and not callable(getattr(model, "predict", None)):
        raise InvalidValue(
            f"model is of type {type(model).__name__}; it must be a model's address, a loaded model, an object with predict, a function, "
            "or None where the data has predictions"
        )
    if params is not None:
        raise InvalidValue("inference_params are for models that were loaded; let the function have them itself")
    return Judged(model, getattr(model, "__name__", type(model).__name__), None, is_array=is_array)


def _rows_in(found: Any) -> int | None:
    if isinstance(found, Mapping):
        return next((len(values) for values in found.values() if hasattr(values, "__len__")), None)
    return len(found) if hasattr(found, "__len__") and not isinstance(found, str) else None

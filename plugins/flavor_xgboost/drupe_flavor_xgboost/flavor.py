"""Saves, loads and runs XGBoost's boosters and estimators, in XGBoost's own formats, which hold no code."""

from __future__ import annotations

import inspect
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import xgboost
from xgboost.core import XGBoostError

from drupe.errors import InvalidModelFolder, InvalidValue
from drupe.extend import Flavor, FlavorRecord
from drupe.models import inside, pinned_requirements

__all__ = ["XGBoostFlavor"]

_FORMATS = ("ubj", "json")
_OLD_FORMATS = ("xgb", "deprecated")
_OPTIONS = {"model_format"}
_BOOSTER = "xgboost.core.Booster"
_CLASSES: dict[str, Any] = {_BOOSTER: xgboost.Booster} | {
    f"xgboost.sklearn.{name}": getattr(xgboost, name)
    for name in ("XGBModel", "XGBClassifier", "XGBRegressor", "XGBRanker", "XGBRFClassifier", "XGBRFRegressor")
}
"""Every class that a folder may name; no other name is ever imported."""
_KEPT = ("missing", "enable_categorical")
"""Params of an estimator that its predictions depend on and XGBoost's files do not hold."""


class XGBoostFlavor(Flavor):
    """XGBoost's Booster and the classes of its scikit-learn interface.

    Options: `model_format` (`ubj` or `json`).
    """

    name = "xgboost"
    model_argument = "xgb_model"

    def save(self, model: Any, folder: Path, options: Mapping[str, Any]) -> FlavorRecord:
        """Write `model.ubj` or `model.json`. Raises InvalidValue for an unknown option or format, or a model that is not fitted."""
        if unknown := sorted(set(options) - _OPTIONS):
            raise InvalidValue(f"log_model of the flavor xgboost does not know {', '.join(unknown)}; its own option is model_format")
        chosen = options.get("model_format") or "ubj"
        if chosen not in _FORMATS:
            old = "; XGBoost has given up the binary format of its first releases" if chosen in _OLD_FORMATS else ""
            raise InvalidValue(f"model_format is {chosen!r}; it must be one of {', '.join(_FORMATS)}{old}")
        kind = _class_name(model)
        file = folder / f"model.{chosen}"
        try:
            model.save_model(file)
        except (XGBoostError, ValueError) as fault:
            raise InvalidValue(f"this {type(model).__name__} cannot be saved: {_first_line(fault)}; fit it first") from fault
        config = {
            "xgb_version": xgboost.__version__,
            "data": file.name,
            "model_class": kind,
            "model_format": chosen,
            **_kept_params(model),
        }
        return FlavorRecord(
            config=config,
            pyfunc={"loader_module": "mlflow.xgboost", "data": file.name},
            requirements=pinned_requirements(["xgboost", "numpy", "scipy", *(() if kind == _BOOSTER else ("scikit-learn",))]),
        )

    def load(self, folder: Path, config: Mapping[str, Any], *, model_config: Mapping[str, Any] | None = None) -> Any:
        """Read the model back as the class it was. Raises InvalidModelFolder, also for a class that is not XGBoost's own."""
        file = inside(folder, config.get("data"))
        kind = config.get("model_class") or _BOOSTER
        if kind not in _CLASSES:
            raise InvalidModelFolder(f"the MLmodel file of {folder} names the class {kind!r}; known are {', '.join(_CLASSES)}")
        _look_at(file, str(config.get("model_format") or ""), str(config.get("xgb_version") or "unknown"))
        model = _CLASSES[kind]()
        params = config.get("drupe_params")
        if kind != _BOOSTER and isinstance(params, Mapping):
            model.set_params(**{name: params[name] for name in _KEPT if isinstance(params.get(name), bool | int | float)})
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message=".*Unknown file format", category=UserWarning)  # .xgb of MLflow 2 holds ubj
                model.load_model(file if file.suffix in (".ubj", ".json") else bytearray(file.read_bytes()))
        except (XGBoostError, ValueError, TypeError, KeyError) as fault:
            raise InvalidModelFolder(f"{file.name} cannot be read as an XGBoost model: {_first_line(fault)}", path=str(file)) from fault
        return model

    def predict(self, model: Any, inputs: Any, params: Mapping[str, Any], config: Mapping[str, Any]) -> Any:
        """What `predict` of the model gives; `params` are its own, such as `output_margin`, `pred_contribs` and `iteration_range`."""
        given = _fitting(model, params)
        try:
            if isinstance(model, xgboost.Booster):
                return model.predict(xgboost.DMatrix(inputs, enable_categorical=True), **given)
            return model.predict(inputs, **given)
        except (XGBoostError, ValueError, TypeError) as fault:
            raise InvalidValue(f"XGBoost refuses this input: {_first_line(fault)}") from fault

    def predicts_rows_alone(self, model: Any, config: Mapping[str, Any]) -> bool:
        """True: each row goes down the trees by itself."""
        return True

    def loads(self, config: Mapping[str, Any]) -> bool:
        """True when the keys name a model file."""
        return isinstance(config.get("data"), str) and "xgb_version" in config

    def reads_safely(self, config: Mapping[str, Any]) -> Sequence[str]:
        """Its one file, of which XGBoost's own reader makes trees and numbers."""
        return [config["data"]] if isinstance(config.get("data"), str) else []


def _class_name(model: Any) -> str:
    kind = type(model)
    for name, known in _CLASSES.items():
        if kind is known:
            return name
    if isinstance(model, tuple(_CLASSES.values())):
        raise InvalidValue(
            f"{kind.__name__} is a class of your own, and XGBoost's files would bring it back as {_nearest(kind)}; "
            "flavor='sklearn' keeps your class, as a pickle"
        )
    raise InvalidValue(f"the flavor xgboost saves Booster and XGBModel, not {kind.__name__}")


def _nearest(kind: type) -> str:
    return next(each.__name__ for each in kind.__mro__ if each in _CLASSES.values())


def _kept_params(model: Any) -> dict[str, Any]:
    """What differs from a new estimator's; NaN, the usual mark of missing values, differs from nothing."""
    if isinstance(model, xgboost.Booster):
        return {}
    usual = type(model)().get_params()
    own = {name: model.get_params()[name] for name in _KEPT}
    kept = {name: value for name, value in own.items() if value == value and value != usual[name]}
    return {"drupe_params": {name: value if isinstance(value, bool) else float(value) for name, value in kept.items()}} if kept else {}


def _look_at(file: Path, form: str, version: str) -> None:
    """Refuse what XGBoost would take for another format or release: it ends the process over some of it."""
    try:
        with file.open("rb") as stream:
            begin = stream.read(2)
            stream.seek(-1, os.SEEK_END)
            end = stream.read(1)
    except OSError as fault:
        raise InvalidModelFolder(f"{file.name} cannot be read: {fault}", path=str(file)) from fault
    if begin[:1] != b"{" or end != b"}":
        hint = (
            f"; it may be the binary format of old releases: load it with xgboost {version} and save it again as ubj"
            if form in ("", *_OLD_FORMATS)
            else ""
        )
        raise InvalidModelFolder(f"{file.name} is neither ubj nor json, or is cut off{hint}", path=str(file))


def _fitting(model: Any, params: Mapping[str, Any]) -> dict[str, Any]:
    known = [name for name in inspect.signature(model.predict).parameters if name not in ("data", "X")]
    if unknown := sorted(set(params) - set(known)):
        warnings.warn(f"predict of {type(model).__name__} takes no {', '.join(unknown)}; it takes {', '.join(known)}", stacklevel=3)
    given = {name: value for name, value in params.items() if name in known}
    if given.get("iteration_range") is not None:
        given["iteration_range"] = tuple(int(place) for place in given["iteration_range"])
    return given


def _first_line(fault: BaseException) -> str:
    """XGBoost adds its stack to its messages, and a time to their first line."""
    text = str(fault).strip().partition("\nStack trace")[0].strip()
    text = text.rpartition("Check failed: ")[2] if "Check failed: " in text else text
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0] if lines else type(fault).__name__

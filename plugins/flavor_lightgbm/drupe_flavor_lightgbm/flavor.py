"""Saves, loads and runs LightGBM's boosters, as LightGBM's text, and its estimators, as skops files or pickles."""

from __future__ import annotations

import inspect
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import lightgbm
from attrs import evolve
from lightgbm.basic import LightGBMError

from drupe.errors import InvalidModelFolder, InvalidValue
from drupe.extend import Flavor, FlavorRecord
from drupe.models import inside, pinned_requirements
from drupe_flavor_sklearn.formats import CLOUDPICKLE, PICKLE, SKOPS, Written, read_model, write_model

__all__ = ["LightGBMFlavor"]

_OPTIONS = {"serialization_format", "skops_trusted_types"}
_BOOSTER = "lightgbm.basic.Booster"
_DATA = ("collections.OrderedDict", _BOOSTER, *(f"lightgbm.sklearn.LGBM{name}" for name in ("Model", "Classifier", "Regressor", "Ranker")))
"""Types that skops asks about and that hold only data: LightGBM's own, which are rebuilt from its text. Trusting them runs nothing."""


class LightGBMFlavor(Flavor):
    """LightGBM's Booster and the classes of its scikit-learn interface.

    Options, for estimators only: `serialization_format` (`skops`, `cloudpickle`, `pickle`; by default skops where it can hold the estimator,
    else cloudpickle), `skops_trusted_types` (types of your own that skops may load).
    """

    name = "lightgbm"
    model_argument = "lgb_model"
    SERIALIZATION_FORMAT_SKOPS: ClassVar[str] = SKOPS
    SERIALIZATION_FORMAT_CLOUDPICKLE: ClassVar[str] = CLOUDPICKLE
    SERIALIZATION_FORMAT_PICKLE: ClassVar[str] = PICKLE

    def save(self, model: Any, folder: Path, options: Mapping[str, Any]) -> FlavorRecord:
        """Write `model.lgb`, `model.skops` or `model.pkl`. Raises InvalidValue for an unknown option or a model that cannot be written."""
        if unknown := sorted(set(options) - _OPTIONS):
            raise InvalidValue(
                f"log_model of the flavor lightgbm does not know {', '.join(unknown)}; its own options are {', '.join(sorted(_OPTIONS))}"
            )
        if isinstance(model, lightgbm.Booster):
            written = _write_text(model, folder, options)
        elif isinstance(model, lightgbm.LGBMModel):
            written = _write_estimator(model, folder, options)
        else:
            raise InvalidValue(f"the flavor lightgbm saves Booster and LGBMModel, not {type(model).__name__}")
        config: dict[str, Any] = {"lgb_version": lightgbm.__version__, "data": written.file, "model_class": _class_name(model)}
        if written.format != "text":
            config |= {"serialization_format": written.format, "skops_trusted_types": list(written.trusted) or None}
        return FlavorRecord(
            config=config,
            pyfunc={"loader_module": "mlflow.lightgbm", "data": written.file},
            requirements=pinned_requirements(["lightgbm", "numpy", "scipy", *written.modules]),
            executes_code=evolve(written, trusted=sorted(set(written.trusted) - set(_DATA))).executes_code and written.format != "text",
        )

    def load(self, folder: Path, config: Mapping[str, Any], *, model_config: Mapping[str, Any] | None = None) -> Any:
        """Read the model back. Raises InvalidModelFolder, UntrustedModel."""
        file = inside(folder, config.get("data"))
        if (config.get("model_class") or _BOOSTER) == _BOOSTER:
            return _read_text(file)
        form = config.get("serialization_format") or CLOUDPICKLE
        if form not in (SKOPS, CLOUDPICKLE, PICKLE):
            raise InvalidModelFolder(f"serialization_format is {form!r} in this model's MLmodel; known are skops, cloudpickle and pickle")
        model = read_model(file, form, [*_DATA, *(config.get("skops_trusted_types") or ())])
        if not isinstance(model, lightgbm.LGBMModel | lightgbm.Booster):
            raise InvalidModelFolder(f"{file.name} holds {type(model).__name__}, which is no model of LightGBM", path=str(file))
        return model

    def predict(self, model: Any, inputs: Any, params: Mapping[str, Any], config: Mapping[str, Any]) -> Any:
        """What `predict` of the model gives; `params` are its own, such as `raw_score`, `pred_contrib` and `num_iteration`."""
        known = [name for name in inspect.signature(model.predict).parameters if name not in ("data", "X", "kwargs")]
        if unknown := sorted(set(params) - set(known)):
            warnings.warn(f"predict of {type(model).__name__} takes no {', '.join(unknown)}; it takes {', '.join(known)}", stacklevel=2)
        try:
            return model.predict(inputs, **{name: value for name, value in params.items() if name in known})
        except (LightGBMError, ValueError, TypeError) as fault:
            raise InvalidValue(f"LightGBM refuses this input: {fault}") from fault

    def predicts_rows_alone(self, model: Any, config: Mapping[str, Any]) -> bool:
        """True: each row goes down the trees by itself."""
        return True

    def loads(self, config: Mapping[str, Any]) -> bool:
        """True when the keys name a model file."""
        return isinstance(config.get("data"), str) and "lgb_version" in config

    def reads_safely(self, config: Mapping[str, Any]) -> Sequence[str]:
        """LightGBM's text, and skops files of which no types are to be trusted but this flavor's own; not pickles."""
        is_text = (config.get("model_class") or _BOOSTER) == _BOOSTER
        is_skops = config.get("serialization_format") == SKOPS and set(_DATA).issuperset(config.get("skops_trusted_types") or ())
        return [config["data"]] if isinstance(config.get("data"), str) and (is_text or is_skops) else []


def _class_name(model: Any) -> str:
    kind = type(model)
    return f"{kind.__module__}.{kind.__qualname__}"


def _write_text(model: Any, folder: Path, options: Mapping[str, Any]) -> Written:
    if named := sorted(name for name in _OPTIONS if options.get(name)):
        raise InvalidValue(f"{', '.join(named)} is about estimators such as LGBMClassifier; a Booster is kept as LightGBM's own text")
    file = folder / "model.lgb"
    try:
        model.save_model(file)
    except LightGBMError as fault:
        raise InvalidValue(f"this Booster cannot be saved: {fault}") from fault
    return Written(file.name, "text")


def _write_estimator(model: Any, folder: Path, options: Mapping[str, Any]) -> Written:
    chosen, trusted = options.get("serialization_format"), options.get("skops_trusted_types") or ()
    if not model.__sklearn_is_fitted__():
        raise InvalidValue(f"this {type(model).__name__} is not fitted, so there is no model to save; fit it first")
    if chosen in (CLOUDPICKLE, PICKLE):
        return write_model(model, folder, chosen, trusted or None)
    try:
        return write_model(model, folder, SKOPS, [*_DATA, *trusted])
    except InvalidValue:
        if chosen == SKOPS or trusted:
            raise
        return write_model(model, folder, CLOUDPICKLE, None)


def _read_text(file: Path) -> Any:
    """Read LightGBM's text; what does not begin and end like it is refused, since LightGBM takes half a model for a whole one."""
    try:
        with file.open("rb") as stream:
            begin = stream.read(4)
            stream.seek(max(0, file.stat().st_size - 4096), os.SEEK_SET)
            end = stream.read()
    except OSError as fault:
        raise InvalidModelFolder(f"{file.name} cannot be read: {fault}", path=str(file)) from fault
    if begin != b"tree" or (b"end of parameters" not in end and b"pandas_categorical:" not in end):
        raise InvalidModelFolder(f"{file.name} is no model text of LightGBM, or is cut off", path=str(file))
    try:
        return lightgbm.Booster(model_file=file)
    except (LightGBMError, ValueError) as fault:
        raise InvalidModelFolder(f"{file.name} cannot be read as a LightGBM model: {fault}", path=str(file)) from fault

"""Saves, loads and runs the results of fits of statsmodels, as pickles: statsmodels has no other form, so loading runs code."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import statsmodels
from statsmodels.base.model import Results
from statsmodels.base.wrapper import ResultsWrapper
from statsmodels.iolib.smpickle import load_pickle
from statsmodels.tsa.base.tsa_model import TimeSeriesModel

from drupe.errors import InvalidModelFolder, InvalidValue
from drupe.extend import Flavor, FlavorRecord
from drupe.models import inside, pinned_requirements

__all__ = ["StatsmodelsFlavor"]

_OPTIONS = {"remove_data"}
_FILE = "model.statsmodels"
_LIBRARIES = ("statsmodels", "numpy", "pandas", "scipy", "patsy", "formulaic")


class StatsmodelsFlavor(Flavor):
    """What `fit` of a model of statsmodels returns.

    Options: `remove_data` (leave the training data out of the file; a model of a time series needs them to predict).
    """

    name = "statsmodels"
    model_argument = "statsmodels_model"

    def save(self, model: Any, folder: Path, options: Mapping[str, Any]) -> FlavorRecord:
        """Write `model.statsmodels`. Raises InvalidValue for an unknown option, or what is no result of a fit."""
        if unknown := sorted(set(options) - _OPTIONS):
            raise InvalidValue(f"log_model of the flavor statsmodels does not know {', '.join(unknown)}; its own option is remove_data")
        if not isinstance(model, Results | ResultsWrapper):
            raise InvalidValue(f"the flavor statsmodels saves what fit() returns, not {type(model).__name__}")
        remove = options.get("remove_data") or False
        if not isinstance(remove, bool):
            raise InvalidValue(f"remove_data is {remove!r}; it must be True or False")
        try:
            # statsmodels takes the data out of the model that it is given
            (copy.deepcopy(model) if remove else model).save(str(folder / _FILE), remove_data=remove)
        except (pickle.PicklingError, TypeError, AttributeError, NotImplementedError, RecursionError) as fault:
            raise InvalidValue(f"this {type(model).__name__} cannot be pickled: {fault}") from fault
        return FlavorRecord(
            config={"statsmodels_version": statsmodels.__version__, "data": _FILE},
            pyfunc={"loader_module": "mlflow.statsmodels", "data": _FILE},
            requirements=pinned_requirements(_LIBRARIES),
            executes_code=True,
        )

    def load(self, folder: Path, config: Mapping[str, Any], *, model_config: Mapping[str, Any] | None = None) -> Any:
        """Read the results back; warns once when another release wrote them. Raises InvalidModelFolder."""
        file = inside(folder, config.get("data") or _FILE)
        wrote = str(config.get("statsmodels_version") or statsmodels.__version__)
        try:
            model = load_pickle(str(file))
        except ModuleNotFoundError as fault:
            raise InvalidModelFolder(
                f"{file.name} needs the module {fault.name!r}, which is not installed here; the model's requirements.txt says what it was "
                "made with",
                module=fault.name,
            ) from fault
        except (pickle.UnpicklingError, EOFError, AttributeError, TypeError, ValueError, LookupError, OSError) as fault:
            raise InvalidModelFolder(f"{file.name} cannot be read: {type(fault).__name__}: {fault}", path=str(file)) from fault
        if not hasattr(model, "predict"):
            raise InvalidModelFolder(f"{file.name} holds {type(model).__name__}, which is no model of statsmodels", path=str(file))
        if wrote != statsmodels.__version__:
            warnings.warn(
                f"this model was saved with statsmodels {wrote} and is loaded with {statsmodels.__version__}, which may predict otherwise; "
                f"pip install statsmodels=={wrote} gives the release it was made with",
                stacklevel=2,
            )
        return model

    def predict(self, model: Any, inputs: Any, params: Mapping[str, Any], config: Mapping[str, Any]) -> Any:
        """The prediction for rows of data or, of a time series, for the stretch from `start` to `end`, both included.

        `start` and `end` are numbers of periods or dates: params, or as MLflow has it the columns of a table of one row.
        """
        if not isinstance(getattr(model, "model", None), TimeSeriesModel):
            return model.predict(inputs)
        start, end = _stretch(inputs, params)
        try:
            return model.predict(start=start, end=end)
        except (KeyError, ValueError, TypeError) as fault:
            raise InvalidValue(f"this time series cannot be predicted from {start!r} to {end!r}: {fault}") from fault

    def loads(self, config: Mapping[str, Any]) -> bool:
        """True when the keys are those of statsmodels."""
        return "statsmodels_version" in config


def _stretch(inputs: Any, params: Mapping[str, Any]) -> tuple[Any, Any]:
    """Where to begin and end: a table's own before params, which may be defaults of the signature."""
    columns = getattr(inputs, "columns", ())
    if {"start", "end"} <= set(columns) and len(inputs) == 1:
        return _plain(inputs["start"].iloc[0]), _plain(inputs["end"].iloc[0])
    if {"start", "end"} <= set(params):
        return params["start"], params["end"]
    found = f"a table of {len(inputs)} rows with {', '.join(map(str, columns))}" if len(columns) else type(inputs).__name__
    raise InvalidValue(
        "a model of a time series predicts a stretch of time: give a table of one row with the columns start and end, or params start and "
        f"end, such as {{'start': 10, 'end': 12}}; this is {found}"
    )


def _plain(place: Any) -> Any:
    return place.item() if hasattr(place, "item") else place

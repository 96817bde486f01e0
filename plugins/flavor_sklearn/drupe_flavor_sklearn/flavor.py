"""Saves, loads and runs scikit-learn models. Which file format a model gets is decided in `formats`."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import sklearn
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer
from sklearn.pipeline import FeatureUnion, Pipeline

from drupe.errors import InvalidModelFolder, InvalidValue
from drupe.extend import Flavor, FlavorRecord
from drupe.models import inside, pinned_requirements
from drupe_flavor_sklearn.formats import CLOUDPICKLE, PICKLE, SKOPS, read_model, write_model
from drupe_flavor_sklearn.trees import TREES

__all__ = ["SklearnFlavor"]

_METHODS = (
    "predict",
    "predict_proba",
    "predict_log_proba",
    "predict_joint_log_proba",
    "decision_function",
    "transform",
    "score",
)
_OPTIONS = {"serialization_format", "skops_trusted_types", "pyfunc_predict_fn"}
_LIBRARIES = ("scikit-learn", "numpy", "scipy", "pandas")


class SklearnFlavor(Flavor):
    """Estimators and pipelines of scikit-learn, and of libraries that follow its interface.

    Options: `serialization_format` (`skops`, `cloudpickle`, `pickle`; by default skops where every type in the model is one that skops
    trusts, or a decision tree, else cloudpickle), `skops_trusted_types` (types of your own that skops may load), `pyfunc_predict_fn` (the method behind
    `predict` of the generic model).
    """

    name = "sklearn"
    model_argument = "sk_model"
    SERIALIZATION_FORMAT_SKOPS: ClassVar[str] = SKOPS
    SERIALIZATION_FORMAT_CLOUDPICKLE: ClassVar[str] = CLOUDPICKLE
    SERIALIZATION_FORMAT_PICKLE: ClassVar[str] = PICKLE

    def save(self, model: Any, folder: Path, options: Mapping[str, Any]) -> FlavorRecord:
        """Write `model.skops` or `model.pkl`. Raises InvalidValue for an unknown option or format, or a model that cannot be written."""
        if unknown := sorted(set(options) - _OPTIONS):
            raise InvalidValue(
                f"log_model of the flavor sklearn does not know {', '.join(unknown)}; its own options are {', '.join(sorted(_OPTIONS))}"
            )
        if isinstance(model, type):
            raise InvalidValue(f"{model.__name__} is a class; give a fitted instance: {model.__name__}().fit(…)")
        method = self.predict_method(options)
        if method not in _METHODS:
            raise InvalidValue(f"pyfunc_predict_fn is {method!r}; it must be one of {', '.join(_METHODS)}")
        if options.get("pyfunc_predict_fn") and not hasattr(model, method):
            raise InvalidValue(f"pyfunc_predict_fn is {method!r}, which this {type(model).__name__} does not have; {_instead(model)}")
        written = write_model(model, folder, options.get("serialization_format"), options.get("skops_trusted_types"))
        config = {
            "pickled_model": written.file,
            "serialization_format": written.format,
            "skops_trusted_types": list(written.trusted) or None,
            "sklearn_version": sklearn.__version__,
        }
        pyfunc = {"loader_module": "mlflow.sklearn", "model_path": written.file, "predict_fn": method} if hasattr(model, method) else {}
        return FlavorRecord(
            config=config,
            pyfunc=pyfunc,
            requirements=pinned_requirements([*_LIBRARIES, *written.modules]),
            executes_code=written.executes_code,
        )

    def load(self, folder: Path, config: Mapping[str, Any], *, model_config: Mapping[str, Any] | None = None) -> Any:
        """Read the model back; warns once when another release of scikit-learn wrote it. Raises InvalidModelFolder, UntrustedModel."""
        name = config.get("pickled_model") or config.get("model_path") or config.get("data")
        if name is None:
            raise InvalidModelFolder(f"the MLmodel file of {folder} does not say where its sklearn model is (pickled_model)")
        file = inside(folder, name)
        wrote = str(config.get("sklearn_version") or sklearn.__version__)
        chosen, trusted = config.get("serialization_format") or PICKLE, config.get("skops_trusted_types")
        if wrote == sklearn.__version__:
            return read_model(file, chosen, trusted)
        with warnings.catch_warnings():
            # scikit-learn warns for every estimator in it; one warning that says both releases is enough
            warnings.filterwarnings("ignore", message="Trying to unpickle estimator")
            model = read_model(file, chosen, trusted)
        warnings.warn(
            f"this model was saved with scikit-learn {wrote} and is loaded with {sklearn.__version__}, which may predict otherwise; "
            f"pip install scikit-learn=={wrote} gives the release it was made with",
            stacklevel=2,
        )
        return model

    def predict(self, model: Any, inputs: Any, params: Mapping[str, Any], config: Mapping[str, Any]) -> Any:
        """The output of the method chosen by `pyfunc_predict_fn` when the model was saved; scikit-learn's methods take no params.

        A model of texts is given the one column of a table, since it would take the table's column names for the texts.
        Raises InvalidModelFolder for a method that nobody may name, InvalidValue for one that the model does not have.
        """
        method = config.get("predict_fn") or "predict"
        if method not in _METHODS:
            raise InvalidModelFolder(f"predict_fn is {method!r} in this model's MLmodel; known are {', '.join(_METHODS)}")
        if not hasattr(model, method):
            raise InvalidValue(f"this {type(model).__name__} has no method {method!r}; {_instead(model)}")
        if len(getattr(inputs, "columns", ())) == 1 and _takes_texts(model):
            inputs = inputs.iloc[:, 0]
        return getattr(model, method)(inputs)

    def predicts_rows_alone(self, model: Any, config: Mapping[str, Any]) -> bool:
        """True but for `score`, which is one number for all rows."""
        return config.get("predict_fn") != "score"

    def loads(self, config: Mapping[str, Any]) -> bool:
        """True when the keys name a model file in a known format."""
        return "pickled_model" in config and (config.get("serialization_format") or PICKLE) in (SKOPS, CLOUDPICKLE, PICKLE)

    def reads_safely(self, config: Mapping[str, Any]) -> Sequence[str]:
        """A skops file of which no types are to be trusted that skops does not know but trees, which are looked over: it refuses all others."""
        trusted = config.get("skops_trusted_types") or ()
        is_skops = config.get("serialization_format") == SKOPS and isinstance(trusted, list | tuple) and TREES.issuperset(map(str, trusted))
        name = config.get("pickled_model")
        return [name] if is_skops and isinstance(name, str) else []


def _instead(model: Any) -> str:
    there = [method for method in _METHODS if hasattr(model, method)]
    return (
        f"save it with pyfunc_predict_fn={there[0]!r}"
        if there
        else "it can only be loaded as the estimator itself, with sklearn.load_model"
    )


def _takes_texts(model: Any) -> bool:
    """True for a vectorizer of texts, and for what begins with one."""
    if isinstance(model, Pipeline):
        return _takes_texts(next((step for _, step in model.steps if step not in (None, "passthrough")), None))
    if isinstance(model, FeatureUnion):
        return any(_takes_texts(part) for _, part in model.transformer_list)
    inner = getattr(model, "best_estimator_", None)  # of a search for parameters
    return isinstance(model, CountVectorizer | HashingVectorizer) if inner is None else _takes_texts(inner)

"""What the MLmodel file itself asks for: modules to import, pickles to read, scripts to run, and places of files.

Names of modules and methods are held against closed lists. Places must lie in the folder, whoever vouches for it; everything else that is
told here may be asked for by a model that is trusted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from drupe.errors import InvalidModelFolder
from drupe.models.scanning.findings import Finding

__all__ = ["check_places", "field_findings"]

_PICKLES = {"pickle", "cloudpickle", "dill", "joblib", "pickle5"}
_LOADERS = re.compile(
    r"mlflow\.(pyfunc(\.(model|loaders(\.(code_model|chat_model|chat_agent|responses_agent))?|spark_model_cache))?|sklearn|pytorch|xgboost|lightgbm|"
    r"catboost|onnx|statsmodels|spark|tensorflow|keras(\.load)?|h2o|spacy|prophet|pmdarima|paddle|transformers|sentence_transformers|fastai|"
    r"shap|promptflow|johnsnowlabs|diviner|mleap|gluon|llama_index|langchain|openai|dspy)"
)
_METHODS = {
    *("predict", "predict_proba", "predict_log_proba", "predict_joint_log_proba", "decision_function", "transform", "score"),
    *("predict_raw", "encode", "forward", "__call__"),
}
_COMPRESSIONS = {"gzip", "bzip2", "lzma"}
_CLASSES = re.compile(r"(xgboost\.(core|sklearn|dask)|lightgbm\.(basic|sklearn)|catboost(\.core)?|pyspark\.ml(\.[a-z]\w*)*)\.[A-Z]\w*")
_KERAS = {"keras", "tensorflow.keras", "tf_keras", "keras.api"}
_CLOSED_LISTS: dict[str, tuple[Callable[[str], bool], str]] = {
    "loader_module": (lambda text: _LOADERS.fullmatch(text) is not None, "a module that is no loader of MLflow's"),
    "predict_fn": (lambda text: text in _METHODS, "no method that predicts"),
    "model_class": (
        lambda text: _CLASSES.fullmatch(text) is not None,
        "which is imported and called, and is no class of a library of models",
    ),
    "pickle_module_name": (lambda text: text in _PICKLES or text == "mlflow.pytorch.pickle_module", "a module that reads no pickles"),
    "keras_module": (lambda text: text in _KERAS, "a module that is not Keras"),
    "python_model_compression": (lambda text: text in _COMPRESSIONS, "no known compression"),
}
_NO_PLACES = {"uri", "config", "model_config", "loader_module", "model_code_path", "source_model_name", "model_id", "databricks_runtime"}
_ODD = re.compile(r"[\x00-\x1f\x7f]")
_PLAIN = re.compile(r"\w[\w.-]*", re.ASCII)
"""One name that is no dots alone, with nothing encoded in it."""
_DRIVE = re.compile(r"[A-Za-z]:")


def field_findings(flavors: Mapping[str, Mapping[str, Any]], *, safe: Collection[str] = ()) -> Iterator[Finding]:
    """What loading by these flavors would import or run, from their keys alone; the same request once.

    `safe` are files that the flavor in use reads without running anything, so that types to be trusted in them are its own.
    """
    told = set()
    for flavor, config in flavors.items():
        for finding in _of_flavor(f"MLmodel flavors.{flavor}", config, safe):
            if finding.reason not in told:
                told.add(finding.reason)
                yield finding


def check_places(
    flavors: Mapping[str, Mapping[str, Any]], example: Mapping[str, Any] | None, files: Collection[str], folder: object
) -> None:
    """Refuse places outside of the folder, in whatever spelling, and names that nobody vouches for. Raises InvalidModelFolder with all faults.

    `files` are those that were read and compared with the manifest; what a key names and what lies in the folder must be among them.
    """
    places = [(f"flavors.{flavor}", config) for flavor, config in flavors.items()]
    if example is not None:
        places.append(("saved_input_example_info", example))
    texts = [(key, text) for place, value in places for key, text in _texts(place, value)]
    faults = [f"{key} is {text[:200]!r}, {fault}" for key, text in texts if (fault := _fault(text))]
    if faults:
        raise InvalidModelFolder(
            f"the MLmodel file of {folder} names places that do not lie in the folder: {'; '.join(faults)}", faults=faults
        )
    hidden = [f"{key} is {text[:200]!r}" for key, text in texts if _is_unlisted(text) and text.removeprefix("./") not in files]
    if hidden:
        raise InvalidModelFolder(
            f"the MLmodel file of {folder} names files that no manifest lists and nobody can vouch for: {'; '.join(hidden)}", faults=hidden
        )


def _of_flavor(place: str, config: Mapping[str, Any], safe: Collection[str]) -> Iterator[Finding]:
    if config.get("code"):
        yield Finding(f"{place}.code", f"has the modules in {str(config['code'])[:100]!r} imported")
    if config.get("python_model"):
        yield Finding(f"{place}.python_model", f"has {str(config['python_model'])[:100]!r} read as a pickle")
    if config.get("model_code_path"):
        yield Finding(f"{place}.model_code_path", f"has {str(config['model_code_path'])[-100:]!r} run as a script")
    if config.get("pickled_model") and (config.get("serialization_format") or "pickle") in _PICKLES:
        yield Finding(f"{place}.pickled_model", f"has {str(config['pickled_model'])[:100]!r} read as a pickle")
    elif config.get("serialization_format") in _PICKLES:
        yield Finding(f"{place}.serialization_format", f"is {config['serialization_format']}, which runs code when it is read")
    if (trusted := config.get("skops_trusted_types")) and str(config.get("pickled_model") or config.get("data")) not in safe:
        names = tuple(map(str, trusted)) if isinstance(trusted, list) else (str(trusted),)
        yield Finding(
            f"{place}.skops_trusted_types", f"has types used that skops does not know: {', '.join(names[:5])[:300]}", names, names
        )
    yield from _of_closed_lists(place, config)


def _of_closed_lists(place: str, config: Mapping[str, Any]) -> Iterator[Finding]:
    for key, (is_known, what) in _CLOSED_LISTS.items():
        value = config.get(key)
        if value is not None and not (isinstance(value, str) and is_known(value)):
            name = str(value)[:200]
            yield Finding(f"{place}.{key}", f"is {name!r}, {what}", (name,) if key != "python_model_compression" else ())


def _texts(place: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if key not in _NO_PLACES:
                yield from _texts(f"{place}.{key}", inner)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _texts(f"{place}[{number}]", inner)


def _fault(text: str) -> str | None:
    """Why this cannot be a place in the folder; None for everything that could be one, or is no place at all."""
    if _PLAIN.fullmatch(text):
        return None
    plain = text
    for _ in range(3):
        if _ODD.search(plain):
            return "which has a control character in it"
        parts = plain.replace("\\", "/").split("/")
        if plain.startswith(("/", "\\", "~")) or _DRIVE.match(plain) or plain.lower().startswith("file:"):
            return "which is absolute"
        if ".." in (part.strip() for part in parts):
            return "which leads out of it"
        decoded = unquote(plain)
        if decoded == plain:
            return None
        plain = decoded
    return "which is encoded several times over"


def _is_unlisted(text: str) -> bool:
    parts = text.removeprefix("./").split("/")
    return (
        "__pycache__" in parts
        or any(part.lower().startswith(".drupe-") for part in parts)
        or text.removeprefix("./") in ("model.sig", "manifest.json")
    )

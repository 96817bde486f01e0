"""Saves, loads and runs models written in plain Python: PythonModel instances, functions, objects with `predict`, and scripts."""

from __future__ import annotations

import ast
import platform
import shutil
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cloudpickle

from drupe.artifacts.download import download_artifacts
from drupe.errors import InvalidModelFolder, InvalidValue
from drupe.extend import Flavor, FlavorRecord
from drupe.models import PythonModelContext, inside, pinned_requirements
from drupe.models.code_model import run_script
from drupe.models.python_model import BoundModel, as_python_model
from drupe.models.yaml_text import read_yaml
from drupe.uris import redact
from drupe_flavor_python.pickling import read_pickle, write_pickle

__all__ = ["PythonFlavor"]

_PICKLE = "python_model.pkl"
_ARTIFACTS = "artifacts"
_OPTIONS = ("artifacts", "model_config", "streamable")


class PythonFlavor(Flavor):
    """Python code as models. A pickle or script runs what it holds when it is loaded.

    Options: `artifacts` (name → local path or address of files that are copied into the model and opened in `load_context`),
    `model_config` (dict or YAML file: values for the model that may be overridden when it is loaded), `streamable`.
    """

    name = "python_function"
    model_argument = "python_model"

    def save(self, model: Any, folder: Path, options: Mapping[str, Any]) -> FlavorRecord:
        """Write the pickle or the script, and the artifacts. Raises InvalidValue."""
        if unknown := sorted(set(options) - set(_OPTIONS)):
            raise InvalidValue(
                f"log_model of the flavor python_function does not know {', '.join(unknown)}; its own options are {', '.join(_OPTIONS)}"
            )
        config: dict[str, Any] = {"streamable": bool(options.get("streamable"))}
        if artifacts := options.get("artifacts"):
            config["artifacts"] = _copy_artifacts(artifacts, folder)
        if options.get("model_config"):
            config["config"] = _read_config(options["model_config"])
        if isinstance(model, str | Path):
            script = _copy_script(model, folder)
            modules = _imports_of(script)
            config |= {"model_code_path": script.name, "loader_module": "mlflow.pyfunc.loaders.code_model"}
        else:
            modules = write_pickle(as_python_model(model), folder / _PICKLE)
            config |= {"python_model": _PICKLE, "loader_module": "mlflow.pyfunc.model"}
        requirements = pinned_requirements({"cloudpickle"} | (modules - sys.stdlib_module_names))
        return FlavorRecord(
            pyfunc={**config, "cloudpickle_version": cloudpickle.__version__}, requirements=requirements, executes_code=True
        )

    def load(self, folder: Path, config: Mapping[str, Any], *, model_config: Mapping[str, Any] | None = None) -> BoundModel:
        """Read the model back, give it its context, and let it open what it needs. Raises InvalidModelFolder."""
        context = PythonModelContext(_artifact_paths(folder, config.get("artifacts") or {}), model_config)
        if config.get("model_code_path"):
            # MLflow writes the path that the script had where it was saved; in the folder it lies under its bare name
            python_model = run_script(inside(folder, str(config["model_code_path"]).replace("\\", "/").rpartition("/")[2]), model_config)
        else:
            _warn_of_other_python(config)
            python_model = read_pickle(inside(folder, config.get("python_model")), config.get("python_model_compression"))
        bound = BoundModel(as_python_model(python_model), context)
        bound.python_model.load_context(context)
        return bound

    def predict(self, model: Any, inputs: Any, params: Mapping[str, Any], config: Mapping[str, Any]) -> Any:
        """The model's own prediction; it gets the params that its `predict` takes."""
        bound: BoundModel = model if isinstance(model, BoundModel) else BoundModel(as_python_model(model))
        return bound.predict(inputs, params)

    def loads(self, config: Mapping[str, Any]) -> bool:
        """True for pickled Python models and scripts; folders that only a library's own loader can read are for its flavor."""
        return bool(config.get("python_model") or config.get("model_code_path"))


def _copy_artifacts(artifacts: Any, folder: Path) -> dict[str, dict[str, str]]:
    if not isinstance(artifacts, Mapping) or not all(isinstance(name, str) for name in artifacts):
        raise InvalidValue(f"artifacts are a dict of name → path or address, not {artifacts!r}")
    kept: dict[str, dict[str, str]] = {}
    for name, uri in artifacts.items():
        source = Path(uri) if isinstance(uri, Path) or ":" not in str(uri) else Path(download_artifacts(artifact_uri=str(uri)))
        if not source.exists():
            raise InvalidValue(f"artifact {name!r} is at {str(uri)!r}, where nothing is; it is looked up from {Path.cwd()}")
        source = source.resolve()
        target = folder / _ARTIFACTS / source.name
        if target.exists():  # two artifacts whose files have one name
            target = folder / _ARTIFACTS / f"{len(kept)}" / source.name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copyfile(source, target)
        kept[name] = {"path": target.relative_to(folder).as_posix(), "uri": redact(str(uri))}
    return kept


def _artifact_paths(folder: Path, artifacts: Any) -> dict[str, str]:
    if not isinstance(artifacts, Mapping) or not all(isinstance(entry, Mapping) for entry in artifacts.values()):
        raise InvalidModelFolder(f"the MLmodel file of {folder} lists its artifacts in a form that cannot be read")
    return {str(name): str(inside(folder, entry.get("path"))) for name, entry in artifacts.items()}


def _read_config(given: Any) -> dict[str, Any]:
    if isinstance(given, str | Path):
        given = read_yaml(Path(given))
    if not isinstance(given, Mapping):
        raise InvalidValue(f"model_config is a dict or the path of a YAML file with a map, not {type(given).__name__}")
    return dict(given)


def _copy_script(given: str | Path, folder: Path) -> Path:
    source = Path(given)
    if source.suffix != ".py" or not source.is_file():
        raise InvalidValue(f"python_model is {str(given)!r}; a text must be the path of a .py script that calls drupe.models.set_model")
    target = folder / source.name
    shutil.copyfile(source, target)
    return target


def _imports_of(script: Path) -> set[str]:
    """The top-level modules that a script imports, read from its text."""
    try:
        tree = ast.parse(script.read_bytes(), str(script))
    except (SyntaxError, ValueError) as fault:
        raise InvalidValue(f"the model script {script.name} is not valid Python: {fault}") from fault
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return {name.partition(".")[0] for name in found}


def _warn_of_other_python(config: Mapping[str, Any]) -> None:
    wrote, here = str(config.get("python_version") or ""), platform.python_version()
    if wrote and wrote.split(".")[:2] != here.split(".")[:2]:
        warnings.warn(f"this model was pickled by Python {wrote} and is loaded by {here}; pickled code may not run there", stacklevel=4)

"""Writes a model folder: the flavor's files, and around them MLmodel, signature, example, environment, code and manifest.

The folder appears whole or not at all: it is written under another name and renamed. Logging it to a run is for `logged`.
"""

from __future__ import annotations

import platform
import shutil
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from secrets import token_hex
from typing import Any

from attrs import fields_dict, frozen

from drupe import lazy
from drupe.artifacts.manifest import write_manifest
from drupe.entities import LoggedModel, Run
from drupe.errors import DrupeError, InvalidValue
from drupe.extend import Flavor, FlavorRecord
from drupe.loading import catalog
from drupe.models.card.files import write_card
from drupe.models.card.parts import read_parts
from drupe.models.enforce import enforce_input, enforce_params
from drupe.models.environment import CONDA_FILE, PYTHON_ENV_FILE, choose_requirements
from drupe.models.examples import Example
from drupe.models.extra_files import EXTRA_FILES, copy_extra_files
from drupe.models.infer import infer_params, infer_schema
from drupe.models.mlmodel import MLMODEL_FILE, PYFUNC, Model, ModelInfo
from drupe.models.pinning import pinned_requirements
from drupe.models.predictions import write_prediction
from drupe.models.recording import recorded_requirements
from drupe.models.several import named_files, write_further
from drupe.models.signature import ModelSignature
from drupe.models.trusted import remember
from drupe.settings import settings

__all__ = ["ModelParts", "save_model", "write_model"]

CODE_FOLDER = "code"
_NOT_CODE = shutil.ignore_patterns("__pycache__", "*.pyc", ".git", ".ipynb_checkpoints")


@frozen(kw_only=True)
class ModelParts:
    """What every flavor's `log_model` and `save_model` take beside the model, under MLflow's names.

    `signature` False means none, not even an inferred one. `pip_requirements` replaces the flavor's requirements,
    `extra_pip_requirements` adds to them, `conda_env` replaces the whole environment. `code_paths` are copied and importable at load;
    `extra_files` are copied too, by path or address, into the folder of that name.
    `infer_requirements` says whether a process of its own watches what a model of your own code imports (None: the setting
    `requirements_inference`), `lock` whether a lock with hashes is kept with the model (None: the setting `lock_model_dependencies`).
    `also`, which MLflow does not have, is the same model for other libraries, as a dict of flavor name → model; neither has it `card`, what
    people write into the model card themselves: a dict of title → text, the path of a markdown file, or a text that says what the model is for.
    """

    signature: ModelSignature | bool | None = None
    input_example: Any = None
    code_paths: Sequence[str | Path] | None = None
    extra_files: Sequence[str | Path] | None = None
    pip_requirements: str | Path | Iterable[str] | None = None
    extra_pip_requirements: str | Path | Iterable[str] | None = None
    conda_env: str | Path | Mapping[str, Any] | None = None
    infer_requirements: bool | None = None
    lock: bool | None = None
    metadata: Mapping[str, Any] | None = None
    also: Mapping[str, Any] | None = None
    card: str | Path | Mapping[str, Any] | None = None


def save_model(model: Any, path: str | Path, *, flavor: str | None = None, **given: Any) -> ModelInfo:
    """Write `model` as a model folder at the local `path`, which must not exist yet, or be an empty folder.

    `flavor` is the flavor's name; without it, the model's class decides. Other arguments are those of ModelParts, and the flavor's own.
    Returns what MLmodel says. Raises InvalidValue, NoProvider, MissingRequirement; nothing is left behind then.
    """
    target = Path(path)
    if target.is_symlink() or target.is_file() or (target.is_dir() and any(target.iterdir())):
        raise InvalidValue(f"a model cannot be saved at {str(path)!r}: something is there already", path=str(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.parent / f".{target.name}-{token_hex(8)}"
    draft.mkdir()
    try:
        saved = write_model(model, draft, flavor=flavor, place=target.absolute(), uri=f"./{target.name}", **given)
        draft.replace(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return saved.info(str(target))


def write_model(
    model: Any,
    folder: Path,
    *,
    flavor: str | None = None,
    run: Run | None = None,
    entity: LoggedModel | None = None,
    artifact_path: str | None = None,
    place: Path | None = None,
    uri: str = ".",
    **given: Any,
) -> Model:
    """Write `model` into the empty `folder`, manifest last, and return what MLmodel says.

    `run` is the run that it is logged to and `entity` the logged model that it is; `uri` is how it will be named to whoever loads it. The digest
    is noted as one that this user made, so that the model loads again without a question; `place` is where it will lie.
    """
    name = flavor or catalog().flavor_for(model).offer.name
    writer: Flavor = catalog().flavor(name)
    names = set(fields_dict(ModelParts))
    parts = ModelParts(**{key: value for key, value in given.items() if key in names})
    options = {key: value for key, value in given.items() if key not in names or key in writer.also_saved}
    if parts.signature is not None and not isinstance(parts.signature, ModelSignature | bool):
        raise InvalidValue(f"signature must be a ModelSignature, not {type(parts.signature).__name__}; infer_signature makes one from data")
    if not isinstance(parts.metadata, Mapping | None):
        raise InvalidValue(f"metadata is a dict, not {type(parts.metadata).__name__}")
    own = read_parts(parts.card)
    record = writer.save(model, folder, options)
    running = named_files(folder, record) if record.executes_code else []
    further = write_further(parts.also, folder, name)
    code = _copy_code(parts.code_paths or (), folder)
    extra = copy_extra_files(parts.extra_files or (), folder)
    example = None if parts.input_example is None else Example.of(writer.example(model, parts.input_example))
    info = None if example is None else example.write(folder)
    flavors = _flavor_maps(name, record, code, extra) | {each.name: {**each.record.config, "code": code} for each in further}
    signature = parts.signature if isinstance(parts.signature, ModelSignature) else None
    if example is not None and parts.signature in (None, True):
        signature, predicted = _signature_of(writer, folder, {**flavors.get(PYFUNC, {}), **flavors[name]}, example)
        info = {**(info or {}), **({} if predicted is None else write_prediction(folder, predicted))}
    found = [*record.requirements, *(line for each in further for line in each.record.requirements), *_needed_for(signature)]
    if _is_watched(parts, name, record, code):
        found += recorded_requirements(folder, name, {**flavors.get(PYFUNC, {}), **flavors[name]}, signature=signature, example=info)
    choose_requirements(
        found,
        given=parts.pip_requirements,
        extra=parts.extra_pip_requirements,
        conda=parts.conda_env,
    ).write(folder)
    saved = Model(
        flavors=flavors,
        signature=signature,
        saved_input_example_info=info,
        metadata=parts.metadata,
        run_id=None if run is None else run.info.run_id,
        artifact_path=artifact_path,
        extra={
            "model_size_bytes": sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()),
            **({} if entity is None else {"model_id": entity.model_id}),
            **({"card": own} if own else {}),
        },
    )
    saved.save(folder / MLMODEL_FILE)
    if settings().get("lock_model_dependencies") if parts.lock is None else parts.lock:
        write_lock = lazy.load("drupe.models.environments.preparing:write_lock")  # lazy: few models are locked
        write_lock(folder, saved)
    write_card(folder, saved, uri, entity=entity, run=run)
    running += [file for each in further for file in each.running]
    sealed = write_manifest(folder, executes_code=[*running, *([code] if code else ())])
    remember(
        sealed.digest, why="made", what=str(place or folder) if run is None else f"{artifact_path or 'model'} of run {run.info.run_id}"
    )
    return saved


def _is_watched(parts: ModelParts, name: str, record: FlavorRecord, code: str | None) -> bool:
    """True when what the model imports must be seen, since it runs code of the user's; see `recording` for why others are not."""
    if parts.pip_requirements is not None or parts.conda_env is not None:
        return False
    wanted = settings().get("requirements_inference") if parts.infer_requirements is None else parts.infer_requirements
    return bool(wanted) and (name == PYFUNC or code is not None or record.executes_code)


def _needed_for(signature: ModelSignature | None) -> list[str]:
    """What checking the input takes, whatever the model itself imports."""
    if signature is None or signature.inputs is None:
        return []
    return pinned_requirements(["numpy"] if signature.inputs.is_tensor_spec() else ["pandas"])


def _flavor_maps(name: str, record: FlavorRecord, code: str | None, extra: Sequence[Mapping[str, str]]) -> dict[str, dict[str, Any]]:
    flavors: dict[str, dict[str, Any]] = {name: {**record.config, "code": code, **({EXTRA_FILES: list(extra)} if extra else {})}}
    if record.pyfunc:
        shared = {"env": {"conda": CONDA_FILE, "virtualenv": PYTHON_ENV_FILE}, "python_version": platform.python_version()}
        flavors[PYFUNC] = {**flavors.get(PYFUNC, {}), **shared, **record.pyfunc}
        if code or name == PYFUNC:
            flavors[PYFUNC]["code"] = code
    return flavors


def _copy_code(paths: Sequence[str | Path], folder: Path) -> str | None:
    if isinstance(paths, str | Path):
        raise InvalidValue(f"code_paths is a list of files and folders; write [{str(paths)!r}]")
    for path in paths:
        source = Path(path).resolve()
        target = folder / CODE_FOLDER / source.name
        if target.exists():
            raise InvalidValue(f"two code_paths have the name {source.name!r}")
        target.parent.mkdir(exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=_NOT_CODE)
        elif source.is_file():
            shutil.copyfile(source, target)
        else:
            raise InvalidValue(f"code path {str(path)!r} does not exist; it is looked up from {Path.cwd()}")
    return CODE_FOLDER if paths else None


def _signature_of(writer: Flavor, folder: Path, config: Mapping[str, Any], example: Example) -> tuple[ModelSignature | None, Any]:
    """What the model that was just written takes and gives, and its prediction; tried on its example, so it also shows that it can be read."""
    try:
        inputs = infer_schema(example.inputs, "input example")
        params = infer_params(example.params) if example.params else None
        model = writer.load(folder, config, model_config=config.get("config"))
        given = enforce_input(example.inputs, inputs)
        outputs = writer.predict(model, given, enforce_params(example.params, params), config)
        return ModelSignature(inputs, infer_schema(outputs, "prediction"), params), outputs
    except DrupeError as fault:
        reason = fault.message
    except Exception as fault:  # the user's model raised it
        reason = f"{type(fault).__name__}: {fault}"
    warnings.warn(f"the model is saved without a signature, for it could not be inferred from the input example: {reason}", stacklevel=4)
    return None, None

"""From an address to a usable model: finds the folder, passes the gate, chooses the flavor, loads.

`load_model` gives the generic model that predicts through its signature; `load_native` the library's own object.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
import warnings
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from drupe.artifacts.once import asked_once
from drupe.artifacts.resolve import locate
from drupe.artifacts.trees import get_tree
from drupe.errors import InvalidModelFolder, InvalidUri, InvalidValue, MissingRequirement, NoProvider, PluginError
from drupe.extend import Flavor, RegistryStore, TrackingStore
from drupe.loading import catalog
from drupe.models.code_folder import make_importable
from drupe.models.coercion import Coercion
from drupe.models.confine import inside
from drupe.models.difference import tell_of_differences
from drupe.models.gate import Admitted, Origin, admit, allow
from drupe.models.loaded import LoadedModel
from drupe.models.mlmodel import PYFUNC, Model, ModelInfo
from drupe.models.vouching import words_for
from drupe.models.yaml_text import read_yaml
from drupe.tracking.address import registry_store, tracking_store

__all__ = ["admit_uri", "get_model_info", "load_model", "load_native", "local_folder", "read_safely"]


def load_model(
    model_uri: str | Path,
    suppress_warnings: bool = False,
    dst_path: str | Path | None = None,
    model_config: str | Path | Mapping[str, Any] | None = None,
    coercion: Coercion | str = Coercion.safe,
    *,
    trust: bool | str | None = None,
) -> LoadedModel:
    """Load the model at `model_uri` with whichever of its flavors is installed; `predict` of the result checks its input.

    The address is a folder, `runs:/<run id>/<path>`, `models:/<name>/<version>`, `models:/<name>@<alias>` or an artifact address.
    `dst_path` is where a model that is not on this machine is kept (default: a temporary folder, until the process ends). `model_config`
    (a dict or a YAML file) overrides values of the configuration that the model was saved with. `coercion` says how far `predict` may
    convert its input to fit the signature; see `drupe.models.Coercion`.

    A model whose loading runs code that comes with it (pickles, scripts) is loaded when you made it, when a server that you use has it as
    logged, when your settings or a signature vouch for it, or with `trust` for this one call: True, or the digest that it must have.
    Raises UntrustedModel, InvalidValue, InvalidModelFolder, ArtifactCorrupt, ArtifactNotFound, NoProvider, MissingRequirement.
    """
    policy = Coercion.of(coercion)
    admitted = admit_uri(model_uri, dst_path)
    name, flavor = _choose(admitted)
    # filters are the process's: they are only touched when asked for, since other threads may load at the same time
    with warnings.catch_warnings(action="ignore") if suppress_warnings else nullcontext():
        native, config = _load(admitted, name, flavor, model_config, trust)
    if not suppress_warnings:
        tell_of_differences(admitted.folder)
    return LoadedModel(native, flavor, config, admitted, policy)


def load_native(
    flavor_name: str,
    model_uri: str | Path,
    dst_path: str | Path | None = None,
    model_config: str | Path | Mapping[str, Any] | None = None,
    *,
    trust: bool | str | None = None,
    **options: Any,
) -> Any:
    """Load the model at `model_uri` as the object that the library of this flavor knows, with its own `load_options`.

    Raises as `load_model` does, and InvalidValue for an unknown option.
    """
    flavor: Flavor = catalog().flavor(flavor_name)
    if unknown := sorted(set(options) - flavor.load_options):
        takes = ", ".join(["dst_path", "model_config", "trust", *sorted(flavor.load_options)])
        raise InvalidValue(f"load_model of the flavor {flavor_name} does not know {', '.join(unknown)}; it takes {takes}")
    admitted = admit_uri(model_uri, dst_path)
    if not flavor.loads(admitted.model.config(flavor_name)):
        raise InvalidModelFolder(f"{admitted.folder} has no model that the flavor {flavor_name} can read", folder=str(admitted.folder))
    return flavor.native(_load(admitted, flavor_name, flavor, model_config, trust, options)[0])


def admit_uri(model_uri: str | Path, dst_path: str | Path | None = None) -> Admitted:
    """Bring the model at `model_uri` to this machine and through the first half of the gate, with what the stores say of it."""
    tracking, registry = asked_once(tracking_store), asked_once(registry_store)
    words = () if isinstance(model_uri, Path) else tuple(words_for(str(model_uri), tracking=tracking, registry=registry))
    folder, place = _fetched(model_uri, dst_path, tracking, registry)
    return admit(folder, Origin(str(model_uri), place, words))


def read_safely(admitted: Admitted) -> list[str]:
    """The files that the flavor which would load this model reads without running anything; none when no installed flavor would."""
    try:
        name, flavor = _choose(admitted)
    except (InvalidModelFolder, PluginError):
        return []
    return list(flavor.reads_safely(admitted.model.config(name)))


def get_model_info(model_uri: str | Path) -> ModelInfo:
    """What the MLmodel file at `model_uri` says; nothing is loaded."""
    if _is_local(model_uri):
        return Model.load(Path(model_uri)).info(str(model_uri))
    repo, path = locate(str(model_uri), tracking=tracking_store, registry=registry_store)
    with tempfile.TemporaryDirectory(prefix="drupe-") as place:
        file = Path(place) / "MLmodel"
        repo.get_file(path / "MLmodel", file)
        return Model.load(file).info(str(model_uri))


def local_folder(model_uri: str | Path, dst_path: str | Path | None = None) -> Path:
    """The folder of the model on this machine: where it lies, or a copy that was fetched. Nothing of it is checked."""
    return _fetched(model_uri, dst_path)[0]


def _fetched(
    model_uri: str | Path,
    dst_path: str | Path | None,
    tracking: Callable[[], TrackingStore] = tracking_store,
    registry: Callable[[], RegistryStore] = registry_store,
) -> tuple[Path, str]:
    """The local folder, and the address of the place where the model is kept."""
    if _is_local(model_uri) and dst_path is None:
        folder = Path(model_uri).absolute()
        return folder, str(folder)
    repo, path = locate(str(model_uri), tracking=tracking, registry=registry)
    here = repo.local_path(path)
    if here is not None and dst_path is None:
        return here, str(here)
    target = Path(dst_path) if dst_path is not None else _kept_until_exit()
    return get_tree(repo, path, target), str(here or repo.root / path)


def _is_local(model_uri: str | Path) -> bool:
    if not isinstance(model_uri, str | Path):
        raise InvalidUri(f"the address of a model is text or a path, not {type(model_uri).__name__} ({model_uri!r})")
    return isinstance(model_uri, Path) or ":" not in model_uri


def _kept_until_exit() -> Path:
    place = Path(tempfile.mkdtemp(prefix="drupe-model-"))  # models may open their artifacts at any time
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    return place


def _choose(admitted: Admitted) -> tuple[str, Flavor]:
    """The first flavor that is installed and can read the folder: the one of the generic interface, other libraries' own, python_function."""
    flavors = admitted.model.flavors
    loader = flavors.get(PYFUNC, {}).get("loader_module")
    generic = PYFUNC if str(loader).startswith("mlflow.pyfunc.") else str(loader).removeprefix("mlflow.")
    missing: NoProvider | MissingRequirement | None = None
    for name in sorted(flavors, key=lambda name: (name != generic, name == PYFUNC)):
        try:
            flavor: Flavor = catalog().flavor(name)
        except (NoProvider, MissingRequirement) as fault:
            missing = missing or fault
            continue
        if flavor.loads(admitted.model.config(name)):
            return name, flavor
    if missing is not None:
        raise missing
    raise InvalidModelFolder(
        f"no installed flavor can read {admitted.folder}: it has {', '.join(flavors)}"
        + (f", to be loaded by {loader!r}" if loader else ""),
        flavors=list(flavors),
    )


def _load(
    admitted: Admitted,
    name: str,
    flavor: Flavor,
    model_config: str | Path | Mapping[str, Any] | None,
    trust: bool | str | None,
    options: Mapping[str, Any] | None = None,
) -> tuple[Any, Mapping[str, Any]]:
    config = admitted.model.config(name)
    allow(admitted, reads_safely=flavor.reads_safely(config), trust=trust)
    if config.get("code"):
        code = inside(admitted.folder, config["code"])
        if not code.is_dir():
            raise InvalidModelFolder(f"the MLmodel file of {admitted.folder} names {config['code']!r} as its code, which is no folder")
        make_importable(code)
    chosen = _overridden(config.get("config"), model_config)
    if options:
        chosen = {**(chosen or {}), **options}
    return flavor.load(admitted.folder, config, model_config=chosen), config


def _overridden(saved: Any, given: str | Path | Mapping[str, Any] | None) -> dict[str, Any] | None:
    over = read_yaml(Path(given)) if isinstance(given, str | Path) else given
    if not isinstance(saved, Mapping):
        saved = None
    if not over:
        return None if saved is None else dict(saved)
    if unknown := sorted(map(str, set(over) - set(saved or {}))):
        takes = f"it knows {', '.join(map(str, saved))}" if saved else "it was saved without model_config"
        warnings.warn(f"the model's configuration has no {', '.join(unknown)}, so that is left out; {takes}", stacklevel=4)
    return None if saved is None else {key: over.get(key, value) for key, value in saved.items()}

"""Weights apart from the code that makes their model: safetensors, or a state dict that loads with `weights_only`.

The class is kept by its import path, with what to call it with; whoever loads the model needs it, or gets it from the model's own code
paths. A loader for MLflow, which knows no such format, lies in the folder's `code`.
"""

from __future__ import annotations

import importlib
import inspect
import pickle
import re
import sys
import warnings
from collections.abc import Mapping
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
import yaml

from drupe.errors import InvalidModelFolder, InvalidValue
from drupe_flavor_pytorch import mlflow_loader
from drupe_flavor_pytorch.written import SAFETENSORS, CannotHold, Written, what_it_holds

__all__ = ["read", "write"]

_FILES = {SAFETENSORS: "data/model.safetensors", "state_dict": "data/model.pth"}
_PLACE = re.compile(r"(?!\d)\w+(\.(?!\d)\w+)*:(?!\d)\w+(\.(?!\d)\w+)*")
LOADER = "drupe_pytorch_weights"


def write(model: torch.nn.Module, folder: Path, options: Mapping[str, Any], chosen: str = SAFETENSORS) -> Written:
    """Write the weights, after a try whether they fit the model that the class makes. Raises CannotHold, InvalidValue."""
    place, kwargs = _maker(model, options)
    _try(place, kwargs, model)
    _say_what_is_not_kept(place, options)
    file = folder / _FILES[chosen]
    state = model.state_dict()
    if chosen == SAFETENSORS:
        if odd := sorted(name for name, value in state.items() if not isinstance(value, torch.Tensor)):
            raise CannotHold(f"safetensors holds tensors only, and its state has others ({', '.join(odd)})")
        kept, twins = _without_twins(state)
        safetensors.torch.save_file(kept, file, metadata={"format": "pt", **{f"twin:{name}": other for name, other in twins.items()}})
    else:
        torch.save(state, file)
        try:
            torch.load(file, weights_only=True)
        except pickle.UnpicklingError as fault:
            file.unlink()
            raise CannotHold(f"its state holds objects that need a pickle ({what_it_holds(fault)})") from fault
    (folder / "code").mkdir(exist_ok=True)
    (folder / "code" / f"{LOADER}.py").write_text(inspect.getsource(mlflow_loader), encoding="utf-8")
    config = {"model_class": place, "model_kwargs": kwargs}
    return Written(
        _FILES[chosen],
        chosen,
        executes_code=True,
        config=config,
        pyfunc={"loader_module": LOADER, "code": "code", "weights": {"file": _FILES[chosen], **config}},
        modules=[*(["safetensors"] if chosen == SAFETENSORS else []), place.partition(".")[0].partition(":")[0]],
    )


def read(file: Path, chosen: str, config: Mapping[str, Any], device: torch.device) -> Any:
    """Make the model by its class and put the weights into it, in eval mode. Raises InvalidModelFolder."""
    kwargs = config.get("model_kwargs") or {}
    if not isinstance(kwargs, Mapping):
        raise InvalidModelFolder(f"model_kwargs of this model is {type(kwargs).__name__}, not a map")
    try:
        state = mlflow_loader.weights_of(file)
    except (
        safetensors.SafetensorError,
        pickle.UnpicklingError,
        RuntimeError,
        EOFError,
        OSError,
        ValueError,
        KeyError,
        AttributeError,
    ) as fault:
        raise InvalidModelFolder(f"{file.name} cannot be read as {chosen}: {type(fault).__name__}: {fault}", path=str(file)) from fault
    if not isinstance(state, Mapping):
        raise InvalidModelFolder(f"{file.name} holds {type(state).__name__}, not the weights of a model", path=str(file))
    try:
        model = _made(str(config.get("model_class")), kwargs)
        mlflow_loader.fill(model, state)
    except CannotHold as fault:
        raise InvalidModelFolder(f"the model cannot be made again: {fault}", path=str(file)) from fault
    except (RuntimeError, TypeError) as fault:
        raise InvalidModelFolder(f"{file.name} does not fit {config.get('model_class')}: {fault}", path=str(file)) from fault
    return model.to(device).eval()


def _maker(model: torch.nn.Module, options: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The import path of what makes the model, and what it is called with."""
    factory, kind = options.get("model_factory"), options.get("model_class")
    if factory is not None and kind is not None:
        raise InvalidValue("give one of model_class and model_factory")
    place = _place_of(factory if factory is not None else kind if kind is not None else type(model))
    kwargs = options.get("model_kwargs")
    if kwargs is None and factory is None:
        kwargs = _hyperparameters(model)
    kwargs = {} if kwargs is None else kwargs
    if not isinstance(kwargs, Mapping):
        raise InvalidValue(f"model_kwargs is a dict of the arguments that make the model, not {type(kwargs).__name__}")
    try:
        if yaml.safe_load(yaml.safe_dump(dict(kwargs))) != dict(kwargs):
            raise yaml.YAMLError("tuples come back as lists")
    except yaml.YAMLError as fault:
        raise CannotHold(
            f"model_kwargs must be plain values (numbers, texts, lists, dicts), as they are kept in MLmodel ({str(fault).splitlines()[0]}); a "
            "model_factory can make the rest"
        ) from fault
    return place, dict(kwargs)


def _hyperparameters(model: torch.nn.Module) -> dict[str, Any] | None:
    """What a Lightning module noted by `save_hyperparameters`, as far as its class takes it."""
    noted = getattr(model, "hparams", None)
    if not isinstance(noted, Mapping) or not noted:
        return None
    taken = inspect.signature(type(model).__init__).parameters
    return {name: value for name, value in noted.items() if name in taken}


def _place_of(maker: Any) -> str:
    if isinstance(maker, str):
        place = maker if ":" in maker else ":".join(maker.rsplit(".", 1))
        if not _PLACE.fullmatch(place):
            raise InvalidValue(f"{maker!r} names no class or function; write 'package.module:Name'")
        return place
    module, name = getattr(maker, "__module__", None), getattr(maker, "__qualname__", None)
    if not callable(maker) or not module or not name:
        raise InvalidValue(f"what makes a model is a class or function, or 'package.module:Name', not {maker!r:.100}")
    if module == "__main__":
        raise CannotHold(
            f"{name} is defined in the script or notebook itself, where nobody else can import it; move it to a module of its own"
        )
    if "<locals>" in name:
        raise CannotHold(f"{name} is defined inside a function, where it cannot be imported; move it to the top of a module")
    return f"{module}:{name}"


def _made(place: str, kwargs: Mapping[str, Any]) -> torch.nn.Module:
    """The model as its class or factory makes it, with random weights; random numbers of the program stay as they were."""
    if not _PLACE.fullmatch(place):
        raise CannotHold(f"model_class is {place!r:.200}, which names no class or function")
    module, _, name = place.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except ImportError as fault:
        raise CannotHold(f"{place} cannot be imported ({fault}); code_paths=[…] keeps modules of your own with the model") from fault
    except AttributeError as fault:
        raise CannotHold(f"the module {module} has no {name}") from fault
    if isinstance(found, type) and not issubclass(found, torch.nn.Module):
        raise CannotHold(f"{place} is no torch.nn.Module")
    if not callable(found):
        raise CannotHold(f"{place} is no class or function")
    try:
        with torch.random.fork_rng(devices=[]):
            model = found(**kwargs)
    except Exception as fault:  # the user's own constructor
        raise CannotHold(
            f"{place}({', '.join(f'{key}={value!r:.40}' for key, value in kwargs.items())}) raises {type(fault).__name__}: {fault}; say what to "
            "call it with in model_kwargs={…}"
        ) from fault
    if not isinstance(model, torch.nn.Module):
        raise CannotHold(f"{place} makes {type(model).__name__}, which is no torch.nn.Module")
    return model


def _try(place: str, kwargs: Mapping[str, Any], model: torch.nn.Module) -> None:
    made, wanted = _made(place, kwargs).state_dict(), model.state_dict()
    other = [name for name in {**made, **wanted} if _form(made.get(name)) != _form(wanted.get(name))]
    if other:
        name = other[0]
        raise CannotHold(
            f"{place} makes a model with other weights: {len(other)} differ, such as {name} ({_form(made.get(name))} there, "
            f"{_form(wanted.get(name))} here); say what to call it with in model_kwargs={{…}}, or give a model_factory"
        )


def _form(value: Any) -> Any:
    return "missing" if value is None else list(value.shape) if isinstance(value, torch.Tensor) else type(value).__name__


def _without_twins(state: Mapping[str, torch.Tensor]) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """The tensors of a state, each memory once, and name → name of those that share it."""
    kept: dict[str, torch.Tensor] = {}
    twins: dict[str, str] = {}
    seen: dict[Any, str] = {}
    for name, value in state.items():
        key = (value.device, value.data_ptr(), value.dtype, tuple(value.shape), value.stride())
        if value.numel() and key in seen:
            twins[name] = seen[key]
        else:
            seen[key] = name
            kept[name] = value.detach().cpu().contiguous().clone()
    return kept, twins


def _say_what_is_not_kept(place: str, options: Mapping[str, Any]) -> None:
    """Warn where the class's source is neither installed nor kept with the model."""
    module = place.partition(":")[0]
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names or top in packages_distributions():
        return
    source = getattr(sys.modules.get(module), "__file__", None)
    paths = options.get("code_paths") or ()
    if source is None or any(
        Path(source).resolve().is_relative_to(Path(path).resolve()) for path in ([paths] if isinstance(paths, str) else paths)
    ):
        return
    warnings.warn(
        f"the model needs the module {module}, which is no installed package; code_paths=[{_top_of(Path(source), module)!r}] keeps its source "
        "with the model",
        stacklevel=7,
    )


def _top_of(source: Path, module: str) -> str:
    """The file or the package's folder that code_paths would name."""
    depth = module.count(".") + (source.name == "__init__.py")
    return source.name if depth == 0 else source.parents[depth - 1].name

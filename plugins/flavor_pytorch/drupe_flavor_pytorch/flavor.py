"""Saves, loads and runs PyTorch models. The formats have rooms of their own: `exported`, `scripted`, `weights`, `pickled`; `formats` chooses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch

from drupe.errors import InvalidValue
from drupe.extend import Flavor, FlavorRecord
from drupe.models import pinned_requirements
from drupe.models.extra_files import copy_extra_files
from drupe_flavor_pytorch import formats, tensors
from drupe_flavor_pytorch.devices import chosen_device

__all__ = ["PytorchFlavor"]

_OPTIONS = {
    *("serialization_format", "model_class", "model_kwargs", "model_factory", "pickle_module", "dynamic_shapes", "export_model"),
    "requirements_file",
}

_CHECKPOINTS = ("log_checkpoint", "save_checkpoint", "list_checkpoints", "load_checkpoint")


class PytorchFlavor(Flavor):
    """Modules of PyTorch and Lightning, TorchScript modules, exported programs.

    Options: `serialization_format` (`pt2`, `torchscript`, `safetensors`, `state_dict`, `pickle`; unset: the first of them that needs no
    pickle and can hold the model), `model_class`, `model_kwargs`, `model_factory` (how the formats of weights make the model again),
    `dynamic_shapes` (of `torch.export`), `pickle_module` (of pickles), `requirements_file`.
    """

    name = "pytorch"
    model_argument = "pytorch_model"
    also_saved = frozenset({"input_example", "code_paths"})
    functions: ClassVar[Mapping[str, str]] = {
        "watch": "drupe_flavor_pytorch.watching:watch",
        **{name: f"drupe_flavor_pytorch.checkpoints:{name}" for name in _CHECKPOINTS},
        **{name: f"drupe_flavor_pytorch.functions:{name}" for name in ("log_state_dict", "save_state_dict", "load_state_dict")},
    }
    load_options = frozenset({"device", "map_location", "weights_only"})
    SERIALIZATION_FORMAT_PT2: ClassVar[str] = formats.PT2
    SERIALIZATION_FORMAT_TORCHSCRIPT: ClassVar[str] = formats.TORCHSCRIPT
    SERIALIZATION_FORMAT_SAFETENSORS: ClassVar[str] = formats.SAFETENSORS
    SERIALIZATION_FORMAT_STATE_DICT: ClassVar[str] = formats.STATE_DICT
    SERIALIZATION_FORMAT_PICKLE: ClassVar[str] = formats.PICKLE

    def save(self, model: Any, folder: Path, options: Mapping[str, Any]) -> FlavorRecord:
        """Write the model below `data/`. Raises InvalidValue for an unknown option or format, or a model that no format asked for can hold."""
        if unknown := sorted(set(options) - _OPTIONS - self.also_saved):
            raise InvalidValue(
                f"log_model of the flavor pytorch does not know {', '.join(unknown)}; its own options are {', '.join(sorted(_OPTIONS))}"
            )
        (folder / "data").mkdir()
        written = formats.write_model(model, folder, options)
        listed = options.get("requirements_file")
        # requirements.txt is the environment's own file here; this one keeps its name in a folder apart
        kept = [] if listed is None else copy_extra_files([listed], folder, below="requirements_file")
        return FlavorRecord(
            config={
                "model_data": "data",
                "model_file": written.file,
                "serialization_format": written.format,
                "pytorch_version": str(torch.__version__),
                **written.config,
                **({"requirements_file": kept[0]} if kept else {}),
            },
            pyfunc={"loader_module": "mlflow.pytorch", "data": "data", "config": {"device": None}, **written.pyfunc},
            requirements=pinned_requirements(["torch", "numpy", *written.modules]),
            executes_code=written.executes_code,
        )

    def load(self, folder: Path, config: Mapping[str, Any], *, model_config: Mapping[str, Any] | None = None) -> Any:
        """Read the model back in eval mode, on the device of `model_config`. Raises InvalidModelFolder, UntrustedModel, MissingRequirement."""
        options = model_config or {}
        file, chosen = formats.find(folder, config)
        return formats.read_model(file, chosen, folder, config, chosen_device(options), weights_only=options.get("weights_only"))

    def predict(self, model: Any, inputs: Any, params: Mapping[str, Any], config: Mapping[str, Any]) -> Any:
        """The model's output for a table, an array, a tensor, or several by name: as a table for a table, else as arrays.

        Runs in eval mode and under `inference_mode`; `params` become keyword arguments of the model. Raises SignatureMismatch.
        """
        return tensors.predict(model, inputs, params)

    def example(self, model: Any, given: Any) -> Any:
        """Tensors as arrays; several inputs as a dict, by the names of the model's own arguments."""
        return tensors.kept_example(model, given)

    def loads(self, config: Mapping[str, Any]) -> bool:
        """True when the keys name model data in a known format."""
        return "model_data" in config and (config.get("serialization_format") or formats.PICKLE) in formats.FORMATS

    def reads_safely(self, config: Mapping[str, Any]) -> Sequence[str]:
        """An exported program, which is looked through before torch opens it; the weights of safetensors are known to the gate."""
        chosen = config.get("serialization_format")
        if config.get("model_file") is None and chosen is None:  # a folder of MLflow, which reads model.pth first if there is one
            return (f"{config.get('model_data')}/model.pt2",)
        return (str(config.get("model_file")),) if chosen == formats.PT2 else ()

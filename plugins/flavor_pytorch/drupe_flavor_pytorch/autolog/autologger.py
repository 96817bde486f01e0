"""What is watched of Lightning: `Trainer.fit`, and what `test` and `validate` say of a trainer that was fitted."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from drupe.extend import Autologger, Call, Patches, Training
from drupe.lazy import load
from drupe_flavor_pytorch.autolog.options import PytorchOptions

__all__ = ["LightningAutologger"]

_PACKAGES = ("lightning.pytorch", "pytorch_lightning")
_FIT = "drupe_flavor_pytorch.autolog.fitting:Fit"


class LightningAutologger(Autologger):
    """Logs the fits of Lightning's Trainer, under either name of the library."""

    library = "lightning"
    distribution = "lightning" if find_spec("lightning") else "pytorch-lightning"
    versions = ("2.6", "2.6")

    def install(self, patches: Patches, options: PytorchOptions) -> None:
        """Watch the Trainer as soon as its module is imported."""
        runs: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
        for package in _PACKAGES:
            patches.when_imported(f"{package}.trainer.trainer", partial(_watch, patches, options, runs, package))


def _watch(patches: Patches, options: PytorchOptions, runs: WeakKeyDictionary[Any, str], package: str, module: ModuleType) -> None:
    def training(call: Call) -> Training | None:
        if not getattr(call.target, "is_global_zero", True):
            return None  # one process of several logs
        made: Training = load(_FIT)(call, options, package, runs)
        return made

    def measured(call: Call, result: Any) -> None:
        run_id = runs.get(call.target)
        if run_id is not None and isinstance(result, list):
            patches.reopen(run_id).log_metrics({name: value for found in result for name, value in found.items()})

    patches.trains(module.Trainer, "fit", training)
    for name in ("test", "validate"):
        patches.observes(module.Trainer, name, measured)

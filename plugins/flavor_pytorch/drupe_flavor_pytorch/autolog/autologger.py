"""What is watched of Lightning: `Trainer.fit`, and what `test` and `validate` say of a trainer that was fitted."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from attrs import frozen

from drupe.extend import Autologger, Call, Patches, Training
from drupe.lazy import load
from drupe_flavor_pytorch.autolog.options import PytorchOptions

__all__ = ["LightningAutologger", "Logged"]

_PACKAGES = ("lightning.pytorch", "pytorch_lightning")
_FIT = "drupe_flavor_pytorch.autolog.fitting:Fit"


@frozen
class Logged:
    """What the fit of a trainer was logged as: its run, and the id of the model where that was kept."""

    run_id: str
    model_id: str | None = None


class LightningAutologger(Autologger):
    """Logs the fits of Lightning's Trainer, under either name of the library."""

    library = "lightning"
    distribution = "lightning" if find_spec("lightning") else "pytorch-lightning"
    versions = ("2.6", "2.6")

    def install(self, patches: Patches, options: PytorchOptions) -> None:
        """Watch the Trainer as soon as its module is imported."""
        fits: WeakKeyDictionary[Any, Logged] = WeakKeyDictionary()
        for package in _PACKAGES:
            patches.when_imported(f"{package}.trainer.trainer", partial(_watch, patches, options, fits, package))


def _watch(patches: Patches, options: PytorchOptions, fits: WeakKeyDictionary[Any, Logged], package: str, module: ModuleType) -> None:
    def training(call: Call) -> Training | None:
        if not getattr(call.target, "is_global_zero", True):
            return None  # one process of several logs
        made: Training = load(_FIT)(call, options, package, fits)
        return made

    def measured(call: Call, result: Any) -> None:
        fit = fits.get(call.target)
        if fit is not None and isinstance(result, list):
            metrics = {name: value for found in result for name, value in found.items()}
            patches.reopen(fit.run_id).log_metrics(metrics, model_id=fit.model_id)

    patches.trains(module.Trainer, "fit", training)
    for name in ("test", "validate"):
        patches.observes(module.Trainer, name, measured)

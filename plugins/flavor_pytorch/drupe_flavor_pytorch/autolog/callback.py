"""The callback that logs while Lightning trains: params at the start, metrics of steps and epochs, checkpoints."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from drupe.extend import TrainingRun
from drupe.tracking.chosen import client_of
from drupe.uris import ArtifactPath
from drupe_flavor_pytorch.autolog.options import PytorchOptions
from drupe_flavor_pytorch.checkpoints import LATEST_TAG, seal
from drupe_flavor_pytorch.watching import optimizer_params

__all__ = ["Logging", "callback_of"]


class Logging:
    """What is done at each moment of a fit; a fault in it becomes one warning."""

    def __init__(self, run: TrainingRun, options: PytorchOptions) -> None:
        self.run, self.options = run, options
        self._of_steps: set[str] = set()
        self._of_epochs: set[str] = set()
        self._best = math.inf

    def start(self, trainer: Any, module: Any) -> None:
        """Log how long it is to train, and with which optimizer."""
        optimizers = getattr(trainer, "optimizers", None) or [None]
        first = {} if optimizers[0] is None else optimizer_params(optimizers[0])
        self.run.log_params({"epochs": trainer.max_epochs, **first})

    def batch(self, trainer: Any, module: Any) -> None:
        """Log what the module logs at steps, every so many; what it logs both ways belongs to epochs, but for its `_step`."""
        step, every = trainer.global_step, self.options.log_every_n_step
        if every is not None and step % every == 0:
            there = trainer.callback_metrics
            chosen = {name: value for name, value in there.items() if name not in self._of_epochs and f"{name}_step" not in there}
            self._of_steps.update(chosen)
            self.run.log_metrics(_numbers(chosen), step)
        frequency = self.options.checkpoint_save_freq
        if self.options.checkpoint and frequency != "epoch" and step % int(frequency) == 0:
            self._checkpoint(trainer, f"global_step_{step}")

    def epoch(self, trainer: Any, module: Any) -> None:
        """Log the metrics of an epoch at its number."""
        chosen = {name: value for name, value in trainer.callback_metrics.items() if name not in self._of_steps}
        self._of_epochs.update(chosen)
        if (trainer.current_epoch + 1) % self.options.log_every_n_epoch == 0:
            self.run.log_metrics(_numbers(chosen), trainer.current_epoch)
        if self.options.checkpoint and self.options.checkpoint_save_freq == "epoch":
            self._checkpoint(trainer, f"epoch_{trainer.current_epoch}")

    def _checkpoint(self, trainer: Any, name: str) -> None:
        options, metrics = self.options, _numbers(trainer.callback_metrics)
        if options.checkpoint_save_best_only:
            if options.checkpoint_monitor in metrics:
                value = metrics[options.checkpoint_monitor] * (1 if options.checkpoint_mode == "min" else -1)
                if not value < self._best:
                    return
                self._best = value
            else:
                self.run.warn(
                    f"the latest checkpoint is kept, not the best, since no metric {options.checkpoint_monitor!r} is logged; "
                    f"name another with checkpoint_monitor: {', '.join(sorted(metrics)) or 'none is logged'}"
                )
        client = client_of(self.run.run_id)
        with tempfile.TemporaryDirectory(prefix="drupe-checkpoint-") as place:
            file = Path(place) / ("checkpoint.weights.pth" if options.checkpoint_save_weights_only else "checkpoint.pth")
            trainer.save_checkpoint(file, weights_only=options.checkpoint_save_weights_only)
            keep = (None, "min", None, 1 if options.checkpoint_save_best_only else None)
            repo = client.artifact_repo(self.run.run_id)
            kept = seal(repo, ArtifactPath(("checkpoints",)), file, trainer.current_epoch, trainer.global_step, metrics, keep, name=name)
        client.set_tag(self.run.run_id, LATEST_TAG, kept.path)


def callback_of(base: type, logging: Logging) -> Any:
    """An instance of a class of Lightning's callbacks (`base`) that tells `logging` of each moment."""

    def told(what: str, do: Callable[[Any, Any], None]) -> Callable[..., None]:
        def hook(self: Any, trainer: Any, module: Any, *args: Any, **kwargs: Any) -> None:
            if not trainer.sanity_checking and trainer.is_global_zero:
                logging.run.attempt(what, lambda: do(trainer, module))

        return hook

    hooks = {
        "on_train_start": told("the params of a fit", logging.start),
        "on_train_batch_end": told("the metrics of a step", logging.batch),
        "on_train_epoch_end": told("the metrics of an epoch", logging.epoch),
    }
    return type("DrupeCallback", (base,), hooks)()


def _numbers(metrics: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in metrics.items()}

"""What is logged of one fit of a Lightning Trainer: the callback beside the user's while it runs; summary, early stopping and model after it."""

from __future__ import annotations

from importlib import import_module
from typing import Any
from weakref import WeakKeyDictionary

import torch

from drupe.extend import Call, Training, TrainingRun
from drupe.models import infer_signature, log_model
from drupe_flavor_pytorch import exported, tensors
from drupe_flavor_pytorch.autolog.autologger import Logged
from drupe_flavor_pytorch.autolog.callback import Logging, callback_of
from drupe_flavor_pytorch.autolog.options import PytorchOptions
from drupe_flavor_pytorch.watching import summary_of
from drupe_flavor_pytorch.written import PT2, CannotHold

__all__ = ["Fit"]

EXAMPLE_ROWS = 5
_EARLY = ("monitor", "mode", "patience", "min_delta")


class Fit(Training):
    """One call of `Trainer.fit`. `fits` is told what the trainer was logged as."""

    def __init__(self, call: Call, options: PytorchOptions, package: str, fits: WeakKeyDictionary[Any, Logged]) -> None:
        self.trainer, self.options, self._package, self._fits = call.target, options, package, fits
        self.module = call.args[1] if len(call.args) > 1 else call.kwargs.get("model")
        self._callback: Any = None
        self._seen: Any = None
        self._hook: Any = None

    def begin(self, run: TrainingRun) -> None:
        """Put the callback after the user's, and look at the first input that the module is called with."""
        callbacks = import_module(f"{self._package}.callbacks")
        early = self._early_stopping()
        if early is not None:
            run.log_params({name: getattr(early, name) for name in _EARLY if hasattr(early, name)})
        self._callback = callback_of(callbacks.Callback, Logging(run, self.options))
        self.trainer.callbacks = [*self.trainer.callbacks, self._callback]
        self._fits[self.trainer] = Logged(run.run_id)
        if self.options.log_models and isinstance(self.module, torch.nn.Module):
            self._hook = self.module.register_forward_pre_hook(self._look, with_kwargs=True)

    def finish(self, run: TrainingRun, result: Any) -> None:
        """Log what came of it, part by part."""
        early = self._early_stopping()
        if early is not None and early.stopped_epoch:
            restored = early.stopped_epoch - max(1, early.patience)
            run.log_metrics(
                {
                    "stopped_epoch": early.stopped_epoch,
                    "restored_epoch": restored,
                    "best_score": early.best_score,
                    "wait_count": early.wait_count,
                }
            )
        run.attempt("the model's summary", lambda: run.log_files({"model_summary.txt": summary_of(self.module).encode()}))
        if self.options.log_models:
            self._unhook()
            model_id = run.attempt("the model", lambda: self._log_model(run))
            self._fits[self.trainer] = Logged(run.run_id, model_id)

    def close(self) -> None:
        """Leave the trainer and the module as they were."""
        self._unhook()
        if self._callback is not None:
            self.trainer.callbacks = [one for one in self.trainer.callbacks if one is not self._callback]

    def _early_stopping(self) -> Any:
        return next((one for one in self.trainer.callbacks if type(one).__name__ == "EarlyStopping"), None)

    def _look(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self._seen is None and len(args) == 1 and not kwargs and isinstance(args[0], torch.Tensor) and args[0].dim():
            self._seen = args[0].detach()[:EXAMPLE_ROWS].cpu().clone()

    def _unhook(self) -> None:
        if self._hook is not None:
            self._hook.remove()
            self._hook = None

    def _log_model(self, run: TrainingRun) -> str | None:
        model, wanted = self.module, self.options.serialization_format
        given: dict[str, Any] = {"serialization_format": wanted, "signature": False, "metric_steps": run.last_steps}
        if self._seen is not None and self.options.log_model_signatures:
            outputs = tensors.predict(model, self._seen, {})
            given["signature"] = (
                run.attempt("the signature", lambda: infer_signature(tensors.kept_example(model, self._seen), outputs)) or False
            )
        if self.options.log_input_examples and self._seen is not None:
            given["input_example"] = self._seen
        elif self._seen is not None and wanted in (None, PT2):
            try:
                model = exported.export(model, {"input_example": self._seen})
            except CannotHold as fault:
                run.warn(f"the model is kept as weights, if at all: {fault}")
        kept = log_model(
            model, "model", flavor="pytorch", run_id=run.run_id, registered_model_name=self.options.registered_model_name, **given
        )
        return kept.model_id

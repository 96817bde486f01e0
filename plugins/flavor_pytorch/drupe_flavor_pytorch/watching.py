"""Plain training loops: `with drupe.pytorch.watch(model, optimizer) as training` counts, logs and keeps checkpoints.

    for _ in training.epochs(10):
        for x, y in loader:
            ...
            training.step(loss=loss, rows=len(x))
        training.end_epoch(val_loss=validate())

Everything goes through the journal of the run, so a step costs microseconds and outlives the process.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from time import perf_counter
from types import TracebackType
from typing import Any

import torch

from drupe.errors import InvalidValue
from drupe.tracking import active
from drupe.tracking.fluent import get_run, start_run
from drupe.tracking.fluent_logging import log_metrics, log_params, log_text
from drupe_flavor_pytorch.checkpoints import Checkpoint, list_checkpoints, log_checkpoint

__all__ = ["WatchedTraining", "optimizer_params", "summary_of", "watch"]

_SUMMARY = "model_summary.txt"


def watch(
    model: torch.nn.Module,
    optimizer: Any = None,
    *,
    scheduler: Any = None,
    log_every_n_step: int = 1,
    gradient_norms: bool = False,
    checkpoint: str | int | None = None,
    monitor: str | None = None,
    mode: str = "min",
    keep_best: int | None = None,
    keep_last: int | None = 1,
    resume: bool = False,
) -> WatchedTraining:
    """Watch a training loop that you write: a context manager, which logs to the active run, or to one of its own.

    Every `log_every_n_step` steps it logs what `step` is given, the learning rate when it changed, and with `gradient_norms` the norm of all
    gradients. `checkpoint` is "epoch", or a number of steps, after which the state is kept; `monitor`, `mode`, `keep_best` and `keep_last` are
    those of `log_checkpoint`. `resume` goes on from the run's last checkpoint, if it has one. Raises InvalidValue.
    """
    if isinstance(log_every_n_step, bool) or not isinstance(log_every_n_step, int) or log_every_n_step < 1:
        raise InvalidValue(f"log_every_n_step is a whole number from 1, not {log_every_n_step!r}")
    if not (checkpoint in (None, "epoch") or (isinstance(checkpoint, int) and not isinstance(checkpoint, bool) and checkpoint > 0)):
        raise InvalidValue(f"checkpoint is 'epoch', a number of steps from 1, or None, not {checkpoint!r}")
    keep = {"monitor": monitor, "mode": mode, "keep_best": keep_best, "keep_last": keep_last}
    return WatchedTraining(model, optimizer, scheduler, log_every_n_step, gradient_norms, checkpoint, keep, resume)


class WatchedTraining:
    """A loop under watch: `global_step` and `epoch` count what is done, `step` and `end_epoch` are called by the loop."""

    def __init__(
        self,
        model: torch.nn.Module,
        optimizer: Any,
        scheduler: Any,
        every: int,
        gradient_norms: bool,
        checkpoint: str | int | None,
        keep: Mapping[str, Any],
        resume: bool,
    ) -> None:
        self.model, self.optimizer, self.scheduler = model, optimizer, scheduler
        self.global_step = self.epoch = 0
        self.run_id = ""
        self._every, self._norms, self._checkpoint, self._keep, self._resume = every, gradient_norms, checkpoint, keep, resume
        self._ours: active.ActiveRun | None = None
        self._rates: list[float] = []
        self._last: dict[str, Any] = {}
        self._rows = self._steps = 0
        self._since = 0.0

    def __enter__(self) -> WatchedTraining:
        there = active.top()
        if there is None:
            there = self._ours = start_run()
        self.run_id = there.info.run_id
        try:
            self._begin()
        except BaseException as fault:
            self.__exit__(type(fault), fault, fault.__traceback__)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None) -> None:
        if self._ours is not None:
            self._ours.__exit__(kind, fault, trace)

    def epochs(self, total: int) -> Iterator[int]:
        """The numbers of the epochs that are still to be done, up to `total`; an epoch that the loop did not end is ended without metrics."""
        while self.epoch < total:
            now = self.epoch
            self._start_clock()
            yield now
            if self.epoch == now:
                self.end_epoch()

    def step(self, *, rows: int = 0, **metrics: Any) -> None:
        """Say that the optimizer has made a step, with the values to log (numbers or tensors of one) and the number of rows it was for.

        Call it before the gradients are cleared if their norm is wanted. Values are read only in steps that are logged.
        """
        self.global_step = step = self.global_step + 1
        self._steps += 1
        self._rows += rows
        self._last = metrics
        if step % self._every == 0:
            values = {name: value if type(value) is float else _number(value) for name, value in metrics.items()}
            if self.optimizer is not None:
                rates = [group["lr"] for group in self.optimizer.param_groups]
                if rates != self._rates:
                    self._rates = rates
                    values |= _named("learning_rate", rates)
            if self._norms:
                values["gradient_norm"] = self._gradient_norm()
            if values:
                log_metrics(values, step, run_id=self.run_id)
        if type(self._checkpoint) is int and step % self._checkpoint == 0:
            self.checkpoint()

    def end_epoch(self, **metrics: Any) -> None:
        """Say that an epoch is over, with the values to log at its number; logs how long it took and how fast it was."""
        seconds = perf_counter() - self._since if self._since else 0.0
        values = {name: _number(value) for name, value in metrics.items()}
        timing = {"epoch_seconds": seconds}
        if seconds > 0:
            timing |= {"steps_per_s": self._steps / seconds} | ({"rows_per_s": self._rows / seconds} if self._rows else {})
        log_metrics({**values, **timing}, self.epoch, run_id=self.run_id)
        self.epoch += 1
        self._last = {**self._last, **metrics}
        if self._checkpoint == "epoch":
            self.checkpoint(**metrics)
        self._start_clock()

    def checkpoint(self, **metrics: Any) -> Checkpoint:
        """Keep the state now; without metrics, with those of the last step."""
        return log_checkpoint(
            self.model,
            self.optimizer,
            scheduler=self.scheduler,
            epoch=self.epoch,
            global_step=self.global_step,
            metrics={name: _number(value) for name, value in (metrics or self._last).items()},
            run_id=self.run_id,
            **self._keep,
        )

    def _begin(self) -> None:
        if self._resume and (there := list_checkpoints(self.run_id)):
            there[-1].restore(self.model, self.optimizer, self.scheduler)
            self.global_step, self.epoch = there[-1].global_step or 0, there[-1].epoch or 0
        else:
            known = get_run(self.run_id).data.params  # a run of the user may have a param of that name
            log_params({name: value for name, value in _params(self.optimizer).items() if name not in known}, run_id=self.run_id)
            log_text(summary_of(self.model), _SUMMARY, run_id=self.run_id)
        self._start_clock()

    def _start_clock(self) -> None:
        self._rows = self._steps = 0
        self._since = perf_counter()

    def _gradient_norm(self) -> float:
        gradients = [one.grad for one in self.model.parameters() if one.grad is not None]
        return float(torch.nn.utils.get_total_norm(gradients)) if gradients else 0.0


def summary_of(model: torch.nn.Module) -> str:
    """The modules of a model and how many weights it has, as text."""
    total = sum(one.numel() for one in model.parameters())
    trained = sum(one.numel() for one in model.parameters() if one.requires_grad)
    return f"{model}\n\n{total:,} parameters, {trained:,} of them trained\n"


def optimizer_params(optimizer: Any) -> dict[str, Any]:
    """The optimizer's class and its defaults, under MLflow's names."""
    inner = getattr(optimizer, "_optimizer", optimizer)  # Lightning wraps it
    return {"optimizer_name": type(inner).__name__, **getattr(inner, "defaults", {})}


def _number(value: Any) -> float:
    return float(value.item() if isinstance(value, torch.Tensor) else value)


def _params(optimizer: Any) -> dict[str, str]:
    return {} if optimizer is None else {name: str(value) for name, value in optimizer_params(optimizer).items()}


def _named(name: str, values: list[float]) -> dict[str, float]:
    return {name: values[0]} if len(values) == 1 else {f"{name}_{place}": value for place, value in enumerate(values)}

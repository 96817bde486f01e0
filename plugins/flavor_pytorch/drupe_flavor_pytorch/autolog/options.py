"""The options of `drupe.pytorch.autolog`, under MLflow's names; also `[plugins.flavor-pytorch]` in `drupe.toml`."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from drupe.extend import AutologOptions

__all__ = ["PytorchOptions"]


def _counts(instance: Any, attribute: Any, value: Any) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise ValueError(f"{attribute.name} is {value!r}; it must be a whole number from 1")


def _frequency(instance: Any, attribute: Any, value: Any) -> None:
    if value != "epoch":
        try:
            _counts(instance, attribute, int(value))
        except (TypeError, ValueError) as fault:
            raise ValueError(f"checkpoint_save_freq is {value!r}; it must be 'epoch' or a number of steps from 1") from fault


def _mode(instance: Any, attribute: Any, value: Any) -> None:
    if value not in ("min", "max"):
        raise ValueError(f"checkpoint_mode is {value!r}; it must be 'min' or 'max'")


@frozen(kw_only=True)
class PytorchOptions(AutologOptions):
    """Metrics are logged every so many epochs, and steps if asked for. With `checkpoint` the state is kept after each epoch, or so many steps
    (`checkpoint_save_freq`): the best by `checkpoint_monitor` alone, or all. `serialization_format` is that of `drupe.pytorch.log_model`.
    """

    log_every_n_epoch: int = field(default=1, validator=_counts)
    log_every_n_step: int | None = field(default=None, validator=_counts)
    checkpoint: bool = True
    checkpoint_monitor: str = "val_loss"
    checkpoint_mode: str = field(default="min", validator=_mode)
    checkpoint_save_best_only: bool = True
    checkpoint_save_weights_only: bool = False
    checkpoint_save_freq: Any = field(default="epoch", validator=_frequency)
    serialization_format: str | None = None

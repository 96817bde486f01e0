"""The options of `drupe.sklearn.autolog`, in MLflow's order; also `[plugins.flavor-sklearn]` in `drupe.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from drupe.extend import AutologOptions

__all__ = ["SklearnOptions"]


def _at_least_none(instance: Any, attribute: Any, value: int | None) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
        raise ValueError(f"max_tuning_runs is {value!r}; it must be a whole number from 0, or None for all")


@frozen(kw_only=True)
class SklearnOptions(AutologOptions):
    """`max_tuning_runs` candidates of a search become child runs, the best first (None: all). `log_post_training_metrics` follows predictions
    into `sklearn.metrics` and `score`. `serialization_format` is that of `drupe.sklearn.log_model`. `pos_label` is the class that precision,
    recall and F1 of two classes are about; without it they are averages over all classes.
    """

    max_tuning_runs: int | None = field(default=5, validator=_at_least_none)
    log_post_training_metrics: bool = True
    serialization_format: str | None = None
    registered_model_name: str | None = None
    pos_label: Any = None
    extra_tags: Mapping[str, str] | None = None

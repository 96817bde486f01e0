"""The options of `drupe.xgboost.autolog`; also `[plugins.flavor-xgboost]` in `drupe.toml`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import field, frozen

from drupe.extend import AutologOptions

__all__ = ["XGBoostOptions"]

_KINDS = ("weight", "gain", "cover", "total_gain", "total_cover")
_FORMATS = ("ubj", "json")


def _kinds(given: Sequence[str] | None) -> Sequence[str]:
    return ("weight",) if given is None else given


def _known(instance: Any, attribute: Any, value: Any) -> None:
    if isinstance(value, str) or not set(value) <= set(_KINDS):
        raise ValueError(f"importance_types is {value!r}; it must be a list of {', '.join(_KINDS)}")


def _format(instance: Any, attribute: Any, value: Any) -> None:
    if value not in _FORMATS:
        raise ValueError(f"model_format is {value!r}; it must be one of {', '.join(_FORMATS)}")


@frozen(kw_only=True)
class XGBoostOptions(AutologOptions):
    """`importance_types` are the kinds of importance that are kept, `model_format` is that of `drupe.xgboost.log_model`."""

    registered_model_name: str | None = None
    model_format: str = field(default="ubj", validator=_format)
    extra_tags: Mapping[str, str] | None = None
    importance_types: Sequence[str] = field(default=("weight",), converter=_kinds, validator=_known)

"""What the hooks are: their names, kinds, arguments and prose, read from the specifications themselves."""

from __future__ import annotations

import inspect
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pluggy import HookCaller, PluginManager

__all__ = ["Hook", "HookKind", "all_hooks", "offer_hooks"]


class HookKind(Enum):
    """How a hook is called, and what its answers are for."""

    OFFERS = "offers"
    FIRST = "first answer"
    ALL = "all answers"
    OBSERVERS = "observers"
    ONCE = "once"


class Hook(NamedTuple):
    """One hook specification; `doc` is its docstring without indentation."""

    name: str
    kind: HookKind
    arguments: tuple[str, ...]
    doc: str


def all_hooks(manager: PluginManager) -> list[Hook]:
    """Every specified hook, those that plugins have added included, by name."""
    return [_hook(caller) for caller in _specified(manager)]


def offer_hooks(manager: PluginManager) -> list[str]:
    """The names of the hooks that collect offers: those without arguments."""
    return [caller.name for caller in _specified(manager) if caller.spec is not None and not caller.spec.argnames]


def _specified(manager: PluginManager) -> list[HookCaller]:
    return sorted((caller for caller in vars(manager.hook).values() if caller.has_spec()), key=lambda caller: caller.name)


def _hook(caller: HookCaller) -> Hook:
    spec = caller.spec
    assert spec is not None  # `_specified` chose it for that
    return Hook(caller.name, _kind(spec), tuple(spec.argnames), inspect.getdoc(spec.function) or "")


def _kind(spec: Any) -> HookKind:
    if not spec.argnames:
        return HookKind.OFFERS
    if spec.opts.get("historic"):
        return HookKind.ONCE
    if spec.opts.get("firstresult"):
        return HookKind.FIRST
    # Annotations are texts here, as the specifications have postponed evaluation.
    is_silent = spec.function.__annotations__.get("return") in (None, "None") and "return" in spec.function.__annotations__
    return HookKind.OBSERVERS if is_silent else HookKind.ALL

"""Being told of classes as they are made: those that are derived from a given one from now on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["on_derived"]

_HOOK = "__init_subclass__"


def on_derived(owner: type, then: Callable[[type], None]) -> Callable[[], None]:
    """Call `then` with each class derived from `owner`, directly or not, after it was made; returns what ends that. `then` must not raise."""
    own = vars(owner).get(_HOOK)
    is_on = True

    def __init_subclass__(cls: Any, /, **kwargs: Any) -> None:
        if own is None:
            super(owner, cls).__init_subclass__(**kwargs)  # type: ignore[arg-type]  # cls is a class, whatever its metaclass
        else:
            own.__get__(None, cls)(**kwargs)
        if is_on:
            then(cls)

    hook: Any = classmethod(__init_subclass__)
    setattr(owner, _HOOK, hook)

    def undo() -> None:
        nonlocal is_on
        is_on = False
        if vars(owner).get(_HOOK) is not hook:
            return  # somebody else has put theirs over it
        if own is None:
            delattr(owner, _HOOK)
        else:
            setattr(owner, _HOOK, own)

    return undo

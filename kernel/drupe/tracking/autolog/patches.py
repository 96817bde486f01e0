"""Functions of a library replaced by watched ones, and put back.

A class gets a descriptor in place of its method, not a function: so that a method which exists only for some instances goes on to do so, and
so that whoever pickles the class (models of the user's own classes, workers of a process pool) pickles the library's function and not ours.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from operator import itemgetter
from types import FunctionType, MethodType, ModuleType
from typing import Any

__all__ = ["Patch", "watch"]


class Patch:
    """Stands in a class's or module's dict under `name` while `is_on`; afterwards, where somebody still holds it, it only passes calls on.

    `around(original, args, kwargs)` is what a call does instead; `original` is the library's function, unbound.
    """

    def __init__(self, owner: Any, name: str, around: Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]) -> None:
        self.owner, self.name, self.around = owner, name, around
        self.raw = vars(owner)[name]
        self.is_on = True
        self.original = _unbound(self.raw, owner)

        def watched(*args: Any, **kwargs: Any) -> Any:
            return self.around(self.original, args, kwargs) if self.is_on else self.original(*args, **kwargs)

        self.function = update_wrapper(watched, self.original)

    def put(self) -> None:
        """Take the function's place."""
        setattr(self.owner, self.name, self.function if isinstance(self.owner, ModuleType) else self)

    def undo(self) -> None:
        """Give the place back, unless somebody else has taken it since."""
        self.is_on = False
        if vars(self.owner).get(self.name) in (self, self.function):
            setattr(self.owner, self.name, self.raw)

    def __get__(self, target: Any, owner: type | None = None) -> Any:
        if target is None:
            return self.function
        found = self.raw.__get__(target, owner)  # raises AttributeError where this instance has no such method
        return MethodType(self.function, target) if self.is_on else found

    def __reduce__(self) -> tuple[Any, ...]:
        return itemgetter(0), ((self.raw,),)


def watch(owner: Any, name: str, around: Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]) -> Patch | None:
    """Put a patch in place; None when `owner` has no such function of its own, or it is abstract or watched already."""
    raw = vars(owner).get(name)
    if raw is None or isinstance(raw, Patch | classmethod | staticmethod | property | type):
        return None
    if getattr(raw, "__isabstractmethod__", False) or not (callable(raw) or hasattr(raw, "__get__")):
        return None
    patch = Patch(owner, name, around)
    patch.put()
    return patch


def _unbound(raw: Any, owner: Any) -> Callable[..., Any]:
    if isinstance(raw, FunctionType) or isinstance(owner, ModuleType):
        return raw  # type: ignore[no-any-return]  # a function of a module may be any callable

    def original(*args: Any, **kwargs: Any) -> Any:
        return raw.__get__(args[0], type(args[0]))(*args[1:], **kwargs)

    return update_wrapper(original, raw.__get__(None, owner))

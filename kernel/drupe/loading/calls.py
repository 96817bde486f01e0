"""Calling hooks, one implementation at a time, so that one plugin's fault is that plugin's alone; with timing and tracing.

pluggy keeps and checks the implementations; it is never asked to call them, as its calls stop at the first exception.
"""

from __future__ import annotations

import sys
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pluggy import HookImpl, PluginManager

__all__ = ["Call", "Caller", "implementations", "in_words"]


class Call(NamedTuple):
    """One thing that was asked of a plugin: a hook, or `import` of its front door."""

    plugin: str
    hook: str
    ms: float
    outcome: str

    def __str__(self) -> str:
        return f"{self.ms:9.3f} ms  {self.plugin}  {self.hook}  {self.outcome}"


class Caller:
    """Runs plugins' code. With `trace`, every call is a line on stderr; `listener` gets each as a value."""

    def __init__(self, *, trace: bool = False, listener: Callable[[Call], None] | None = None) -> None:
        self.trace, self.listener = trace, listener

    def run(self, plugin: str, hook: str, function: Callable[..., Any], *args: Any) -> Any:
        """Call it and pass on what it returns or raises."""
        if not self.trace and self.listener is None:
            return function(*args)
        start = perf_counter()
        outcome = "ok"
        try:
            return function(*args)
        except BaseException as fault:
            outcome = f"raised {in_words(fault)}"
            raise
        finally:
            call = Call(plugin, hook, (perf_counter() - start) * 1000, outcome)
            if self.trace:
                print(f"drupe: {call}", file=sys.stderr)  # noqa: T201 - what was asked for
            if self.listener is not None:
                self.listener(call)

    def ask(self, hook: str, implementation: HookImpl, given: Mapping[str, Any]) -> Any:
        """Call one implementation with those of the given arguments that it takes."""
        arguments = [given[name] for name in implementation.argnames]
        return self.run(implementation.plugin_name, hook, implementation.function, *arguments)


def in_words(fault: BaseException) -> str:
    """`Kind: message` of what somebody else's code raised, as text that can be printed, even where the message itself raises."""
    try:
        text = f"{type(fault).__name__}: {fault}"
    except KeyboardInterrupt:
        raise
    except BaseException as another:  # __str__ is the other's code too
        text = f"{type(fault).__name__}, whose message cannot be shown, as making it raised {type(another).__name__}"
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def implementations(manager: PluginManager, hook: str) -> list[HookImpl]:
    """Those of one hook in the order of calling: `tryfirst`, the rest, `trylast`, and by plugin name within each."""
    caller = getattr(manager.hook, hook, None)
    found = [] if caller is None else caller.get_hookimpls()
    return sorted(found, key=lambda one: (not one.tryfirst, one.trylast, one.plugin_name))

"""What keeps autologging out of the user's way: nothing is logged twice, and no fault of ours reaches the user's code.

A call is *inside* when it is made, in the same thread or task, by the library while another watched call runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from drupe.errors import PluginUnusable
from drupe.loading.calls import in_words
from drupe.settings import settings

__all__ = ["Faults", "forget", "inside", "is_inside"]

T = TypeVar("T")

_inside: ContextVar[bool] = ContextVar("drupe_inside_autologged_call", default=False)
_said: set[tuple[str, str]] = set()


def is_inside() -> bool:
    """True inside a watched call of this thread or task."""
    return _inside.get()


@contextmanager
def inside() -> Iterator[None]:
    """A block whose watched calls are not logged by themselves."""
    token = _inside.set(True)
    try:
        yield
    finally:
        _inside.reset(token)


class Faults:
    """Faults of one library's autologging. Each is said once per process, as a log record: `python -W error` would raise a warning in training.

    With the setting `strict_autolog` a fault is raised as PluginUnusable instead.
    """

    def __init__(self, library: str, *, is_silent: bool = False) -> None:
        self.library, self.is_silent = library, is_silent

    def attempt(self, what: str, do: Callable[[], T]) -> T | None:
        """What `do` returns, or None when it raised. Only Exception is caught: Ctrl-C and SIGTERM may come at any time and are the user's."""
        try:
            return do()
        except Exception as fault:  # autologgers, the library on unusual input, and stores raise what they like
            if settings().get("strict_autolog"):
                if isinstance(fault, PluginUnusable):
                    raise
                raise PluginUnusable(f"autologging of {self.library}: {what} failed: {in_words(fault)}", library=self.library) from fault
            self._say(f"{what}/{type(fault).__name__}", f"{what} failed: {in_words(fault)}")
            return None

    def warn(self, text: str) -> None:
        """Say something once per process."""
        self._say(text, text)

    def _say(self, topic: str, text: str) -> None:
        if self.is_silent or (self.library, topic) in _said:
            return
        _said.add((self.library, topic))
        from logging import getLogger  # here: only faults pay for its import

        getLogger("drupe.autolog").warning("autologging of %s: %s (said once; the program goes on)", self.library, text)


def forget() -> None:
    """Say everything again; for tests."""
    _said.clear()

"""Calls that were overtaken are made again. Each call of a store is one transaction that does all or nothing, so that is harmless.

Most of what writers may disagree about is settled by row locks, which wait. What is left are keys that two make at once, and deadlocks.
"""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from drupe.errors import StoreBusy
from drupe_store_sql.dialect import Overtaken

__all__ = ["repeating"]

C = TypeVar("C", bound=type)

PAUSE_S = (0.001, 0.025)
ATTEMPTS = 100


def repeating(names: Iterable[str]) -> Callable[[C], C]:
    """A class decorator: these methods are repeated when others were quicker, up to the patience of the store's database."""

    def decorate(kind: C) -> C:
        for name in names:
            setattr(kind, name, _repeated(getattr(kind, name)))
        return kind

    return decorate


def _repeated(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def patiently(self: Any, *args: Any, **given: Any) -> Any:
        dialect = self._database.dialect
        deadline = time.monotonic() + dialect.patience_s
        for _ in range(ATTEMPTS):
            try:
                return method(self, *args, **given)
            except Overtaken as fault:
                last = fault
                if time.monotonic() >= deadline:
                    break
                time.sleep(random.uniform(*PAUSE_S))
        raise StoreBusy(f"{dialect.place}: others kept being quicker: {last.message}", place=dialect.place) from last

    return patiently

"""Looking at a model without leaving traces: random numbers that are drawn on the way are drawn again, data that is overwritten is copied."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

__all__ = ["random_numbers_kept", "writes_into_data"]

_IN_PLACE = ("copy", "copy_X", "copy_x")
_OVERWRITES = ("overwrite_X", "overwrite_x")


def writes_into_data(params: dict[str, Any]) -> bool:
    """True when an estimator with these params (of all its parts) may write into the data that it is given."""
    for name, value in params.items():
        last = name.rpartition("__")[2]
        if (last in _IN_PLACE and value is False) or (last in _OVERWRITES and value is True):
            return True
    return False


@contextmanager
def random_numbers_kept(params: dict[str, Any]) -> Iterator[None]:
    """A block after which Python's and NumPy's generators, and those among the params, stand where they stood before it."""
    generators = {id(value): value for value in params.values() if isinstance(value, np.random.RandomState | np.random.Generator)}
    states = [(generator, _state(generator)) for generator in generators.values()]
    everywhere, python = np.random.get_state(), random.getstate()
    try:
        yield
    finally:
        np.random.set_state(everywhere)
        random.setstate(python)
        for generator, state in states:
            _set_state(generator, state)


def _state(generator: Any) -> Any:
    return generator.get_state() if isinstance(generator, np.random.RandomState) else generator.bit_generator.state


def _set_state(generator: Any, state: Any) -> None:
    if isinstance(generator, np.random.RandomState):
        generator.set_state(state)
    else:
        generator.bit_generator.state = state

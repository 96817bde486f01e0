"""What `fit` was given: the data, the targets and the weights, found by the signature of the method; and rows of them."""

from __future__ import annotations

import copy
import inspect
from typing import Any

from attrs import evolve, frozen

from drupe.extend import Call

__all__ = ["Given", "first_rows", "given_to", "row_count"]


@frozen(eq=False)
class Given:
    """`X`, `y` and `sample_weight` of a call; None where it was not given."""

    X: Any = None
    y: Any = None
    sample_weight: Any = None

    @property
    def is_table(self) -> bool:
        """True when X has rows that can be counted and read again: an iterator of texts can not."""
        return self.X is not None and row_count(self.X) is not None

    def copied(self) -> Given:
        """The same with X copied, for a fit that writes into it."""
        return evolve(self, X=copy.deepcopy(self.X))


def given_to(call: Call) -> Given:
    """The data of a call of `fit`, `fit_predict`, `score` or the like: the first argument, and what is called y and sample_weight.

    Raises TypeError when the call does not fit the method; the method itself will say so to the user.
    """
    bound = inspect.signature(call.function).bind(*call.args, **call.kwargs)
    named: dict[str, Any] = {}
    for name, value in list(bound.arguments.items())[1:]:
        kind = bound.signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_KEYWORD:
            named |= value
        elif kind is not inspect.Parameter.VAR_POSITIONAL:
            named[name] = value
        elif value:
            named["X"] = value[0]
    first = next(iter(named.values()), None)
    return Given(named.get("X", first), named.get("y", named.get("Y")), named.get("sample_weight"))


def row_count(table: Any) -> int | None:
    """The number of rows of an array, sparse matrix, table or list; None for what has none."""
    shape = getattr(table, "shape", None)
    if isinstance(shape, tuple):
        return int(shape[0]) if shape else None
    return len(table) if isinstance(table, list | tuple) else None


def first_rows(table: Any, count: int) -> Any:
    """A copy of the first rows, of the same kind."""
    if hasattr(table, "iloc"):
        return table.iloc[:count].copy()
    return copy.deepcopy((table.tocsr() if hasattr(table, "tocsr") else table)[:count])

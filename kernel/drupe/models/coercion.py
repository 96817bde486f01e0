"""How far input may be changed to fit a signature: the policies, from none to whatever loses nothing."""

from __future__ import annotations

from enum import Enum

from drupe.errors import InvalidValue

__all__ = ["Coercion"]


class Coercion(Enum):
    """What may be done to columns and arrays that have types of their own, other types than the signature's.

    exact     nothing: types are as the signature says, and there are no columns that it does not name
    safe      MLflow's rules, the default: what no value of the type found could lose anything by (int32 → long, float → double), and
              64-bit integers as doubles where they are 0, 1 or missing; columns that are not named are left out, with a warning
    lossless  what these values lose nothing by: 3.0 → long, 2**40 → double, 0.5 → float; otherwise as safe

    Plain Python and JSON values have no width, so under every policy they take the column's type when their value has a place in it: an
    int is fine for a double, 0.5 is never fine for an int. Times may be text, and bytes base64 text, there.
    """

    exact = "exact"
    safe = "safe"
    lossless = "lossless"

    @classmethod
    def of(cls, given: Coercion | str) -> Coercion:
        """The policy of that name. Raises InvalidValue."""
        if isinstance(given, Coercion):
            return given
        if given in cls.__members__:
            return cls[given]
        raise InvalidValue(f"coercion is {given!r}; it must be one of {', '.join(cls.__members__)}")

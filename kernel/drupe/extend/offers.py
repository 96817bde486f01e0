"""What a plugin says that it can do, as a value; nothing is imported to say it."""

from __future__ import annotations

from typing import Any

__all__ = ["API", "Offer"]

API = "1.0"
"""The version of this boundary. A plugin's `DRUPE_API` must have the same major and at most the same minor number."""


class Offer:
    """One capability that a plugin offers.

    `name`      what people call it: a flavor name, a store name, a command
    `load`      "module:attr" of the implementation, imported when it is first used
    `help`      one line for lists
    `keys`      what it is looked up by: URI schemes, flavor names, command words; default: its name
    `handles`   flavors only: class paths such as "sklearn.base.BaseEstimator", compared with every class in `type(model).__mro__`
                without importing the library; "*" handles what nothing else does
    `requires`  distributions or modules that must be importable for the offer to work ("scikit-learn=sklearn" names both)
    `settings`  "module:Class" of an attrs class with the offer's options, or None
    `journals`  tracking stores only: "module:function" that gives, for an address, the folder for the journals of its runs (`Uri` to `Path`),
                without opening the store or importing anything heavy; None where the store is not on this machine

    Kept a plain class with slots: hundreds are made while the command line starts.
    """

    __slots__ = ("handles", "help", "journals", "keys", "load", "name", "requires", "settings")

    def __init__(
        self,
        name: str,
        load: str,
        help: str = "",
        *,
        keys: tuple[str, ...] = (),
        handles: tuple[str, ...] = (),
        requires: tuple[str, ...] = (),
        settings: str | None = None,
        journals: str | None = None,
    ) -> None:
        self.name, self.load, self.help = name, load, help
        self.keys = _several(keys) or (name,)
        self.handles, self.requires, self.settings, self.journals = _several(handles), _several(requires), settings, journals

    def __repr__(self) -> str:
        return f"Offer({self.name!r}, load={self.load!r})"

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Offer) and all(getattr(self, s) == getattr(other, s) for s in self.__slots__)

    def __hash__(self) -> int:
        return hash((self.name, self.load, self.keys))

    def faults(self) -> list[str]:
        """Everything wrong with this offer, in words; empty when it is well formed."""
        found = [
            f"{field} must be text that is not empty, got {getattr(self, field)!r:.100}"
            for field in ("name", "load")
            if not _is_text(getattr(self, field))
        ]
        if not (self.help == "" or _is_text(self.help)):
            found.append(f"help must be text, got {self.help!r:.100}")
        if isinstance(self.load, str) and ":" not in self.load:
            found.append(f"load must have the form 'module:attr', got {self.load!r:.100}")
        found += [
            f"{field} must have the form 'module:{what}', or be None, got {getattr(self, field)!r:.100}"
            for field, what in (("settings", "Class"), ("journals", "function"))
            if not (getattr(self, field) is None or (_is_text(getattr(self, field)) and ":" in getattr(self, field)))
        ]
        found += [
            f"{field} must be a tuple of texts that are not empty, got {getattr(self, field)!r}"
            for field in ("keys", "handles", "requires")
            if isinstance(getattr(self, field), str) or not all(map(_is_text, getattr(self, field)))
        ]
        return found


def _is_text(value: Any) -> bool:
    """True for text that is not empty and can be written: halves of surrogate pairs cannot."""
    if not isinstance(value, str) or not value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _several(given: tuple[str, ...]) -> tuple[str, ...]:
    # One text in place of a tuple is kept as it is, for `faults` to name; a tuple made of it would hold its letters.
    return given if isinstance(given, str) else tuple(given)

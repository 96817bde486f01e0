"""Which flavor should save a model: hooks first, then the class paths that flavors handle. No library is imported to find out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from drupe.errors import ConflictingOffers, NoProvider
from drupe.loading.entry import Entry

__all__ = ["ANYTHING", "class_path", "handler"]

ANYTHING = "*"


def handler(model: Any, flavors: Sequence[Entry], prefer: Mapping[str, str]) -> Entry:
    """The flavor that handles the class standing earliest in `type(model).__mro__`; one that handles `*` when no other does.

    Raises ConflictingOffers when several plugins handle that class and `prefer["drupe_flavor_for.<class path>"]` names none of them,
    NoProvider when nothing handles the model.
    """
    for path in [*map(class_path, type(model).__mro__), ANYTHING]:
        found = [entry for entry in flavors if path in entry.offer.handles]
        if len(found) > 1:
            chosen = [entry for entry in found if entry.plugin == prefer.get(f"drupe_flavor_for.{path}")]
            if len(chosen) != 1:
                raise _conflict(model, path, found)
            found = chosen
        if found:
            return found[0]
    installed = ", ".join(sorted(entry.offer.name for entry in flavors)) or "none"
    raise NoProvider(
        f"no installed flavor saves a {class_path(type(model))}; installed: {installed}; install the flavor for its library, or "
        "flavor-python, which saves functions and all that has a predict method: pip install drupe-flavor-python",
        model=class_path(type(model)),
    )


def class_path(kind: type) -> str:
    """`module.Class` of a class, as flavors write it in `handles`."""
    return f"{kind.__module__}.{kind.__qualname__}"


def _conflict(model: Any, path: str, found: Sequence[Entry]) -> ConflictingOffers:
    names = " and ".join(f"{entry.offer.name} of {entry.plugin}" for entry in found)
    return ConflictingOffers(
        f"several flavors save a {class_path(type(model))}: {names}; name one (flavor={found[0].offer.name!r}), or decide in drupe.toml: "
        f'[plugins.prefer] "drupe_flavor_for.{path}" = "{found[0].plugin}"',
        plugins=[entry.plugin for entry in found],
    )

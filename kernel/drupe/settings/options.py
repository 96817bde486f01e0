"""Options of one plugin: many sources laid over each other, checked against the plugin's attrs class.

Every fault of all sources is collected before anything is raised; values of options whose name looks like a secret are never repeated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar, cast, get_type_hints

from drupe.errors import DrupeError, InvalidSettings
from drupe.settings.secrets import is_secret
from drupe.settings.values import Unfit, of_type

__all__ = ["Source", "fill", "gather", "option_types"]

T = TypeVar("T")

_type_hints = lru_cache(maxsize=128)(get_type_hints)  # repositories are opened for every file, and annotations are compiled each time


class Source(NamedTuple):
    """Where options stand: arguments, an address, the environment (with its `prefix`), or a file's `section`."""

    name: str
    options: Mapping[str, Any]
    is_text: bool = False
    prefix: str = ""
    section: str = ""

    def place(self, option: str) -> str:
        """The path of one option, for messages."""
        if self.prefix:
            return f"{self.prefix}{option.upper()}"
        if self.section:
            return f"plugins.{self.section}.{option} in {self.name}"
        return f"{option!r} in the {self.name}" if self.name == "address" else f"the {self.name} {option!r}"


def gather(sources: Sequence[Source]) -> dict[str, tuple[Any, Source]]:
    """Each option's value from the first source that has it."""
    found: dict[str, tuple[Any, Source]] = {}
    for source in sources:
        for option, value in source.options.items():
            found.setdefault(option, (value, source._replace(name=source.place(option) if source.prefix else source.name)))
    return found


def option_types(kind: type) -> dict[str, Any]:
    """The options that a settings class takes, each with its annotated type. Raises TypeError when it is no attrs class."""
    import attrs  # here: not needed until a plugin with options is opened

    hints = _type_hints(cast(Any, kind))
    return {field.alias or field.name: hints.get(field.name, Any) for field in attrs.fields(kind) if field.init}


def fill(plugin: str, kind: type[T], sources: Sequence[Source], environ: Mapping[str, str]) -> T:
    """An instance of `kind` from the sources, first one first. Raises InvalidSettings with everything that is wrong.

    A field made with `metadata={"environment": ("MLFLOW_X",)}` is also read from those variables, after its own.
    """
    known = option_types(kind)
    faults: list[str] = []
    values: dict[str, Any] = {}
    for source in [*sources[:3], Source("environment", _foreign(kind, environ), is_text=True), *sources[3:]]:
        for option, raw in source.options.items():
            if option not in known:
                faults.append(f"{source.place(option)} is no option of {plugin}{_meant(option, known)}")
            elif option not in values:
                try:
                    values[option] = raw if source.name == "argument" else of_type(known[option], raw, is_text=source.is_text)
                except Unfit as fault:
                    reason = "does not fit its type" if is_secret(option) else fault
                    faults.append(f"{source.place(option)} {reason}")
    if faults:
        raise InvalidSettings("; ".join(faults), plugin=plugin, faults=faults)
    try:
        return kind(**values)
    except DrupeError:
        raise
    except (TypeError, ValueError) as fault:  # what the class's own validators and required fields raise
        raise InvalidSettings(f"the options of {plugin} do not go together: {fault}", plugin=plugin) from fault


def _foreign(kind: type, environ: Mapping[str, str]) -> dict[str, str]:
    import attrs  # here: see option_types

    found: dict[str, str] = {}
    for field in attrs.fields(kind):
        for variable in field.metadata.get("environment", ()):
            if environ.get(variable):
                found.setdefault(field.alias or field.name, environ[variable])
    return found


def _meant(option: str, known: Mapping[str, Any]) -> str:
    from difflib import get_close_matches  # here: only faults pay for it

    close = get_close_matches(option, list(known), n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; it takes {', '.join(sorted(known))}" if known else "; it takes none"

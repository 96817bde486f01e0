"""One offer of one plugin: whether it can be used now, and its implementation, imported on first use."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from drupe.errors import DrupeError, InvalidSettings, MissingRequirement, PluginUnusable
from drupe.lazy import load
from drupe.loading.calls import in_words
from drupe.loading.kinds import kind_of
from drupe.settings import Settings
from drupe.settings.options import option_types

if TYPE_CHECKING:
    from drupe.extend.offers import Offer

__all__ = ["Entry", "missing"]


class Entry:
    """`offer` of the plugin named `plugin` to `hook`. `rivals` are other active plugins that serve one of its keys, when no setting decides."""

    __slots__ = ("_loaded", "_settings_class", "hook", "offer", "plugin", "rivals")

    def __init__(self, hook: str, offer: Offer, plugin: str) -> None:
        self.hook, self.offer, self.plugin = hook, offer, plugin
        self.rivals: tuple[str, ...] = ()
        self._loaded: Any = None
        self._settings_class: type | None = None

    def __repr__(self) -> str:
        return f"<Entry {self.offer.name} of {self.plugin}>"

    @property
    def state(self) -> str:
        """`ready`, `needs <distributions>`, or `conflict`."""
        if self.rivals:
            return "conflict"
        lacking = missing(self.offer)
        return f"needs {', '.join(lacking)}" if lacking else "ready"

    def require(self) -> None:
        """Raise MissingRequirement, which names every distribution to install, unless all that the offer needs can be imported."""
        lacking = missing(self.offer)
        if lacking:
            raise MissingRequirement(
                f"{kind_of(self.hook).noun} {self.offer.name!r} of {self.plugin} needs {_listed(lacking)}, which "
                f"{'is' if len(lacking) == 1 else 'are'} not installed: pip install {' '.join(lacking)}",
                plugin=self.plugin,
                packages=lacking,
            )

    def load(self) -> Any:
        """The implementation. Raises MissingRequirement, or PluginUnusable when it cannot be imported or does not keep its contract."""
        if self._loaded is None:
            self.require()
            self._loaded = self._checked(self._imported())
        return self._loaded

    def settings_class(self) -> type | None:
        """The attrs class of the offer's options, or None when it has none. Raises PluginUnusable."""
        if self.offer.settings is None or self._settings_class is not None:
            return self._settings_class
        found = self._imported(self.offer.settings)
        if not isinstance(found, type) or not hasattr(found, "__attrs_attrs__"):
            raise self._unusable(f"its settings {self.offer.settings} are no attrs class")
        try:
            option_types(found)
        except Exception as fault:  # annotations are the plugin's own code
            raise self._unusable(f"the types of its settings {self.offer.settings} cannot be read: {in_words(fault)}") from fault
        self._settings_class = found
        return found

    def options(self, settings: Settings, *, query: Mapping[str, str], given: Mapping[str, Any]) -> Any:
        """The offer's options from all their sources; None when it has no settings class. Raises InvalidSettings and PluginUnusable."""
        kind = self.settings_class()
        if kind is None:
            unknown = sorted({*query, *given})
            if unknown:
                raise InvalidSettings(f"{self.plugin} takes no options, and was given {', '.join(unknown)}", plugin=self.plugin)
            return None
        try:
            return settings.plugin(self.plugin, kind, query=query, given=given)
        except (DrupeError, KeyboardInterrupt):
            raise
        except BaseException as fault:  # defaults, converters and validators are the plugin's own code
            raise self._unusable(f"its settings {self.offer.settings} cannot be made: {in_words(fault)}") from fault

    def _imported(self, target: str | None = None) -> Any:
        target = target or self.offer.load
        try:
            return load(target)
        except KeyboardInterrupt:
            raise
        except BaseException as fault:  # the plugin's own code runs here, and SystemExit must not end the user's program
            raise self._unusable(f"{target} cannot be imported: {in_words(fault)}") from fault

    def _checked(self, found: Any) -> Any:
        kind = kind_of(self.hook)
        if kind.contract is None:
            return found
        contract = load(kind.contract)
        if kind.is_instance:
            if not isinstance(found, contract):
                raise self._unusable(f"{self.offer.load} is {found!r}, not a {kind.contract.replace(':', '.')}")
            faults = found.faults() if hasattr(found, "faults") else []
            if faults:
                raise self._unusable("; ".join(faults))
            return found
        if not (isinstance(found, type) and issubclass(found, contract)):
            raise self._unusable(f"{self.offer.load} is no subclass of drupe.extend.{contract.__name__}")
        abstract = sorted(getattr(found, "__abstractmethods__", ()))
        if abstract:
            raise self._unusable(f"{self.offer.load} lacks {_listed(abstract)}")
        return found

    def _unusable(self, reason: str) -> PluginUnusable:
        return PluginUnusable(
            f"{kind_of(self.hook).noun} {self.offer.name!r} of {self.plugin} cannot be used: {reason}; "
            f"see: drupe plugins check {self.plugin}",
            plugin=self.plugin,
        )


def missing(offer: Offer) -> list[str]:
    """The distributions among `offer.requires` that cannot be imported; nothing is imported to find out."""
    lacking = []
    for requirement in offer.requires:
        distribution, _, module = requirement.partition("=")
        top = (module or distribution.replace("-", "_")).partition(".")[0]
        if sys.modules.get(top) is None and not _is_there(top):
            lacking.append(distribution)
    return lacking


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):  # ValueError: sys.modules holds None for it, which means "do not import"
        return False


def _listed(names: list[str]) -> str:
    return " and ".join(names) if len(names) < 3 else f"{', '.join(names[:-1])} and {names[-1]}"

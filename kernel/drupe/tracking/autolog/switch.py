"""Switching autologging on and off: which libraries, with which options, and when their autologgers begin.

A library is watched as soon as it is imported, or at once when it is. Options given to one library go before those given to all of them,
whichever call comes first; behind them come the environment and `drupe.toml`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from attrs import fields

from drupe.errors import InvalidSettings, NoProvider, PluginError
from drupe.extend.autologger import Autologger, AutologOptions
from drupe.loading import Entry, catalog
from drupe.settings import settings
from drupe.tracking.autolog import guard, on_import
from drupe.tracking.autolog.guard import Faults
from drupe.tracking.autolog.releases import doubt
from drupe.tracking.autolog.watching import Watching

__all__ = ["HOOK", "autolog", "autolog_library", "has_autologger", "reset"]

HOOK = "drupe_autologgers"

_lock = threading.RLock()
_libraries: dict[str, _Library] = {}
_of_one: dict[str, dict[str, Any]] = {}  # options that were given to one library, by the offer's name


def autolog(
    log_input_examples: bool = False,
    log_model_signatures: bool = True,
    log_models: bool = True,
    log_datasets: bool = True,
    log_traces: bool = True,
    disable: bool = False,
    exclusive: bool = False,
    disable_for_unsupported_versions: bool = False,
    silent: bool = False,
    extra_tags: Mapping[str, str] | None = None,
    exclude_flavors: Sequence[str] | None = None,
) -> None:
    """Log the trainings of every library that an installed plugin can watch, whether it is imported already or later.

        drupe.autolog()
        LogisticRegression().fit(X, y)     # a run of its own, or the active one

    `exclude_flavors` names libraries to leave alone, and `disable` stops all. The other options are those of `AutologOptions`, and hold for
    every library that was given none of its own. `log_traces` has no effect. Raises InvalidSettings for bad settings, and nothing else: a
    library that cannot be watched is one warning.
    """
    given = {
        "log_input_examples": log_input_examples,
        "log_model_signatures": log_model_signatures,
        "log_models": log_models,
        "log_datasets": log_datasets,
        "disable": disable,
        "exclusive": exclusive,
        "disable_for_unsupported_versions": disable_for_unsupported_versions,
        "silent": silent,
        "extra_tags": extra_tags,
    }
    excluded = set(exclude_flavors or ())
    for entry in catalog().offers(HOOK):
        name = entry.offer.name
        if name in excluded or not excluded.isdisjoint(entry.offer.keys):
            continue
        options = _of_one.get(name) or {key: value for key, value in given.items() if value != _DEFAULTS[key]}
        faults = Faults(name, is_silent=silent)
        try:
            if disable:
                _stop(name)
            elif entry.state.startswith("needs"):
                continue  # a library that is not installed is no fault
            else:
                _start(catalog().find(HOOK, entry.offer.keys[0]), options)
        except InvalidSettings:
            raise
        except PluginError as fault:  # a conflict of two plugins, or one that is broken
            faults.warn(fault.message)


def autolog_library(name: str, *args: Any, **given: Any) -> None:
    """Log the trainings of one library, by the name of its offer; `drupe.<name>.autolog`.

    Options may be given in the order of the library's settings class, which is MLflow's. Raises InvalidSettings for an unknown one,
    NoProvider and other PluginErrors when nothing can watch the library.
    """
    entry = _entry(name)
    kind = _kind(entry)
    names = [field.name for field in fields(kind)]
    if len(args) > len(names):
        raise InvalidSettings(f"{name}.autolog takes at most {len(names)} options in order: {', '.join(names)}; got {len(args)}")
    given = {**dict(zip(names, args, strict=False)), **given}
    with _lock:
        _start(entry, given)
        if given.get("disable"):
            _of_one.pop(name, None)
        else:
            _of_one[name] = given


def has_autologger(name: str) -> bool:
    """True when an installed plugin offers to watch the library of that name."""
    return any(name in (entry.offer.name, *entry.offer.keys) for entry in catalog().offers(HOOK))


def reset() -> None:
    """Watch nothing any more and forget all options; for tests and notebooks that start over."""
    with _lock:
        for name in list(_libraries):
            _stop(name)
        _of_one.clear()
        guard.forget()


class _Library:
    """One library whose autologger is on, or waits for the library to be imported."""

    def __init__(self, entry: Entry, options: AutologOptions) -> None:
        self.entry, self.options = entry, options
        self.name = entry.offer.name
        self.watching: Watching | None = None

    def start(self) -> None:
        """Begin as soon as the library is imported."""
        for module in self.entry.offer.keys:
            on_import.when_imported(module, self._imported)

    def stop(self) -> None:
        """Put the library back as it was."""
        for module in self.entry.offer.keys:
            on_import.cancel(module, self._imported)
        if self.watching is not None:
            self.watching.undo()
            self.watching = None

    def _imported(self, module: ModuleType) -> None:
        if self.watching is not None:
            return
        watching = self.watching = Watching(self.name, self.options, _others(self.entry))
        if watching.faults.attempt("starting", lambda: self._install(watching)) is None:
            watching.undo()

    def _install(self, watching: Watching) -> bool:
        autologger: Autologger = self.entry.load()()
        unknown = doubt(autologger.distribution, autologger.versions)
        if unknown is not None and self.options.disable_for_unsupported_versions:
            watching.faults.warn(f"off, as {unknown}")
            return True
        if unknown is not None:
            watching.faults.warn(f"it may be incomplete, as {unknown}")
        autologger.install(watching, self.options)
        return True


def _start(entry: Entry, given: Mapping[str, Any]) -> None:
    options = settings().plugin(entry.plugin, _kind(entry), given=given)
    with _lock:
        _stop(entry.offer.name)
        if not options.disable:
            library = _libraries[entry.offer.name] = _Library(entry, options)
            library.start()


def _stop(name: str) -> None:
    with _lock:
        library = _libraries.pop(name, None)
        if library is not None:
            library.stop()


def _entry(name: str) -> Entry:
    for entry in catalog().offers(HOOK):
        if entry.offer.name == name:
            return catalog().find(HOOK, entry.offer.keys[0])
    try:
        return catalog().find(HOOK, name)
    except NoProvider as fault:
        raise NoProvider(f"autologging of {name!r} is not possible: {fault.message}", hook=HOOK, key=name) from fault


def _others(entry: Entry) -> frozenset[str]:
    return frozenset(key for other in catalog().offers(HOOK) if other is not entry for key in other.offer.keys)


def _kind(entry: Entry) -> type[AutologOptions]:
    found = entry.settings_class()
    return found if found is not None and issubclass(found, AutologOptions) else AutologOptions


_DEFAULTS = {field.name: field.default for field in fields(AutologOptions)}


def _in_child() -> None:
    global _lock
    _lock = threading.RLock()  # another thread of the parent may have held it


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)

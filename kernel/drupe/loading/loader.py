"""From claims to plugins: import each front door, check it, register its hooks, ask for its offers; one fault stops one plugin.

What can be wrong with a plugin ends as a `Plugin` that is refused or broken, with the reason in words. KeyboardInterrupt alone passes
through: it is the user's, not the plugin's.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from importlib import import_module
from inspect import isroutine
from time import perf_counter
from typing import Any

from pluggy import PluginManager, PluginValidationError

from drupe.errors import PluginUnusable
from drupe.extend import hookspecs
from drupe.extend.markers import PROJECT
from drupe.extend.offers import API, Offer
from drupe.loading.calls import Call, Caller, implementations, in_words
from drupe.loading.discovery import GROUP, Claim
from drupe.loading.entry import Entry
from drupe.loading.hooks import offer_hooks
from drupe.loading.plugin import Plugin, State
from drupe.settings import Settings
from drupe.settings.keys import RESERVED

__all__ = ["Loader", "nearest_of"]

_API = re.compile(r"(\d+)\.(\d+)")


class Loader:
    """Loads plugins into one pluggy manager; `plugins` holds every claim's outcome, by name."""

    def __init__(self, settings: Settings, listener: Callable[[Call], None] | None = None) -> None:
        self.settings = settings
        self.manager = PluginManager(PROJECT)
        self.manager.add_hookspecs(hookspecs)
        self.caller = Caller(trace=settings.get("plugins.trace"), listener=listener)
        self.plugins: list[Plugin] = []

    def load(self, claims: Iterable[Claim]) -> None:
        """Load what the settings allow. Raises PluginUnusable at the first plugin that is refused or broken when settings are strict."""
        only, disabled = self.settings.value("plugins.only"), self.settings.value("plugins.disabled")
        candidates = []
        for claim in _by_precedence(claims):
            plugin = Plugin(*claim)
            if self._may_be_named(plugin):
                if only.value is not None and claim.name not in only.value:
                    plugin.stop(State.DISABLED, f"{only.source} does not name it")
                elif claim.name in disabled.value:
                    plugin.stop(State.DISABLED, f"{disabled.source} names it", advice=f"drupe plugins enable {claim.name}")
                else:
                    candidates.append(plugin)
            self.plugins.append(plugin)
        self._take_in(candidates, lambda plugin: import_module(_front_door(plugin)))

    def add(self, name: str, front: Any) -> Plugin:
        """Take in a front door that is imported already, as if it were installed: for tests and for programs that bring their own."""
        plugin = Plugin(name, getattr(front, "__name__", type(front).__name__))
        if self._may_be_named(plugin):
            self._take_in([plugin], lambda _: front)
        self.plugins.append(plugin)
        self.plugins.sort(key=lambda one: one.name)
        return plugin

    def _may_be_named(self, plugin: Plugin) -> bool:
        """True unless the plugin's name is taken or reserved, which is then said."""
        holder = next((other for other in self.plugins if other.name == plugin.name), None)
        if holder is not None:
            advice = f"pip uninstall {plugin.distribution}" if plugin.distribution and plugin.distribution != holder.distribution else ""
            plugin.stop(State.REFUSED, f"the name {plugin.name!r} is taken by {holder.distribution or holder.module}", advice=advice)
        elif plugin.name in RESERVED:
            plugin.stop(State.REFUSED, f"no plugin can be named {plugin.name!r}: that is a key of [plugins] in drupe.toml")
        return plugin.is_active

    def _take_in(self, candidates: list[Plugin], opened: Callable[[Plugin], Any]) -> None:
        # Each step is done for all plugins before the next begins, so that what a plugin sees does not depend on its place in the alphabet.
        def import_front(plugin: Plugin) -> None:
            plugin.front = self.caller.run(plugin.name, "import", opened, plugin)
            _check_api(plugin)

        # Standard output belongs to the program, and may be JSON that another one reads: what front doors print goes to stderr.
        with redirect_stdout(sys.stderr):
            for step in (import_front, self._add_hookspecs, self._register, self._check_names, self._configure, self._collect):
                for plugin in candidates:
                    if plugin.is_active:
                        self._isolated(plugin, step)

    def _isolated(self, plugin: Plugin, step: Callable[[Plugin], None]) -> None:
        start = perf_counter()
        try:
            step(plugin)
        except KeyboardInterrupt:
            raise
        except _Fault as fault:
            plugin.stop(fault.state, fault.reason, advice=fault.advice)
        except PluginValidationError as fault:
            plugin.stop(State.BROKEN, " ".join(str(fault).partition("\n")[2].split()) or str(fault), fault=fault)
        except BaseException as fault:  # the plugin's own code runs here: whatever it raises, SystemExit included, is its own affair
            doing = {"import_front": "importing it", "_configure": "drupe_configure", "_add_hookspecs": "drupe_add_hookspecs"}
            where = doing.get(step.__name__, "registering it")
            plugin.stop(State.BROKEN, f"{where} raised {in_words(fault)}", advice=_import_advice(plugin, fault), fault=fault)
        finally:
            plugin.load_ms += (perf_counter() - start) * 1000
        if not plugin.is_active:
            plugin.entries = []
            if self.manager.get_plugin(plugin.name) is not None:
                self.manager.unregister(name=plugin.name)
            strict = self.settings.value("plugins.strict")
            if strict.value:
                message = f"plugin {plugin.name} is {plugin.state.value}: {plugin.reason}; {strict.source} makes that an error at once"
                raise PluginUnusable(message, plugin=plugin.name) from plugin.fault

    def _add_hookspecs(self, plugin: Plugin) -> None:
        # Before anything is registered: pluggy would blame the plugin that adds a specification for the implementations of others.
        for name, found in list(vars(plugin.front).items()) if hasattr(plugin.front, "__dict__") else ():
            options = getattr(found, f"{PROJECT}_impl", None) if isroutine(found) else None
            if isinstance(options, dict) and (options.get("specname") or name) == "drupe_add_hookspecs":
                self.caller.run(plugin.name, "drupe_add_hookspecs", found, self.manager)

    def _register(self, plugin: Plugin) -> None:
        self.manager.register(plugin.front, plugin.name)

    def _check_names(self, plugin: Plugin) -> None:
        known = [name for name in vars(self.manager.hook) if getattr(self.manager.hook, name).has_spec()]
        for caller in self.manager.get_hookcallers(plugin.front) or ():
            for one in caller.get_hookimpls():
                if one.plugin is not plugin.front:
                    continue
                if one.wrapper or one.hookwrapper:
                    raise _Fault(State.BROKEN, f"{caller.name} is a wrapper, and hooks of drupe cannot be wrapped")
                if not caller.has_spec() and not one.optionalhook:
                    raise _Fault(State.BROKEN, f"there is no hook {caller.name}{nearest_of(caller.name, known)}", "drupe plugins hooks")

    def _configure(self, plugin: Plugin) -> None:
        for one in implementations(self.manager, "drupe_configure"):
            if one.plugin is plugin.front:
                self.caller.ask("drupe_configure", one, {"settings": self.settings})

    def _collect(self, plugin: Plugin) -> None:
        callers = {caller.name for caller in self.manager.get_hookcallers(plugin.front) or ()}
        for hook in offer_hooks(self.manager):
            if hook not in callers:
                continue
            for one in implementations(self.manager, hook):
                if one.plugin is plugin.front:
                    plugin.entries += _entries(plugin, hook, self._offers(hook, one))

    def _offers(self, hook: str, implementation: Any) -> Any:
        try:
            return self.caller.ask(hook, implementation, {})
        except KeyboardInterrupt:
            raise
        except BaseException as fault:  # the plugin's own code
            reason = _Fault(State.BROKEN, f"{hook} raised {in_words(fault)}")
            raise reason from fault


class _Fault(Exception):
    """A plugin cannot be used, for a reason that is not an exception of its own."""

    def __init__(self, state: State, reason: str, advice: str = "") -> None:
        super().__init__(reason)
        self.state, self.reason, self.advice = state, reason, advice


def nearest_of(name: str, known: Iterable[str]) -> str:
    """ "; did you mean 'x'?" for the known name that is nearest, or nothing."""
    from difflib import get_close_matches  # here: only faults pay for it

    close = get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _by_precedence(claims: Iterable[Claim]) -> list[Claim]:
    """By name; of several with one name, the project's own distribution before others, so that nobody can take over a built-in plugin."""
    return sorted(claims, key=lambda claim: (claim.name, claim.distribution != f"drupe-{claim.name}", claim.distribution, claim.module))


def _front_door(plugin: Plugin) -> str:
    if not all(part.isidentifier() for part in plugin.module.split(".")):
        raise _Fault(
            State.BROKEN, f"its entry point names {plugin.module!r}; a front door is a module, as in {GROUP}: name = package.module"
        )
    return plugin.module


def _check_api(plugin: Plugin) -> None:
    declared = getattr(plugin.front, "DRUPE_API", None)
    if declared is None:
        raise _Fault(State.REFUSED, f"it does not say for which API it was written: DRUPE_API = {API!r} is missing in {plugin.module}")
    found = _API.fullmatch(declared) if isinstance(declared, str) else None
    if found is None:
        raise _Fault(State.REFUSED, f"its DRUPE_API is {declared!r}; it must be a text such as {API!r}")
    plugin.api = declared
    (major, minor), (our_major, our_minor) = (int(found[1]), int(found[2])), map(int, API.split("."))
    if major < our_major:
        raise _Fault(
            State.REFUSED,
            f"it was written for API {declared}, this drupe has {API}",
            f"pip install --upgrade {plugin.distribution or plugin.name}",
        )
    if major > our_major or minor > our_minor:
        raise _Fault(State.REFUSED, f"it needs API {declared}, this drupe has {API}", "pip install --upgrade drupe-kernel")


def _import_advice(plugin: Plugin, fault: BaseException) -> str:
    if not isinstance(fault, ImportError) or not fault.name:
        return ""
    top = fault.name.partition(".")[0]
    if top == plugin.module.partition(".")[0]:  # its own: half installed, or half removed
        return f"pip install --force-reinstall {plugin.distribution}" if plugin.distribution else ""
    if top == PROJECT:
        return "pip install --upgrade drupe-kernel"
    return f"pip install {top}" if isinstance(fault, ModuleNotFoundError) else ""


def _entries(plugin: Plugin, hook: str, answer: Any) -> list[Entry]:
    """The offers in the answer of a collecting hook; raises unless each is an Offer in good form and no key comes twice."""
    if not isinstance(answer, list | tuple):
        raise _Fault(State.BROKEN, f"{hook} must return a list of offers, returned {answer!r:.100}")
    keys = {key for entry in plugin.entries if entry.hook == hook for key in entry.offer.keys}
    for offer in answer:
        if not isinstance(offer, Offer):
            raise _Fault(State.BROKEN, f"{hook} must return a list of offers, {offer!r:.100} is none")
        faults = Offer.faults(offer)  # as we wrote it, whatever a subclass says
        if faults:
            raise _Fault(State.BROKEN, f"{hook}: offer {offer.name!r}: {'; '.join(faults)}")
        twice = sorted({key for key in offer.keys if key in keys or offer.keys.count(key) > 1})
        if twice:
            raise _Fault(State.BROKEN, f"{hook} offers {', '.join(map(repr, twice))} twice")
        keys.update(offer.keys)
    return [Entry(hook, offer, plugin.name) for offer in answer]

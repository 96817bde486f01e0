"""The catalog: every plugin with its state, every offer by its key, and the moments told to plugins.

Plugins are found in `discovery`, loaded in `loader`; the process's own catalog is `drupe.loading.catalog()`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from drupe.errors import ConflictingOffers, NoProvider, PluginUnusable
from drupe.loading.calls import Call, implementations, in_words
from drupe.loading.discovery import Claim, discover
from drupe.loading.entry import Entry
from drupe.loading.flavors import handler
from drupe.loading.hooks import Hook, all_hooks
from drupe.loading.kinds import answer_fault, kind_of
from drupe.loading.known import distribution_of, known_provider
from drupe.loading.loader import Loader, nearest_of
from drupe.loading.plugin import Plugin, State
from drupe.settings import Settings

if TYPE_CHECKING:
    from pluggy import HookImpl

    from drupe.extend.events import Event
    from drupe.extend.flavor import Flavor
    from drupe.uris import Uri

__all__ = ["Catalog"]

MAX_REPORTS = 100
"""So many faults of one plugin are kept; an observer that always fails is called for every event of a long training."""


class Catalog:
    """What is installed and how to reach it. Built whole by `Catalog.build`; only `add` changes it afterwards."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self._settings = loader.settings
        self._by_hook: dict[str, list[Entry]] = {}
        self._by_key: dict[tuple[str, str], list[Entry]] = {}
        self._flavors: dict[str, Flavor] = {}
        self._index()

    @classmethod
    def build(cls, settings: Settings, claims: Iterable[Claim] | None = None, *, listener: Callable[[Call], None] | None = None) -> Catalog:
        """Load the plugins that `claims` names, or all that are installed; `listener` is told of every call to a plugin.

        Raises PluginUnusable, and only when the settings are strict.
        """
        loader = Loader(settings, listener)
        loader.load(discover() if claims is None else claims)
        return cls(loader)

    def add(self, name: str, front: Any) -> Plugin:
        """Take in a front door (a module, or anything with its attributes) that is not installed; look at the plugin's state afterwards."""
        plugin = self._loader.add(name, front)
        self._index()
        return plugin

    # --- plugins and hooks

    @property
    def plugins(self) -> list[Plugin]:
        """Every installed plugin in every state, by name."""
        return list(self._loader.plugins)

    def trouble(self) -> list[Plugin]:
        """The plugins that are refused or broken."""
        return [plugin for plugin in self._loader.plugins if plugin.state in (State.REFUSED, State.BROKEN)]

    def plugin(self, name: str) -> Plugin:
        """The plugin of that name. Raises NoProvider with the nearest name."""
        for plugin in self._loader.plugins:
            if plugin.name == name:
                return plugin
        hint = nearest_of(name, [plugin.name for plugin in self._loader.plugins])
        raise NoProvider(f"no plugin {name!r} is installed{hint or '; see: drupe plugins'}", plugin=name)

    def hooks(self) -> list[Hook]:
        """Every hook that can be implemented, those that plugins have added included."""
        return all_hooks(self._loader.manager)

    def implementers(self, hook: str) -> list[str]:
        """Names of the plugins that implement a hook, in the order in which they are called."""
        return [one.plugin_name for one in implementations(self._loader.manager, hook)]

    # --- offers

    def offers(self, hook: str) -> list[Entry]:
        """All offers to a hook, by plugin name, those that cannot be used just now included (see `Entry.state`)."""
        return list(self._by_hook.get(hook, ()))

    def find(self, hook: str, key: str) -> Entry:
        """The one offer for `key` that can be used. Raises NoProvider, ConflictingOffers, MissingRequirement or PluginUnusable."""
        found = self._by_key.get((hook, key), [])
        if not found:
            raise self._nobody(hook, key)
        entry = self._decided(hook, key, found)
        entry.require()
        return entry

    def load(self, hook: str, key: str) -> Any:
        """The implementation for `key`, imported. Raises as `find` and `Entry.load` do."""
        return self.find(hook, key).load()

    def open(self, hook: str, uri: Uri, **given: Any) -> Any:
        """Open what serves the scheme of `uri`, with its settings taken from `given`, the address's options, environment and files.

        Raises as `load` does, InvalidSettings for options that the plugin does not have, and what the implementation's `open` raises.
        """
        implementation, options = self.prepare(hook, uri, **given)
        return implementation.open(uri, options)

    def prepare(self, hook: str, uri: Uri, **given: Any) -> tuple[Any, Any]:
        """What serves the scheme of `uri`, and its settings, for calls that need nothing opened. Raises as `open` does."""
        entry = self.find(hook, uri.scheme)
        implementation = entry.load()
        return implementation, entry.options(self._settings, query=uri.query, given=given)

    def defaults(self, hook: str, key: str) -> dict[str, Any]:
        """The options of an offer as they are set in environment and files, by name. Raises as `find`, InvalidSettings."""
        options = self.find(hook, key).options(self._settings, query={}, given={})
        return {} if options is None else {field.name: getattr(options, field.name) for field in type(options).__attrs_attrs__}

    # --- flavors

    def flavor_for(self, model: Any) -> Entry:
        """The flavor that should save `model`: the first answer to drupe_flavor_for, else by class. Raises as `find` and `handler` do."""
        named = self.first("drupe_flavor_for", model=model)
        if named is not None:
            return self.find("drupe_model_flavors", named)
        entry = handler(model, self.offers("drupe_model_flavors"), self._prefer())
        entry.require()
        return entry

    def flavor(self, name: str) -> Flavor:
        """The flavor of that name in MLmodel, one instance per process. Raises as `load` does."""
        found = self._flavors.get(name)
        if found is None:
            found = self._flavors[name] = self.load("drupe_model_flavors", name)()
        return found

    # --- moments

    def notify(self, event: Event) -> None:
        """Tell every observer of something that has happened. What one of them raises is reported once, and nobody else notices."""
        self._ask_all("drupe_event", {"event": event})

    def collect(self, hook: str, **given: Any) -> list[tuple[str, Any]]:
        """The answers of all plugins that have one, each with the plugin's name; faults are reported and left out."""
        return self._ask_all(hook, given)

    def first(self, hook: str, **given: Any) -> Any:
        """The first answer that is not None, or None; faults are reported and passed over."""
        answers = self._ask_all(hook, given, is_enough=1)
        return answers[0][1] if answers else None

    def _ask_all(self, hook: str, given: Mapping[str, Any], is_enough: int | None = None) -> list[tuple[str, Any]]:
        answers: list[tuple[str, Any]] = []
        for one in implementations(self._loader.manager, hook):
            try:
                answer = self._loader.caller.ask(hook, one, given)
                fault = answer_fault(hook, answer)
            except KeyboardInterrupt:
                raise
            except BaseException as raised:  # the plugin's own code: SystemExit would end the user's program
                answer, fault = None, f"raised {in_words(raised)}"
                if self._settings.get("plugins.strict"):
                    raise PluginUnusable(f"{hook} of plugin {one.plugin_name} {fault}", plugin=one.plugin_name) from raised
            if fault is not None:
                self._report(one, hook, fault)
            elif answer is not None:
                answers.append((one.plugin_name, answer))
                if len(answers) == is_enough:
                    break
        return answers

    def _report(self, one: HookImpl, hook: str, fault: str) -> None:
        if self._settings.get("plugins.strict"):
            raise PluginUnusable(f"{hook} of plugin {one.plugin_name} {fault}", plugin=one.plugin_name)
        plugin = self.plugin(one.plugin_name)
        if not plugin.reports:
            # A log record and not a warning: those are turned into exceptions by `-W error`, and this must never reach the user's code.
            from logging import getLogger  # here: only faults pay for its import

            getLogger("drupe.plugins").warning(
                "%s of plugin %s %s (said once; see: drupe plugins show %s)", hook, plugin.name, fault, plugin.name
            )
        if len(plugin.reports) < MAX_REPORTS:
            plugin.reports.append(f"{hook} {fault}")

    # --- by key

    def _index(self) -> None:
        self._by_hook, self._by_key, self._flavors = {}, {}, {}
        for plugin in self._loader.plugins:
            for entry in plugin.entries:
                entry.rivals = ()
                self._by_hook.setdefault(entry.hook, []).append(entry)
                for key in entry.offer.keys:
                    self._by_key.setdefault((entry.hook, key), []).append(entry)
        prefer = self._prefer()
        for (hook, key), found in self._by_key.items():
            if len(found) > 1 and not any(entry.plugin == prefer.get(f"{hook}.{key}") for entry in found):
                for entry in found:
                    entry.rivals += tuple(other.plugin for other in found if other is not entry and other.plugin not in entry.rivals)

    def _prefer(self) -> dict[str, str]:
        return {key: setting.value for key, setting in self._settings.prefer().items()}

    def _decided(self, hook: str, key: str, found: list[Entry]) -> Entry:
        if len(found) == 1:
            return found[0]
        preferred = self._prefer().get(f"{hook}.{key}")
        chosen = [entry for entry in found if entry.plugin == preferred]
        if chosen:
            return chosen[0]
        kind = kind_of(hook)
        plugins = [entry.plugin for entry in found]
        raise ConflictingOffers(
            f"{' and '.join(plugins)} each offer {kind.article} {kind.noun} for {kind.key} {key!r}; decide in drupe.toml: "
            f'[plugins.prefer] "{hook}.{key}" = "{plugins[0]}", or drupe plugins disable one of them'
            + (f"; now it names {preferred!r}, which is none of them" if preferred else ""),
            plugins=plugins,
            key=key,
        )

    def _nobody(self, hook: str, key: str) -> NoProvider | PluginUnusable:
        kind = kind_of(hook)
        provider = known_provider(hook, key)
        installed = next((plugin for plugin in self._loader.plugins if plugin.name == provider), None)
        if installed is not None and not installed.is_active:
            return PluginUnusable(
                f"{installed.name} serves {kind.key} {key!r} but is {installed.state.value}: {installed.reason}"
                + (f"; try: {installed.advice}" if installed.advice else f"; see: drupe plugins show {installed.name}"),
                plugin=installed.name,
            )
        keys = sorted({name for (of, name) in self._by_key if of == hook})
        message = f"no {kind.noun} for {kind.key} {key!r}; installed: {', '.join(keys) or 'none'}"
        idle = [f"{plugin.name} ({plugin.state.value})" for plugin in self._loader.plugins if not plugin.is_active]
        if provider is not None and installed is None:
            message += f". {provider} provides it: pip install {distribution_of(provider)}"
        else:
            message += nearest_of(key, keys)
            if idle:
                message += f"; not in use: {', '.join(idle)}, see: drupe plugins"
        return NoProvider(message, hook=hook, key=key)

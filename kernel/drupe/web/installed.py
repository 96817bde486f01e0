"""The installed plugins as people are shown them: values without the loaded code behind them."""

from __future__ import annotations

from attrs import frozen

from drupe.loading import catalog
from drupe.loading.kinds import kind_of

__all__ = ["InstalledOffer", "InstalledPlugin", "installed_plugins"]


@frozen
class InstalledOffer:
    """`kind` is what it is an offer of, such as "model flavor"; `state` is `ready`, `conflict` or what it needs."""

    kind: str
    name: str
    keys: tuple[str, ...]
    help: str
    state: str


@frozen
class InstalledPlugin:
    """`state` is active, disabled, refused or broken, `reason` why and `advice` what would help; `reports` are faults of its moment hooks."""

    name: str
    distribution: str
    version: str
    state: str
    reason: str
    advice: str
    load_ms: float
    offers: tuple[InstalledOffer, ...]
    reports: tuple[str, ...]


def installed_plugins() -> list[InstalledPlugin]:
    """Every installed plugin in every state, by name."""
    return [
        InstalledPlugin(
            plugin.name,
            plugin.distribution,
            plugin.version,
            plugin.state.value,
            plugin.reason,
            plugin.advice,
            plugin.load_ms,
            tuple(
                InstalledOffer(kind_of(entry.hook).noun, entry.offer.name, entry.offer.keys, entry.offer.help, entry.state)
                for entry in plugin.entries
            ),
            tuple(plugin.reports),
        )
        for plugin in catalog().plugins
    ]

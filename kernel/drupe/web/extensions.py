"""UI extensions that plugins offer, loaded one by one, so that a broken one is a line in a report and the pages know the others."""

from __future__ import annotations

from attrs import frozen

from drupe.extend import UiExtension
from drupe.loading import catalog
from drupe.web.unusable import Unusable, in_words

__all__ = ["AddedExtension", "ui_extensions"]

HOOK = "drupe_ui_extensions"


@frozen
class AddedExtension:
    """The part of the UI that a plugin of that `version` adds under `key`."""

    key: str
    plugin: str
    version: str
    extension: UiExtension


def ui_extensions() -> tuple[list[AddedExtension], list[Unusable]]:
    """All parts of the UI that are installed, by plugin; and those that cannot be shown."""
    found: list[AddedExtension] = []
    unusable: list[Unusable] = []
    versions = {plugin.name: plugin.version for plugin in catalog().plugins}
    for entry in catalog().offers(HOOK):
        for key in entry.offer.keys:
            try:
                catalog().find(HOOK, key)  # raises where two plugins offer it
                found.append(AddedExtension(key, entry.plugin, versions[entry.plugin], entry.load()))
            except Exception as fault:  # the plugin's module is imported
                unusable.append(Unusable(key, entry.plugin, in_words(fault)))
    return found, unusable

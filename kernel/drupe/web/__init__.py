"""What plugins add to a tracking server and its pages, and the list of plugins that people are shown.

How a server answers is its plugin's work (`drupe_server_rest`), and how pages look is the UI's (`drupe_ui_web`).
"""

from drupe.web.extensions import AddedExtension, ui_extensions
from drupe.web.installed import InstalledOffer, InstalledPlugin, installed_plugins
from drupe.web.served_routes import Added, server_routes
from drupe.web.unusable import Unusable

__all__ = [
    "Added",
    "AddedExtension",
    "InstalledOffer",
    "InstalledPlugin",
    "Unusable",
    "installed_plugins",
    "server_routes",
    "ui_extensions",
]

"""drupe-ui-web: the web UI, on every tracking server of drupe and by `drupe ui`."""

from drupe.extend import Offer, hookimpl

DRUPE_API = "1.0"


@hookimpl
def drupe_server_routes() -> list[Offer]:
    return [Offer("ui-web", load="drupe_ui_web.routes:UiRoutes", help="the web UI", keys=("/",))]


@hookimpl
def drupe_cli_commands() -> list[Offer]:
    return [
        Offer(
            "ui",
            load="drupe_ui_web.command:ui",
            help="Look at experiments, runs and models in a browser",
        )
    ]

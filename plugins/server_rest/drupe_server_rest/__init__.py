"""drupe-server-rest: the tracking server, which speaks MLflow's REST protocol."""

from drupe.extend import Offer, hookimpl

DRUPE_API = "1.0"


@hookimpl
def drupe_cli_commands() -> list[Offer]:
    return [
        Offer(
            "server",
            load="drupe_server_rest.command:server",
            help="Serve a store to MLflow's and drupe's clients",
            settings="drupe_server_rest.settings:ServerSettings",
        )
    ]

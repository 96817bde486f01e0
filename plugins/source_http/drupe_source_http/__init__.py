"""drupe-source-http: datasets on the web."""

from drupe.extend import Offer, hookimpl

DRUPE_API = "1.0"


@hookimpl
def drupe_dataset_sources() -> list[Offer]:
    return [
        Offer(
            "http",
            load="drupe_source_http.source:HttpFile",
            help="datasets on the web, over HTTP and HTTPS",
            keys=("http", "https"),
            settings="drupe_source_http.settings:HttpSettings",
        )
    ]

"""drupe-store-http: runs, models and files on a server that speaks MLflow's REST protocol."""

from drupe.extend import Offer, hookimpl

DRUPE_API = "1.0"
SETTINGS = "drupe_store_http.settings:HttpSettings"
KEYS = ("http", "https")


@hookimpl
def drupe_tracking_stores() -> list[Offer]:
    return [Offer("http", load="drupe_store_http.opening:AnyTrackingStore", help="runs on a tracking server", keys=KEYS, settings=SETTINGS)]


@hookimpl
def drupe_registry_stores() -> list[Offer]:
    return [
        Offer(
            "http",
            load="drupe_store_http.opening:AnyRegistryStore",
            help="registered models on a tracking server",
            keys=KEYS,
            settings=SETTINGS,
        )
    ]


@hookimpl
def drupe_artifact_repos() -> list[Offer]:
    return [
        Offer(
            "mlflow-artifacts",
            load="drupe_store_http.repo:HttpArtifactRepo",
            help="files that a tracking server keeps",
            keys=("mlflow-artifacts", *KEYS),
            settings=SETTINGS,
        )
    ]

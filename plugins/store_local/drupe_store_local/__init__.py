"""drupe-store-local: artifacts in a local folder."""

from drupe.extend import Offer, hookimpl

DRUPE_API = "1.0"


@hookimpl
def drupe_artifact_repos() -> list[Offer]:
    return [
        Offer(
            "local",
            load="drupe_store_local.repo:LocalArtifactRepo",
            help="files in a local folder",
            keys=("file",),
            settings="drupe_store_local.settings:LocalSettings",
        )
    ]

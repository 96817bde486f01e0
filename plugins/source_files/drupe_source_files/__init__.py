"""drupe-source-files: datasets in local files."""

from drupe.extend import Offer, hookimpl

DRUPE_API = "1.0"


@hookimpl
def drupe_dataset_sources() -> list[Offer]:
    return [Offer("files", load="drupe_source_files.source:LocalFile", help="datasets in local files", keys=("file",))]

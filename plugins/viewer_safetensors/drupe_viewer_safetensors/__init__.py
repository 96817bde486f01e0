"""drupe-viewer-safetensors: the tensors of safetensors files, in the web UI."""

from drupe.extend import Offer, hookimpl

DRUPE_API = "1.0"


@hookimpl
def drupe_ui_extensions() -> list[Offer]:
    return [
        Offer(
            "safetensors",
            load="drupe_viewer_safetensors.extension:VIEWER",
            help="the tensors of safetensors files, of any size",
        )
    ]

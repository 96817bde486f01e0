"""What the viewer is called and which files it shows; the viewer itself is `ui/viewer.js`."""

from __future__ import annotations

from drupe.extend import UiExtension, UiPlace

__all__ = ["VIEWER"]

VIEWER = UiExtension(
    UiPlace.ARTIFACT_VIEWER,
    "Tensors",
    package="drupe_viewer_safetensors",
    module="ui/viewer.js",
    matches=("*.safetensors",),
)

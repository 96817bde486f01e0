"""The files of a run, a logged model or a version: listings of folders, and the two kinds of files that a browser shows in a frame.

Everything else is fetched by the page from the server's own routes of files, below the address that a listing tells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from drupe.errors import ArtifactNotFound, InvalidValue
from drupe.extend import ServedStore, WebReply, WebRequest, WebRoute
from drupe_ui_web.replies import json_reply, needed_text
from drupe_ui_web.subjects import Place, place_of

__all__ = ["FilePages", "served_at", "whole_file"]

PROXY = "api/2.0/mlflow-artifacts/artifacts"
MOST_FILES = 20_000
FRAME_BYTES = 40 << 20
SANDBOX = "; ".join(
    (
        "sandbox allow-scripts",  # and no same-origin: it reaches neither this server nor what the browser keeps for it
        "default-src 'none'",
        "script-src 'unsafe-inline' 'unsafe-eval' data: blob:",
        "style-src 'unsafe-inline' data:",
        "img-src data: blob:",
        "font-src data:",
        "media-src data: blob:",
        "worker-src blob:",
        "form-action 'none'",
        "frame-ancestors 'self'",
    )
)
FRAMES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "html": ("text/html; charset=utf-8", {"Content-Security-Policy": SANDBOX}),
    "htm": ("text/html; charset=utf-8", {"Content-Security-Policy": SANDBOX}),
    "pdf": (
        "application/pdf",
        {"Content-Security-Policy": "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"},
    ),
}


class FilePages:
    """Routes about files."""

    def __init__(self, store: ServedStore) -> None:
        self._store = store

    def routes(self, root: str) -> Sequence[WebRoute]:
        """The routes, below `root`."""
        return [WebRoute("GET", f"{root}/files", self.files), WebRoute("GET", f"{root}/frame", self.frame)]

    def files(self, request: WebRequest) -> WebReply:
        """The direct children of a folder, folders first; `address` is where the server gives their bytes. A file has none."""
        place = place_of(self._store, request.query)
        found = sorted(place.repo.list(place.whole), key=lambda info: (not info.is_dir, info.path))
        files = [{"path": place.told(info.path), "is_dir": info.is_dir, "size": info.file_size} for info in found[:MOST_FILES]]
        return json_reply({"files": files, "count": len(found), "address": served_at(place)})

    def frame(self, request: WebRequest) -> WebReply:
        """A page or a PDF as a frame shows it: scripts of a page run apart from this server, and reach no network."""
        needed_text(request, "path")
        place = place_of(self._store, request.query)
        kind = FRAMES.get(place.path.name.rpartition(".")[2].lower())
        if kind is None:
            raise InvalidValue(f"{place.path.name!r} is not shown in a frame; that is for files that end in {', '.join(FRAMES)}")
        return WebReply(
            whole_file(place, FRAME_BYTES), kind[0], headers={"Content-Disposition": "inline", "Cache-Control": "no-store", **kind[1]}
        )


def served_at(place: Place) -> str:
    """The address below the server at which the files of a place are fetched; a path follows after a slash."""
    return f"{PROXY}/{quote(str(place.root))}".rstrip("/")


def whole_file(place: Place, most_bytes: int) -> bytes:
    """The bytes of a file. Raises ArtifactNotFound, InvalidValue for one that is larger."""
    try:
        opened = place.repo.open_file(place.whole)
    except ArtifactNotFound:
        raise ArtifactNotFound(f"there is no file {str(place.path)!r} here", path=str(place.path)) from None
    with opened as file:
        if file.size > most_bytes:
            raise InvalidValue(f"{place.path.name!r} has {file.size} bytes; up to {most_bytes} are shown here. Download it instead")
        return file.read(0, file.size) if file.size else b""

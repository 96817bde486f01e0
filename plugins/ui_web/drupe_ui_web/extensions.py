"""UI extensions of plugins: the list that pages are told, and the files that browsers import.

Addresses hold a digest of all files beside the module, so browsers keep them for ever, and a module and what it imports are always of one
version. The files are read when the list is asked for and one of them has changed; nothing but what was read then is ever given.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any
from urllib.parse import quote

from attrs import frozen

from drupe.extend import ServedStore, UiExtension, WebReply, WebRequest, WebRoute
from drupe.web import ui_extensions
from drupe_asgi.errors import NoSuchRoute
from drupe_ui_web.replies import json_reply

__all__ = ["Extensions", "extensions_left_out"]

PATH = "extensions"
KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
}


@frozen
class _Folder:
    """The files of a folder as they were read: `stamp` tells whether they have changed since."""

    stamp: tuple[Any, ...]
    digest: str
    files: Mapping[str, bytes]


class Extensions:
    """The routes of UI extensions."""

    def __init__(self, store: ServedStore) -> None:
        self._folders: dict[tuple[str, str], _Folder] = {}
        self._lock = Lock()

    def routes(self, root: str) -> Sequence[WebRoute]:
        """The routes: the list below `root`, the files below a path of their own."""
        return [
            WebRoute("GET", f"{root}/extensions", self.extensions),
            WebRoute("GET", f"{PATH}/{{plugin}}/{{digest}}/{{path...}}", self.file),
        ]

    def extensions(self, request: WebRequest) -> WebReply:
        """Every extension that can be shown, by plugin; `module` is its address below the server, `patterns` are as `UiExtension.patterns`."""
        found, _ = ui_extensions()
        told = [
            {
                "key": added.key,
                "plugin": added.plugin,
                "version": added.version,
                "place": added.extension.place,
                "title": added.extension.title.strip(),
                "module": self._address(added.plugin, added.extension),
                "patterns": added.extension.patterns(),
                "max_bytes": added.extension.max_bytes,
            }
            for added in found
        ]
        return json_reply({"extensions": told})

    def file(self, request: WebRequest) -> WebReply:
        """A file of an extension. Raises NoSuchRoute."""
        plugin, digest, path = (request.fields[name] for name in ("plugin", "digest", "path"))
        if (plugin, digest) not in self._known():
            self.extensions(request)  # another process of this server may have told the page of it
        folder = self._known().get((plugin, digest))
        body = None if folder is None else folder.files.get(path)
        if body is None:
            raise NoSuchRoute(f"the UI extensions of {plugin[:60]!r} have no file {path[:100]!r}; load the page again if it was upgraded")
        return WebReply(body, KINDS[path[path.rindex(".") :]], headers=HEADERS)

    def _address(self, plugin: str, extension: UiExtension) -> str:
        folder = self._read(f"{extension.package}/{extension.module.rpartition('/')[0]}", extension, plugin)
        return f"{PATH}/{quote(plugin, safe='')}/{folder.digest}/{quote(extension.module.rpartition('/')[2])}"

    def _read(self, name: str, extension: UiExtension, plugin: str) -> _Folder:
        paths = extension.files()
        stamp = tuple((inner, (found := path.stat()).st_mtime_ns, found.st_size) for inner, path in paths.items())
        with self._lock:
            kept = self._folders.get((plugin, name))
            if kept is not None and kept.stamp == stamp:
                return kept
            files = {inner: path.read_bytes() for inner, path in paths.items()}
            whole = hashlib.sha256()
            for inner, body in files.items():
                whole.update(f"{len(inner)} {inner} {len(body)} ".encode() + body)
            folder = self._folders[plugin, name] = _Folder(stamp, whole.hexdigest()[:20], files)
            return folder

    def _known(self) -> dict[tuple[str, str], _Folder]:
        with self._lock:
            return {(plugin, folder.digest): folder for (plugin, _), folder in self._folders.items()}


def extensions_left_out() -> list[dict[str, str]]:
    """The extensions that cannot be shown, each with the reason."""
    _, unusable = ui_extensions()
    return [{"what": "UI extension", "key": one.key, "plugin": one.plugin, "reason": one.reason} for one in unusable]

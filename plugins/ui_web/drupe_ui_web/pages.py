"""The built files as the browser gets them: the one page, with the path that the server is seen under, and the files that it names.

Names of files hold a hash of their content, so browsers keep them for ever; the page is asked for anew each time. Nothing outside of the
list that the build wrote is ever opened.
"""

from __future__ import annotations

import html
from pathlib import Path

from drupe.extend import WebReply, WebRequest
from drupe_asgi.errors import NoSuchRoute
from drupe_ui_web.needed import Needed

__all__ = ["Pages"]

KINDS = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".woff2": "font/woff2"}
PACKINGS = ((".br", "br"), (".gz", "gzip"))
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "frame-src 'self' blob:",
        "worker-src 'self'",
        "base-uri 'self'",
        "form-action 'none'",
        "frame-ancestors 'self'",
    )
)
NOT_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>drupe: the web UI is not built</title>
<body><h1>The web UI is not built</h1>
<p>This installation of <code>drupe-ui-web</code> has its sources, and not what browsers need. The server itself works: clients can log and read.</p>
<p>In a checkout, build it with <code>python -m drupe_ui_web.building</code>, which needs Node 20.19 or newer, and load this page again.</p>
<p>Otherwise install the released package: <code>pip install --force-reinstall drupe-ui-web</code></p></body></html>"""


class Pages:
    """What `built` holds."""

    def __init__(self, built: Path) -> None:
        self._built = built
        self._files: dict[str, Path] = {}
        self._page: str | None = None
        self._needed: Needed | None = None
        self._read_ns = 0
        self._look()

    def page(self, request: WebRequest) -> WebReply:
        """The page of the UI, whichever of its addresses is asked for; one that says how to build it when that was not done."""
        headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
        self._look()  # it may have been built since
        if self._page is None:
            return WebReply(NOT_BUILT.encode(), "text/html; charset=utf-8", 503, headers)
        text = self._page.replace('<base href="/"', f'<base href="{html.escape(request.base)}"', 1)
        if self._needed is not None:
            links = self._needed.links(request.fields.get("page", ""), request.query.get("tab", ""))
            text = text.replace("</head>", f"{links}</head>", 1)
        return WebReply(text.encode(), "text/html; charset=utf-8", headers=headers)

    def file(self, request: WebRequest) -> WebReply:
        """A file that the page names. Raises NoSuchRoute."""
        name = request.fields["name"]
        path = self._files.get(name)
        if path is None:
            raise NoSuchRoute(f"the web UI has no file {name[:100]!r}; load the page again if the server was upgraded")
        headers = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
        accepted = request.headers.get("accept-encoding", "")
        for ending, packing in PACKINGS:
            packed = path.with_name(path.name + ending)
            if packing in accepted and packed.is_file():
                return WebReply(packed.read_bytes(), KINDS[path.suffix], headers={**headers, "Content-Encoding": packing})
        return WebReply(path.read_bytes(), KINDS[path.suffix], headers=headers)

    def _look(self) -> None:
        page = self._built / "index.html"
        try:
            changed_ns = page.stat().st_mtime_ns
            if changed_ns == self._read_ns:
                return
            text = page.read_text(encoding="utf-8")
        except FileNotFoundError:  # not built, or being built at this moment
            return
        self._page, self._read_ns = text, changed_ns
        manifest = self._built / ".vite" / "manifest.json"
        self._needed = Needed(manifest) if manifest.is_file() else None
        self._files = {path.name: path for path in (self._built / "assets").iterdir() if path.suffix in KINDS}

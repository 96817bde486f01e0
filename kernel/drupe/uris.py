"""Addresses and artifact paths, parsed once at the edge into values that cannot be misread later.

`Uri` is any address that drupe follows; `ArtifactPath` a place below some root. The text forms are never passed on. The
meaning of `runs:/` and `models:/` is parsed here; *resolving* them is for `drupe.artifacts`, and file paths are opened by
the artifact plugins.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from attrs import field, frozen

from drupe.errors import InvalidPath, InvalidUri

__all__ = ["ArtifactPath", "ModelsUri", "RunsUri", "Uri", "join_segments", "redact"]

_SCHEME = re.compile(r"[a-z][a-z0-9+.\-]*")
_DRIVE = re.compile(r"[a-zA-Z]:([\\/]|$)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_USER_INFO = re.compile(r"(?<=://)[^/@\s]*@")


def redact(text: str) -> str:
    """`text` with the user and password of any address in it replaced by `***`, for messages and logs."""
    return _USER_INFO.sub("***@", text)


@frozen
class ArtifactPath:
    """A relative path below an artifact root, as checked segments; the root itself has none.

    Refused: absolute, drive and UNC forms, backslashes, control characters, segments that are empty, blank, `.` or `..`, and
    segments that would become one of these when percent-decoded, however often.
    """

    segments: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str | ArtifactPath | None) -> ArtifactPath:
        """Read `a/b.txt`; empty or None is the root; one trailing slash is forgiven. Raises InvalidPath."""
        if isinstance(text, ArtifactPath):
            return text
        if text is None or text == "":
            return cls()
        if not isinstance(text, str):
            raise InvalidPath(f"artifact paths are text, not {type(text).__name__} ({text!r})")
        if text.startswith("/") or _DRIVE.match(text):
            raise InvalidPath(f"artifact path {text!r} is absolute; give it relative to the run, such as 'plots/roc.png'", path=text)
        return cls(tuple(_checked_segment(segment, text) for segment in text.removesuffix("/").split("/")))

    def __truediv__(self, other: str | ArtifactPath) -> ArtifactPath:
        return ArtifactPath(self.segments + ArtifactPath.parse(other).segments)

    def __str__(self) -> str:
        return "/".join(self.segments)

    @property
    def name(self) -> str:
        """The last segment; empty for the root."""
        return self.segments[-1] if self.segments else ""

    @property
    def parent(self) -> ArtifactPath:
        """The folder that holds it; the root's is the root."""
        return ArtifactPath(self.segments[:-1])

    @property
    def is_root(self) -> bool:
        """True for the path with no segments."""
        return not self.segments


def _checked_segment(segment: str, whole: str) -> str:
    form = segment
    for _ in range(len(segment) // 2 + 1):  # each decoding shortens the text by two at least, or changes nothing
        if not form.strip() or form in (".", "..") or "/" in form or "\\" in form or "\x00" in form:
            raise InvalidPath(
                f"artifact path {whole!r} is refused at {segment!r}: a path may not hold empty, blank, . or .. parts, nor backslashes, "
                "plain or percent-encoded",
                path=whole,
            )
        decoded = unquote(form, errors="surrogateescape")
        if decoded == form:
            break
        form = decoded
    if _CONTROL.search(segment):
        raise InvalidPath(f"artifact path {whole!r} holds control characters", path=whole)
    if any("\ud800" <= c <= "\udfff" for c in segment):
        raise InvalidPath(f"artifact path {whole!r} is not valid Unicode", path=whole)
    return segment


@frozen
class Uri:
    """A parsed address: lower-case `scheme`, `host` (with port), decoded absolute or relative `path`, and `query` options.

    Plain file system paths parse to scheme `file` with an absolute path. `text` is the address without user info, safe to show.
    """

    scheme: str
    host: str = ""
    path: str = ""
    query: Mapping[str, str] = field(factory=dict, hash=False)
    user_info: str = field(default="", repr=False)
    has_authority: bool = field(default=False, repr=False, eq=False)

    @classmethod
    def parse(cls, text: str | Path | Uri, *, query: bool = False, user_info: bool = False) -> Uri:
        """Read an address or a local path; `query` and `user_info` say whether those parts are allowed. Raises InvalidUri."""
        if isinstance(text, Uri):
            return text
        if isinstance(text, Path):
            return cls("file", path=str(text.absolute()))
        if not isinstance(text, str) or not text.strip():
            raise InvalidUri(f"an address is needed, got {text!r}")
        shown = redact(text)
        if _CONTROL.search(text):
            raise InvalidUri(f"address {shown!r} holds control characters")
        if _DRIVE.match(text) or text.startswith(("\\\\", "//")):
            raise InvalidUri(f"address {shown!r} is a drive or network share, which is not supported; use a plain path or a URI")
        scheme, colon, rest = text.partition(":")
        if not colon or not _SCHEME.fullmatch(scheme.lower()):
            return cls("file", path=str(Path(text).expanduser().absolute()))
        scheme = scheme.lower()
        try:
            parts = urlsplit(f"{scheme}:{rest}")
            host = parts.hostname or ""
            host = f"{host}:{parts.port}" if parts.port else host
        except ValueError as fault:
            raise InvalidUri(f"address {shown!r} cannot be read: {fault}") from fault
        login = parts.netloc.rpartition("@")[0]
        if login and not user_info:
            raise InvalidUri(f"address {shown!r} carries a user or password; give credentials through settings or the environment instead")
        if parts.query and not query:
            raise InvalidUri(f"address {shown!r} may not have a query (?…)")
        if parts.fragment or "#" in rest:
            raise InvalidUri(f"address {shown!r} may not have a fragment (#…); write %23 for a # in a name")
        path = unquote(parts.path)
        if scheme == "file":
            if host and host != "localhost":
                raise InvalidUri(f"address {shown!r} names the host {host!r}; file addresses are local: file:///{path.lstrip('/')}")
            if ".." in path.split("/"):
                raise InvalidUri(f"address {shown!r} climbs with ..; give the resolved path")
            return cls("file", path=str(Path(path).absolute()))
        return cls(scheme, host, path, dict(parse_qsl(parts.query, keep_blank_values=True)), login, rest.startswith("//"))

    def __truediv__(self, other: str | ArtifactPath) -> Uri:
        path = ArtifactPath.parse(other)
        return (
            self
            if path.is_root
            else Uri(self.scheme, self.host, f"{self.path.rstrip('/')}/{path}", self.query, self.user_info, self.has_authority)
        )

    @property
    def text(self) -> str:
        """The address as text, percent-encoded, without user info."""
        netloc = "//" + self.host if self.host or self.has_authority or self.scheme == "file" else ""
        options = "?" + "&".join(f"{quote(k)}={quote(v)}" for k, v in self.query.items()) if self.query else ""
        return f"{self.scheme}:{netloc}{quote(self.path)}{options}"

    def __str__(self) -> str:
        return self.text


@frozen
class RunsUri:
    """`runs:/<run id>/<path>`: an artifact of a run."""

    run_id: str
    path: ArtifactPath

    @classmethod
    def parse(cls, text: str) -> RunsUri:
        """Raises InvalidUri or InvalidPath."""
        run_id, _, path = _after_scheme(text, "runs").partition("/")
        if not run_id:
            raise InvalidUri(f"{text!r} names no run; the form is runs:/<run id>/<path>")
        return cls(run_id, ArtifactPath.parse(path))

    def __str__(self) -> str:
        return f"runs:/{self.run_id}/{self.path}".removesuffix("/")


@frozen
class ModelsUri:
    """`models:/<name>/<version or stage or latest>` or `models:/<name>@<alias>`: a registered model's version.

    Exactly one of `version`, `stage`, `alias` is set, or none of them for `latest`.
    """

    name: str
    version: str | None = None
    stage: str | None = None
    alias: str | None = None

    @classmethod
    def parse(cls, text: str) -> ModelsUri:
        """Raises InvalidUri."""
        rest = _after_scheme(text, "models")
        name, at, alias = rest.partition("@")
        if at and name and alias and "/" not in rest:
            return cls(name, alias=alias)
        parts = rest.split("/")
        if len(parts) == 2 and all(part.strip() for part in parts):
            name, what = parts
            if what.isdecimal():
                return cls(name, version=str(int(what)))
            return cls(name) if what.lower() == "latest" else cls(name, stage=what)
        raise InvalidUri(
            f"{text!r} is not a model address; the forms are models:/<name>/<version>, models:/<name>/latest, models:/<name>/<stage> "
            "and models:/<name>@<alias>"
        )

    def __str__(self) -> str:
        return f"models:/{self.name}" + (f"@{self.alias}" if self.alias else f"/{self.version or self.stage or 'latest'}")


def _after_scheme(text: str, scheme: str) -> str:
    head, _, rest = text.partition(":")
    if head != scheme or not rest.startswith("/"):
        raise InvalidUri(f"{text!r} is not a {scheme}:/ address")
    return unquote(rest.lstrip("/"))


def join_segments(segments: Iterable[str]) -> ArtifactPath:
    """An ArtifactPath from single names, each checked on its own (a `/` inside a name is refused)."""
    return ArtifactPath(tuple(_checked_segment(segment, segment) for segment in segments))

"""Addresses and artifact paths, parsed once at the edge into values that cannot be misread later.

`Uri` is any address that drupe follows; `ArtifactPath` a place below some root. The text forms are never passed on. The
meaning of `runs:/` and `models:/` is parsed here; *resolving* them is for `drupe.artifacts`, and file paths are opened by
the artifact plugins.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from attrs import field, frozen

from drupe.errors import InvalidPath, InvalidUri

__all__ = ["ArtifactPath", "ModelsUri", "RunsUri", "Uri", "below", "inside_of", "join_segments", "redact", "redact_options"]

_HOST = re.compile(r"([^\s/?#@:\[\]%\\]+|\[[0-9a-f:.]+(%\w+)?\])?(:\d+)?")
_SCHEME = re.compile(r"[a-z][a-z0-9+.\-]*")
_DRIVE = re.compile(r"[a-zA-Z]:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PLAIN_SEGMENT = re.compile(r"\w[\w .+=@,-]{0,254}", re.ASCII)
"""Names that no check has anything to say about: nothing encoded in them, and neither blank nor dots alone."""
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_RUN_ID = re.compile(r"[a-zA-Z0-9][\w-]{0,255}")
_USER_INFO = re.compile(r"(?<=://)[^/\s?#]*@")  # up to the last @: passwords hold unescaped ones
_SECRET_OPTION = re.compile(
    r"([?&](?:sig|key|[^=&\s]{0,99}(?:password|passwd|pwd|secret|token|access_?key|api_?key|signature|credential)[^=&\s]{0,99})=)(?!\$\{)[^&\s]*",
    re.IGNORECASE,
)  # ${NAME} is no secret
_VERSION_DIGITS_MAX = 18  # fits 64 bits
_PATH_MAX, _SEGMENT_MAX_BYTES = 4096, 255  # what file systems take; it also bounds the work of decoding again and again


def redact(text: str) -> str:
    """`text` with what is secret in any address in it replaced by `***`: user and password, options such as `?token=`. For messages and logs."""
    return redact_options(_USER_INFO.sub("***@", text))


def redact_options(text: str) -> str:
    """`text` with the values of options such as `?token=` replaced by `***`; user info stays."""
    return _SECRET_OPTION.sub(r"\1***", text)


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
        if len(text) > _PATH_MAX:
            raise InvalidPath(f"artifact path of {len(text)} characters; at most {_PATH_MAX}", limit=_PATH_MAX)
        if text.startswith("/") or _DRIVE.match(text):
            what = "is absolute" if text.startswith("/") else "starts with a drive"
            raise InvalidPath(f"artifact path {text!r} {what}; give it relative to the run, such as 'plots/roc.png'", path=text)
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
    if _PLAIN_SEGMENT.fullmatch(segment):
        return segment
    if _CONTROL.search(segment):
        raise InvalidPath(f"artifact path {whole!r} holds control characters", path=whole)
    if _SURROGATE.search(segment):
        raise InvalidPath(f"artifact path {whole!a} is not valid Unicode", path=whole)
    if len(segment.encode()) > _SEGMENT_MAX_BYTES:
        raise InvalidPath(f"artifact path {whole!r} has a name longer than {_SEGMENT_MAX_BYTES} bytes", path=whole)
    form, times = segment, 0
    while True:
        # Names with a % in them are in use: log_image writes the step between two, so `%2500%` is step 2500 and no NUL twice encoded.
        holds_nul = "\x00" in form and times < 2
        if not form.strip() or form in (".", "..") or "/" in form or "\\" in form or holds_nul:
            raise InvalidPath(
                f"artifact path {whole!r} is refused at {segment!r}: a path may not hold empty, blank, . or .. parts, nor backslashes, "
                "plain or percent-encoded",
                path=whole,
            )
        decoded = unquote(form, errors="surrogateescape")
        if decoded == form:
            return segment
        form, times = decoded, times + 1


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
            return cls("file", path=_absolute(str(text), str(text)))  # no ~ here: a Path was made by a program
        if not isinstance(text, str) or not text.strip():
            raise InvalidUri(f"an address is needed, got {text!r}")
        shown = redact(text)
        if text != text.strip():
            raise InvalidUri(f"address {shown!r} starts or ends with blanks")
        if _CONTROL.search(text):
            raise InvalidUri(f"address {shown!r} holds control characters")
        if _DRIVE.match(text) or text.startswith(("\\\\", "//")):
            raise InvalidUri(f"address {shown!r} is a drive or network share, which is not supported; use a plain path or a URI")
        scheme, colon, rest = text.partition(":")
        if not colon or not _SCHEME.fullmatch(scheme.lower()):
            return cls("file", path=_absolute(os.path.expanduser(text), shown))
        scheme = scheme.lower()
        try:
            parts = urlsplit(f"{scheme}:{rest}")
            host = parts.hostname or ""
            host = f"[{host}]" if ":" in host else host
            host = host if parts.port is None else f"{host}:{parts.port}"
        except ValueError as fault:
            raise InvalidUri(f"address {shown!r} cannot be read: {fault}") from fault
        if not _HOST.fullmatch(host):
            raise InvalidUri(
                f"address {shown!r} names the host {host!r}; hosts are letters, digits, '.', '-', '_' or a bracketed IPv6 address"
            )
        login = parts.netloc.rpartition("@")[0]
        if login and not user_info:
            raise InvalidUri(f"address {shown!r} carries a user or password; give credentials through settings or the environment instead")
        if parts.query and not query:
            raise InvalidUri(f"address {shown!r} may not have a query (?…)")
        if parts.fragment or "#" in rest:
            raise InvalidUri(f"address {shown!r} may not have a fragment (#…); write %23 for a # in a name")
        path = unquote(parts.path, errors="surrogateescape")
        if _CONTROL.search(path) or _SURROGATE.search(path):
            raise InvalidUri(f"address {shown!a} holds control characters, or bytes that are not UTF-8")
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        if scheme == "file":
            if host and host != "localhost":
                raise InvalidUri(f"address {shown!r} names the host {host!r}; file addresses are local: file:///{path.lstrip('/')}")
            if ".." in path.split("/"):
                raise InvalidUri(f"address {shown!r} climbs with ..; give the resolved path")
            if not path:
                raise InvalidUri(f"address {shown!r} has no path; the form is file:///folder/name")
            if path.startswith("//"):
                raise InvalidUri(f"address {shown!r} is a network share, which is not supported; use a plain path or a URI")
            return cls("file", path=_absolute(path, shown), query=options)
        return cls(scheme, host, path, options, login, rest.startswith("//"))

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


def _absolute(text: str, shown: str) -> str:
    if _CONTROL.search(text) or _SURROGATE.search(text):
        raise InvalidUri(f"path {shown!a} holds control characters, or bytes that are not UTF-8")
    if _DRIVE.match(text.lstrip("/")):
        raise InvalidUri(f"path {shown!r} is on a drive, which is not supported; use a plain path or a URI")
    return "/" + os.path.abspath(text).lstrip("/")


@frozen
class RunsUri:
    """`runs:/<run id>/<path>`: an artifact of a run."""

    run_id: str
    path: ArtifactPath

    @classmethod
    def parse(cls, text: str) -> RunsUri:
        """Raises InvalidUri or InvalidPath."""
        run_id, _, path = _after_scheme(text, "runs").partition("/")
        if not _RUN_ID.fullmatch(run_id):
            raise InvalidUri(f"{text!r} names no run; the form is runs:/<run id>/<path>, and run ids use letters, digits, _ and -")
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
        name, at, alias = rest.rpartition("@")
        if at and name and alias and "/" not in rest:
            return cls(name, alias=alias)
        parts = rest.split("/")
        if len(parts) == 2 and all(part.strip() for part in parts):
            name, what = parts
            if what.isascii() and what.isdecimal() and len(what) > _VERSION_DIGITS_MAX:
                raise InvalidUri(f"a version of {len(what)} digits does not exist; the form is models:/{name}/<version>")
            if what.isascii() and what.isdecimal():
                return cls(name, version=what.lstrip("0") or "0")
            return cls(name) if what.lower() == "latest" else cls(name, stage=what)
        raise InvalidUri(
            f"{text!r} is not a model address; the forms are models:/<name>/<version>, models:/<name>/latest, models:/<name>/<stage> "
            "and models:/<name>@<alias>"
        )

    def __str__(self) -> str:
        return f"models:/{self.name}" + (f"@{self.alias}" if self.alias else f"/{self.version or self.stage or 'latest'}")


def _after_scheme(text: str, scheme: str) -> str:
    head, _, rest = text.partition(":") if isinstance(text, str) else ("", "", "")
    if head.lower() != scheme or not rest.startswith("/"):
        raise InvalidUri(f"{text!r} is not a {scheme}:/ address")
    return rest.lstrip("/")  # taken as it stands: MLflow decodes nothing here, and names with a % are in use


def join_segments(segments: Iterable[str]) -> ArtifactPath:
    """An ArtifactPath from single names, each checked on its own (a `/` inside a name is refused)."""
    return ArtifactPath(tuple(_checked_segment(segment, segment) for segment in segments))


def below(address: str, path: ArtifactPath | str) -> str:
    """The address of a path below an address, in the spelling of that one: encoded unless it is a plain path of a file system."""
    return f"{address.rstrip('/')}/{quote(str(path)) if _is_encoded(address) else path}"


def inside_of(address: str, root: str) -> ArtifactPath | None:
    """The path that leads from `root` to `address`, as `below` has made it; None when it is not below. Raises InvalidPath."""
    start = f"{root.rstrip('/')}/"
    if not address.startswith(start):
        return None
    rest = address[len(start) :]
    return ArtifactPath.parse(unquote(rest) if _is_encoded(root) else rest)


def _is_encoded(address: str) -> bool:
    scheme, colon, _ = address.partition(":")
    return bool(colon) and _SCHEME.fullmatch(scheme.lower()) is not None

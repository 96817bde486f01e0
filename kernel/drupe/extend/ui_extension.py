"""The contract of UI extensions: what a plugin adds to the pages of the web UI.

An extension is an ES module in the plugin's package and a few words on where it belongs, all of it data: nothing of it runs in Python. What
the module exports and is given is on docs/reference/extend/ui_extensions.md. The conformance kit is `drupe.testing.ui_extensions`.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterator
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path

from attrs import frozen

__all__ = ["UiExtension", "UiPlace"]

FILE_KINDS = (".css", ".js", ".json", ".mjs", ".svg", ".woff2")
MOST_FILES = 200
MOST_BYTES = 5_000_000
TITLE_MAX = 40
PATTERN_MAX = 100
_PATTERN = re.compile(r"(?!.*[*]{2})(?:[^\\/\x00-\x1f]+/)*[^\\/\x00-\x1f]+")
_MEDIA_TYPE = re.compile(r"[a-z]+/(?:\*|[a-z0-9.+-]+)")


class UiPlace(StrEnum):
    """Where an extension is shown."""

    RUN_TAB = "run-tab"
    """A tab of a run's page."""
    ARTIFACT_VIEWER = "artifact-viewer"
    """Shows the files that `matches` or `media_types` name."""
    CHART = "chart"
    """A part below the charts of one or several runs."""
    REGISTRY_PANEL = "registry-panel"
    """A part of the page of a model version."""


@frozen
class UiExtension:
    """`title` is what people read; `module` is the path of an ES module inside `package`, in a folder of its own that is served with it.

    Of artifact viewers only: `matches` are patterns of file names such as `*.geojson`, or of paths such as `reports/*.json`, in which `*` and `?`
    stand for anything but a slash; `media_types` such as `image/tiff` or `image/*` stand for the endings that Python's `mimetypes` knows for
    them. Letter case does not matter. Files of more than `max_bytes` are not given to the viewer; None sets no limit.
    """

    place: UiPlace
    title: str
    package: str
    module: str
    matches: tuple[str, ...] = ()
    media_types: tuple[str, ...] = ()
    max_bytes: int | None = None

    def faults(self) -> list[str]:
        """Everything wrong with this extension, in words. Looks at the files."""
        is_viewer = self.place is UiPlace.ARTIFACT_VIEWER
        wanted = (*self.matches, *self.media_types)
        checks = {
            f"place must be a UiPlace, got {self.place!r:.100}": isinstance(self.place, UiPlace),
            f"title must have 1 to {TITLE_MAX} characters, got {self.title!r:.100}": isinstance(self.title, str)
            and 0 < len(self.title.strip()) <= TITLE_MAX,
            "an artifact viewer says which files it shows by `matches` or `media_types`": bool(wanted) or not is_viewer,
            "only artifact viewers have `matches`, `media_types` and `max_bytes`": is_viewer or (not wanted and self.max_bytes is None),
            f"max_bytes must be a positive number of bytes, got {self.max_bytes!r}": self.max_bytes is None
            or (isinstance(self.max_bytes, int) and self.max_bytes > 0),
        }
        found = [fault for fault, holds in checks.items() if not holds]
        found += [f"{one!r:.120} is no pattern of names or paths, such as '*.geojson'" for one in self.matches if not _is_pattern(one)]
        found += [
            f"no file ending is known for the media type {one!r:.120}; say it by `matches`"
            for one in self.media_types
            if not (_MEDIA_TYPE.fullmatch(one) and _endings_of(one))
        ]
        return found + self._file_faults()

    def patterns(self) -> list[tuple[str, int]]:
        """Which paths it shows: regular expressions to search in a path without regard to case, each with the number of characters that it fixes.

        Of several viewers the one that fixes more comes first; one that fixes none does not come before a built-in one. A media type counts as 1.
        """
        found = [(_expression(one), len(re.sub(r"[*?]", "", one))) for one in self.matches]
        return found + [(rf"\.(?:{'|'.join(map(re.escape, _endings_of(one)))})$", 1) for one in self.media_types]

    def folder(self) -> Path | None:
        """The folder of the module, whose files are served; None where there is no such package. The package is not imported."""
        try:
            spec = find_spec(self.package)
        except (ImportError, ValueError):
            return None
        return Path(spec.origin).parent.joinpath(self.module).parent if spec is not None and spec.origin else None

    def files(self) -> dict[str, Path]:
        """Every file that browsers may ask for, by its path in the folder: those of known kinds, but for hidden ones and links that lead away."""
        folder = self.folder()
        if folder is None or not folder.is_dir():
            return {}
        return dict(sorted(_files_in(folder)))

    def _file_faults(self) -> list[str]:
        parts = self.module.split("/")
        if len(parts) < 2 or any(part in ("", ".", "..") for part in parts) or not self.module.endswith((".js", ".mjs")):
            return [
                f"module must be the path of a .js or .mjs file in a folder of {self.package}, such as 'ui/viewer.js': {self.module!r:.120}"
            ]
        if self.folder() is None:
            return [f"there is no package {self.package!r:.100}"]
        files = self.files()
        if parts[-1] not in files:
            return [f"{self.package} has no file {self.module}"]
        size = sum(path.stat().st_size for path in files.values())
        if len(files) > MOST_FILES or size > MOST_BYTES:
            return [f"the folder of {self.module} has {len(files)} files of {size} bytes; up to {MOST_FILES} of {MOST_BYTES} are served"]
        return []


def _files_in(folder: Path) -> Iterator[tuple[str, Path]]:
    home = folder.resolve()
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        is_hidden = any(part.startswith(".") for part in name.parts)
        if path.suffix in FILE_KINDS and path.is_file() and not is_hidden and path.resolve().is_relative_to(home):
            yield name.as_posix(), path


def _is_pattern(text: str) -> bool:
    is_short = isinstance(text, str) and 0 < len(text) <= PATTERN_MAX and text.count("*") <= 4
    return is_short and _PATTERN.fullmatch(text) is not None and not any(part in (".", "..") for part in text.split("/"))


def _expression(pattern: str) -> str:
    start = "^" if "/" in pattern else "(?:^|/)"
    return start + "".join({"*": "[^/]*", "?": "[^/]"}.get(one) or re.escape(one) for one in pattern) + "$"


def _endings_of(media_type: str) -> list[str]:
    """File endings without their dot, of the types that Python itself knows: what a machine's own tables add does not count."""
    known = mimetypes.MimeTypes().types_map[1] | mimetypes.MimeTypes().types_map[0]
    family = media_type.removesuffix("*")
    return sorted(ending[1:] for ending, kind in known.items() if kind == media_type or (family != media_type and kind.startswith(family)))

"""What a backup holds: `manifest.json`, written last, with the size and the SHA-256 of everything else.

manifest.json
database                what the store's plugin wrote
artifacts/0/…           the files below the first address that experiments, runs and models keep theirs at, and so on
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from drupe.errors import StoreCorrupt
from drupe.uris import ArtifactPath

__all__ = ["DATABASE", "MANIFEST", "BackupFile", "BackupManifest"]

MANIFEST, DATABASE = "manifest.json", "database"
FORMAT = 1


@frozen
class BackupFile:
    """One file of a backup: its name in it, its size, its SHA-256."""

    name: str
    size: int
    sha256: str


@frozen
class BackupManifest:
    """`kind` is the scheme of the store's address, `place` what it was called, `schema` the version of its tables; `made_at` is UTC.

    `roots` are the addresses of artifacts by the number of their folder.
    """

    kind: str
    place: str
    schema: int
    made_at: str
    release: str
    files: tuple[BackupFile, ...]
    roots: Mapping[str, str] = field(factory=dict)

    @property
    def size(self) -> int:
        """The bytes of all files."""
        return sum(file.size for file in self.files)

    def artifacts(self) -> list[tuple[BackupFile, str, ArtifactPath]]:
        """The files that are artifacts, each with the address of its root and its path below that. Raises InvalidPath."""
        found = []
        for file in self.files:
            folder, _, rest = file.name.partition("/")
            number, _, path = rest.partition("/")
            if folder == "artifacts" and number in self.roots:
                found.append((file, self.roots[number], ArtifactPath.parse(path)))
        return found

    def to_text(self) -> str:
        """The text of manifest.json."""
        told = {
            "format": FORMAT,
            "store": {"kind": self.kind, "place": self.place, "schema": self.schema},
            "made_at": self.made_at,
            "release": self.release,
            "artifact_roots": dict(self.roots),
            "files": [{"name": file.name, "bytes": file.size, "sha256": file.sha256} for file in self.files],
        }
        return json.dumps(told, indent=1) + "\n"

    @classmethod
    def from_text(cls, text: str, place: str) -> BackupManifest:
        """Read manifest.json. Raises StoreCorrupt."""
        try:
            told: Any = json.loads(text)
            if told["format"] != FORMAT:
                raise StoreCorrupt(f"{place}: this backup has format {told['format']!r}; this release reads {FORMAT}", path=place)
            store = told["store"]
            files = tuple(BackupFile(str(one["name"]), int(one["bytes"]), str(one["sha256"])) for one in told["files"])
            roots = {str(number): str(address) for number, address in told["artifact_roots"].items()}
            return cls(str(store["kind"]), str(store["place"]), int(store["schema"]), told["made_at"], told["release"], files, roots)
        except (ValueError, KeyError, TypeError, AttributeError) as fault:
            raise StoreCorrupt(f"{place}: the manifest of this backup cannot be read: {fault!r}", path=place) from fault

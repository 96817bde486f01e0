"""Artifacts that only a tracking server can reach, as repositories for reading."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from drupe.entities import FileInfo
from drupe.errors import InvalidPath, NotFound, StoreReadOnly, StoreUnavailable
from drupe.extend import ArtifactRepo
from drupe.uris import ArtifactPath, Uri
from drupe_import_mlflow.http import Connection

__all__ = ["ProxiedFiles", "RunFiles"]

MOST = 1_000_000  # a server that lists without end is not followed without end


class _ReadOnly(ArtifactRepo):
    def __init__(self, connection: Connection, root: Uri) -> None:
        self._connection, self.root, self._listed = connection, root, 0

    @classmethod
    def open(cls, uri: Uri, settings: Any = None) -> Self:
        raise StoreReadOnly("the artifacts of a server are read while it is imported, and not opened by themselves")

    def put_file(self, source: Path, path: ArtifactPath) -> None:
        raise StoreReadOnly("an import writes nothing to its source")

    def delete(self, path: ArtifactPath) -> None:
        raise StoreReadOnly("an import deletes nothing of its source")

    def is_file(self, path: ArtifactPath) -> bool:
        return any(info.path == str(path) and not info.is_dir for info in self.list(path.parent))

    def _checked(self, answer: dict[str, Any], folder: ArtifactPath, *, is_relative: bool) -> list[FileInfo]:
        found = []
        for entry in answer.get("files", ()):
            name, size = str(entry.get("path", "")), entry.get("file_size")
            path = folder / name if is_relative else ArtifactPath.parse(name)
            if path.parent != folder or path.is_root:
                raise InvalidPath(f"the listing of {str(folder)!r} names {name!r:.200}, which does not lie directly in it")
            is_dir = bool(entry.get("is_dir"))
            found.append(FileInfo(str(path), is_dir, None if is_dir or size is None else int(size)))
        self._listed += len(found)
        if self._listed > MOST:
            raise StoreUnavailable(f"{self.root.text} lists more than {MOST} files")
        return sorted(found)


class RunFiles(_ReadOnly):
    """The artifacts of one run, wherever the server keeps them."""

    def __init__(self, connection: Connection, root: Uri, run_id: str) -> None:
        super().__init__(connection, root)
        self._run_id = run_id

    def list(self, path: ArtifactPath = ArtifactPath()) -> list[FileInfo]:  # noqa: B008 - a frozen value
        found: list[FileInfo] = []
        token: str | None = None
        while True:
            asked = {"run_id": self._run_id, "run_uuid": self._run_id, "path": str(path) or None, "page_token": token}
            answer = self._connection.get("artifacts/list", **{name: value for name, value in asked.items() if value})
            found += self._checked(answer, path, is_relative=False)
            token = answer.get("next_page_token")
            if not token:
                return found

    def get_file(self, path: ArtifactPath, target: Path) -> None:
        self._connection.fetch_of_run(self._run_id, path, target)


class ProxiedFiles(_ReadOnly):
    """A folder of the server's artifact proxy."""

    def __init__(self, connection: Connection, root: Uri, folder: ArtifactPath) -> None:
        super().__init__(connection, root)
        self._folder = folder

    def list(self, path: ArtifactPath = ArtifactPath()) -> list[FileInfo]:  # noqa: B008 - a frozen value
        try:
            answer = self._connection.list_proxied(ArtifactPath(self._folder.segments + path.segments))
        except NotFound:
            return []
        return self._checked(answer, path, is_relative=True)

    def get_file(self, path: ArtifactPath, target: Path) -> None:
        self._connection.fetch_proxied(ArtifactPath(self._folder.segments + path.segments), target)

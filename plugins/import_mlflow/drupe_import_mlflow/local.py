"""What a path names: a folder is a file store, a file is a SQLite database."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from drupe.errors import StoreUnavailable
from drupe.extend import ImportSource
from drupe.lazy import load
from drupe.uris import Uri
from drupe_import_mlflow.file_store import FileStore

__all__ = ["LocalSource"]

SQLITE = b"SQLite format 3\x00"


class LocalSource(FileStore):
    """The source at a plain path."""

    @classmethod
    def open(cls, uri: Uri, settings: Any = None) -> ImportSource:  # type: ignore[override]  # of whichever kind it is
        path = Path(uri.path)
        if path.is_dir():
            return FileStore.open(uri, settings)
        if not path.is_file():
            raise StoreUnavailable(f"{path} is not there", path=str(path))
        with path.open("rb") as stream:
            if stream.read(len(SQLITE)) != SQLITE:
                raise StoreUnavailable(f"{path} is neither a folder mlruns nor a SQLite database", path=str(path))
        database = load("drupe_import_mlflow.database:DatabaseSource")  # only now: a file store needs no SQLAlchemy
        opened: ImportSource = database.open(Uri.parse(f"sqlite:///{quote(str(path.resolve()))}"), settings)
        return opened

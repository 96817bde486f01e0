"""The address of a SQLite store to the file it means: `sqlite:///runs.db`, `sqlite:////data/runs.db`, as in SQLAlchemy."""

from __future__ import annotations

import os
from pathlib import Path

from drupe.errors import InvalidUri
from drupe.uris import Uri

__all__ = ["artifact_root_for", "database_file", "journals_of"]

_FORMS = "sqlite:///runs.db (in the working folder) or sqlite:////data/runs.db (absolute)"


def database_file(uri: Uri, *, folder: Path | None = None) -> Path:
    """The absolute path of the file; a relative one starts at `folder`, by default the working folder. Raises InvalidUri."""
    if uri.scheme != "sqlite":
        raise InvalidUri(f"address {uri.text!r} is not one of a SQLite file; the forms are {_FORMS}")
    name = uri.path.removeprefix("/")
    if name in ("", ":memory:"):
        raise InvalidUri(
            f"address {uri.text!r} means a database in memory, which would be lost with its connection; give a file: {_FORMS}. "
            "A test can use a temporary folder"
        )
    if uri.host or not uri.has_authority or not uri.path.startswith("/"):
        raise InvalidUri(f"address {uri.text!r} does not name a file; the forms are {_FORMS}")
    if not os.path.isabs(name):  # only then: the working folder of a long-lived process may be gone
        name = os.path.join(folder or Path.cwd(), name)
    return Path(os.path.normpath(name))


def artifact_root_for(file: Path, configured: str | None) -> str:
    """The address below which new experiments keep their artifacts."""
    if configured:
        return Uri.parse(configured).text.rstrip("/")
    return Uri.parse(file.with_name(f"{file.stem}-artifacts")).text


def journals_of(uri: Uri) -> Path:
    """The folder beside the file for what is logged and not in it yet."""
    file = database_file(uri)
    return file.with_name(f"{file.stem}-journals")

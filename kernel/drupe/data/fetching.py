"""Bringing the file at an address to this machine, by the plugin that serves its scheme."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from attrs import frozen

from drupe.artifacts.progress import BIG_BYTES, progress_bar
from drupe.errors import InvalidUri
from drupe.extend.dataset_source import DatasetSource
from drupe.loading import catalog
from drupe.settings import settings
from drupe.uris import Uri, redact

__all__ = ["FetchedFile", "fetch", "file_name", "open_source"]

HOOK = "drupe_dataset_sources"


@frozen
class FetchedFile:
    """A file on this machine, and the SHA-256 of its bytes."""

    path: Path
    sha256: str
    size_bytes: int


def open_source(address: str | Path) -> DatasetSource:
    """The opened source at an address. Raises NoProvider and its like, InvalidUri, InvalidSettings."""
    uri = Uri.parse(address, query=True)
    if uri.scheme != "file":
        _check_is_exact(str(address), uri)
    entry = catalog().find(HOOK, uri.scheme)
    implementation: type[DatasetSource] = entry.load()
    return implementation.open(uri, entry.options(settings(), query={}, given={}))


def fetch(address: str | Path, folder: Path | None = None) -> FetchedFile:
    """The file at `address` in `folder`, which is made if need be; None: in place if it is local, else in a new temporary folder."""
    source = open_source(address)
    source.stat()  # says what is wrong before anything is made
    place = source.local_path()
    if place is None or folder is not None:
        folder = Path(tempfile.mkdtemp(prefix="drupe-dataset-")) if folder is None else folder
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / file_name(source.uri)
        try:
            with progress_bar(f"fetching {target.name}", from_bytes=BIG_BYTES) as bar:
                source.download(target, lambda done, total: bar(done, total, "") if bar and total else None)
        except BaseException:
            if not any(folder.iterdir()):
                shutil.rmtree(folder, ignore_errors=True)
            raise
        place = target
    with place.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    return FetchedFile(place, digest, place.stat().st_size)


def file_name(uri: Uri) -> str:
    """The name that a file at this address gets: the last part of its path, which never leads elsewhere."""
    name = uri.path.rstrip("/").rpartition("/")[2].replace("\\", "_").strip()
    return "dataset" if name in ("", ".", "..") else name[-200:]


def _check_is_exact(text: str, uri: Uri) -> None:
    """Refuse addresses that would become others by being parsed: options that repeat, encoded slashes."""
    given, kept = urlsplit(text), urlsplit(uri.text)
    same_options = parse_qsl(given.query, keep_blank_values=True) == parse_qsl(kept.query, keep_blank_values=True)
    if not same_options or [unquote(part) for part in given.path.split("/")] != [unquote(part) for part in kept.path.split("/")]:
        raise InvalidUri(f"address {redact(text)!r} repeats an option or holds an encoded slash, which is not supported; download it first")

"""Opening a store for a server: alone on its database file, with answers that survive a power cut, and files below one root."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

from drupe.errors import InvalidSettings, StoreBusy, StoreError
from drupe.extend import TrackingStore
from drupe.tracking.address import tracking_store
from drupe.tracking.journal.places import journals_root, state_folder
from drupe.uris import ArtifactPath, Uri, redact
from drupe_server_rest.places import Places
from drupe_server_rest.settings import ServerSettings

__all__ = ["address_of", "alone", "is_shared", "places_of", "stores"]

LOCK = "server.lock"
NOTHING = "drupe-server-looks-for-nothing"


def address_of(store: str, settings: ServerSettings) -> str:
    """The address of the store with what the server wants of it as options."""
    options = {"durability": settings.durability} | ({"artifact_root": settings.artifacts} if settings.artifacts else {})
    has = Uri.parse(store, query=True, user_info=True).query
    wanted = "&".join(f"{name}={quote(value, safe='/:')}" for name, value in options.items() if name not in has)
    return f"{store}{'&' if has else '?'}{wanted}" if wanted else store


def stores(store: str, settings: ServerSettings) -> tuple[str, TrackingStore]:
    """The address in use, and the opened store. A store that knows no durability is opened as it is. Raises StoreError, InvalidUri."""
    address = address_of(store, settings)
    try:
        return address, tracking_store(address)
    except InvalidSettings:
        if settings.artifacts:
            raise
        return store, tracking_store(store)


def places_of(address: str, tracking: TrackingStore, settings: ServerSettings) -> Places:
    """The root of the artifacts: the one that is given, or where the default experiment has its folder. Raises StoreError.

    Of a store that is another server, that server is the proxy of the files, too.
    """
    root = settings.artifacts or tracking.get_experiment("0").artifact_location.rpartition("/")[0]
    if root.startswith("mlflow-artifacts:"):
        server = Uri.parse(address, query=True, user_info=True)
        if server.scheme not in ("http", "https"):
            raise StoreError(
                "this store does not say where its files are: its experiments name a proxy. Say it with: drupe server --artifacts FOLDER"
            )
        root = f"mlflow-artifacts://{server.host}/"
    parsed = Uri.parse(root, query=True)
    places = Places(f"{parsed.text}?durability={settings.durability}" if parsed.scheme == "file" and not parsed.query else root)
    if places.repo.local_path() is None:
        places.repo.list(ArtifactPath.parse(NOTHING))  # a storage that cannot be used is told now, and not to the first client
    return places


def is_shared(store: str) -> bool:
    """True for a store that is elsewhere than in a file on this machine, and so is made for several servers."""
    return state_folder() in journals_root(store).parents


@contextmanager
def alone(store: str) -> Iterator[None]:
    """Nobody else serves this store meanwhile, where it is a file on this machine. Raises StoreBusy that names who does."""
    if is_shared(store):
        yield
        return
    root = journals_root(store)
    with contextlib.ExitStack() as kept:
        try:
            root.mkdir(parents=True, exist_ok=True)
            handle = os.open(root / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError:  # a read-only place: nothing is written there by two either
            yield
            return
        kept.callback(os.close, handle)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as fault:
            other = os.pread(handle, 100, 0).decode(errors="replace").strip()
            raise StoreBusy(
                f"{redact(store)} is served already{f', by {other}' if other else ''}. Point clients there, or stop it first"
            ) from fault
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"process {os.getpid()}\n".encode(), 0)
        kept.callback(os.ftruncate, handle, 0)
        yield

"""Which stores this process talks to: addresses from calls, environment and settings, and the opened stores behind them.

Opened stores are shared by the whole process, one per address. What they do with files and connections is their own affair.
"""

from __future__ import annotations

import os
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, cast

from drupe.errors import InvalidUri, StoreUnavailable
from drupe.loading import catalog
from drupe.settings import settings
from drupe.tracking.journal import outbox
from drupe.tracking.journal.adoption import adopt
from drupe.tracking.journal.places import forget_roots, journals_root
from drupe.tracking.offline import OfflineStore, settle_experiment
from drupe.uris import Uri, redact

if TYPE_CHECKING:
    from drupe.extend import RegistryStore, TrackingStore

__all__ = [
    "close_stores",
    "get_registry_uri",
    "get_tracking_uri",
    "is_tracking_uri_set",
    "missing_default",
    "registry_store",
    "set_registry_uri",
    "set_tracking_uri",
    "sources_of",
    "store_class",
    "tracking_store",
]

DEFAULT_FILE = "drupe.db"
ESCAPES = {ord("%"): "%25", ord("?"): "%3F", ord("#"): "%23"}  # signs in a folder's name that mean something else in an address

_chosen: dict[str, str] = {}
_default: Path | None = None
_opened: dict[tuple[str, str], object] = {}
_offline: dict[str, OfflineStore] = {}
_lock = RLock()


def set_tracking_uri(uri: str | Path) -> None:
    """Talk to the store at `uri` from now on, in the whole process; an empty text goes back to the settings.

    `sqlite:///relative.db` and `sqlite:////absolute.db` are files on this machine. The store is opened by the first call that needs it.
    """
    _choose("tracking_uri", uri)


def get_tracking_uri() -> str:
    """The address in use: `set_tracking_uri`, else DRUPE_TRACKING_URI or MLFLOW_TRACKING_URI, else drupe.toml, else ./drupe.db."""
    return _chosen.get("tracking_uri") or str(settings().get("tracking_uri") or "") or _default_address()


def is_tracking_uri_set() -> bool:
    """True when an address was chosen by a call, the environment or a settings file."""
    return bool(_chosen.get("tracking_uri") or settings().get("tracking_uri"))


def missing_default() -> Path | None:
    """The file that the first use of the default store would make; None when it is there already, or when an address was chosen."""
    return None if is_tracking_uri_set() or _default_file().exists() else _default_file()


def sources_of(address: str) -> set[str]:
    """Who chose this address, as far as it is in use: `call`, an environment variable, a settings file, `default` for ./drupe.db."""
    found = set()
    for key, used in (("tracking_uri", get_tracking_uri()), ("registry_uri", get_registry_uri())):
        setting = settings().value(key)
        if used != address:
            continue
        if key in _chosen:
            found.add("call")
        elif setting.value:
            found.add(setting.source)
        elif key == "tracking_uri":
            found.add("default")
    return found


def set_registry_uri(uri: str | Path) -> None:
    """Keep registered models at another address than runs; an empty text goes back to the tracking store's."""
    _choose("registry_uri", uri)


def get_registry_uri() -> str:
    """The address of the registry in use; the tracking store's unless one was chosen."""
    return _chosen.get("registry_uri") or str(settings().get("registry_uri") or "") or get_tracking_uri()


def tracking_store(uri: str | None = None, *, adopting: bool = True) -> TrackingStore:
    """The opened tracking store at `uri`, or at `get_tracking_uri()`; the journals beside it with the setting `offline`.

    When it is opened, it gets what processes that died have left in their journals, if `adopting`. Raises InvalidUri, NoProvider, StoreError.
    """
    address = uri or get_tracking_uri()
    if settings().get("offline"):
        return _offline.get(address) or _offline.setdefault(address, OfflineStore(address, None))
    return cast("TrackingStore", _open("drupe_tracking_stores", address, adopting=adopting))


def registry_store(uri: str | None = None) -> RegistryStore:
    """The opened registry store at `uri`, or at `get_registry_uri()`. Raises InvalidUri, NoProvider, StoreError."""
    return cast("RegistryStore", _open("drupe_registry_stores", uri or get_registry_uri()))


def store_class(uri: str) -> tuple[type[TrackingStore], Uri, Any]:
    """What would open the tracking store at `uri`, with its arguments, for work on a store that may be too damaged to be opened."""
    address = _parse(uri)
    implementation, options = catalog().prepare("drupe_tracking_stores", address)
    return implementation, address, options


def close_stores() -> None:
    """Ship what is in the journals, close every store that this process has opened, and forget the chosen addresses."""
    global _default
    outbox.close_all()
    forget_roots()
    with _lock:
        for store in _opened.values():
            cast("TrackingStore", store).close()
        _opened.clear()
        _offline.clear()
        _chosen.clear()
        _default = None


def _choose(what: str, uri: str | Path) -> None:
    text = str(uri)
    if text:
        _parse(text)  # refuse what cannot be an address now, not at the first log call
        _chosen[what] = text
    else:
        _chosen.pop(what, None)


def _open(hook: str, text: str, *, adopting: bool = False) -> object:
    key = (hook, text)
    found = _opened.get(key)
    if found is None:
        with _lock:
            found = _opened.get(key)
            if found is None:
                found = catalog().open(hook, _parse(text))
                if adopting:
                    adopt(
                        journals_root(text), cast("TrackingStore", found), prepare=settle_experiment(lambda: cast("TrackingStore", found))
                    )
                _opened[key] = found
    return found


def _parse(text: str) -> Uri:
    uri = Uri.parse(text, query=True, user_info=True)
    if uri.scheme == "file":
        raise InvalidUri(
            f"{redact(text)!r} is a file path; runs are kept in a database file, so give sqlite:///{uri.path.removesuffix('/')}/{DEFAULT_FILE}"
        )
    return uri


def _default_address() -> str:
    return f"sqlite:///{str(_default_file()).translate(ESCAPES)}"


def _default_file() -> Path:
    """`./drupe.db`, fixed at first use so that a later chdir does not split a process's runs over two files."""
    global _default
    if _default is None:
        try:
            _default = Path.cwd() / DEFAULT_FILE
        except FileNotFoundError as fault:
            raise StoreUnavailable(
                f"{DEFAULT_FILE} would stand in the working folder, which was deleted; change to another folder, or name a store: "
                "DRUPE_TRACKING_URI=sqlite:////absolute/path.db"
            ) from fault
    return _default


def _after_fork() -> None:
    global _lock
    _lock = RLock()  # another thread of the parent may have been opening a store


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

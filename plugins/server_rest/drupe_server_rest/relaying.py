"""Passing on what another server tells: where the store is one, its changes are those of this server, too.

The other server is listened to once, whoever listens here, with the credentials that this server has, and only while somebody listens here:
who trains through this server and looks at nothing costs no stream.

Where others may write to the store and nobody tells of it, as on MLflow's servers, listeners are told `unheard` now and then, and look themselves.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Mapping
from contextlib import suppress

from drupe.errors import DrupeError, UnsupportedFeature
from drupe.extend import Feature, TrackingStore
from drupe_server_rest.changes import Changes

__all__ = ["Relay"]

PAUSE_S, PAUSE_MAX_S = 0.25, 10.0
STEADY_S = 10.0
LINGER_S = 30.0
"""So long the other server is listened to for nobody: a page that is loaded anew need not wait."""

LOOK_S = 30.0
"""How often listeners are to look where nothing is told; MLflow's own pages do it as often."""

MISSED, UNHEARD = {"kind": "missed"}, {"kind": "unheard"}
log = logging.getLogger("drupe.server")


class Relay:
    """The changes of one store, told on to the listeners here until `close`.

    Does nothing for a store that tells of none and that nobody else writes to; `is_shared` says that others may.
    """

    def __init__(self, store: TrackingStore, changes: Changes, *, is_shared: bool = True, look_s: float = LOOK_S) -> None:
        self._store, self._changes, self._look_s = store, changes, look_s
        self._over = threading.Event()
        self._is_lost = False
        can_listen = bool(store.features.get(Feature.CHANGES))
        if can_listen or is_shared:
            threading.Thread(target=self._run if can_listen else self._remind, name="drupe-changes", daemon=True).start()

    def close(self) -> None:
        """Tell no more. A thread that waits for the other server is not waited for."""
        self._over.set()
        self._changes.is_wanted.set()

    # --- in the thread

    def _remind(self) -> None:
        while self._is_wanted():
            if not self._over.wait(self._look_s):
                self._hear(UNHEARD)

    def _is_wanted(self) -> bool:
        """Wait until somebody listens; false when it is over."""
        self._changes.is_wanted.wait()
        return not self._over.is_set()

    def _run(self) -> None:
        pause = PAUSE_S
        while self._is_wanted():
            began = time.monotonic()
            try:
                self._listen()
            except DrupeError as fault:
                if not self._is_lost:
                    log.warning("the changes of the store are not heard, and tried again: %s", fault.message)
                self._is_lost = True
                if isinstance(fault, UnsupportedFeature):  # something on the way keeps it back
                    self._over.wait(self._look_s)
                    self._hear(UNHEARD)
            except Exception:  # whatever a store of somebody else raises: this thread must not end with it
                log.exception("the changes of the store are not heard")
            # what is cut short again and again, as by a proxy, must not keep pages reading anew
            pause = PAUSE_S if time.monotonic() - began > STEADY_S else min(2 * pause, PAUSE_MAX_S)
            self._over.wait(random.uniform(pause / 2, pause))

    def _listen(self) -> None:
        told = self._store.changes()
        self._hear(MISSED)  # what has changed since the pages were loaded
        if self._is_lost:
            log.warning("the changes of the store are heard again")
        self._is_lost = False
        wanted_at = time.monotonic()
        for change in told:
            if self._over.is_set():
                return
            if change is not None:
                self._hear(change)
            if self._changes.is_wanted.is_set():
                wanted_at = time.monotonic()
            elif time.monotonic() - wanted_at > LINGER_S:
                return

    def _hear(self, change: Mapping[str, str]) -> None:
        with suppress(RuntimeError):  # the loop has ended meanwhile
            self._changes.hear(change)

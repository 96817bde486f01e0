"""How much is kept, by experiment and among the artifacts: measured when somebody asks, in a thread of its own, while pages show how far it is.

A large store has millions of files, so what was measured is kept until it is measured again, and the walk rests as long as it works.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from threading import Event, Lock, Thread
from typing import Any

from attrs import asdict, define, evolve, field, frozen

from drupe.entities import Experiment, ViewType, each
from drupe.errors import DrupeError
from drupe.extend import Access, ServedStore, WebReply, WebRequest, WebRoute
from drupe.search import Kind, parse
from drupe.uris import ArtifactPath
from drupe_ui_web.replies import json_reply

__all__ = ["Storage"]

FILES_MAX = 2_000_000
SHOWN = 100
PAGE = 1000
REST_MAX_S = 0.25
CLOSE_MAX_S = 5.0  # one question to the store or its files may take longer; the thread is left to it then
_EXPERIMENTS = parse(Kind.EXPERIMENTS)


@frozen
class _Kept:
    """One experiment, and what is kept of it."""

    experiment_id: str
    name: str
    runs: int
    points: int | None
    point_bytes: int | None


@frozen
class _Artifacts:
    """All files; `is_whole` is false where there were too many to be counted."""

    files: int = 0
    bytes: int = 0
    is_whole: bool = True


@define
class _Measured:
    """How far a measuring is. `state` is never, running, done or failed; times are ms since the epoch.

    `is_told` is false where the store does not tell what it keeps of an experiment, as of one that is another server.
    """

    state: str = "never"
    began: int | None = None
    ended: int | None = None
    experiments: int = 0
    looked_at: int = 0
    is_told: bool = True
    kept: list[_Kept] = field(factory=list)
    artifacts: _Artifacts | None = None
    reason: str = ""


class Storage:
    """The routes about what is kept. `close` ends a measuring that goes on."""

    def __init__(self, store: ServedStore) -> None:
        self._store = store
        self._lock, self._stop = Lock(), Event()
        self._now = _Measured()
        self._thread: Thread | None = None

    def routes(self, root: str) -> Sequence[WebRoute]:
        """The routes, below `root`."""
        return [
            WebRoute("GET", f"{root}/storage", self.told),
            WebRoute("POST", f"{root}/storage/measure", self.measure, Access.READ),  # it only reads, however long
        ]

    def close(self) -> None:
        """End the measuring, if one goes on."""
        self._stop.set()
        thread = self._thread
        if thread is not None:
            thread.join(CLOSE_MAX_S)

    def told(self, request: WebRequest) -> WebReply:
        """What was measured last, or how far it is; the experiments that take most first."""
        with self._lock:
            kept = sorted(self._now.kept, key=lambda one: (-(one.point_bytes or 0), -one.runs, one.name))
            return json_reply(asdict(evolve(self._now, kept=kept[:SHOWN])))

    def measure(self, request: WebRequest) -> WebReply:
        """Begin, unless one goes on already."""
        with self._lock:
            if self._now.state != "running" and not self._stop.is_set():
                self._now = _Measured("running", began=_now_ms())
                self._thread = Thread(target=self._run, name="drupe-ui-storage", daemon=True)
                self._thread.start()
        return self.told(request)

    def _run(self) -> None:
        try:
            self._measure_experiments()
            self._measure_artifacts()
            self._note(state="done", ended=_now_ms())
        except DrupeError as fault:
            self._note(state="failed", ended=_now_ms(), reason=fault.message)
        except Exception as fault:  # a database's or file system's own: a thread has nobody else to tell it to
            self._note(state="failed", ended=_now_ms(), reason=f"it could not be measured: {type(fault).__name__}")

    def _measure_experiments(self) -> None:
        tracking = self._store.tracking
        found: list[Experiment] = list(
            each(
                lambda limit, token: tracking.search_experiments(_EXPERIMENTS, view=ViewType.ALL, limit=limit, page_token=token),
                page_size=PAGE,
            )
        )
        self._note(experiments=len(found))
        for place, one in enumerate(found, start=1):
            began = time.monotonic()
            kept = tracking.experiment_storage(one.experiment_id)
            with self._lock:
                self._now.looked_at = place
                if kept is None:
                    self._now.is_told = False
                elif kept.runs:
                    self._now.kept.append(_Kept(one.experiment_id, one.name, kept.runs, kept.points, kept.point_bytes))
            if self._rests(began):
                return

    def _measure_artifacts(self) -> None:
        repo, root = self._store.files("mlflow-artifacts:/")
        folders, files, size = [root], 0, 0
        while folders and files < FILES_MAX:
            began = time.monotonic()
            for one in repo.list(folders.pop()):
                if one.is_dir:
                    folders.append(ArtifactPath.parse(one.path))
                else:
                    files, size = files + 1, size + (one.file_size or 0)
            self._note(artifacts=_Artifacts(files, size, is_whole=False))
            if self._rests(began):
                return
        self._note(artifacts=_Artifacts(files, size, is_whole=not folders))

    def _rests(self, began: float) -> bool:
        """Let others have the processor for as long as was worked; true when the server ends."""
        return self._stop.wait(min(time.monotonic() - began, REST_MAX_S))

    def _note(self, **changes: Any) -> None:
        with self._lock:
            self._now = evolve(self._now, **changes)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000

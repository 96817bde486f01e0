"""Ids that were chosen here, and those that an MLflow server gave to the same runs.

Such a server chooses ids itself. A run that was begun while it was away has one already, so that is kept in a private tag of the run.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from drupe.entities import LifecycleStage, Run, ViewType, limits
from drupe.errors import InvalidName, InvalidValue, NotFound, RunNotFound, WrongLifecycle
from drupe.wire import tracking as wire
from drupe_store_http.link import Link
from drupe_store_http.walking import all_of

__all__ = ["ID_TAG", "PARENT_TAG", "POSITION_TAG", "PRIVATE", "RunIds", "experiment_ids"]

PRIVATE = "mlflow.drupe."
"""Tags that begin so are the store's own; MLflow's pages do not show them, and readers of the store do not see them."""
ID_TAG = f"{PRIVATE}run_id"
POSITION_TAG = f"{PRIVATE}position."
PARENT_TAG = "mlflow.parentRunId"
MOST_KNOWN = 10_000
PAGE = 1000


class RunIds:
    """The server's id of each run that was asked for lately."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._known: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()

    def note(self, run_id: str, server_id: str) -> str:
        """Remember what a run is called there."""
        with self._lock:
            self._known[run_id] = server_id
            if len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)
        return server_id

    def there(self, run_id: str) -> str:
        """What a run is called there. Raises RunNotFound."""
        known = self._known.get(run_id)
        return known if known is not None else self.read(run_id).info.run_id

    def read(self, run_id: str) -> Run:
        """The run of either id, as the server tells it. Raises RunNotFound."""
        try:
            limits.check_run_id(run_id)
        except InvalidName as fault:
            raise RunNotFound(f"there is no run {run_id[:60]!r}", run_id=run_id[:60]) from fault
        try:
            run = self._get(self._known.get(run_id, run_id))
        except RunNotFound:
            found = self.chosen_here(run_id, experiment_ids(self._link))
            if found is None:
                raise
            run = found
        self.note(run_id, run.info.run_id)
        return run

    def chosen_here(self, run_id: str, experiments: Iterable[str]) -> Run | None:
        """The run that was begun under this id, if there is one in these experiments; the oldest, should there be several."""
        asked = wire.SearchRuns(
            experiment_ids=tuple(experiments),
            filter=f"tags.`{ID_TAG}` = '{limits.check_run_id(run_id)}'",
            run_view_type=ViewType.ALL,
            max_results=1,
            order_by=("start_time ASC", "run_id ASC"),
        )
        runs: tuple[Run, ...] = self._link.ask("POST runs/search", asked).runs if asked.experiment_ids else ()
        return runs[0] if runs else None

    @contextmanager
    def in_active_run(self, there: str) -> Iterator[None]:
        """Tell a refusal because of a deleted run from all others. Raises WrongLifecycle."""
        try:
            yield
        except InvalidValue as fault:
            if type(fault) is not InvalidValue or self.read(there).info.lifecycle_stage is not LifecycleStage.DELETED:
                raise
            raise WrongLifecycle(f"run {there} is deleted; restore it first", run_id=there) from fault

    def _get(self, run_id: str) -> Run:
        run: Run = self._link.ask("GET runs/get", wire.GetRun(run_id=run_id), missing=RunNotFound).run
        return run


def experiment_ids(link: Link) -> tuple[str, ...]:
    """All experiments of a server, deleted ones too."""

    def page(token: str | None) -> tuple[tuple[str, ...], str | None]:
        found = link.ask("POST experiments/search", wire.SearchExperiments(PAGE, token, view_type=ViewType.ALL), missing=NotFound)
        return tuple(one.experiment_id for one in found.experiments), found.next_page_token or None

    return tuple(all_of(page))

"""What runs experiments have, for stores that can say it no better than by counting and searching."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from drupe.entities import ExperimentActivity, ViewType
from drupe.search.parse import parse
from drupe.search.query import Kind

if TYPE_CHECKING:
    from drupe.extend.tracking_store import TrackingStore

__all__ = ["activity_one_by_one"]


def activity_one_by_one(store: TrackingStore, experiment_ids: Sequence[str], view: ViewType) -> dict[str, ExperimentActivity]:
    """See `TrackingStore.experiment_activity`."""
    newest_first = parse(Kind.RUNS)
    told: dict[str, ExperimentActivity] = {}
    for experiment_id in experiment_ids:
        count = store.count_runs(newest_first, experiment_ids=[experiment_id], view=view)
        found = store.search_runs(newest_first, experiment_ids=[experiment_id], view=view, limit=1, summaries=False) if count else []
        told[experiment_id] = ExperimentActivity(count, found[0].info.start_time if found else None)
    return told

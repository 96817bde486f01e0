"""Moving runs to another experiment, as functions of a session: the runs, and whatever repeats in which experiment they are.

Params, tags and series do, so that searches within experiments read one index. Datasets are described once per experiment: runs are tied to
those of the new one, and those that nobody uses any more go. Journals know runs by their ids, and are not touched.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Update, bindparam, select, update

from drupe.errors import RunNotFound
from drupe_store_sql import experiments, inputs, removal
from drupe_store_sql.session import Session
from drupe_store_sql.statements import held, stretch
from drupe_store_sql.tables import logged_models, params, runs, series, tags

__all__ = ["home_of", "move"]

_HOME = select(runs.c.experiment).where(runs.c.id == bindparam("number"))
_ASKED = held(select(runs.c.id, runs.c.run_id, runs.c.experiment).where(stretch(runs.c.run_id)).order_by(runs.c.id))
_MODELS = (
    update(logged_models)
    .where(
        stretch(logged_models.c.source_run_id),
        logged_models.c.experiment == select(runs.c.experiment).where(runs.c.run_id == logged_models.c.source_run_id).scalar_subquery(),
    )
    .values(experiment=bindparam("home"))
)
_RUNS: Sequence[Update] = (
    update(runs).where(stretch(runs.c.id)).values(experiment=bindparam("home")),
    *(update(table).where(stretch(table.c.run)).values(experiment=bindparam("home")) for table in (params, tags, series)),
)


def home_of(session: Session, number: int) -> str:
    """The id of the experiment in which a run is."""
    row = session.row(_HOME, number=number)
    assert row is not None
    return str(row[0])


def move(session: Session, run_ids: Sequence[str], experiment_id: str) -> None:
    """See TrackingStore.move_runs."""
    home = experiments.require_active(session, experiment_id, for_more=True)[0]
    found = session.among(_ASKED, run_ids)
    missing = set(run_ids) - {run_id for _, run_id, _ in found}
    if missing:
        first = next(run_id for run_id in run_ids if run_id in missing)
        more = f", and {len(missing) - 1} others are unknown too" if len(missing) > 1 else ""
        raise RunNotFound(f"no run has the id {first[:60]!r}{more}; none was moved", run_id=first[:300])
    moved = [row for row in found if row[2] != home]
    if not moved:
        return
    numbers = [number for number, _, _ in moved]
    session.run(_MODELS, home=home, members=session.dialect.pack([run_id for _, run_id, _ in moved]))
    for statement in _RUNS:
        session.run(statement, home=home, members=session.dialect.pack(numbers))
    inputs.move(session, numbers, home)
    removal.unused_datasets(session, {before for _, _, before in moved})

"""Which logged models a run uses and which it has made."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import select, text

from drupe.entities import ModelInput, ModelOutput, RunOutputs
from drupe_store_sql import logged_models
from drupe_store_sql.session import Session
from drupe_store_sql.statements import stretch
from drupe_store_sql.tables import logged_model_ties, logged_models as table

__all__ = ["read", "tie_inputs", "tie_outputs"]

_ADD = text(
    "INSERT INTO logged_model_ties (run, is_output, model, step) VALUES (:run, :is_output, :model, :step) "
    "ON CONFLICT (run, is_output, model) DO NOTHING"
)
_OF_RUNS = (
    select(logged_model_ties.c.run, logged_model_ties.c.is_output, table.c.id, table.c.model_id, logged_model_ties.c.step)
    .join(table, table.c.id == logged_model_ties.c.model)
    .where(stretch(logged_model_ties.c.run))
)


def tie_inputs(session: Session, run: int, models: Sequence[ModelInput]) -> None:
    """See TrackingStore.log_model_inputs. The run is known to be active."""
    numbers = [logged_models.require(session, one.model_id) for one in models]
    session.many(_ADD, [{"run": run, "is_output": 0, "model": number, "step": 0} for number in numbers])


def tie_outputs(session: Session, run: int, models: Sequence[ModelOutput]) -> None:
    """See TrackingStore.log_outputs. The run is known to be active."""
    numbers = [logged_models.require(session, one.model_id) for one in models]
    session.many(
        _ADD, [{"run": run, "is_output": 1, "model": number, "step": one.step} for number, one in zip(numbers, models, strict=True)]
    )


def read(session: Session, run_numbers: Collection[int]) -> dict[int, tuple[tuple[ModelInput, ...], RunOutputs]]:
    """What these runs use and have made, in the order in which the models were created; runs without any are left out."""
    used: dict[int, list[ModelInput]] = {}
    made: dict[int, list[ModelOutput]] = {}
    for run, is_output, _, model_id, step in sorted(session.among(_OF_RUNS, run_numbers)):
        if is_output:
            made.setdefault(run, []).append(ModelOutput(model_id, step))
        else:
            used.setdefault(run, []).append(ModelInput(model_id))
    return {run: (tuple(used.get(run, ())), RunOutputs(tuple(made.get(run, ())))) for run in {*used, *made}}

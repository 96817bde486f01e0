"""What a shipper hands to a store, and what it gets back: parcels of one writer's journal, and signs of life.

A *writer* is one journal: one process that logs to one run. Positions count what that journal holds, from 0; a parcel covers a half-open
range of them, and the store remembers up to where it has taken a writer's parcels. That is what makes sending one again harmless.
"""

from __future__ import annotations

from attrs import field, frozen

from drupe.entities.enums import RunStatus
from drupe.entities.logged_models import NewLoggedModel
from drupe.entities.runs import DatasetInput, LogBatch, ModelInput, ModelOutput, NewRun

__all__ = ["Heartbeat", "Origin", "ParamClash", "Parcel", "Receipt"]


@frozen
class Origin:
    """Where the content of a parcel comes from: the positions `start` to `end`, the latter exclusive, of one writer's journal.

    `writer` has the form of a run id (letters, digits, `_`, `-`, at most 256) and is never used for two journals.
    """

    writer: str
    start: int
    end: int


@frozen
class ParamClash:
    """A param that was logged with another value before. `kept` is the value that stays, `refused` the one of the parcel."""

    key: str
    kept: str
    refused: str


@frozen
class Parcel:
    """All that one range of a journal does to one run, written by a store as a whole or not at all.

    In this order: `new` creates the run where it is not there yet, `models` are created with the ids that they have, `removed_tags` go (those
    that are not set are no fault), the run is tied to `model_inputs` and `model_outputs`, `batch` is logged, `inputs` are tied, and `status` and
    `end_time` change.
    """

    run_id: str
    origin: Origin
    new: NewRun | None = None
    batch: LogBatch = field(factory=LogBatch)
    removed_tags: tuple[str, ...] = ()
    inputs: tuple[DatasetInput, ...] = ()
    status: RunStatus | None = None
    end_time: int | None = None
    models: tuple[NewLoggedModel, ...] = ()
    model_inputs: tuple[ModelInput, ...] = ()
    model_outputs: tuple[ModelOutput, ...] = ()


@frozen
class Receipt:
    """What became of a parcel. `is_repeat` when the store had it already and did nothing; `clashes` are the params that it did not take."""

    clashes: tuple[ParamClash, ...] = ()
    is_repeat: bool = False


@frozen
class Heartbeat:
    """A sign of life of one writer of a run: `at_ms` by the writer's clock, the next one due `interval_ms` later.

    `boot_id` names the boot of `host`, so that a reader there knows whether `pid` can still be that process.
    """

    run_id: str
    writer: str
    at_ms: int
    interval_ms: int
    host: str
    pid: int
    boot_id: str

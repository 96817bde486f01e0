"""The closed word lists of the domain, under MLflow's spellings."""

from __future__ import annotations

from enum import IntEnum, StrEnum

__all__ = ["Access", "LifecycleStage", "LoggedModelStatus", "ModelVersionStatus", "RunStatus", "SourceType", "Stage", "Stat", "ViewType"]


class Access(StrEnum):
    """What a request does to what is kept, which is what a policy decides by."""

    READ = "read"
    WRITE = "write"
    DELETE = "delete"


class RunStatus(StrEnum):
    """Where a run is in its life; the last three are ends."""

    RUNNING = "RUNNING"
    SCHEDULED = "SCHEDULED"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"

    @property
    def has_ended(self) -> bool:
        """True for FINISHED, FAILED and KILLED."""
        return self in (RunStatus.FINISHED, RunStatus.FAILED, RunStatus.KILLED)


class LifecycleStage(StrEnum):
    """Whether an experiment or run is in use or in the trash."""

    ACTIVE = "active"
    DELETED = "deleted"


class ViewType(IntEnum):
    """Which lifecycle stages a search looks at."""

    ACTIVE_ONLY = 1
    DELETED_ONLY = 2
    ALL = 3

    def shows(self, stage: LifecycleStage) -> bool:
        """True when something in `stage` is visible in this view."""
        if self is ViewType.ALL:
            return True
        return (stage == LifecycleStage.ACTIVE) == (self is ViewType.ACTIVE_ONLY)


class SourceType(StrEnum):
    """What kind of program made a run (tag `mlflow.source.type`)."""

    NOTEBOOK = "NOTEBOOK"
    JOB = "JOB"
    PROJECT = "PROJECT"
    LOCAL = "LOCAL"
    RECIPE = "RECIPE"
    UNKNOWN = "UNKNOWN"


class Stage(StrEnum):
    """The four fixed stages of a model version."""

    NONE = "None"
    STAGING = "Staging"
    PRODUCTION = "Production"
    ARCHIVED = "Archived"


class ModelVersionStatus(StrEnum):
    """Whether a version's files are in place."""

    PENDING_REGISTRATION = "PENDING_REGISTRATION"
    FAILED_REGISTRATION = "FAILED_REGISTRATION"
    READY = "READY"


class LoggedModelStatus(StrEnum):
    """Whether a logged model's files are in place. On the wire the words are longer; see `codec`."""

    PENDING = "PENDING"
    READY = "READY"
    FAILED = "FAILED"


class Stat(StrEnum):
    """What a metric series can be summarised to; `LAST` is what MLflow calls the metric's value."""

    LAST = "last"
    FIRST = "first"
    MIN = "min"
    MAX = "max"
    MEAN = "mean"
    COUNT = "count"

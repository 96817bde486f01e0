"""Values as MLflow's stores have them, to values of drupe. What is of the wrong kind raises `Damaged` with words for a person."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from drupe.entities import LifecycleStage, LoggedModelStatus, ModelVersionStatus, Points, RunStatus, Stage

__all__ = [
    "DELETED_VERSION",
    "Damaged",
    "add_point",
    "files_of",
    "lifecycle",
    "logged_model_status",
    "mapping",
    "number",
    "run_status",
    "stage",
    "text",
    "text_of",
    "version_status",
]

DELETED_VERSION = "Deleted_Internal"
"""The stage in which MLflow keeps a version that was deleted, so that its number is not used again."""

_STATUSES = {1: RunStatus.RUNNING, 2: RunStatus.SCHEDULED, 3: RunStatus.FINISHED, 4: RunStatus.FAILED, 5: RunStatus.KILLED}
_MODEL_STATUSES = {1: LoggedModelStatus.PENDING, 2: LoggedModelStatus.READY, 3: LoggedModelStatus.FAILED}
_MODEL = "models:/m-"
_SHOWN = 60


class Damaged(Exception):
    """Something of the source is not what MLflow writes. The text says what, and what is wrong with it."""


def text(value: Any) -> str:
    """A text; nothing is an empty one."""
    return "" if value is None else value if isinstance(value, str) else str(value)


def text_of(found: Mapping[str, Any], key: str) -> str:
    """A text that has to be there."""
    value = found.get(key)
    if value is None or value == "" or isinstance(value, dict | list):
        raise Damaged(f"its {key} is missing")
    return text(value)


def number(value: Any, what: str) -> int | None:
    """A whole number, or None for nothing."""
    if value is None:
        return None
    if isinstance(value, str) and value.strip().lstrip("-").isdecimal() and len(value) < _SHOWN:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value or abs(value) >= 2**63 or int(value) != value:
        raise Damaged(f"its {what} is {str(value)[:_SHOWN]!r}, which is no whole number")
    return int(value)


def mapping(value: Any, what: str) -> dict[str, Any]:
    """A map with texts as keys."""
    if not isinstance(value, dict):
        raise Damaged(f"{what} is no map of names to values")
    return {text(key): entry for key, entry in value.items()}


def run_status(value: Any) -> RunStatus:
    """A status, by MLflow's number or name."""
    try:
        return _STATUSES[value] if isinstance(value, int) else RunStatus(text(value))
    except (KeyError, ValueError):
        raise Damaged(f"its status is {str(value)[:_SHOWN]!r}, which MLflow does not have") from None


def logged_model_status(value: Any) -> LoggedModelStatus:
    """The status of a logged model, by MLflow's number."""
    try:
        return _MODEL_STATUSES[int(value)]
    except (KeyError, TypeError, ValueError):
        raise Damaged(f"its status is {str(value)[:_SHOWN]!r}, which MLflow does not have") from None


def files_of(source: str, storage: str, logged: Collection[str]) -> str:
    """The source of a version, but where its files are if it names a logged model that cannot be read."""
    return storage if storage and source.startswith(_MODEL) and source.removeprefix("models:/") not in logged else source


def lifecycle(value: Any) -> LifecycleStage:
    """A lifecycle stage; nothing means active."""
    try:
        return LifecycleStage(text(value) or "active")
    except ValueError:
        raise Damaged(f"its lifecycle_stage is {str(value)[:_SHOWN]!r}, which MLflow does not have") from None


def stage(value: Any) -> Stage:
    """The stage of a version; nothing means None."""
    try:
        return Stage(text(value) or Stage.NONE.value)
    except ValueError:
        raise Damaged(f"its stage is {str(value)[:_SHOWN]!r}, which MLflow does not have") from None


def version_status(value: Any) -> ModelVersionStatus:
    """Whether the files of a version are in place; nothing means that they are."""
    try:
        return ModelVersionStatus(text(value) or ModelVersionStatus.READY.value)
    except ValueError:
        raise Damaged(f"its status is {str(value)[:_SHOWN]!r}, which MLflow does not have") from None


def add_point(points: Points, step: int, timestamp: int, value: float) -> None:
    """Append a point. Raises Damaged when its numbers do not fit 64 bits, and leaves the columns as they were."""
    if not (-(2**63) <= step < 2**63 and -(2**63) <= timestamp < 2**63):
        raise Damaged("a number does not fit 64 bits")
    points.append(step, timestamp, value)

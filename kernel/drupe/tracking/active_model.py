"""Which logged model is meant where a call does not say: what this thread or task has set, else what the settings name.

Only the choice; looking models up and making them is for `drupe.models.fluent`.
"""

from __future__ import annotations

from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any

from attrs import define, fields

from drupe.entities import LoggedModel
from drupe.settings import settings

__all__ = ["ActiveModel", "activate", "chosen", "clear_active_model", "forget", "get_active_model_id"]

_NOT_ASKED = "?"
chosen: ContextVar[str | None] = ContextVar("drupe_active_model", default=_NOT_ASKED)
"""The id, None for no model; `_NOT_ASKED` until somebody asks, since the settings may name one."""


@define(slots=False, eq=False)
class _Hold:
    token: Token[str | None] | None = None


class ActiveModel(LoggedModel):
    """A logged model that is the active one; as a context manager it is so inside the block only."""

    _hold: _Hold

    def __enter__(self) -> ActiveModel:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None) -> None:
        token = self._hold.token
        if token is not None:
            self._hold.token = None
            chosen.reset(token)


def activate(model: LoggedModel) -> ActiveModel:
    """Make a logged model the active one of this thread or task."""
    told: dict[str, Any] = {field.name: getattr(model, field.name) for field in fields(LoggedModel)}
    active = ActiveModel(**told)
    get_active_model_id()  # so that leaving a block goes back to what the settings say
    object.__setattr__(active, "_hold", _Hold(chosen.set(model.model_id)))
    return active


def get_active_model_id() -> str | None:
    """The id of the active model of this thread or task: what `set_active_model` has set, else DRUPE_ACTIVE_MODEL_ID; None when there is none."""
    found = chosen.get()
    if found == _NOT_ASKED:
        found = str(settings().get("active_model_id") or "") or None
        chosen.set(found)
    return found


def forget() -> None:
    """Ask the settings again; for tests and notebooks that start over."""
    chosen.set(_NOT_ASKED)


def clear_active_model() -> None:
    """Have no active model in this thread or task, whatever the settings say."""
    chosen.set(None)

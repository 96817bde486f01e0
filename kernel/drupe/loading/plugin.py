"""One installed plugin and what became of it, as values: nothing here imports or judges, see `loader`."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from drupe.loading.entry import Entry

__all__ = ["Plugin", "State"]


class State(Enum):
    """What became of a plugin."""

    ACTIVE = "active"
    DISABLED = "disabled"
    REFUSED = "refused"
    BROKEN = "broken"


class Plugin:
    """`module` is its front door; `reason` says why it is not active and `advice` what would help; `fault` is what was raised, if anything.

    `front` is the imported front door, `entries` what it offers, `load_ms` the time that importing and asking it took, `reports` what its
    moment hooks did wrong since.
    """

    __slots__ = (
        "advice",
        "api",
        "distribution",
        "entries",
        "fault",
        "front",
        "load_ms",
        "module",
        "name",
        "reason",
        "reports",
        "state",
        "version",
    )

    def __init__(self, name: str, module: str, distribution: str = "", version: str = "") -> None:
        self.name, self.module, self.distribution, self.version = name, module, distribution, version
        self.state = State.ACTIVE
        self.reason = self.advice = ""
        self.api: str | None = None
        self.fault: BaseException | None = None
        self.front: Any = None
        self.entries: list[Entry] = []
        self.load_ms = 0.0
        self.reports: list[str] = []

    def __repr__(self) -> str:
        return f"<Plugin {self.name} {self.state.value}>"

    @property
    def is_active(self) -> bool:
        """True when its hooks are called and its offers can be used."""
        return self.state is State.ACTIVE

    def stop(self, state: State, reason: str, *, advice: str = "", fault: BaseException | None = None) -> None:
        """Say that it is not active after all, and why."""
        self.state, self.reason, self.advice, self.fault = state, reason, advice, fault

"""What the page asks, read from its form: each value checked, so that the rooms behind need not. What a value means is for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import frozen

from drupe.entities import ViewType
from drupe.errors import InvalidQuery, InvalidValue
from drupe.search import Entity, Field, Kind, parse
from drupe.search.query import OrderBy, Query
from drupe.search.render import render_order

__all__ = ["DURATION", "Question", "field_named", "name_of", "names_of", "number", "question", "text", "texts", "view_named"]

DURATION = "duration"
"""How long runs took: no field of the query language, and yet what people sort by."""

EXPERIMENTS_MAX = 10_000
NAMES_MAX = 2000
_VIEWS = {"active": ViewType.ACTIVE_ONLY, "deleted": ViewType.DELETED_ONLY, "all": ViewType.ALL}


@frozen
class Question:
    """Which runs, in which order. `order` is an entry of an order text or empty; `group` the name of a param, tag or attribute, or empty."""

    experiments: tuple[str, ...]
    filter: str = ""
    order: str = ""
    view: ViewType = ViewType.ACTIVE_ONLY
    group: str = ""
    pinned: tuple[str, ...] = ()

    @property
    def by_duration(self) -> bool:
        """True when the order is that of durations."""
        return self.order.partition(" ")[0] == DURATION

    @property
    def is_descending(self) -> bool:
        """True when the highest come first."""
        return self.order.upper().endswith(" DESC")

    @property
    def param(self) -> Field | None:
        """The param that is sorted by. The query language compares params as texts, where 10 comes before 2; people mean numbers."""
        if not self.order or self.by_duration:
            return None
        field = parse(Kind.RUNS, None, [self.order]).order[0].field
        return field if field.entity is Entity.PARAM else None

    def query(self) -> Query:
        """The question as a query, without an order that the store cannot make. Raises InvalidQuery."""
        is_ordered = self.order and not self.by_duration and self.param is None
        return parse(Kind.RUNS, self.filter, [self.order] if is_ordered else [])


def question(form: dict[str, Any]) -> Question:
    """The question that a form asks. Raises InvalidValue."""
    view = view_named(text(form, "view", "active"))
    experiments = texts(form, "experiments", most=EXPERIMENTS_MAX)
    if not experiments:
        raise InvalidValue("'experiments' is empty; name the ids of at least one")
    return Question(experiments, text(form, "filter"), text(form, "order"), view, text(form, "group"), texts(form, "pinned", most=500))


def view_named(name: str) -> ViewType:
    """What of active and deleted things is asked for. Raises InvalidValue."""
    if name not in _VIEWS:
        raise InvalidValue(f"'view' must be one of {', '.join(_VIEWS)}, got {name[:40]!r}")
    return _VIEWS[name]


def text(form: dict[str, Any], name: str, default: str = "") -> str:
    """A text of a form. Raises InvalidValue."""
    found = form.get(name)
    if found is None:
        return default
    if not isinstance(found, str):
        raise InvalidValue(f"{name!r} must be a text, not {type(found).__name__}")
    return found


def texts(form: dict[str, Any], name: str, *, most: int = NAMES_MAX) -> tuple[str, ...]:
    """A list of texts of a form; each once. Raises InvalidValue."""
    found = form.get(name)
    if found is None:
        return ()
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise InvalidValue(f"{name!r} must be a list of texts")
    if len(found) > most:
        raise InvalidValue(f"{name!r} has {len(found)} entries; at most {most} are taken at once")
    return tuple(dict.fromkeys(found))


def number(form: dict[str, Any], name: str, default: int, *, least: int = 0, most: int = 1 << 40) -> int:
    """A whole number of a form. Raises InvalidValue."""
    found = form.get(name, default)
    if not isinstance(found, int) or isinstance(found, bool) or not least <= found <= most:
        raise InvalidValue(f"{name!r} must be a whole number from {least} to {most}, got {str(found)[:40]!r}")
    return found


def field_named(name: str) -> Field:
    """The field of runs that a name of the query language means. Raises InvalidQuery."""
    if not name or name.upper().endswith((" ASC", " DESC")):
        raise InvalidQuery(f"{name[:60]!r} is not the name of a field of runs")
    return parse(Kind.RUNS, None, [name]).order[0].field


def name_of(entity: Entity, key: str) -> str | None:
    """How the query language names a param, a tag or the latest value of a metric; None for a key that it cannot say."""
    try:
        return render_order((OrderBy(Field(entity, key)),))[0].removesuffix(" ASC")
    except InvalidQuery:
        return None


def names_of(entity: Entity, keys: Sequence[str]) -> list[str]:
    """The names of many keys, without those that have none."""
    return [name for name in (name_of(entity, key) for key in keys) if name is not None]

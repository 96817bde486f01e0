"""The typed query: what a filter and an order text mean, with no text left in it.

`parse` makes these values, `match` gives them their meaning in memory, the stores translate them. Logic is two-valued: a comparison
with a missing key is false (IS NULL alone is true of it), and NOT turns false into true.
"""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen

from drupe.entities.enums import Stat

__all__ = ["And", "Comparison", "Condition", "Entity", "Field", "Kind", "Not", "OnDataset", "Op", "Or", "OrderBy", "Query", "Value"]


class Kind(StrEnum):
    """What is being searched."""

    RUNS = "runs"
    EXPERIMENTS = "experiments"
    REGISTERED_MODELS = "registered models"
    MODEL_VERSIONS = "model versions"
    LOGGED_MODELS = "logged models"


class Entity(StrEnum):
    """Which part of a thing a field lives in."""

    ATTRIBUTE = "attribute"
    METRIC = "metric"
    PARAM = "param"
    TAG = "tag"
    DATASET = "dataset"


class Op(StrEnum):
    """Comparison operators. LIKE knows `%` and `_` and no escape; ILIKE ignores case; LIKE and = do not."""

    EQ = "="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    LIKE = "LIKE"
    ILIKE = "ILIKE"
    IN = "IN"
    NOT_IN = "NOT IN"
    IS_NULL = "IS NULL"
    IS_NOT_NULL = "IS NOT NULL"


Value = str | float | int | tuple[str, ...] | tuple[float, ...] | None


@frozen
class OnDataset:
    """A dataset that a metric of a logged model was measured on; without a digest, any of that name."""

    name: str
    digest: str | None = None


@frozen
class Field:
    """Something that can be compared or sorted by.

    `stat` is set for metrics only. `shadow` is the reading that MLflow gives an unquoted `metrics.loss.min`: where a thing has a metric
    of exactly that name (`loss.min`), its latest value is meant, otherwise the `stat` of `key`.

    A logged model may have a metric several times, from several runs and on several datasets. A comparison is true when it is true of any
    of them, and what is sorted by is the one of the latest time, then step, then value. `datasets` leaves only those that were measured on one
    of them; an empty `key` then stands for all metrics.
    """

    entity: Entity
    key: str
    stat: Stat | None = None
    shadow: str | None = None
    datasets: tuple[OnDataset, ...] = ()


@frozen
class Comparison:
    """`field op value`; the value is None for IS NULL and IS NOT NULL, a non-empty tuple for IN and NOT IN."""

    field: Field
    op: Op
    value: Value = None


@frozen
class And:
    """True when every part is."""

    parts: tuple[Condition, ...]


@frozen
class Or:
    """True when any part is."""

    parts: tuple[Condition, ...]


@frozen
class Not:
    """True when the part is not."""

    part: Condition


Condition = Comparison | And | Or | Not


@frozen
class OrderBy:
    """One sort key. Missing values come last in both directions, NaN just before them."""

    field: Field
    descending: bool = False


@frozen
class Query:
    """A whole search: what, which of them, in which order.

    `order` already ends with the keys that make it total, so that pages never overlap (runs: start_time descending, then run id).
    """

    kind: Kind
    where: Condition | None = None
    order: tuple[OrderBy, ...] = ()

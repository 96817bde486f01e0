"""What can be searched and sorted, for each kind of thing, as tables.

The parser, the stores and the reference pages read these; nothing here looks at text or data. Names and operators are MLflow's, and
what drupe adds to them (IN and NOT IN everywhere, IS NULL for metrics and `end_time`).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto

from attrs import field, frozen

from drupe.search.query import Entity, Field, Kind, Op, OrderBy

__all__ = ["MATCH_EXACT", "MATCH_NUMBER", "MATCH_TEXT", "NULLNESS", "SEARCHES", "Attribute", "Search", "ValueKind"]

MATCH_EXACT = (Op.EQ, Op.NE, Op.IN, Op.NOT_IN)
MATCH_TEXT = (Op.EQ, Op.NE, Op.LIKE, Op.ILIKE, Op.IN, Op.NOT_IN)
MATCH_NUMBER = (Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE, Op.IN, Op.NOT_IN)
NULLNESS = (Op.IS_NULL, Op.IS_NOT_NULL)


class ValueKind(Enum):
    """What a field is compared with, and how that is written."""

    TEXT = auto()  # quoted
    NUMBER = auto()  # bare; a 64-bit float
    TIME = auto()  # bare; ms since 1970
    WHOLE = auto()  # bare or quoted; a 64-bit integer
    ID = auto()  # quoted decimal digits; sorts as a number


@frozen
class Attribute:
    """A fixed column of a kind: `key` as in `Field.key`, `aliases` other spellings, `operators` none when it can only be sorted by."""

    key: str
    holds: ValueKind = ValueKind.TEXT
    operators: tuple[Op, ...] = MATCH_TEXT
    aliases: tuple[str, ...] = ()
    is_sortable: bool = True


@frozen
class Search:
    """Everything that a filter and an order may say about one kind."""

    kind: Kind
    words: Mapping[str, Entity]  # what may stand before the first dot
    attributes: tuple[Attribute, ...]
    operators: Mapping[Entity, tuple[Op, ...]]  # of the entities with free keys
    sortable: tuple[Entity, ...]
    default_order: tuple[OrderBy, ...]
    tie_breakers: tuple[OrderBy, ...]
    unique: tuple[frozenset[str], ...]  # attributes that decide every tie once all of a set are sorted by
    hints: Mapping[str, str] = field(factory=dict)  # names people try, and what to do instead
    has_statistics: bool = False  # of metrics, such as their lowest value

    def attribute(self, name: str) -> Attribute | None:
        """The attribute of this name or alias."""
        return next((a for a in self.attributes if name == a.key or name in a.aliases), None)


def _by(key: str, *, descending: bool = False) -> OrderBy:
    return OrderBy(Field(Entity.ATTRIBUTE, key), descending)


_RUNS = Search(
    kind=Kind.RUNS,
    words={
        "metrics": Entity.METRIC,
        "metric": Entity.METRIC,
        "params": Entity.PARAM,
        "param": Entity.PARAM,
        "parameters": Entity.PARAM,
        "parameter": Entity.PARAM,
        "tags": Entity.TAG,
        "tag": Entity.TAG,
        "attributes": Entity.ATTRIBUTE,
        "attribute": Entity.ATTRIBUTE,
        "attr": Entity.ATTRIBUTE,
        "run": Entity.ATTRIBUTE,
        "datasets": Entity.DATASET,
        "dataset": Entity.DATASET,
    },
    attributes=(
        Attribute("run_id"),
        Attribute("run_name", aliases=("run name", "Run name", "Run Name")),
        Attribute("status"),
        Attribute("user_id"),
        Attribute("artifact_uri"),
        Attribute("start_time", ValueKind.TIME, MATCH_NUMBER, aliases=("created", "Created")),
        Attribute("end_time", ValueKind.TIME, MATCH_NUMBER + NULLNESS),
    ),
    operators={
        Entity.METRIC: MATCH_NUMBER + NULLNESS,
        Entity.PARAM: MATCH_TEXT + NULLNESS,
        Entity.TAG: MATCH_TEXT + NULLNESS,
        Entity.DATASET: MATCH_TEXT,
    },
    sortable=(Entity.ATTRIBUTE, Entity.METRIC, Entity.PARAM, Entity.TAG),
    default_order=(_by("start_time", descending=True), _by("run_id")),
    tie_breakers=(_by("start_time", descending=True), _by("run_id")),
    unique=(frozenset({"run_id"}),),
    hints={
        "lifecycle_stage": "choose active or deleted runs with run_view_type",
        "experiment_id": "choose experiments with experiment_ids",
        "name": "the name of a run is run_name",
        "run_uuid": "the id of a run is run_id",
    },
    has_statistics=True,
)

_EXPERIMENTS = Search(
    kind=Kind.EXPERIMENTS,
    words={"tags": Entity.TAG, "tag": Entity.TAG, "attribute": Entity.ATTRIBUTE},
    attributes=(
        Attribute("name"),
        Attribute("experiment_id", ValueKind.ID, MATCH_EXACT),
        Attribute("creation_time", ValueKind.TIME, MATCH_NUMBER),
        Attribute("last_update_time", ValueKind.TIME, MATCH_NUMBER),
    ),
    operators={Entity.TAG: MATCH_TEXT + NULLNESS},
    sortable=(Entity.ATTRIBUTE,),
    default_order=(_by("creation_time", descending=True), _by("experiment_id")),
    tie_breakers=(_by("experiment_id", descending=True),),
    unique=(frozenset({"experiment_id"}),),
    hints={"lifecycle_stage": "choose active or deleted experiments with view_type"},
)

_REGISTRY_WORDS = {"tags": Entity.TAG, "tag": Entity.TAG, "attribute": Entity.ATTRIBUTE}
_NOT_OF_VERSIONS = "only name, run_id, source_path, version_number and tags of a version can be filtered"

_REGISTERED_MODELS = Search(
    kind=Kind.REGISTERED_MODELS,
    words=_REGISTRY_WORDS,
    attributes=(
        Attribute("name"),
        Attribute("last_updated_timestamp", ValueKind.TIME, operators=(), aliases=("timestamp",)),
    ),
    operators={Entity.TAG: MATCH_TEXT},
    sortable=(Entity.ATTRIBUTE,),
    default_order=(_by("name"),),
    tie_breakers=(_by("name"),),
    unique=(frozenset({"name"}),),
    hints={"description": "only name and tags of a model can be filtered", "aliases": "read one model to see its aliases"},
)

_MODEL_VERSIONS = Search(
    kind=Kind.MODEL_VERSIONS,
    words=_REGISTRY_WORDS,
    attributes=(
        Attribute("name"),
        Attribute("version_number", ValueKind.WHOLE, MATCH_NUMBER),
        Attribute("run_id", is_sortable=False),
        Attribute("source_path", is_sortable=False),
        Attribute("creation_timestamp", ValueKind.TIME, operators=()),
        Attribute("last_updated_timestamp", ValueKind.TIME, operators=()),
    ),
    operators={Entity.TAG: MATCH_TEXT},
    sortable=(Entity.ATTRIBUTE,),
    default_order=(_by("last_updated_timestamp", descending=True), _by("name"), _by("version_number", descending=True)),
    tie_breakers=(_by("name"), _by("version_number", descending=True)),
    unique=(frozenset({"name", "version_number"}),),
    hints={
        "version": "the number of a version is version_number",
        "source": "where a version came from is source_path",
        "current_stage": _NOT_OF_VERSIONS,
        "stage": _NOT_OF_VERSIONS,
        "status": _NOT_OF_VERSIONS,
        "description": _NOT_OF_VERSIONS,
        "aliases": _NOT_OF_VERSIONS,
    },
)

_LOGGED_MODELS = Search(
    kind=Kind.LOGGED_MODELS,
    words={"attributes": Entity.ATTRIBUTE, "metrics": Entity.METRIC, "params": Entity.PARAM, "tags": Entity.TAG},
    attributes=(
        Attribute("name"),
        Attribute("model_id"),
        Attribute("model_type", operators=MATCH_TEXT + NULLNESS),
        Attribute("status"),
        Attribute("source_run_id", operators=MATCH_TEXT + NULLNESS),
        Attribute("experiment_id", ValueKind.ID, MATCH_EXACT),
        Attribute("creation_timestamp", ValueKind.TIME, MATCH_NUMBER, aliases=("creation_time",)),
        Attribute("last_updated_timestamp", ValueKind.TIME, MATCH_NUMBER, aliases=("last_updated_time",)),
    ),
    operators={Entity.METRIC: MATCH_NUMBER + NULLNESS, Entity.PARAM: MATCH_TEXT + NULLNESS, Entity.TAG: MATCH_TEXT + NULLNESS},
    sortable=(Entity.ATTRIBUTE, Entity.METRIC),
    default_order=(_by("creation_timestamp", descending=True), _by("model_id")),
    tie_breakers=(_by("creation_timestamp", descending=True), _by("model_id")),
    unique=(frozenset({"model_id"}),),
    hints={
        "run_id": "the run that made a model is source_run_id",
        "metric": "the word is metrics",
        "param": "the word is params",
        "tag": "the word is tags",
        "attribute": "the word is attributes",
        "artifact_location": "only attributes, metrics, params and tags of a logged model can be filtered",
    },
)

SEARCHES: Mapping[Kind, Search] = {
    search.kind: search for search in (_RUNS, _EXPERIMENTS, _REGISTERED_MODELS, _MODEL_VERSIONS, _LOGGED_MODELS)
}

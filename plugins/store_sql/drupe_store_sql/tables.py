"""The tables of schema version 4, as SQLAlchemy metadata. Queries live in the rooms that own them.

Rows are tied together by integers; ids and names that people see are columns. Names of metrics, params and run tags are kept once, in
`keys`. Text compares by code point on every database. In metric columns NULL means NaN, because SQLite has no NaN; a series that does
not exist has no row. A changed table needs a step in `migrations`.

Params, tags and series repeat the experiment and the start of their run, which never change, so that an index of theirs finds the newest
runs of an experiment with a value, without a look at any other run.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.sql.elements import ColumnElement

__all__ = [
    "HEAD",
    "aliases",
    "chunks",
    "datasets",
    "deletions",
    "experiment_tags",
    "experiments",
    "head",
    "head_of",
    "heartbeats",
    "input_tags",
    "inputs",
    "keys",
    "logged_model_metrics",
    "logged_model_params",
    "logged_model_tags",
    "logged_model_ties",
    "logged_models",
    "metadata",
    "model_tags",
    "models",
    "origins",
    "params",
    "runs",
    "schema",
    "series",
    "tags",
    "version_tags",
    "versions",
]

HEAD = 64
"""How many leading characters of a param or tag value are indexed: long values would bloat the index, and PostgreSQL refuses them."""

metadata = MetaData()
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
ID = BigInteger().with_variant(Integer(), "sqlite")  # SQLite numbers rows itself only in a column declared INTEGER


def head(value: ColumnElement[str]) -> ColumnElement[str]:
    """The indexed part of a text column, spelled as in the index so that the planner recognises it."""
    return func.substr(value, text("1"), text(str(HEAD)), type_=Text())


def head_of(text_value: str) -> str:
    """What `head` makes of this text: SQLite's substr ends at a NUL."""
    return text_value.partition("\x00")[0][:HEAD]


schema = Table(
    "drupe_schema",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("applied_ms", BigInteger, nullable=False),
    Column("release", Text, nullable=False),
)

# --- experiments and runs

experiments = Table(
    "experiments",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", TEXT, nullable=False, unique=True),
    Column("artifact_location", TEXT, nullable=False),
    Column("is_deleted", SmallInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
)

experiment_tags = Table(
    "experiment_tags",
    metadata,
    Column("experiment", ForeignKey(experiments.c.id), nullable=False),
    Column("key", TEXT, nullable=False),
    Column("value", TEXT, nullable=False),
    PrimaryKeyConstraint("experiment", "key"),
    sqlite_with_rowid=False,
)

runs = Table(
    "runs",
    metadata,
    Column("id", ID, primary_key=True),
    Column("run_id", TEXT, nullable=False, unique=True),
    Column("experiment", ForeignKey(experiments.c.id), nullable=False),
    Column("name", TEXT, nullable=False),
    Column("user_id", TEXT, nullable=False),
    Column("status", TEXT, nullable=False),
    Column("start_ms", BigInteger, nullable=False),
    Column("end_ms", BigInteger),
    Column("is_deleted", SmallInteger, nullable=False),
    Column("artifact_uri", TEXT, nullable=False),
    Column("request", LargeBinary),  # digest of the NewRun that named its own id: a repeated request is answered, not refused
)
Index("runs_by_start", runs.c.is_deleted, runs.c.start_ms.desc(), runs.c.run_id, runs.c.experiment)
Index("runs_by_experiment", runs.c.experiment, runs.c.is_deleted, runs.c.start_ms.desc(), runs.c.run_id)
for _name, _column in (("end", runs.c.end_ms), ("name", runs.c.name), ("status", runs.c.status), ("user", runs.c.user_id)):
    # what lies behind the start is only there to pass over runs of others without reading them
    Index(f"runs_by_{_name}", _column, runs.c.start_ms.desc(), runs.c.is_deleted, runs.c.experiment)

keys = Table(
    "keys",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", TEXT, nullable=False, unique=True),
)


def _values(name: str) -> Table:
    table = Table(
        name,
        metadata,
        Column("run", ForeignKey(runs.c.id), nullable=False),
        Column("key", ForeignKey(keys.c.id), nullable=False),
        Column("value", TEXT, nullable=False),
        Column("experiment", BigInteger, nullable=False),
        Column("start_ms", BigInteger, nullable=False),
        PrimaryKeyConstraint("run", "key"),
        sqlite_with_rowid=False,
    )
    Index(f"{name}_by_value", table.c.key, head(table.c.value), table.c.start_ms.desc(), table.c.run, table.c.experiment)
    Index(f"{name}_long", table.c.key, info={"where": table.c.value != head(table.c.value)})  # see `statements.MakeIndex`
    return table


params = _values("params")
tags = _values("tags")

# --- metric series

series = Table(
    "series",
    metadata,
    Column("run", ForeignKey(runs.c.id), nullable=False),
    Column("key", ForeignKey(keys.c.id), nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("nans", BigInteger, nullable=False),
    Column("first", Double),
    Column("first_step", BigInteger, nullable=False),
    Column("first_ms", BigInteger, nullable=False),
    Column("last", Double),
    Column("last_step", BigInteger, nullable=False),
    Column("last_ms", BigInteger, nullable=False),
    Column("min", Double),
    Column("max", Double),
    Column("argmin", BigInteger),
    Column("argmax", BigInteger),
    Column("mean", Double),
    Column("total", LargeBinary, nullable=False),  # exact, see `exact`
    Column("tail_rows", Integer, nullable=False),
    Column("tail_points", Integer, nullable=False),
    Column("experiment", BigInteger, nullable=False),
    Column("start_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("run", "key"),
    sqlite_with_rowid=False,
)
# of the latest value alone: an index of the lowest and one of the highest would make every batch of a training run dearer by a fifth
Index("series_by_last", series.c.key, series.c.last.desc(), series.c.start_ms.desc(), series.c.run, series.c.experiment)

chunks = Table(
    "chunks",
    metadata,
    Column("id", ID, primary_key=True),
    Column("run", BigInteger, nullable=False),
    Column("key", BigInteger, nullable=False),
    Column("is_tail", SmallInteger, nullable=False),
    Column("count", Integer, nullable=False),
    Column("min_step", BigInteger, nullable=False),
    Column("max_step", BigInteger, nullable=False),
    Column("min_ms", BigInteger, nullable=False),
    Column("max_ms", BigInteger, nullable=False),
    Column("level", SmallInteger),  # of the sample; see `sampling`
    Column("sample", LargeBinary),  # before the points, so that reading it does not mean passing over them; NULL where they are few
    Column("points", LargeBinary, nullable=False),  # see `codec`
)
# all that decides which chunks a curve is read from, and whether their samples are enough for it
Index("chunks_by_step", *(chunks.c[name] for name in ("run", "key", "min_step", "max_step", "count", "level")))

# --- journals

origins = Table(
    "origins",
    metadata,
    Column("writer", TEXT, primary_key=True),
    Column("position", BigInteger, nullable=False),  # up to where the journal of that writer is here
    sqlite_with_rowid=False,
)

heartbeats = Table(
    "heartbeats",
    metadata,
    Column("run", ForeignKey(runs.c.id), nullable=False),
    Column("writer", TEXT, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("interval_ms", BigInteger, nullable=False),
    Column("host", TEXT, nullable=False),
    Column("pid", BigInteger, nullable=False),
    Column("boot_id", TEXT, nullable=False),
    PrimaryKeyConstraint("run", "writer"),
    sqlite_with_rowid=False,
)

# --- datasets

datasets = Table(
    "datasets",
    metadata,
    Column("id", ID, primary_key=True),
    Column("experiment", ForeignKey(experiments.c.id), nullable=False),
    Column("name", TEXT, nullable=False),
    Column("digest", TEXT, nullable=False),
    Column("source_type", TEXT, nullable=False),
    Column("source", TEXT, nullable=False),
    Column("schema", TEXT),
    Column("profile", TEXT),
    UniqueConstraint("experiment", "name", "digest"),
)

inputs = Table(
    "inputs",
    metadata,
    Column("id", ID, primary_key=True),
    Column("run", ForeignKey(runs.c.id), nullable=False),
    Column("dataset", ForeignKey(datasets.c.id), nullable=False, index=True),
    Column("context", TEXT),  # the value of its first tag mlflow.data.context
    UniqueConstraint("run", "dataset"),
)

input_tags = Table(
    "input_tags",
    metadata,
    Column("input", ForeignKey(inputs.c.id), nullable=False),
    Column("number", Integer, nullable=False),
    Column("key", TEXT, nullable=False),
    Column("value", TEXT, nullable=False),
    PrimaryKeyConstraint("input", "number"),
    sqlite_with_rowid=False,
)

# --- logged models

logged_models = Table(
    "logged_models",
    metadata,
    Column("id", ID, primary_key=True),
    Column("model_id", TEXT, nullable=False, unique=True),
    Column("experiment", ForeignKey(experiments.c.id), nullable=False),
    Column("name", TEXT, nullable=False),
    Column("artifact_location", TEXT, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    Column("status", TEXT, nullable=False),
    Column("status_message", TEXT),
    Column("model_type", TEXT),
    Column("source_run_id", TEXT),  # not tied to a row: the run may be another store's
    Column("is_deleted", SmallInteger, nullable=False),
    Column("request", LargeBinary),  # as of runs
)
_newest = (logged_models.c.is_deleted, logged_models.c.created_ms.desc(), logged_models.c.model_id)
Index("logged_models_by_creation", *_newest, logged_models.c.experiment)  # which is only there to pass over models of others
Index("logged_models_by_experiment", logged_models.c.experiment, *_newest)
Index("logged_models_by_name", logged_models.c.name, logged_models.c.experiment, *_newest)
Index("logged_models_by_run", logged_models.c.source_run_id, logged_models.c.experiment, *_newest)


def _of_logged_models(name: str) -> Table:
    return Table(
        name,
        metadata,
        Column("model", ForeignKey(logged_models.c.id), nullable=False),
        Column("key", TEXT, nullable=False),
        Column("value", TEXT, nullable=False),
        PrimaryKeyConstraint("model", "key"),
        sqlite_with_rowid=False,
    )


logged_model_tags = _of_logged_models("logged_model_tags")
logged_model_params = _of_logged_models("logged_model_params")

logged_model_metrics = Table(
    "logged_model_metrics",
    metadata,
    Column("model", ForeignKey(logged_models.c.id), nullable=False),
    Column("key", ForeignKey(keys.c.id), nullable=False),
    Column("run", ForeignKey(runs.c.id), nullable=False),
    Column("dataset_name", TEXT, nullable=False),  # empty for none
    Column("dataset_digest", TEXT, nullable=False),
    Column("value", Double),
    Column("step", BigInteger, nullable=False),
    Column("ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("model", "key", "run", "dataset_name", "dataset_digest"),
    sqlite_with_rowid=False,
)

logged_model_ties = Table(
    "logged_model_ties",
    metadata,
    Column("run", ForeignKey(runs.c.id), nullable=False),
    Column("is_output", SmallInteger, nullable=False),  # made by the run; used by it when not
    Column("model", ForeignKey(logged_models.c.id), nullable=False, index=True),
    Column("step", BigInteger, nullable=False),  # 0 of what is used
    PrimaryKeyConstraint("run", "is_output", "model"),
    sqlite_with_rowid=False,
)

# --- what was deleted, and can be restored until it is removed

deletions = Table(
    "deletions",
    metadata,
    Column("kind", TEXT, nullable=False),  # a `DeletedKind`
    Column("number", BigInteger, nullable=False),  # the row's
    Column("at_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("kind", "number"),
    sqlite_with_rowid=False,
)

# --- registry

models = Table(
    "models",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", TEXT, nullable=False, unique=True),
    Column("description", TEXT, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    Column("highest", BigInteger, nullable=False),  # version number ever used
)

model_tags = Table(
    "model_tags",
    metadata,
    Column("model", ForeignKey(models.c.id, ondelete="CASCADE"), nullable=False),
    Column("key", TEXT, nullable=False),
    Column("value", TEXT, nullable=False),
    PrimaryKeyConstraint("model", "key"),
    sqlite_with_rowid=False,
)

versions = Table(
    "versions",
    metadata,
    Column("id", ID, primary_key=True),
    Column("model", ForeignKey(models.c.id, ondelete="CASCADE"), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("source", TEXT, nullable=False),
    Column("run_id", TEXT, index=True),
    Column("description", TEXT, nullable=False),
    Column("user_id", TEXT, nullable=False),
    Column("stage", TEXT, nullable=False),
    Column("status", TEXT, nullable=False),
    Column("status_message", TEXT, nullable=False),
    Column("run_link", TEXT, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    UniqueConstraint("model", "version"),
)
Index("versions_by_update", versions.c.updated_ms.desc())

version_tags = Table(
    "version_tags",
    metadata,
    Column("version", ForeignKey(versions.c.id, ondelete="CASCADE"), nullable=False),
    Column("key", TEXT, nullable=False),
    Column("value", TEXT, nullable=False),
    PrimaryKeyConstraint("version", "key"),
    sqlite_with_rowid=False,
)

aliases = Table(
    "aliases",
    metadata,
    Column("model", ForeignKey(models.c.id, ondelete="CASCADE"), nullable=False),
    Column("alias", TEXT, nullable=False),
    Column("version", ForeignKey(versions.c.id, ondelete="CASCADE"), nullable=False, index=True),
    PrimaryKeyConstraint("model", "alias"),
    sqlite_with_rowid=False,
)

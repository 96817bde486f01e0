"""Datasets as inputs of runs. A dataset is known within its experiment by name and digest; who describes it first is believed."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import bindparam, insert, select, text, update

from drupe.entities import Dataset, DatasetInput, InputTag
from drupe_store_sql.session import Session
from drupe_store_sql.statements import replace, stretch
from drupe_store_sql.tables import datasets, input_tags, inputs, runs

__all__ = ["move", "read", "tie"]

CONTEXT_TAG = "mlflow.data.context"

_EXPERIMENT = select(runs.c.experiment).where(runs.c.id == bindparam("number"))
_DATASET = select(datasets.c.id).where(
    datasets.c.experiment == bindparam("in_experiment"), datasets.c.name == bindparam("called"), datasets.c.digest == bindparam("having")
)
_ADD_DATASET = text(
    "INSERT INTO datasets (experiment, name, digest, source_type, source, schema, profile) "
    "VALUES (:experiment, :name, :digest, :source_type, :source, :schema, :profile) ON CONFLICT (experiment, name, digest) DO NOTHING"
)
_INPUT = select(inputs.c.id).where(inputs.c.run == bindparam("number"), inputs.c.dataset == bindparam("of"))
_ADD_INPUT = insert(inputs)
_ADD_TAG = replace(input_tags, on=("input", "number"))
_OF_RUNS = (
    select(
        inputs.c.run,
        inputs.c.id,
        datasets.c.name,
        datasets.c.digest,
        datasets.c.source_type,
        datasets.c.source,
        datasets.c.schema,
        datasets.c.profile,
    )
    .join(datasets, datasets.c.id == inputs.c.dataset)
    .where(stretch(inputs.c.run))
    .order_by(inputs.c.id)
)
_MOVED = (
    select(inputs.c.id, *(datasets.c[name] for name in ("name", "digest", "source_type", "source", "schema", "profile")))
    .join(datasets, datasets.c.id == inputs.c.dataset)
    .where(stretch(inputs.c.run))
)
_MOVE = update(inputs).where(inputs.c.id == bindparam("number")).values(dataset=bindparam("to"))
_TAGS = (
    select(input_tags.c.input, input_tags.c.key, input_tags.c.value)
    .where(stretch(input_tags.c.input))
    .order_by(input_tags.c.input, input_tags.c.number)
)


def tie(session: Session, run: int, used: Sequence[DatasetInput]) -> None:
    """Tie datasets to a run that is known to be active; those that are tied already stay as they are."""
    row = session.row(_EXPERIMENT, number=run)
    assert row is not None
    for each in used:
        dataset = _dataset(session, row[0], each.dataset)
        if session.row(_INPUT, number=run, of=dataset) is not None:
            continue
        context = next((tag.value for tag in each.tags if tag.key == CONTEXT_TAG), None)
        session.run(_ADD_INPUT, run=run, dataset=dataset, context=context)
        made = session.row(_INPUT, number=run, of=dataset)
        assert made is not None
        session.many(_ADD_TAG, [{"input": made[0], "number": n, "key": tag.key, "value": tag.value} for n, tag in enumerate(each.tags)])


def move(session: Session, run_numbers: Collection[int], experiment: int) -> None:
    """Tie these runs to the datasets of that experiment, described as before where it does not know them."""
    known: dict[tuple[str, str], int] = {}
    rows = []
    for number, *described in session.among(_MOVED, run_numbers):
        dataset = Dataset(*described)
        if (dataset.name, dataset.digest) not in known:
            known[dataset.name, dataset.digest] = _dataset(session, experiment, dataset)
        rows.append({"number": number, "to": known[dataset.name, dataset.digest]})
    session.many(_MOVE, rows)


def read(session: Session, run_numbers: Collection[int]) -> dict[int, list[DatasetInput]]:
    """The inputs of these runs, in the order in which they were tied; runs without any are left out."""
    rows = session.among(_OF_RUNS, run_numbers)
    tags: dict[int, list[InputTag]] = {row[1]: [] for row in rows}
    for number, key, value in session.among(_TAGS, tags) if tags else ():
        tags[number].append(InputTag(key, value))
    found: dict[int, list[DatasetInput]] = {}
    for run, number, *described in rows:
        found.setdefault(run, []).append(DatasetInput(Dataset(*described), tuple(tags[number])))
    return found


def _dataset(session: Session, experiment: int, dataset: Dataset) -> int:
    names = {"in_experiment": experiment, "called": dataset.name, "having": dataset.digest}
    row = session.row(_DATASET, **names)
    if row is None:
        session.run(
            _ADD_DATASET,
            experiment=experiment,
            name=dataset.name,
            digest=dataset.digest,
            source_type=dataset.source_type,
            source=dataset.source,
            schema=dataset.schema,
            profile=dataset.profile,
        )
        row = session.row(_DATASET, **names)
        assert row is not None
    return int(row[0])

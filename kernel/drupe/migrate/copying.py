"""All that one store keeps, copied into another: experiments, runs with whole series, models of both kinds, with their ids, numbers and times.

It works between any two stores, by their contracts; the target must declare IMPORTS. Nothing is remembered of a copy that was interrupted: what
the target has already is read and compared, and only what is missing or differs is copied again. Artifacts stay where they are, and so do
journals that wait for the source: `drupe sync` ships them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Any, Protocol

from attrs import define, evolve, field, frozen

from drupe.entities import Experiment, LifecycleStage, Page, Points, RegisteredModel, Run, ViewType, WholeModel, WholeRun
from drupe.errors import AlreadyExists, RegisteredModelNotFound, UnsupportedFeature
from drupe.extend import Feature, RegistryStore, TrackingStore
from drupe.migrate.copying_models import Ties, compare_models, copy_models
from drupe.search import Kind, Query, parse
from drupe.search.query import Comparison, Entity, Field, Op

__all__ = ["CopyReport", "Progress", "Stores", "copy_store"]

PAGE = 200
POINTS = 500_000  # about so many are in memory at a time, but for a series that has more
DEFAULT = "0"

_EXPERIMENTS = parse(Kind.EXPERIMENTS, None, ["creation_time"])
_RUNS = parse(Kind.RUNS, None, ["run_id"])
_MODELS = evolve(parse(Kind.REGISTERED_MODELS, None, ["name"]), where=None)  # prompts too
_LOGGED_MODELS = parse(Kind.LOGGED_MODELS)
_VERSIONS = evolve(parse(Kind.MODEL_VERSIONS, None, ["version_number"]), where=None)


class Progress(Protocol):
    """Told how far a copy is: how many runs are done, of how many, and what is being done."""

    def __call__(self, done: int, total: int, what: str, /) -> None: ...


@frozen
class Stores:
    """One place: its tracking store, and its registry where it has one. `name` is what messages call it."""

    name: str
    tracking: TrackingStore
    registry: RegistryStore | None = None


@define
class CopyReport:
    """What the source has, what of it was copied now, and where the two were found to differ in the end.

    `digest` is the SHA-256 over all that the source was found to have, in the order of reading: the same for a copy that is the same.
    """

    experiments: int = 0
    runs: int = 0
    points: int = 0
    models: int = 0
    versions: int = 0
    copied_experiments: int = 0
    copied_runs: int = 0
    copied_models: int = 0
    logged_models: int = 0
    copied_logged_models: int = 0
    digest: str = ""
    differences: list[str] = field(factory=list)


def copy_store(source: Stores, target: Stores, *, progress: Progress | None = None) -> CopyReport:
    """Copy all of `source` into `target`, then read both and compare.

    The target may be empty, or hold what an earlier copy of the source has left. Raises UnsupportedFeature when it cannot keep ids,
    AlreadyExists when an experiment there has an id or a name that means another one here, and what the stores raise.
    """
    for store in (target.tracking, target.registry if source.registry is not None else None):
        if store is not None and not store.features.get(Feature.IMPORTS):
            raise UnsupportedFeature(f"{target.name} cannot keep the ids of another store", feature=Feature.IMPORTS.name)
    report, ours, theirs = CopyReport(), Ties(), Ties()
    steps = _Steps(source.tracking.count_runs(_RUNS, view=ViewType.ALL), progress)
    for experiment in _experiments(source.tracking):
        report.copied_experiments += _copy_experiment(experiment, source, target)
    for page in _pages(lambda token: _run_page(source.tracking, token)):
        ours.add(page)
        report.copied_runs += _copy_runs(page, source.tracking, target.tracking, theirs)
        steps.add(len(page), "copying runs")
    if _both_have_models(source, target):
        report.copied_logged_models = copy_models(source.tracking, target.tracking, ours, theirs)
    if source.registry is not None and target.registry is not None:
        for model in _models(source.registry):
            report.copied_models += _copy_model(model, source.registry, target.registry)
    _compare(source, target, report, steps)
    return report


def _both_have_models(source: Stores, target: Stores) -> bool:
    """Whether logged models can be copied; where the target keeps none, `_compare` tells of those that stay behind."""
    return all(one.tracking.features.get(Feature.LOGGED_MODELS) for one in (source, target))


@define
class _Steps:
    """Each run is copied, and then compared."""

    runs: int
    progress: Progress | None
    done: int = 0

    def add(self, more: int, what: str) -> None:
        self.done += more
        if self.progress is not None:
            self.progress(min(self.done, 2 * self.runs), 2 * self.runs, what)


# --- copying


def _copy_experiment(experiment: Experiment, source: Stores, target: Stores) -> bool:
    there = _experiment(target.tracking, experiment.experiment_id)
    if there is None:
        target.tracking.import_experiment(experiment)
        return True
    number = experiment.experiment_id
    if number != DEFAULT and there.creation_time != experiment.creation_time:
        raise AlreadyExists(
            f"experiment {number} is {there.name!r} in {target.name} and {experiment.name!r} in {source.name}; copy into an empty store",
            experiment_id=number,
        )
    if _told_of_experiment(there) == _told_of_experiment(experiment):
        return False
    if there.lifecycle_stage is LifecycleStage.DELETED:
        target.tracking.set_experiment_stage(number, LifecycleStage.ACTIVE)
    if there.name != experiment.name:
        target.tracking.rename_experiment(number, experiment.name)
    for key in there.tags.keys() - experiment.tags.keys():
        target.tracking.delete_experiment_tag(number, key)
    if experiment.tags:
        target.tracking.set_experiment_tags(number, experiment.tags)
    if experiment.lifecycle_stage is LifecycleStage.DELETED:
        target.tracking.set_experiment_stage(number, LifecycleStage.DELETED)
    return True


def _copy_runs(page: Sequence[Run], source: TrackingStore, target: TrackingStore, theirs: Ties) -> int:
    same = _same_runs(target, page)
    theirs.add(same)
    there = {run.info.run_id: _told_of_run(run) for run in same}
    missing = [run for run in page if there.get(run.info.run_id) != _told_of_run(run)]
    for runs in _by_points(missing):
        if len(runs) == 1:
            _copy_run(runs[0], source, target)
        else:
            series = _series(source, runs)
            target.import_runs([WholeRun(run, series.get(run.info.run_id, {})) for run in runs])
    for run in missing:
        if run.info.lifecycle_stage is not LifecycleStage.ACTIVE or run.info.run_id in there:
            target.set_run_stage(run.info.run_id, run.info.lifecycle_stage)
    return len(missing)


def _copy_run(run: Run, source: TrackingStore, target: TrackingStore) -> None:
    """One run, which may have more points than are good to hold at once: metric by metric."""
    target.import_runs([WholeRun(run)])
    for keys in _key_groups(run):
        target.import_runs([WholeRun(run, _series(source, [run], keys).get(run.info.run_id, {}))])


def _copy_model(model: RegisteredModel, source: RegistryStore, target: RegistryStore) -> bool:
    whole = _whole_model(source, model)
    try:
        if _told_of_model(_whole_model(target, target.get_registered_model(model.name))) == _told_of_model(whole):
            return False
    except RegisteredModelNotFound:
        pass
    target.import_model(whole)
    return True


# --- comparing


def _compare(source: Stores, target: Stores, report: CopyReport, steps: _Steps) -> None:
    digest = hashlib.sha256()
    found, others = list(_experiments(source.tracking)), {one.experiment_id: one for one in _experiments(target.tracking)}
    report.experiments = len(found)
    for experiment in found:
        digest.update(repr(_told_of_experiment(experiment)).encode())
        there = others.pop(experiment.experiment_id, None)
        if there is None or _told_of_experiment(there) != _told_of_experiment(experiment):
            report.differences.append(
                f"experiment {experiment.experiment_id} ({experiment.name!r}) {'is missing' if there is None else 'differs'}"
            )
    for number, extra in others.items():
        report.differences.append(f"experiment {number} ({extra.name!r}) is in {target.name} only")
    pages = (_pages(lambda token, one=one: _run_page(one.tracking, token)) for one in (source, target))
    ours, theirs = Ties(), Ties()
    for ours_page, theirs_page in zip_longest(*pages, fillvalue=()):
        ours.add(ours_page)
        theirs.add(theirs_page)
        _compare_runs(source, target, ours_page, theirs_page, report, digest)
        steps.add(len(ours_page), "comparing runs")
    if _both_have_models(source, target):
        report.logged_models, different = compare_models(source.tracking, target.tracking, ours, theirs, digest)
        report.differences += different
    elif source.tracking.features.get(Feature.LOGGED_MODELS) and (left := _count_logged_models(source.tracking)):
        report.differences.append(f"{left} logged models, and which runs use and made them, were not copied: {target.name} keeps none")
    if source.registry is not None and target.registry is not None:
        _compare_models(source.registry, target.registry, report, digest)
    report.digest = digest.hexdigest()


def _compare_runs(
    source: Stores, target: Stores, ours: Sequence[Run], theirs: Sequence[Run], report: CopyReport, digest: hashlib._Hash
) -> None:
    """A page of each, which holds the same ids when nothing is missing and nothing too much."""
    there = {run.info.run_id: run for run in theirs}
    same: list[Run] = []
    for run in ours:
        report.runs += 1
        digest.update(repr(_told_of_run(run)).encode())
        found = there.pop(run.info.run_id, None)
        if found is None:
            found = next(iter(_same_runs(target.tracking, [run])), None)  # on another page
        if found is None:
            report.differences.append(f"run {run.info.run_id} is missing")
        elif _told_of_run(found) != _told_of_run(run):
            wrong = [name for name, one, other in zip(_PARTS, _told_of_run(run), _told_of_run(found), strict=True) if one != other]
            report.differences.append(f"run {run.info.run_id} differs in {', '.join(wrong)}")
        else:
            same.append(run)
    for run in _not_there(source.tracking, list(there.values())):
        report.differences.append(f"run {run.info.run_id} is in {target.name} only")
    for runs in _by_points(same):
        for keys in _key_groups(runs[0]) if len(runs) == 1 else [None]:
            series = [_series(one.tracking, runs, keys) for one in (source, target)]
            for run in runs:
                mine, other = (found.get(run.info.run_id, {}) for found in series)
                report.points += sum(map(len, mine.values()))
                for key in sorted(mine.keys() | other.keys()):
                    if key in mine:
                        digest.update(b"".join(column.tobytes() for column in (mine[key].steps, mine[key].timestamps, mine[key].values)))
                    if _told_of_points(mine.get(key)) != _told_of_points(other.get(key)):
                        report.differences.append(f"metric {key!r} of run {run.info.run_id} differs")


def _compare_models(source: RegistryStore, target: RegistryStore, report: CopyReport, digest: hashlib._Hash) -> None:
    theirs = {model.name: model for model in _models(target)}
    for model in _models(source):
        whole = _whole_model(source, model)
        digest.update(repr(_told_of_model(whole)).encode())
        report.models, report.versions = report.models + 1, report.versions + len(whole.versions)
        there = theirs.pop(model.name, None)
        if there is None or _told_of_model(_whole_model(target, there)) != _told_of_model(whole):
            report.differences.append(f"registered model {model.name!r} {'is missing' if there is None else 'differs'}")
    for name in theirs:
        report.differences.append(f"registered model {name!r} is in the target only")


# --- what must be the same


_PARTS = ("info", "params", "tags", "metrics", "inputs")


def _told_of_experiment(one: Experiment) -> tuple[Any, ...]:
    """When the default experiment was made, and where its artifacts lie, is the affair of each store; so is when a name last changed."""
    own = () if one.experiment_id == DEFAULT else (one.artifact_location, one.creation_time)
    return (one.name, one.lifecycle_stage, sorted(one.tags.items()), *own)


def _told_of_run(run: Run) -> tuple[Any, ...]:
    summaries = sorted((key, repr(summary)) for key, summary in run.data.summaries.items())  # repr: NaN is NaN then
    inputs = sorted(map(repr, run.inputs.dataset_inputs))
    return run.info, sorted(run.data.params.items()), sorted(run.data.tags.items()), summaries, inputs


def _told_of_points(points: Points | None) -> tuple[Any, ...] | None:
    return None if points is None else (points.steps, points.timestamps, points.values.tobytes())


def _told_of_model(whole: WholeModel) -> tuple[Any, ...]:
    one = whole.model
    model = (
        one.name,
        one.description,
        one.creation_timestamp,
        one.last_updated_timestamp,
        sorted(one.tags.items()),
        sorted(one.aliases.items()),
    )
    versions = [(evolve(version, tags={}), sorted(version.tags.items())) for version in whole.versions]
    return model, versions, whole.highest


# --- reading


def _pages(read: Any) -> Iterator[Sequence[Any]]:
    token = None
    while True:
        page: Page[Any] = read(token)
        if len(page):
            yield page
        token = page.token
        if token is None:
            return


def _run_page(store: TrackingStore, token: str | None) -> Page[Run]:
    return store.search_runs(_RUNS, experiment_ids=None, view=ViewType.ALL, limit=PAGE, page_token=token)


def _experiments(store: TrackingStore) -> Iterator[Experiment]:
    for page in _pages(lambda token: store.search_experiments(_EXPERIMENTS, view=ViewType.ALL, page_token=token)):
        yield from page


def _experiment(store: TrackingStore, number: str) -> Experiment | None:
    where = Comparison(Field(Entity.ATTRIBUTE, "experiment_id"), Op.EQ, number)
    return next(iter(store.search_experiments(evolve(_EXPERIMENTS, where=where), view=ViewType.ALL)), None)


def _same_runs(store: TrackingStore, runs: Sequence[Run]) -> Sequence[Run]:
    """The runs of the store that have the ids of these."""
    if not runs:
        return ()
    where = Comparison(Field(Entity.ATTRIBUTE, "run_id"), Op.IN, tuple(run.info.run_id for run in runs))
    return store.search_runs(evolve(_RUNS, where=where), experiment_ids=None, view=ViewType.ALL, limit=len(runs))


def _not_there(store: TrackingStore, runs: Sequence[Run]) -> list[Run]:
    there = {run.info.run_id for run in _same_runs(store, runs)}
    return [run for run in runs if run.info.run_id not in there]


def _series(store: TrackingStore, runs: Sequence[Run], keys: Sequence[str] | None = None) -> dict[str, dict[str, Points]]:
    """Whole series by run and metric."""
    found: dict[str, dict[str, Points]] = {}
    for series in store.metric_bulk([run.info.run_id for run in runs], keys):
        found.setdefault(series.run_id, {})[series.key] = series.points
    return found


def _by_points(runs: Iterable[Run]) -> Iterator[list[Run]]:
    """The runs in groups that have about POINTS points together; one that has more is alone."""
    group: list[Run] = []
    gathered = 0
    for run in runs:
        count = sum(summary.count for summary in run.data.summaries.values())
        if group and gathered + count > POINTS:
            yield group
            group, gathered = [], 0
        group.append(run)
        gathered += count
    if group:
        yield group


def _key_groups(run: Run) -> Iterator[list[str]]:
    """The metrics of a run in groups that have about POINTS points together."""
    group: list[str] = []
    gathered = 0
    for key, summary in run.data.summaries.items():
        if group and gathered + summary.count > POINTS:
            yield group
            group, gathered = [], 0
        group.append(key)
        gathered += summary.count
    if group:
        yield group


def _count_logged_models(store: TrackingStore) -> int:
    pages = _pages(lambda token: store.search_logged_models(_LOGGED_MODELS, experiment_ids=None, limit=1000, page_token=token))
    return sum(map(len, pages))


def _models(store: RegistryStore) -> Iterator[RegisteredModel]:
    for page in _pages(lambda token: store.search_registered_models(_MODELS, page_token=token)):
        yield from page


def _whole_model(store: RegistryStore, model: RegisteredModel) -> WholeModel:
    where = Comparison(Field(Entity.ATTRIBUTE, "name"), Op.EQ, model.name)
    query = Query(Kind.MODEL_VERSIONS, where, _VERSIONS.order)
    versions = [version for page in _pages(lambda token: store.search_model_versions(query, page_token=token)) for version in page]
    return WholeModel(model, tuple(versions), store.highest_version(model.name))

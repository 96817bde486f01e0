"""Experiments, and the datasets that their runs use."""

from __future__ import annotations

from attrs import evolve

from drupe.entities import Experiment, LifecycleStage, ViewType
from drupe.errors import ExperimentNotFound, InvalidValue
from drupe.search import Kind, parse
from drupe.wire import tracking as wire
from drupe.wire.tracking import Nothing
from drupe_server_rest.services import Services

__all__ = ["HANDLERS"]

MOST_EXPERIMENTS = 20
RUNS_PAGE = 1000
CONTEXT = "mlflow.data.context"


def _create(services: Services, asked: wire.CreateExperiment) -> wire.ExperimentCreated:
    """See `wire.CreateExperiment`."""
    location = services.places.noted(asked.artifact_location) if asked.artifact_location else None
    made = services.tracking.create_experiment(asked.name, artifact_location=location, tags={tag.key: tag.value for tag in asked.tags})
    services.changes.tell("experiment", experiment_id=made.experiment_id)
    return wire.ExperimentCreated(made.experiment_id)


def _get(services: Services, asked: wire.OneExperiment) -> wire.ExperimentFound:
    """See `wire.OneExperiment`."""
    return wire.ExperimentFound(_told(services, services.tracking.get_experiment(asked.experiment_id)))


def _get_by_name(services: Services, asked: wire.GetExperimentByName) -> wire.ExperimentFound:
    """See `wire.GetExperimentByName`."""
    found = services.tracking.get_experiment_by_name(asked.experiment_name)
    if found is None:
        raise ExperimentNotFound(f"there is no experiment named {asked.experiment_name!r}")
    return wire.ExperimentFound(_told(services, found))


def _search(services: Services, asked: wire.SearchExperiments) -> wire.ExperimentsFound:
    """See `wire.SearchExperiments`."""
    if asked.max_results is None:
        raise InvalidValue("experiments/search: give max_results, a number from 1 to 50000")
    page = services.tracking.search_experiments(
        parse(Kind.EXPERIMENTS, asked.filter, asked.order_by),
        view=asked.view_type or ViewType.ACTIVE_ONLY,
        limit=asked.max_results,
        page_token=asked.page_token or None,
    )
    return wire.ExperimentsFound(tuple(_told(services, found) for found in page), page.token)


def _update(services: Services, asked: wire.UpdateExperiment) -> Nothing:
    """See `wire.UpdateExperiment`."""
    services.tracking.rename_experiment(asked.experiment_id, asked.new_name)
    services.changes.tell("experiment", experiment_id=asked.experiment_id)
    return Nothing()


def _delete(services: Services, asked: wire.OneExperiment) -> Nothing:
    """Move it to the trash."""
    return _to_stage(services, asked.experiment_id, LifecycleStage.DELETED)


def _restore(services: Services, asked: wire.OneExperiment) -> Nothing:
    """Take it out of the trash."""
    return _to_stage(services, asked.experiment_id, LifecycleStage.ACTIVE)


def _set_tag(services: Services, asked: wire.SetExperimentTag) -> Nothing:
    """See `wire.SetExperimentTag`."""
    services.tracking.set_experiment_tags(asked.experiment_id, {asked.key: asked.value})
    services.changes.tell("experiment", experiment_id=asked.experiment_id)
    return Nothing()


def _delete_tag(services: Services, asked: wire.DeleteExperimentTag) -> Nothing:
    """See `wire.DeleteExperimentTag`."""
    services.tracking.delete_experiment_tag(asked.experiment_id, asked.key)
    services.changes.tell("experiment", experiment_id=asked.experiment_id)
    return Nothing()


def _search_datasets(services: Services, asked: wire.SearchDatasets) -> wire.DatasetSummaries:
    """The distinct datasets of the newest runs, as the user interface's filter offers them."""
    if not 1 <= len(asked.experiment_ids) <= MOST_EXPERIMENTS:
        raise InvalidValue(f"experiments/search-datasets: give 1 to {MOST_EXPERIMENTS} experiment_ids, not {len(asked.experiment_ids)}")
    page = services.tracking.search_runs(parse(Kind.RUNS), experiment_ids=asked.experiment_ids, limit=RUNS_PAGE)
    found: dict[wire.DatasetSummary, None] = {}
    for run in page:
        for one in run.inputs.dataset_inputs:
            context = next((tag.value for tag in one.tags if tag.key == CONTEXT), "")
            found[wire.DatasetSummary(run.info.experiment_id, one.dataset.name, one.dataset.digest, context)] = None
    return wire.DatasetSummaries(tuple(found))


def _to_stage(services: Services, experiment_id: str, stage: LifecycleStage) -> Nothing:
    services.tracking.set_experiment_stage(experiment_id, stage)
    services.changes.tell("experiment", experiment_id=experiment_id)
    return Nothing()


def _told(services: Services, experiment: Experiment) -> Experiment:
    return evolve(experiment, artifact_location=services.places.told(experiment.artifact_location))


HANDLERS = {
    "POST experiments/create": _create,
    "GET experiments/get": _get,
    "GET experiments/get-by-name": _get_by_name,
    "POST experiments/search": _search,
    "GET experiments/search": _search,
    "POST experiments/update": _update,
    "POST experiments/delete": _delete,
    "POST experiments/restore": _restore,
    "POST experiments/set-experiment-tag": _set_tag,
    "POST experiments/delete-experiment-tag": _delete_tag,
    "POST experiments/search-datasets": _search_datasets,
}

"""The functions about experiments that a script calls: one is in use, none is named. MLflow's names and argument order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from drupe.entities import Experiment, LifecycleStage, ViewType, gather
from drupe.errors import InvalidValue, WrongLifecycle
from drupe.tracking.artifact_client import ArtifactClient
from drupe.tracking.chosen import choose_experiment, current_experiment, get_or_create

__all__ = [
    "create_experiment",
    "delete_experiment",
    "delete_experiment_tag",
    "get_experiment",
    "get_experiment_by_name",
    "rename_experiment",
    "restore_experiment",
    "search_experiments",
    "set_experiment",
    "set_experiment_tag",
    "set_experiment_tags",
]


def set_experiment(experiment_name: str | None = None, experiment_id: str | None = None) -> Experiment:
    """Use this experiment for runs from now on, creating it when the name is new.

    Raises WrongLifecycle when it is deleted, ExperimentNotFound for an unknown id.
    """
    if (experiment_name is None) == (experiment_id is None):
        raise InvalidValue("set_experiment needs either a name or an experiment_id")
    client = ArtifactClient()
    experiment = client.get_experiment(experiment_id) if experiment_id is not None else get_or_create(client, str(experiment_name))
    if experiment.lifecycle_stage == LifecycleStage.DELETED:
        raise WrongLifecycle(
            f"experiment {experiment.name!r} is deleted; restore it with `drupe experiments restore {experiment.experiment_id}` "
            "or use another name",
            experiment_id=experiment.experiment_id,
        )
    choose_experiment(experiment.experiment_id)
    return experiment


def create_experiment(name: str, artifact_location: str | None = None, tags: Mapping[str, Any] | None = None) -> str:
    """Create an experiment and return its id. Raises AlreadyExists, InvalidName."""
    return ArtifactClient().create_experiment(name, artifact_location, tags)


def get_experiment(experiment_id: str | int) -> Experiment:
    """Read an experiment. Raises ExperimentNotFound."""
    return ArtifactClient().get_experiment(experiment_id)


def get_experiment_by_name(name: str) -> Experiment | None:
    """The experiment of that name, or None."""
    return ArtifactClient().get_experiment_by_name(name)


def search_experiments(
    view_type: int = ViewType.ACTIVE_ONLY,
    max_results: int | None = None,
    filter_string: str | None = None,
    order_by: Sequence[str] | None = None,
) -> list[Experiment]:
    """All experiments that the filter finds, newest first unless ordered otherwise; at most `max_results`."""
    client = ArtifactClient()
    return gather(
        lambda limit, token: client.search_experiments(view_type, limit, filter_string, order_by, token),
        page_size=1000,
        at_most=max_results,
    )


def rename_experiment(experiment_id: str | int, new_name: str) -> None:
    """Give an experiment another name."""
    ArtifactClient().rename_experiment(experiment_id, new_name)


def delete_experiment(experiment_id: str | int) -> None:
    """Move an experiment and its runs to the trash."""
    ArtifactClient().delete_experiment(experiment_id)


def restore_experiment(experiment_id: str | int) -> None:
    """Take an experiment and its runs out of the trash."""
    ArtifactClient().restore_experiment(experiment_id)


def set_experiment_tag(key: str, value: Any) -> None:
    """Set a tag on the experiment in use."""
    set_experiment_tags({key: value})


def set_experiment_tags(tags: Mapping[str, Any]) -> None:
    """Set tags on the experiment in use, together."""
    client = ArtifactClient()
    client.store.set_experiment_tags(current_experiment(client), {key: str(value) for key, value in tags.items()})


def delete_experiment_tag(key: str) -> None:
    """Remove a tag of the experiment in use. Raises TagNotFound."""
    client = ArtifactClient()
    client.delete_experiment_tag(current_experiment(client), key)

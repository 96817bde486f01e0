"""The part of `drupe.Client` about logged models: making, reading, finding, changing them. MLflow's method names and argument order.

Saving a model as one, with its files, is `drupe.log_model`; metrics of models are logged with those of runs, see `client`.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from drupe.artifacts.repos import repo_for
from drupe.entities import LoggedModel, LoggedModelStatus, ModelOutput, NewLoggedModel, Page
from drupe.entities.limits import check_limit
from drupe.errors import InvalidQuery, InvalidValue
from drupe.extend import ArtifactRepo
from drupe.search import ModelOrder, OnDataset, parse_logged_models
from drupe.tracking.client import TrackingClient, texts

__all__ = ["LoggedModelClient", "read_status"]

PAGE = 50


class LoggedModelClient(TrackingClient):
    """A tracking client that also knows logged models. All of it raises UnsupportedFeature where the store keeps none."""

    def create_logged_model(
        self,
        experiment_id: str | int,
        name: str | None = None,
        source_run_id: str | None = None,
        tags: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        model_type: str | None = None,
    ) -> LoggedModel:
        """Create a PENDING logged model with no files yet. Raises ExperimentNotFound, InvalidName."""
        return self.store.create_logged_model(
            NewLoggedModel(str(experiment_id), self.new_model_id(), name, model_type, source_run_id, texts(tags), texts(params))
        )

    def new_model_id(self) -> str:
        """An id for a new logged model, so that a repeated request makes no twin; some servers choose another, which the answer tells."""
        return f"m-{uuid.uuid4().hex}"

    def finalize_logged_model(self, model_id: str, status: str | LoggedModelStatus) -> LoggedModel:
        """Say that the model's files are in place (READY), or will not be (FAILED)."""
        return self.store.set_logged_model_status(model_id, read_status(status))

    def get_logged_model(self, model_id: str) -> LoggedModel:
        """Read a logged model. Raises LoggedModelNotFound, also for a deleted one."""
        return self.store.get_logged_model(model_id)

    def delete_logged_model(self, model_id: str) -> None:
        """Move a logged model to the trash; `drupe store gc` removes it with its files."""
        self.store.delete_logged_model(model_id)

    def set_logged_model_tags(self, model_id: str, tags: Mapping[str, Any]) -> None:
        """Set tags on a logged model."""
        self.store.set_logged_model_tags(model_id, texts(tags))

    def delete_logged_model_tag(self, model_id: str, key: str) -> None:
        """Remove a tag of a logged model. Raises TagNotFound."""
        self.store.delete_logged_model_tag(model_id, key)

    def log_model_params(self, model_id: str, params: Mapping[str, Any]) -> None:
        """Add params to a logged model. Raises ParamConflict when one has another value already."""
        self.store.log_logged_model_params(model_id, texts(params))

    def log_outputs(self, run_id: str, models: Sequence[ModelOutput]) -> None:
        """Say which logged models a run has made, and at which step."""
        self.store.log_outputs(run_id, list(models))

    def search_logged_models(
        self,
        experiment_ids: Sequence[str],
        filter_string: str | None = None,
        datasets: Sequence[Mapping[str, Any]] | None = None,
        max_results: int | None = None,
        order_by: Sequence[Mapping[str, Any]] | None = None,
        page_token: str | None = None,
    ) -> Page[LoggedModel]:
        """One page of logged models, the newest first unless ordered otherwise.

            client.search_logged_models(["0"], "metrics.acc > 0.9 AND params.depth = '3'",
                datasets=[{"dataset_name": "test"}], order_by=[{"field_name": "metrics.acc", "ascending": False}])

        `datasets` leaves only metrics that were measured on one of them to the filter. Raises InvalidQuery.
        """
        wanted = [OnDataset(_named(one, "dataset_name", "datasets"), one.get("dataset_digest")) for one in datasets or ()]
        query = parse_logged_models(filter_string, [_order(one) for one in order_by or ()], wanted)
        ids = [experiment_ids] if isinstance(experiment_ids, str) else [str(one) for one in experiment_ids]
        return self.store.search_logged_models(
            query, experiment_ids=ids, limit=check_limit(PAGE if max_results is None else max_results), page_token=page_token
        )

    def logged_model_repo(self, model_id: str) -> ArtifactRepo:
        """The repository rooted at the files of this logged model. Raises LoggedModelNotFound, NoProvider."""
        return repo_for(self.store.get_logged_model(model_id).artifact_location)


def read_status(status: str | LoggedModelStatus) -> LoggedModelStatus:
    """The status that a word names. Raises InvalidValue."""
    try:
        return LoggedModelStatus(str(status).upper())
    except ValueError:
        raise InvalidValue(f"the status of a logged model is READY or FAILED, not {status!r}") from None


def _order(given: Mapping[str, Any]) -> ModelOrder:
    known = {"field_name", "ascending", "dataset_name", "dataset_digest"}
    if not isinstance(given, Mapping) or set(given) - known:
        raise InvalidQuery(
            f"order_by takes dicts of {', '.join(sorted(known))}, such as {{'field_name': 'metrics.acc'}}; not {given!r:.200}"
        )
    name = _named(given, "field_name", "order_by")
    return ModelOrder(name, bool(given.get("ascending", True)), given.get("dataset_name"), given.get("dataset_digest"))


def _named(given: Mapping[str, Any], key: str, where: str) -> str:
    if not isinstance(given, Mapping) or not given.get(key):
        raise InvalidQuery(f"{where} takes dicts with a {key}, not {given!r:.200}")
    return str(given[key])

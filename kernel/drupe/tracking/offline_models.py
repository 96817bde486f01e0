"""Logged models that no store has yet: made by runs in journals, their files among those of the run. A part of `offline`.

Their place and status are settled when the run is shipped. What changes them needs the store.
"""

from __future__ import annotations

import uuid
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence

from attrs import evolve

from drupe.entities import (
    LoggedModel,
    LoggedModelStatus,
    Metric,
    ModelInput,
    ModelOutput,
    NewLoggedModel,
    Page,
    logged_limits,
)
from drupe.entities.metrics import rank
from drupe.entities.names import invent_run_name
from drupe.errors import LoggedModelNotFound, StoreUnavailable
from drupe.extend import TrackingStore
from drupe.search.match import find
from drupe.search.query import Query
from drupe.tracking.journal.folding import model_form, ties_form
from drupe.tracking.journal.layout import FrameKind
from drupe.tracking.journal.local_runs import LocalRun
from drupe.tracking.journal.outbox import Line
from drupe.uris import below

__all__ = ["OfflineModels"]


class OfflineModels(TrackingStore):
    """The methods of a tracking store that are about logged models, for runs that wait in journals."""

    @abstractmethod
    def _all(self) -> list[LocalRun]: ...

    @abstractmethod
    def _run(self, run_id: str) -> LocalRun: ...

    @abstractmethod
    def _line(self, run_id: str) -> Line: ...

    @abstractmethod
    def _needs_store(self, what: str) -> StoreUnavailable: ...

    def create_logged_model(self, new: NewLoggedModel) -> LoggedModel:
        checked = logged_limits.check_new_logged_model(new)
        if not checked.source_run_id or not checked.artifact_path:
            raise self._needs_store("a logged model that is not saved by its run")
        home = self._run(checked.source_run_id).read().info.experiment_id
        made = evolve(
            checked, model_id=checked.model_id or f"m-{uuid.uuid4().hex}", name=checked.name or invent_run_name(), experiment_id=home
        )
        self._line(checked.source_run_id).journal.note(FrameKind.MODEL, model_form(made))
        return self.get_logged_model(str(made.model_id))

    def get_logged_model(self, model_id: str, *, allow_deleted: bool = False) -> LoggedModel:
        found = next((model for model in self._models() if model.model_id == model_id), None)
        if found is None:
            raise LoggedModelNotFound(
                f"no logged model with the id {str(model_id)[:60]!r} was made here without its store", model_id=model_id
            )
        return found

    def search_logged_models(
        self, query: Query, *, experiment_ids: Sequence[str] | None, limit: int = 50, page_token: str | None = None
    ) -> Page[LoggedModel]:
        seen = [model for model in self._models() if experiment_ids is None or model.experiment_id in experiment_ids]
        return Page(find(query, seen)[:limit])

    def set_logged_model_status(self, model_id: str, status: LoggedModelStatus, *, message: str | None = None) -> LoggedModel:
        """Its files are where the run's wait: whether they are in place is told when they are shipped."""
        return self.get_logged_model(model_id)

    def delete_logged_model(self, model_id: str) -> None:
        raise self._needs_store("deleting a logged model")

    def set_logged_model_tags(self, model_id: str, tags: Mapping[str, str]) -> LoggedModel:
        raise self._needs_store("a tag of a logged model")

    def delete_logged_model_tag(self, model_id: str, key: str) -> None:
        raise self._needs_store("a tag of a logged model")

    def log_logged_model_params(self, model_id: str, params: Mapping[str, str]) -> None:
        raise self._needs_store("a param of a logged model")

    def log_model_inputs(self, run_id: str, models: Sequence[ModelInput]) -> None:
        self._run(run_id)
        self._line(run_id).journal.note(FrameKind.MODEL_TIES, ties_form([one.model_id for one in models]))

    def log_outputs(self, run_id: str, models: Sequence[ModelOutput]) -> None:
        self._run(run_id)
        made = {one.model_id: one.step for one in logged_limits.check_model_outputs(models)}
        self._line(run_id).journal.note(FrameKind.MODEL_TIES, ties_form(made=made))

    def _models(self) -> Iterator[LoggedModel]:
        for local in self._all():
            info = local.read().info
            for number, new in enumerate(local.models):  # a journal tells no times of these, but their order
                yield LoggedModel(
                    str(new.model_id),
                    info.experiment_id,
                    str(new.name),
                    below(info.artifact_uri, str(new.artifact_path)),
                    info.start_time + number,
                    info.start_time + number,
                    model_type=new.model_type,
                    source_run_id=new.source_run_id,
                    tags=dict(new.tags),
                    params=dict(new.params),
                    metrics=tuple(_latest(local, str(new.model_id))),
                )


def _latest(local: LocalRun, model_id: str) -> Iterator[Metric]:
    latest: dict[tuple[str, str, str], Metric] = {}
    for given in local.measured.get(model_id, ()):
        place = given.key, given.dataset_name or "", given.dataset_digest or ""
        for step, time_ms, value in given.points:
            last = latest.get(place)
            if last is None or rank(last.step, last.timestamp, last.value) < rank(step, time_ms, value):
                latest[place] = Metric(
                    given.key, value, time_ms, step, local.folder.name, model_id, given.dataset_name, given.dataset_digest
                )
    for _, metric in sorted(latest.items()):
        yield metric

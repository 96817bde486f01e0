"""A running MLflow server, 2.x and 3.x, asked over its REST protocol with the searches and reads that every client makes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from attrs import evolve

from drupe.entities import Experiment, LoggedModel, Metric, ModelVersion, Points, RegisteredModel, Run, RunData, WholeModel, WholeRun
from drupe.entities.codec import from_plain
from drupe.errors import DrupeError, InvalidPath, InvalidUri, InvalidValue, NotFound, StoreError
from drupe.extend import ArtifactRepo, FoundExperiment, FoundLoggedModel, FoundRun, ImportSource, Loss
from drupe.uris import ArtifactPath, Uri
from drupe_import_mlflow.http import Connection, Refused
from drupe_import_mlflow.server_files import ProxiedFiles, RunFiles
from drupe_import_mlflow.settings import MlflowSettings
from drupe_import_mlflow.values import Damaged, add_point, lifecycle, run_status, stage, version_status

__all__ = ["ServerSource"]

PAGE = 1000
MODELS_PAGE = 100
HISTORY_PAGE = 25_000
PROXIED = "mlflow-artifacts:"
IS_PROMPT = "mlflow.prompt.is_prompt"


class ServerSource(ImportSource):
    """The server at one address."""

    def __init__(self, uri: Uri, settings: MlflowSettings) -> None:
        self.uri = uri
        self._connection = Connection(uri, settings)
        self._logged: set[str] = set()  # the logged models that could be read

    @classmethod
    def open(cls, uri: Uri, settings: Any = None) -> ServerSource:
        if not uri.host:
            raise InvalidUri(f"address {uri.text!r} names no host")
        opened = cls(uri, settings or MlflowSettings())
        opened._connection.post("experiments/search", max_results=1)
        return opened

    def close(self) -> None:
        self._connection.close()

    def description(self) -> str:
        return f"MLflow server {self._connection.place}"

    def experiments(self) -> Iterator[FoundExperiment | Loss]:
        for form in self._pages("experiments/search", "experiments", view_type="ALL", max_results=PAGE):
            try:
                found = from_plain(form, Experiment)
                found = evolve(found, lifecycle_stage=lifecycle(found.lifecycle_stage))
            except (InvalidValue, Damaged) as fault:
                yield Loss("experiment", f"experiment {form.get('experiment_id')!s:.60}", str(fault), is_damage=True)
                continue
            yield FoundExperiment(found)

    def run_ids(self, experiment_id: str) -> Iterator[str]:
        order = ["attributes.start_time ASC"]
        asked = {"experiment_ids": [experiment_id], "run_view_type": "ALL", "max_results": PAGE, "order_by": order}
        for form in self._pages("runs/search", "runs", **asked):
            info = form.get("info") or {}
            yield str(info.get("run_id") or info.get("run_uuid") or "")

    def read_runs(self, experiment_id: str, run_ids: Sequence[str]) -> Iterator[FoundRun | Loss]:
        for run_id in run_ids:
            try:
                form = self._connection.get("runs/get", run_id=run_id, run_uuid=run_id).get("run") or {}
                yield self._whole(_typed_run(from_plain(_with_run_id(form), Run)))
            except NotFound:
                continue
            except (InvalidValue, Damaged) as fault:
                yield Loss("run", f"run {run_id}", str(fault), is_damage=True)

    def logged_models(self, experiment_id: str) -> Iterator[FoundLoggedModel | Loss]:
        """Those that are not deleted: a server of MLflow finds no others. Servers of MLflow 2 have none."""
        try:
            for form in self._pages("logged-models/search", "models", experiment_ids=[experiment_id], max_results=PAGE):
                try:
                    found = from_plain(form, LoggedModel)
                except (InvalidValue, Damaged) as fault:
                    told = str((form.get("info") or {}).get("model_id"))
                    yield Loss("logged model", f"logged model {told:.100}", str(fault), is_damage=True)
                    continue
                self._logged.add(found.model_id)
                yield FoundLoggedModel(found)
        except (NotFound, Refused):
            return

    def models(self) -> Iterator[WholeModel | Loss]:
        for form in self._model_forms():
            name = str(form.get("name", ""))
            try:
                model = from_plain(form, RegisteredModel)
                versions = tuple(self._versions(model))
            except (InvalidValue, NotFound, Damaged) as fault:
                yield Loss("registered model", f"registered model {name!r:.100}", str(fault), is_damage=True)
                continue
            yield WholeModel(evolve(model, latest_versions=()), versions, max((int(one.version) for one in versions), default=0))

    def repo_at(self, address: str, run_id: str | None) -> ArtifactRepo | None:
        root = Uri(self.uri.scheme, self.uri.host, self.uri.path)
        if run_id is not None:
            return RunFiles(self._connection, root, run_id)
        if not address.startswith(f"{PROXIED}/") or address.startswith(f"{PROXIED}//"):
            return None
        try:
            return ProxiedFiles(self._connection, root, ArtifactPath.parse(address.removeprefix(f"{PROXIED}/").strip("/")))
        except InvalidPath:
            return None

    # --- asking

    def _pages(self, route: str, name: str, **asked: Any) -> Iterator[dict[str, Any]]:
        token = None
        while True:
            answer = self._connection.post(route, **asked, **({"page_token": token} if token else {}))
            yield from answer.get(name, ())
            token = answer.get("next_page_token")
            if not token:
                return

    def _got_pages(self, route: str, name: str, **asked: Any) -> Iterator[dict[str, Any]]:
        token = None
        while True:
            answer = self._connection.get(route, **asked, **({"page_token": token} if token else {}))
            yield from answer.get(name, ())
            token = answer.get("next_page_token")
            if not token:
                return

    def _whole(self, run: Run) -> FoundRun:
        losses: list[Loss] = []
        points = {key: self._history(run.info.run_id, key, losses) for key in run.data.metrics}
        data = RunData(params=run.data.params, tags=run.data.tags)
        return FoundRun(WholeRun(evolve(run, data=data), points), tuple(losses))

    def _history(self, run_id: str, key: str, losses: list[Loss]) -> Points:
        points, bad = Points(), 0
        asked = {"run_id": run_id, "run_uuid": run_id, "metric_key": key, "max_results": HISTORY_PAGE}
        for form in self._got_pages("metrics/get-history", "metrics", **asked):
            try:
                one = from_plain(form, Metric)
                add_point(points, one.step, one.timestamp, one.value)
            except (InvalidValue, Damaged):
                bad += 1
        if bad:
            losses.append(Loss("point", f"run {run_id}, metric {key!r:.100}", "the server sends what is no point", bad, is_damage=True))
        return points

    def _model_forms(self) -> Iterator[dict[str, Any]]:
        yield from self._got_pages("registered-models/search", "registered_models", max_results=MODELS_PAGE)
        try:
            filter = f"tags.`{IS_PROMPT}` = 'true'"
            prompts = list(self._got_pages("registered-models/search", "registered_models", max_results=MODELS_PAGE, filter=filter))
        except Refused:
            return
        yield from (form for form in prompts if any(tag.get("key") == IS_PROMPT for tag in form.get("tags", ())))

    def _versions(self, model: RegisteredModel) -> Iterator[ModelVersion]:
        mark = '"' if "'" in model.name else "'"
        filter = f"name = {mark}{model.name}{mark}"
        if model.tags.get(IS_PROMPT) == "true":
            filter += f" AND tags.`{IS_PROMPT}` = 'true'"
        forms = list(self._got_pages("model-versions/search", "model_versions", filter=filter, max_results=PAGE))
        for form in sorted(forms, key=lambda one: int(one.get("version", 0))):
            version = _typed_version(from_plain(form, ModelVersion))
            is_known = not version.source.startswith("models:/m-") or version.source.removeprefix("models:/") in self._logged
            yield version if is_known else evolve(version, source=self._files_of(version))

    def _files_of(self, version: ModelVersion) -> str:
        """Where the files of a version are that was registered from a logged model."""
        try:
            answer = self._connection.get("model-versions/get-download-uri", name=version.name, version=version.version)
        except StoreError:
            raise
        except DrupeError:
            return version.source
        return str(answer.get("artifact_uri") or version.source)


def _typed_run(run: Run) -> Run:
    """With words of the closed lists as such; the codec leaves them texts."""
    info = evolve(run.info, status=run_status(str(run.info.status)), lifecycle_stage=lifecycle(str(run.info.lifecycle_stage)))
    return evolve(run, info=info)


def _typed_version(version: ModelVersion) -> ModelVersion:
    return evolve(
        version,
        current_stage=stage(str(version.current_stage)),
        status=version_status(str(version.status)),
        run_id=version.run_id or None,
        aliases=(),
    )


def _with_run_id(form: dict[str, Any]) -> dict[str, Any]:
    """Servers of old name a run by `run_uuid` alone."""
    info = dict(form.get("info") or {})
    info.setdefault("run_id", info.get("run_uuid", ""))
    return {**form, "info": info}

"""A folder `mlruns`: the runs of MLflow's file store, 2.x and 3.x. Its models are read in `file_models` and `file_registry`.

Everything is reached by listing, never by a path that a file names; links are not followed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from drupe.entities import (
    Dataset,
    DatasetInput,
    Experiment,
    InputTag,
    LifecycleStage,
    ModelInput,
    ModelOutput,
    Points,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunOutputs,
    WholeModel,
    WholeRun,
)
from drupe.errors import StoreUnavailable
from drupe.extend import FoundExperiment, FoundLoggedModel, FoundRun, ImportSource, Loss
from drupe.uris import Uri
from drupe_import_mlflow.file_models import MODELS, logged_models_in
from drupe_import_mlflow.file_registry import models_in
from drupe_import_mlflow.folders import files_below, folders_in, has_folder, read_bytes, read_map, read_text
from drupe_import_mlflow.values import Damaged, add_point, lifecycle, mapping, number, run_status, text, text_of

__all__ = ["FileStore"]

TRASH = ".trash"
NO_RUNS = ("datasets", MODELS, "tags", "traces")
METRIC_BYTES = 2**30
RUN_NAME_TAG = "mlflow.runName"


class FileStore(ImportSource):
    """The store in one folder."""

    def __init__(self, uri: Uri, folder: Path) -> None:
        self.uri, self._folder = uri, folder
        self._homes: dict[str, Path] = {}  # the folder of each experiment
        self._locations: list[tuple[str, Path]] = []
        self._logged: set[str] = set()  # the logged models that could be read
        self._found = list(self._look())

    @classmethod
    def open(cls, uri: Uri, settings: object = None) -> FileStore:
        folder = Path(uri.path).resolve()
        if not any(name.isdecimal() or name in (TRASH, MODELS) for name in folders_in(folder)):
            raise StoreUnavailable(
                f"{folder} is no file store of MLflow: it holds no experiments; give the folder named mlruns", path=str(folder)
            )
        return cls(uri, folder)

    def close(self) -> None:
        """Nothing is kept open."""

    def description(self) -> str:
        return f"MLflow file store {self._folder}"

    def experiments(self) -> Iterator[FoundExperiment | Loss]:
        yield from self._found

    def run_ids(self, experiment_id: str) -> Iterator[str]:
        yield from (name for name in folders_in(self._homes[experiment_id]) if name not in NO_RUNS)

    def read_runs(self, experiment_id: str, run_ids: Sequence[str]) -> Iterator[FoundRun | Loss]:
        home = self._homes[experiment_id]
        for run_id in run_ids:
            if has_folder(home / run_id):
                try:
                    yield _run(home, run_id, experiment_id)
                except Damaged as fault:
                    yield Loss("run", f"run {run_id}", str(fault), is_damage=True)

    def logged_models(self, experiment_id: str) -> Iterator[FoundLoggedModel | Loss]:
        for found in logged_models_in(self._homes[experiment_id], experiment_id):
            if isinstance(found, FoundLoggedModel):
                self._logged.add(found.model.model_id)
            yield found

    def models(self) -> Iterator[WholeModel | Loss]:
        yield from models_in(self._folder / MODELS, self._logged)

    def leftovers(self) -> Iterator[Loss]:
        traces = sum(len(folders_in(home / "traces")) for home in self._homes.values())
        if traces:
            yield Loss("trace", "all", "drupe has no traces", traces)

    def roots(self) -> Sequence[tuple[str, Path]]:
        return [*self._locations, (str(self._folder), self._folder)]

    def _look(self) -> Iterator[FoundExperiment | Loss]:
        names: set[str] = set()
        for place in (self._folder, self._folder / TRASH):
            for name in folders_in(place):
                if not name.isdecimal():
                    continue
                try:
                    found = _experiment(place / name, name, is_deleted=place != self._folder)
                except Damaged as fault:
                    yield Loss("experiment", f"experiment {name}", f"{fault}; its runs cannot be placed", is_damage=True)
                    continue
                if name in self._homes or found.experiment.name in names:
                    yield Loss("experiment", f"experiment {name}", "its id or name is there twice", is_damage=True)
                    continue
                names.add(found.experiment.name)
                self._homes[name] = place / name
                self._locations.append((found.experiment.artifact_location, place / name))
                yield found


def _experiment(home: Path, experiment_id: str, *, is_deleted: bool) -> FoundExperiment:
    meta = read_map(home)
    losses: list[Loss] = []
    tags = _texts(home / "tags", f"experiment {experiment_id}", "experiment tag", losses)
    folders = [f"{MODELS}/{name}/artifacts" for name in folders_in(home / MODELS) if has_folder(home / MODELS / name / "artifacts")]
    made = Experiment(
        experiment_id,
        text_of(meta, "name"),
        text(meta.get("artifact_location")),
        LifecycleStage.DELETED if is_deleted else lifecycle(meta.get("lifecycle_stage")),
        number(meta.get("creation_time"), "creation_time"),
        number(meta.get("last_update_time"), "last_update_time"),
        tags,
    )
    return FoundExperiment(made, tuple(folders), tuple(losses))


def _run(home: Path, run_id: str, experiment_id: str) -> FoundRun:
    folder, place = home / run_id, f"run {run_id}"
    meta = read_map(folder)
    named = text(meta.get("run_id") or meta.get("run_uuid"))
    if named != run_id:
        raise Damaged(f"its meta.yaml is that of run {named[:60]!r}")
    losses: list[Loss] = []
    tags = _texts(folder / "tags", place, "tag", losses)
    info = RunInfo(
        run_id,
        experiment_id,
        text(meta.get("run_name")) or tags.get(RUN_NAME_TAG, ""),
        text(meta.get("user_id")),
        run_status(meta.get("status")),
        number(meta.get("start_time"), "start_time") or 0,
        number(meta.get("end_time"), "end_time"),
        lifecycle(meta.get("lifecycle_stage")),
        text(meta.get("artifact_uri")),
    )
    params = _texts(folder / "params", place, "param", losses)
    points = _metrics(folder / "metrics", place, losses)
    inputs, outputs = _inputs(home, folder, place, losses), RunOutputs(tuple(_outputs(folder, place, losses)))
    return FoundRun(WholeRun(Run(info, RunData(params=params, tags=tags), inputs, outputs), points), tuple(losses))


def _texts(folder: Path, place: str, what: str, losses: list[Loss]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, file in files_below(folder):
        try:
            if isinstance(file, Damaged):
                raise file
            found[key] = read_text(file)
        except Damaged as fault:
            losses.append(Loss(what, f"{place}, {what} {key!r}", str(fault), is_damage=True))
    return found


def _metrics(folder: Path, place: str, losses: list[Loss]) -> dict[str, Points]:
    found: dict[str, Points] = {}
    for key, file in files_below(folder):
        at = f"{place}, metric {key!r}"
        try:
            if isinstance(file, Damaged):
                raise file
            points, bad = _points(read_bytes(file, METRIC_BYTES))
        except Damaged as fault:
            losses.append(Loss("metric", at, str(fault), is_damage=True))
            continue
        if len(points):
            found[key] = points
        if bad:
            losses.append(Loss("point", at, "lines of its file are not 'time value step'", bad, is_damage=True))
    return found


def _points(raw: bytes) -> tuple[Points, int]:
    """The points of a metric's file, and how many lines are none. Very old files have no step."""
    points, bad = Points(), 0
    for line in raw.split(b"\n"):
        if line.strip():
            try:
                timestamp, value, *rest = line.split()
                add_point(points, int(rest[0]) if rest else 0, int(timestamp), float(value))
            except (ValueError, Damaged):
                bad += 1
    return points, bad


def _inputs(home: Path, folder: Path, place: str, losses: list[Loss]) -> RunInputs:
    datasets, models = [], []
    for name in folders_in(folder / "inputs"):
        try:
            tie = read_map(folder / "inputs" / name)
            if tie.get("destination_type") == "MODEL_INPUT":
                models.append(ModelInput(text_of(tie, "destination_id")))
            else:
                datasets.append(DatasetInput(_dataset(home, text_of(tie, "source_id")), _input_tags(tie.get("tags"))))
        except Damaged as fault:
            losses.append(Loss("dataset", f"{place}, input {name}", str(fault), is_damage=True))
    return RunInputs(tuple(datasets), tuple(models))


def _outputs(folder: Path, place: str, losses: list[Loss]) -> Iterator[ModelOutput]:
    for name in folders_in(folder / "outputs"):
        try:
            tie = read_map(folder / "outputs" / name)
            yield ModelOutput(text_of(tie, "destination_id"), number(tie.get("step"), "step") or 0)
        except Damaged as fault:
            losses.append(Loss("tie to a logged model", f"{place}, output {name}", str(fault), is_damage=True))


def _dataset(home: Path, dataset_id: str) -> Dataset:
    if dataset_id not in folders_in(home / "datasets"):
        raise Damaged(f"the dataset {dataset_id[:60]!r} that it names is not there")
    meta = read_map(home / "datasets" / dataset_id)
    schema, profile = meta.get("schema"), meta.get("profile")
    return Dataset(
        text_of(meta, "name"),
        text_of(meta, "digest"),
        text(meta.get("source_type")),
        text(meta.get("source")),
        None if schema is None else text(schema),
        None if profile is None else text(profile),
    )


def _input_tags(tags: object) -> tuple[InputTag, ...]:
    return tuple(InputTag(key, text(value)) for key, value in mapping(tags, "its map of tags").items()) if tags else ()

"""Shipping what is kept in journals and was not shipped by itself: runs of offline work, folders copied from other machines, leftovers.

Nothing is lost or sent twice when it is interrupted or repeated: the store knows how far it has each journal, artifacts are compared by digest,
and what lies here is deleted only when the store has it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import define

from drupe.artifacts.progress import Progress
from drupe.artifacts.repos import repo_for
from drupe.artifacts.trees import put_tree
from drupe.entities import LoggedModel, LoggedModelStatus, ParamClash, Run
from drupe.errors import DrupeError, InvalidValue, RunNotFound
from drupe.extend import Feature, TrackingStore
from drupe.tracking.journal import outbox, trouble
from drupe.tracking.journal.adoption import Adopted, adopt_run, left_in, run_folders, size_of, staged_files
from drupe.tracking.journal.cursor import writers_in
from drupe.tracking.journal.places import STAGED, journals_root
from drupe.tracking.journal.shipping import Shipped
from drupe.tracking.model_history import DIGEST_TAG, digest_tag
from drupe.tracking.offline import settle_experiment
from drupe.uris import ArtifactPath, inside_of

__all__ = ["MODELS_TAG", "REGISTER_TAG", "SyncedRun", "Waiting", "find_folders", "sync_run", "upload_staged", "waiting_in"]

REGISTER_TAG = "drupe.register_when_synced"
"""The tag of a run whose models are to be registered once it is in its store: JSON, a list of [path of the model, name]."""

MODELS_TAG = "drupe.logged_when_synced"
"""The tag of a run whose logged models get their files once it is in its store: JSON, ids of models and the paths that their files have here."""


@define
class SyncedRun:
    """What became of one run's folder: what was shipped now, and why something was not.

    `is_alive` when a process still logs to it: it ships that itself.
    """

    run_id: str
    run_name: str
    folder: Path
    shipped: Shipped
    files: int = 0
    file_bytes: int = 0
    is_alive: bool = False
    is_torn: bool = False
    fault: DrupeError | None = None

    @property
    def clashes(self) -> Sequence[ParamClash]:
        """Params that have another value in the store; that one was kept."""
        return self.shipped.clashes


@define
class Waiting:
    """What waits in one run's folder: bytes of journals and files; `since_ms` and `reason` say why, where shipping failed."""

    run_id: str
    folder: Path
    bytes: int
    files: int
    is_alive: bool
    since_ms: int | None
    reason: str | None


def waiting_in(root: Path) -> list[Waiting]:
    """What is logged and not in the store of this root, run by run; nothing is changed."""
    found = []
    for folder in run_folders(root):
        writers, staged = left_in(folder), staged_files(folder)
        told = trouble.read(folder)
        if writers or staged:
            size = sum(one.bytes for one in writers) + sum(map(size_of, staged))
            alive = any(one.is_alive for one in writers)
            found.append(
                Waiting(folder.name, folder, size, len(staged), alive, told.since_ms if told else None, told.reason if told else None)
            )
    return found


def find_folders(tracking_uri: str, target: str | None = None) -> list[Path]:
    """The folders of runs that `drupe sync TARGET` means: all of the store's, those below a path, or that of one run (the beginning of its id).

    Raises RunNotFound, and InvalidValue for a path with no journals.
    """
    root = journals_root(tracking_uri)
    if target is None:
        return run_folders(root)
    path = Path(target).expanduser()
    if path.is_dir():
        found = [folder for place in (path, *sorted(path.glob("*-journals"))) for folder in _folders_at(place)]
        if not found:
            raise InvalidValue(
                f"{target!r} holds no journals; give a folder such as drupe-journals, one run's folder in it, or the folder around it"
            )
        return found
    if path.exists():
        raise InvalidValue(f"{target!r} is a file; give the folder of the run that it belongs to")
    found = [folder for folder in run_folders(root) if folder.name.startswith(target)]
    if len(found) != 1:
        told = "no run with" if not found else f"{len(found)} runs with"
        raise RunNotFound(
            f"{told} an id that begins with {target[:60]!r} wait in {root}; `drupe status` lists those that do", run_id=target[:300]
        )
    return found


def sync_run(
    folder: Path,
    store: TrackingStore,
    *,
    keep: bool = False,
    passed: Callable[[Shipped], None] | None = None,
    progress: Progress | None = None,
    register: Callable[[str, str], object] | None = None,
) -> SyncedRun:
    """Ship one run's folder: its journals, then the artifacts that wait in it, then the registrations that were asked for.

    `keep` deletes nothing here; `register(model address, name)` registers a model. Never raises for what the run or the store has: see `fault`.
    """
    adopted: Adopted = adopt_run(folder, store, anywhere=True, keep=keep, passed=passed, prepare=settle_experiment(lambda: store))
    done = SyncedRun(adopted.run_id, "", folder, adopted.shipped, is_alive=adopted.alive > 0, is_torn=adopted.is_torn, fault=adopted.fault)
    if done.fault is None and not done.is_alive:
        try:
            run = store.get_run(folder.name)
            done.run_name = run.info.run_name
            done.files, done.file_bytes = upload_staged(folder, store, run, keep=keep, progress=progress)
            _register(store, run, register)
        except DrupeError as fault:
            done.fault = fault
    if done.fault is None and not done.is_alive and not keep:
        trouble.clear(folder)
        outbox.clean_folder(folder)
        outbox.clean_folder(folder.parent)
    return done


def upload_staged(folder: Path, store: TrackingStore, run: Run, *, keep: bool = False, progress: Progress | None = None) -> tuple[int, int]:
    """Put the artifacts that wait in a run's folder where they belong, and say of its logged models that their files are in place.

    Returns how many files, and their bytes. Raises StoreError, DrupeError.
    """
    models = _models_in(store, run)
    waiting = staged_files(folder)
    files = size = 0
    if waiting:
        elsewhere = {path: model for path, model in models.items() if inside_of(model.artifact_location, run.info.artifact_uri) is None}
        for path, model in elsewhere.items():  # a server that chooses places has chosen another
            source = folder / STAGED / path
            if source.is_dir():
                copied = put_tree(repo_for(model.artifact_location), source, progress=progress)
                files, size = files + copied.files + copied.unchanged, size + copied.total_bytes
            digest = run.data.tags.get(digest_tag(path))
            if digest is not None:  # what the run says of its own folders does not reach files that are elsewhere
                store.set_logged_model_tags(model.model_id, {DIGEST_TAG: digest})
        with _left_out(folder / STAGED, elsewhere) as rest:
            copied = put_tree(repo_for(run.info.artifact_uri), rest, progress=progress)
        files, size = files + copied.files + copied.unchanged, size + copied.total_bytes
    for path, model in models.items():
        has_files = (folder / STAGED / path / "MLmodel").is_file()
        if model.status is LoggedModelStatus.PENDING:
            why = None if has_files else "its files were never written"
            store.set_logged_model_status(model.model_id, LoggedModelStatus.READY if has_files else LoggedModelStatus.FAILED, message=why)
    if MODELS_TAG in run.data.tags:
        store.delete_run_tag(run.info.run_id, MODELS_TAG)
    if waiting and not keep:
        shutil.rmtree(folder / STAGED)
    return files, size


def _models_in(store: TrackingStore, run: Run) -> dict[str, LoggedModel]:
    """The logged models whose files wait, by the path that they have among those of the run; none where the store keeps none."""
    told = run.data.tags.get(MODELS_TAG)
    if told is None or not store.features.get(Feature.LOGGED_MODELS):
        return {}
    return {str(ArtifactPath.parse(path)): store.get_logged_model(model_id) for model_id, path in json.loads(told).items()}


@contextmanager
def _left_out(staged: Path, paths: Collection[str]) -> Iterator[Path]:
    """The staged folder without these folders of it, which are put aside for the time."""
    aside = staged.with_name(f"{staged.name}-elsewhere")
    moved: list[tuple[Path, Path]] = []
    try:
        for number, path in enumerate(paths):
            source = staged / path
            if source.is_dir():
                aside.mkdir(exist_ok=True)
                moved.append((source.rename(aside / str(number)), source))
        yield staged
    finally:
        for kept, source in moved:
            kept.rename(source)
        if moved:
            aside.rmdir()


def _register(store: TrackingStore, run: Run, register: Callable[[str, str], object] | None) -> None:
    wanted = run.data.tags.get(REGISTER_TAG)
    if wanted is None or register is None:
        return
    for path, name in json.loads(wanted):
        register(f"runs:/{run.info.run_id}/{path}", name)
    store.delete_run_tag(run.info.run_id, REGISTER_TAG)


def _folders_at(place: Path) -> list[Path]:
    if writers_in(place) or staged_files(place):
        return [place]
    return [folder for folder in run_folders(place) if writers_in(folder) or staged_files(folder)]

"""A backup of a store: what its plugin writes of it, local artifacts on request, and a manifest of digests. How it looks is in `manifest`.

The database comes first, the files after it, so that every file which the database tells of is there: files are only ever published whole.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version as release_of
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from drupe.artifacts.local_files import LocalFile, survey
from drupe.artifacts.repos import repo_for
from drupe.entities import LoggedModel, Run, ViewType, each
from drupe.errors import ArtifactNotFound, DrupeError, StoreFull, StoreSchema, StoreUnavailable
from drupe.extend import ArtifactRepo, Feature, TrackingStore
from drupe.extend.upkeep import Progress
from drupe.search import Kind, parse
from drupe.upkeep.boxes import Writer, writing
from drupe.upkeep.manifest import DATABASE, BackupFile, BackupManifest
from drupe.uris import Uri, redact

__all__ = ["BackupReport", "Source", "back_up"]

_EXPERIMENTS, _RUNS, _MODELS = parse(Kind.EXPERIMENTS), parse(Kind.RUNS, None, ["run_id"]), parse(Kind.LOGGED_MODELS)
PAGE = 1000


@frozen
class Source:
    """A store that is not opened: its class, its address and its settings."""

    kind: type[TrackingStore]
    address: Uri
    settings: Any = None

    @property
    def place(self) -> str:
        """What messages call it."""
        return redact(self.address.text)


@define
class BackupReport:
    """What was written: `left_out` says which addresses and files are not in it, and why."""

    target: str
    manifest: BackupManifest
    left_out: list[str] = field(factory=list)


def back_up(
    source: Source, target: Path, *, artifacts: bool = False, links: bool = False, progress: Progress | None = None
) -> BackupReport:
    """Write a backup of the store to `target`, a new folder, or a new file when it is named `*.tar`.

    With `artifacts`, with the files of runs and models that lie on this machine, as hard links with `links` where that can be. Raises
    AlreadyExists, UnsupportedFeature, StoreSchema when files of a store with an older schema are wanted, and what the store raises.
    """
    if artifacts and source.kind.plan_upgrade(source.address, source.settings).steps:
        raise StoreSchema(f"{source.place}: where its artifacts are can only be asked after an upgrade; first run: drupe store upgrade")
    try:
        with writing(target) as writer:
            return _written(source, writer, target, artifacts, links, progress)
    except OSError as fault:
        if fault.errno == errno.ENOSPC:
            raise StoreFull(f"{target}: no space is left on the disk; nothing was kept of the backup", path=str(target)) from fault
        raise StoreUnavailable(f"{target}: the backup cannot be written: {fault.strerror or fault}", path=str(target)) from fault


def _written(source: Source, writer: Writer, target: Path, artifacts: bool, links: bool, progress: Progress | None) -> BackupReport:
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    dumped = writer.scratch / DATABASE
    schema = source.kind.back_up(source.address, source.settings, target=dumped, progress=progress)
    files = [writer.add(DATABASE, dumped)]
    dumped.unlink()
    left_out: list[str] = []
    roots: dict[str, str] = {}
    if artifacts:
        for number, (address, folder, repo) in enumerate(_roots(source, left_out)):
            roots[str(number)] = address
            files += _add_files(writer, f"artifacts/{number}", folder, repo, links, left_out, progress)
    manifest = BackupManifest(source.address.scheme, source.place, schema, made_at, _release(), tuple(files), roots)
    writer.finish(manifest.to_text())
    return BackupReport(str(target), manifest, left_out)


def _add_files(
    writer: Writer, name: str, folder: Path, repo: ArtifactRepo, links: bool, left_out: list[str], progress: Progress | None
) -> Iterator[BackupFile]:
    try:
        files, faults = survey(folder)
    except ArtifactNotFound:  # nothing was logged there yet
        return
    left_out += [f"{folder}: {fault}" for fault in faults]
    total, done = sum(file.size for file in files), 0
    for file in files:
        if progress is not None:
            progress(done, total, str(file.path))
        done += file.size
        found = _add(writer, name, file, links)
        if found is None:  # removed meanwhile
            continue
        known = repo.digest(file.path)
        if known is not None and known != found.sha256:
            left_out.append(f"{file.source}: it is in the backup, but is not what was logged: its digest is another")
        yield found


def _add(writer: Writer, name: str, file: LocalFile, links: bool) -> BackupFile | None:
    try:
        return writer.add(f"{name}/{file.path}", file.source, as_link=links)
    except FileNotFoundError:
        return None


def _roots(source: Source, left_out: list[str]) -> Iterator[tuple[str, Path, ArtifactRepo]]:
    """The local folders of artifacts, none of them inside another, with their addresses and repositories."""
    taken: list[Path] = []
    for address in sorted(_addresses(source)):
        try:
            repo = repo_for(address)
            folder = repo.local_path()
        except DrupeError as fault:
            left_out.append(f"{redact(address)}: {fault.message}")
            continue
        if folder is None:
            left_out.append(f"{redact(address)}: these files are not on this machine; back them up where they are")
        elif not any(other == folder or other in folder.parents for other in taken):
            taken.append(folder)
            yield address, folder, repo


def _addresses(source: Source) -> set[str]:
    """Where experiments keep artifacts, and runs and models that keep theirs elsewhere."""
    store = source.kind.open(source.address, source.settings)
    try:
        homes = {
            one.experiment_id: one.artifact_location.rstrip("/")
            for one in each(
                lambda limit, token: store.search_experiments(_EXPERIMENTS, view=ViewType.ALL, limit=limit, page_token=token),
                page_size=PAGE,
            )
        }
        found = set(homes.values())
        run: Run
        for run in each(
            lambda limit, token: store.search_runs(_RUNS, experiment_ids=None, view=ViewType.ALL, limit=limit, page_token=token),
            page_size=PAGE,
        ):
            if not run.info.artifact_uri.startswith(f"{homes.get(run.info.experiment_id)}/"):
                found.add(run.info.artifact_uri)
        if store.features.get(Feature.LOGGED_MODELS):
            model: LoggedModel
            for model in each(
                lambda limit, token: store.search_logged_models(_MODELS, experiment_ids=None, limit=limit, page_token=token), page_size=PAGE
            ):
                if not model.artifact_location.startswith(f"{homes.get(model.experiment_id)}/"):
                    found.add(model.artifact_location)
        return found
    finally:
        store.close()


def _release() -> str:
    try:
        return release_of("drupe-kernel")
    except PackageNotFoundError:  # run from a source folder
        return "unknown"

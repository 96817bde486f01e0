"""Putting a backup back: first all of it is compared with its digests, then the files that are missing, at last the database, all at once."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from attrs import define, field

from drupe.artifacts.repos import repo_for
from drupe.errors import AlreadyExists, StoreCorrupt, StoreError, StoreSchema, StoreUnavailable
from drupe.extend import ArtifactRepo
from drupe.extend.upkeep import Progress
from drupe.upkeep.backup import Source
from drupe.upkeep.boxes import Reader, reading
from drupe.upkeep.manifest import DATABASE, MANIFEST, BackupFile, BackupManifest
from drupe.uris import ArtifactPath

__all__ = ["RestoreReport", "look_through", "restore"]

SHOWN = 10


@define
class RestoreReport:
    """What was put back: how many files are new, were there already, or took the place of others; `replaced` is where the old store lies."""

    target: str
    manifest: BackupManifest
    replaced: str | None = None
    new: int = 0
    unchanged: int = 0
    overwritten: list[str] = field(factory=list)


def look_through(source: Path, *, progress: Progress | None = None) -> BackupManifest:
    """Read all of a backup and compare it with its manifest, which is returned. Raises StoreUnavailable, StoreCorrupt."""
    with reading(source) as box:
        return _checked(box, source, progress)


def restore(source: Path, target: Source, *, replace: bool = False, progress: Progress | None = None) -> RestoreReport:
    """Put a backup to where `target` is, and its artifacts to the addresses that they had.

    Raises StoreCorrupt when anything in it is not as it was written, StoreSchema when it is of another kind of store, AlreadyExists when a store
    or another file is in the way, unless `replace`; nothing was changed then. Interrupted, some files may be there and the old database still.
    """
    with reading(source) as box:
        manifest = _checked(box, source, progress)
        if _family(manifest.kind) != _family(target.address.scheme):
            raise StoreSchema(
                f"{source}: this is a backup of a {manifest.kind} store, and {target.place} is none; restore it to one, then: drupe store copy"
            )
        if not replace and _is_there(target):
            raise AlreadyExists(f"{target.place}: a store is there already; --replace puts the backup in its place and keeps the old one")
        report = RestoreReport(target.place, manifest)
        wanted = _wanted(manifest, report, replace)
        with tempfile.TemporaryDirectory(prefix="drupe-restore-") as folder:
            _put_files(box, wanted, Path(folder), progress)
            database = box.path(DATABASE, Path(folder))
            report.replaced = target.kind.restore(target.address, target.settings, source=database, replace=replace, progress=progress)
        return report


def _checked(box: Reader, source: Path, progress: Progress | None) -> BackupManifest:
    with box.open(MANIFEST) as opened:
        manifest = BackupManifest.from_text(opened.read().decode(errors="replace"), str(source))
    if not any(file.name == DATABASE for file in manifest.files):
        raise StoreCorrupt(f"{source}: this backup has no database", path=str(source))
    manifest.artifacts()  # names that lead elsewhere are refused
    wrong: list[str] = []
    done = 0
    for file in manifest.files:
        if progress is not None:
            progress(done, manifest.size, file.name)
        done += file.size
        try:
            with box.open(file.name) as opened:
                digest = hashlib.file_digest(opened, "sha256").hexdigest()  # type: ignore[arg-type]
        except (StoreCorrupt, OSError):
            digest = ""
        if digest != file.sha256:
            wrong.append(file.name)
    if wrong:
        shown = ", ".join(wrong[:SHOWN]) + (f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else "")
        raise StoreCorrupt(
            f"{source}: the backup is damaged, and nothing was changed: missing, or not as written: {shown}", path=str(source)
        )
    return manifest


def _wanted(manifest: BackupManifest, report: RestoreReport, replace: bool) -> list[tuple[BackupFile, ArtifactRepo, ArtifactPath]]:
    """The files that are to be written, each with its repository and its path there."""
    repos: dict[str, ArtifactRepo] = {}
    wanted: list[tuple[BackupFile, ArtifactRepo, ArtifactPath]] = []
    for file, root, path in manifest.artifacts():
        repo = repos.get(root) or repos.setdefault(root, repo_for(root))
        if not repo.is_file(path):
            report.new += 1
        elif _digest(repo, path) == file.sha256:
            report.unchanged += 1
            continue
        else:
            report.overwritten.append(f"{root}/{path}")
        wanted.append((file, repo, path))
    if report.overwritten and not replace:
        shown = ", ".join(report.overwritten[:SHOWN])
        raise AlreadyExists(
            f"other files are where artifacts of the backup belong: {shown}; --replace overwrites them", files=report.overwritten
        )
    return wanted


def _put_files(box: Reader, wanted: list[tuple[BackupFile, ArtifactRepo, ArtifactPath]], folder: Path, progress: Progress | None) -> None:
    total, done = sum(file.size for file, _, _ in wanted), 0
    for file, repo, path in wanted:
        if progress is not None:
            progress(done, total, str(path))
        done += file.size
        repo.put_file(box.path(file.name, folder), path)


def _digest(repo: ArtifactRepo, path: ArtifactPath) -> str:
    local = repo.local_path(path)
    if local is not None:
        with local.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    return repo.digest(path) or ""


def _is_there(target: Source) -> bool:
    try:
        target.kind.plan_upgrade(target.address, target.settings)
    except StoreUnavailable:
        return False
    except StoreError:  # whatever is wrong with it
        return True
    return True


def _family(scheme: str) -> str:
    return {"postgres": "postgresql"}.get(scheme, scheme)

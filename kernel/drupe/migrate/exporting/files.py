"""The files of an export: which lie below an address here, and sending them below one there; and which address becomes which."""

from __future__ import annotations

from pathlib import Path

from drupe.artifacts.repos import repo_for
from drupe.artifacts.trees import list_tree
from drupe.errors import DrupeError, NoProvider, StoreFull, StoreReadOnly, StoreUnavailable
from drupe.extend import ArtifactRepo, Loss
from drupe.migrate.exporting.report import ExportReport
from drupe.migrate.files import copy_files, count_files
from drupe.migrate.places import Addresses, is_local, is_proxied
from drupe.migrate.report import Fate
from drupe.uris import ArtifactPath, Uri, redact

__all__ = ["Files"]

_HERE = ("127.0.0.1", "localhost", "[::1]")


class Files:
    """Sends files to the server at `target`. What cannot be read or sent is told in the report."""

    def __init__(self, target: Uri, report: ExportReport) -> None:
        self._target, self._report = target, report
        self._addresses = Addresses()

    def below(self, address: str) -> list[tuple[str, int | None]]:
        """Path and size of every file below an address here; empty where they cannot be listed."""
        try:
            return [(file.path, file.file_size) for file in list_tree(repo_for(address))]
        except DrupeError:  # told when they are to be sent
            return []

    def there(self, address: str) -> list[tuple[str, int | None]]:
        """Path and size of every file below an address there."""
        repo = self._repo(address)
        return [] if repo is None else [(file.path, file.file_size) for file in list_tree(repo)]

    def send(self, here: str, there: str | None, place: str) -> None:
        """Send all files below one address to another, where those that are there already are compared; None only counts them.

        Each file is compared with its source after it was sent.
        """
        tell = self._report.losses.append
        try:
            source = _source(here)
            if there is None:
                sent = count_files(source, place, tell)
            else:
                self._addresses.moved(here, there)
                if not self._can_reach(there):
                    if self.below(here):
                        why = f"the server keeps files at {redact(there)[:200]}, a path of its own machine; start it with --serve-artifacts"
                        tell(Loss("files", place, why))
                    return
                repo = self._repo(there)
                if repo is None:
                    return
                sent = copy_files(source, repo, place, tell)
        except (StoreFull, StoreReadOnly):
            raise
        except DrupeError as fault:
            tell(Loss("files", place, fault.message, is_damage=not isinstance(fault, NoProvider | StoreUnavailable)))
            return
        self._report.files.add(Fate.NEW, sent.new)
        self._report.files.add(Fate.UNCHANGED, sent.unchanged)
        self._report.file_bytes += sent.total_bytes

    def moved(self, here: str, there: str) -> None:
        """Note that what is below one address here is below another there."""
        self._addresses.moved(here, there)

    def follow(self, address: str) -> str | None:
        """The address there of something here; None where it has none, so that only its own can be told."""
        return self._addresses.follow(address)

    def _can_reach(self, there: str) -> bool:
        return not is_local(there) or self._target.host.rpartition(":")[0] in _HERE

    def _repo(self, there: str) -> ArtifactRepo | None:
        """What serves an address there; one that only a server can follow is that server's."""
        if not self._can_reach(there):
            return None
        if is_proxied(there) and not there.startswith("mlflow-artifacts://"):
            there = f"mlflow-artifacts://{self._target.host}/{there.partition(':')[2].lstrip('/')}"
        return repo_for(there)


def _source(address: str) -> Path | ArtifactRepo:
    repo = repo_for(address)
    local = repo.local_path(ArtifactPath())
    return local if local is not None and local.is_dir() else repo

"""Artifacts of an import: which address they get here, and copying them there, or leaving them where they are.

Addresses of object stores stay as they are: what can be reached from there can be reached from here. Local files, and those that only a
tracking server can serve, are copied below this store's own artifact root, unless they are to be linked.
"""

from __future__ import annotations

from collections import Counter

from attrs import evolve

from drupe.artifacts.repos import repo_for
from drupe.entities import Experiment, LoggedModel, ModelVersion, WholeModel, WholeRun
from drupe.errors import DrupeError, StoreFull, StoreReadOnly
from drupe.extend import ImportSource, Loss
from drupe.migrate.files import copy_files, count_files
from drupe.migrate.places import Addresses, Roots, is_local, is_proxied
from drupe.migrate.report import Fate, ImportReport
from drupe.uris import redact

__all__ = ["Carrier"]


class Carrier:
    """Brings the artifacts of one import here. Files that cannot be found or read are told in the report."""

    def __init__(self, source: ImportSource, roots: Roots, report: ImportReport, *, link: bool, is_dry_run: bool) -> None:
        self._source, self._roots, self._report, self._link, self._is_dry_run = source, roots, report, link, is_dry_run
        self._addresses = Addresses()
        self._unreachable: Counter[str] = Counter()
        self._logged: set[str] = set()  # addresses models:/m-… that mean something here

    def location_of(self, there: Experiment) -> str:
        """The artifact location that a new experiment gets; empty for the store's own."""
        address = there.artifact_location
        return address if self._stays(address) else self._linked(address) or "" if self._link else ""

    def carry_run(self, given: WholeRun, here: Experiment, kept: str | None) -> WholeRun:
        """The run with its experiment and artifact address here, after its files were copied. `kept` is its address, if it is here already."""
        info = given.run.info
        address = kept or self._address_of_run(info.artifact_uri, info.run_id, here)
        self._addresses.moved(info.artifact_uri, address)
        if self._is_own(address, info.artifact_uri):
            self._copy(info.artifact_uri, address, f"run {info.run_id}", info.run_id)
        return evolve(given, run=evolve(given.run, info=evolve(info, experiment_id=here.experiment_id, artifact_uri=address)))

    def carry_folder(self, there: Experiment, here: Experiment, folder: str) -> None:
        """Copy a folder of an experiment that belongs to no run, such as that of a model."""
        old = f"{there.artifact_location.rstrip('/')}/{folder}"
        new = self._linked(old) or old if self._link or self._stays(old) else f"{here.artifact_location.rstrip('/')}/{folder}"
        self._addresses.moved(old, new)
        if self._is_own(new, old):
            self._copy(old, new, f"experiment {there.experiment_id}, {folder}", None)

    def carry_logged_model(self, given: LoggedModel, here: Experiment, kept: str | None) -> LoggedModel:
        """The logged model with its artifact address here, after its files were copied. `kept` is its address, if it is here already."""
        old = given.artifact_location
        new = self._addresses.follow(old)  # a folder of its experiment may have held them
        if new is None:
            own = f"{here.artifact_location.rstrip('/')}/models/{given.model_id}/artifacts"
            new = kept or (old if self._stays(old) else self._linked(old) or old if self._link else own)
            self._addresses.moved(old, new)
            if self._is_own(new, old):
                self._copy(old, new, f"logged model {given.model_id}", None)
        self._addresses.moved(given.model_uri, new)
        return evolve(given, artifact_location=new)

    def keep_logged_model(self, model_id: str) -> None:
        """Leave the sources of versions that name this model as they are, since it is here."""
        self._logged.add(f"models:/{model_id}")

    def point_to_files(self, found: WholeModel) -> WholeModel:
        """The model with the sources of its versions where their files are now."""
        return evolve(found, versions=tuple(self._pointed(version) for version in found.versions))

    def finish(self) -> None:
        """Tell, once for each place, how many runs may have files that could not be looked for."""
        for place, count in sorted(self._unreachable.items()):
            why = "it is not below a folder that may be read; say where it lies now: --artifact-root OLD=FOLDER"
            self._report.losses.append(Loss("files", redact(place)[:300], why, count))

    def _pointed(self, version: ModelVersion) -> ModelVersion:
        if version.source in self._logged:
            return version
        source = self._addresses.follow(version.source)
        if source is not None:
            return evolve(version, source=source)
        linked = self._linked(version.source) if is_local(version.source) else None
        if linked is None and "/" in version.source and not self._stays(version.source):
            place = f"registered model {version.name!r}, version {version.version}"
            why = f"its files at {redact(version.source)[:200]} belong to no run that was carried over; the address is kept as it is"
            self._report.losses.append(Loss("files", place, why))
        return evolve(version, source=linked or version.source)

    def _stays(self, address: str) -> bool:
        return bool(address) and not is_local(address) and not is_proxied(address)

    def _is_own(self, new: str, old: str) -> bool:
        return not self._link and not self._stays(old) and new not in (old, self._linked(old))

    def _linked(self, address: str) -> str | None:
        folder = self._roots.folder_of(address)
        return None if folder is None else folder.as_uri()

    def _address_of_run(self, address: str, run_id: str, here: Experiment) -> str:
        if self._stays(address):
            return address
        if self._link:
            return self._linked(address) or address
        return f"{here.artifact_location.rstrip('/')}/{run_id}/artifacts"

    def _copy(self, old: str, new: str, place: str, run_id: str | None) -> None:
        tell = self._report.losses.append
        if not old:
            return
        there = self._roots.folder_of(old) or self._source.repo_at(old, run_id)
        if there is None:
            if not self._roots.covers(old):
                self._unreachable[old.removesuffix(f"/{run_id}/artifacts")] += 1
            return
        try:
            copied = count_files(there, place, tell) if self._is_dry_run else copy_files(there, repo_for(new), place, tell)
        except (StoreFull, StoreReadOnly):
            raise
        except DrupeError as fault:
            tell(Loss("files", place, fault.message, is_damage=True))
            return
        self._report.files.add(Fate.NEW, copied.new)
        self._report.files.add(Fate.UNCHANGED, copied.unchanged)
        self._report.file_bytes += copied.total_bytes

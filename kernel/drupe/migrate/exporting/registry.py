"""Sending registered models: names, tags and descriptions; versions in their order with sources where their files are there; stages and aliases.

Where the model is new there, versions keep their numbers: a number that was deleted here is used up there too.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from drupe.entities import ModelVersion, Stage, WholeModel
from drupe.errors import DrupeError, RegisteredModelNotFound, StoreError
from drupe.extend import Loss, RegistryStore
from drupe.migrate.exporting.files import Files
from drupe.migrate.exporting.report import VERSION_TAG, ExportReport
from drupe.migrate.places import is_local
from drupe.migrate.reading import whole_model
from drupe.migrate.report import Fate
from drupe.uris import redact

__all__ = ["Models"]

MOST_GAPS = 1000  # numbers in a row that are used up to keep the next one
GAP = "s3://deleted/version"  # the source of a version that is made to be deleted
_UNMAPPED = ("file:", "mlflow-artifacts:", "runs:", "models:/m-")


class Models:
    """The registered models of one export."""

    def __init__(self, target: RegistryStore, files: Files, report: ExportReport) -> None:
        self._target, self._files, self._report = target, files, report

    def send(self, whole: WholeModel, *, is_dry_run: bool) -> None:
        """Send one model with all of its versions."""
        model, name = whole.model, whole.model.name
        there = self._there(name)
        known = {} if there is None else {one.tags[VERSION_TAG]: one.version for one in there.versions if VERSION_TAG in one.tags}
        fates = [Fate.UNCHANGED if one.version in known else Fate.NEW for one in whole.versions]
        is_same = there is not None and Fate.NEW not in fates and all(there.model.tags.get(k) == v for k, v in model.tags.items())
        self._report.models.add(Fate.NEW if there is None else Fate.UNCHANGED if is_same else Fate.EXTENDED)
        if is_dry_run:
            for fate in fates:
                self._report.versions.add(fate)
            return
        if there is None:
            made = self._try(name, "it", lambda: self._target.create_registered_model(name, description=model.description, tags=model.tags))
            if made is None:
                return
        else:
            self._complete(whole, there)
        for version in sorted(whole.versions, key=lambda one: int(one.version)):
            number = known.get(version.version) or self._send_version(version, known)
            if number is not None:
                known[version.version] = number
                self._report.versions.add(Fate.NEW if there is None or not _has(there, number) else Fate.UNCHANGED)
                self._report.mapping.versions[f"{name}/{version.version}"] = f"{name}/{number}"
                self._settle(version, number)
        for alias, number in model.aliases.items():
            if number in known:
                self._try(name, f"alias {alias}", partial(self._target.set_alias, name, alias, known[number]))

    def wanted_source(self, version: ModelVersion) -> str | None:
        """The source that a version has to have there; None where its files are not there."""
        source = self._files.follow(version.source)
        if source is None and version.source.startswith("runs:/"):
            run_id, slash, rest = version.source.removeprefix("runs:/").lstrip("/").partition("/")
            there = self._report.mapping.runs.get(run_id)
            source = None if there is None else f"runs:/{there}{slash}{rest}"
        if source is not None:
            return source
        is_ours = version.source.startswith(_UNMAPPED) or (is_local(version.source) and "/" in version.source)
        return None if is_ours else version.source

    def _there(self, name: str) -> WholeModel | None:
        try:
            return whole_model(self._target, name)
        except RegisteredModelNotFound:
            return None

    def _complete(self, whole: WholeModel, there: WholeModel) -> None:
        name = whole.model.name
        for key, value in whole.model.tags.items():
            if key not in there.model.tags:
                self._try(name, f"tag {key}", partial(self._target.set_registered_model_tag, name, key, value))
            elif there.model.tags[key] != value:
                self._report.losses.append(Loss("registered model tag", f"{name}, tag {key!r:.100}", "another value is there, and stays"))
        if whole.model.description and not there.model.description:
            self._try(name, "description", lambda: self._target.update_registered_model(name, description=whole.model.description))

    def _send_version(self, version: ModelVersion, known: dict[str, str]) -> str | None:
        name, source = version.name, self.wanted_source(version)
        place = f"registered model {name!r:.100}, version {version.version}"
        if source is None:
            why = f"its files at {redact(version.source)[:200]} belong to nothing that was sent"
            self._report.losses.append(Loss("model version", place, why))
            return None
        self._use_up(version, known)
        run_id = self._report.mapping.runs.get(version.run_id or "")
        made: ModelVersion | None = self._try(
            name,
            f"version {version.version}",
            lambda: self._target.create_model_version(
                name,
                source,
                run_id=run_id,
                description=version.description,
                tags={**{key: value for key, value in version.tags.items() if key != VERSION_TAG}, VERSION_TAG: version.version},
                run_link=version.run_link,
            ),
        )
        if made is None:
            return None
        if made.version != version.version:
            self._report.losses.append(
                Loss("model version", place, f"it has the number {made.version} there; {version.version} is another one's")
            )
        return made.version

    def _use_up(self, version: ModelVersion, known: dict[str, str]) -> None:
        """Make and delete the versions before this one that there are none of here, while the numbers there are those here."""
        if any(here != there for here, there in known.items()):
            return
        last = max(map(int, known), default=0)
        if not 0 < int(version.version) - last - 1 <= MOST_GAPS:
            return
        there = whole_model(self._target, version.name)
        if there is None or {one.version for one in there.versions} - set(known):
            return  # others make versions there
        for _ in range(int(version.version) - last - 1):
            gap = self._try(version.name, "a number that is free here", lambda: self._target.create_model_version(version.name, GAP))
            if gap is None:
                return
            if int(gap.version) >= int(version.version):  # it was used up before, by an export that was interrupted
                self._target.delete_model_version(version.name, gap.version)
                return
            self._target.delete_model_version(version.name, gap.version)
            if int(gap.version) == int(version.version) - 1:
                return

    def _settle(self, version: ModelVersion, number: str) -> None:
        name = version.name
        there = self._target.get_model_version(name, number)
        if version.current_stage is not there.current_stage and version.current_stage is not Stage.NONE:
            self._try(name, "stage", lambda: self._target.transition_model_version_stage(name, number, version.current_stage))
        for key, value in version.tags.items():
            if there.tags.get(key) != value and key != VERSION_TAG:
                self._try(name, f"tag {key}", partial(self._target.set_model_version_tag, name, number, key, value))
        if version.description and version.description != there.description:
            self._try(name, "description", lambda: self._target.update_model_version(name, number, description=version.description))

    def _try(self, name: str, what: str, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except StoreError:
            raise
        except DrupeError as fault:
            self._report.losses.append(
                Loss("registered model", f"{name!r:.100}, {what:.100}", f"the server refuses it: {fault.message[:300]}")
            )
            return None


def _has(there: WholeModel, number: str) -> bool:
    return any(one.version == number for one in there.versions)

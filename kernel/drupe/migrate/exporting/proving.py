"""Comparing what was sent with what is there in the end: every run with its points, every logged model, every version."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from drupe.entities import LoggedModel, Points, RunStatus, WholeModel, WholeRun
from drupe.errors import DrupeError, StoreError
from drupe.extend import RegistryStore, TrackingStore
from drupe.migrate.digests import ordered
from drupe.migrate.exporting.files import Files
from drupe.migrate.exporting.logged import LoggedModels, told_of_metrics
from drupe.migrate.exporting.registry import Models
from drupe.migrate.exporting.report import ExportReport
from drupe.migrate.exporting.runs import Runs
from drupe.migrate.reading import whole_model, whole_runs

__all__ = ["Proof"]

_LARGEST = sys.float_info.max  # as which MLflow's servers keep infinity


class Proof:
    """Compares things of both sides and notes what differs; `digest` is over all that is the same."""

    def __init__(self, tracking: TrackingStore, registry: RegistryStore, files: Files, report: ExportReport) -> None:
        self._tracking, self._registry, self._files, self._report = tracking, registry, files, report
        self._made = hashlib.sha256()

    @property
    def digest(self) -> str:
        """Over all that was compared so far."""
        return self._made.hexdigest()

    def of_runs(self, page: Sequence[WholeRun], runs: Runs) -> None:
        """Compare some runs that were sent."""
        ids = self._report.mapping.runs
        sent = [whole for whole in page if whole.run.info.run_id in ids]
        kept = whole_runs(self._tracking, [ids[whole.run.info.run_id] for whole in sent])
        for whole in sent:
            run_id = whole.run.info.run_id
            there = kept.get(ids[run_id])
            if there is None:
                self._report.mismatches.append(f"run {run_id} is not there")
                continue
            refused = {(what, key) for one, what, key in runs.refused if one == run_id}
            wanted = _told_of_run(whole, runs.tags_there(whole.run), refused)
            found = _told_of_run(there, {key: there.run.data.tags.get(key) for key in runs.tags_there(whole.run)}, refused)
            wrong = [name for name, one in wanted.items() if found[name] != one]
            if sorted(self._files.below(whole.run.info.artifact_uri)) != self._files_there(there.run.info.artifact_uri, "logged_models/"):
                wrong.append("files")
            self._note(f"run {run_id}", wrong, wanted)

    def of_logged_model(self, model: LoggedModel, logged: LoggedModels) -> None:
        """Compare a logged model that was sent."""
        there = self._report.mapping.logged_models.get(model.model_id)
        if there is None:
            return
        kept = self._tracking.get_logged_model(there)
        wanted = logged.wanted_there(model)
        metrics = told_of_metrics(kept.metrics)
        tags = {key: kept.tags.get(key) for key in wanted[4]}
        found = (kept.name, kept.status, kept.model_type, dict(kept.params), tags, metrics)
        names = ("name", "status", "type", "params", "tags", "metrics")
        wrong = [name for name, one, other in zip(names, wanted, found, strict=True) if one != other]
        used, made = logged.ties_there(model.model_id)
        runs = {run_id: self._tracking.get_run(run_id) for run_id in {*used, *made}}
        if any(there not in [one.model_id for one in runs[run_id].inputs.model_inputs] for run_id in used) or any(
            (there, step) not in [(one.model_id, one.step) for one in runs[run_id].outputs.model_outputs] for run_id, step in made.items()
        ):
            wrong.append("ties to runs")
        if sorted(self._files.below(model.artifact_location)) != self._files_there(kept.artifact_location):
            wrong.append("files")
        self._note(f"logged model {model.model_id}", wrong, wanted)

    def of_model(self, whole: WholeModel, models: Models) -> None:
        """Compare a registered model with those of its versions that were sent."""
        model, numbers = whole.model, self._report.mapping.versions
        there = whole_model(self._registry, model.name)
        if there is None:
            self._report.mismatches.append(f"registered model {model.name!r} is not there")
            return
        kept = {one.version: one for one in there.versions}
        aliases = {}
        for alias, number in model.aliases.items():
            if f"{model.name}/{number}" in numbers:
                aliases[alias] = numbers[f"{model.name}/{number}"].rpartition("/")[2]
        found = self._registry.get_registered_model(model.name).aliases
        self._note(
            f"registered model {model.name!r}",
            ["aliases"] * (aliases != {alias: found.get(alias) for alias in aliases}),
            [model.name, sorted(aliases.items())],
        )
        for version in whole.versions:
            number = numbers.get(f"{model.name}/{version.version}", "").rpartition("/")[2]
            if not number:
                continue
            other = kept.get(number)
            if other is None:
                self._report.mismatches.append(f"version {version.version} of {model.name!r} is not there")
                continue
            wanted: dict[str, Any] = {
                "stage": version.current_stage,
                "description": version.description,
                "source": models.wanted_source(version),
                "run": self._report.mapping.runs.get(version.run_id or ""),
                "tags": {key: value for key, value in version.tags.items() if not key.startswith("drupe.")},
            }
            has = {
                "stage": other.current_stage,
                "description": other.description,
                "source": wanted["source"] if other.source.startswith("runs:") or wanted["source"] is None else other.source,
                "run": other.run_id if wanted["run"] else None,
                "tags": {key: other.tags.get(key) for key in wanted["tags"]},
            }
            self._note(f"version {version.version} of {model.name!r}", [name for name, one in wanted.items() if has[name] != one], wanted)

    def _files_there(self, address: str, but: str | None = None) -> list[tuple[str, int | None]]:
        try:
            found = self._files.there(address)
        except StoreError:
            raise
        except DrupeError:
            return []
        return sorted(one for one in found if but is None or not one[0].startswith(but))

    def _note(self, what: str, wrong: Sequence[str], wanted: Any) -> None:
        self._made.update(f"{what} {wanted!r}\n".encode("utf-8", "surrogatepass"))
        if wrong:
            self._report.mismatches.append(f"{what} differs there in {', '.join(wrong)}")


def _told_of_run(whole: WholeRun, tags: Mapping[str, Any], refused: set[tuple[str, str]]) -> dict[str, Any]:
    info, data = whole.run.info, whole.run.data
    series = {key: ordered(points) for key, points in whole.points.items() if len(points) and ("metric", key) not in refused}
    return {
        "name": info.run_name,
        "user": info.user_id,
        "status": RunStatus(info.status),
        "times": (info.start_time, info.end_time),
        "stage": info.lifecycle_stage,
        "params": {key: value for key, value in sorted(data.params.items()) if ("param", key) not in refused},
        "tags": {key: value for key, value in sorted(tags.items()) if ("tag", key) not in refused},
        "datasets": sorted(
            (one.dataset.name, one.dataset.digest, sorted((tag.key, tag.value) for tag in one.tags))
            for one in whole.run.inputs.dataset_inputs
            if ("dataset", one.dataset.name) not in refused
        ),
        "metrics": {key: _digest(points) for key, points in sorted(series.items())},
    }


def _digest(points: Points) -> str:
    values = ["nan" if value != value else repr(max(-_LARGEST, min(_LARGEST, value + 0.0))) for value in points.values]
    return hashlib.sha256(repr((list(points.steps), list(points.timestamps), values)).encode()).hexdigest()

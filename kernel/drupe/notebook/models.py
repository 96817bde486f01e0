"""Registered models, their versions, and lists of logged models as notebooks show them. A logged model alone is a card: `drupe.models.card`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from drupe.entities import LoggedModel, ModelVersion, ModelVersionStatus, RegisteredModel, Stage
from drupe.notebook import places
from drupe.notebook.html import Cell, facts, fold, frame, linked, note, prose, table, when
from drupe.uris import redact

__all__ = ["logged_models_html", "registered_model_html", "registered_models_html", "version_html", "versions_html"]

LISTED = 50
_CUT = 60
_VERSION_COLUMNS = ("version", "aliases", "stage", "status", "created", "run")


def registered_model_html(model: RegisteredModel) -> str:
    """One registered model, with the newest versions of its stages."""
    versions = [_version_row(one, model.aliases) for one in model.latest_versions]
    return frame(
        "registered-model",
        linked(model.name, places.of_registered_model(model.name)),
        "registered model",
        [
            prose(model.description),
            facts([("created", when(model.creation_timestamp)), ("last changed", when(model.last_updated_timestamp))]),
            fold("Aliases", len(model.aliases), table(("alias", "version"), sorted(model.aliases.items()), numbers=[1])),
            fold("Latest versions", len(versions), table(_VERSION_COLUMNS, versions)),
            fold("Tags", len(model.tags), table(("tag", "value"), sorted(model.tags.items()))),
        ],
    )


def version_html(version: ModelVersion) -> str:
    """One version of a registered model."""
    return frame(
        "model-version",
        linked(f"{version.name}, version {version.version}", places.of_version(version.name, version.version)),
        _version_state(version),
        [
            prose(version.description),
            facts(
                [
                    ("address", f"models:/{version.name}/{version.version}"),
                    ("aliases", ", ".join(version.aliases)),
                    ("created", when(version.creation_timestamp)),
                    ("last changed", when(version.last_updated_timestamp)),
                    ("user", version.user_id),
                    ("run", version.run_id),
                    ("source", redact(version.source)),
                    ("status", version.status_message),
                ]
            ),
            fold("Tags", len(version.tags), table(("tag", "value"), sorted(version.tags.items()))),
        ],
    )


def registered_models_html(models: Sequence[RegisteredModel], told: str) -> str:
    """Registered models as rows."""
    rows: list[list[Cell]] = [
        [
            linked(one.name, places.of_registered_model(one.name)),
            ", ".join(sorted({version.version for version in one.latest_versions}, key=lambda version: (len(version), version))),
            ", ".join(f"@{alias} → {version}" for alias, version in sorted(one.aliases.items())),
            when(one.last_updated_timestamp),
            one.description,
        ]
        for one in models[:LISTED]
    ]
    return _list("registered-models", told, ("model", "latest", "aliases", "last changed", "description"), rows, len(models))


def versions_html(versions: Sequence[ModelVersion], told: str) -> str:
    """Versions as rows."""
    rows = [[linked(one.name, places.of_registered_model(one.name)), *_version_row(one, {})] for one in versions[:LISTED]]
    return _list("model-versions", told, ("model", *_VERSION_COLUMNS), rows, len(versions))


def logged_models_html(models: Sequence[LoggedModel], told: str) -> str:
    """Logged models as rows."""
    rows: list[list[Cell]] = [
        [
            linked(one.name, places.of_logged_model(one.experiment_id, one.model_id)),
            one.model_uri,
            one.status.value.lower(),
            when(one.creation_timestamp),
            one.source_run_id,
        ]
        for one in models[:LISTED]
    ]
    return _list("logged-models", told, ("model", "address", "status", "created", "run"), rows, len(models))


def _list(kind: str, told: str, headings: Sequence[str], rows: Sequence[Sequence[Cell]], count: int) -> str:
    left = count - len(rows)
    return frame(kind, told, "", [table(headings, rows, cut=_CUT), note(f"… and {left:,} more") if left else ""])


def _version_row(version: ModelVersion, aliases: Mapping[str, str]) -> list[Cell]:
    named = version.aliases or sorted(alias for alias, of in aliases.items() if of == version.version)
    return [
        linked(version.version, places.of_version(version.name, version.version)),
        ", ".join(f"@{alias}" for alias in named),
        "" if version.current_stage is Stage.NONE else version.current_stage.value,
        version.status.value.lower(),
        when(version.creation_timestamp),
        version.run_id,
    ]


def _version_state(version: ModelVersion) -> str:
    stage = "" if version.current_stage is Stage.NONE else f", {version.current_stage.value}"
    ready = "" if version.status is ModelVersionStatus.READY else f", {version.status.value.lower().replace('_', ' ')}"
    return f"version of a registered model{stage}{ready}"

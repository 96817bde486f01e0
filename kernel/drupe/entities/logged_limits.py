"""Which logged models, points of theirs and ties to runs are accepted. What holds for all names and texts is in `limits`.

As there, the numbers are MLflow's, and stores call these before they write.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from attrs import evolve

from drupe.entities.enums import LoggedModelStatus
from drupe.entities.limits import (
    DATASET_MAX,
    RUN_TAG_VALUE_MAX,
    STEP_MAX,
    STEP_MIN,
    TEXT_MAX,
    check_key,
    check_metric,
    check_number,
    check_param,
    check_run_id,
    check_tags,
    check_text,
    show,
)
from drupe.entities.logged_models import NewLoggedModel
from drupe.entities.metrics import ModelPoints, Points
from drupe.entities.runs import ModelOutput
from drupe.entities.whole import WholeLoggedModel
from drupe.errors import InvalidName, InvalidValue
from drupe.uris import ArtifactPath

__all__ = [
    "LOGGED_MODEL_TEXT_MAX",
    "check_model_id",
    "check_model_outputs",
    "check_model_points",
    "check_new_logged_model",
    "check_status_message",
    "check_whole_logged_model",
    "points_of",
]

LOGGED_MODEL_TEXT_MAX = 500  # its name, its type

_MODEL_ID = re.compile(r"m-[0-9a-f]{32}")
_NOT_IN_NAMES = frozenset("/:.%\"'")


def check_model_id(model_id: object) -> str:
    """Return `model_id` if it has the form of a logged model's: `m-` and 32 hex digits."""
    if isinstance(model_id, str) and _MODEL_ID.fullmatch(model_id):
        return model_id
    raise InvalidName(f"logged model id {show(model_id)} is not one; they are m- and 32 hex digits", model_id=show(model_id))


def check_new_logged_model(new: NewLoggedModel) -> NewLoggedModel:
    """Return `new` as a store keeps it: empty texts are None, tags and params are checked and cut like those of runs.

    A name may not hold `/ : . % " '`; it and the type have up to 500 characters. Files that lie among those of a run need that run.
    """
    name, kind = new.name or None, new.model_type or None
    if bad := sorted(_NOT_IN_NAMES & set(name or "")):
        raise InvalidName(f"logged model name {show(name)} may not hold {' '.join(bad)}", name=show(name))
    path = ArtifactPath.parse(new.artifact_path)
    if not path.is_root and not new.source_run_id:
        raise InvalidValue(f"a logged model whose files lie at {path} among those of its run needs the source_run_id of that run")
    return evolve(
        new,
        model_id=check_model_id(new.model_id) if new.model_id else None,
        artifact_path=None if path.is_root else str(path),
        name=name and check_text("a logged model's name", name, LOGGED_MODEL_TEXT_MAX, InvalidName),
        model_type=kind and check_text("a logged model's type", kind, LOGGED_MODEL_TEXT_MAX),
        source_run_id=check_run_id(new.source_run_id) if new.source_run_id else None,
        tags=check_tags("logged model tag", new.tags, limit=None),
        params=dict(check_param(key, value) for key, value in new.params.items()),
    )


def check_status_message(message: str | None) -> str | None:
    """Return what is said of a logged model's status, cut at 8000 characters; an empty text is None."""
    return check_text("the message of a status", str(message)[:RUN_TAG_VALUE_MAX], RUN_TAG_VALUE_MAX) if message else None


def check_model_points(given: ModelPoints) -> ModelPoints:
    """Return `given` if its points can be logged and its dataset be named; an empty text for a dataset means None."""
    check_key("metric", given.key)
    if len(given.points) and min(given.points.timestamps) < 0:
        check_metric(given.key, 0.0, min(given.points.timestamps), 0)  # words the error
    name, digest = given.dataset_name or None, given.dataset_digest or None
    return evolve(
        given,
        dataset_name=name and check_text("the name of a dataset", name, DATASET_MAX["name"]),
        dataset_digest=digest and check_text("the digest of a dataset", digest, DATASET_MAX["digest"]),
    )


def check_model_outputs(outputs: Sequence[ModelOutput]) -> Sequence[ModelOutput]:
    """Return `outputs` if every step fits 64 bits."""
    for one in outputs:
        if not STEP_MIN <= one.step <= STEP_MAX:
            raise InvalidValue(f"the step of logged model {show(one.model_id)} does not fit 64 bits")
    return outputs


def check_whole_logged_model(whole: WholeLoggedModel) -> WholeLoggedModel:
    """Return `whole`, as another store had it, if it can be kept; tags and params are checked and cut as if they were logged."""
    model = whole.model
    if not model.name:
        raise InvalidName(f"logged model {show(model.model_id)} has no name")
    check_number("experiment id", model.experiment_id, least=0)
    new = check_new_logged_model(
        NewLoggedModel(
            model.experiment_id,
            check_model_id(model.model_id),
            model.name,
            model.model_type,
            model.source_run_id,
            model.tags,
            model.params,
        )
    )
    for at in (model.creation_timestamp, model.last_updated_timestamp):
        if not 0 <= at <= STEP_MAX:
            raise InvalidValue(
                f"{show(at)} is not a time of logged model {model.model_id}; times are ms since 1970", model_id=model.model_id
            )
    points_of(whole)
    check_model_outputs([ModelOutput(model.model_id, step) for step in whole.made_by.values()])
    kept = evolve(
        model,
        artifact_location=check_text("an artifact location", model.artifact_location, TEXT_MAX) if model.artifact_location else "",
        status=LoggedModelStatus(model.status),
        model_type=new.model_type,
        source_run_id=new.source_run_id,
        status_message=check_status_message(model.status_message),
        tags=new.tags,
        params=new.params,
    )
    return evolve(whole, model=kept)


def points_of(whole: WholeLoggedModel) -> dict[str, list[ModelPoints]]:
    """The metrics of a logged model as points that its runs have logged, by run, checked. A metric of no run is left out."""
    found: dict[str, list[ModelPoints]] = {}
    for one in whole.model.metrics:
        points = Points.of([(one.step, one.timestamp, one.value)])
        if one.run_id:
            given = ModelPoints(whole.model.model_id, one.key, points, one.dataset_name, one.dataset_digest)
            found.setdefault(one.run_id, []).append(check_model_points(given))
    return found

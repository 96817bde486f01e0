"""What of a thing from elsewhere can be kept here, by the rules of `drupe.entities.limits`; and a Loss for each part that cannot.

Nothing is written here, and nothing that comes out of here is refused by a store.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from attrs import evolve

from drupe.entities import Experiment, Points, WholeLoggedModel, WholeModel, WholeRun, limits, logged_limits
from drupe.errors import DrupeError
from drupe.extend import Loss

__all__ = ["fit_experiment", "fit_logged_model", "fit_model", "fit_run"]

T = TypeVar("T")
Tell = Callable[[Loss], None]
_NAME_TAG = "mlflow.runName"
_TAG = "k"  # stands for the name of a tag whose name is not checked


def fit_experiment(found: Experiment, tell: Tell) -> Experiment | None:
    """The experiment without the tags that cannot be kept; None when it cannot be kept itself."""
    place = f"experiment {found.experiment_id} ({found.name!r:.100})"
    tags = _fitting(found.tags, lambda key, value: limits.check_tag("experiment tag", key, value, limit=limits.EXPERIMENT_TAG_VALUE_MAX))
    for key, why in tags.refused.items():
        tell(Loss("experiment tag", f"{place}, tag {key!r:.100}", why))
    fitted = evolve(found, tags=tags.kept)
    return _if_it_fits(limits.check_whole_experiment, fitted, "experiment", place, tell)


def fit_run(found: WholeRun, tell: Tell) -> WholeRun | None:
    """The run without what cannot be kept, and with texts cut as if they had been logged here; None when it cannot be kept itself."""
    run = found.run
    run_id = run.info.run_id
    place = f"run {run_id[:100] if run_id.isprintable() else ascii(run_id)[:100]}"
    params = _fitting(run.data.params, limits.check_param)
    tags = _fitting(run.data.tags, lambda key, value: (key, limits.check_tag("run tag", _TAG, value, limit=None)[1]))
    points = _fitting(found.points, _check_points)
    for what, checked in (("param", params), ("tag", tags), ("metric", points)):
        for key, why in checked.refused.items():
            tell(Loss(what, f"{place}, {what} {key!r:.100}", why))
    for what, there, here in (("param", run.data.params, params.kept), ("tag", run.data.tags, tags.kept)):
        for key, value in here.items():
            if value != there[key]:
                tell(Loss(what, f"{place}, {what} {key!r:.100}", f"cut from {len(there[key])} to {len(value)} characters"))
    inputs = [
        one
        for one in run.inputs.dataset_inputs
        if _if_it_fits(limits.check_dataset_input, one, "dataset", f"{place}, dataset {one.dataset.name!r:.100}", tell)
    ]
    name = run.info.run_name or tags.kept.get(_NAME_TAG, "")
    named = {_NAME_TAG: name} if name else {}  # as the store would set it
    data = evolve(run.data, params=params.kept, tags=named | tags.kept, metrics={}, summaries={})
    fitted = WholeRun(
        evolve(run, info=evolve(run.info, run_name=name), data=data, inputs=evolve(run.inputs, dataset_inputs=tuple(inputs))), points.kept
    )
    return _if_it_fits(limits.check_whole_run, fitted, "run", place, tell)


def fit_logged_model(found: WholeLoggedModel, tell: Tell) -> WholeLoggedModel | None:
    """The logged model without the tags, params and metrics that cannot be kept; None when it cannot be kept itself."""
    model = found.model
    place = f"logged model {model.model_id!r:.100}"
    params = _fitting(model.params, limits.check_param)
    tags = _fitting(model.tags, lambda key, value: limits.check_tag("logged model tag", key, value, limit=None))
    for what, checked in (("param", params), ("tag", tags)):
        for key, why in checked.refused.items():
            tell(Loss(f"logged model {what}", f"{place}, {what} {key!r:.100}", why))
    metrics = []
    for one in model.metrics:
        try:
            logged_limits.points_of(WholeLoggedModel(evolve(model, metrics=(one,))))
            metrics.append(one)
        except DrupeError as fault:
            tell(Loss("metric of a logged model", f"{place}, metric {one.key!r:.100}", fault.message))
    fitted = evolve(found, model=evolve(model, params=params.kept, tags=tags.kept, metrics=tuple(metrics)))
    try:
        return logged_limits.check_whole_logged_model(fitted)
    except DrupeError as fault:
        tell(Loss("logged model", place, fault.message, is_damage=True))
        return None


def fit_model(found: WholeModel, tell: Tell) -> WholeModel | None:
    """The model without the tags, aliases and versions that cannot be kept; None when it cannot be kept itself."""
    place = f"registered model {found.model.name!r:.100}"
    versions = []
    for version in found.versions:
        at = f"{place}, version {version.version}"
        tags = _fitting(version.tags, _check_registry_tag)
        for key, why in tags.refused.items():
            tell(Loss("model version tag", f"{at}, tag {key!r:.100}", why))
        alone = evolve(version, tags=tags.kept, aliases=())
        model = evolve(found.model, name="m", tags={}, aliases={}, description="")
        if _if_it_fits(limits.check_whole_model, WholeModel(model, (alone,)), "model version", at, tell):
            versions.append(alone)
    tags = _fitting(found.model.tags, _check_registry_tag)
    numbers = {version.version for version in versions}
    aliases = _fitting(found.model.aliases, lambda alias, number: (limits.check_alias(alias), _pointed(number, numbers)))
    for what, checked in (("registered model tag", tags), ("alias", aliases)):
        for key, why in checked.refused.items():
            tell(Loss(what, f"{place}, {what} {key!r:.100}", why))
    model = evolve(found.model, tags=tags.kept, aliases=aliases.kept, latest_versions=())
    highest = min(max(found.highest, 0), limits.NUMBER_MAX)
    return _if_it_fits(limits.check_whole_model, WholeModel(model, tuple(versions), highest), "registered model", place, tell)


class _Checked:
    """Entries of a mapping that passed a check, and why the others did not."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}
        self.refused: dict[str, str] = {}


def _fitting(given: Mapping[str, Any], check: Callable[[str, Any], tuple[str, Any]]) -> _Checked:
    checked = _Checked()
    for key, value in given.items():
        try:
            limits.check_tag("tag", _TAG, key, limit=limits.KEY_MAX)  # a text that can be stored, whatever it names
            name, kept = check(key, value)
            checked.kept[name] = kept
        except DrupeError as fault:
            checked.refused[key] = fault.message
    return checked


def _if_it_fits(check: Callable[[T], T], found: T, what: str, place: str, tell: Tell) -> T | None:
    try:
        return check(found)
    except DrupeError as fault:
        tell(Loss(what, place, fault.message, is_damage=True))
        return None


def _check_points(key: str, points: Points) -> tuple[str, Points]:
    limits.check_key("metric", key)
    if len(points) and min(points.timestamps) < 0:
        limits.check_metric(key, 0.0, min(points.timestamps), 0)
    return key, points


def _check_registry_tag(key: str, value: str) -> tuple[str, str]:
    return limits.check_tag("tag", key, value, limit=limits.REGISTRY_TAG_VALUE_MAX)


def _pointed(number: str, numbers: set[str]) -> str:
    if number not in numbers:
        raise DrupeError(f"it points to version {number!r:.60}, which is not carried over")
    return number

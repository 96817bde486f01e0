"""Entities to plain JSON forms and back, under MLflow's REST field names.

`to_plain` makes what `json.dumps` takes, `from_plain` reads it. Unset fields, empty lists and empty maps are left out; maps of tags and params
are lists of `{"key", "value"}`; NaN and the infinities travel as the strings "NaN", "Infinity", "-Infinity"; 64-bit integers are read from
numbers or decimal strings; unknown fields are ignored. Requests, replies and page tokens are not here: they belong to the wire protocol.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, TypeVar, get_args, get_origin

from cattrs import ClassValidationError, Converter, IterableValidationError, IterableValidationNote, transform_error
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from drupe.entities.artifacts import FileInfo
from drupe.entities.enums import LifecycleStage, LoggedModelStatus, ModelVersionStatus, RunStatus, Stage
from drupe.entities.latest import LatestPoints
from drupe.entities.limits import STEP_MAX, STEP_MIN, show
from drupe.entities.logged_models import LoggedModel
from drupe.entities.metrics import Metric, MetricSummary
from drupe.entities.registry import ModelVersion, RegisteredModel
from drupe.entities.runs import (
    Dataset,
    DatasetInput,
    Experiment,
    InputTag,
    ModelInput,
    ModelOutput,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunOutputs,
)
from drupe.errors import InvalidValue

__all__ = ["LOGGED_MODEL_STATUSES", "converter", "from_plain", "number_out", "to_plain", "whole_number"]

T = TypeVar("T")
Form = dict[str, Any]

# parts before what holds them: cattrs binds a part's hook when it writes the code for the whole
_ENTITIES = (
    Experiment,
    RunInfo,
    Dataset,
    InputTag,
    DatasetInput,
    ModelInput,
    ModelOutput,
    RunInputs,
    RunOutputs,
    Metric,
    MetricSummary,
    ModelVersion,
    RegisteredModel,
    FileInfo,
)
_INFINITY = math.inf
_STATUS_WORDS = {
    LoggedModelStatus.PENDING: "LOGGED_MODEL_PENDING",
    LoggedModelStatus.READY: "LOGGED_MODEL_READY",
    LoggedModelStatus.FAILED: "LOGGED_MODEL_UPLOAD_FAILED",
}
LOGGED_MODEL_STATUSES = {word: status for status, word in _STATUS_WORDS.items()}
"""What the words of the protocol mean."""
_INTEGER = re.compile(r"-?[0-9]{1,19}")
FAULTS_TOLD = 20
_UNSET_IN_RUN_INFO = {"run_name": "", "user_id": "", "start_time": 0, "end_time": None, "lifecycle_stage": "active", "artifact_uri": ""}


def to_plain(thing: Any, *, extras: bool = False) -> Form:
    """The JSON form of one entity (Run, Experiment, Metric, LoggedModel, RegisteredModel, ModelVersion, FileInfo or a part of one).

    `extras` adds what MLflow's protocol has no field for: `summaries` in a run's data.
    """
    plain: Form = converter(extras).unstructure(thing)
    return plain


def from_plain(form: Mapping[str, Any], kind: type[T]) -> T:
    """Read one entity of type `kind`. Raises InvalidValue that names every field at fault.

    A metric that came without its summary gets one with `count` 0: only its latest value, step and timestamp are known.
    """
    try:
        return converter(True).structure(form, kind)
    except (ClassValidationError, IterableValidationError) as fault:
        found = "; ".join(_in_words(line) for line in transform_error(fault))
        raise InvalidValue(f"this is not the form of a {kind.__name__}: {found}") from fault
    except (TypeError, ValueError, AttributeError) as fault:
        raise InvalidValue(f"this is not the form of a {kind.__name__}: {fault}") from fault


@cache
def converter(extras: bool) -> Converter:
    """What both work with; the wire protocol builds on a copy of it."""
    made = Converter(unstruct_collection_overrides={tuple: list})
    made.register_unstructure_hook(float, number_out)
    made.register_structure_hook(float, lambda value, _: _number_in(value))
    made.register_structure_hook(bool, lambda value, _: _truth_in(value))  # before int, of which bool is a kind
    made.register_structure_hook(int, lambda value, _: whole_number(value))
    made.register_structure_hook(str, lambda value, _: _text_in(value))
    made.register_structure_hook_factory(_is_tuple, lambda kind: _members_in(kind, made))
    for texts in (LifecycleStage, ModelVersionStatus, RunStatus, Stage):  # kinds of str, which would be left as they are
        made.register_structure_hook(texts, lambda value, kind: kind(_text_in(value)))
    made.register_unstructure_hook_func(_is_text_map, _pairs)
    made.register_structure_hook_func(_is_text_map, lambda rows, _: _mapping(rows, "key", "value"))
    for kind in _ENTITIES:
        special: dict[str, Any] = {}
        if kind is RegisteredModel:
            special["aliases"] = override(
                unstruct_hook=lambda aliases: [{"alias": name, "version": version} for name, version in aliases.items()],
                struct_hook=lambda rows, _: _mapping(rows, "alias", "version"),
            )
        write = make_dict_unstructure_fn(kind, made, _cattrs_include_init_false=False, **special)
        made.register_unstructure_hook(kind, _without_unset(write, also_run_uuid=kind is RunInfo))
        made.register_structure_hook(kind, _with_unset(kind, make_dict_structure_fn(kind, made, **special)))
    made.register_unstructure_hook(RunData, lambda part: _run_data_out(part, made, extras))
    made.register_structure_hook(RunData, lambda form, _: _run_data_in(form, made))
    parts = (("info", RunInfo), ("data", RunData), ("inputs", RunInputs), ("outputs", RunOutputs))
    writers = [(name, made.get_unstructure_hook(kind)) for name, kind in parts]  # looked up once: a page has a thousand runs
    made.register_unstructure_hook(Run, lambda run: {name: write(getattr(run, name)) for name, write in writers})
    made.register_unstructure_hook(LoggedModel, lambda model: _logged_model_out(model, made))
    made.register_structure_hook(LoggedModel, lambda form, _: _logged_model_in(form, made))
    return made


def _is_text_map(kind: Any) -> bool:
    return bool(kind == Mapping[str, str])


def _is_tuple(kind: Any) -> bool:
    return get_origin(kind) is tuple


def _members_in(kind: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    """Reads a list, and nothing else that could be gone through, such as a text or an object."""
    member = get_args(kind)[0]
    read = converter.get_structure_hook(member)

    def hook(value: Any, _: Any) -> Any:
        if not isinstance(value, list | tuple):
            raise ValueError(f"expected a list, got {show(value)}")
        found, faults = [], []
        for at, one in enumerate(value):
            try:
                found.append(read(one, member))
            except Exception as fault:  # as cattrs does it, but not a million times for a list of a million wrong members
                fault.add_note(IterableValidationNote(f"member {at}", at, member))
                faults.append(fault)
                if len(faults) == FAULTS_TOLD:
                    break
        if faults:
            raise IterableValidationError(f"{kind}", faults, kind)
        return tuple(found)

    return hook


def _without_unset(write: Callable[[Any], Form], *, also_run_uuid: bool) -> Callable[[Any], Form]:
    def hook(thing: Any) -> Form:
        form = {name: value for name, value in write(thing).items() if value is not None and value != [] and value != {} and value != ()}
        return {"run_uuid": form["run_id"], **form} if also_run_uuid else form

    return hook


def _with_unset(kind: type, read: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return (lambda form, of: read(_UNSET_IN_RUN_INFO | dict(form), of)) if kind is RunInfo else read


def _run_data_out(part: RunData, converter: Converter, extras: bool) -> Form:
    form: Form = {}
    if type(part.summaries) is LatestPoints:
        metrics = [
            {"key": key, "value": value if -_INFINITY < value < _INFINITY else number_out(value), "timestamp": timestamp, "step": step}
            for key, (value, timestamp, step) in part.summaries.points.items()
        ]
    else:
        metrics = [_latest(key, value, part.summaries.get(key)) for key, value in part.metrics.items()]
    for name, rows in (("metrics", metrics), ("params", _pairs(part.params)), ("tags", _pairs(part.tags))):
        if rows:
            form[name] = rows
    if extras and part.summaries:
        form["summaries"] = {key: converter.unstructure(summary) for key, summary in part.summaries.items()}
    return form


def _latest(key: str, value: float, summary: MetricSummary | None) -> Form:
    number = value if type(value) is float and math.isfinite(value) else number_out(float(value))
    if summary is None:
        return {"key": key, "value": number, "timestamp": 0, "step": 0}
    return {"key": key, "value": number, "timestamp": summary.last_timestamp, "step": summary.last_step}


def _run_data_in(form: Mapping[str, Any], converter: Converter) -> RunData:
    metrics = [converter.structure(row, Metric) for row in form.get("metrics", ())]
    summaries: dict[str, MetricSummary] = dict(
        LatestPoints({metric.key: (metric.value, metric.timestamp, metric.step) for metric in metrics})
    )
    told = form.get("summaries", {})
    summaries.update(
        {key: converter.structure({"argmin": None, "argmax": None, **summary}, MetricSummary) for key, summary in told.items()}
    )
    return RunData(
        metrics={metric.key: metric.value for metric in metrics},
        params=_mapping(form.get("params", ()), "key", "value"),
        tags=_mapping(form.get("tags", ()), "key", "value"),
        summaries=summaries,
    )


def _logged_model_out(model: LoggedModel, converter: Converter) -> Form:
    info: Form = {
        "model_id": model.model_id,
        "experiment_id": model.experiment_id,
        "name": model.name,
        "creation_timestamp_ms": model.creation_timestamp,
        "last_updated_timestamp_ms": model.last_updated_timestamp,
        "artifact_uri": model.artifact_location,
        "status": _STATUS_WORDS[model.status],
        "model_type": model.model_type or "",
        "source_run_id": model.source_run_id or "",
    }
    if model.status_message is not None:
        info["status_message"] = model.status_message
    if model.tags:
        info["tags"] = _pairs(model.tags)
    lists = {"params": _pairs(model.params), "metrics": [converter.unstructure(metric) for metric in model.metrics]}
    return {"info": info, "data": {name: rows for name, rows in lists.items() if rows}}


def _logged_model_in(form: Mapping[str, Any], converter: Converter) -> LoggedModel:
    info, told = form.get("info", {}), form.get("data", {})
    text = {name: _text_in(info[name]) for name in ("model_id", "experiment_id", "name") if name in info}
    missing = [name for name in ("model_id", "experiment_id") if name not in text]
    if missing:
        raise ValueError(f"required field missing: {', '.join(missing)}")
    return LoggedModel(
        text["model_id"],
        text["experiment_id"],
        text.get("name", ""),
        _text_in(info.get("artifact_uri", "")),
        whole_number(info.get("creation_timestamp_ms", 0)),
        whole_number(info.get("last_updated_timestamp_ms", 0)),
        status=LOGGED_MODEL_STATUSES.get(info.get("status", ""), LoggedModelStatus.PENDING),
        model_type=_text_in(info.get("model_type", "")) or None,
        source_run_id=_text_in(info.get("source_run_id", "")) or None,
        status_message=None if info.get("status_message") is None else _text_in(info["status_message"]),
        tags=_mapping(info.get("tags", ()), "key", "value"),
        params=_mapping(told.get("params", ()), "key", "value"),
        metrics=tuple(converter.structure(row, Metric) for row in told.get("metrics", ())),
    )


def _pairs(mapping: Mapping[str, str]) -> list[Form]:
    return [{"key": key, "value": value} for key, value in mapping.items()]


def _mapping(rows: Iterable[Mapping[str, Any]], key: str, value: str) -> dict[str, str]:
    return {_text_in(row[key]): _text_in(row.get(value, "")) for row in rows}


def number_out(value: float) -> float | str:
    """A number as JSON has it: NaN and infinities as texts."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _number_in(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"expected a number, got {show(value)}")
    try:
        return float(value)
    except (ValueError, OverflowError):
        raise ValueError(f"expected a number, got {show(value)}") from None


def whole_number(value: Any) -> int:
    """A number of 64 bits, from a number or its decimal text. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | str) or (isinstance(value, str) and not _INTEGER.fullmatch(value)):
        raise ValueError(f"expected a whole number, got {show(value)}")
    number = int(value)
    if not STEP_MIN <= number <= STEP_MAX:
        raise ValueError(f"expected a whole number of 64 bits, got {show(value)}")
    return number


def _truth_in(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"expected true or false, got {show(value)}")
    return value


def _text_in(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected text, got {show(value)}")
    return value


def _in_words(line: str) -> str:
    return line.replace(" @ $.", " in ").replace(" @ $", "")

"""Which names and sizes are accepted, and the one clear error for those that are not.

The numbers are MLflow's (its REST server enforces the same). Stores call these before they write; the fluent API calls them
before it queues.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import Any

from attrs import evolve

from drupe.entities.runs import DatasetInput, Experiment
from drupe.entities.shipping import Heartbeat, Origin, Parcel
from drupe.entities.whole import WholeModel, WholeRun
from drupe.errors import InvalidName, InvalidValue, ValueTooLong

__all__ = [
    "ALIAS_MAX",
    "DATASET_MAX",
    "EXPERIMENT_NAME_MAX",
    "EXPERIMENT_TAG_VALUE_MAX",
    "KEY_MAX",
    "NUMBER_MAX",
    "PARAM_VALUE_MAX",
    "REGISTRY_TAG_VALUE_MAX",
    "RUN_TAG_VALUE_MAX",
    "SEARCH_MAX",
    "STEP_MAX",
    "STEP_MIN",
    "TEXT_MAX",
    "check_alias",
    "check_dataset_input",
    "check_experiment_id",
    "check_experiment_name",
    "check_heartbeat",
    "check_key",
    "check_limit",
    "check_metric",
    "check_model_name",
    "check_number",
    "check_origin",
    "check_param",
    "check_parcel",
    "check_run_id",
    "check_tag",
    "check_tags",
    "check_text",
    "check_whole_experiment",
    "check_whole_model",
    "check_whole_run",
    "show",
]

KEY_MAX = 250
PARAM_VALUE_MAX = 6000
RUN_TAG_VALUE_MAX = 8000
EXPERIMENT_NAME_MAX = 500
EXPERIMENT_TAG_VALUE_MAX = 20_000
REGISTRY_TAG_VALUE_MAX = 100_000
TEXT_MAX = 1_000_000  # far beyond what is cut silently: a file was logged as a tag, so say so
ALIAS_MAX = 255
SEARCH_MAX = 50_000
STEP_MIN, STEP_MAX = -(2**63), 2**63 - 1
NUMBER_MAX = 10**18 - 1  # of ids and versions taken in from elsewhere: numbers after it are still to be had

DATASET_MAX = {"name": 500, "digest": 36, "source": 65_535, "schema": 1_048_575, "profile": 16_777_215}
_DATASET_TAG_MAX = {"key": 255, "value": 500}
_KEY = re.compile(r"[\w./:\- ]+")
_RUN_ID = re.compile(r"[a-zA-Z0-9][\w-]{0,255}")
_ALIAS = re.compile(r"[\w-]+")
_RESERVED_ALIAS = re.compile(r"latest|v\d+", re.IGNORECASE)
_known_keys: set[str] = set()  # keys that passed; bounded, because the same few come back for every point


def check_key(kind: str, key: object) -> str:
    """Return `key` if it can name a metric, param or tag; `kind` is that word, for the message.

    Allowed are letters, digits, `_ - . : /` and space, up to 250, and the key must be its own normalised path (no `a//b`, `../a`).
    Raises InvalidName or ValueTooLong.
    """
    if type(key) is str and key in _known_keys:
        return key
    if not isinstance(key, str):
        raise InvalidName(f"{kind} names are text, not {type(key).__name__} ({show(key)})", kind=kind)
    key = str.__str__(key)  # a member of a text enum becomes plain text
    if not key:
        raise InvalidName(f"a {kind} needs a name; this one is empty", kind=kind)
    if len(key) > KEY_MAX:
        raise ValueTooLong(
            f"{kind} name of {len(key)} characters: {_shorten(key)!r}; names have at most {KEY_MAX}", kind=kind, limit=KEY_MAX
        )
    if not _KEY.fullmatch(key):
        bad = sorted({c for c in key if not _KEY.fullmatch(c)})
        raise InvalidName(
            f"{kind} name {key!r} holds {', '.join(map(repr, bad))}; names use letters, digits, _ - . : / and space",
            kind=kind,
            name=key,
        )
    normal = posixpath.normpath(key)
    if normal != key or key == "." or key.startswith(("/", "..")):
        raise InvalidName(
            f"{kind} name {key!r} is not a plain path; it may not start with / or .., end with /, nor hold //, ./ or ../",
            kind=kind,
            name=key,
        )
    if len(_known_keys) < 10_000:
        _known_keys.add(key)
    return key


def check_metric(key: object, value: object, timestamp: object, step: object) -> tuple[str, float, int, int]:
    """Return (key, value, timestamp, step) as the store keeps them.

    NaN and infinities are values; an array or tensor of one element, or a text such as "0.93", is taken as its number. A step may be negative but has no fraction;
    a timestamp's fraction of a ms is cut. Raises InvalidName, ValueTooLong or InvalidValue.
    """
    name = check_key("metric", key)
    number = value if type(value) is float else _number(name, value)
    time_ms = timestamp if type(timestamp) is int else _integer(f"the timestamp of metric {name!r}", timestamp, cut=True)
    if not 0 <= time_ms <= STEP_MAX:
        if time_ms < 0:
            shown = show(time_ms)
            raise InvalidValue(f"the timestamp of metric {name!r} is {shown}; it is ms since 1970 and cannot be negative", key=name)
        raise InvalidValue(f"the timestamp of metric {name!r} does not fit 64 bits", key=name)
    at = step if type(step) is int else _integer(f"the step of metric {name!r}", step)
    if not STEP_MIN <= at <= STEP_MAX:
        raise InvalidValue(f"the step of metric {name!r} does not fit 64 bits", key=name)
    return name, number, time_ms, at


def check_param(key: object, value: object) -> tuple[str, str]:
    """Return (key, text). Text beyond 6000 characters is cut, as MLflow's server does; beyond a million it is refused."""
    name = check_key("param", key)
    return name, _cut("param", name, str(value), PARAM_VALUE_MAX)


def check_tag(kind: str, key: object, value: object, *, limit: int | None) -> tuple[str, str]:
    """Return (key, text). `limit` is the longest value. None, for run tags, cuts at 8000 as MLflow's server does, and refuses beyond a million.

    `kind` is e.g. "experiment tag". Raises InvalidName or ValueTooLong.
    """
    name = check_key("tag", key)
    text = str(value)
    if limit is None:
        return name, _cut(kind, name, text, RUN_TAG_VALUE_MAX)
    if len(text) > limit:
        raise ValueTooLong(f"{kind} {name!r} has {len(text)} characters; at most {limit} are kept", key=name, limit=limit)
    return name, _storable(f"{kind} {name!r}", text)


def check_run_id(run_id: object) -> str:
    """Return `run_id` if it has the form of one: letters, digits, `_` and `-`, at most 256."""
    if isinstance(run_id, str) and _RUN_ID.fullmatch(run_id):
        return run_id
    raise InvalidName(f"run id {show(run_id)} is not one; run ids use letters, digits, _ and -, at most 256", run_id=show(run_id))


def check_experiment_id(experiment_id: object) -> str:
    """Return `experiment_id` if it is a decimal number."""
    if isinstance(experiment_id, str) and experiment_id.isascii() and experiment_id.isdecimal():
        return experiment_id
    raise InvalidValue(
        f"experiment id {show(experiment_id)} is not a decimal number; the name of an experiment is not its id",
        experiment_id=str(experiment_id)[:300],
    )


def check_experiment_name(name: object) -> str:
    """Return `name` if an experiment can have it: any text that is not blank, up to 500 characters."""
    if not isinstance(name, str):
        raise InvalidName(f"experiment names are text, not {type(name).__name__} ({show(name)})")
    if not name.strip():
        raise InvalidName("an experiment needs a name; this one is empty or blank")
    if len(name) > EXPERIMENT_NAME_MAX:
        raise ValueTooLong(f"experiment name of {len(name)} characters; at most {EXPERIMENT_NAME_MAX}", limit=EXPERIMENT_NAME_MAX)
    return _storable("an experiment's name", name, InvalidName)


def check_model_name(name: object) -> str:
    """Return `name` if a registered model can have it: not blank, no `/` or `:`, not `.` or `..`, up to 250 characters."""
    if not isinstance(name, str) or not name.strip():
        raise InvalidName(f"a registered model needs a name that is not blank, got {show(name)}")
    if len(name) > KEY_MAX:
        raise ValueTooLong(f"registered model name of {len(name)} characters; at most {KEY_MAX}", limit=KEY_MAX)
    if any(c in name for c in "/:") or name in (".", ".."):
        raise InvalidName(f"registered model name {name!r} may not hold / or :, nor be . or ..", name=name)
    return _storable("a registered model's name", name, InvalidName)


def check_alias(alias: object) -> str:
    """Return `alias` if a version can have it: letters, digits, `_`, `-`; not `latest` nor `v1`-like."""
    if not isinstance(alias, str) or not _ALIAS.fullmatch(alias):
        raise InvalidName(f"alias {show(alias)} is not one; aliases use letters, digits, _ and -")
    if len(alias) > ALIAS_MAX:
        raise ValueTooLong(f"alias of {len(alias)} characters; at most {ALIAS_MAX}", limit=ALIAS_MAX)
    if _RESERVED_ALIAS.fullmatch(alias):
        raise InvalidName(f"alias {alias!r} is reserved: 'latest' and 'v<number>' already mean versions", alias=alias)
    return alias


def check_dataset_input(given: DatasetInput) -> DatasetInput:
    """Return `given` if its texts are short enough: name 500, digest 36, source 65 535, schema 1 048 575, profile 16 777 215, tags 255 and 500."""
    texts = [("dataset", field, getattr(given.dataset, field), most) for field, most in DATASET_MAX.items()]
    texts += [("dataset tag", field, getattr(tag, field), most) for tag in given.tags for field, most in _DATASET_TAG_MAX.items()]
    for what, field, text, most in texts:
        if len(text or "") > most:
            raise ValueTooLong(
                f"the {field} of a {what} of {_shorten(given.dataset.name)!r} has {len(text)} characters; at most {most} are kept",
                limit=most,
            )
    return given


def check_text(what: str, text: str, limit: int, fault: type[InvalidValue] = InvalidValue) -> str:
    """Return `text` if it can be stored and has at most `limit` characters; `what` begins the message."""
    if len(text) > limit:
        raise ValueTooLong(f"{what} has {len(text)} characters; at most {limit} are kept", limit=limit)
    return _storable(what, text, fault)


def check_origin(origin: Origin) -> Origin:
    """Return `origin` if it names a writer and a range of positions that can be."""
    _check_writer(origin.writer)
    if not 0 <= origin.start <= origin.end <= STEP_MAX:
        raise InvalidValue(f"positions {origin.start} to {origin.end} of writer {origin.writer} are not a range; 0 <= start <= end is one")
    return origin


def check_parcel(parcel: Parcel) -> Parcel:
    """Return `parcel` if its origin can be, it creates no other run than its own, and only models of that run whose ids it knows.

    Its content is checked like any other.
    """
    check_origin(parcel.origin)
    if parcel.new is not None and check_run_id(parcel.run_id) != parcel.new.run_id:
        raise InvalidValue(f"a parcel of run {parcel.run_id} cannot create run {show(parcel.new.run_id)}", run_id=parcel.run_id)
    for model in parcel.models:
        if not model.model_id or model.source_run_id != parcel.run_id:
            raise InvalidValue(
                f"a parcel of run {parcel.run_id} creates logged models of that run, each with an id; this one is {show(model.model_id)} of "
                f"run {show(model.source_run_id)}",
                run_id=parcel.run_id,
            )
    return parcel


def check_heartbeat(beat: Heartbeat) -> Heartbeat:
    """Return `beat` if it can be kept: a writer, and numbers that fit."""
    _check_writer(beat.writer)
    for name, number in (("at_ms", beat.at_ms), ("interval_ms", beat.interval_ms), ("pid", beat.pid)):
        if not 0 <= number <= STEP_MAX:
            raise InvalidValue(f"{name} of a heartbeat of run {beat.run_id} is {number}; it is 0 or more and fits 64 bits")
    return beat


def _check_writer(writer: object) -> None:
    if not isinstance(writer, str) or not _RUN_ID.fullmatch(writer):
        raise InvalidName(f"writer {show(writer)} has not the form of one: letters, digits, _ and -, at most 256", writer=show(writer))


def check_limit(limit: object, *, maximum: int = SEARCH_MAX, name: str = "max_results") -> int:
    """Return a page size between 1 and `maximum`."""
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= maximum:
        raise InvalidValue(f"{name} is {show(limit)}; it must be a whole number from 1 to {maximum}", limit=maximum)
    return limit


def check_tags(kind: str, tags: Mapping[str, Any], *, limit: int | None) -> dict[str, str]:
    """Check several tags at once; see `check_tag`."""
    return dict(check_tag(kind, key, value, limit=limit) for key, value in tags.items())


def check_whole_experiment(experiment: Experiment) -> Experiment:
    """Return `experiment`, as another store had it, if it can be kept. Its id is empty or a number of at most 18 digits."""
    check_experiment_name(experiment.name)
    if experiment.experiment_id:
        check_number("experiment id", experiment.experiment_id, least=0)
    _check_times("an experiment", experiment.creation_time, experiment.last_update_time)
    tags = check_tags("experiment tag", experiment.tags, limit=EXPERIMENT_TAG_VALUE_MAX)
    return evolve(experiment, artifact_location=_storable("an artifact location", experiment.artifact_location), tags=tags)


def check_whole_run(whole: WholeRun) -> WholeRun:
    """Return `whole`, with params and tags cut as if they were logged, if it can be kept; names of tags are not checked."""
    run = whole.run
    check_run_id(run.info.run_id)
    for key, points in whole.points.items():
        check_key("metric", key)
        if len(points) and min(points.timestamps) < 0:
            check_metric(key, 0.0, min(points.timestamps), 0)  # words the error
    _check_times("a run", run.info.start_time, run.info.end_time)
    for what, text in (("name", run.info.run_name), ("user", run.info.user_id), ("artifact address", run.info.artifact_uri)):
        _storable(f"the {what} of run {run.info.run_id}", text)
    params = dict(check_param(key, value) for key, value in run.data.params.items())
    tags = {_storable("a tag's name", key): _cut("run tag", key, value, RUN_TAG_VALUE_MAX) for key, value in run.data.tags.items()}
    inputs = evolve(run.inputs, dataset_inputs=tuple(check_dataset_input(one) for one in run.inputs.dataset_inputs))
    return evolve(whole, run=evolve(run, data=evolve(run.data, params=params, tags=tags), inputs=inputs))


def check_whole_model(whole: WholeModel) -> WholeModel:
    """Return `whole` if it can be kept: names, numbers, texts, and aliases that point to its versions."""
    model = whole.model
    check_model_name(model.name)
    check_tags("registered model tag", model.tags, limit=REGISTRY_TAG_VALUE_MAX)
    _check_times("a model", model.creation_timestamp, model.last_updated_timestamp)
    numbers = [check_number("model version", version.version) for version in whole.versions]
    if len(set(numbers)) < len(numbers):
        raise InvalidValue(f"registered model {model.name!r} has a version twice", name=model.name)
    if not 0 <= whole.highest <= NUMBER_MAX:
        raise InvalidValue(f"{whole.highest} is not the highest version number of a model", name=model.name)
    for version in whole.versions:
        check_tags("model version tag", version.tags, limit=REGISTRY_TAG_VALUE_MAX)
        _check_times("a model version", version.creation_timestamp, version.last_updated_timestamp)
        texts = (version.source, version.run_id or "", version.description, version.user_id, version.status_message, version.run_link)
        for text in texts:
            _storable(f"version {version.version} of {model.name!r}", text)
    _storable(f"the description of {model.name!r}", model.description)
    for alias, number in model.aliases.items():
        if check_number("model version", number) not in numbers:
            raise InvalidValue(
                f"alias {check_alias(alias)!r} of {model.name!r} points to version {number}, which it does not have", name=model.name
            )
        check_alias(alias)
    return whole


def check_number(kind: str, text: object, *, least: int = 1) -> int:
    """The number that `text` is, if it can be the id or version of something taken in: `least` or more, at most 18 digits, no leading zero."""
    if isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) <= len(str(NUMBER_MAX)):
        number = int(text)
        if number >= least and str(number) == text:
            return number
    raise InvalidValue(f"{kind} {show(text)} is not a number from {least} to {NUMBER_MAX}")


def _check_times(what: str, *times: int | None) -> None:
    for time_ms in times:
        if time_ms is not None and not 0 <= time_ms <= STEP_MAX:
            raise InvalidValue(f"a time of {what} is {time_ms}; times are ms since 1970, 0 or more, and fit 64 bits")


def _cut(kind: str, name: str, text: str, limit: int) -> str:
    if len(text) > TEXT_MAX:
        raise ValueTooLong(
            f"{kind} {name!r} has {len(text)} characters; {limit} are kept. Log text of that size as an artifact: log_text(text, 'name.txt')",
            key=name,
            limit=limit,
        )
    return _storable(f"{kind} {name!r}", text[:limit])


def _storable(what: str, text: str, fault: type[InvalidValue] = InvalidValue) -> str:
    if not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text):
        raise fault(f"{what} is not valid Unicode (a lone surrogate, often from undecodable bytes): {_shorten(ascii(text))}")
    if "\x00" in text:
        raise fault(f"{what} holds a NUL character, which databases cannot keep: {_shorten(ascii(text))}")
    return text


def _number(name: str, value: object) -> float:
    if value is None or isinstance(value, bytes | bytearray):
        raise InvalidValue(f"metric {name!r} needs a number, got {show(value)}", key=name)
    try:
        single = getattr(value, "item", None)  # arrays and tensors of one element
        return float(single() if callable(single) else value)  # type: ignore[arg-type]
    except Exception as fault:  # foreign code: arrays, tensors and numbers of other libraries raise what they like
        raise InvalidValue(f"metric {name!r} needs a number that a 64-bit float can hold, got {show(value)}", key=name) from fault


def _integer(what: str, value: object, *, cut: bool = False) -> int:
    try:
        number = int(value)  # type: ignore[call-overload]
        if cut or isinstance(value, str) or number == value:
            return int(number)
    except Exception as fault:  # foreign code, as above
        raise InvalidValue(f"{what} must be a whole number, got {show(value)}") from fault
    raise InvalidValue(f"{what} must be a whole number, got {show(value)}")


def show(value: object) -> str:
    """`repr`, short, of whatever a caller handed in; its own repr may be huge or fail."""
    if isinstance(value, str):
        return repr(_shorten(value))
    try:
        return _shorten(repr(value))
    except Exception:  # foreign code again; and Python will not print integers beyond 4300 digits
        return f"something of type {type(value).__name__}"


def _shorten(text: str, length: int = 60) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"

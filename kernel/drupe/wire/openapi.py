"""The protocol as an OpenAPI 3.1 document, made from the table of routes and the types of their shapes."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, get_args, get_origin

import attrs

from drupe import __version__
from drupe.entities import LoggedModel, LoggedModelStatus, Metric, RunData
from drupe.entities.codec import LOGGED_MODEL_STATUSES
from drupe.wire.routes import ROUTES, Route
from drupe.wire.shapes import NEEDED, Form, Unread

__all__ = ["document"]

_PLAIN: Mapping[Any, Form] = {str: {"type": "string"}, bool: {"type": "boolean"}}
_INTEGER: Form = {"oneOf": [{"type": "integer", "format": "int64"}, {"type": "string", "pattern": r"^-?\d+$"}]}
_NUMBER: Form = {"oneOf": [{"type": "number"}, {"type": "string", "enum": ["NaN", "Infinity", "-Infinity"]}]}
_PAIRS: Form = {
    "type": "array",
    "items": {"type": "object", "properties": {"key": {"type": "string"}, "value": {"type": "string"}}, "required": ["key"]},
}
_POINT: Form = {
    "type": "object",
    "properties": {"key": {"type": "string"}, "value": _NUMBER, "timestamp": _INTEGER, "step": _INTEGER},
    "required": ["key", "value", "timestamp"],
}
_FAULT: Form = {
    "description": "What is wrong with the request, or with the place where things are kept",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {name: {"type": "string"} for name in ("error_code", "message", "drupe_code", "request_id")},
                "required": ["error_code", "message"],
            }
        }
    },
}


def document() -> Form:
    """The whole protocol. Paths below `/ajax-api` are left out: they are the same."""
    shapes: Form = {}
    paths: Form = {}
    for route in ROUTES:
        paths.setdefault(f"/api/{route.path}", {})[route.method.lower()] = _operation(route, shapes)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "drupe",
            "version": __version__,
            "description": "The tracking and registry protocol of MLflow, as drupe serves it.",
        },
        "paths": paths,
        "components": {"schemas": dict(sorted(shapes.items()))},
    }


def _operation(route: Route, shapes: Form) -> Form:
    found: Form = {
        "operationId": route.name.replace(" ", "_").replace("/", "_").replace("-", "_").replace("{", "").replace("}", "").lower(),
        "summary": route.summary,
        "tags": [route.group],
        "responses": {
            "200": {"description": "Done", "content": {"application/json": {"schema": _ref(route.reply, shapes)}}},
            "4XX": _FAULT,
            "5XX": _FAULT,
        },
    }
    fields = attrs.fields(attrs.resolve_types(route.request))
    in_path = [field for field in fields if f"{{{field.name}}}" in route.path]
    parameters = [_parameter(field, "path", shapes) for field in in_path]
    if route.has_body:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": _ref(route.request, shapes)}}}
    else:
        parameters += [_parameter(field, "query", shapes) for field in fields if field not in in_path]
    return {**found, "parameters": parameters} if parameters else found


def _parameter(field: Any, place: str, shapes: Form) -> Form:
    return {"name": field.name, "in": place, "required": place == "path" or NEEDED in field.metadata, "schema": _schema(field.type, shapes)}


def _ref(kind: type, shapes: Form) -> Form:
    if kind is LoggedModel:
        shapes.setdefault(kind.__name__, _logged_model(shapes))
    if kind.__name__ not in shapes:
        shapes[kind.__name__] = {}  # a shape may hold itself
        fields = attrs.fields(attrs.resolve_types(kind))
        needed = [field.name for field in fields if NEEDED in field.metadata]
        shape: Form = {"type": "object", "properties": {field.name: _field(kind, field, shapes) for field in fields}}
        shapes[kind.__name__] = {**shape, "required": needed} if needed else shape
    return {"$ref": f"#/components/schemas/{kind.__name__}"}


def _logged_model(shapes: Form) -> Form:
    """The form that `drupe.entities.codec` gives to logged models."""
    texts = ("model_id", "experiment_id", "name", "artifact_uri", "model_type", "source_run_id", "status_message")
    info: Form = {
        **dict.fromkeys(texts, _PLAIN[str]),
        **dict.fromkeys(("creation_timestamp_ms", "last_updated_timestamp_ms"), _INTEGER),
        "status": _schema(LoggedModelStatus, shapes),
        "tags": _PAIRS,
    }
    kept: Form = {"params": _PAIRS, "metrics": _schema(tuple[Metric, ...], shapes)}
    return {
        "type": "object",
        "properties": {name: {"type": "object", "properties": part} for name, part in (("info", info), ("data", kept))},
    }


def _field(kind: type, field: Any, shapes: Form) -> Form:
    if kind is RunData:
        return {"type": "array", "items": _POINT} if field.name in ("metrics", "summaries") else _PAIRS
    return _schema(field.type, shapes)


def _schema(kind: Any, shapes: Form) -> Form:
    options = [option for option in get_args(kind) if option is not type(None)]
    if kind is Unread:  # the points of a batch
        return {"type": "array", "items": _POINT}
    if get_origin(kind) is tuple:
        return {"type": "array", "items": _schema(options[0], shapes)}
    if get_origin(kind) is not None and issubclass(get_origin(kind), Mapping):
        return _PAIRS
    if type(None) in get_args(kind):
        return _schema(options[0], shapes) if len(options) == 1 else {"anyOf": [_schema(option, shapes) for option in options]}
    if kind in _PLAIN:
        return _PLAIN[kind]
    if kind is int:
        return _INTEGER
    if kind is float:
        return _NUMBER
    if kind is LoggedModelStatus:
        return {"type": "string", "enum": list(LOGGED_MODEL_STATUSES)}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {"type": "string", "enum": [str(member.value) if isinstance(member.value, str) else member.name for member in kind]}
    return _ref(kind, shapes)

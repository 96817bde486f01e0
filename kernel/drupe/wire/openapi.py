"""The protocol as an OpenAPI 3.1 document, made from the table of routes and the types of their shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, get_args, get_origin

import attrs
from attrs import frozen

from drupe import __version__
from drupe.entities import LoggedModel, LoggedModelStatus, Metric, MetricSummary, RegisteredModel, RunData
from drupe.entities.codec import LOGGED_MODEL_STATUSES
from drupe.entities.limits import STEP_MAX, STEP_MIN
from drupe.wire.routes import ROUTES, Route
from drupe.wire.run_columns import ColumnsFound
from drupe.wire.series import MEDIA_TYPE, PackedSeries
from drupe.wire.shapes import BOUNDS, NEEDED, Form, Unread

__all__ = ["document"]

_TEXT: Form = {"type": "string"}
_TRUTH: Form = {"type": "boolean"}
_INTEGER_TEXT: Form = {"type": "string", "pattern": "^-?[0-9]{1,19}$"}
_NUMBER: Form = {"anyOf": [{"type": "number"}, {"type": "string", "enum": ["NaN", "Infinity", "-Infinity"]}]}
_NUMBER_GIVEN: Form = {"anyOf": [{"type": "number"}, {"type": "string", "description": "a decimal number, NaN, Infinity or -Infinity"}]}
_OBJECT: Form = {"type": "object"}
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
    asked, told = _Schemas(shapes, is_asked=True), _Schemas(shapes, is_asked=False)
    found: Form = {
        "operationId": route.name.replace(" ", "_").replace("/", "_").replace("-", "_").replace("{", "").replace("}", "").lower(),
        "summary": route.summary,
        "tags": [route.group],
        "responses": {
            "200": {"description": "Done", "content": _reply(route.reply, told)},
            "4XX": _FAULT,
            "5XX": _FAULT,
        },
    }
    fields = attrs.fields(attrs.resolve_types(route.request))
    in_path = [field for field in fields if f"{{{field.name}}}" in route.path]
    parameters = [asked.parameter(field, "path") for field in in_path]
    if route.has_body and len(in_path) < len(fields):
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": asked.ref(route.request, left_out=in_path)}}}
    elif not route.has_body:
        parameters += [asked.parameter(field, "query") for field in fields if field not in in_path]
    return {**found, "parameters": parameters} if parameters else found


def _reply(kind: type, told: _Schemas) -> Form:
    if kind is PackedSeries:
        return {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}
    return {"application/json": {"schema": told.ref(kind)}}


@frozen
class _Schemas:
    """Makes schemas of types, and puts those with a name among the shapes.

    What is asked may be said in more ways than what is told: null is "not given", numbers may be texts, and names that are not known count as
    not given.
    """

    shapes: Form
    is_asked: bool

    def parameter(self, field: Any, place: str) -> Form:
        schema = self.of_field(field)
        if place == "path":
            schema = {"type": "string", "minLength": 1}
        elif _is_number(field.type):  # everything is a text there, and an empty one is "not given"
            schema = {"anyOf": [_integer(field), {"type": "string", "maxLength": 0}]}
        return {"name": field.name, "in": place, "required": place == "path" or NEEDED in field.metadata, "schema": schema}

    def ref(self, kind: type, left_out: Sequence[Any] = ()) -> Form:
        name = kind.__name__ if not self.is_asked or kind.__module__.startswith("drupe.wire.") else f"{kind.__name__}Given"
        if name not in self.shapes:
            self.shapes[name] = {}  # a shape may hold itself
            self.shapes[name] = _logged_model(self) if kind is LoggedModel else self._shape(kind, left_out)
        return {"$ref": f"#/components/schemas/{name}"}

    def _shape(self, kind: type, left_out: Sequence[Any]) -> Form:
        fields = [field for field in attrs.fields(attrs.resolve_types(kind)) if field not in left_out]
        needed = [field.name for field in fields if self._is_needed(kind, field)]
        is_ours = kind.__module__.startswith("drupe.wire.")
        properties = {}
        for field in fields:
            schema = _special(kind, field, self) or self.of_field(field)
            may_be_null = field.name not in needed if is_ours else type(None) in get_args(field.type)
            properties[field.name] = _or_null(schema) if self.is_asked and may_be_null else schema
        return {"type": "object", "properties": properties, **({"required": needed} if needed else {})}

    def _is_needed(self, kind: type, field: Any) -> bool:
        """Replies leave out what is unset or empty."""
        if NEEDED in field.metadata:
            return True
        may_be_left_out = type(None) in get_args(field.type) or get_origin(field.type) is not None
        return field.default is attrs.NOTHING and not may_be_left_out and kind is not RunData

    def of_field(self, field: Any) -> Form:
        if field.type is str and NEEDED in field.metadata:
            return {"type": "string", "minLength": 1}
        return _asked_integer(field) if self.is_asked and _is_number(field.type) else self.of(field.type)

    def of(self, kind: Any) -> Form:
        options = [option for option in get_args(kind) if option is not type(None)]
        if kind is Unread:  # the points of a batch
            return {"type": "array", "items": _point(self)}
        if get_origin(kind) is tuple:
            return {"type": "array", "items": self.of(options[0])}
        if get_origin(kind) is not None and issubclass(get_origin(kind), Mapping):
            return _pairs() if options == [str, str] else _OBJECT
        if type(None) in get_args(kind):
            return self.of(options[0]) if len(options) == 1 else {"anyOf": [self.of(option) for option in options]}
        if kind is int:
            return _asked_integer(None) if self.is_asked else _integer(None)
        if kind is float:
            return _NUMBER_GIVEN if self.is_asked else _NUMBER
        if isinstance(kind, type) and issubclass(kind, Enum):
            return self._enum(kind)
        return {str: _TEXT, bool: _TRUTH}.get(kind) or self.ref(kind)

    def _enum(self, kind: type[Enum]) -> Form:
        names = [str(member.value) if isinstance(member.value, str) else member.name for member in kind]
        if kind is LoggedModelStatus:
            names = list(LOGGED_MODEL_STATUSES)
        if not self.is_asked:
            return {"type": "string", "enum": names}
        text = f"{', '.join(names)}, or its number in MLflow's protocol; others count as not given"
        return {"anyOf": [{"type": "string", "enum": names}, {"type": ["string", "integer"], "description": text}]}


def _is_number(kind: Any) -> bool:
    return kind is int or int in get_args(kind)


def _integer(field: Any) -> Form:
    least, most = field.metadata.get(BOUNDS, (STEP_MIN, STEP_MAX)) if field is not None else (STEP_MIN, STEP_MAX)
    return {"type": "integer", "format": "int64", "minimum": least, "maximum": most}


def _asked_integer(field: Any) -> Form:
    return {"anyOf": [_integer(field), _INTEGER_TEXT]}


def _or_null(schema: Form) -> Form:
    if "anyOf" in schema:
        return {"anyOf": [*schema["anyOf"], {"type": "null"}]}
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    return {**schema, "type": [schema["type"], "null"]}


def _pairs(key: str = "key", value: str = "value") -> Form:
    return {"type": "array", "items": {"type": "object", "properties": {key: _TEXT, value: _TEXT}, "required": [key]}}


def _point(schemas: _Schemas) -> Form:
    time = {"anyOf": [{**_integer(None), "minimum": 0}, _INTEGER_TEXT]}
    properties = {"key": _TEXT, "value": schemas.of(float), "timestamp": time, "step": schemas.of(int)}
    return {"type": "object", "properties": properties, "required": ["key", "value", "timestamp"]}


def _special(kind: type, field: Any, schemas: _Schemas) -> Form | None:
    """What `drupe.entities.codec` writes in another form than its type says."""
    if kind is RunData and field.name == "summaries":
        return {"type": "object", "additionalProperties": schemas.ref(MetricSummary)}
    if kind is RunData and field.name == "metrics":
        return {"type": "array", "items": _point(schemas)}
    if kind is ColumnsFound and field.name == "columns":
        return {"type": "array", "items": {"type": "array", "items": {"type": ["number", "string", "null"]}}}
    return _pairs("alias", "version") if kind is RegisteredModel and field.name == "aliases" else None


def _logged_model(schemas: _Schemas) -> Form:
    """The form that `drupe.entities.codec` gives to logged models."""
    texts = ("model_id", "experiment_id", "name", "artifact_uri", "model_type", "source_run_id", "status_message")
    info: Form = {
        **dict.fromkeys(texts, _TEXT),
        **dict.fromkeys(("creation_timestamp_ms", "last_updated_timestamp_ms"), _integer(None)),
        "status": schemas.of(LoggedModelStatus),
        "tags": _pairs(),
    }
    kept: Form = {"params": _pairs(), "metrics": schemas.of(tuple[Metric, ...])}
    return {
        "type": "object",
        "properties": {
            "info": {"type": "object", "properties": info, "required": ["model_id", "experiment_id", "status"]},
            "data": {"type": "object", "properties": kept},
        },
        "required": ["info"],
    }

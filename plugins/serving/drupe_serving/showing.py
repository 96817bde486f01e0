"""What tells people how to ask: a valid example, the OpenAPI document with the model's own schema, and a page without scripts."""

from __future__ import annotations

import base64
import json
from html import escape
from importlib.resources import files
from typing import Any

from drupe import __version__
from drupe.errors import DrupeError
from drupe.models import AnyType, Array, ColSpec, DataType, LoadedModel, Map, Object, ParamSpec, Schema, TensorSpec, inside

__all__ = ["Shown", "valid_request"]

SERVING_EXAMPLE = "serving_input_example.json"
EXAMPLE_MAX = 2000
_UNCHECKED = "<p>It has no signature, so what it is sent is not checked.</p>"
_UNTOLD = "<p>It has no signature, so what it is sent is not checked; the request below only shows the form.</p>"
_JSON_TYPES: dict[DataType, dict[str, Any]] = {
    DataType.boolean: {"type": "boolean"},
    DataType.integer: {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1},
    DataType.long: {"type": "integer", "format": "int64"},
    DataType.float: {"type": ["number", "null"], "format": "float"},
    DataType.double: {"type": ["number", "null"], "format": "double"},
    DataType.string: {"type": ["string", "null"]},
    DataType.binary: {"type": ["string", "null"], "contentEncoding": "base64"},
    DataType.datetime: {"type": ["string", "null"], "description": "a time without a zone, such as 2024-05-01T12:30:00"},
}
_SAMPLES: dict[DataType, Any] = {
    DataType.boolean: True,
    DataType.integer: 1,
    DataType.long: 1,
    DataType.float: 0.5,
    DataType.double: 0.5,
    DataType.string: "text",
    DataType.binary: base64.b64encode(b"bytes").decode(),
    DataType.datetime: "2024-05-01T12:30:00",
}


def valid_request(model: LoadedModel) -> dict[str, Any]:
    """A request that the model takes: the example that it was saved with, else one made of its signature."""
    info = model.metadata.saved_input_example_info or {}
    file = model.path / SERVING_EXAMPLE
    if info:
        try:
            file = inside(model.path, str(info.get("serving_input_path") or SERVING_EXAMPLE))
        except DrupeError:
            info = {}
    if info and file.is_file():
        try:
            form = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            form = None
        if isinstance(form, dict) and form:
            return form
    signature = model.signature
    if signature is None or signature.inputs is None:
        return {"inputs": [[0.5]]}
    form = _made(signature.inputs, is_hinted=model.metadata.is_hinted)
    if signature.params:
        form["params"] = {spec.name: spec.to_dict()["default"] for spec in signature.params}
    return form


def _made(schema: Schema, *, is_hinted: bool) -> dict[str, Any]:
    if schema.is_tensor_spec():
        arrays = {name: _zeros(spec) for name, spec in schema.input_dict().items() if isinstance(spec, TensorSpec)}
        return {"inputs": arrays if schema.has_input_names() else next(iter(arrays.values()))}
    values = {str(name): _sample(spec.type) for name, spec in schema.input_dict().items()}
    if is_hinted:
        return {"inputs": list(values.values())}
    if not schema.has_input_names():
        return {"dataframe_split": {"data": [list(values.values())]}}
    return {"dataframe_records": [values]}


def _zeros(spec: TensorSpec) -> Any:
    value: Any = "" if spec.type.kind in "US" else False if spec.type.kind == "b" else 0
    for length in reversed(spec.shape):
        value = [value] * (1 if length == -1 else length)
    return value


def _sample(kind: Any) -> Any:
    if isinstance(kind, DataType):
        return _SAMPLES[kind]
    if isinstance(kind, Array):
        return [_sample(kind.dtype)]
    if isinstance(kind, Map):
        return {"key": _sample(kind.value_type)}
    if isinstance(kind, Object):
        return {prop.name: _sample(prop.dtype) for prop in kind.properties if prop.required}
    assert isinstance(kind, AnyType)
    return None


class Shown:
    """A model as its users see it."""

    def __init__(self, model: LoadedModel, name: str, version: str | None, request: dict[str, Any]) -> None:
        self._model, self._name, self._version, self._request = model, name, version, request
        text = json.dumps(request, ensure_ascii=False)
        self.example = text if len(text) <= EXAMPLE_MAX else f"{text[:EXAMPLE_MAX]}…"
        self.hint = "" if model.signature is None and not model.metadata.saved_input_example_info else f"A valid request: {self.example}"

    def openapi(self) -> dict[str, Any]:
        """The document, OpenAPI 3.1, with the model's own schema and example."""
        document: dict[str, Any] = json.loads(files("drupe_serving").joinpath("openapi.json").read_text(encoding="utf-8"))
        document["info"]["title"], document["info"]["version"] = f"Model {self._name}", self._version or __version__
        text = json.dumps(document).replace("{model}", json.dumps(self._name)[1:-1])
        document = json.loads(text)
        schemas = document["components"]["schemas"]
        schemas["Invocation"] = self._invocation_schema()
        document["paths"]["/invocations"]["post"]["requestBody"]["content"]["application/json"]["example"] = self._request
        return document

    def _invocation_schema(self) -> dict[str, Any]:
        signature = self._model.signature
        inputs, params = (signature.inputs, signature.params) if signature else (None, None)
        further = {"params": _params_schema(list(params))} if params else {"params": {"type": ["object", "null"]}}
        forms: dict[str, dict[str, Any]] = {"inputs": {}, "instances": {"type": "array"}}
        if inputs is not None and inputs.is_tensor_spec():
            shapes = {str(spec.name): _tensor_schema(spec) for spec in inputs if isinstance(spec, TensorSpec)}
            if inputs.has_input_names():
                forms["inputs"] = {"type": "object", "properties": shapes, "required": list(shapes)}
            else:
                forms["inputs"] = forms["instances"] = next(iter(shapes.values()))
        elif inputs is not None and self._model.metadata.is_hinted:
            forms = {"inputs": {"type": "array", "items": _type_schema(next(iter(inputs)).type)}}
        elif inputs is not None and inputs.has_input_names():
            record = _record_schema([spec for spec in inputs if isinstance(spec, ColSpec)])
            forms["dataframe_records"] = {"type": "array", "items": record}
            forms["instances"] = {"type": "array", "items": record}
        if not self._model.metadata.is_hinted:
            forms.setdefault("dataframe_records", {"type": "array", "items": {"type": "object"}})
            forms["dataframe_split"] = {"$ref": "#/components/schemas/Split"}
        return {"oneOf": [{"type": "object", "required": [name], "properties": {name: form, **further}} for name, form in forms.items()]}

    def page(self, url: str) -> str:
        """HTML with the signature, and commands that ask the model, for the address that the reader has used."""
        signature = self._model.signature
        parts = {"inputs": signature.inputs, "outputs": signature.outputs, "params": signature.params} if signature else {}
        rows = [f"<tr><th colspan=3>{part}</th></tr>{''.join(map(_row, specs))}" for part, specs in parts.items() if specs]
        told = f"<table>{''.join(rows)}</table>" if rows else _UNCHECKED if self.hint else _UNTOLD
        quoted = json.dumps(self._request, ensure_ascii=False).replace("'", "'\\''")
        curl = f"curl {url}/invocations -H 'Content-Type: application/json' -d '{quoted}'"
        python = f'import requests\n\nanswer = requests.post("{url}/invocations", json={self._request!r}, timeout=60)\nprint(answer.json())'
        template = files("drupe_serving").joinpath("page.html").read_text(encoding="utf-8")
        filled = {
            "name": self._name,
            "version": "" if self._version is None else f"version {self._version} ·",
            "flavor": ", ".join(name for name in self._model.metadata.flavors if name != "python_function") or "python_function",
            "curl": curl,
            "python": python,
            "release": __version__,
            "path": f"/v2/models/{self._name}/infer",
        }
        for key, value in filled.items():
            template = template.replace(f"{{{key}}}", escape(value))
        return template.replace("{signature}", told)


def _row(spec: Any) -> str:
    if isinstance(spec, ParamSpec):
        name, kind, note = spec.name, f"{spec.dtype}{'' if spec.shape is None else ' list'}", f"default {spec.default!r}"
    elif isinstance(spec, TensorSpec):
        name, kind, note = spec.name or "", f"{spec.dtype} {list(spec.shape)}", ""
    else:
        name, kind, note = "" if spec.name is None else str(spec.name), str(spec.type), "" if spec.required else "optional"
    return f"<tr><td>{escape(str(name))}</td><td>{escape(kind)}</td><td>{escape(note)}</td></tr>"


def _type_schema(kind: Any) -> dict[str, Any]:
    if isinstance(kind, DataType):
        return _JSON_TYPES[kind]
    if isinstance(kind, Array):
        return {"type": "array", "items": _type_schema(kind.dtype)}
    if isinstance(kind, Map):
        return {"type": "object", "additionalProperties": _type_schema(kind.value_type)}
    if isinstance(kind, Object):
        return {
            "type": "object",
            "properties": {prop.name: _type_schema(prop.dtype) for prop in kind.properties},
            "required": [prop.name for prop in kind.properties if prop.required],
        }
    return {}


def _record_schema(specs: list[ColSpec]) -> dict[str, Any]:
    required = [str(spec.name) for spec in specs if spec.required]
    return {"type": "object", "properties": {str(spec.name): _type_schema(spec.type) for spec in specs}, "required": required}


def _tensor_schema(spec: TensorSpec) -> dict[str, Any]:
    kinds: dict[str, dict[str, Any]] = {
        "f": {"type": ["number", "null"]},
        "i": {"type": "integer"},
        "u": {"type": "integer"},
        "b": {"type": "boolean"},
    }
    schema: dict[str, Any] = kinds.get(spec.type.kind, {"type": "string"})
    for length in reversed(spec.shape):
        schema = {"type": "array", "items": schema}
        if length != -1:
            schema |= {"minItems": length, "maxItems": length}
    return schema


def _params_schema(params: list[ParamSpec]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for spec in params:
        one = _type_schema(spec.dtype)
        whole: dict[str, Any] = {"type": "array", "items": one} if spec.shape else one
        found[spec.name] = {**whole, "default": spec.to_dict()["default"]}
    return {"type": ["object", "null"], "properties": found}

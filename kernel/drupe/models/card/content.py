"""The content of a card as a value: sections of facts, tables, texts and code, from whatever is known of a model."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import frozen

from drupe.entities import Dataset, LoggedModel, LoggedModelStatus, Metric, Run
from drupe.models.card.parts import own_parts
from drupe.models.mlmodel import PYFUNC, Model
from drupe.models.schema import Schema, TensorSpec
from drupe.models.signature import ModelSignature
from drupe.uris import redact

__all__ = [
    "NOT_STATED",
    "Block",
    "Card",
    "Code",
    "Facts",
    "Note",
    "Prose",
    "Section",
    "Table",
    "card_of",
    "flavors_told",
    "metric_rows",
    "number",
    "signature_rows",
]

NOT_STATED = "not stated"
_ROWS_MAX = 200
_EXAMPLE_MAX = 600  # a longer one is a file
_EXAMPLE = "serving_input_example.json"
_SYSTEM = "system/"
_SAMPLES = {"double": 0.5, "float": 0.5, "long": 1, "integer": 1, "boolean": True, "string": "text", "datetime": "2026-01-31T12:00:00"}


@frozen
class Prose:
    """What somebody has written: paragraphs between empty lines, and lists of lines that begin with `- `."""

    text: str


@frozen
class Note:
    """A sentence of ours."""

    text: str


@frozen
class Facts:
    """Labels and values."""

    rows: tuple[tuple[str, str], ...]


@frozen
class Table:
    """Rows of texts; `numbers` are the columns whose values stand right."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...] = ()


@frozen
class Code:
    """Something to copy."""

    language: str
    text: str


Block = Prose | Note | Facts | Table | Code


@frozen
class Section:
    """What stands under one title."""

    title: str
    blocks: tuple[Block, ...]


@frozen
class Card:
    """A card: its title, a line below it, and sections."""

    title: str
    subtitle: str
    sections: tuple[Section, ...]


def card_of(
    model: Model,
    *,
    uri: str,
    requirements: Sequence[str] = (),
    files: int | None = None,
    example: str | None = None,
    entity: LoggedModel | None = None,
    run: Run | None = None,
    versions: Sequence[tuple[str, str]] = (),
) -> Card:
    """The card of a model at `uri`. `example` is a ready request as JSON; `entity` and `run` tell metrics, params and data as they are now."""
    parts = own_parts(model.extra.get("card"), model.metadata)
    name = entity.name if entity is not None else model.artifact_path or model.model_id or uri.rstrip("/").rpartition("/")[2] or "model"
    is_known = run is not None or entity is not None or not model.run_id  # what a run has logged is told by none but the run
    own = [(title, Prose(parts[title])) for title in parts if title not in ("purpose", "data", "licence")]
    sections = [
        Section("Purpose", (Prose(parts["purpose"]) if "purpose" in parts else Note("Nobody has written down what this model is for."),)),
        Section("Data", _data(parts, run, is_known=is_known)),
        Section("Metrics", _metrics(entity, run) if is_known else ()),
        *(Section(title[:1].upper() + title[1:], (text,)) for title, text in own),
        Section("Input and output", _signature(model.signature)),
        Section("How to use it", _usage(model, uri, example)),
        Section("Parameters", _params(entity, run)),
        Section("Environment", _environment(model, requirements)),
        Section("Facts", (Facts(_facts(model, parts, uri, files, entity, versions)),)),
    ]
    told = ", ".join(flavors_told(model.flavors))
    return Card(
        str(name), f"{told} · {model.utc_time_created[:16]} UTC" if model.utc_time_created else told, tuple(filter(_is_told, sections))
    )


def flavors_told(flavors: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The flavors with their releases; python_function only where it is alone."""
    known = [name for name in flavors if name != PYFUNC] or list(flavors)
    return [" ".join(filter(None, (name, _release(name, flavors[name])))) for name in known]


def metric_rows(metrics: Iterable[Metric]) -> list[tuple[str, str, str, str]]:
    """Metric, value, step and dataset of a model's metrics, those of one metric together."""
    ordered = sorted(metrics, key=lambda one: (one.key, one.dataset_name or "", one.step))
    return [(one.key, number(one.value), str(one.step), one.dataset_name or "") for one in ordered]


def signature_rows(signature: ModelSignature | None) -> list[tuple[str, str, str, str]]:
    """Part, name, type and remark of all that a model takes and gives."""
    if signature is None:
        return []
    rows = []
    for part, schema in (("input", signature.inputs), ("output", signature.outputs)):
        for spec in schema or ():
            kind = f"{spec.dtype} {list(spec.shape)}" if isinstance(spec, TensorSpec) else str(spec.type)
            rows.append((part, "" if spec.name is None else str(spec.name), kind, "" if spec.required else "optional"))
    params = signature.params or ()
    rows += [("param", one.name, f"{one.dtype}{'' if one.shape is None else ' list'}", f"default {one.default!r}") for one in params]
    return rows


def number(value: float) -> str:
    """A value as people read it."""
    if not math.isfinite(value):
        return str(value)
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else f"{value:.6g}"


def _release(name: str, config: Mapping[str, Any]) -> str:
    return str(config.get(f"{name}_version") or next((value for key, value in config.items() if str(key).endswith("_version")), ""))


def _is_told(section: Section) -> bool:
    return any(not isinstance(block, Facts | Table) or block.rows for block in section.blocks)


def _without_empty_columns(headings: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int] = ()) -> Table:
    """The table with those columns alone in which something stands."""
    told = [column for column in range(len(headings)) if any(row[column] for row in rows)]
    kept = tuple(tuple(row[column] for column in told) for row in rows)
    return Table(tuple(headings[column] for column in told), kept, tuple(told.index(column) for column in numbers if column in told))


def _data(parts: Mapping[str, str], run: Run | None, *, is_known: bool) -> tuple[Block, ...]:
    own: tuple[Block, ...] = (Prose(parts["data"]),) if "data" in parts else ()
    rows = []
    for used in () if run is None else run.inputs.dataset_inputs:
        context = ", ".join(tag.value for tag in used.tags if tag.key == "mlflow.data.context")
        rows.append((used.dataset.name, context, _row_count(used.dataset), used.dataset.digest, redact(_source(used.dataset))))
    if rows:
        return (*own, _without_empty_columns(("dataset", "used for", "rows", "digest", "source"), rows[:_ROWS_MAX], (2,)))
    return own or ((Note("No dataset was logged with it."),) if is_known else ())


def _row_count(dataset: Dataset) -> str:
    try:
        told = json.loads(dataset.profile or "{}")
        return str(told.get("num_rows", "")) if isinstance(told, dict) else ""
    except ValueError:
        return ""


def _source(dataset: Dataset) -> str:
    try:
        told = json.loads(dataset.source)
    except ValueError:
        return dataset.source[:200]
    if isinstance(told, dict):
        found = next((told[key] for key in ("uri", "url", "path", "name") if isinstance(told.get(key), str)), "")
        return found[:200]
    return ""


def _metrics(entity: LoggedModel | None, run: Run | None) -> tuple[Block, ...]:
    rows = metric_rows(() if entity is None else entity.metrics)
    if rows:
        has_data = any(row[3] for row in rows)
        shown = [row if has_data else row[:3] for row in rows[:_ROWS_MAX]]
        table = Table(("metric", "value", "step", "dataset") if has_data else ("metric", "value", "step"), tuple(shown), (1, 2))
        return (table, *_measured_on(entity, run))
    of_run = {} if run is None else {key: value for key, value in run.data.metrics.items() if not key.startswith(_SYSTEM)}
    if of_run:
        told = tuple((key, number(value)) for key, value in sorted(of_run.items())[:_ROWS_MAX])
        return (Note("Those of the run that made it:"), Table(("metric", "value"), told, (1,)))
    return (Note("None was logged with it."),)


def _measured_on(entity: LoggedModel | None, run: Run | None) -> tuple[Note, ...]:
    """A sentence where the run has later values of the model's metrics: whoever compares the two would wonder."""
    made = next((one.step for one in run.outputs.model_outputs if entity and one.model_id == entity.model_id), None) if run else None
    if entity is None or run is None or made is None:
        return ()
    own = {one.key: one.step for one in entity.metrics if one.run_id == run.info.run_id}
    last = {key: run.data.summaries[key].last_step for key in own if key in run.data.summaries}
    later = sorted((key for key in last if last[key] > own[key]), key=lambda key: -last[key])
    if not later:
        return ()
    return (
        Note(
            f"These are the values of step {made}, at which the model was made; its run has measured on until step {last[later[0]]} ({later[0]})."
        ),
    )


def _signature(signature: ModelSignature | None) -> tuple[Block, ...]:
    rows = signature_rows(signature)
    if not rows:
        return (Note("It has no signature, so its input is not checked."),)
    shown = rows[:_ROWS_MAX]
    more = (Note(f"and {len(rows) - len(shown)} more"),) if len(rows) > len(shown) else ()
    return (_without_empty_columns(("", "name", "type", ""), shown), *more)


def _usage(model: Model, uri: str, example: str | None) -> tuple[Block, ...]:
    request = _compact(example) or _request(model.signature)
    quoted = shlex.quote(uri)
    imports, made = _as_python(request, model.signature)
    loading = f"import drupe\n{imports}\nmodel = drupe.load_model({uri!r})\n{made}predictions = model.predict(data)"
    blocks: list[Block] = [Note("In Python:"), Code("python", loading)]
    if not _is_tensor(model.signature):
        blocks += [Note("For the rows of a file:"), Code("sh", f"drupe models predict -m {quoted} -i rows.csv -o predictions.csv")]
    file = _EXAMPLE if example else "request.json"
    how = "Over HTTP:"
    if request is None:
        how = f"Over HTTP, with {file} {'from the folder of the model' if example else 'as the page of the server describes it'}:"
    serving = (
        f"drupe models serve -m {quoted} --port 5001 &\n"
        f"curl http://127.0.0.1:5001/invocations -H 'Content-Type: application/json' -d {f'@{file}' if request is None else shlex.quote(request)}"
    )
    blocks += [Note(how), Code("sh", serving)]
    return tuple(blocks)


def _is_tensor(signature: ModelSignature | None) -> bool:
    return signature is not None and signature.inputs is not None and signature.inputs.is_tensor_spec()


def _compact(example: str | None) -> str | None:
    """The request in one line, unless it is none or a long one."""
    try:
        told = json.dumps(json.loads(example or ""), ensure_ascii=False)
    except ValueError:
        return None
    return told if len(told) <= _EXAMPLE_MAX else None


def _as_python(request: str | None, signature: ModelSignature | None) -> tuple[str, str]:
    """The import and the line that make `data` in Python: the frame of a small request, or an array of the shape that is taken."""
    if _is_tensor(signature):
        specs = [spec for spec in (signature.inputs if signature and signature.inputs else ()) if isinstance(spec, TensorSpec)]
        arrays = [f'np.zeros({tuple(1 if length == -1 else length for length in spec.shape)}, dtype="{spec.dtype}")' for spec in specs]
        named = ", ".join(f"{spec.name!r}: {array}" for spec, array in zip(specs, arrays, strict=True))
        return "import numpy as np\n", f"data = {arrays[0]}\n" if specs[0].name is None else f"data = {{{named}}}\n"
    try:
        split = json.loads(request or "")["dataframe_split"]
        rows, columns = split["data"][:2], split["columns"]
    except (ValueError, KeyError, TypeError):
        return "", ""
    return "import pandas as pd\n", f"data = pd.DataFrame({rows!r}, columns={columns!r})\n"


def _request(signature: ModelSignature | None) -> str | None:
    """A request that the signature allows, with made-up values."""
    inputs: Schema | None = None if signature is None else signature.inputs
    if inputs is None or inputs.is_tensor_spec() or not all(str(getattr(spec, "type", "")) in _SAMPLES for spec in inputs):
        return None
    columns = [index if spec.name is None else spec.name for index, spec in enumerate(inputs)]
    split = {"columns": columns, "data": [[_SAMPLES[str(spec.type)] for spec in inputs]]}
    told = json.dumps({"dataframe_split": split})
    return told if len(told) <= _EXAMPLE_MAX else None


def _params(entity: LoggedModel | None, run: Run | None) -> tuple[Block, ...]:
    params = entity.params if entity is not None else run.data.params if run is not None else {}
    return (Table(("param", "value"), tuple(sorted((key, value[:300]) for key, value in params.items()))[:_ROWS_MAX]),)


def _environment(model: Model, requirements: Sequence[str]) -> tuple[Block, ...]:
    python = model.flavors.get(PYFUNC, {}).get("python_version")
    facts = Facts((("Python", str(python)),) if python else ())
    return (facts, Code("text", "\n".join(map(redact, requirements)))) if requirements else (facts,)


def _facts(
    model: Model, parts: Mapping[str, str], uri: str, files: int | None, entity: LoggedModel | None, versions: Sequence[tuple[str, str]]
) -> tuple[tuple[str, str], ...]:
    size = model.extra.get("model_size_bytes")
    told = [
        ("licence", parts.get("licence", NOT_STATED)),
        ("size", "" if not isinstance(size, int) else f"{_size(size)}{'' if files is None else f' in {files} files'}"),
        ("address", uri),
        ("model", model.model_id or ""),
        ("run", model.run_id or ""),
        ("type", (entity.model_type or "") if entity is not None else ""),
        (
            "status",
            "" if entity is None or entity.status is not LoggedModelStatus.FAILED else f"failed: {entity.status_message or 'no reason'}",
        ),
        ("versions", ", ".join(f"{name} {version}" for name, version in versions)),
        ("written by", f"MLflow {model.mlflow_version}" if model.mlflow_version else ""),
    ]
    return tuple((label, value) for label, value in told if value)


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError

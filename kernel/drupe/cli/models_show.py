"""`drupe models show`: what a model takes and gives, what it needs, and how big it is."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drupe.artifacts.resolve import locate
from drupe.artifacts.trees import list_tree
from drupe.cli import complete, formats
from drupe.cli.model_address import addressed, created_ms
from drupe.cli.nouns import Verb, given
from drupe.cli.output import Form, chosen_form, print_csv, print_json, say
from drupe.cli.tables import Cell, Heading, card, draw
from drupe.entities import FileInfo
from drupe.models import ModelInfo, ModelSignature, TensorSpec, get_model_info
from drupe.uris import ArtifactPath

if TYPE_CHECKING:
    from drupe.extend import ArtifactRepo

__all__ = ["show"]

PYFUNC = "python_function"


@click.command(
    "show",
    cls=Verb,
    examples="""
        drupe models show brave-plum-12/model
        drupe models show models:/churn@champion --json
    """,
)
@click.argument("uri", required=False, metavar="URI", shell_complete=complete.run_paths)
@click.option("-m", "--model-uri", hidden=True)
@click.pass_context
def show(ctx: click.Context, uri: str | None, model_uri: str | None) -> None:
    """Show what the model at URI takes and gives, what it needs, and how big it is. Nothing of it is run."""
    store, address = addressed(ctx, given(uri, model_uri, "URI"))
    info = get_model_info(address)
    where: str | Path = Path(address) if ":" not in address else address
    repo, path = locate(where, tracking=lambda: store.store, registry=lambda: store.registry)
    files = list_tree(repo, path)
    requirements = _requirements(repo, path, files)
    if chosen_form() is Form.JSON:
        print_json(_plain_info(info, files, requirements))
    elif chosen_form() is Form.CSV:
        print_csv(["part", "name", "type", "required"], _signature_rows(info.signature))
    else:
        _draw(info, files, requirements)


def _requirements(repo: ArtifactRepo, path: ArtifactPath, files: list[FileInfo]) -> list[str]:
    wanted = path / "requirements.txt"
    if not any(info.path == str(wanted) for info in files):
        return []
    with tempfile.TemporaryDirectory(prefix="drupe-") as folder:
        copy = Path(folder) / "requirements.txt"
        repo.get_file(wanted, copy)
        return [
            line.strip() for line in copy.read_text(encoding="utf-8").splitlines() if line.strip() and not line.lstrip().startswith("#")
        ]


def _plain_info(info: ModelInfo, files: list[FileInfo], requirements: list[str]) -> dict[str, Any]:
    signature = {name: None if text is None else json.loads(text) for name, text in (info.signature_dict or {}).items()}
    return {
        "model_uri": info.model_uri,
        "flavors": dict(info.flavors),
        "signature": signature or None,
        "requirements": requirements,
        "has_input_example": info.saved_input_example_info is not None,
        "metadata": info.metadata,
        "run_id": info.run_id,
        "artifact_path": info.artifact_path,
        "model_uuid": info.model_uuid,
        "utc_time_created": info.utc_time_created,
        "mlflow_version": info.mlflow_version,
        "files": len(files),
        "size_bytes": sum(file.file_size or 0 for file in files),
    }


def _signature_rows(signature: ModelSignature | None) -> list[tuple[str, str, str, str]]:
    if signature is None:
        return []
    rows = []
    for part, schema in (("inputs", signature.inputs), ("outputs", signature.outputs)):
        for index, spec in enumerate(schema or ()):
            kind = f"{spec.dtype} {list(spec.shape)}" if isinstance(spec, TensorSpec) else str(spec.type)
            name = spec.name if spec.name is not None else index if len(schema or ()) > 1 else "(one, without a name)"
            rows.append((part, str(name), kind, "" if spec.required else "optional"))
    params = signature.params or ()
    rows += [("params", p.name, f"{p.dtype}{'' if p.shape is None else ' list'}", f"default {p.default!r}") for p in params]
    return rows


def _draw(info: ModelInfo, files: list[FileInfo], requirements: list[str]) -> None:
    card(
        [
            ("model", Cell(formats.text(info.model_uri), style="bold")),
            ("flavors", ", ".join(_flavor(name, config) for name, config in info.flavors.items())),
            ("created", formats.moment(created_ms(info.utc_time_created))),
            ("logged by", f"run {info.run_id}" if info.run_id else ""),
            ("with", f"MLflow {info.mlflow_version}" if info.mlflow_version else ""),
            ("size", f"{formats.size(sum(file.file_size or 0 for file in files))} in {len(files)} files"),
            ("example", "yes" if info.saved_input_example_info else "none"),
            ("needs", "\n".join(requirements)),
            ("metadata", json.dumps(info.metadata, default=str) if info.metadata else ""),
        ]
    )
    rows = _signature_rows(info.signature)
    if not rows:
        say("it has no signature, so its input is not checked")
        return
    drawn: list[list[Cell] | str] = []
    section = ""
    for part, name, kind, required in rows:
        if part != section:
            section = part
            drawn.append(part)
        drawn.append([Cell(f"  {formats.text(name)}"), Cell(kind), Cell(formats.text(required), style="dim")])
    click.echo()
    draw([Heading("SIGNATURE", keep=True), Heading("TYPE"), Heading("")], drawn)


def _flavor(name: str, config: Mapping[str, Any]) -> str:
    if name == PYFUNC:
        return f"{name} (Python {config['python_version']})" if config.get("python_version") else name
    release = config.get(f"{name}_version") or next((value for key, value in config.items() if key.endswith("_version")), "")
    return f"{name} {release}".strip()

"""`drupe models`: the models that runs have logged: which there are, what they take and give, and what they predict."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import frozen

from drupe import lazy
from drupe.artifacts.resolve import locate
from drupe.artifacts.trees import list_tree
from drupe.cli import complete, formats
from drupe.cli.model_data import read_inputs, write_predictions
from drupe.cli.nouns import Noun, address_for_process, client, given, pages, reader, shown_address
from drupe.cli.output import Column, Form, chosen_form, print_csv, print_json, print_list, say
from drupe.cli.references import find_experiment, find_run, full_address, short_id
from drupe.cli.tables import Cell, Heading, card, draw
from drupe.entities import FileInfo, Run
from drupe.errors import DrupeError, InvalidValue, ModelError
from drupe.models import ModelInfo, ModelSignature, TensorSpec, get_model_info
from drupe.tracking.model_history import HISTORY_TAG
from drupe.uris import ArtifactPath

if TYPE_CHECKING:
    from drupe.client import Client
    from drupe.extend import ArtifactRepo

__all__ = ["models"]

PYFUNC = "python_function"
TABLE_LIMIT = 50


@frozen
class _Logged:
    """One model that a run has logged."""

    run: Run
    path: str
    flavors: tuple[str, ...]
    created: str

    @property
    def uri(self) -> str:
        return f"runs:/{self.run.info.run_id}/{self.path}"


@click.group(
    cls=Noun,
    examples="""
        drupe models list -e churn
        drupe models show models:/churn@champion
        drupe models predict -m brave-plum-12/model -i customers.csv
    """,
)
def models() -> None:
    """Show logged models and predict with them.

    A model is named by its address: RUN/PATH, runs:/ID/PATH, models:/NAME/VERSION, models:/NAME@ALIAS, or a folder.
    """


@models.command(
    "list",
    examples="""
        drupe models list
        drupe models list brave-plum-12
        drupe models list -e churn --output csv
    """,
)
@click.argument("run", required=False, shell_complete=complete.runs)
@click.option("-e", "--experiment", metavar="NAME", shell_complete=complete.experiments, help="Models of this experiment (name or id).")
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help=f"At most N; {TABLE_LIMIT} in a table, all as JSON or CSV, if not given."
)
def _list(run: str | None, experiment: str | None, limit: int | None) -> None:
    """List the models that RUN has logged, or those of an experiment or of all runs, newest runs first.

    Registered models are listed by `drupe registry list`.
    """
    if run and experiment:
        raise click.UsageError("Give a run or an experiment, not both.")
    store = reader()
    if limit is None and chosen_form() is Form.TABLE:
        limit = TABLE_LIMIT
    if run:
        found: Iterator[_Logged] = iter(_logged_by(find_run(store, run)))
    else:
        ids = [find_experiment(store, experiment).experiment_id] if experiment else None
        runs = pages(lambda size, token: store.search_runs(ids, f"tags.`{HISTORY_TAG}` IS NOT NULL", max_results=size, page_token=token))
        found = (model for one in runs for model in _logged_by(one))
    where = f"run {run!r}" if run else f"experiment {experiment!r}" if experiment else shown_address(store)
    print_list(found, _COLUMNS, empty=f"no logged models in {where}", limit=limit, as_plain=_plain_logged)


@models.command(
    "show",
    examples="""
        drupe models show brave-plum-12/model
        drupe models show models:/churn@champion --json
    """,
)
@click.argument("uri", required=False, metavar="URI", shell_complete=complete.run_paths)
@click.option("-m", "--model-uri", hidden=True)
@click.pass_context
def _show(ctx: click.Context, uri: str | None, model_uri: str | None) -> None:
    """Show what the model at URI takes and gives, what it needs, and how big it is. Nothing of it is run."""
    store, address = _addressed(ctx, given(uri, model_uri, "URI"))
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


@models.command(
    "predict",
    examples="""
        drupe models predict -m models:/churn@champion -i customers.csv
        drupe models predict -m brave-plum-12/model -i request.json -o answers.json
        head -3 customers.csv | drupe models predict -m models:/churn/3 --content-type csv
    """,
    prints=False,
)
@click.argument("uri", required=False, metavar="URI", shell_complete=complete.run_paths)
@click.option("-m", "--model-uri", metavar="URI", shell_complete=complete.run_paths, help="The model.")
@click.option(
    "-i",
    "--input-path",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A .csv or .json file; standard input if not given.",
)
@click.option(
    "-o",
    "--output-path",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where predictions go, .csv or .json; printed as JSON if not given.",
)
@click.option("-t", "--content-type", type=click.Choice(["csv", "json"]), help="What the input is, where its name does not say.")
@click.option(
    "--param",
    "params",
    multiple=True,
    metavar="KEY=VALUE",
    help="A param of predict; VALUE is read as JSON where it can be. May be repeated.",
)
@click.pass_context
def _predict(
    ctx: click.Context,
    uri: str | None,
    model_uri: str | None,
    input_path: Path | None,
    output_path: Path | None,
    content_type: str | None,
    params: tuple[str, ...],
) -> None:
    """Predict for the rows of a CSV or JSON file with the model at URI.

    JSON has the forms of MLflow's scoring server: dataframe_split, dataframe_records, instances, inputs, or a list of records.
    """
    _, address = _addressed(ctx, given(uri, model_uri, "URI"))
    model = lazy.load("drupe.models:load_model")(address)
    data, told = read_inputs(input_path, content_type, model.signature)
    try:
        predictions = model.predict(data, params={**told, **_params(params)} or None)
    except DrupeError:
        raise
    except Exception as fault:  # the user's model raised it
        raise ModelError(f"the model failed on this input: {type(fault).__name__}: {fault}") from fault
    rows = write_predictions(predictions, output_path)
    if output_path is not None:
        say(f"{rows} prediction{'' if rows == 1 else 's'} → {output_path}")


def _addressed(ctx: click.Context, named: str) -> tuple[Client, str]:
    """The client that knows the model named so, and the model's full address."""
    store = client() if Path(named).exists() else reader()  # a folder is read without any store
    address_for_process(ctx)
    return store, full_address(store, named)


def _logged_by(run: Run) -> list[_Logged]:
    try:
        entries = json.loads(run.data.tags.get(HISTORY_TAG, "[]"))
    except ValueError:
        return []  # a tag is free text, and older clients cut it off in the middle
    newest: dict[str, _Logged] = {}
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, Mapping) and isinstance(entry.get("artifact_path"), str):
            flavors = tuple(name for name in entry.get("flavors") or () if isinstance(name, str))
            newest[entry["artifact_path"]] = _Logged(run, entry["artifact_path"], flavors, str(entry.get("utc_time_created", "")))
    return list(newest.values())


def _plain_logged(model: _Logged) -> dict[str, Any]:
    run = model.run.info
    return {
        "model_uri": model.uri,
        "run_id": run.run_id,
        "artifact_path": model.path,
        "flavors": model.flavors,
        "utc_time_created": model.created,
    }


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
            ("created", formats.moment(_created_ms(info.utc_time_created))),
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


def _created_ms(text: str) -> int | None:
    """When MLmodel says that it was written: UTC, with or without a zone."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def _params(texts: tuple[str, ...]) -> dict[str, Any]:
    params: dict[str, Any] = {}
    for entry in texts:
        key, equals, value = entry.partition("=")
        if not equals or not key:
            raise InvalidValue(f"{entry!r} is not a pair; write KEY=VALUE, such as temperature=0.5")
        try:
            params[key] = json.loads(value)
        except ValueError:
            params[key] = value
    return params


_COLUMNS: list[Column[_Logged]] = [
    Column("run_id", lambda model: model.run.info.run_id, short_id, heading="RUN", keep=True),
    Column("run_name", lambda model: model.run.info.run_name, heading="NAME"),
    Column("path", lambda model: model.path, keep=True),
    Column("flavors", lambda model: ", ".join(flavor for flavor in model.flavors if flavor != PYFUNC) or PYFUNC),
    Column.time("created", lambda model: _created_ms(model.created)),
    Column("model_uri", lambda model: model.uri, in_table=False),
]

"""`drupe models predict`: predictions for the rows of a file."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import click

from drupe.errors import DrupeError, InvalidValue, ModelError
from drupe.extend.pairs import read_values
from drupe.models import LoadedModel, load_model
from drupe.models.environments import LOCAL, run_in_environment, vouched_model
from drupe_serving.decoding import Decoder
from drupe_serving.independence import may_be_joined
from drupe_serving.output import Output, elements, is_many, text_of
from drupe_serving.rows_of_files import KINDS, Chunk, chunks, kind_of
from drupe_serving.showing import Shown, valid_request

__all__ = ["predict"]

CHUNK_ROWS = 10_000
EXAMPLES = """\b
Examples:
  drupe models predict -m models:/churn@champion -i customers.csv
  drupe models predict -m models:/churn/3 -i customers.parquet -o churn.parquet
  drupe models predict -m brave-plum-12/model -i request.json -o answers.json
  head -3 customers.csv | drupe models predict -m models:/churn/3 --content-type csv
"""


@click.command("predict", epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("uri", required=False, metavar="URI")
@click.option("-m", "--model-uri", metavar="URI", help="The model.")
@click.option(
    "-i",
    "--input-path",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A .csv, .json, .jsonl, .parquet or .arrow file; standard input if not given.",
)
@click.option(
    "-o",
    "--output-path",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where predictions go, of the same kinds; printed as JSON if not given.",
)
@click.option(
    "-t", "--content-type", type=click.Choice(list(dict.fromkeys(KINDS.values()))), help="What the input is, where its name does not say."
)
@click.option(
    "--param",
    "params",
    multiple=True,
    metavar="KEY=VALUE",
    help="A param of predict; VALUE is read as JSON where it can be. May be repeated.",
)
@click.option(
    "--chunk-rows",
    type=click.IntRange(1),
    metavar="N",
    help=f"Predict N rows at a time; {CHUNK_ROWS} if not given, and all at once for models whose rows may depend on each other.",
)
@click.option("--restart", is_flag=True, help="Begin anew, without what an interrupted command has left.")
@click.option("--env-manager", metavar="NAME", default="local", show_default=True, help="What makes the model's environment.")
@click.option("--install-mlflow", is_flag=True, hidden=True)
@click.option("--trust", is_flag=True, help="Let the model run code when it is loaded, whoever made it.")
@click.option("--tracking-uri", metavar="ADDRESS", help="The store that knows the model, if another than the one in use.")
@click.pass_context
def predict(
    ctx: click.Context,
    /,
    uri: str | None,
    model_uri: str | None,
    input_path: Path | None,
    output_path: Path | None,
    content_type: str | None,
    params: tuple[str, ...],
    chunk_rows: int | None,
    restart: bool,
    env_manager: str,
    install_mlflow: bool,
    tracking_uri: str | None,
    trust: bool,
) -> None:
    """Predict for the rows of a file with the model at URI, chunk by chunk.

    JSON has the forms of MLflow's scoring server: dataframe_split, dataframe_records, instances, inputs, or a list of records; a line of
    JSON lines is one record. After an interruption the same command goes on where the output ended.
    """
    if (uri is None) == (model_uri is None):
        raise click.UsageError("Missing argument 'URI'." if uri is None else f"URI is given twice: {uri!r} and {model_uri!r}.")
    if input_path is not None and output_path is not None and output_path.exists() and _is_same(input_path, output_path):
        raise InvalidValue(f"{str(output_path)!r} is the file of the rows, which the predictions would take the place of; name another")
    kind = kind_of(input_path, content_type)
    address = ctx.obj(uri or model_uri, tracking_uri) if callable(ctx.obj) else str(uri or model_uri)
    if env_manager != LOCAL:
        checked = vouched_model(address, trust=trust or None)
        options = {"-i": input_path, "-o": output_path, "-t": content_type, "--chunk-rows": chunk_rows}
        words = [str(word) for option, value in options.items() if value is not None for word in (option, value)]
        words += [word for pair in params for word in ("--param", pair)] + (["--restart"] if restart else [])
        say = partial(click.echo, err=True)
        arguments = ["predict", "-m", str(checked.folder), *words]
        ctx.exit(run_in_environment(checked, "drupe_serving", arguments, env_manager=env_manager, also=["drupe-serving"], tell=say))
    ctx.with_resource(_warnings_in_words())
    model = load_model(address, trust=trust or None)
    decoder = Decoder(model, Shown(model, "", None, valid_request(model)).example)
    rows = chunk_rows or (CHUNK_ROWS if may_be_joined(model, "auto") else None)
    told = read_values(params, such_as="temperature=0.5")
    if output_path is None:
        _print(_predicted(model, chunks(input_path, kind, decoder, rows), told))
        return
    made = model.metadata.model_uuid  # an alias may mean another model by now
    job = {
        "model": address,
        "made": made,
        "input": _identity(input_path),
        "kind": kind,
        "rows": rows,
        "params": told,
        "output": str(output_path),
    }
    output = Output(output_path, job, restart=restart or input_path is None)
    if output.done:
        click.echo(f"{output.done} chunks of {rows} rows are there already", err=True)
    count, is_one = output.done * (rows or 0), False
    try:
        for place, (chunk, predictions) in enumerate(_predicted(model, chunks(input_path, kind, decoder, rows, output.done), told)):
            output.put(output.done + place, predictions)
            is_one = not is_many(predictions)
            count += 1 if is_one else len(predictions)
            _tell_progress(count, chunk)
    except BaseException:
        output.stop()
        if output.folder.exists():
            click.echo(f"what is predicted is kept in {output.folder}; the same command goes on from there", err=True)
        raise
    output.finish(is_one)
    click.echo(f"{count} prediction{'' if count == 1 else 's'} → {output_path}", err=True)


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:  # which reading or writing will tell
        return False


@contextmanager
def _warnings_in_words() -> Iterator[None]:
    """Tell each warning once, as a line for people."""
    told: set[str] = set()

    def tell(message: Warning | str, *_: Any, **__: Any) -> None:
        if str(message) not in told:
            told.add(str(message))
            click.echo(f"drupe: {message}", err=True)

    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = tell
        yield


def _predicted(model: LoadedModel, found: Iterator[Chunk], told: dict[str, Any]) -> Iterator[tuple[Chunk, Any]]:
    for chunk in found:
        try:
            yield chunk, model.predict(chunk.inputs, {**chunk.params, **told} or None)
        except DrupeError:
            raise
        except Exception as fault:  # the user's model raised it
            raise ModelError(f"the model failed on this input: {type(fault).__name__}: {fault}") from fault


def _print(found: Iterator[tuple[Chunk, Any]]) -> None:
    """One JSON object, written as it comes."""
    begun = False
    for _, predictions in found:
        if not is_many(predictions):
            click.echo(f'{{"predictions": {text_of(predictions)}}}')
            return
        texts = ", ".join(elements(predictions))
        click.echo(("" if begun else '{"predictions": [') + (", " if begun and texts else "") + texts, nl=False)
        begun = True
    click.echo("]}")


def _tell_progress(count: int, chunk: Chunk) -> None:
    if sys.stderr.isatty():
        share = "" if chunk.share is None else f", {chunk.share:.0%} of the file"
        click.echo(f"\r{count:,} rows{share} ", nl=chunk.share == 1.0, err=True)


def _identity(file: Path | None) -> Any:
    if file is None:
        return None
    try:
        stat = file.stat()
    except OSError as fault:
        raise InvalidValue(f"{str(file)!r} cannot be read: {fault.strerror}") from fault
    return [str(file.absolute()), stat.st_size, stat.st_mtime_ns]

"""`drupe models predict`: predictions for the rows of a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from drupe import lazy
from drupe.cli import complete
from drupe.cli.model_address import addressed
from drupe.cli.model_data import read_inputs, write_predictions
from drupe.cli.nouns import Verb, given
from drupe.cli.output import say
from drupe.errors import DrupeError, InvalidValue, ModelError

__all__ = ["predict"]


@click.command(
    "predict",
    cls=Verb,
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
def predict(
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
    _, address = addressed(ctx, given(uri, model_uri, "URI"))
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

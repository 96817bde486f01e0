"""Fills a store with real trainings, so that every page of the web UI has something to show: `python docs/examples/tour.py FOLDER`.

Small networks that read scikit-learn's hand-written digits, with curves, pictures over steps, a report, models and a registry of two versions;
boosted trees on the diabetes data; one run that fails. Takes about a minute, and makes `drupe.db` and `drupe-artifacts/` in the folder.
"""

from __future__ import annotations

import os
import sys
import warnings
from itertools import product
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import track
from sklearn.datasets import load_diabetes, load_digits
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.metrics import ConfusionMatrixDisplay, classification_report, log_loss, root_mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

import drupe

matplotlib.use("Agg")
import matplotlib.pyplot as plt

SEED = 7
EPOCHS = 40
MODEL = "digit-reader"
DIGITS = "vision/digits/networks"
PRICES = "health/diabetes/boosting"
NOTE = """### What this run tries

A **wider** layer with a smaller step. See the confusion matrix in `evaluation/`: *8* is still taken for *1*.

- [x] learning curves look at home
- [ ] try augmentation
"""


def networks() -> list[tuple[float, str]]:
    """Train one network per choice of step, width and penalty; validation accuracy and id of each run."""
    pixels, labels = load_digits(return_X_y=True)
    split = train_test_split(pixels / 16.0, labels, test_size=0.3, random_state=SEED, stratify=labels)
    drupe.set_experiment(DIGITS)
    drupe.set_experiment_tag("mlflow.note.content", "Which small network reads hand-written digits of 8 x 8 pixels best?")
    choices = list(product((0.3, 0.03, 0.003, 0.001), ((16,), (64,), (64, 32)), (0.0001, 0.01)))
    return [network(rate, hidden, penalty, *split) for rate, hidden, penalty in track(choices, "training networks")]


def network(
    rate: float, hidden: tuple[int, ...], penalty: float, train: np.ndarray, valid: np.ndarray, y_train: np.ndarray, y_valid: np.ndarray
) -> tuple[float, str]:
    name = f"mlp-{'x'.join(map(str, hidden))}-{rate:g}"
    with drupe.start_run(run_name=name, tags={"team": "vision", "stage": "sweep"}) as run:
        drupe.log_params(
            {"learning_rate": rate, "hidden": "x".join(map(str, hidden)), "alpha": penalty, "solver": "adam", "batch_size": 64}
        )
        drupe.log_input(drupe.data.from_numpy(train, targets=y_train, name="digits-train"), context="training")
        model = MLPClassifier(hidden, alpha=penalty, learning_rate_init=rate, batch_size=64, random_state=SEED)
        for epoch in range(EPOCHS):
            model.partial_fit(train, y_train, classes=np.arange(10))
            found = curves(model, train, valid, y_train, y_valid)
            drupe.log_metrics(found, step=epoch)
            print(f"epoch {epoch:2d}  train loss {found['train/loss']:.4f}  validation accuracy {found['val/accuracy']:.4f}")
            if epoch % 8 == 0:
                drupe.log_image(weights(model), key="first_layer", step=epoch)
        looked_at(model, valid, y_valid)
        return found["val/accuracy"], run.info.run_id


def curves(model: MLPClassifier, train: np.ndarray, valid: np.ndarray, y_train: np.ndarray, y_valid: np.ndarray) -> dict[str, float]:
    return {
        "train/loss": float(log_loss(y_train, model.predict_proba(train))),
        "train/accuracy": float(model.score(train, y_train)),
        "val/loss": float(log_loss(y_valid, model.predict_proba(valid))),
        "val/accuracy": float(model.score(valid, y_valid)),
    }


def weights(model: MLPClassifier) -> np.ndarray:
    """What the first sixteen units look for: 4 x 4 tiles of 8 x 8 weights, as grey values."""
    tiles = model.coefs_[0][:, :16].T.reshape(4, 4, 8, 8).transpose(0, 2, 1, 3).reshape(32, 32)
    grey = np.uint8(255 * (tiles - tiles.min()) / np.ptp(tiles))
    return np.kron(grey, np.ones((6, 6), dtype=np.uint8))


def looked_at(model: MLPClassifier, valid: np.ndarray, y_valid: np.ndarray) -> None:
    """Keep a plot, a report and the digits that were misread."""
    figure, axes = plt.subplots(figsize=(5, 4.5), layout="constrained")
    guessed = model.predict(valid)
    ConfusionMatrixDisplay.from_predictions(y_valid, guessed, ax=axes, colorbar=False, cmap="Blues")
    drupe.log_figure(figure, "evaluation/confusion_matrix.png")
    plt.close(figure)
    drupe.log_text(classification_report(y_valid, guessed, zero_division=0), "evaluation/report.txt")
    wrong = np.flatnonzero(guessed != y_valid)
    sure = model.predict_proba(valid)[wrong].max(axis=1)
    drupe.log_table(
        pd.DataFrame({"row": wrong, "digit": y_valid[wrong], "read_as": guessed[wrong], "sure": sure.round(3)}), "evaluation/misread.json"
    )
    drupe.log_dict({"epochs": EPOCHS, "seed": SEED, "scaling": "pixels / 16"}, "config.yaml")


def boosting() -> None:
    """Boosted trees on the diabetes data; the last choice cannot work, so that one run of the store failed."""
    table, target = load_diabetes(return_X_y=True, as_frame=True)
    train, valid, y_train, y_valid = train_test_split(table, target, random_state=SEED)
    drupe.set_experiment(PRICES)
    choices = list(product((0.02, 0.05, 0.1), (7, 15, 31)))
    for rate, leaves in track([*choices, (-0.1, 31)], "boosting trees"):
        try:
            with drupe.start_run(run_name=f"trees-{leaves}", tags={"team": "health"}):
                drupe.log_params({"learning_rate": rate, "max_leaf_nodes": leaves})
                model = HistGradientBoostingRegressor(learning_rate=rate, max_leaf_nodes=leaves, random_state=SEED, max_iter=80).fit(
                    train, y_train
                )
                for step, guess in enumerate(model.staged_predict(valid)):
                    drupe.log_metric("val/rmse", float(root_mean_squared_error(y_valid, guess)), step=step)
        except ValueError as fault:
            print(f"trees-{leaves}: {fault}", file=sys.stderr)


def registered(best: list[tuple[float, str]]) -> None:
    """Train the two best choices again, keep their models, and register them."""
    pixels, labels = load_digits(return_X_y=True, as_frame=True)
    train, valid, y_train, y_valid = train_test_split(pixels, labels, test_size=0.3, random_state=SEED, stratify=labels)
    client = drupe.MlflowClient()
    drupe.set_experiment(DIGITS)
    for number, (_, run_id) in enumerate(best, start=1):
        params = drupe.get_run(run_id).data.params
        hidden = tuple(map(int, params["hidden"].split("x")))
        model = MLPClassifier(
            hidden, alpha=float(params["alpha"]), learning_rate_init=float(params["learning_rate"]), max_iter=60, random_state=SEED
        )
        with (
            warnings.catch_warnings(),
            drupe.start_run(run_name=f"final-{number}", tags={"team": "vision", "stage": "final", "mlflow.note.content": NOTE}),
        ):
            warnings.simplefilter("ignore")  # sixty passes are enough here
            model.fit(train, y_train)
            drupe.log_params({**{name: params[name] for name in ("learning_rate", "hidden", "alpha")}, "epochs": 60})
            info = drupe.sklearn.log_model(
                model, name="model", input_example=valid.head(3), registered_model_name=MODEL, pip_requirements=["scikit-learn", "skops"]
            )
            drupe.evaluate(
                info.model_uri,
                valid.assign(digit=y_valid),
                targets="digit",
                model_type="classifier",
                evaluator_config={"log_explainer": False},
            )
    client.update_registered_model(MODEL, description="Reads one hand-written digit of 8 x 8 pixels.")
    client.set_registered_model_tag(MODEL, "owner", "vision")
    client.set_registered_model_alias(MODEL, "champion", "1")
    client.set_registered_model_alias(MODEL, "challenger", "2")
    client.update_model_version(MODEL, "2", description="A smaller step; candidate for the next release.")


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    with threadpool_limits(1):
        found = networks()
        boosting()
        registered(sorted(found, reverse=True)[:2])
    Console().print(f"\nSee it: [bold]cd {folder} && drupe ui[/bold]")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]).resolve())

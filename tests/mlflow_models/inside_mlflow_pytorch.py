"""Runs in MLflow's environment, where there is no drupe: saves or loads PyTorch models and says what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlflow.pytorch
import numpy as np
import pandas as pd
import torch

ROWS = [[0.2, 0.1, 0.5], [0.8, 0.2, 0.3]]


def made() -> Any:
    class Mine(torch.nn.Module):  # inside a function, so that it is pickled whole
        def __init__(self) -> None:
            super().__init__()
            self.layers = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Dropout(0.5), torch.nn.Linear(4, 2))

        def forward(self, rows):
            return self.layers(rows)

    return Mine().eval()


def predictions(folder: str) -> dict[str, Any]:
    model = mlflow.pyfunc.load_model(folder)
    array = np.array(ROWS, dtype="float32")
    table = pd.DataFrame(array, columns=["a", "b", "c"])
    signature = model.metadata.signature
    is_table = signature is not None and not signature.inputs.is_tensor_spec()
    return {
        "array": None if is_table else model.predict(array).tolist(),
        "table": np.asarray(model.predict(table)).tolist(),
        "signature": None if signature is None else signature.to_dict(),
        "native": type(model.get_raw_model()).__name__,
    }


def load(folders: dict[str, str]) -> Any:
    torch.set_num_threads(1)  # this is a child of a process that has imported it
    return {name: predictions(folder) for name, folder in folders.items()}


def save(root: str) -> Any:
    torch.set_num_threads(1)
    model, place = made(), Path(root)
    array = np.array(ROWS, dtype="float32")
    given: dict[str, Any] = {"pip_requirements": ["torch"]}
    is_new = not mlflow.__version__.startswith("2.")
    pickled = {"serialization_format": "pickle"} if is_new else {}
    mlflow.pytorch.save_model(model, place / "pickle", input_example=array, **pickled, **given)
    mlflow.pytorch.save_model(torch.jit.script(model), place / "scripted", **pickled, **given)
    if is_new:
        mlflow.pytorch.save_model(model, place / "exported", input_example=array, **given)
    return {folder.name: predictions(str(folder)) for folder in place.iterdir()}

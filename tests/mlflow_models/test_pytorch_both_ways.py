"""PyTorch models that drupe wrote load in MLflow, and MLflow's load here, with equal predictions."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import drupe
from drupe.errors import InvalidModelFolder

pytestmark = [
    pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed; in a checkout it is on Python 3.11 only"),
    pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning"),
]

NET = """
import torch


class NetOfBothWays(torch.nn.Module):
    def __init__(self, hidden: int = 4) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(3, hidden), torch.nn.Dropout(0.5), torch.nn.Linear(hidden, 2))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return self.layers(rows)
"""
ROWS = np.array([[0.2, 0.1, 0.5], [0.8, 0.2, 0.3]], dtype="float32")
TABLE = pd.DataFrame(ROWS, columns=["a", "b", "c"])
OURS = ["exported", "torchscript", "safetensors", "state_dict", "pickle"]


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of ours in each format."""
    root = tmp_path_factory.mktemp("torch")
    file = root / "net_of_both_ways.py"
    file.write_text(NET)
    sys.path.insert(0, str(root))
    from net_of_both_ways import NetOfBothWays  # type: ignore[import-not-found]

    model, kept = NetOfBothWays(5), {"code_paths": [file]}
    drupe.pytorch.save_model(model, root / "exported", input_example=ROWS)
    drupe.pytorch.save_model(model, root / "torchscript", serialization_format="torchscript", input_example=TABLE)
    for name in ("safetensors", "state_dict"):
        drupe.pytorch.save_model(model, root / name, serialization_format=name, model_kwargs={"hidden": 5}, input_example=ROWS, **kept)
    drupe.pytorch.save_model(model, root / "pickle", serialization_format="pickle", input_example=ROWS, **kept)
    return root


@pytest.fixture(scope="session")
def in_theirs(release: str, in_mlflow: Callable[..., Any], written: Path) -> dict[str, Any]:
    """What MLflow makes of them; MLflow 2 does not know exported programs."""
    names = [name for name in OURS if name != "exported" or not release.startswith("2.")]
    answers: dict[str, Any] = in_mlflow("load", {name: str(written / name) for name in names}, script="inside_mlflow_pytorch.py")
    return answers


@pytest.mark.parametrize("name", OURS)
def test_a_model_of_ours_predicts_the_same_in_mlflow_without_drupe(
    name: str, in_theirs: dict[str, Any], release: str, written: Path
) -> None:
    if name not in in_theirs:
        pytest.skip("MLflow 2 cannot read exported programs")
    model, answer = drupe.load_model(written / name), in_theirs[name]
    np.testing.assert_allclose(model.predict(TABLE), answer["table"], atol=1e-6)
    if answer["array"] is not None:
        np.testing.assert_allclose(model.predict(ROWS), answer["array"], atol=1e-6)
    assert model.signature is not None
    assert answer["signature"] == model.signature.to_dict()
    assert answer["native"] == type(model.native).__name__


def test_a_model_of_mlflow_predicts_the_same_here_without_mlflow(
    release: str, in_mlflow: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("theirs")
    answers = in_mlflow("save", str(root), script="inside_mlflow_pytorch.py")
    assert sorted(answers) == sorted(["pickle", "scripted", *([] if release.startswith("2.") else ["exported"])])
    for name, answer in answers.items():
        model = drupe.load_model(root / name)
        np.testing.assert_allclose(model.predict(ROWS), answer["array"], atol=1e-6)
        np.testing.assert_allclose(model.predict(TABLE), answer["table"], atol=1e-6)
        assert answer["signature"] == (None if model.signature is None else model.signature.to_dict())
        assert (model.native.training, model.flavor) == (name == "exported", "pytorch")
    (root / "pickle" / "data" / "pickle_module_info.txt").write_text("antigravity")
    with pytest.raises(InvalidModelFolder, match="written with the pickle module 'antigravity'"):
        drupe.load_model(root / "pickle")

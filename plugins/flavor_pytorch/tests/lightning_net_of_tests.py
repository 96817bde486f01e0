"""A small Lightning module, and a training of it."""

from __future__ import annotations

from typing import Any

import lightning.pytorch as pl
import torch
from torch.utils.data import DataLoader, TensorDataset

X = torch.rand(24, 3, generator=torch.Generator().manual_seed(0))
Y = X.sum(1, keepdim=True)


class Regression(pl.LightningModule):  # type: ignore[misc]
    """Learns the sum of three numbers; logs a loss for steps and epochs, and one of validation."""

    def __init__(self, hidden: int = 4, fails: bool = False) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.layers = torch.nn.Sequential(torch.nn.Linear(3, hidden), torch.nn.Tanh(), torch.nn.Linear(hidden, 1))
        self.fails = fails

    def forward(self, rows: torch.Tensor) -> Any:
        return self.layers(rows)

    def training_step(self, batch: Any, index: int) -> Any:
        if self.fails:
            raise ArithmeticError("made to fail by a test")
        loss = (self(batch[0]) - batch[1]).square().mean()
        self.log("train_loss", loss, on_step=True, on_epoch=True)
        return loss

    def validation_step(self, batch: Any, index: int) -> None:
        self.log("val_loss", (self(batch[0]) - batch[1]).square().mean())

    def test_step(self, batch: Any, index: int) -> None:
        self.log("test_loss", (self(batch[0]) - batch[1]).square().mean())

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def loader() -> Any:
    return DataLoader(TensorDataset(X, Y), batch_size=8)


def trainer(**given: Any) -> Any:
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}
    return pl.Trainer(accelerator="cpu", devices=1, **{"max_epochs": 1, **quiet, **given})


def fit(module: Any = None, **given: Any) -> tuple[Any, Any]:
    module, used = module or Regression(), trainer(**given)
    used.fit(module, loader(), loader())
    return used, module

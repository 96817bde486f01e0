"""Small models, in a module that can be imported."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


class Net(nn.Module):
    """Two layers with dropout between, so that the mode matters."""

    def __init__(self, inputs: int = 3, outputs: int = 2) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(inputs, 4), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4, outputs))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.layers(rows)
        return found


class Tied(nn.Module):
    """Two names for one weight, and a number in its state that is no tensor."""

    def __init__(self, extra: Any = None) -> None:
        super().__init__()
        self.there = nn.Linear(3, 3, bias=False)
        self.back = nn.Linear(3, 3, bias=False)
        self.back.weight = self.there.weight

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.back(self.there(rows))
        return found


class Noted(Net):
    """State that is no tensor, as `get_extra_state` may give."""

    def get_extra_state(self) -> dict[str, int]:
        return {"epoch": 3}

    def set_extra_state(self, state: dict[str, int]) -> None:
        self.epoch = state["epoch"]


class Branching(Net):
    """A way through that depends on values, which no export can follow."""

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return super().forward(rows) if rows.sum().item() > 0 else -rows[:, :2]


class Pair(nn.Module):
    """Two inputs and several outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Linear(3, 2), nn.Linear(2, 2)

    def forward(self, wide: torch.Tensor, narrow: torch.Tensor, times: float = 1.0) -> dict[str, torch.Tensor]:
        return {"sum": (self.left(wide) + self.right(narrow)) * times, "wide": wide.mean(1)}


def build(width: int = 5) -> nn.Module:
    """A model without a class of its own."""
    return nn.Sequential(nn.Linear(3, width), nn.Tanh(), nn.Linear(width, 1))

"""The onnx flavor passes the published kit, with weights in the graph's file and in one of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from drupe.extend import Flavor
from drupe.loading import catalog
from drupe.testing.flavor import FlavorCase, FlavorKit

from .small_models import WEIGHTS, linear

pytestmark = pytest.mark.usefixtures("quick_models")

X = np.random.default_rng(0).random((4, 3)).astype(np.float32)


def same_outputs(one: Any, other: Any) -> bool:
    return list(one) == list(other) and all(np.array_equal(one[name], other[name]) for name in one)


class OnnxKit(FlavorKit):
    @pytest.fixture
    def flavor(self) -> Flavor:
        return catalog().flavor("onnx")


class TestOneFile(OnnxKit):
    @pytest.fixture
    def case(self) -> FlavorCase:
        return FlavorCase(linear(), X, {"y": X @ WEIGHTS}, {"save_as_external_data": False}, same=same_outputs)


class TestWeightsOfTheirOwn(OnnxKit):
    @pytest.fixture
    def case(self) -> FlavorCase:
        return FlavorCase(linear(), X, {"y": X @ WEIGHTS}, {"size_threshold": 0}, same=same_outputs)

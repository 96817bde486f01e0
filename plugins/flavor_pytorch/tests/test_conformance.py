"""The pytorch flavor passes the published kit, in each of its formats."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drupe.extend import Flavor
from drupe.loading import catalog
from drupe.testing.flavor import FlavorCase, FlavorKit

pytestmark = pytest.mark.usefixtures("quick_nets")

NETS = Path(__file__).with_name("nets_of_torch_tests.py")
X = np.random.default_rng(0).random((5, 3), dtype=np.float32)


@pytest.fixture(autouse=True, scope="module")
def _late(with_torch: None) -> None:
    """Imported by the first of these tests, not whenever tests are collected."""
    global torch, Net, Noted
    import torch
    from nets_of_torch_tests import Net, Noted


def case_of(model: Any, **options: Any) -> FlavorCase:
    with torch.no_grad():
        outputs = model.eval()(torch.tensor(X)).numpy()
    return FlavorCase(model.train(), X, outputs, options, same=lambda one, other: bool(np.allclose(one, other, atol=1e-6)))


@pytest.fixture(scope="module")
def program() -> Any:
    """Exported once: tracing takes seconds."""
    return torch.export.export(Net().eval(), (torch.tensor(X),), dynamic_shapes=({0: torch.export.Dim.AUTO},))


class PytorchKit(FlavorKit):
    @pytest.fixture
    def flavor(self) -> Flavor:
        return catalog().flavor("pytorch")


class TestExported(PytorchKit):
    @pytest.fixture
    def case(self, program: Any) -> FlavorCase:
        outputs = program.module()(torch.tensor(X)).detach().numpy()
        return FlavorCase(program, X, outputs, same=lambda one, other: bool(np.allclose(one, other, atol=1e-6)))


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")  # torch means to replace it; models that were scripted stay
class TestTorchscript(PytorchKit):
    @pytest.fixture
    def case(self) -> FlavorCase:
        return case_of(torch.jit.script(Net()))


class TestSafetensors(PytorchKit):
    @pytest.fixture
    def case(self) -> FlavorCase:
        return case_of(Net(), code_paths=[NETS])


class TestStateDict(PytorchKit):
    @pytest.fixture
    def case(self) -> FlavorCase:
        return case_of(Noted(), code_paths=[NETS])


class TestPickle(PytorchKit):
    @pytest.fixture
    def case(self) -> FlavorCase:
        return case_of(Net(), serialization_format="pickle")

"""The autologger of Lightning passes the published kit."""

from __future__ import annotations

from typing import Any

import pytest

from drupe.testing.autologger import AutologCase, AutologgerKit

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")


@pytest.fixture(autouse=True, scope="module")
def _late(with_lightning: None) -> None:
    """Imported by the first of these tests, not whenever tests are collected."""
    global torch, Regression, X, fit
    import torch
    from lightning_net_of_tests import Regression, X, fit


def train() -> Any:
    module = Regression()
    with torch.no_grad():
        for one in module.parameters():
            one.fill_(0.1)
    fit(module)
    return module(X).detach().numpy()


class TestLightning(AutologgerKit):
    library = "lightning"

    @pytest.fixture
    def case(self) -> AutologCase:
        return AutologCase(train=train, fail=lambda: fit(Regression(fails=True)))

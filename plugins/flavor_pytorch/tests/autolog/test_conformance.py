"""The autologger of Lightning passes the published kit."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; in a checkout it is on Python 3.11 only")
pytest.importorskip("lightning", reason="lightning is not installed; in a checkout it comes with torch")

from lightning_net_of_tests import Regression, X, fit  # noqa: E402

from drupe.testing.autologger import AutologCase, AutologgerKit  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")


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

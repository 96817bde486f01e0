"""Every flow that MLflow's clients know, unmodified, against our server."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.mlflow_clients.conftest import FLOWS

NAMES = re.findall(r"^def flow_(\w+)\(", FLOWS.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_the_client_does_what_it_does_with_its_own_server(flow: Callable[[str], None], name: str) -> None:
    flow(name)

"""Every flow that MLflow's clients know, unmodified, against our server, on either database."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.mlflow_clients.conftest import FLOWS, STORES
from tests.real_mlflow.environments import RELEASES
from tests.real_mlflow.process import RealMlflow

NAMES = re.findall(r"^def flow_(\w+)\(", FLOWS.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("release", list(RELEASES))
@pytest.mark.parametrize("name", NAMES)
def test_the_client_does_what_it_does_with_its_own_server(
    name: str, release: str, store: str, mlflow_of: Callable[[str], RealMlflow], server_on: Callable[[str], str]
) -> None:
    mlflow_of(release).ask(FLOWS, "run", name, server_on(store))

"""Under which address a listener is reached."""

from __future__ import annotations

import socket

import pytest

from drupe_asgi.running import url_of


@pytest.mark.parametrize(
    ("family", "bound", "told"), [(socket.AF_INET, "0.0.0.0", "127.0.0.1"), (socket.AF_INET, "127.0.0.1", "127.0.0.1")]
)
def test_one_that_listens_everywhere_is_reached_on_this_machines_own_address(family: int, bound: str, told: str) -> None:
    with socket.socket(family) as listener:
        listener.bind((bound, 0))
        assert url_of(listener, "/a/") == f"http://{told}:{listener.getsockname()[1]}/a"

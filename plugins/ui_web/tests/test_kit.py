"""The routes of the web UI keep the promises of all server routes."""

from __future__ import annotations

import pytest

from drupe.extend import ServerRoutes
from drupe.testing.server_routes import ServerRoutesKit
from drupe_ui_web.routes import UiRoutes


class TestUiRoutes(ServerRoutesKit):
    @pytest.fixture
    def implementation(self) -> type[ServerRoutes]:
        return UiRoutes

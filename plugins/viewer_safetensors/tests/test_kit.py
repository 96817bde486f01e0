"""The viewer keeps the promises of all UI extensions, and its types are those of the host API."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from drupe.extend import UiExtension
from drupe.testing.ui_extensions import UiExtensionKit
from drupe_viewer_safetensors.extension import VIEWER

HERE = Path(__file__).parents[1]
TSC = HERE.parent / "ui_web/frontend/node_modules/.bin/tsc"


class TestViewer(UiExtensionKit):
    shows = ("model.safetensors", "a/model-00001-of-00003.SafeTensors")
    leaves = ("safetensors", "model.safetensors.index.json", "a.safetensors/b.bin")

    @pytest.fixture
    def extension(self) -> UiExtension:
        return VIEWER


def test_the_types_in_its_comments_hold() -> None:
    if not TSC.exists() or shutil.which("node") is None:
        pytest.skip("the packages of the web UI's build are not installed")
    done = subprocess.run([str(TSC), "-p", str(HERE)], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "")

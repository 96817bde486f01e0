"""The python flavor passes the published kit, in each of the ways to write a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from drupe.extend import Flavor
from drupe.loading import catalog
from drupe.models import PythonModel, PythonModelContext
from drupe.testing.flavor import FlavorCase, FlavorKit

pytestmark = pytest.mark.usefixtures("quick_models")

TABLE = pd.DataFrame({"a": [1.0, 2.5]})
SCRIPT = """
from drupe.models import ModelConfig, PythonModel, set_model

class Plus(PythonModel):
    by = ModelConfig(development_config={"by": 0}).get("by")

    def predict(self, model_input):
        return model_input["a"] + self.by

set_model(Plus())
"""


def add_from_file() -> PythonModel:
    class AddFromFile(PythonModel):
        def load_context(self, context: PythonModelContext) -> None:
            self.n = int(Path(context.artifacts["n"]).read_text()) + int(Path(context.artifacts["folder"], "n.txt").read_text())

        def predict(self, context: PythonModelContext, model_input: Any, params: Any = None) -> Any:
            return (model_input["a"] + self.n) * params["times"]

    return AddFromFile()


class PythonKit(FlavorKit):
    @pytest.fixture
    def flavor(self) -> Flavor:
        return catalog().flavor("python_function")


class TestFunction(PythonKit):
    @pytest.fixture
    def case(self) -> FlavorCase:
        return FlavorCase(lambda model_input: model_input["a"] * 2, TABLE, TABLE["a"] * 2)


class TestClassWithArtifactsAndParams(PythonKit):
    @pytest.fixture
    def case(self, tmp_path_factory: pytest.TempPathFactory) -> FlavorCase:
        folder = tmp_path_factory.mktemp("artifacts")
        (folder / "n.txt").write_text("5")
        options = {"artifacts": {"n": str(folder / "n.txt"), "folder": str(folder)}}
        return FlavorCase(add_from_file(), TABLE, (TABLE["a"] + 10) * 3, options, {"times": 3})


class TestScript(PythonKit):
    @pytest.fixture
    def case(self, tmp_path_factory: pytest.TempPathFactory) -> FlavorCase:
        script = tmp_path_factory.mktemp("script") / "plus.py"
        script.write_text(SCRIPT)
        return FlavorCase(script, TABLE, TABLE["a"] + 7, {"model_config": {"by": 7}})

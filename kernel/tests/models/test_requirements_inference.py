"""What a model needs is seen in a clean process: what its own code imports, and nothing of what libraries import in turn."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from importlib import invalidate_caches
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drupe.errors import InvalidValue
from drupe.models import infer_signature, load_model, save_model
from drupe.models.difference import environment_differences
from drupe.models.pinning import installed_release, pins_of_modules

EXAMPLE = np.array([1.0, 2.0])


def function() -> Callable[[Any], list[float]]:
    """A function of no module, so that it is kept whole and not by its name in this file."""

    def imports_late(model_input: Any) -> list[float]:
        import rich.table

        return [float(number) + len(rich.table.__name__) for number in model_input]

    return imports_late


@pytest.fixture(autouse=True)
def watched(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRUPE_REQUIREMENTS_INFERENCE", "true")


def names(folder: Path) -> list[str]:
    return [line.partition("==")[0] for line in (folder / "requirements.txt").read_text().splitlines()]


@pytest.mark.slow
def test_what_predict_imports_is_found_and_not_what_that_imports(workspace: Path) -> None:
    save_model(function(), workspace / "model", input_example=EXAMPLE)
    assert names(workspace / "model") == ["cloudpickle", "numpy", "rich"]


@pytest.mark.slow
def test_modules_given_with_the_model_are_no_requirements_and_what_they_import_is(workspace: Path) -> None:
    (workspace / "fruitcake").mkdir()
    (workspace / "fruitcake/__init__.py").write_text("import yaml\n")
    (workspace / "script.py").write_text(
        "import fruitcake, drupe\n"
        "def predict(model_input): return [len(fruitcake.yaml.__name__)] * len(model_input)\n"
        "drupe.models.set_model(predict)\n"
    )
    import sys

    sys.path.insert(0, str(workspace))
    try:
        save_model("script.py", workspace / "model", input_example=EXAMPLE, code_paths=["fruitcake"], flavor="python_function")
    finally:
        sys.path.remove(str(workspace))
    assert "PyYAML" in names(workspace / "model")
    assert "fruitcake" not in names(workspace / "model")


@pytest.mark.slow
def test_a_model_that_takes_too_long_is_left_with_a_warning_or_an_error(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRUPE_REQUIREMENTS_INFERENCE_TIMEOUT", "0.2")
    with pytest.warns(UserWarning, match=r"could not be recorded: it took longer than 0.2 seconds.*Give pip_requirements, or code_paths"):
        save_model(lambda model_input: [0.0], workspace / "slow", input_example=EXAMPLE)
    assert "cloudpickle" in names(workspace / "slow")
    monkeypatch.setenv("DRUPE_REQUIREMENTS_INFERENCE_RAISE_ERRORS", "true")
    with pytest.raises(InvalidValue, match="it took longer"):
        save_model(lambda model_input: [0.0], workspace / "strict", input_example=EXAMPLE)
    assert not (workspace / "strict").exists()


@pytest.mark.slow
def test_the_network_is_shut_meanwhile(workspace: Path) -> None:
    def asks(model_input: Any) -> list[float]:
        import socket

        socket.create_connection(("192.0.2.1", 9), 5).close()
        return [0.0]

    with pytest.warns(UserWarning, match=r"it asks for 192\.0\.2\.1; DRUPE_REQUIREMENTS_INFERENCE_NETWORK=true lets it"):
        save_model(asks, workspace / "model", input_example=EXAMPLE, signature=infer_signature(EXAMPLE, EXAMPLE))


def test_libraries_own_formats_and_given_requirements_start_no_process(
    workspace: Path, classifier: Any, table: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drupe.models.recording.subprocess.Popen", None)
    save_model(classifier, workspace / "safe", input_example=table.head(2))
    save_model(function(), workspace / "given", input_example=EXAMPLE, pip_requirements=["rich"])
    save_model(function(), workspace / "off", input_example=EXAMPLE, infer_requirements=False)
    assert names(workspace / "given") == ["rich"]


def test_modules_belong_to_the_distribution_that_has_their_file() -> None:
    import yaml

    assert pins_of_modules({"yaml": yaml.__file__, "json": None, "__main__": None}) == ([f"PyYAML=={yaml.__version__}"], [])
    assert pins_of_modules({"fruitcake.layers": "/elsewhere/fruitcake/layers.py"}) == ([], ["fruitcake"])


def test_a_release_that_is_installed_while_the_program_runs_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def install(folder: Path, release: str) -> Path:
        place = folder / f"fruitcake-{release.partition('+')[0]}.dist-info"
        place.mkdir(parents=True)
        (place / "METADATA").write_text(f"Metadata-Version: 2.1\nName: fruitcake\nVersion: {release}\n")
        return place

    assert installed_release("fruitcake") is None
    monkeypatch.syspath_prepend(tmp_path / "later")
    old = install(tmp_path / "later", "1.0+cpu")
    invalidate_caches()
    assert [installed_release("fruitcake") for _ in range(2)] == ["1.0", "1.0"]
    shutil.rmtree(old)
    install(tmp_path / "later", "1.1")
    invalidate_caches()
    assert installed_release("fruitcake") == "1.1"
    install(tmp_path / "first", "2.0")
    monkeypatch.syspath_prepend(tmp_path / "first")
    assert installed_release("fruitcake") == "2.0"


def test_what_differs_from_the_models_environment_is_told_in_one_line(workspace: Path, caplog: pytest.LogCaptureFixture) -> None:
    lines = ["numpy==1.0", "no-such-thing==2", "mlflow==9", "pandas>=1", "-c constraints.txt", "x==1; python_version < '3'", "cloudpickle"]
    save_model(lambda model_input: [0.0], workspace / "model", pip_requirements=[line for line in lines if line[0] != "-"])
    assert environment_differences(workspace / "model") == [
        f"numpy is {np.__version__} (the model has 1.0)",
        "no-such-thing is not installed (the model has 2)",
    ]
    with caplog.at_level(logging.WARNING, "drupe.models"):
        load_model(workspace / "model", suppress_warnings=True)
        assert caplog.messages == []
        load_model(workspace / "model")
    (told,) = caplog.messages
    assert told.startswith(
        f"this environment is not the model's: numpy is {np.__version__} (the model has 1.0), no-such-thing is not installed"
    )
    assert "--env-manager uv" in told

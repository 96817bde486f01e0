"""Models that need trust, in environments of their own: the store's word counts there as it does here, and for the checked files alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import drupe
from drupe.errors import UntrustedModel
from drupe.models.environments import plan_environment, run_in_environment, vouched_model

pytestmark = pytest.mark.slow


def _made_here() -> Any:
    def double(model_input: Any) -> Any:  # inside a function, so that it is pickled whole
        return [2 * int(number) for number in model_input]

    return double


@pytest.fixture
def colleagues(drupe_workspace: Path, environments: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a pickle that somebody else has logged to a store that is in use here."""
    monkeypatch.setenv("DRUPE_ENV_ROOT", str(environments))
    monkeypatch.setenv("DRUPE_TRACKING_URI", f"sqlite:///{drupe_workspace}/team.db")
    ours = os.environ["XDG_STATE_HOME"]
    monkeypatch.setenv("XDG_STATE_HOME", str(drupe_workspace / "theirs"))
    with drupe.start_run():
        info = drupe.pyfunc.log_model("doubler", python_model=_made_here(), pip_requirements=["cloudpickle", "numpy"])
    monkeypatch.setenv("XDG_STATE_HOME", ours)
    return info.model_uri


def predict(address: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "drupe", "models", "predict", "-m", address, "--env-manager", "uv", "-t", "json", *options]
    return subprocess.run(command, input='{"inputs": [2, 3]}', capture_output=True, text=True, check=False)


def test_a_colleagues_pickle_predicts_by_the_word_of_the_store(colleagues: str, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = predict(colleagues)
    assert refused.returncode == 1
    assert "nobody vouches for it" in refused.stderr
    monkeypatch.setenv("DRUPE_MODELS_TRUST", "stores")
    done = predict(colleagues)
    assert (done.returncode, json.loads(done.stdout or "null")) == (0, {"predictions": [4, 6]}), done.stderr


def test_trust_for_this_once_reaches_the_other_process(colleagues: str) -> None:
    done = predict(colleagues, "--trust")
    assert (done.returncode, json.loads(done.stdout or "null")) == (0, {"predictions": [4, 6]}), done.stderr


def test_files_that_were_changed_after_the_check_are_refused_there(colleagues: str, drupe_workspace: Path) -> None:
    checked = vouched_model(colleagues, trust=True)
    plan_environment(checked, also=["drupe-serving"])
    (checked.folder / "python_model.pkl").write_bytes(b"other")
    (checked.folder / "manifest.json").unlink()
    report = drupe_workspace / "report.json"
    assert run_in_environment(checked, "drupe.models.environments.trial", [str(checked.folder), str(report)], also=["drupe-serving"]) == 0
    assert "was changed since it was checked by the process that started this one" in json.loads(report.read_text())["fault"]
    with pytest.raises(UntrustedModel):
        vouched_model(checked.folder)

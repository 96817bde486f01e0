"""Models in environments of their own, as commands make them: one small environment is built and serves all of these tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from drupe.cli.main import root
from drupe.errors import EnvironmentUnusable, InvalidValue, NoProvider, UntrustedModel
from drupe.models import save_model
from drupe.models.environments import plan_environment, prepared_environment, run_in_environment, verify_environment

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("workspace")]


EXAMPLE = np.array([2, 3])
REQUIRED = ["cloudpickle", "numpy"]


Function = Callable[[Any], list[int]]


def functions() -> tuple[Function, Function]:
    """Functions of no module, so that they are kept whole and not by their name in this file."""

    def square(model_input: Any) -> list[int]:
        return [int(number) ** 2 for number in model_input]

    def asks_for_what_is_not_required(model_input: Any) -> list[int]:
        import editables  # installed for the tests, and not in the model's requirements

        return [int(number) + len(editables.__name__) for number in model_input]

    return square, asks_for_what_is_not_required


square, asks_for_what_is_not_required = functions()


@pytest.fixture
def folder(workspace: Path) -> Path:
    save_model(square, workspace / "model", input_example=EXAMPLE, pip_requirements=REQUIRED)
    return workspace / "model"


def drupe(*arguments: str) -> Result:
    return CliRunner().invoke(root, ["models", *arguments], catch_exceptions=True)


def test_a_model_is_verified_against_its_recorded_prediction(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert json.loads((folder / "output_example.json").read_text()) == [4, 9]
    done = drupe("verify-env", str(folder), "--kept")
    assert (done.exit_code, done.exception) == (0, None), done.output
    assert done.stdout.splitlines() == [
        "✓ its environment was built",
        "✓ it loads",
        "✓ it predicts for its input example",
        "✓ it predicts what it predicted where it was logged",
    ]
    (folder / "manifest.json").unlink()
    (folder / "output_example.json").write_text("[4, 5]")
    with pytest.raises(UntrustedModel):  # it is not what this user made any more
        verify_environment(folder, is_fresh=False)
    monkeypatch.setenv("DRUPE_MODELS_TRUST", "everybody")
    changed = verify_environment(folder, is_fresh=False)
    assert (
        changed.fault
        == "it predicts something else than where it was logged: 1 of 2 values differ, the first at [1]: 5 was recorded, it predicts 9"
    )


def test_what_is_missing_is_named_with_what_would_bring_it(workspace: Path) -> None:
    save_model(asks_for_what_is_not_required, workspace / "model", input_example=EXAMPLE, pip_requirements=REQUIRED)
    found = verify_environment(workspace / "model", is_fresh=False)
    assert found.steps == ["its environment is there", "it loads"]
    assert found.fault is not None
    assert "cannot predict for its input example in its environment: ModuleNotFoundError: No module named 'editables'" in found.fault
    assert f"log the model again with extra_pip_requirements={list(found.missing)}" in found.fault
    assert [line.partition("==")[0] for line in found.missing] == ["editables"]


def test_a_module_runs_in_the_environment_with_its_exit_code(folder: Path, workspace: Path) -> None:
    report = workspace / "report.json"
    assert run_in_environment(folder, "drupe.models.environments.trial", [str(folder), str(report)]) == 0
    assert json.loads(report.read_text()) == {"stage": "predicted", "prediction": [4, 9]}
    assert run_in_environment(folder, "no_such_module") == 1
    assert run_in_environment(folder, "json.tool", ["--help"], env_manager="local") == 0


def test_preparing_prints_the_interpreter_and_the_list_shows_the_environment(folder: Path, environments: Path) -> None:
    done = drupe("prepare", "-m", str(folder))
    assert done.stderr.splitlines()[-1] == "the environment was there already"
    assert Path(done.stdout.strip()).is_relative_to(environments)
    (listed,) = json.loads(drupe("envs", "--json").stdout)
    assert (listed["manager"], listed["requirements"]) == ("uv", REQUIRED)
    assert drupe("envs").stdout.splitlines()[2].split()[:2] == [listed["key"][:12], "uv"]


def test_one_that_is_in_use_is_not_pruned(folder: Path) -> None:
    with prepared_environment(folder):
        assert "1 in use stay" in drupe("envs", "--prune").stderr


def test_the_plan_changes_with_what_is_required_and_with_nothing_else(folder: Path, workspace: Path) -> None:
    key = plan_environment(folder).key
    assert plan_environment(folder).key == key
    save_model(square, workspace / "other", input_example=EXAMPLE, pip_requirements=REQUIRED)
    assert plan_environment(workspace / "other").key == key
    save_model(square, workspace / "more", pip_requirements=[*REQUIRED, "pandas"])
    assert plan_environment(workspace / "more").key != key
    assert plan_environment(folder, env_manager="virtualenv").key != key


def test_a_lock_has_hashes_for_everything_and_the_models_address_in_no_line(folder: Path, workspace: Path) -> None:
    done = drupe("lock", str(folder), "-o", str(workspace / "requirements.lock"))
    assert done.exit_code == 0, done.output
    lines = (workspace / "requirements.lock").read_text().splitlines()
    assert {line.partition("==")[0] for line in lines} >= {"cloudpickle", "click", "attrs"}
    assert [line for line in lines if "==" not in line or "--hash=sha256:" not in line or "://" in line] == []


def test_a_model_that_was_locked_gets_its_environment_from_the_lock(workspace: Path) -> None:
    save_model(square, workspace / "model", input_example=EXAMPLE, pip_requirements=REQUIRED, lock=True)
    lines = (workspace / "model/requirements.lock").read_text().splitlines()
    spec = plan_environment(workspace / "model").spec
    assert (spec.hashes, list(spec.requirements)) == (True, lines)
    assert (workspace / "model/requirements.txt").read_text().splitlines() == REQUIRED


def test_requirements_that_cannot_be_had_are_the_result_and_not_a_trace(workspace: Path) -> None:
    save_model(square, workspace / "model", input_example=EXAMPLE, pip_requirements=["--no-index", "drupe-kit-plum==9"])
    found = verify_environment(workspace / "model")
    assert found.fault is not None
    assert found.fault.startswith("the model's requirements cannot be installed: ")
    assert "drupe-kit-plum" in found.fault
    done = drupe("prepare", str(workspace / "model"))
    assert isinstance(done.exception, EnvironmentUnusable)


def test_requirements_that_lead_elsewhere_are_for_those_who_trust_the_model(workspace: Path, classifier_folder: Path) -> None:
    with pytest.raises(UntrustedModel, match=r"lead to other places than this machine's index.*--index-url http://elsewhere/simple"):
        plan_environment(classifier_folder)


@pytest.fixture
def classifier_folder(workspace: Path) -> Path:
    """A model in a format that runs no code, made by somebody else."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    save_model(model, workspace / "theirs", pip_requirements=["scikit-learn", "--index-url http://elsewhere/simple"])
    (workspace / "theirs/manifest.json").unlink()
    (workspace / "theirs/MLmodel").write_text((workspace / "theirs/MLmodel").read_text() + "note: theirs\n")
    return workspace / "theirs"


def test_conda_and_unknown_managers_say_what_there_is(folder: Path) -> None:
    with pytest.raises(NoProvider, match="no plugin offers environments made by conda; use one of uv, virtualenv, local"):
        plan_environment(folder, env_manager="conda")
    with pytest.raises(NoProvider, match=r"no environment manager for name 'virtualenvv'.*did you mean 'virtualenv'"):
        plan_environment(folder, env_manager="virtualenvv")
    with pytest.raises(InvalidValue, match="there is nothing to prepare"):
        plan_environment(folder, env_manager="local")

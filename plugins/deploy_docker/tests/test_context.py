"""What an image is built from, and the words of the commands; the image itself is tried on a real engine in tests/operate."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sklearn.linear_model import LogisticRegression

from drupe.errors import EnvironmentUnusable, InvalidValue
from drupe.models import save_model
from drupe.testing.plugin import drupe_workspace
from drupe_deploy_docker.command import build_docker, generate_dockerfile
from drupe_deploy_docker.dockerfile import write_dockerfile

__all__ = ["drupe_workspace"]


@pytest.fixture
def model(drupe_workspace: Path) -> Path:
    save_model(LogisticRegression().fit([[0.0], [1.0]], [0, 1]), drupe_workspace / "model")
    return drupe_workspace / "model"


def generate(*arguments: str) -> Result:
    return CliRunner().invoke(generate_dockerfile, arguments)


@pytest.mark.slow
def test_the_folder_holds_all_that_the_image_copies(
    model: Path, drupe_workspace: Path, tmp_path_factory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRUPE_ENV_ROOT", str(tmp_path_factory.mktemp("environments")))
    done = generate("-m", str(model), "-d", "image", "--env-manager", "uv")
    assert (done.exit_code, done.exception) == (0, None), done.output
    text = Path("image/Dockerfile").read_text()
    for source in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE):
        for name in source.split():
            assert (Path("image") / name).exists(), name
    lines = Path("image/environment/requirements.txt").read_text().splitlines()
    assert [line for line in lines if "==" not in line or "--hash=sha256:" not in line] == []
    wheels = {wheel.name.partition("-")[0] for wheel in Path("image/environment/wheels").iterdir()}
    assert wheels == {"drupe_kernel", "drupe_flavor_python", "drupe_flavor_sklearn", "drupe_serving", "drupe_asgi"}
    assert oct(Path("image/model/MLmodel").stat().st_mode & 0o777) == "0o644"
    again = generate("-m", str(model), "-d", "image")
    assert isinstance(again.exception, InvalidValue)
    assert "image is not empty" in str(again.exception)


@pytest.mark.parametrize("is_there", [False, True])
def test_a_folder_that_could_not_be_written_is_as_it_was_and_can_be_tried_again(drupe_workspace: Path, is_there: bool) -> None:
    model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    save_model(model, drupe_workspace / "model", pip_requirements=["nowhere @ file:///no/such/nowhere-1-py3-none-any.whl"])
    if is_there:
        Path("image").mkdir()
    for _ in range(2):
        done = generate("-m", "model", "-d", "image", "--env-manager", "uv")
        assert isinstance(done.exception, EnvironmentUnusable), done
    assert Path("image").exists() is is_there
    assert sorted(entry.name for entry in drupe_workspace.iterdir()) == sorted(["model", *(["image"] if is_there else [])])


def test_the_last_stage_installs_nothing_and_is_not_root() -> None:
    text = write_dockerfile(base="python:3.11-slim", env_manager="virtualenv", locked=False, labels={"a": "b"})
    last = text.rpartition("\nFROM ")[2]
    assert "pip" not in last.replace("python", "")
    assert "\nUSER 10001\n" in last
    assert "HEALTHCHECK" in last
    assert last.index("COPY --from=built") < last.index("COPY model")
    assert "compileall" in text  # the disk of a container is read-only: each would compile again what it imports
    assert "--require-hashes" not in text


def test_a_label_cannot_become_an_instruction() -> None:
    text = write_dockerfile(base="b", env_manager="uv", locked=True, labels={"uri": 'x"\nRUN evil\n$HOME\\'})
    assert not re.search(r"^RUN evil", text, re.MULTILINE)
    assert "$HOME" not in text
    assert "--require-hashes" in text


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        (["--enable-mlserver"], "speaks the Open Inference Protocol"),
        (["--install-java"], "take a --base-image that has Java"),
        (["--install-mlflow"], "when the model's requirements name it"),
        (["--mlflow-home", "/src"], "taken from where they are installed"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_options_of_mlflow_that_mean_nothing_here_say_why(option: list[str], reason: str) -> None:
    for command in (build_docker, generate_dockerfile):
        done = CliRunner().invoke(command, ["-m", "model", *option])
        assert isinstance(done.exception, InvalidValue)
        assert reason in str(done.exception)

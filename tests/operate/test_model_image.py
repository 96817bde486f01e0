"""A model as an image, on a real engine: built, built again from the cache, run without root and without a disk to write to, asked, stopped."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from drupe.models import save_model

pytestmark = pytest.mark.slow
IMAGE = "drupe-test-model"
WAIT_S = 120
ROWS = np.array([[0.1, 0.2], [0.9, 0.8], [0.8, 0.7], [0.2, 0.1]])


def docker(environ: Mapping[str, str], *command: str, fails: bool = False) -> str:
    done = subprocess.run(["docker", *command], env=dict(environ), capture_output=True, text=True, check=False)
    assert fails or done.returncode == 0, done.stderr
    return done.stdout.strip()


def build(environ: Mapping[str, str], model: Path, tag: str = IMAGE) -> str:
    """Build the image as the command does; what it told. The tests' engine routes nothing to the outside, so the build uses the host's network."""
    command = [sys.executable, "-m", "drupe", "models", "build-docker", "-m", str(model), "-n", tag, "--network", "host"]
    done = subprocess.run(command, env=dict(environ), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "model"
    save_model(LogisticRegression().fit(ROWS, [0, 1, 1, 0]), folder, input_example=ROWS[:2])
    return folder


@pytest.fixture(scope="module")
def built(engine: Mapping[str, str], model: Path) -> str:
    return build(engine, model)


@pytest.fixture(scope="module")
def running(engine: Mapping[str, str], built: str) -> Iterator[tuple[str, str]]:
    """(container, address) of the image, run without rights and with a read-only disk; healthy."""
    rights = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
    container = docker(engine, "run", "--detach", *rights, "--health-interval", "1s", "--publish", "127.0.0.1::8080", IMAGE)
    address = f"http://{docker(engine, 'port', container, '8080').splitlines()[0]}"
    until = time.monotonic() + WAIT_S
    while (state := docker(engine, "inspect", "--format", "{{.State.Health.Status}} {{.State.Running}}", container)) != "healthy true":
        logs = subprocess.run(["docker", "logs", container], env=dict(engine), capture_output=True, text=True, check=False)
        assert state.endswith("true"), logs.stdout + logs.stderr
        assert time.monotonic() < until, f"it is still {state}: {logs.stdout}{logs.stderr}"
        time.sleep(0.2)
    yield container, address
    docker(engine, "rm", "--force", container, fails=True)


def ask(address: str, path: str, body: Any = None) -> tuple[int, str]:
    sent = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(address + path, sent, {"Content-Type": "application/json"})) as reply:
        return reply.status, reply.read().decode()


def test_it_answers_under_mlflows_protocol(running: tuple[str, str]) -> None:
    _, address = running
    assert ask(address, "/ping")[0] == 200
    status, text = ask(address, "/invocations", {"inputs": ROWS.tolist()})
    assert (status, json.loads(text)) == (200, {"predictions": [0, 1, 1, 0]})


def test_it_is_not_root_and_has_no_tools_that_install(engine: Mapping[str, str], running: tuple[str, str]) -> None:
    container, _ = running
    assert docker(engine, "exec", container, "id", "-u") == "10001"
    found = docker(
        engine, "exec", container, "python", "-c", "from importlib.util import find_spec as f; print(f('pip'), f('uv'), f('docker'))"
    )
    assert found == "None None None"


def test_it_says_which_model_it_is(engine: Mapping[str, str], built: str, model: Path) -> None:
    config = json.loads(docker(engine, "image", "inspect", IMAGE))[0]["Config"]
    labels = {name: value for name, value in config["Labels"].items() if name.startswith("org.drupe.model")}
    assert labels["org.drupe.model.uri"] == str(model)
    assert labels["org.drupe.model.digest"].startswith("sha256:")
    assert config["User"] == "10001"


def test_another_model_with_the_same_requirements_changes_the_last_layers_alone(
    engine: Mapping[str, str], built: str, tmp_path: Path
) -> None:
    save_model(LogisticRegression().fit(ROWS, [1, 0, 0, 1]), tmp_path / "other", input_example=ROWS[:2])
    begun = time.monotonic()
    build(engine, tmp_path / "other", f"{IMAGE}:other")
    print(f"built from the cache in {time.monotonic() - begun:.1f} s")
    first, other = (json.loads(docker(engine, "image", "inspect", tag))[0]["RootFS"]["Layers"] for tag in (IMAGE, f"{IMAGE}:other"))
    assert len(first) == len(other)
    assert [one == two for one, two in zip(first, other, strict=True)] == [True] * (len(first) - 1) + [False]


def test_its_size_is_told(engine: Mapping[str, str], built: str) -> None:
    image, base = (json.loads(docker(engine, "image", "inspect", tag))[0]["Size"] for tag in (IMAGE, "python:3.11-slim"))
    print(f"the image has {image / 1e6:.0f} MB, {(image - base) / 1e6:.0f} MB more than its base")
    assert image - base < 400e6


def test_it_stops_when_it_is_told_to(engine: Mapping[str, str], running: tuple[str, str]) -> None:
    container, _ = running
    docker(engine, "stop", "--time", "60", container)
    assert docker(engine, "inspect", "--format", "{{.State.ExitCode}}", container) == "0"


def test_without_an_engine_it_says_what_works(model: Path) -> None:
    command = [sys.executable, "-m", "drupe", "models", "build-docker", "-m", str(model), "-n", IMAGE]
    environ = {**os.environ, "DOCKER_HOST": "unix:///nowhere/docker.sock"}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "no Docker engine can be reached" in done.stderr
    assert "generate-dockerfile" in done.stderr

"""The page on Docker, as it is written, on a real engine; and what the image promises."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.operate.pages import ROOT, blocks, run_block

pytestmark = pytest.mark.slow
URL = "http://127.0.0.1:5000"
MOST_MB = 200  # beyond the base


def docker(environ: Mapping[str, str], *command: str) -> str:
    done = subprocess.run(["docker", *command], env=dict(environ), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def post(path: str, **fields: Any) -> Any:
    asked = urllib.request.Request(f"{URL}/api/2.0/mlflow/{path}", json.dumps(fields).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked) as reply:
        return json.load(reply)


def test_the_page_is_true_from_building_to_stopping(engine: Mapping[str, str], tmp_path: Path) -> None:
    build, run, ready, stop = blocks("docker.md", "bash")
    networked = build.replace("docker build ", "docker build --network host ")  # the tests' engine routes nothing to the outside
    assert "drupe-server" in run_block(networked, engine, ROOT)
    image = json.loads(docker(engine, "image", "inspect", "drupe-server"))[0]
    base = json.loads(docker(engine, "image", "inspect", "python:3.11-slim"))[0]
    added_mb = (image["Size"] - base["Size"]) / 1e6
    print(f"the image has {image['Size'] / 1e6:.0f} MB, {added_mb:.0f} MB more than its base")
    assert added_mb < MOST_MB
    assert image["Config"]["User"] == "drupe"

    run_block(run, engine, tmp_path)
    told = run_block(ready, engine, tmp_path)
    assert "drupe serves sqlite:////data/runs.db" in told
    assert docker(engine, "exec", "drupe", "id", "-u").strip() == "10001"
    run_id = post("runs/create", experiment_id="0", run_name="boxed")["run"]["info"]["run_id"]
    post("runs/log-metric", run_id=run_id, key="loss", value=0.5, timestamp=1)
    asked = urllib.request.Request(f"{URL}/api/2.0/mlflow-artifacts/artifacts/0/{run_id}/artifacts/a.txt", b"kept", method="PUT")
    urllib.request.urlopen(asked).close()

    assert run_block(stop, engine, tmp_path).splitlines() == ["drupe", "0", "drupe"]

    run_block(run, engine, tmp_path)  # the volume is still there
    run_block(ready, engine, tmp_path)
    with urllib.request.urlopen(f"{URL}/get-artifact?run_id={run_id}&path=a.txt") as reply:
        assert reply.read() == b"kept"
    listed = docker(engine, "exec", "drupe", "drupe", "runs", "list", "--tracking-uri", "sqlite:////data/runs.db")
    assert "boxed" in listed
    docker(engine, "rm", "--force", "drupe")


def test_without_a_word_it_lets_nobody_in(engine: Mapping[str, str]) -> None:
    done = subprocess.run(["docker", "run", "--rm", "drupe-server"], env=dict(engine), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "--open-to-all" in done.stderr
    assert "store-s3" in docker(engine, "run", "--rm", "drupe-server", "plugins")

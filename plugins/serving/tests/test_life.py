"""A server's life: from the command to the first answer, to SIGTERM, with several processes."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from drupe.errors import InvalidSettings
from drupe_serving.running import serve
from drupe_serving.settings import ServingSettings
from plugins.serving.tests.scoring import start

pytestmark = pytest.mark.usefixtures("quick_models")


def ask(url: str, form: Any = None) -> Any:
    body = None if form is None else json.dumps(form).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"} if body else {})
    with urllib.request.urlopen(request, timeout=60) as reply:
        content = reply.read()
        return json.loads(content) if reply.headers["content-type"] == "application/json" and content.strip() else content.decode()


@pytest.mark.parametrize("workers", [1, 2])
def test_the_module_serves_a_folder_with_nothing_around_it(models: Path, tmp_path: Path, workers: int) -> None:
    log = ["--log-requests"] if workers == 1 else []
    served = start(["drupe_serving", "--model", str(models / "columns"), "--workers", str(workers), *log], tmp_path)
    form = {"dataframe_split": {"columns": ["a", "b"], "data": [[0.1, 0.2]]}}
    assert ask(f"{served.url}/invocations", form) == {"predictions": [0]}
    figures = ""
    while 'drupe_requests_total{route="POST /invocations",status="200"} 1' not in figures:  # one process hears of another's a bit later
        assert served.process.poll() is None
        figures = ask(f"{served.url}/metrics")
    assert "drupe_model_predicted_total 1" in figures
    assert served.stop() == 0
    assert list(tmp_path.iterdir()) == []  # no store is made
    if log:
        lines = [json.loads(line) for line in served.printed.splitlines() if line.startswith("{")]
        assert [(line["path"], line["status"]) for line in lines] == [("/invocations", 200), ("/metrics", 200)]


def test_the_command_serves_a_model_of_a_run_with_options_from_the_environment(models: Path, tmp_path: Path) -> None:
    settings = {"DRUPE_SERVING__PREFIX": "/churn", "MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT": "5"}
    served = start(["drupe", "models", "serve", "-m", str(models / "columns")], tmp_path, env=settings)
    assert served.url.endswith("/churn")
    assert ask(f"{served.url}/v2/models/columns/ready") == {"name": "columns", "ready": True}
    assert served.stop() == 0


@pytest.mark.parametrize("config", ["{bad", "[1]", "[" * 100_000, "7"])
def test_a_configuration_that_is_no_object_of_json_is_refused_before_anything_is_loaded(config: str) -> None:
    with pytest.raises(InvalidSettings, match="--model-config"):
        serve("no/such/model", ServingSettings(port=0), lambda name, url: None, model_config=config)

"""`make demo`'s script, run as it is, and what a user finds afterwards."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import drupe

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.timeout(900)  # half a minute of computing, beside whatever else runs
def test_the_demo_tracks_twelve_runs_registers_the_best_and_uses_it(tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("DRUPE_", "MLFLOW_"))}
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs/examples/demo.py"), "made"],
        cwd=tmp_path,
        env={**environment, "XDG_CONFIG_HOME": str(tmp_path / "config"), "COLUMNS": "120"},
        capture_output=True,
        text=True,
        timeout=880,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Warning" not in done.stderr
    client = drupe.Client(f"sqlite:///{tmp_path}/made/drupe.db")
    runs = client.search_runs()
    assert len(runs) == 12
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert len([run for run in runs if "mlflow.parentRunId" in run.data.tags]) == 3
    assert all(run.data.summaries["val_rmse"].count >= 15 for run in runs if "val_rmse" in run.data.metrics)
    best = min((run for run in runs if "val_rmse" in run.data.metrics), key=lambda run: run.data.metrics["val_rmse"])
    champion = client.get_model_version_by_alias("arrival-delay", "champion")
    assert champion.run_id == best.info.run_id
    kept = client.get_logged_model(champion.source.removeprefix("models:/"))
    assert {metric.key: metric.value for metric in kept.metrics or ()}["val_rmse"] == best.data.metrics["val_rmse"]  # that of its last step
    score = re.search(r"never seen: r2 ([0-9.]+)", done.stdout.replace("\n", " "))
    assert score is not None, done.stdout
    assert 0.7 < float(score.group(1)) < 1.0
    following = done.stdout.partition("What you can do next")[2]
    assert "drupe ui\n" in following

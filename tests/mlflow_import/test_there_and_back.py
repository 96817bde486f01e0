"""What MLflow has goes to drupe and from there to another server of MLflow's, by the two commands, and is there what it was."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drupe.cli.main import main
from tests.real_mlflow.process import RealMlflow

from .conftest import INSIDE, Source

pytestmark = pytest.mark.usefixtures("drupe_workspace")
WAYS = [("3.17.2", "3.17.2"), ("2.22.5", "2.22.5"), ("3.17.2", "2.22.5")]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    code = main([*arguments, "--json"])
    told = capsys.readouterr()
    assert code == 0, told.err + told.out[-3000:]
    found: dict[str, Any] = json.loads(told.out)
    return found


def plain(holds: dict[str, Any], ids: dict[str, dict[str, str]], *, with_models: bool) -> dict[str, Any]:
    """What a server holds, under the ids that it had in the beginning; without times that only a server sets, and what an export notes."""
    experiments, runs, logged = ({there: here for here, there in ids[kind].items()} for kind in ("experiments", "runs", "logged_models"))

    def tags(given: dict[str, str]) -> dict[str, str]:
        return {
            key: runs.get(value, value) if key != "mlflow.log-model.history" else renamed(value)
            for key, value in given.items()
            if not key.startswith(("drupe.", "mlflow.drupe.")) and key != "mlflow.modelVersions"
        }

    def renamed(text: str) -> str:
        for there, here in runs.items():
            text = text.replace(there, here)
        return text

    return {
        "experiments": {
            experiments.get(one, one): [name, stage, tags(told)] for one, (name, stage, told, _) in holds["experiments"].items()
        },
        "runs": {
            runs.get(one, one): {
                **told,
                "experiment": experiments.get(told["experiment"], told["experiment"]),
                "tags": tags(told["tags"]),
                "files": {name: size for name, size in told["files"].items() if not name.startswith("logged_models/")},
                "models": sorted(([logged.get(one, one), step] for one, step in told["models"]), key=str) if with_models else [],
            }
            for one, told in holds["runs"].items()
        },
        "logged": {
            logged.get(one, one): {
                **{key: told[key] for key in ("name", "type", "status", "params")},
                "experiment": experiments.get(told["experiment"], told["experiment"]),
                "run": runs.get(told["run"], told["run"]),
                "tags": tags(told["tags"]),
                "metrics": {renamed(place): point for place, point in told["metrics"].items()},
            }
            for one, told in holds["logged"].items()
            if with_models
        },
        "models": {
            name: {
                **{key: told[key] for key in ("description", "tags", "aliases")},
                "versions": {
                    number: [stage, text, tags(given), runs.get(run_id, run_id)]
                    for number, (stage, text, given, run_id, _) in told["versions"].items()
                },
            }
            for name, told in holds["models"].items()
        },
    }


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("release", "other"), WAYS)
def test_what_comes_from_mlflow_goes_back_to_mlflow(
    release: str,
    other: str,
    source_of: Callable[[str], Source],
    mlflow_of: Callable[[str], RealMlflow],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source, mlflow = source_of(release), mlflow_of(other)
    here = f"sqlite:///{tmp_path}/here.db"
    run(capsys, "import", source.address, "--tracking-uri", here)
    target = mlflow.serve(tmp_path / "there.db", tmp_path / "there-artifacts")
    dry = run(capsys, "export", target, "--tracking-uri", here, "--dry-run")
    report = run(capsys, "export", target, "--tracking-uri", here)
    assert (dry["runs"], dry["points"]) == (report["runs"], report["points"])
    assert report["verified"]
    with_models = mlflow.has_logged_models and bool(source.holds["logged"])
    assert {loss["what"] for loss in report["not_carried_over"]} <= (set() if mlflow.has_logged_models else {"logged model"})

    there = mlflow.ask(INSIDE, "describe", target)
    same = {kind: {one: one for one in ids} for kind, ids in report["ids"].items()}
    assert plain(there, report["ids"], with_models=with_models) == plain(source.holds, same, with_models=with_models)
    assert {told["tags"]["drupe.run_id"] for told in there["runs"].values()} == set(source.holds["runs"])
    models = ["models:/pear/1", *(f"models:/{one}" for one, told in there["logged"].items() if told["name"] == "model")]
    assert [mlflow.ask(INSIDE, "load", target, model) for model in models] == [[21]] * len(models)

    again = run(capsys, "export", target, "--tracking-uri", here)
    assert (again["runs"]["new"], again["runs"]["extended"], again["logged_models"]["new"], again["versions"]["new"]) == (0, 0, 0, 0)
    assert (again["ids"], again["digest"], math.fsum(again["logged_models"].values())) == (
        report["ids"],
        report["digest"],
        len(source.holds["logged"]) if with_models else 0,
    )

"""Runs in MLflow's environment, where there is no drupe: fills the store at an address with runs and models, and prints what it then holds as JSON."""

from __future__ import annotations

import json
import math
import sys
import tempfile
from pathlib import Path

import mlflow
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.tracking import MlflowClient

BEGIN = 1_700_000_000_000


class Doubling(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input


def number(value):
    return value if math.isfinite(value) else str(value)


def fill(uri):
    """Two experiments with four runs, one of each deleted, and registered models."""
    mlflow.set_tracking_uri(uri)
    client = MlflowClient()
    for name in ("fruit", "retired/π"):
        experiment = client.create_experiment(name, tags={"team": name})
        runs = [client.create_run(experiment, start_time=BEGIN + n, run_name=f"run {n}", tags={"odd/key": "x\ny"}) for n in range(4)]
        for n, run in enumerate(runs):
            run_id = run.info.run_id
            points = [Metric("loss", 1 / (step + 1), BEGIN + step, step) for step in range(60)]
            points += [Metric("val/nan", math.nan, BEGIN, 0), Metric("same", 1.0, BEGIN, 5), Metric("same", 2.0, BEGIN, 5)]
            client.log_batch(run_id, points, [Param("depth", str(n)), Param("empty", "")], [RunTag("note", "né ☃")])
            with tempfile.TemporaryDirectory() as folder:
                (Path(folder) / "inner").mkdir()
                (Path(folder) / "inner" / "50% done.txt").write_text(f"half {n}")
                (Path(folder) / "big.bin").write_bytes(bytes(range(256)) * 1000)
                client.log_artifacts(run_id, folder, "files")
            if n != 3:
                client.set_terminated(run_id, "FAILED" if n == 1 else "FINISHED", end_time=BEGIN + 90_000)
        client.delete_run(runs[2].info.run_id)
        if name == "fruit":
            with mlflow.start_run(run_id=runs[0].info.run_id):
                described = mlflow.data.from_numpy(__import__("numpy").arange(6.0), source="numbers.csv", name="numbers", digest="d1")
                mlflow.log_input(described, context="training")
                given = {"name": "model"} if int(mlflow.__version__.split(".")[0]) >= 3 else {"artifact_path": "model"}
                mlflow.pyfunc.log_model(**given, python_model=Doubling(), pip_requirements=["numpy"], registered_model_name="pear")
            client.set_terminated(runs[0].info.run_id, "FINISHED", end_time=BEGIN + 90_000)
    client.delete_experiment(client.get_experiment_by_name("retired/π").experiment_id)
    client.update_registered_model("pear", "a **pear**")
    client.set_registered_model_tag("pear", "task", "x")
    for source in ("s3://bucket/2", "s3://bucket/3"):
        client.create_model_version("pear", source, description=source, tags={"i": source[-1]})
    client.set_registered_model_alias("pear", "champion", "1")
    client.transition_model_version_stage("pear", "1", "Production")
    client.delete_model_version("pear", "2")


def describe(uri):
    """What the store holds, read through MLflow's own client."""
    mlflow.set_tracking_uri(uri)
    client = MlflowClient()
    runs = {}
    experiments = client.search_experiments(view_type=ViewType.ALL)
    for found in client.search_runs([one.experiment_id for one in experiments], run_view_type=ViewType.ALL):
        run = client.get_run(found.info.run_id)
        info = run.info
        history = {
            key: [[p.step, p.timestamp, number(p.value)] for p in client.get_metric_history(info.run_id, key)] for key in run.data.metrics
        }
        files, waiting = {}, [""]
        while waiting:
            for entry in client.list_artifacts(info.run_id, waiting.pop() or None):
                if entry.is_dir:
                    waiting.append(entry.path)
                else:
                    files[entry.path] = entry.file_size
        runs[info.run_id] = {
            "experiment": info.experiment_id,
            "name": info.run_name,
            "status": info.status,
            "stage": info.lifecycle_stage,
            "start": info.start_time,
            "end": info.end_time,
            "params": run.data.params,
            "tags": run.data.tags,
            "history": {key: sorted(points, key=str) for key, points in history.items()},
            "inputs": [
                [one.dataset.name, one.dataset.digest, {tag.key: tag.value for tag in one.tags}] for one in run.inputs.dataset_inputs
            ],
            "files": files,
        }
    models = {}
    for model in client.search_registered_models():
        versions = client.search_model_versions(f"name = '{model.name}'")
        models[model.name] = {
            "description": model.description or "",
            "tags": dict(model.tags),
            "aliases": {alias: str(version) for alias, version in model.aliases.items()},
            "created": model.creation_timestamp,
            "versions": {
                str(one.version): [one.current_stage, one.description or "", dict(one.tags), one.run_id or None, one.creation_timestamp]
                for one in versions
            },
        }
    return {
        "experiments": {one.experiment_id: [one.name, one.lifecycle_stage, dict(one.tags), one.creation_time] for one in experiments},
        "runs": runs,
        "models": models,
    }


if __name__ == "__main__":
    job, address = sys.argv[1:]
    if job == "fill":
        fill(address)
    print("\n===\n" + json.dumps(describe(address)))

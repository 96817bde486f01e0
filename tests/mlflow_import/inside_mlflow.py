"""Runs in MLflow's environment, where there is no drupe: fills the store at an address with runs and models, and tells what a store holds."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import mlflow
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.tracking import MlflowClient

MAJOR = int(mlflow.__version__.split(".")[0])
if MAJOR >= 3:
    from mlflow.entities import LoggedModelInput, LoggedModelOutput
BEGIN = 1_700_000_000_000


class Doubling(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input


def model_inputs(run):
    return getattr(run.inputs, "model_inputs", None) or []


def model_outputs(run):
    return getattr(getattr(run, "outputs", None), "model_outputs", None) or []


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
            mlflow.set_experiment(experiment_id=experiment)  # whatever an earlier job of this process was at
            with mlflow.start_run(run_id=runs[0].info.run_id):
                described = mlflow.data.from_numpy(__import__("numpy").arange(6.0), source="numbers.csv", name="numbers", digest="d1")
                mlflow.log_input(described, context="training")
                given = {"name": "model"} if MAJOR >= 3 else {"artifact_path": "model"}
                mlflow.pyfunc.log_model(**given, python_model=Doubling(), pip_requirements=["numpy"], registered_model_name="pear")
                if MAJOR >= 3:
                    log_models(client, experiment, runs)
            client.set_terminated(runs[0].info.run_id, "FINISHED", end_time=BEGIN + 90_000)
    client.delete_experiment(client.get_experiment_by_name("retired/π").experiment_id)
    client.update_registered_model("pear", "a **pear**")
    client.set_registered_model_tag("pear", "task", "x")
    for source in ("s3://bucket/2", "s3://bucket/3"):
        client.create_model_version("pear", source, description=source, tags={"i": source[-1]})
    client.set_registered_model_alias("pear", "champion", "1")
    client.transition_model_version_stage("pear", "1", "Production")
    client.delete_model_version("pear", "2")


def log_models(client, experiment, runs):
    """More logged models: one with all that there is, in use by another run; one whose upload failed; one deleted."""
    made = mlflow.initialize_logged_model("pie", runs[0].info.run_id, tags={"team": "red"}, params={"depth": "3"}, model_type="tree")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "deep").mkdir()
        (Path(folder) / "deep" / "a b.txt").write_text("apple")
        client.log_model_artifacts(made.model_id, folder)
    mlflow.log_metric("acc", 0.5, step=1, model_id=made.model_id)
    mlflow.log_metric("acc", 0.75, step=2, model_id=made.model_id)
    described = mlflow.data.from_numpy(__import__("numpy").arange(6.0), source="numbers.csv", name="numbers", digest="d1")
    mlflow.log_metric("acc", 0.25, step=2, model_id=made.model_id, dataset=described)
    mlflow.finalize_logged_model(made.model_id, "READY")
    client.log_inputs(runs[1].info.run_id, models=[LoggedModelInput(made.model_id)])
    client.log_outputs(runs[1].info.run_id, models=[LoggedModelOutput(made.model_id, 7)])
    mlflow.finalize_logged_model(mlflow.initialize_logged_model("burnt").model_id, "FAILED")
    client.delete_logged_model(mlflow.initialize_logged_model("gone").model_id)


def logged_models(client, experiments):
    if MAJOR < 3:
        return {}
    found = {}
    for one in client.search_logged_models([one.experiment_id for one in experiments]):
        latest = {}
        for metric in one.metrics or []:
            place = f"{metric.key} {metric.run_id} {metric.dataset_name or ''} {metric.dataset_digest or ''}"
            latest[place] = max(latest.get(place, [-(2**63)]), [metric.step, metric.timestamp, metric.value])
        found[one.model_id] = {
            "experiment": one.experiment_id,
            "name": one.name,
            "type": one.model_type or None,
            "run": one.source_run_id or None,
            "status": str(one.status),
            "created": one.creation_timestamp,
            "tags": one.tags,
            "params": one.params,
            "metrics": latest,
        }
    return found


def load(uri, address):
    """What the model at an address makes of 21, read through MLflow's own client."""
    mlflow.set_tracking_uri(uri)
    return mlflow.pyfunc.load_model(address).predict([21])


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
            "models": sorted(
                [*((one.model_id, None) for one in model_inputs(run)), *((one.model_id, one.step) for one in model_outputs(run))], key=str
            ),
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
        "logged": logged_models(client, experiments),
        "models": models,
    }

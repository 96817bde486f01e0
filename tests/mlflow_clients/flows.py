"""What people do with MLflow's client, each as one function. Runs in MLflow's environment: nothing of ours is imported."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException

MAJOR = int(mlflow.__version__.split(".")[0])
client: MlflowClient


def refused(error_code, call, *args, **kwargs):
    """The call is refused with that code."""
    told = None
    try:
        call(*args, **kwargs)
    except MlflowException as fault:
        told = fault.error_code
    assert told == error_code, f"{call.__name__}: {told}"


def a_new_experiment(name):
    return mlflow.set_experiment(f"{name} {mlflow.__version__} {time.time_ns()}").experiment_id


def flow_experiments():
    first = a_new_experiment("experiments")
    name = client.get_experiment(first).name
    assert mlflow.get_experiment_by_name(name).experiment_id == first
    refused("RESOURCE_ALREADY_EXISTS", client.create_experiment, name)
    client.set_experiment_tag(first, "team", "x")
    assert client.get_experiment(first).tags["team"] == "x"
    client.rename_experiment(first, name + "!")
    assert [one.experiment_id for one in mlflow.search_experiments(filter_string=f"name = '{name}!'")] == [first]
    assert first in [one.experiment_id for one in client.search_experiments(filter_string="tags.team = 'x'", order_by=["name DESC"])]
    client.delete_experiment(first)
    assert client.get_experiment(first).lifecycle_stage == "deleted"
    client.restore_experiment(first)
    refused("RESOURCE_DOES_NOT_EXIST", client.get_experiment, "999999")
    assert client.get_experiment_by_name("no such") is None


def flow_a_run_of_everything():
    a_new_experiment("everything")
    with mlflow.start_run(run_name="whole", tags={"given": "1"}, description="a note") as run:
        mlflow.log_param("lr", 0.1)
        mlflow.log_params({"depth": 3, "empty": ""})
        for step in range(5):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        mlflow.log_metrics({"acc": 0.9, "nan": float("nan"), "inf": float("inf"), "minus": float("-inf")}, step=7)
        mlflow.log_metric("loss", 9.0, step=-3)
        mlflow.set_tag("team", "x")
        mlflow.set_tags({"a": "b", "long": "x" * 9000})
    found = client.get_run(run.info.run_id)
    assert found.info.status == "FINISHED"
    assert found.info.end_time >= found.info.start_time
    assert found.data.params == {"lr": "0.1", "depth": "3", "empty": ""}
    assert found.data.metrics["loss"] == 0.2
    assert np.isnan(found.data.metrics["nan"])
    assert found.data.tags["mlflow.note.content"] == "a note"
    assert found.data.tags["given"] == "1"
    assert len(found.data.tags["long"]) == 8000
    history = client.get_metric_history(run.info.run_id, "loss")
    assert sorted((one.step, one.value) for one in history) == [(-3, 9.0), (0, 1.0), (1, 0.5), (2, 1 / 3), (3, 0.25), (4, 0.2)]
    refused("INVALID_PARAMETER_VALUE", client.log_param, run.info.run_id, "lr", "other")
    refused("INVALID_PARAMETER_VALUE", client.log_metric, run.info.run_id, "bad|name?", 1.0)
    client.delete_tag(run.info.run_id, "team")
    refused("RESOURCE_DOES_NOT_EXIST", client.delete_tag, run.info.run_id, "team")
    assert "team" not in client.get_run(run.info.run_id).data.tags


def flow_failing_nested_and_resumed_runs():
    experiment = a_new_experiment("nested")
    try:
        with mlflow.start_run() as failed:
            raise KeyError("ours")
    except KeyError:
        pass
    assert client.get_run(failed.info.run_id).info.status == "FAILED"
    with mlflow.start_run() as parent, mlflow.start_run(nested=True) as child:
        mlflow.log_metric("m", 1)
    assert mlflow.get_parent_run(child.info.run_id).info.run_id == parent.info.run_id
    with mlflow.start_run(run_id=parent.info.run_id):
        mlflow.log_metric("later", 2)
    assert client.get_run(parent.info.run_id).data.metrics == {"later": 2.0}
    client.delete_run(child.info.run_id)
    assert client.get_run(child.info.run_id).info.lifecycle_stage == "deleted"
    assert len(client.search_runs([experiment])) == 2
    assert len(client.search_runs([experiment], run_view_type=ViewType.ALL)) == 3
    client.restore_run(child.info.run_id)
    assert len(client.search_runs([experiment])) == 3
    refused("RESOURCE_DOES_NOT_EXIST", client.get_run, "0" * 32)


def flow_batches():
    a_new_experiment("batches")
    with mlflow.start_run() as run:
        now = int(time.time() * 1000)
        client.log_batch(
            run.info.run_id,
            metrics=[Metric("m", float(step), now + step, step) for step in range(900)],
            params=[Param(f"p{n}", str(n)) for n in range(50)],
            tags=[RunTag(f"t{n}", str(n)) for n in range(50)],
        )
        mlflow.log_params({f"q{n}": n for n in range(250)})
    found = client.get_run(run.info.run_id)
    assert (len(found.data.params), found.data.metrics["m"]) == (300, 899.0)
    assert len(client.get_metric_history(run.info.run_id, "m")) == 900


def flow_long_histories():
    a_new_experiment("histories")
    with mlflow.start_run() as run:
        for start in range(0, 30_000, 1000):
            client.log_batch(run.info.run_id, metrics=[Metric("m", float(step), step, step) for step in range(start, start + 1000)])
    history = client.get_metric_history(run.info.run_id, "m")
    assert [one.step for one in history] == list(range(30_000))


def flow_search():
    experiment = a_new_experiment("search")
    for number in range(12):
        with mlflow.start_run(run_name=f"run {number}"):
            mlflow.log_param("kind", "even" if number % 2 == 0 else "odd")
            mlflow.log_metric("score", number / 10)
            mlflow.set_tag("group.name", f"g{number // 4}")
            if number == 3:
                mlflow.log_metric("rare metric", 1)

    def names(filter_string, order_by=("attributes.start_time ASC",)):
        return [run.info.run_name for run in client.search_runs([experiment], filter_string, order_by=list(order_by))]

    assert names("metrics.score > 0.95") == ["run 10", "run 11"]
    assert names("params.kind = 'odd' AND metrics.score <= 0.3") == ["run 1", "run 3"]
    assert names("params.kind != 'odd' and tags.`group.name` = 'g2'") == ["run 8", "run 10"]
    assert names("tags.\"group.name\" LIKE 'g%' AND attributes.run_name ILIKE 'RUN 1_'") == ["run 10", "run 11"]
    assert names("metrics.`rare metric` = 1") == ["run 3"]
    assert names("attributes.status = 'FINISHED' AND metric.score >= 1.1") == ["run 11"]
    assert names("", ["metrics.score DESC"])[:2] == ["run 11", "run 10"]
    assert names("", ["metrics.`rare metric`", "metrics.score"])[:2] == ["run 3", "run 0"]
    assert names("attributes.start_time < 5") == []
    paged, token = [], None
    while True:
        page = client.search_runs([experiment], max_results=5, page_token=token, order_by=["metrics.score"])
        paged += page
        token = page.token
        if not token:
            break
    assert [run.data.metrics["score"] for run in paged] == [number / 10 for number in range(12)]
    frame = mlflow.search_runs([experiment], "metrics.score < 0.25")
    assert sorted(frame["metrics.score"]) == [0.0, 0.1, 0.2]
    for bad in ("metrics.score >", "nonsense", "params.kind > 'a'", "attributes.start_time = 'x'", "metrics.score = 'x'"):
        refused("INVALID_PARAMETER_VALUE", client.search_runs, [experiment], bad)


def flow_artifacts():
    a_new_experiment("artifacts")
    Path("folder/inner").mkdir(parents=True)
    Path("folder/a.txt").write_text("a")
    Path("folder/inner/100% ü.bin").write_bytes(bytes(range(256)) * 5000)
    with mlflow.start_run() as run:
        mlflow.log_artifact("folder/a.txt")
        mlflow.log_artifacts("folder", "kept")
        mlflow.log_text("some text", "notes/text.txt")
        mlflow.log_dict({"a": [1, 2]}, "notes/data.json")
    run_id = run.info.run_id
    assert sorted(one.path for one in client.list_artifacts(run_id)) == ["a.txt", "kept", "notes"]
    assert [(one.path, one.is_dir) for one in client.list_artifacts(run_id, "kept")] == [("kept/a.txt", False), ("kept/inner", True)]
    assert client.list_artifacts(run_id, "a.txt") == []
    place = Path(mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path="kept"))
    assert (place / "inner" / "100% ü.bin").read_bytes() == bytes(range(256)) * 5000
    assert mlflow.artifacts.load_text(f"runs:/{run_id}/notes/text.txt") == "some text"
    assert mlflow.artifacts.load_dict(f"{run.info.artifact_uri}/notes/data.json") == {"a": [1, 2]}


def flow_figures_images_and_tables():
    import matplotlib.pyplot as plt

    a_new_experiment("pictures")
    with mlflow.start_run() as run:
        figure, axes = plt.subplots()
        axes.plot([1, 2])
        mlflow.log_figure(figure, "plot.png")
        mlflow.log_image(np.zeros((8, 8, 3), dtype=np.uint8), "black.png")
        mlflow.log_image(np.zeros((8, 8, 3), dtype=np.uint8), key="dark", step=1)
        mlflow.log_table({"x": [1, 2], "y": ["a", "b"]}, "table.json")
        mlflow.log_table(pd.DataFrame({"x": [3], "y": ["c"]}), "table.json")
    assert {"plot.png", "black.png", "images", "table.json"} <= {one.path for one in client.list_artifacts(run.info.run_id)}
    assert len(client.list_artifacts(run.info.run_id, "images")) == 2
    assert list(mlflow.load_table("table.json", run_ids=[run.info.run_id])["x"]) == [1, 2, 3]


def flow_datasets():
    a_new_experiment("datasets")
    frame = pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5]})
    with mlflow.start_run() as run:
        mlflow.log_input(mlflow.data.from_pandas(frame, name="wine", targets="b"), context="training")
        mlflow.log_input(mlflow.data.from_numpy(np.ones((3, 2)), name="ones"), context="test")
    used = client.get_run(run.info.run_id).inputs.dataset_inputs
    assert {(one.dataset.name, one.tags[0].value) for one in used} == {("wine", "training"), ("ones", "test")}
    assert [run.info.run_id] == [one.info.run_id for one in client.search_runs([run.info.experiment_id], "datasets.name = 'wine'")]


def flow_asynchronous_logging():
    a_new_experiment("asynchronous")
    with mlflow.start_run() as run:
        for step in range(200):
            mlflow.log_metric("m", float(step), step=step, synchronous=False)
        mlflow.log_params({"p": 1}, synchronous=False).wait()
        mlflow.flush_async_logging()
    assert sorted(one.step for one in client.get_metric_history(run.info.run_id, "m")) == list(range(200))
    assert client.get_run(run.info.run_id).data.params == {"p": "1"}


def flow_registry():
    name = f"registry {mlflow.__version__} {time.time_ns()}"
    client.create_registered_model(name, tags={"team": "x"}, description="of churn")
    refused("RESOURCE_ALREADY_EXISTS", client.create_registered_model, name)
    with mlflow.start_run() as run:
        mlflow.log_text("x", "model/file.txt")
    for _ in range(3):
        client.create_model_version(name, f"{run.info.artifact_uri}/model", run.info.run_id, tags={"v": "1"}, description="d")
    assert client.get_model_version(name, "3").status == "READY"
    client.set_registered_model_alias(name, "champion", "2")
    assert client.get_model_version_by_alias(name, "champion").version == "2"
    assert client.get_registered_model(name).aliases == {"champion": "2"}
    client.set_model_version_tag(name, "1", "checked", "yes")
    client.update_model_version(name, "1", "another")
    first = client.get_model_version(name, "1")
    assert (first.description, first.tags) == ("another", {"v": "1", "checked": "yes"})
    client.transition_model_version_stage(name, "1", "Production")
    client.transition_model_version_stage(name, "2", "Production", archive_existing_versions=True)
    assert [one.version for one in client.get_latest_versions(name, ["Production"])] == ["2"]
    assert client.get_model_version(name, "1").current_stage == "Archived"
    assert {one.version for one in client.search_model_versions(f"name = '{name}'")} == {"1", "2", "3"}
    assert [one.name for one in client.search_registered_models(f"name ILIKE '{name.upper()}'")] == [name]
    assert client.get_model_version_download_uri(name, "1").startswith("mlflow-artifacts:/")
    place = mlflow.artifacts.download_artifacts(artifact_uri=f"models:/{name}/1")
    assert (Path(place) / "file.txt").read_text() == "x"
    client.delete_registered_model_alias(name, "champion")
    refused("INVALID_PARAMETER_VALUE", client.get_model_version_by_alias, name, "champion")
    client.delete_model_version(name, "3")
    refused("RESOURCE_DOES_NOT_EXIST", client.get_model_version, name, "3")
    client.rename_registered_model(name, name + "2")
    client.delete_registered_model_tag(name + "2", "team")
    client.delete_registered_model(name + "2")
    refused("RESOURCE_DOES_NOT_EXIST", client.get_registered_model, name + "2")
    refused("INVALID_PARAMETER_VALUE", client.create_registered_model, "")


def flow_models():
    from sklearn.linear_model import LinearRegression

    a_new_experiment("models")
    x, y = np.arange(20.0).reshape(10, 2), np.arange(10.0)
    name = f"line {mlflow.__version__} {time.time_ns()}"
    where = {"name": "model"} if MAJOR >= 3 else {"artifact_path": "model"}
    with mlflow.start_run() as run:
        model = LinearRegression().fit(x, y)
        info = mlflow.sklearn.log_model(model, input_example=x[:2], pip_requirements=["scikit-learn"], registered_model_name=name, **where)
    client.set_registered_model_alias(name, "champion", "1")
    for address in (info.model_uri, f"runs:/{run.info.run_id}/model", f"models:/{name}/1", f"models:/{name}@champion"):
        np.testing.assert_allclose(mlflow.pyfunc.load_model(address).predict(x), model.predict(x))


def flow_logged_models():
    if MAJOR < 3:
        return
    from sklearn.linear_model import LinearRegression

    experiment = a_new_experiment("logged models")
    x, y = np.arange(20.0).reshape(10, 2), np.arange(10.0)
    iris = mlflow.data.from_pandas(pd.DataFrame({"a": [1, 2]}), name="iris")
    with mlflow.start_run() as run:
        info = mlflow.sklearn.log_model(
            LinearRegression().fit(x, y), name="line", pip_requirements=["scikit-learn"], params={"depth": 3}, model_type="linear"
        )
        mlflow.log_metric("acc", 0.9, step=2, model_id=info.model_id, dataset=iris)
        mlflow.log_metrics({"acc": 0.4, "loss": float("nan")}, step=1, model_id=info.model_id)
    model = mlflow.get_logged_model(info.model_id)
    assert (model.name, str(model.status), model.model_type, model.source_run_id) == ("line", "READY", "linear", run.info.run_id)
    assert model.params == {"depth": "3"}
    values = {(one.key, one.dataset_name): one.value for one in model.metrics}
    assert (values["acc", "iris"], values["acc", None]) == (0.9, 0.4)
    assert [(one.model_id, one.step) for one in client.get_run(run.info.run_id).outputs.model_outputs] == [(info.model_id, 0)]
    assert client.get_run(run.info.run_id).data.metrics["acc"] == 0.9

    other = mlflow.initialize_logged_model(name="other", tags={"team": "x"}, source_run_id=run.info.run_id)
    assert str(mlflow.finalize_logged_model(other.model_id, "FAILED").status) == "FAILED"
    mlflow.set_logged_model_tags(other.model_id, {"team": "y", "a": "b"})
    client.delete_logged_model_tag(other.model_id, "a")
    mlflow.log_model_params({"p": "1"}, other.model_id)
    found = mlflow.get_logged_model(other.model_id)
    assert (found.tags["team"], "a" in found.tags, found.params) == ("y", False, {"p": "1"})
    external = mlflow.create_external_model(name="external")

    def names(**asked):
        return [one.name for one in mlflow.search_logged_models(experiment_ids=[experiment], output_format="list", **asked)]

    assert names() == ["external", "other", "line"]
    assert names(filter_string="metrics.acc > 0.5") == names(datasets=[{"dataset_name": "iris"}]) == ["line"]
    assert names(filter_string="tags.team = 'y' AND params.p = '1'") == ["other"]
    assert names(order_by=[{"field_name": "metrics.acc", "ascending": False}])[0] == "line"
    assert names(order_by=[{"field_name": "name", "ascending": True}]) == ["external", "line", "other"]
    with mlflow.start_run() as user:
        mlflow.log_input(iris, "training")
        mlflow.log_metric("score", 1.0, model_id=external.model_id)
    assert client.get_run(user.info.run_id).inputs.model_inputs[0].model_id == external.model_id

    name = f"of a logged model {time.time_ns()}"
    version = mlflow.register_model(f"models:/{info.model_id}", name)
    assert (version.version, version.run_id) == (1, run.info.run_id) or (version.version, version.run_id) == ("1", run.info.run_id)
    assert "mlflow.modelVersions" in mlflow.get_logged_model(info.model_id).tags
    for address in (f"models:/{name}/1", info.model_uri, f"runs:/{run.info.run_id}/line"):
        np.testing.assert_allclose(mlflow.pyfunc.load_model(address).predict(x), y, atol=1e-9)
    assert "MLmodel" in [one.path for one in mlflow.artifacts.list_artifacts(artifact_uri=f"models:/{info.model_id}")]
    client.delete_logged_model(other.model_id)
    refused("RESOURCE_DOES_NOT_EXIST", client.get_logged_model, other.model_id)
    assert names() == ["external", "line"]


def flow_autologging():
    from sklearn.linear_model import LogisticRegression

    a_new_experiment("autologging")
    mlflow.sklearn.autolog()
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3))
    with mlflow.start_run() as run:
        LogisticRegression(C=0.5).fit(x, (x[:, 0] > 0).astype(int))
    mlflow.sklearn.autolog(disable=True)
    found = client.get_run(run.info.run_id)
    assert found.data.params["C"] == "0.5"
    assert "training_accuracy_score" in found.data.metrics
    assert found.inputs.dataset_inputs


def flow_system_metrics():
    a_new_experiment("system metrics")
    mlflow.set_system_metrics_sampling_interval(0.2)
    with mlflow.start_run(log_system_metrics=True) as run:
        until = time.time() + 30
        while not any(key.startswith("system/") for key in client.get_run(run.info.run_id).data.metrics) and time.time() < until:
            time.sleep(0.1)
    assert any(key.startswith("system/") for key in client.get_run(run.info.run_id).data.metrics)


def flow_tracing_does_not_get_in_the_way():
    a_new_experiment("tracing")

    @mlflow.trace
    def add(a, b):
        return a + b

    with mlflow.start_run() as run:
        assert add(1, 2) == 3
        mlflow.log_metric("m", 1)
    assert client.get_run(run.info.run_id).data.metrics == {"m": 1.0}


def run(name, address):
    """One flow, in a folder of its own, against the server at an address; nothing of an earlier one is left."""
    global client
    os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"
    while mlflow.active_run():
        mlflow.end_run()
    mlflow.set_tracking_uri(address)
    client = MlflowClient()
    with tempfile.TemporaryDirectory() as folder:
        before = os.getcwd()
        os.chdir(folder)
        try:
            globals()[f"flow_{name}"]()
        finally:
            os.chdir(before)

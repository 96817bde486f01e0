"""Our fluent API on a real MLflow server: what was logged is there, as the server itself tells it, and is read back."""

from __future__ import annotations

import math
import uuid
from pathlib import Path

import pandas
import pytest
from sklearn.linear_model import LogisticRegression

import drupe
from drupe.entities import (
    Dataset,
    DatasetInput,
    LogBatch,
    LoggedModelStatus,
    ModelOutput,
    ModelPoints,
    NewLoggedModel,
    NewRun,
    Origin,
    Parcel,
    Points,
    RunStatus,
)
from drupe.errors import (
    AliasNotFound,
    ArtifactNotFound,
    ParamConflict,
    RunNotFound,
    StoreUnavailable,
    UnsupportedFeature,
    WrongLifecycle,
)
from drupe.loading import catalog
from drupe.search import ModelOrder, OnDataset, parse_logged_models
from drupe.tracking.address import tracking_store
from drupe.uris import Uri
from drupe_store_http.mlflow_tracking import MlflowRuns
from plugins.store_http.tests.cutting import Cutter
from tests.mlflow_peer.conftest import Peer

FRAME = pandas.DataFrame({"x": [1.0, 2.0, 3.0, 4.0], "y": [0, 0, 1, 1]})


def test_a_run_with_all_that_can_be_logged_arrives_whole(peer: Peer, here: str) -> None:
    with drupe.start_run(run_name="outer", tags={"team": "red"}, description="a note") as outer:
        drupe.log_params({f"p{number}": number for number in range(250)})
        drupe.set_tags({f"t{number}": number for number in range(150)})
        for step in range(1200):
            drupe.log_metric("loss", 1 / (step + 1), step=step)
        drupe.log_metrics({"nan": math.nan, "up": math.inf, "down": -math.inf}, step=-3)
        drupe.log_input(drupe.data.from_pandas(FRAME, name="toy"), context="training")
        with drupe.start_run(run_name="inner", nested=True) as inner:
            drupe.log_metric("acc", 0.5)
    told = peer.get("runs/get", run_id=outer.info.run_id)["run"]
    assert (told["info"]["status"], told["info"]["run_name"]) == ("FINISHED", "outer")
    assert {one["key"]: one["value"] for one in told["data"]["params"]} == {f"p{number}": str(number) for number in range(250)}
    tags = {one["key"]: one["value"] for one in told["data"]["tags"]}
    assert (tags["team"], tags["mlflow.note.content"], tags["t149"]) == ("red", "a note", "149")
    assert [(one["dataset"]["name"], one["tags"][0]["value"]) for one in told["inputs"]["dataset_inputs"]] == [("toy", "training")]
    assert peer.history(outer.info.run_id, "loss") == [(step, 1 / (step + 1)) for step in range(1200)]
    child = peer.get("runs/get", run_id=inner.info.run_id)["run"]
    assert {"key": "mlflow.parentRunId", "value": outer.info.run_id} in child["data"]["tags"]

    run = drupe.get_run(outer.info.run_id)
    assert [name for name in run.data.tags if name.startswith("mlflow.drupe")] == []
    assert repr(sorted(run.data.metrics.items())) == "[('down', -inf), ('loss', 0.0008333333333333334), ('nan', nan), ('up', inf)]"
    client = drupe.Client()
    points = client.get_metric_history(outer.info.run_id, "loss")
    assert [(one.step, one.value) for one in points] == [(step, 1 / (step + 1)) for step in range(1200)]
    (series,) = tracking_store().metric_bulk([outer.info.run_id], ["loss"], buckets=50)
    assert series.is_sampled
    assert (series.points.steps[0], series.points.steps[-1], max(series.points.values)) == (0, 1199, 1.0)


def test_files_and_models_go_there_and_back(peer: Peer, here: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "100% päron.bin").write_bytes(bytes(range(256)) * 4000)
    (tmp_path / "folder" / "empty").touch()
    with drupe.start_run() as run:
        drupe.log_artifacts(tmp_path / "folder", "kept")
        drupe.log_text("first", "note.txt")
        drupe.log_text("second", "note.txt")
        drupe.log_table({"a": [1, 2]}, "table.json")
        model = LogisticRegression().fit(FRAME[["x"]], FRAME["y"])
        name = f"{here}-model"
        info = drupe.log_model(model, "clf", input_example=FRAME[["x"]].head(2), registered_model_name=name)
    client = drupe.Client()
    assert [(one.path, one.file_size) for one in client.list_artifacts(run.info.run_id, "kept")] == [
        ("kept/100% päron.bin", 1_024_000),
        ("kept/empty", 0),
    ]
    there = Path(drupe.download_artifacts(run_id=run.info.run_id))
    assert (there / "kept" / "100% päron.bin").read_bytes() == bytes(range(256)) * 4000
    assert (there / "note.txt").read_text() == "second"
    with pytest.raises(ArtifactNotFound):
        drupe.download_artifacts(run_id=run.info.run_id, artifact_path="nothing.txt")
    assert list(drupe.Client().load_table(run.info.experiment_id, "table.json")["a"]) == [1, 2]

    expected = list(model.predict(FRAME[["x"]]))
    client.set_registered_model_alias(name, "champion", "1")
    client.transition_model_version_stage(name, "1", "Production")
    for address in (
        info.model_uri,
        f"models:/{name}/1",
        f"models:/{name}@champion",
        f"models:/{name}/Production",
        f"models:/{name}/latest",
    ):
        assert list(drupe.load_model(address).predict(FRAME[["x"]])) == expected, address


def test_the_registry_keeps_stages_aliases_tags_and_descriptions(peer: Peer, here: str) -> None:
    client, name = drupe.Client(), f"{here}-pear"
    client.create_registered_model(name, tags={"kind": "fruit"}, description="green")
    for number in range(1, 4):
        client.create_model_version(name, f"s3://bucket/{number}", tags={"fold": str(number)})
    client.transition_model_version_stage(name, "1", "Production")
    client.transition_model_version_stage(name, "2", "Production", archive_existing_versions=True)
    client.set_registered_model_alias(name, "champion", "3")
    client.set_model_version_tag(name, "3", "fold", "x")
    client.update_model_version(name, "3", description="ripe")
    client.delete_model_version(name, "1")
    told = peer.get("registered-models/get", name=name)["registered_model"]
    assert (told["description"], told["tags"]) == ("green", [{"key": "kind", "value": "fruit"}])
    assert sorted((one["version"], one["current_stage"]) for one in told["latest_versions"]) == [("2", "Production"), ("3", "None")]
    champion = client.get_model_version_by_alias(name, "champion")
    assert (champion.version, champion.description, champion.tags) == ("3", "ripe", {"fold": "x"})
    assert client.get_model_version_by_alias(name, "latest").version == "3"
    with pytest.raises(AliasNotFound):
        client.get_model_version_by_alias(name, "nobody")
    found = client.search_model_versions(f"name = '{name}' AND (tags.fold = '2' OR version_number = 3)", order_by=["version_number DESC"])
    assert [one.version for one in found] == ["3", "2"]
    assert [one.name for one in client.search_registered_models(f"name IN ('{name}', 'none') AND tags.kind LIKE 'fr%'")] == [name]
    client.rename_registered_model(name, f"{name}-2")
    client.delete_registered_model(f"{name}-2")
    assert client.search_model_versions(f"name = '{name}-2'") == []


def test_what_may_not_be_is_refused_as_any_store_refuses_it(peer: Peer, here: str) -> None:
    client = drupe.Client()
    run = client.create_run(drupe.get_experiment_by_name(here).experiment_id, tags={"team": "red"})  # type: ignore[union-attr]
    run_id = run.info.run_id
    client.log_param(run_id, "depth", 3)
    with pytest.raises(ParamConflict):
        client.log_param(run_id, "depth", 4)
    with pytest.raises(RunNotFound):
        client.get_run("f" * 32)
    with pytest.raises(UnsupportedFeature):
        client.search_runs([run.info.experiment_id], "metrics.`loss`.min < 1")
    client.delete_run(run_id)
    with pytest.raises(WrongLifecycle):
        client.log_metric(run_id, "loss", 1.0)
    client.restore_run(run_id)
    client.delete_tag(run_id, "team")
    assert "team" not in client.get_run(run_id).data.tags


def test_logged_models_are_kept_from_mlflow_3_on(peer: Peer, here: str) -> None:
    store = tracking_store()
    experiment_id = drupe.get_experiment_by_name(here).experiment_id  # type: ignore[union-attr]
    if not peer.is_3:
        with pytest.raises(UnsupportedFeature):
            store.create_logged_model(NewLoggedModel(experiment_id))
        return
    with drupe.start_run() as run:
        ant, bee = (
            store.create_logged_model(
                NewLoggedModel(experiment_id, name=name, source_run_id=run.info.run_id, tags={"team": name}, params={"depth": "3"})
            )
            for name in ("ant", "bee")
        )
        store.log_outputs(run.info.run_id, [ModelOutput(ant.model_id, 2)])
        for model, value in ((ant, 0.5), (bee, 0.75)):
            points = Points.of([(0, 1, value / 2), (1, 2, value)])
            store.log_batch(run.info.run_id, LogBatch(model_points=(ModelPoints(model.model_id, "acc", points, "iris", "d1"),)))
    store.set_logged_model_status(ant.model_id, LoggedModelStatus.READY)
    store.set_logged_model_tags(ant.model_id, {"note": "x"})
    store.log_logged_model_params(ant.model_id, {"depth": "3", "width": "4"})
    read = store.get_logged_model(ant.model_id)
    assert (read.name, read.status, read.tags, read.params) == (
        "ant",
        LoggedModelStatus.READY,
        {"team": "ant", "note": "x"},
        {"depth": "3", "width": "4"},
    )
    assert [(one.key, one.value, one.step, one.dataset_name) for one in read.metrics] == [("acc", 0.5, 1, "iris")]
    assert drupe.get_run(run.info.run_id).outputs.model_outputs == (ModelOutput(ant.model_id, 2),)

    def names(filter: str, order: list[ModelOrder] | None = None, datasets: list[OnDataset] | None = None, limit: int = 50) -> list[str]:
        query, found, token = parse_logged_models(filter, order or (), datasets or ()), [], None
        while True:
            page = store.search_logged_models(query, experiment_ids=[experiment_id], limit=limit, page_token=token)
            found += [one.name for one in page]
            token = page.token
            if token is None:
                return found

    assert names("", [ModelOrder("metrics.acc")]) == ["ant", "bee"]
    assert names("metrics.acc > 0.6") == ["bee"]
    assert names("status = 'READY'") == ["ant"]
    assert names("tags.note IS NULL OR name = 'ant'", [ModelOrder("name")], limit=1) == ["ant", "bee"]
    assert names("metrics.acc > 0.1", [ModelOrder("name", False)], [OnDataset("iris")]) == ["bee", "ant"]
    assert names("", [], [OnDataset("wine", "d1")]) == []
    store.delete_logged_model(bee.model_id)
    assert names("") == ["ant"]


def test_a_parcel_whose_answer_is_lost_leaves_no_twin_and_no_point_twice(peer: Peer, here: str) -> None:
    """Every request of a parcel is lost once, before the server has it or after."""
    experiment_id = drupe.get_experiment_by_name(here).experiment_id  # type: ignore[union-attr]
    proxy = Cutter(peer.port)
    address = Uri.parse(f"{proxy.url}?retry_s=0.01", query=True)
    store = catalog().open("drupe_tracking_stores", address)
    assert isinstance(store, MlflowRuns)
    points = Points.of((step, 1000 + step, step / 8) for step in range(1001))
    markers = (b"runs/create", b"runs/log-batch", b"runs/log-inputs", b"runs/update", b"mlflow.drupe.position")
    for number, marker in enumerate(markers):
        run_id = uuid.uuid4().hex
        parcel = Parcel(
            run_id,
            Origin(uuid.uuid4().hex, 0, 9),
            new=NewRun(experiment_id, run_id, f"lost {number}", start_time=1000),
            batch=LogBatch({"loss": points, "nan": Points.of([(0, 1, math.nan)])}, {"depth": "3"}, {"team": "red"}),
            inputs=(DatasetInput(Dataset("toy", "d1")),),
            status=RunStatus.FINISHED,
            end_time=5000,
        )
        proxy.lose_answer(marker)
        fault = None
        try:
            store.ship(parcel)
        except StoreUnavailable as broken:
            fault = broken
        fresh = catalog().open("drupe_tracking_stores", address)  # as after a crash: what this process knew is forgotten
        at = fresh.shipped_to(parcel.origin.writer)
        assert at in (0, 9)
        if at == 0:
            assert fault is not None
            assert not fresh.ship(parcel).is_repeat
        assert fresh.ship(parcel).is_repeat
        run = fresh.get_run(run_id)
        assert peer.history(run.info.run_id, "loss") == [(step, step / 8) for step in range(1001)], marker
        assert len(peer.history(run.info.run_id, "nan")) == 1
        assert (run.data.params, run.info.status, run.info.end_time) == ({"depth": "3"}, RunStatus.FINISHED, 5000)
        store, _ = fresh, store.close()
    assert proxy.broken == len(markers)
    proxy.close()
    assert sorted(run["info"]["run_name"] for run in peer.runs_of(here)) == [f"lost {number}" for number in range(len(markers))]

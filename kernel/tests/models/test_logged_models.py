"""Models as things of their own: made, found, measured at steps, made active, kept offline; and where their files lie."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import drupe
from drupe.client import Client
from drupe.entities import Dataset, LoggedModelStatus, ModelInput, ModelOutput
from drupe.errors import InvalidModelFolder, InvalidName, InvalidValue, LoggedModelNotFound, NoActiveRun, ParamConflict
from drupe.tracking import address, chosen
from drupe.upkeep.removal import find_removable, remove

from ..tracking.test_offline import go_online, sync


def metrics_of(model_id: str) -> set[tuple[str, float, int, str | None]]:
    return {(one.key, one.value, one.step, one.dataset_name) for one in drupe.get_logged_model(model_id).metrics}


def test_a_model_is_an_entity_and_a_folder_of_its_run_with_one_set_of_files(classifier: Any, table: pd.DataFrame, workspace: Path) -> None:
    with drupe.start_run() as run:
        drupe.log_param("C", 1.0)
        info = drupe.log_model(classifier, "clf", params={"depth": 3}, tags={"team": "red"}, model_type="linear", step=4)
    model = drupe.get_logged_model(str(info.model_id))
    assert (model.status, model.name, model.model_type, model.source_run_id) == (LoggedModelStatus.READY, "clf", "linear", run.info.run_id)
    assert (dict(model.params), model.tags["team"]) == ({"C": "1.0", "depth": "3"}, "red")
    assert model.tags["mlflow.user"]
    assert drupe.get_run(run.info.run_id).outputs.model_outputs == (ModelOutput(model.model_id, 4),)
    assert model.artifact_location == f"{run.info.artifact_uri}/clf"
    assert [str(path.parent.name) for path in workspace.rglob("MLmodel")] == ["clf"]
    for uri in (info.model_uri, f"runs:/{run.info.run_id}/clf", model.artifact_location):
        assert drupe.load_model(uri).predict(table).tolist() == classifier.predict(table).tolist()
    assert drupe.last_logged_model() == model


def test_a_name_that_only_a_path_may_have_is_found_all_the_same(classifier: Any) -> None:
    with drupe.start_run() as run:
        info = drupe.log_model(classifier, "v1.2/100% sure")
        again = drupe.log_model(classifier, "v1.2/100% sure")
    assert drupe.get_logged_model(str(info.model_id)).name == "v1-2-100- sure"
    assert drupe.load_model(f"runs:/{run.info.run_id}/v1.2/100% sure").metadata.model_id == again.model_id
    assert drupe.load_model(info.model_uri).metadata.model_id == info.model_id


def test_a_model_whose_files_cannot_be_written_is_failed_and_says_why(classifier: Any) -> None:
    with drupe.start_run() as run:
        good = drupe.log_model(classifier, "m")
        with pytest.raises(InvalidValue):
            drupe.log_model(classifier, "m", no_such_option=1)
    failed = drupe.search_logged_models(filter_string="status = 'FAILED'", output_format="list")
    assert [one.name for one in failed] == ["m"]
    assert "no_such_option" in str(failed[0].status_message)
    assert drupe.load_model(f"runs:/{run.info.run_id}/m").metadata.model_id == good.model_id


def test_what_the_run_measures_at_a_step_is_measured_on_the_model_of_that_step(classifier: Any) -> None:
    with drupe.start_run():
        drupe.log_metrics({"loss": 0.5, "system/cpu": 9.0}, step=1)
        first = str(drupe.log_model(classifier, "checkpoint", step=1).model_id)
        drupe.log_metric("loss", 0.25, step=2)
        second = str(drupe.log_model(classifier, "checkpoint", step=2).model_id)
        drupe.log_metric("acc", 0.75, step=1)
        drupe.log_metric("acc", 0.875, step=2, model_id=second, dataset=Dataset("test", "d1"))
        third = str(drupe.log_model(classifier, "another", step=2).model_id)
    assert metrics_of(first) == {("loss", 0.5, 1, None), ("acc", 0.75, 1, None)}
    assert metrics_of(second) == {("loss", 0.25, 2, None), ("acc", 0.875, 2, "test")}
    assert metrics_of(third) == {("loss", 0.25, 2, None)}


def test_a_model_without_a_step_of_a_run_that_has_gone_on_says_which_step_it_has_and_which_it_lacks(classifier: Any) -> None:
    with drupe.start_run():
        for step in range(3):
            drupe.log_metrics({"val_rmse": 9.0 - step, "system/cpu": 9.0}, step=step)
        for log in (drupe.log_model, drupe.sklearn.log_model):
            with pytest.warns(UserWarning, match="step=2") as told:
                log(classifier)
            assert [warning.filename for warning in told] == [__file__]  # where the user reads it
        with pytest.warns(UserWarning, match=r"'clf' .* step 0 .* step 2 \(val_rmse\): .*log_model\(…, step=2\)"):
            unsaid = str(drupe.log_model(classifier, "clf").model_id)
        assert metrics_of(unsaid) == {("val_rmse", 9.0, 0, None)}  # as MLflow has it
        drupe.log_metric("test_rmse", 5.5)
        assert metrics_of(unsaid) == {("val_rmse", 9.0, 0, None), ("test_rmse", 5.5, 0, None)}
        said = [str(drupe.log_model(classifier, "clf", step=step).model_id) for step in (0, 2)]
    assert metrics_of(said[0]) == {("val_rmse", 9.0, 0, None), ("test_rmse", 5.5, 0, None)}
    assert metrics_of(said[1]) == {("val_rmse", 7.0, 2, None)}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"step": "3"}, "step is '3'; it must be a whole number"),
        ({"step": 1.5}, r"step is 1\.5; it must be a whole number"),
        ({"metric_steps": {"loss": None}}, "metric_steps is a dict of metric and step, a whole number"),
        ({"metric_steps": 5}, "metric_steps is a dict of metric and step, a whole number"),
        ({"tags": ["a"]}, "tags and params are dicts of name and value, not list"),
        ({"params": "a"}, "tags and params are dicts of name and value, not str"),
    ],
)
def test_steps_tags_and_params_of_another_form_are_refused_before_anything_is_made(
    classifier: Any, given: dict[str, Any], says: str
) -> None:
    with drupe.start_run() as run, pytest.raises(InvalidValue, match=says):
        drupe.log_model(classifier, "clf", **given)
    assert drupe.get_run(run.info.run_id).outputs.model_outputs == ()
    assert drupe.search_logged_models(output_format="list") == []


def test_numbers_of_numpy_are_steps(classifier: Any) -> None:
    with drupe.start_run() as run:
        info = drupe.log_model(classifier, "clf", step=np.int64(3))
    assert drupe.get_run(run.info.run_id).outputs.model_outputs == (ModelOutput(str(info.model_id), 3),)


def test_a_model_that_cannot_be_tied_to_its_run_is_failed(classifier: Any) -> None:
    with drupe.start_run(), pytest.raises(InvalidValue, match="does not fit 64 bits"):
        drupe.log_model(classifier, "clf", step=2**63)
    assert [one.status for one in drupe.search_logged_models(output_format="list")] == [LoggedModelStatus.FAILED]


def test_nothing_is_said_of_steps_that_were_measured_on_the_model_itself_or_on_another(classifier: Any) -> None:
    with drupe.start_run():
        made = drupe.initialize_logged_model("ranker")
        other = drupe.initialize_logged_model("other")
        drupe.log_metric("ndcg", 0.5, step=7, model_id=made.model_id)
        drupe.log_metric("other_ndcg", 0.5, step=9, model_id=other.model_id)
        drupe.log_metric("system/cpu", 0.5, step=9)
        drupe.log_model(classifier, "ranker", model_id=made.model_id)
    assert metrics_of(made.model_id) == {("ndcg", 0.5, 7, None)}


def test_the_step_of_each_metric_can_be_told(classifier: Any) -> None:
    with drupe.start_run() as run:
        for step in range(4):
            drupe.log_metrics({"loss": 9.0 - step, "acc": step / 8}, step=step)
        drupe.log_metric("size", 3.0)
        info = drupe.log_model(classifier, "clf", metric_steps={"loss": 2, "acc": 3, "gone": 1})
        drupe.log_metric("test_loss", 6.0)
    assert metrics_of(str(info.model_id)) == {
        ("loss", 7.0, 2, None),
        ("acc", 0.375, 3, None),
        ("size", 3.0, 0, None),
        ("test_loss", 6.0, 0, None),
    }
    assert drupe.get_run(run.info.run_id).outputs.model_outputs == (ModelOutput(str(info.model_id), 0),)


def test_a_model_that_was_made_before_gets_its_files_later(classifier: Any) -> None:
    with drupe.start_run() as run:
        model = drupe.initialize_logged_model("ranker", params={"depth": 3}, model_type="tree")
        assert (model.status, model.source_run_id) == (LoggedModelStatus.PENDING, run.info.run_id)
        drupe.log_metric("ndcg", 0.5, step=1, model_id=model.model_id)
        info = drupe.log_model(classifier, "ranker", model_id=model.model_id, params={"lr": 0.1})
    assert info.model_id == model.model_id
    ready = drupe.get_logged_model(model.model_id)
    assert (ready.status, dict(ready.params)) == (LoggedModelStatus.READY, {"depth": "3", "lr": "0.1"})
    assert drupe.load_model(f"runs:/{run.info.run_id}/ranker").metadata.model_id == model.model_id
    assert [file.path for file in drupe.list_artifacts(run_id=run.info.run_id)] == ["ranker"]
    assert "ranker/MLmodel" in {file.path for file in drupe.list_artifacts("ranker", run_id=run.info.run_id)}


def test_an_external_model_takes_all_but_loading() -> None:
    model = drupe.create_external_model("rules", params={"n": 3}, tags={"a": "b"})
    assert (model.status, model.tags["mlflow.model.isExternal"]) == (LoggedModelStatus.READY, "true")
    drupe.set_logged_model_tags(model.model_id, {"c": "d"})
    drupe.delete_logged_model_tag(model.model_id, "a")
    drupe.log_model_params({"m": 4}, model.model_id)
    with pytest.raises(ParamConflict):
        drupe.log_model_params({"m": 5}, model.model_id)
    found = drupe.get_logged_model(model.model_id)
    assert (dict(found.params), found.tags["c"], "a" in found.tags) == ({"n": "3", "m": "4"}, "d", False)
    with pytest.raises(InvalidModelFolder, match="lists no flavors"):
        drupe.load_model(model.model_uri)


def test_the_active_model_is_what_metrics_and_params_belong_to() -> None:
    with pytest.raises(NoActiveRun, match="no logged model is active"):
        drupe.log_model_params({"a": 1})
    with drupe.set_active_model(name="ranker") as outer:
        assert drupe.get_active_model_id() == outer.model_id
        drupe.log_model_params({"a": 1})
        with drupe.start_run() as run, drupe.set_active_model(model_id=drupe.create_external_model("inner").model_id) as inner:
            drupe.log_metric("ndcg", 0.5, step=0)
            drupe.log_metric("ndcg", 0.75, step=1)
        assert drupe.get_active_model_id() == outer.model_id
    assert drupe.get_active_model_id() is None
    assert metrics_of(inner.model_id) == {("ndcg", 0.75, 1, None)}
    assert drupe.get_run(run.info.run_id).inputs.model_inputs == (ModelInput(inner.model_id),)
    assert drupe.set_active_model(name="ranker").model_id == outer.model_id
    drupe.clear_active_model()
    for given, fault in (({}, InvalidValue), ({"name": "x", "model_id": outer.model_id}, InvalidValue), ({"name": "it's"}, InvalidName)):
        with pytest.raises(fault):
            drupe.set_active_model(**given)
    with pytest.raises(LoggedModelNotFound):
        drupe.set_active_model(model_id=f"m-{'0' * 32}")


def test_a_search_gives_a_table_with_mlflows_columns() -> None:
    with drupe.start_run():
        for number in range(3):
            model = drupe.create_external_model(f"m{number}", params={"n": number})
            drupe.log_metric("acc", number / 4, model_id=model.model_id, dataset=Dataset("test", "d1"))
    frame = drupe.search_logged_models(
        filter_string="metrics.acc > 0.1",
        datasets=[{"dataset_name": "test"}],
        order_by=[{"field_name": "metrics.acc", "ascending": False}],
    )
    assert list(frame["name"]) == ["m2", "m1"]
    assert list(frame.columns) == sorted(frame.columns)
    assert {"model_id", "artifact_location", "metrics", "params", "tags", "status"} < set(frame.columns)
    assert (frame["params"][0], frame["status"][0]) == ({"n": "2"}, "READY")
    assert len(drupe.search_logged_models(max_results=1)) == 1
    page = Client().search_logged_models(["0"], max_results=2)
    assert page.token is not None
    with pytest.raises(drupe.errors.InvalidQuery, match="field_name"):
        drupe.search_logged_models(order_by=[{"name": "acc"}])
    with pytest.raises(InvalidValue, match="output_format"):
        drupe.search_logged_models(output_format="json")


def test_models_of_offline_runs_are_made_when_the_run_is_shipped(
    classifier: Any, table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRUPE_OFFLINE", "1")
    drupe.set_experiment("nightly")
    with drupe.start_run() as run:
        first = drupe.log_model(classifier, "clf", params={"depth": 3}, step=2)
        second = drupe.log_model(classifier, "clf", registered_model_name="churn")
        drupe.log_metric("acc", 0.5, step=2, dataset=Dataset("test", "d1"))
        assert drupe.load_model(second.model_uri).predict(table).tolist() == classifier.predict(table).tolist()
        assert drupe.load_model(f"runs:/{run.info.run_id}/clf").metadata.model_id == second.model_id
    go_online(monkeypatch)
    (told,) = sync()
    assert told["state"] == "shipped"
    for info in (first, second):
        model = drupe.get_logged_model(str(info.model_id))
        assert (model.status, model.name, model.source_run_id) == (LoggedModelStatus.READY, "clf", run.info.run_id)
        assert drupe.load_model(info.model_uri).predict(table).tolist() == classifier.predict(table).tolist()
    assert metrics_of(str(first.model_id)) == {("acc", 0.5, 2, "test")}
    found = drupe.get_run(run.info.run_id)
    assert {(one.model_id, one.step) for one in found.outputs.model_outputs} == {(first.model_id, 2), (second.model_id, 0)}
    assert found.data.tags.keys().isdisjoint({"drupe.logged_when_synced", "drupe.register_when_synced"})
    assert drupe.load_model("models:/churn/1").metadata.model_id == second.model_id
    chosen.reset()
    address.close_stores()


# --- what is deleted


def gc() -> list[str]:
    found = find_removable(Client().store, Client().registry, older_than_ms=None, now_ms=2**50)
    done = remove(Client().store, found)
    return [f"{one.kind} {one.id}" for one in done.things] + [f"kept: {why}" for _, why in done.kept]


def test_removing_a_model_removes_its_files_alone_and_removing_a_run_its_models(classifier: Any, workspace: Path) -> None:
    with drupe.start_run() as run:
        first, second, third = (drupe.log_model(classifier, name) for name in ("a", "b", "c"))
        drupe.log_text("kept", "note.txt")
    drupe.Client().delete_logged_model(str(first.model_id))
    drupe.register_model(f"runs:/{run.info.run_id}/b", "churn")
    assert gc() == [f"logged model {first.model_id}"]
    assert sorted(file.path for file in drupe.list_artifacts(run_id=run.info.run_id)) == ["b", "c", "note.txt"]
    drupe.delete_run(run.info.run_id)
    drupe.Client().delete_logged_model(str(second.model_id))
    assert gc() == ["kept: version 1 of churn was made of it"] * 2
    drupe.Client().delete_registered_model("churn")
    assert set(gc()) == {f"run {run.info.run_id}", f"logged model {second.model_id}"}
    with pytest.raises(LoggedModelNotFound):
        drupe.get_logged_model(str(third.model_id))
    assert not list(workspace.rglob("MLmodel"))
    assert gc() == [f"logged model {third.model_id}"]


def test_the_files_of_a_logged_model_are_fetched_by_its_address(tmp_path: Path) -> None:
    info = drupe.log_model(lambda given: given, "clf", flavor="python_function")
    whole = Path(drupe.download_artifacts(info.model_uri, dst_path=tmp_path / "whole"))
    assert (whole / "MLmodel").is_file()
    one = Path(drupe.download_artifacts(f"{info.model_uri}/MLmodel", dst_path=tmp_path / "one"))
    assert one == tmp_path / "one" / "MLmodel"
    assert {file.path for file in drupe.artifacts.list_artifacts(info.model_uri)} >= {"MLmodel"}

"""Logging models to runs: artifacts, tags, events, registration; and the namespaces that lead there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import drupe
from drupe.artifacts.manifest import verify_manifest
from drupe.errors import InvalidPath, InvalidValue
from drupe.extend import Feature, ModelLogged, hookimpl
from drupe.loading import catalog, known
from drupe.models.namespace import FlavorNamespace
from drupe.tracking.model_history import HISTORY_TAG


@pytest.fixture
def no_entities(monkeypatch: pytest.MonkeyPatch) -> None:
    """The store says that it keeps no logged models, as MLflow's servers before 3.0 do."""
    store = type(drupe.Client().store)
    monkeypatch.setattr(store, "features", {one: level for one, level in store.features.items() if one is not Feature.LOGGED_MODELS})


def history(run_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(drupe.get_run(run_id).data.tags[HISTORY_TAG])
    return found


def test_a_logged_model_lies_among_the_artifacts_and_loads_by_its_address(classifier: Any, table: pd.DataFrame) -> None:
    with drupe.start_run() as run:
        info = drupe.log_model(classifier, "models/clf", input_example=table.head(2))
    assert info.model_uri == f"models:/{info.model_id}"
    assert drupe.load_model(f"runs:/{run.info.run_id}/models/clf").metadata.model_id == info.model_id
    assert (info.run_id, info.artifact_path, info.name) == (run.info.run_id, "models/clf", "models/clf")
    loaded = drupe.load_model(info.model_uri)
    assert loaded.predict(table).tolist() == classifier.predict(table).tolist()
    assert (loaded.metadata.run_id, loaded.metadata.artifact_path) == (run.info.run_id, "models/clf")
    assert loaded.metadata.model_uuid == info.model_uuid
    assert verify_manifest(loaded.path) is not None
    assert drupe.models.get_model_info(info.model_uri) == info


def test_a_run_is_started_when_none_is_active(classifier: Any) -> None:
    info = drupe.log_model(classifier)
    run = drupe.active_run()
    assert run is not None
    assert (info.run_id, info.artifact_path) == (run.info.run_id, "model")


def test_the_run_lists_its_models_as_mlflow_2_does(classifier: Any) -> None:
    with drupe.start_run() as run:
        drupe.log_model(classifier, "one")
        drupe.log_model(classifier, "two", metadata={"k": 1})
    entries = history(run.info.run_id)
    assert [entry["artifact_path"] for entry in entries] == ["one", "two"]
    assert {entry["run_id"] for entry in entries} == {run.info.run_id}
    assert set(entries[0]["flavors"]) == {"sklearn", "python_function"}
    assert entries[1]["metadata"] == {"k": 1}


def test_the_list_of_models_stays_readable_when_it_grows_beyond_a_tag(classifier: Any) -> None:
    with drupe.start_run() as run:
        for number in range(12):
            drupe.log_model(classifier, f"model-{number}")
        entries = history(run.info.run_id)
        assert entries[-1]["artifact_path"] == "model-11"
        assert len(entries) > 1
        wide = pd.DataFrame([[0.5] * 300], columns=[f"column {n}" for n in range(300)])
        drupe.log_model(lambda model_input: [1], "wide", input_example=wide)
    assert [entry["artifact_path"] for entry in history(run.info.run_id)] == ["wide"]


def test_somebody_elses_text_in_the_tag_does_no_harm(classifier: Any) -> None:
    with drupe.start_run(tags={HISTORY_TAG: "not json"}) as run:
        drupe.log_model(classifier, "m")
    assert len(history(run.info.run_id)) == 1


def test_logging_again_under_a_name_keeps_both_and_the_name_means_the_newest(classifier: Any) -> None:
    with drupe.start_run() as run:
        first = drupe.log_model(classifier, "m")
        second = drupe.log_model(classifier, "m", serialization_format="pickle")
    assert [drupe.load_model(info.model_uri).metadata.model_id for info in (first, second)] == [first.model_id, second.model_id]
    assert drupe.load_model(f"runs:/{run.info.run_id}/m").metadata.model_id == second.model_id
    assert sorted(file.path for file in drupe.list_artifacts(run_id=run.info.run_id)) == ["m", second.artifact_path]
    assert {drupe.get_logged_model(str(info.model_id)).name for info in (first, second)} == {"m"}


def test_a_store_that_keeps_no_logged_models_has_one_folder_of_a_name(classifier: Any, no_entities: None) -> None:
    with drupe.start_run() as run:
        drupe.log_model(classifier, "m")
        info = drupe.log_model(classifier, "m", serialization_format="pickle")
    assert (info.model_uri, info.model_id) == (f"runs:/{run.info.run_id}/m", None)
    names = {Path(file.path).name for file in drupe.list_artifacts(run_id=run.info.run_id, artifact_path="m")}
    assert "model.pkl" in names
    assert "model.skops" not in names
    assert drupe.load_model(info.model_uri).flavor == "sklearn"


def test_a_model_can_be_registered_while_it_is_logged(classifier: Any, table: pd.DataFrame) -> None:
    with drupe.start_run():
        first = drupe.log_model(classifier, "m", registered_model_name="clf")
        second = drupe.log_model(classifier, "n", registered_model_name="clf", await_registration_for=0)
    assert (first.registered_model_version, second.registered_model_version) == ("1", "2")
    drupe.Client().set_registered_model_alias("clf", "champion", "1")
    for address in ("models:/clf/1", "models:/clf@champion", "models:/clf/latest"):
        assert drupe.load_model(address).predict(table).tolist() == classifier.predict(table).tolist()
    assert drupe.load_model("models:/clf/latest").metadata.artifact_path == "n"
    assert drupe.sklearn.load_model("models:/clf@champion").coef_.tolist() == classifier.coef_.tolist()


def test_observers_are_told_when_the_model_is_complete(classifier: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[ModelLogged, bool]] = []

    class Observer:
        @hookimpl
        def drupe_event(self, event: Any) -> None:
            if isinstance(event, ModelLogged):
                seen.append((event, drupe.load_model(event.model_uri).flavor == "sklearn"))

    original = catalog().notify

    def notify(event: Any) -> None:
        Observer().drupe_event(event)
        original(event)

    monkeypatch.setattr(catalog(), "notify", notify)
    with drupe.start_run() as run:
        info = drupe.log_model(classifier, "m")
    ((event, could_load),) = seen
    assert could_load
    assert (event.run_id, event.name, event.model_uri) == (run.info.run_id, "m", info.model_uri)
    assert event.store == drupe.get_tracking_uri()


def test_another_run_than_the_active_one_can_be_named(classifier: Any) -> None:
    with drupe.start_run() as other:
        pass
    with drupe.start_run() as active:
        info = drupe.log_model(classifier, "m", run_id=other.info.run_id)
    assert info.run_id == other.info.run_id
    assert drupe.list_artifacts(run_id=active.info.run_id) == []


def test_a_model_that_cannot_be_saved_leaves_no_trace_in_the_run(classifier: Any) -> None:
    with drupe.start_run() as run:
        for given in ({"no_such_option": 1}, {"signature": "x"}):
            with pytest.raises(InvalidValue):
                drupe.log_model(classifier, "m", **given)
        for name in ("../m", "/m", "a//b"):
            with pytest.raises(InvalidPath):
                drupe.log_model(classifier, name)
        with pytest.raises(InvalidValue, match="two names"):
            drupe.log_model(classifier, "a", artifact_path="b")
    assert drupe.list_artifacts(run_id=run.info.run_id) == []
    assert HISTORY_TAG not in drupe.get_run(run.info.run_id).data.tags


def test_what_only_a_logged_model_keeps_is_said_to_be_left_out(classifier: Any, no_entities: None) -> None:
    with drupe.start_run(), pytest.warns(UserWarning, match="keeps no params, tags with a model; log them to the run"):
        drupe.log_model(classifier, "m", params={"C": 1}, tags={"a": "b"}, step=0)


# --- namespaces


def test_both_spellings_of_mlflow_lead_to_the_same(classifier: Any) -> None:
    with drupe.start_run() as run:
        infos = [
            drupe.sklearn.log_model(classifier, "a"),
            drupe.sklearn.log_model(classifier, artifact_path="b"),
            drupe.sklearn.log_model(sk_model=classifier, name="c"),
            drupe.pyfunc.log_model("d", python_model=len),
            drupe.pyfunc.log_model(name="e", python_model=len),
            drupe.pyfunc.log_model(artifact_path="f", python_model=len),
        ]
    assert [info.artifact_path for info in infos] == list("abcdef")
    assert [drupe.load_model(f"runs:/{run.info.run_id}/{name}").flavor for name in "abcdef"] == ["sklearn"] * 3 + ["python_function"] * 3


def test_a_namespace_needs_one_model(classifier: Any, tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="sk_model="):
        drupe.sklearn.save_model(path=tmp_path / "m")
    with pytest.raises(InvalidValue, match="sk_model="):
        drupe.sklearn.save_model(classifier, tmp_path / "m", sk_model=classifier)
    with pytest.raises(InvalidValue, match="python_model="):
        drupe.pyfunc.save_model(tmp_path / "m")
    with pytest.raises(InvalidValue, match="path of the folder"):
        drupe.sklearn.save_model(classifier)


def test_a_namespace_has_the_constants_of_its_flavor_and_no_others() -> None:
    assert drupe.sklearn.SERIALIZATION_FORMAT_SKOPS == "skops"
    with pytest.raises(AttributeError, match="has no 'NO_SUCH_CONSTANT'"):
        _ = drupe.sklearn.NO_SUCH_CONSTANT
    with pytest.raises(AttributeError, match="it has save_model, log_model, load_model, autolog"):
        _ = drupe.sklearn.no_such_function
    assert repr(drupe.sklearn) == "<drupe flavor sklearn>"


def test_a_flavor_adds_functions_of_its_own_and_replaces_none(monkeypatch: pytest.MonkeyPatch) -> None:
    flavor = type(catalog().flavor("sklearn"))
    monkeypatch.setattr(flavor, "functions", {"as_text": "json:dumps", "log_model": "json:dumps"})
    namespace = FlavorNamespace("sklearn")
    assert namespace.as_text([1]) == "[1]"
    assert "as_text" in dir(namespace)
    assert namespace.log_model is not json.dumps


def test_a_flavor_sees_the_shared_arguments_that_it_asks_for_and_shapes_the_example(
    classifier: Any, table: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flavor = type(catalog().flavor("sklearn"))
    seen: list[Any] = []
    save = flavor.save

    def look(self: Any, model: Any, folder: Path, options: Any) -> Any:
        seen.append(options["input_example"])
        return save(self, model, folder, {})

    monkeypatch.setattr(flavor, "also_saved", frozenset({"input_example"}))
    monkeypatch.setattr(flavor, "save", look)
    monkeypatch.setattr(flavor, "example", lambda self, model, given: given.head(1))
    drupe.sklearn.save_model(classifier, tmp_path / "m", input_example=table.head(2))
    assert [len(example) for example in seen] == [2]
    assert len(drupe.load_model(tmp_path / "m").input_example) == 1


def test_options_of_loading_reach_the_flavor_that_names_them(classifier: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drupe.sklearn.save_model(classifier, tmp_path / "m")
    flavor = type(catalog().flavor("sklearn"))
    monkeypatch.setattr(flavor, "load_options", frozenset({"device"}))
    monkeypatch.setattr(flavor, "load", lambda self, folder, config, *, model_config=None: model_config)
    assert drupe.sklearn.load_model(tmp_path / "m", device="cpu") == {"device": "cpu"}
    assert drupe.sklearn.load_model(tmp_path / "m") is None
    with pytest.raises(InvalidValue, match="does not know devise; it takes dst_path, model_config, trust, device"):
        drupe.sklearn.load_model(tmp_path / "m", devise="cpu")


def test_a_flavor_that_is_not_installed_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(known._PROVIDERS["drupe_model_flavors"], "quantum", "flavor-quantum")
    with pytest.raises(AttributeError, match="pip install drupe-flavor-quantum"):
        _ = drupe.quantum
    with pytest.raises(AttributeError, match="no model flavor for name 'nonsense'"):
        _ = drupe.nonsense


def test_a_registered_version_stays_when_its_name_is_logged_again(classifier: Any) -> None:
    with drupe.start_run() as run:
        first = drupe.log_model(classifier, "clf", registered_model_name="churn")
        drupe.log_model(classifier, "clf")
    version = drupe.Client().get_model_version("churn", "1")
    assert (version.source, version.run_id) == (first.model_uri, run.info.run_id)
    assert drupe.load_model("models:/churn/1").metadata.model_id == first.model_id
    assert json.loads(drupe.get_logged_model(str(first.model_id)).tags["mlflow.modelVersions"]) == [{"name": "churn", "version": "1"}]


def test_a_registered_version_is_not_replaced_where_there_are_no_logged_models(classifier: Any, no_entities: None) -> None:
    with drupe.start_run():
        first = drupe.log_model(classifier, "clf")
        second = drupe.log_model(classifier, "clf", registered_model_name="churn")
        with pytest.raises(InvalidValue, match=r"'clf' of this run is version 1 of 'churn'.*another name"):
            drupe.log_model(classifier, "clf")
        third = drupe.log_model(classifier, "clf-2")
    assert first.model_uuid != second.model_uuid != third.model_uuid
    assert drupe.load_model("models:/churn/1").metadata.model_uuid == second.model_uuid


def test_a_model_goes_to_the_store_of_its_run_when_the_address_was_changed(classifier: Any, workspace: Path) -> None:
    drupe.set_tracking_uri(f"sqlite:///{workspace}/one.db")
    with drupe.start_run() as run:
        drupe.set_tracking_uri(f"sqlite:///{workspace}/two.db")
        info = drupe.log_model(classifier, "clf", registered_model_name="churn")
    drupe.set_tracking_uri(f"sqlite:///{workspace}/one.db")
    assert drupe.load_model(info.model_uri).metadata.run_id == run.info.run_id

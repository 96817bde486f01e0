"""Registering models with one call and with the client, and the events that tell of it."""

from __future__ import annotations

from pathlib import Path

import pytest

import drupe
from drupe.entities import Stage
from drupe.errors import AliasNotFound, ArtifactNotFound, InvalidModelFolder, InvalidName, InvalidValue, ModelVersionNotFound

PLACEHOLDER = "flavors: {}\n"


@pytest.fixture
def model_run() -> str:
    with drupe.start_run() as run:
        drupe.log_text(PLACEHOLDER, "model/MLmodel")
        drupe.log_text("x", "notes/other.txt")
    return run.info.run_id


def test_registering_creates_the_model_once_and_counts_versions(model_run: str) -> None:
    first = drupe.register_model(f"runs:/{model_run}/model", "clf", tags={"a": 1})
    second = drupe.register_model(f"runs:/{model_run}/model", "clf")
    assert [first.version, second.version] == ["1", "2"]
    assert first.run_id == model_run
    assert first.tags == {"a": "1"}
    assert first.source.endswith(f"{model_run}/artifacts/model")
    assert [model.name for model in drupe.search_registered_models()] == ["clf"]
    assert [v.version for v in drupe.search_model_versions(filter_string="name = 'clf'", order_by=["version_number"])] == ["1", "2"]


def test_what_is_not_a_model_is_not_registered(model_run: str) -> None:
    with pytest.raises(InvalidModelFolder, match="MLmodel"):
        drupe.register_model(f"runs:/{model_run}/notes", "clf")
    with pytest.raises((ArtifactNotFound, InvalidModelFolder)):
        drupe.register_model(f"runs:/{model_run}/nothing", "clf")
    with pytest.raises(InvalidName):
        drupe.register_model(f"runs:/{model_run}/model", "a/b")
    assert drupe.search_registered_models() == []


def test_a_version_can_be_registered_again_under_another_name(model_run: str) -> None:
    drupe.register_model(f"runs:/{model_run}/model", "clf")
    copy = drupe.register_model("models:/clf/1", "clf-prod")
    assert (copy.name, copy.version, copy.run_id, copy.source) == ("clf-prod", "1", model_run, "models:/clf/1")
    downloaded = Path(drupe.download_artifacts("models:/clf-prod/1"))
    assert (downloaded / "MLmodel").read_text() == PLACEHOLDER


def test_aliases_stages_and_numbers_lead_to_the_version(model_run: str) -> None:
    client = drupe.Client()
    for _ in range(3):
        drupe.register_model(f"runs:/{model_run}/model", "clf")
    client.set_registered_model_alias("clf", "champion", 2)
    client.transition_model_version_stage("clf", 1, "production")
    client.transition_model_version_stage("clf", 3, "Production", archive_existing_versions=True)
    assert client.get_model_version_by_alias("clf", "champion").version == "2"
    assert client.get_model_version("clf", 1).current_stage == Stage.ARCHIVED
    assert [v.version for v in client.get_latest_versions("clf", ["Production"])] == ["3"]
    client.set_model_version_tag("clf", stage="Production", key="k", value=1)
    assert client.get_model_version("clf", 3).tags == {"k": "1"}
    for address in ("models:/clf/2", "models:/clf@champion", "models:/clf/latest", "models:/clf/Production"):
        assert (Path(drupe.download_artifacts(address)) / "MLmodel").is_file()
    with pytest.raises(AliasNotFound):
        drupe.download_artifacts("models:/clf@nobody")
    with pytest.raises(ModelVersionNotFound):
        drupe.download_artifacts("models:/clf/9")
    with pytest.raises(InvalidValue, match="stage"):
        client.transition_model_version_stage("clf", 1, "Prod")


def test_a_failed_call_leaves_the_version_as_it_was(model_run: str) -> None:
    client = drupe.Client()
    drupe.register_model(f"runs:/{model_run}/model", "clf")
    with pytest.raises(InvalidValue):
        client.transition_model_version_stage("clf", 1, "Archived", archive_existing_versions=True)
    with pytest.raises(InvalidName):
        client.set_registered_model_alias("clf", "v1", 1)
    with pytest.raises(ModelVersionNotFound):
        client.set_registered_model_alias("clf", "champion", 7)
    version = client.get_model_version("clf", 1)
    assert (version.current_stage, version.aliases) == (Stage.NONE, ())


def test_a_version_needs_a_source() -> None:
    client = drupe.Client()
    client.create_registered_model("empty")
    with pytest.raises(InvalidValue, match="a source is needed"):
        client.create_model_version("empty", None)  # type: ignore[arg-type]
    assert client.search_model_versions("name = 'empty'") == []

"""Addresses of every form lead to the repository and path where the files are."""

from __future__ import annotations

from pathlib import Path

import pytest

from drupe.artifacts.once import asked_once
from drupe.artifacts.repos import repo_for
from drupe.artifacts.resolve import find_version, locate, split_models_uri
from drupe.entities import NewLoggedModel, NewRun, Stage
from drupe.errors import (
    AliasNotFound,
    InvalidPath,
    InvalidUri,
    LoggedModelNotFound,
    ModelVersionNotFound,
    NoProvider,
    RegisteredModelNotFound,
    RunNotFound,
    StoreUnavailable,
)
from drupe.extend import RegistryStore, TrackingStore
from drupe.testing.memory_registry import MemoryRegistryStore
from drupe.testing.memory_tracking import MemoryTrackingStore
from drupe.uris import ArtifactPath, ModelsUri, Uri

P = ArtifactPath.parse


@pytest.fixture
def tracking() -> TrackingStore:
    return MemoryTrackingStore.open(Uri("memory"))


@pytest.fixture
def registry() -> RegistryStore:
    return MemoryRegistryStore.open(Uri("memory"))


@pytest.fixture
def run_id(tracking: TrackingStore, tmp_path: Path) -> str:
    experiment = tracking.create_experiment("files", artifact_location=(tmp_path / "arti facts").as_uri())
    return tracking.create_run(NewRun(experiment.experiment_id)).info.run_id


def test_whoever_asks_once_sees_one_state(registry: RegistryStore) -> None:
    registry.create_registered_model("m")
    for place in ("/first", "/second"):
        registry.create_model_version("m", place)
    registry.set_alias("m", "best", "1")
    remembering = asked_once(lambda: registry)
    best = ModelsUri.parse("models:/m@best")
    assert find_version(remembering(), best).source == "/first"
    registry.set_alias("m", "best", "2")
    assert find_version(remembering(), best).source == "/first"
    assert find_version(registry, best).source == "/second"
    with pytest.raises(ModelVersionNotFound):
        remembering().get_model_version("m", "3")
    remembering().create_model_version("m", "/third")
    assert remembering().get_model_version("m", "3").source == "/third"


def never() -> TrackingStore:
    raise AssertionError("this address needs no tracking store")


def never_registry() -> RegistryStore:
    raise AssertionError("this address needs no registry")


def test_a_run_address_leads_below_the_runs_artifacts(tracking: TrackingStore, run_id: str, tmp_path: Path) -> None:
    repo, path = locate(f"runs:/{run_id}/model/50% done.txt", tracking=tracking, registry=never_registry)
    assert repo.root.path == f"{tmp_path}/arti facts/{run_id}/artifacts"
    assert path == P("model/50% done.txt")
    assert locate(f"RUNS:/{run_id}", tracking=tracking, registry=never_registry)[1].is_root


def test_an_unknown_run_is_not_found(tracking: TrackingStore) -> None:
    with pytest.raises(RunNotFound):
        locate("runs:/0123456789abcdef0123456789abcdef/x", tracking=tracking, registry=never_registry)


@pytest.mark.parametrize("form", ["{}", "file://{}", "file:{}"])
def test_a_local_folder_is_a_name_in_its_parent(tmp_path: Path, form: str) -> None:
    (tmp_path / "model").mkdir()
    repo, path = locate(form.format(tmp_path / "model"), tracking=never, registry=never_registry)
    assert (repo.root.path, path) == (str(tmp_path), P("model"))


def test_a_relative_path_starts_in_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for text in ("a/model", "./a/model", "b/../a/model"):
        repo, path = locate(text, tracking=never, registry=never_registry)
        assert (repo.root.path, path) == (str(tmp_path / "a"), P("model"))


def test_a_local_path_may_be_a_path_object_and_hold_what_an_address_may_not(tmp_path: Path) -> None:
    (tmp_path / "what?#").mkdir()
    repo, path = locate(tmp_path / "what?#" / "a.txt", tracking=never, registry=never_registry)
    assert (repo.local_path(path), str(path)) == (tmp_path / "what?#" / "a.txt", "a.txt")


def test_a_local_path_may_lead_over_links(tmp_path: Path) -> None:
    (tmp_path / "v3").mkdir()
    (tmp_path / "current").symlink_to("v3")
    repo, path = locate(str(tmp_path / "current"), tracking=never, registry=never_registry)
    assert repo.local_path(path) == tmp_path / "v3"


def test_a_local_folder_with_an_odd_name_is_still_found(tmp_path: Path) -> None:
    odd = tmp_path / "%2e%2e"
    odd.mkdir()
    repo, path = locate(str(odd), tracking=never, registry=never_registry)
    assert (repo.local_path(path), path.is_root) == (odd, True)
    with pytest.raises(InvalidUri, match="no artifact may have"):
        locate(str(tmp_path / "%2e%2e%2e%2f"), tracking=never, registry=never_registry)


def test_every_form_of_model_address_finds_its_version(registry: RegistryStore) -> None:
    registry.create_registered_model("clf")
    for number in range(1, 5):
        registry.create_model_version("clf", f"/models/{number}")
    registry.transition_model_version_stage("clf", "2", Stage.PRODUCTION)
    registry.transition_model_version_stage("clf", "3", Stage.STAGING)
    registry.set_alias("clf", "champion", "1")
    for text, version in {
        "models:/clf/3": "3",
        "models:/clf/latest": "4",
        "models:/clf/LATEST": "4",
        "models:/clf/Production": "2",
        "models:/clf/staging": "3",
        "models:/clf/None": "4",
        "models:/clf@champion": "1",
        "Models:/clf@champion": "1",
    }.items():
        assert find_version(registry, ModelsUri.parse(text)).version == version, text


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("models:/nobody/1", RegisteredModelNotFound, "nobody"),
        ("models:/nobody/latest", RegisteredModelNotFound, "nobody"),
        ("models:/clf/7", ModelVersionNotFound, "7"),
        ("models:/clf/Archived", ModelVersionNotFound, "no version in stage Archived"),
        ("models:/clf/champion", InvalidUri, "models:/clf@champion"),
        ("models:/clf@nobody", AliasNotFound, "nobody"),
        ("models:/empty/latest", ModelVersionNotFound, "no versions yet"),
        ("models:/clf", InvalidUri, "not a model address"),
        ("models:/", InvalidUri, "not a model address"),
        ("models:/clf/1/../../etc", InvalidPath, "refused"),
    ],
)
def test_a_model_address_that_means_nothing_says_why(registry: RegistryStore, text: str, error: type[Exception], says: str) -> None:
    registry.create_registered_model("empty")
    registry.create_registered_model("clf")
    registry.create_model_version("clf", "/models/1")
    with pytest.raises(error, match=says):
        locate(text, tracking=never, registry=registry)


def test_a_path_may_follow_a_model_address() -> None:
    assert split_models_uri("models:/clf/3") == (ModelsUri("clf", version="3"), ArtifactPath())
    assert split_models_uri("models:/clf/3/data/model.pkl") == (ModelsUri("clf", version="3"), P("data/model.pkl"))
    assert split_models_uri("models:/clf@best/50%") == (ModelsUri("clf", alias="best"), P("50%"))


def test_a_version_leads_to_its_source_of_whatever_form(
    tracking: TrackingStore, registry: RegistryStore, run_id: str, tmp_path: Path
) -> None:
    registry.create_registered_model("clf")
    registry.create_model_version("clf", f"runs:/{run_id}/model")
    registry.create_model_version("clf", str(tmp_path / "saved"))
    registry.create_model_version("clf", "models:/clf/1")
    expected = {
        "models:/clf/1": (f"{tmp_path}/arti facts/{run_id}/artifacts", "model"),
        "models:/clf/2": (str(tmp_path), "saved"),
        "models:/clf/3": (f"{tmp_path}/arti facts/{run_id}/artifacts", "model"),
        "models:/clf/3/data/x.pkl": (f"{tmp_path}/arti facts/{run_id}/artifacts", "model/data/x.pkl"),
    }
    for text, place in expected.items():
        repo, path = locate(text, tracking=tracking, registry=registry)
        assert (repo.root.path, str(path)) == place, text


def test_a_logged_model_leads_to_its_files_and_so_does_a_version_of_it(
    tracking: TrackingStore, registry: RegistryStore, run_id: str, tmp_path: Path
) -> None:
    logged = tracking.create_logged_model(NewLoggedModel(tracking.get_run(run_id).info.experiment_id))
    registry.create_registered_model("pear")
    registry.create_model_version("pear", logged.model_uri)
    for address in (logged.model_uri, "models:/pear/1"):
        repo, path = locate(f"{address}/data/x", tracking=tracking, registry=registry)
        assert (repo.root.path, path) == (f"{tmp_path}/arti facts/models/{logged.model_id}/artifacts", P("data/x"))
    with pytest.raises(LoggedModelNotFound):
        locate("models:/m-" + "0" * 32, tracking=tracking, registry=registry)


def test_models_that_lead_in_a_circle_are_named(registry: RegistryStore) -> None:
    for name, source in {"a": "models:/b/1", "b": "models:/a/1"}.items():
        registry.create_registered_model(name)
        registry.create_model_version(name, source)
    with pytest.raises(InvalidUri, match="models:/a/1 → models:/b/1 → models:/a/1"):
        locate("models:/a/1", tracking=never, registry=registry)


def test_a_chain_of_models_has_an_end(registry: RegistryStore) -> None:
    registry.create_registered_model("m")
    for number in range(1, 20):
        registry.create_model_version("m", f"models:/m/{number + 1}")
    with pytest.raises(InvalidUri, match="never to files"):
        locate("models:/m/1", tracking=never, registry=registry)


def test_a_scheme_that_nothing_serves_is_told_with_those_that_are_served() -> None:
    with pytest.raises(NoProvider, match="installed: file"):
        locate("gs://bucket/folder/model", tracking=never, registry=never_registry)


@pytest.mark.parametrize("text", ["", "   ", "https://user:password@host/x", "C:\\models", "//share/x", "file://otherhost/x", "a\nb"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidUri) as caught:
        locate(text, tracking=never, registry=never_registry)
    assert "password" not in str(caught.value) or "user:password" not in str(caught.value)


def test_indirect_addresses_are_no_repositories() -> None:
    for text in ("runs:/abc", "models:/clf/1"):
        with pytest.raises(InvalidUri, match="resolved first"):
            repo_for(text)


def test_options_of_a_repository_follow_as_a_query(tmp_path: Path) -> None:
    assert repo_for(f"file://{tmp_path}?durability=full").root.path == str(tmp_path)
    with pytest.raises(Exception, match="durable"):
        repo_for(f"file://{tmp_path}?durable=yes")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable):
        repo_for(tmp_path / "file")

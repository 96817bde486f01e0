"""One table: every way to name a model or its files, through every door that takes such an address, on a real server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from attrs import frozen
from click.testing import CliRunner
from sklearn.linear_model import LogisticRegression

import drupe
from drupe.cli.main import root
from drupe.errors import InvalidValue
from drupe.models.environments import plan_environment
from drupe.models.opening import get_model_info
from drupe.testing.plugin import drupe_workspace
from tests.mlflow_clients.conftest import serving

__all__ = ["drupe_workspace"]

pytestmark = pytest.mark.slow

FRAME = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "y": [0, 0, 1, 1]})
QUICK = {"permutation_importance": False, "pictures": False}
ROUTE = "api/2.0/mlflow-artifacts/artifacts"


@frozen
class Logged:
    """A server, and a model that was logged to it and registered there: its `run_id` and `model_id`, and `place`, where its files are."""

    url: str
    run_id: str
    model_id: str
    place: str

    def addresses(self) -> dict[str, str]:
        """Every way to name it that all doors know."""
        host, path = self.url.removeprefix("http://"), self.place.removeprefix("mlflow-artifacts:/")
        return {
            "run": f"runs:/{self.run_id}/clf",
            "logged model": f"models:/{self.model_id}",
            "with slashes": f"models:///{self.model_id}",
            "version": "models:/pear/1",
            "alias": "models:/pear@best",
            "latest": "models:/pear/latest",
            "stage": "models:/pear/Production",
            "artifacts": self.place,
            "artifacts of a server": f"mlflow-artifacts://{host}/{path}",
            "route": f"{self.url}/{ROUTE}/{path}",
        }

    def names(self) -> dict[str, str]:
        """What people write on the command line besides."""
        return {"name": "apple/clf", "start of run": f"{self.run_id[:8]}/clf", "id": self.model_id, "start of id": self.model_id[:10]}


@pytest.fixture(scope="module")
def on_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Logged]:
    folder = tmp_path_factory.mktemp("addresses")
    with serving(folder, f"sqlite:///{folder}/served.db") as url, pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_STATE_HOME", str(folder / "state"))
        patched.setenv("XDG_CONFIG_HOME", str(folder / "config"))
        patched.setenv("DRUPE_CAPTURE_ENVIRONMENT", "false")
        patched.setenv("DRUPE_REQUIREMENTS_INFERENCE", "false")
        patched.setenv("DRUPE_TRACKING_URI", url)
        model = LogisticRegression().fit(FRAME[["a"]], FRAME.y)
        with drupe.start_run(run_name="apple") as run:
            info = drupe.log_model(
                model, "clf", input_example=FRAME[["a"]].head(2), registered_model_name="pear", pip_requirements=["scikit-learn"]
            )
        client = drupe.Client()
        client.set_registered_model_alias("pear", "best", "1")
        client.transition_model_version_stage("pear", "1", "Production")
        place = client.get_logged_model(str(info.model_id)).artifact_location
        yield Logged(url, run.info.run_id, str(info.model_id), place)


@pytest.fixture
def logged(on_server: Logged, drupe_workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Logged:
    monkeypatch.setenv("DRUPE_TRACKING_URI", on_server.url)
    FRAME.to_csv("rows.csv", index=False)
    return on_server


@pytest.fixture
def folder(logged: Logged) -> dict[str, str]:
    """The same model in a folder here."""
    here = Path(drupe.artifacts.download_artifacts(f"models:/{logged.model_id}", dst_path=Path.cwd() / "copy"))
    return {"folder": str(here), "address of a folder": here.as_uri()}


def wrong_of(addresses: dict[str, str], door: Callable[[str], Any], expected: Any) -> list[str]:
    """What each address gave that did not give what is expected, one line for each; nothing when all did."""
    wrong = []
    for name, address in addresses.items():
        try:
            found = door(address)
        except Exception as fault:
            wrong.append(f"{name} ({address}): {fault!r}")
        else:
            wrong += [] if found == expected else [f"{name} ({address}): {found!r}"]
    return wrong


DOORS: dict[str, tuple[Callable[[str], Any], Any]] = {
    "download_artifacts": (lambda a: (Path(drupe.artifacts.download_artifacts(a)) / "MLmodel").is_file(), True),
    "download_artifacts of a file": (lambda a: Path(drupe.artifacts.download_artifacts(f"{a}/MLmodel")).name, "MLmodel"),
    "load_text": (lambda a: drupe.artifacts.load_text(f"{a}/requirements.txt"), "scikit-learn"),
    "load_dict": (lambda a: drupe.artifacts.load_dict(f"{a}/input_example.json"), {"columns": ["a"], "data": [[0.0], [1.0]]}),
    "list_artifacts": (lambda a: {Path(one.path).name for one in drupe.artifacts.list_artifacts(a)} >= {"MLmodel", "manifest.json"}, True),
    "load_model": (lambda a: list(drupe.load_model(a).predict(FRAME[["a"]])), [0, 0, 1, 1]),
    "sklearn.load_model": (lambda a: drupe.sklearn.load_model(a).coef_.shape, (1, 1)),
    "pyfunc.load_model": (lambda a: list(drupe.pyfunc.load_model(a).predict(FRAME[["a"]])), [0, 0, 1, 1]),
    "get_model_info": (lambda a: sorted(get_model_info(a).flavors), ["python_function", "sklearn"]),
    "plan_environment": (lambda a: list(plan_environment(a).spec.requirements), ["scikit-learn"]),
}


@pytest.mark.parametrize("door", DOORS)
def test_a_function_takes_every_address(door: str, logged: Logged, folder: dict[str, str]) -> None:
    assert wrong_of(logged.addresses() | folder, *DOORS[door]) == []


def test_evaluate_knows_the_logged_model_by_every_address(logged: Logged, folder: dict[str, str]) -> None:
    def door(address: str) -> str | None:
        return drupe.evaluate(address, FRAME, targets="y", model_type="classifier", evaluator_config=QUICK).model_id

    assert wrong_of(logged.addresses() | folder, door, logged.model_id) == []


def test_a_version_of_every_address_knows_its_run(logged: Logged) -> None:
    made: list[drupe.entities.ModelVersion] = []

    def door(address: str) -> str | None:
        made.append(drupe.register_model(address, f"plum-{len(made)}-{id(made)}"))
        return made[-1].run_id

    addresses = logged.addresses()
    assert wrong_of(addresses, door, logged.run_id) == []
    sources = dict(zip(addresses, [version.source for version in made], strict=True))
    copies = ("version", "alias", "latest", "stage")
    assert sources == {name: "models:/pear/1" if name in copies else f"models:/{logged.model_id}" for name in addresses}
    assert all(list(drupe.load_model(f"models:/{version.name}/1").predict(FRAME[["a"]])) == [0, 0, 1, 1] for version in made)


def test_a_name_with_blanks_and_percent_signs_is_a_source_too(logged: Logged) -> None:
    drupe.register_model("models:/pear@best", "pear 50% tree")
    copy = drupe.register_model("models:/pear 50% tree/1", "grafted")
    assert copy.source == "models:/pear 50% tree/1"
    assert list(drupe.load_model("models:/grafted/1").predict(FRAME[["a"]])) == [0, 0, 1, 1]


def test_a_folder_here_is_no_source_for_a_server(folder: dict[str, str]) -> None:
    for address in folder.values():
        with pytest.raises(InvalidValue, match=r"lies on this machine: .*Log it first \(drupe.log_model"):
            drupe.register_model(address, "plum")


def command(*words: str) -> Callable[[str], str]:
    def run(address: str) -> str:
        done = CliRunner().invoke(root, [word.replace("URI", address) for word in words])
        if done.exit_code:
            raise AssertionError(f"exit code {done.exit_code}: {done.exception!r}")
        return done.stdout

    return run


def has(what: str, door: Callable[[str], str]) -> Callable[[str], bool]:
    return lambda address: what in door(address)


JUDGED = (
    "-d",
    "rows.csv",
    "-t",
    "y",
    "--model-type",
    "classifier",
    "--no-log",
    "-c",
    "permutation_importance=false",
    "-c",
    "pictures=false",
)
COMMANDS: dict[str, Callable[[str], bool]] = {
    "artifacts list": has("MLmodel", command("artifacts", "list", "URI")),
    "artifacts list -u": has("MLmodel", command("artifacts", "list", "-u", "URI")),
    "artifacts cat": has("scikit-learn", command("artifacts", "cat", "URI/requirements.txt")),
    "artifacts download": lambda address: (Path(command("artifacts", "download", "URI", "got")(address).strip()) / "MLmodel").is_file(),
    "models show": has("sklearn", command("models", "show", "URI")),
    "models lineage": has("clf", command("models", "lineage", "URI")),
    "models diff": has("", command("models", "diff", "URI", "models:/pear/1")),
    "models scan": has("", command("models", "scan", "URI")),
    "models trust": has("", command("models", "trust", "URI")),
    "models verify": has("", command("models", "verify", "URI")),
    "models evaluate": lambda address: (
        json.loads(command("models", "evaluate", "URI", *JUDGED, "--json")(address))["metrics"]["roc_auc"] == 1
    ),
    "models predict": has('{"predictions": [0, 0, 1, 1]}', command("models", "predict", "-m", "URI", "-i", "rows.csv")),
}


@pytest.mark.parametrize("verb", COMMANDS)
def test_a_command_takes_every_address_and_what_people_write(verb: str, logged: Logged, folder: dict[str, str]) -> None:
    known = {"alias": logged.addresses()["alias"]} if verb == "models evaluate" else logged.addresses() | folder
    assert wrong_of(known | logged.names(), COMMANDS[verb], True) == []


def test_the_registry_takes_every_address_and_what_people_write(logged: Logged) -> None:
    assert wrong_of(logged.addresses() | logged.names(), has("", command("registry", "register", "cherry", "URI")), True) == []
    versions = drupe.Client().search_model_versions("name = 'cherry'")
    assert {version.run_id for version in versions} == {logged.run_id}


def test_a_run_may_have_a_name_like_the_start_of_a_logged_models_id(logged: Logged) -> None:
    with drupe.start_run(run_name="m-0000"):
        drupe.log_text("seen", "note.txt")
    assert command("artifacts", "cat", "URI")("m-0000/note.txt") == "seen"


def test_what_is_nowhere_is_told(logged: Logged) -> None:
    for address, told in (("m-ffffffff/x", "no logged model has an id that begins with"), ("models:/m-" + "0" * 32, "logged model")):
        done = CliRunner().invoke(root, ["artifacts", "list", address])
        assert done.exit_code == 1
        assert told in str(done.exception)

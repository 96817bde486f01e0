"""Every code block of the documentation runs, and every link inside it leads somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.warm_python.warm import WarmPython

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("plugins/*/README.md"), ROOT / "kernel/README.md"])
OWN_TEST = {
    "docs/how-to/write-a-plugin.md",
    "docs/how-to/docker.md",
    "docs/how-to/write-a-viewer.md",
}  # tests/plugins, tests/operate, ui_web
NEEDS_TORCH = {"docs/how-to/pytorch.md", "plugins/flavor_pytorch/README.md"}
NEEDS_POSTGRES = {"docs/how-to/postgresql.md"}
RUNNABLE = [
    page
    for page in PAGES
    if re.search(r"^```(python|bash)", page.read_text(), re.MULTILINE) and str(page.relative_to(ROOT)) not in OWN_TEST
]
COMPUTES = re.compile(r"\b(sklearn|xgboost|lightgbm|statsmodels|pandas|evaluate)\b")
COMMANDS = """#!/bin/sh
case "$1" in models) exec {computing}/drupe "$@";; *) exec {other}/drupe "$@";; esac
"""
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.fixture
def postgres(postgres_server: Any) -> dict[str, str]:
    """The variables that lead libpq to a server with an empty database `runs`."""
    postgres_server.drop("runs")
    with postgres_server.connect() as connection:
        connection.execute("CREATE DATABASE runs")
    variables: dict[str, str] = postgres_server.variables
    return variables


@pytest.fixture(scope="module")
def python_for(request: pytest.FixtureRequest) -> Callable[[str], WarmPython]:
    """A function that gives the Python for a page's text: scikit-learn is imported where a page uses it and does not say when."""

    def of(text: str) -> WarmPython:
        wanted = "warm_python" if not COMPUTES.search(text) else "numerate_python" if "autolog(" in text else "learned_python"
        found: WarmPython = request.getfixturevalue(wanted)
        return found

    return of


@pytest.mark.parametrize("page", RUNNABLE, ids=name)
def test_the_code_of_a_page_runs_from_top_to_bottom(
    page: Path, tmp_path: Path, python_for: Callable[[str], WarmPython], warm_python: WarmPython, request: pytest.FixtureRequest
) -> None:
    if name(page) in NEEDS_TORCH and find_spec("torch") is None:
        pytest.skip("torch is not installed; in a checkout it is on Python 3.11 only")
    text = page.read_text()
    python = python_for(text)
    work = tmp_path / "work"
    work.mkdir()
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("DRUPE_", "MLFLOW_"))}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    commands = tmp_path / "bin" / "drupe"  # a fork of what has imported little is twice as quick
    commands.parent.mkdir()
    commands.write_text(COMMANDS.format(computing=python.folder, other=warm_python.folder))
    commands.chmod(0o755)
    environment["XDG_CONFIG_HOME"] = str(tmp_path / "config")
    environment["XDG_STATE_HOME"] = str(tmp_path / "state")
    environment.pop("PYTEST_CURRENT_TEST", None)  # a page runs as at a user's
    if "requirements" not in text:
        environment["DRUPE_REQUIREMENTS_INFERENCE"] = "false"  # a process for every model, of which the page shows nothing
    if name(page) in NEEDS_POSTGRES:
        environment |= request.getfixturevalue("postgres")
    done = subprocess.run(
        [python.python, str(ROOT / "tests/docs/run_page.py"), str(page)],
        cwd=work,
        env=WarmPython(commands.parent).on_path(python.on_path(environment)),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_the_links_of_a_page_lead_to_files(page: Path) -> None:
    targets = [found for found in LINK.findall(page.read_text()) if "://" not in found]
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert missing == []


def test_every_page_can_be_reached_from_the_index() -> None:
    index = ROOT / "docs/README.md"
    seen, waiting = {index}, [index]
    while waiting:
        page = waiting.pop()
        targets = [(page.parent / target).resolve() for target in LINK.findall(page.read_text()) if "://" not in target]
        found = {target for target in targets if target.suffix == ".md" and target.is_file()}
        waiting += found - seen
        seen |= found
    assert [name(page) for page in PAGES if page not in seen and page.parent != ROOT] == []

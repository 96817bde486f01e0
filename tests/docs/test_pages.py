"""Every code block of the documentation runs, and every link inside it leads somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.warm_python.warm import WarmPython, warm_python as opened_warm_python

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("plugins/*/README.md"), ROOT / "kernel/README.md"])
OWN_TEST = {"docs/how-to/write-a-plugin.md", "docs/how-to/docker.md"}  # see tests/plugins and tests/operate
LEARNING = ("pandas", "sklearn.datasets", "sklearn.ensemble", "sklearn.linear_model", "sklearn.model_selection", "sklearn.pipeline")
NEEDS_TORCH = {"docs/how-to/pytorch.md", "plugins/flavor_pytorch/README.md"}
NEEDS_POSTGRES = {"docs/how-to/postgresql.md"}
RUNNABLE = [
    page
    for page in PAGES
    if re.search(r"^```(python|bash)", page.read_text(), re.MULTILINE) and str(page.relative_to(ROOT)) not in OWN_TEST
]
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
def python_for(warm_python: WarmPython) -> Iterator[Callable[[str], WarmPython]]:
    """A function that gives the Python for a page's text: pages about models share one that has scikit-learn, unless they say when it is imported."""
    with ExitStack() as stack:
        learned: list[WarmPython] = []

        def of(text: str) -> WarmPython:
            if "sklearn" not in text or "autolog(" in text:
                return warm_python
            if not learned:
                learned.append(stack.enter_context(opened_warm_python(*LEARNING)))
            return learned[0]

        yield of


@pytest.mark.parametrize("page", RUNNABLE, ids=name)
def test_the_code_of_a_page_runs_from_top_to_bottom(
    page: Path, tmp_path: Path, python_for: Callable[[str], WarmPython], request: pytest.FixtureRequest
) -> None:
    if name(page) in NEEDS_TORCH and find_spec("torch") is None:
        pytest.skip("torch is not installed; in a checkout it is on Python 3.11 only")
    python = python_for(page.read_text())
    work = tmp_path / "work"
    work.mkdir()
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("DRUPE_", "MLFLOW_"))}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    environment["XDG_CONFIG_HOME"] = str(tmp_path / "config")
    environment["XDG_STATE_HOME"] = str(tmp_path / "state")
    environment.pop("PYTEST_CURRENT_TEST", None)  # a page runs as at a user's
    if name(page) in NEEDS_POSTGRES:
        environment |= request.getfixturevalue("postgres")
    done = subprocess.run(
        [python.python, str(ROOT / "tests/docs/run_page.py"), str(page)],
        cwd=work,
        env=python.on_path(environment),
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

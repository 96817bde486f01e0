"""The page names the files that its address needs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from drupe_ui_web.needed import Needed

MANIFEST = {
    "_index-1.js": {"file": "assets/index-1.js", "name": "index", "css": ["assets/index-1.css"]},
    "_grid-2.js": {"file": "assets/grid-2.js", "name": "grid", "imports": ["_index-1.js"], "css": ["assets/grid-2.css"]},
    "_runs-3.js": {"file": "assets/runs-3.js", "name": "runs", "imports": ["_index-1.js", "_grid-2.js"]},
    "_charts-4.js": {"file": "assets/charts-4.js", "name": "charts", "imports": ["_grid-2.js"]},
    "src/charts/plot.tsx": {"file": "assets/plot-5.js", "name": "plot", "imports": ["_charts-4.js"]},
    "src/app/mark.svg": {"file": "assets/mark-6.svg"},
}


@pytest.fixture
def needed(tmp_path: Path) -> Needed:
    file = tmp_path / "manifest.json"
    file.write_text(json.dumps(MANIFEST))
    return Needed(file)


def test_an_address_names_its_files_and_those_that_they_need_once(needed: Needed) -> None:
    assert needed.links("experiments/1") == (
        '<link rel="modulepreload" crossorigin href="./assets/runs-3.js">'
        '<link rel="modulepreload" crossorigin href="./assets/grid-2.js">'
        '<link rel="stylesheet" crossorigin href="./assets/grid-2.css">'
    )


def test_charts_are_named_where_the_address_opens_with_them(needed: Needed) -> None:
    assert "plot-5.js" in needed.links("experiments/1", "charts")
    assert "plot-5.js" not in needed.links("experiments/1", "table")


@pytest.mark.parametrize("path", ["nowhere", "models/x", "", "experiments"])
def test_an_address_without_files_of_its_own_names_none(needed: Needed, path: str) -> None:
    assert needed.links(path) == ""

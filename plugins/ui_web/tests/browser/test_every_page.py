"""Every page over a store that is hostile in every field: nothing of it comes to life, nothing stands beyond the edge of a telephone, and
axe finds nothing serious, at a desk and on a telephone, light or dark.

Each page is opened once and looked at in all these ways. `DRUPE_HOSTILE_SEED=7` makes another store.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from attrs import frozen

from plugins.ui_web.tests.browser.axe import found_by_axe
from plugins.ui_web.tests.browser.conftest import watched
from plugins.ui_web.tests.browser.hostile_store import Hostile, hostile_store
from plugins.ui_web.tests.browser.looking import beyond_the_edge, came_to_life, settle
from plugins.ui_web.tests.browser.making import Home

SEED = int(os.environ.get("DRUPE_HOSTILE_SEED", "1"))
TELEPHONE = {"width": 360, "height": 740}
DESK = {"width": 1440, "height": 900}

Where = Callable[[Hostile], str]


def of_experiment(query: str = "") -> Where:
    return lambda store: f"experiments/{store.experiment_id}?{query}"


def of_run(query: str = "") -> Where:
    return lambda store: f"runs/{store.run_ids[0]}?{query}"


def of_file(number: int) -> Where:
    return lambda store: f"runs/{store.run_ids[0]}?tab=artifacts&path={quote(store.files[number], safe='')}"


def of_runs(query: str) -> Where:
    return lambda store: f"compare?runs={','.join(store.run_ids)}&{query}"


def of_model(rest: str = "") -> Where:
    return lambda store: f"models/{quote(store.model, safe='')}{rest}"


def of_logged_model(query: str = "") -> Where:
    return lambda store: f"logged-models/{store.model_id}?{query}"


PAGES: dict[str, Where] = {
    "experiments": lambda store: "",
    "experiments found": lambda store: "?search=" + quote("<img data-taken src=x>"),
    "runs": of_experiment(),
    "runs with all columns": of_experiment("cols=*"),
    "runs in groups": of_experiment("group=" + quote("params.`__proto__`")),
    "runs filtered wrongly": of_experiment("filter=" + quote("params.x = <script data-taken>")),
    "trash": of_experiment("view=deleted"),
    "charts of runs": of_experiment("tab=charts"),
    **{f"run: {tab}": of_run(f"tab={tab}") for tab in ("summary", "charts", "artifacts", "log", "system", "code", "lineage")},
    **{f"file {number}": of_file(number) for number in range(16)},
    **{f"compare: {tab}": of_runs(f"tab={tab}") for tab in ("sides", "charts", "relations")},
    "compare: tables": of_runs("tab=charts&twin=loss"),
    "relations as tables": of_runs("tab=relations&twin=parallel,scatter,boxes"),
    "models": lambda store: "models",
    "model": of_model(),
    **{f"version: {tab}": of_model(f"/1?tab={tab}") for tab in ("overview", "files", "lineage")},
    "version: compare": of_model("/1?tab=compare&with=2"),
    **{f"logged model: {tab}": of_logged_model(f"tab={tab}") for tab in ("card", "flavors", "files", "lineage")},
    "plugins": lambda store: "plugins",
    "system": lambda store: "system",
    "lost": lambda store: "fruit/" + quote("<b data-taken>", safe=""),
    "run that is not there": lambda store: "runs/" + quote("<b data-taken>", safe=""),
}


@frozen
class Seen:
    """What was found on one page."""

    faults: list[str]
    alive: list[str]
    beyond: list[str]
    light: list[str]
    dark: list[str]
    small: list[str]


@pytest.fixture(scope="session")
def store(server: Home) -> Hostile:
    return hostile_store(server, SEED)


@pytest.fixture(scope="module")
def walker(visitor: Any, server: Home) -> Iterator[tuple[Any, list[str]]]:
    with watched(visitor, server) as walking:
        yield walking


@pytest.fixture(scope="module", params=PAGES)
def seen(request: pytest.FixtureRequest, walker: tuple[Any, list[str]], server: Home, store: Hostile) -> Seen:
    page, faults = walker
    faults.clear()
    page.goto(f"{server.url}/{PAGES[request.param](store)}")
    settle(page)
    light = found_by_axe(page)
    alive = came_to_life(page)
    page.emulate_media(color_scheme="dark")
    settle(page)
    dark = found_by_axe(page, "color-contrast")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(TELEPHONE)
    settle(page)
    beyond = beyond_the_edge(page)
    small = found_by_axe(page, without=["color-contrast"])  # colours are those of a desk
    page.set_viewport_size(DESK)
    return Seen(list(faults), alive, beyond, light, dark, small)


def test_nothing_of_a_hostile_store_comes_to_life(seen: Seen) -> None:
    assert (seen.alive, seen.faults) == ([], [])


def test_nothing_stands_beyond_the_edge_of_a_telephone(seen: Seen) -> None:
    assert seen.beyond == []


def test_axe_finds_nothing_serious(seen: Seen) -> None:
    assert seen.light == []


def test_axe_finds_nothing_serious_on_a_telephone(seen: Seen) -> None:
    assert seen.small == []


def test_the_dark_theme_has_enough_contrast(seen: Seen) -> None:
    assert seen.dark == []

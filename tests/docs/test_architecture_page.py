"""What the page about the architecture says of the code is what the code has."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from drupe.loading import State
from drupe_store_sql import points

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/explanation/architecture.md").read_text()


def rows(title: str) -> list[str]:
    """The first cells of the table below a title."""
    section = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| ([^|]+?) \| [^|]+ \|$", section, re.MULTILINE)[1:]


def test_the_rooms_are_those_of_the_import_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["id"] == "layers")
    assert [cell.replace("`", "").split(", ") for cell in rows("Rooms")] == [layer.split(" | ") for layer in layers]


def test_the_states_of_plugins_are_all_there() -> None:
    assert rows("What happens to a broken plugin") == [state.value for state in State]


def test_the_sizes_of_tails_and_chunks_are_those_of_the_store() -> None:
    assert f"After {points.TAIL_ROWS} calls or {points.TAIL_POINTS} waiting points" in PAGE
    assert f"up to {points.LARGEST} points" in PAGE

"""The example on the reference page is complete: it passes the kit that the page speaks of."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from drupe.extend import ArtifactRepo, Offer
from drupe.testing.artifact_repo import ArtifactRepoKit
from drupe.uris import Uri

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "extend" / "artifact_repo.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def run_blocks() -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "reference_page"}
    for block in BLOCKS:
        exec(compile(block, str(PAGE), "exec"), names)
    return names


class TestTheExample(ArtifactRepoKit):
    big_bytes = 1_000_000

    @pytest.fixture
    def repo(self) -> ArtifactRepo:
        repo: ArtifactRepo = run_blocks()["DictRepo"].open(Uri("dict", path="/"))
        return repo


def test_the_front_door_is_well_formed() -> None:
    offers: list[Offer] = run_blocks()["drupe_artifact_repos"]()
    assert [offer.faults() for offer in offers] == [[]]


def test_the_page_names_every_method_of_the_contract() -> None:
    text = PAGE.read_text(encoding="utf-8")
    public = [
        name for name, value in vars(ArtifactRepo).items() if not name.startswith("_") and callable(getattr(value, "__func__", value))
    ]
    assert [name for name in public if f"`{name}(" not in text] == []

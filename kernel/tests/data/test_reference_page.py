"""The example on the reference page of dataset sources is complete: it passes the kit that the page speaks of."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drupe.extend import DatasetSource, Offer
from drupe.testing.dataset_source import DatasetSourceKit

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "extend" / "dataset_source.md"
TEXT = PAGE.read_text(encoding="utf-8")
NAMES: dict[str, Any] = {"__name__": "reference_page"}
for block in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL):
    exec(compile(block, str(PAGE), "exec"), NAMES)


class TestTheExample(DatasetSourceKit):
    big_bytes = 1_000_000

    @pytest.fixture
    def publish(self) -> Callable[[str, bytes], DatasetSource]:
        def put(name: str, content: bytes) -> DatasetSource:
            NAMES["SHELF"][name] = content
            source: DatasetSource = NAMES["ShelfSource"].open(NAMES["Uri"].parse(f"shelf:/{name}"))
            return source

        return put

    @pytest.fixture
    def nothing(self) -> DatasetSource:
        source: DatasetSource = NAMES["ShelfSource"].open(NAMES["Uri"].parse("shelf:/missing"))
        return source


def test_the_front_door_is_well_formed() -> None:
    offers: list[Offer] = NAMES["drupe_dataset_sources"]()
    assert [offer.faults() for offer in offers] == [[]]


def test_the_page_names_every_method_of_the_contract() -> None:
    public = [
        name for name, value in vars(DatasetSource).items() if not name.startswith("_") and callable(getattr(value, "__func__", value))
    ]
    assert [name for name in public if f"`{name}(" not in TEXT] == []

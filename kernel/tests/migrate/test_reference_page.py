"""The example on the reference page of import sources is complete: it passes the kit that the page speaks of."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drupe.extend import ImportSource, Offer
from drupe.testing.import_source import ImportSourceKit

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "extend" / "import_source.md"
TEXT = PAGE.read_text(encoding="utf-8")
NAMES: dict[str, Any] = {"__name__": "reference_page"}
for block in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL):
    exec(compile(block, str(PAGE), "exec"), NAMES)


class TestTheExample(ImportSourceKit):
    @pytest.fixture
    def open_source(self) -> Callable[[], ImportSource]:
        def opened() -> ImportSource:
            source: ImportSource = NAMES["TrackbookSource"].open(NAMES["Uri"].parse("trackbook:/"))
            return source

        return opened


def test_the_front_door_is_well_formed() -> None:
    offers: list[Offer] = NAMES["drupe_import_sources"]()
    assert [offer.faults() for offer in offers] == [[]]


def test_the_page_names_every_method_of_the_contract() -> None:
    public = [
        name for name, value in vars(ImportSource).items() if not name.startswith("_") and callable(getattr(value, "__func__", value))
    ]
    assert [name for name in public if f"`{name}(" not in TEXT] == []

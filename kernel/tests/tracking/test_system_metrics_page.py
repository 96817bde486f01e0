"""The example on the reference page of system metrics is complete: it passes the kit that the page speaks of."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drupe.extend import Offer, SystemMetricSource
from drupe.testing.system_metrics import SystemMetricsKit

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "extend" / "system_metrics.md"
TEXT = PAGE.read_text(encoding="utf-8")
NAMES: dict[str, Any] = {"__name__": "reference_page"}
for block in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL):
    exec(compile(block, str(PAGE), "exec"), NAMES)


class TestTheExample(SystemMetricsKit):
    @pytest.fixture
    def open_source(self) -> Callable[[], SystemMetricSource]:
        found: Callable[[], SystemMetricSource] = NAMES["LoadAverage"].open
        return found


def test_the_front_door_is_well_formed() -> None:
    offers: list[Offer] = NAMES["drupe_system_metrics"]()
    assert [offer.faults() for offer in offers] == [[]]


def test_the_page_names_every_member_of_the_contract() -> None:
    public = [name for name in vars(SystemMetricSource) if not name.startswith("_")]
    assert [name for name in public if f"`{name}" not in TEXT] == []

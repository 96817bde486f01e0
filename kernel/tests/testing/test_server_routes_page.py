"""The example on the reference page of server routes is complete: it passes the kit that the page speaks of."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import attrs

from drupe.extend import Offer, ServedStore, ServerRoutes, WebReply, WebRequest, WebRoute

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "extend" / "server_routes.md"
TEXT = PAGE.read_text(encoding="utf-8")
NAMES: dict[str, Any] = {"__name__": "reference_page"}
for block in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL):
    exec(compile(block, str(PAGE), "exec"), NAMES)

TestTheExample = NAMES["TestLampRoutes"]


def test_the_front_door_is_well_formed() -> None:
    offers: list[Offer] = NAMES["drupe_server_routes"]()
    assert [offer.faults() for offer in offers] == [[]]


def test_the_page_names_every_member_of_the_contract() -> None:
    public = [name for name in vars(ServerRoutes) if not name.startswith("_")]
    fields = [field.name for kind in (WebRoute, WebRequest, WebReply, ServedStore) for field in attrs.fields(kind)]
    assert [name for name in (*public, *fields) if f"`{name}" not in TEXT] == []

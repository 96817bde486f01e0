"""Database files damaged at random places: named, refused, repaired."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from .database_damage import Original, populate, torment

SEEDS = range(12)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Original:
    return populate(tmp_path_factory.mktemp("original") / "runs.db")


def test_damage_anywhere_is_named_or_harmless_and_a_repair_keeps_every_row_that_was_not_touched(original: Original, tmp_path: Path) -> None:
    outcomes = Counter(torment(original, tmp_path, seed) for seed in SEEDS)
    print(f"seeds {SEEDS.start}-{SEEDS.stop - 1}: {dict(outcomes)}")
    assert outcomes["repaired"] + outcomes["repaired with losses"] >= len(SEEDS) // 2

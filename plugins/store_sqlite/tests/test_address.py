"""Addresses and settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from drupe.errors import InvalidUri
from drupe.uris import Uri
from drupe_store_sqlite.address import artifact_root_for, database_file
from drupe_store_sqlite.settings import Durability, SqliteSettings


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sqlite:///runs.db", "/home/ada/runs.db"),
        ("sqlite:///deep/er/runs.db", "/home/ada/deep/er/runs.db"),
        ("sqlite:///../runs.db", "/home/runs.db"),
        ("sqlite:////data/runs.db", "/data/runs.db"),
        ("sqlite:///a%20b.db", "/home/ada/a b.db"),
    ],
)
def test_three_slashes_are_relative_and_four_absolute(text: str, expected: str) -> None:
    assert database_file(Uri.parse(text), folder=Path("/home/ada")) == Path(expected)


@pytest.mark.parametrize("text", ["sqlite://", "sqlite:///", "sqlite:///:memory:"])
def test_a_database_in_memory_is_refused_with_the_forms_that_work(text: str) -> None:
    with pytest.raises(InvalidUri, match=r"in memory.*sqlite:///runs\.db"):
        database_file(Uri.parse(text))


@pytest.mark.parametrize("text", ["sqlite://host/runs.db", "sqlite:runs.db", "sqlite:/runs.db", "postgresql://host/x"])
def test_other_forms_are_refused_with_the_forms_that_work(text: str) -> None:
    with pytest.raises(InvalidUri, match=r"sqlite:///runs\.db"):
        database_file(Uri.parse(text))


def test_artifacts_go_beside_the_file_or_where_the_setting_says() -> None:
    file = Path("/data/my runs.db")
    assert artifact_root_for(file, None) == "file:///data/my%20runs-artifacts"
    assert artifact_root_for(file, "s3://bucket/artifacts/") == "s3://bucket/artifacts"
    assert artifact_root_for(file, "/elsewhere") == "file:///elsewhere"


def test_settings_read_texts_and_refuse_nonsense() -> None:
    assert SqliteSettings(durability="full").durability is Durability.FULL  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="busy_timeout_s"):
        SqliteSettings(busy_timeout_s=0)
    with pytest.raises(ValueError, match="fast"):
        SqliteSettings(durability="fast")  # type: ignore[arg-type]

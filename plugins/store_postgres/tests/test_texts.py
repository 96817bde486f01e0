"""What texts mean: order by code point, LIKE without escapes, ILIKE as Python folds, and what PostgreSQL cannot keep."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from drupe.entities import LogBatch, NewRun
from drupe.errors import InvalidValue
from drupe.search import Kind, parse
from drupe.search.like import like
from drupe_store_postgres.stores import PostgresTrackingStore

ODD = [
    "",
    "a",
    "A",
    "ab",
    "a\\b",
    "a%",
    "a_",
    "a'b",
    "Ä",
    "ä",
    "ΑΣ",
    "ας",
    "ασ",
    "İ",
    "i̇",
    "ß",
    "ẞ",
    "é",
    "e\u0301",
    "Ω",
    "\U00010400",
    "z\n",
]


def named(store: PostgresTrackingStore, filter_text: str, order: tuple[str, ...] = ("params.p",)) -> list[str]:
    return [run.data.params["p"] for run in store.search_runs(parse(Kind.RUNS, filter_text, order), experiment_ids=["0"])]


@pytest.fixture
def filled(store: PostgresTrackingStore) -> PostgresTrackingStore:
    for number, value in enumerate(ODD):
        store.create_run(NewRun("0", run_id=f"r{number}"))
        store.log_batch(f"r{number}", LogBatch({}, {"p": value}))
    return store


def test_texts_are_in_the_order_of_their_code_points(filled: PostgresTrackingStore) -> None:
    assert named(filled, "") == sorted(ODD)
    assert named(filled, "", ("params.p DESC",)) == sorted(ODD, reverse=True)


@pytest.mark.parametrize("pattern", ["a%", "a\\_", "a\\b", "%\\%", "A_", "%Σ", "İ", "i̇", "_", "__", "ß", "É", "\U00010428", "ä", "%\n"])
def test_patterns_match_as_in_memory(filled: PostgresTrackingStore, pattern: str) -> None:
    for operator, ignore_case in (("LIKE", False), ("ILIKE", True)):
        matches = like(pattern, ignore_case=ignore_case)
        assert named(filled, f'params.p {operator} "{pattern}"') == sorted(text for text in ODD if matches(text))


def test_every_letter_is_folded_as_python_does(store: PostgresTrackingStore) -> None:
    letters = [chr(number) for number in range(1, sys.maxunicode + 1) if not 0xD800 <= number < 0xE000]
    with store._database.read() as session:
        rows = session.driver.execute(
            f'SELECT lower(x COLLATE "{session.dialect._folds}") FROM unnest(%s::text[]) WITH ORDINALITY AS t(x, n) ORDER BY n',  # type: ignore[attr-defined]
            [letters],
        ).fetchall()
    differing = [letter for letter, (folded,) in zip(letters, rows, strict=True) if folded != letter.lower()]
    assert len(differing) < 100  # letters that are younger than Python's or the server's Unicode
    assert [letter for letter in differing if ord(letter) < 0x3000] == []


@pytest.mark.parametrize("text", ["nul\x00", "surrogate\ud800"])
def test_what_no_database_text_can_hold_is_refused_and_nothing_is_written(store: PostgresTrackingStore, run_id: str, text: str) -> None:
    calls: list[Any] = [
        lambda: store.create_run(NewRun("0", run_name=text)),
        lambda: store.create_run(NewRun("0", user_id=text)),
        lambda: store.create_run(NewRun("0", tags={"t": text})),
        lambda: store.log_batch(run_id, LogBatch({}, {"good": "x"}, {"bad": text})),
    ]
    for call in calls:
        with pytest.raises(InvalidValue):
            call()
    assert store.count_runs(parse(Kind.RUNS)) == 1
    assert dict(store.get_run(run_id).data.params) == {}

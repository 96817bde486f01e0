"""KEY=VALUE as commands take it."""

from __future__ import annotations

import pytest

from drupe.errors import InvalidValue
from drupe.extend.pairs import read_pairs, read_values


def test_the_value_is_all_behind_the_first_equals_sign() -> None:
    assert read_pairs(["team=fruit", "where=a=b", "empty="]) == {"team": "fruit", "where": "a=b", "empty": ""}


def test_values_are_read_as_json_where_they_can_be() -> None:
    told = read_values(["rate=0.5", "on=true", "labels=[1, 2]", "name=yes", "deep=" + "[" * 100_000], such_as="rate=0.5")
    assert told == {"rate": 0.5, "on": True, "labels": [1, 2], "name": "yes", "deep": "[" * 100_000}


@pytest.mark.parametrize("text", ["team", "=fruit", ""])
def test_what_is_no_pair_is_refused_with_one_that_is(text: str) -> None:
    with pytest.raises(InvalidValue, match=r"write KEY=VALUE, such as rate=0\.5"):
        read_values([text], such_as="rate=0.5")

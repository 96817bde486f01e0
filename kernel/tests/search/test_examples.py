"""The examples in the docstrings of the query language run."""

import doctest
from importlib import import_module

import pytest


@pytest.mark.parametrize("name", ["drupe.search.like", "drupe.search.parse"])
def test_examples_run(name: str) -> None:
    result = doctest.testmod(import_module(name))
    assert result.attempted > 0
    assert result.failed == 0

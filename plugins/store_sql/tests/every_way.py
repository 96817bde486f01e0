"""Searches of runs that begin wherever they may, for the tests of the stores that share `walks`."""

from __future__ import annotations

from typing import Any

import pytest

from drupe_store_sql import walks

__all__ = ["EveryWay"]


class EveryWay:
    """A store whose searches of runs begin at every place where the database may begin, which all find the same."""

    def __init__(self, store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self._store, self._monkeypatch = store, monkeypatch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def search_runs(self, *asked: Any, **given: Any) -> Any:
        return self._found("search_runs", *asked, **given)

    def count_runs(self, *asked: Any, **given: Any) -> Any:
        return self._found("count_runs", *asked, **given)

    def run_columns(self, *asked: Any, **given: Any) -> Any:
        return self._found("run_columns", *asked, **given)

    def _found(self, name: str, *asked: Any, **given: Any) -> Any:
        answers = []
        ways = [(0, 0), (5, 0), (25, 0.4), (walks.FEW, walks.WORTH)]  # with the last, sixty runs are always looked at one by one
        for few, worth in ways if name != "run_columns" else [ways[0], ways[-1]]:
            with self._monkeypatch.context() as patched:
                patched.setattr(walks, "FEW", few)
                patched.setattr(walks, "WORTH", worth)
                patched.setattr(walks, "SORTED", few)
                answers.append(getattr(self._store, name)(*asked, **given))
        assert all(one == answers[-1] or repr(one) == repr(answers[-1]) for one in answers)  # NaN equals nothing
        return answers[-1]

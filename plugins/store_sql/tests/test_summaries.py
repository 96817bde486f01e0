"""Summaries that are made when they are asked for are no different from a dict of them."""

from __future__ import annotations

import copy
import math
import pickle

import pytest

from drupe.entities import MetricSummary, RunData
from drupe_store_sql.summaries import Summaries

ROW = (7, 3, 2, 0.5, 0.25, 9, 1000, 0.25, 0.5, 0.375, 9, 4)  # run, key, and the columns of a summary
LOSS = MetricSummary(2, 0.5, 0.25, 9, 1000, 0.25, 0.5, 0.375, 9, 4)


@pytest.fixture
def summaries() -> Summaries:
    kept = Summaries()
    kept.keep("loss", ROW)
    return kept


def test_a_summary_is_made_of_its_row_once(summaries: Summaries) -> None:
    assert summaries["loss"] == LOSS
    assert summaries["loss"] is summaries["loss"]


def test_it_equals_a_dict_on_either_side_and_inside_of_a_run(summaries: Summaries) -> None:
    assert summaries == {"loss": LOSS}
    assert summaries == {"loss": LOSS}
    assert RunData(summaries=summaries) == RunData(summaries={"loss": LOSS})
    assert summaries != {"acc": LOSS}


def test_it_is_read_as_a_dict_is(summaries: Summaries) -> None:
    assert (list(summaries), len(summaries), "loss" in summaries, "acc" in summaries) == (["loss"], 1, True, False)
    assert summaries.get("acc") is None
    assert repr(summaries) == repr({"loss": LOSS})
    with pytest.raises(KeyError, match="acc"):
        summaries["acc"]


def test_null_is_nan(summaries: Summaries) -> None:
    summaries.keep("gone", (7, 4, 1, None, None, 0, 0, None, None, None, None, None))
    assert math.isnan(summaries["gone"].last)
    assert math.isnan(summaries["gone"].mean)
    assert summaries["gone"].argmin is None


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_it_can_be_copied_and_sent_to_another_process(summaries: Summaries, again: object) -> None:
    assert callable(again)
    assert again(summaries) == {"loss": LOSS}

"""Requests at the same time: predicted together where rows are independent, each with its own rows or its own error, none for ever."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest

import drupe
from drupe.models import infer_signature
from plugins.serving.tests.scoring import Scored

TABLE = pandas.DataFrame({"a": [0.2, 0.8, 0.4]})


class Held:
    """A model that waits before each prediction until it is let go, and remembers how many rows it was given."""

    def __init__(self) -> None:
        self.may_go, self.entered, self.rows = threading.Event(), threading.Event(), []

    def __call__(self, given: Any, params: Any = None) -> Any:
        self.rows.append(len(given))
        self.entered.set()
        assert self.may_go.wait(60)
        if (given["a"] > 100).any():
            raise ValueError("too large")
        return (given["a"] * 2).to_numpy()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("together") / "doubled"
    drupe.save_model(
        lambda given: given["a"] * 2,
        place,
        signature=infer_signature(TABLE),
        metadata={"rows_are_independent": True},
        pip_requirements=["pandas"],
    )
    return place


def held(folder: Path, **settings: Any) -> tuple[Scored, Held]:
    scored, model = Scored(folder, **settings), Held()
    scored.predictor._model.predict = model  # type: ignore[method-assign]
    return scored, model


def form(*values: Any) -> tuple[str, Any]:
    return "/invocations", {"dataframe_records": [{"a": value} for value in values]}


def ask_while_busy(scored: Scored, model: Held, requests: list[tuple[str, Any]]) -> Any:
    """Let a first request keep the model busy until the others wait for it; their answers."""

    async def ask() -> Any:
        first = asyncio.ensure_future(scored.send(*form(0.0)))
        await asyncio.to_thread(model.entered.wait, 60)
        others = [asyncio.ensure_future(scored.send(*request)) for request in requests]
        while scored.predictor.waiting < len(requests):
            await asyncio.sleep(0)
        model.may_go.set()
        return await asyncio.gather(first, *others)

    first, *others = scored.loop.run_until_complete(ask())
    assert first.predictions == [0.0]
    return others


def test_what_comes_while_the_model_is_busy_is_predicted_together(folder: Path) -> None:
    scored, model = held(folder)
    told = ask_while_busy(scored, model, [form(float(n), n + 0.5) for n in range(10)])
    assert [one.predictions for one in told] == [[2.0 * n, 2 * n + 1.0] for n in range(10)]
    assert model.rows == [1, 20]
    assert scored.predictor.batches == 2
    scored.close()


def test_a_batch_is_not_larger_than_it_may_be(folder: Path) -> None:
    scored, model = held(folder, batch_rows=4)
    told = ask_while_busy(scored, model, [form(float(n)) for n in range(9)])
    assert [one.predictions for one in told] == [[2.0 * n] for n in range(9)]
    assert max(model.rows) == 4
    scored.close()


def test_a_request_that_fails_does_not_touch_those_beside_it(folder: Path) -> None:
    scored, model = held(folder)
    told = ask_while_busy(scored, model, [form(1.0), form(101.0), form(2.0)])
    assert [one.status for one in told] == [200, 400, 200]
    assert told[2].predictions == [4.0]
    assert "ValueError: too large" in told[1].error
    assert scored.score(form("x")[1]).status == 400  # refused before it is anybody's neighbour
    scored.close()


def test_requests_are_predicted_alone_where_nobody_says_that_rows_are_independent(tmp_path: Path) -> None:
    drupe.save_model(
        lambda given: given["a"] - given["a"].mean(), tmp_path / "m", signature=infer_signature(TABLE), pip_requirements=["pandas"]
    )
    scored = Scored(tmp_path / "m")
    assert not scored.predictor.together
    told = scored.ask_all([form(1.0, 3.0), form(5.0, 9.0)])
    assert [one.predictions for one in told] == [[{"a": -1.0}, {"a": 1.0}], [{"a": -2.0}, {"a": 2.0}]]
    scored.close()


def test_what_is_said_of_rows_is_checked_on_the_example(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    example = pandas.DataFrame({"a": [1.0, 2.0]})
    told = {"rows_are_independent": True}
    drupe.save_model(lambda given: given["a"].cumsum(), tmp_path / "m", input_example=example, metadata=told, pip_requirements=["pandas"])
    scored = Scored(tmp_path / "m")
    assert not scored.predictor.together
    assert "depend on the rows beside it" in caplog.text
    scored.close()
    drupe.save_model(lambda given: [given["a"].sum()], tmp_path / "n", input_example=example, metadata=told, pip_requirements=["pandas"])
    scored = Scored(tmp_path / "n")
    assert not scored.predictor.together
    scored.close()


def test_a_model_that_stops_giving_a_prediction_for_each_row_is_asked_alone_from_then_on(folder: Path) -> None:
    scored, model = held(folder)
    scored.predictor._model.predict = lambda given, params=None: [7] if len(given) != 1 else model(given).tolist()  # type: ignore[method-assign]
    told = ask_while_busy(scored, model, [form(1.0), form(2.0)])
    assert [one.predictions for one in told] == [[2.0], [4.0]]
    assert not scored.predictor.together
    scored.close()


def test_a_prediction_that_takes_too_long_is_answered_and_its_thread_replaced(folder: Path) -> None:
    scored, model = held(folder, timeout=0.05)
    told = scored.ask(*form(1.0))
    assert (told.status, told.json["error_code"]) == (504, "DEADLINE_EXCEEDED")
    assert "took longer than the 0.05 s" in told.error
    assert scored.predictor.lost == 1
    assert "drupe_model_lost 1" in scored.get("/metrics").body.decode()
    scored.predictor._model.predict = lambda given, params=None: numpy.ones(len(given))  # type: ignore[method-assign]
    scored.predictor._timeout_s = 60.0
    assert scored.ask(*form(1.0)).predictions == [1.0]
    model.may_go.set()
    while scored.predictor.lost:
        scored.get("/ping")
    scored.close()


def test_after_eight_lost_predictions_the_server_is_not_ready(folder: Path) -> None:
    scored, model = held(folder, timeout=0.02, batching="off", threads=1)
    for _ in range(9):
        assert scored.ask(*form(1.0)).status == 504
    assert scored.get("/ping").status == 503
    told = scored.ask(*form(1.0))
    assert (told.status, told.headers["retry-after"]) == (503, "1")
    model.may_go.set()
    scored.close()


def test_more_requests_than_may_wait_are_told_to_come_again(folder: Path) -> None:
    scored, model = held(folder, max_waiting=3)
    threading.Thread(target=lambda: model.entered.wait(60) and model.may_go.set()).start()
    told = scored.ask_all([form(float(n)) for n in range(6)])
    refused = [one for one in told if one.status == 503]
    assert len(refused) == 3
    assert refused[0].headers["retry-after"] == "1"
    assert {one.status for one in told} == {200, 503}
    scored.close()


def test_params_that_differ_are_not_predicted_together(tmp_path: Path) -> None:
    from drupe.models import ModelSignature, ParamSchema, ParamSpec

    signature = ModelSignature(infer_signature(TABLE).inputs, params=ParamSchema([ParamSpec("k", "long", 1)]))
    told = {"rows_are_independent": True}
    drupe.save_model(
        lambda given, params: given["a"].to_numpy() * params["k"],
        tmp_path / "m",
        signature=signature,
        metadata=told,
        pip_requirements=["pandas"],
    )
    scored = Scored(tmp_path / "m")
    asked = [("/invocations", {"inputs": {"a": [1.0]}, "params": {"k": k}}) for k in (1, 2, 2, 3)]
    assert [one.predictions for one in scored.ask_all(asked)] == [[1.0], [2.0], [2.0], [3.0]]
    scored.close()


def test_arrays_are_predicted_together_too(tmp_path: Path) -> None:
    array = numpy.array([[1.0, 2.0]])
    told = {"rows_are_independent": True}
    drupe.save_model(lambda given: given.sum(axis=1), tmp_path / "m", input_example=array, metadata=told, pip_requirements=["pandas"])
    scored = Scored(tmp_path / "m")
    assert scored.predictor.together
    told_by = scored.ask_all([("/invocations", {"inputs": [[float(n), 1.0]]}) for n in range(5)])
    assert [one.predictions for one in told_by] == [[n + 1.0] for n in range(5)]
    assert scored.predictor.batches < 5
    scored.close()


def test_an_ending_server_is_not_ready_and_takes_nothing_more(folder: Path) -> None:
    scored = Scored(folder)
    scored.app.is_ready = False
    assert scored.get("/v2/health/ready").status == 503
    assert scored.get("/v2/health/live").json == {"live": True}
    scored.close()

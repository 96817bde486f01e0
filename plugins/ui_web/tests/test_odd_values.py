"""What people log and keep is told whatever it is: numbers at the ends of what floats hold, times that no calendar has, halves of characters."""

from __future__ import annotations

import json
import math

import pytest

from drupe_ui_web.figures import mean_of
from plugins.server_rest.tests.served import Served

from .conftest import Ui

HUGE = 1e308
AFTER_ALL_CALENDARS = 1 << 62


@pytest.fixture(scope="module")
def odd(server: Served) -> str:
    """A run with odd values in an experiment of its own, beside one with ordinary ones; its id."""
    experiment = server.post("experiments/create", name="odd")["experiment_id"]
    for sign, start in ((1, 1), (-1, AFTER_ALL_CALENDARS)):
        made = server.post("runs/create", experiment_id=experiment, run_name="odd", start_time=start)
        run_id = str(made["run"]["info"]["run_id"])
        metrics = [
            {"key": "loss", "value": sign * HUGE, "timestamp": 1, "step": 0},
            {"key": "gone", "value": "NaN", "timestamp": 1, "step": 0},
        ]
        server.post("runs/log-batch", run_id=run_id, metrics=metrics, params=[{"key": "lr", "value": "x"}])
    server.put_file(f"{experiment}/{run_id}/artifacts/half.json", b'{"columns": ["\\ud800"], "data": [["\\udfff"]]}')
    server.put_file(f"{experiment}/{run_id}/artifacts/environment/environment.json", b'{"a":' * 50_000)
    server.put_file(
        f"{experiment}/{run_id}/artifacts/model/MLmodel",
        b"flavors: {python_function: {2020-01-01: x, inside: {2020-01-01: y}}}\nmetadata: {both: {1: a, b: c}}\n",
    )
    return run_id


def experiment_of(ui: Ui, run_id: str) -> list[str]:
    return [ui.get("run", run_id=run_id)["run"]["info"]["experiment_id"]]


def test_groups_of_the_largest_numbers_have_a_mean(ui: Ui, odd: str) -> None:
    told = ui.post("groups", experiments=experiment_of(ui, odd), group="params.lr", columns=["metrics.loss", "metrics.gone"])["columns"]
    assert told["metrics.loss"] == {"mean": [0.0], "std": [pytest.approx(math.sqrt(2) * HUGE)], "n": [2]}
    assert told["metrics.gone"] == {"mean": [None], "std": [None], "n": [0]}


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([HUGE, HUGE], (HUGE, 0.0)),
        ([1e200, 3e200], (2e200, math.sqrt(2) * 1e200)),
        ([HUGE, 1.7e308, -1.7e308], (pytest.approx(HUGE / 3), math.inf)),
        ([2.0, 4.0], (3.0, math.sqrt(2))),
    ],
)
def test_means_and_deviations_do_not_overflow_before_they_must(values: list[float], told: tuple[float, float]) -> None:
    mean, std = mean_of(values)
    assert (mean, std) == (told[0], pytest.approx(told[1]))


def test_a_time_that_no_calendar_has_is_exported_as_a_number(ui: Ui, odd: str) -> None:
    reply = ui.ask("export", of=json.dumps({"experiments": experiment_of(ui, odd)}))
    assert reply.status == 200
    starts = sorted(row.split(",")[3] for row in reply.body.decode().splitlines()[1:])
    assert starts == ["1970-01-01T00:00:00.001+00:00", str(AFTER_ALL_CALENDARS)]


def test_halves_of_characters_in_a_table_are_told_as_json_writes_them(ui: Ui, odd: str) -> None:
    told = ui.get("preview", run_id=odd, path="half.json")
    assert (told["columns"][0]["name"], told["rows"]) == ("\ud800", [["\udfff"]])


def test_an_environment_that_is_nested_without_end_is_passed_over(ui: Ui, odd: str) -> None:
    told = ui.post("compared-files", runs=[odd])
    assert (told["faults"], [row for row in told["rows"] if row["section"] == "environment"]) == ([""], [])


def test_a_model_with_dates_for_keys_is_shown_and_compared(ui: Ui, odd: str) -> None:
    (flavor,) = ui.get("model", run_id=odd, folder="model")["flavors"]
    assert dict(flavor["keys"]) == {"2020-01-01": "x", "inside": "{datetime.date(2020, 1, 1): 'y'}"}
    (row,) = [
        row
        for row in ui.get("differences", run_id=odd, folder="model", with_run_id=odd, with_folder="model")["rows"]
        if row["section"] == "metadata"
    ]
    assert (row["key"], row["differs"]) == ("both", False)


def test_importance_is_of_metrics_alone(ui: Ui, odd: str) -> None:
    reply = ui.send("importance", experiments=experiment_of(ui, odd), metric="params.lr", params=["params.lr"])
    assert (reply.status, reply.error) == (400, "INVALID_PARAMETER_VALUE")
    assert "'metric' must name a metric, such as metrics.loss, got 'params.lr'" in reply.json["message"]

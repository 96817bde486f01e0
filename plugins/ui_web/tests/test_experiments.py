"""The list of all experiments."""

from __future__ import annotations

from plugins.server_rest.tests.served import Served

from .conftest import Ui


def test_experiments_come_by_name_in_columns_with_their_runs(ui: Ui, server: Served) -> None:
    for name, tags in (
        ("vision/detector", [{"key": "team", "value": "red"}, {"key": "mlflow.note.content", "value": "A *note*"}]),
        ("audio", []),
    ):
        server.post("experiments/create", name=name, tags=tags)
    for start in (5, 9, 7):
        server.post("runs/create", experiment_id="1", start_time=start)
    server.post("runs/delete", run_id=server.new_run("1"))
    told = ui.get("experiments")
    assert told["names"] == ["Default", "audio", "vision/detector"]
    assert told["ids"] == ["0", "2", "1"]
    assert told["runs"] == [0, 0, 3]
    assert told["newest"] == [None, None, 9]
    assert told["tags"] == [{}, {}, {"team": "red"}]
    assert told["notes"] == ["", "", "A *note*"]
    assert told["is_cut"] is False


def test_deleted_experiments_are_in_the_trash(ui: Ui, server: Served) -> None:
    made = server.post("experiments/create", name="old")["experiment_id"]
    server.new_run(made)
    server.post("experiments/delete", experiment_id=made)
    trash = ui.get("experiments", view="deleted")
    assert (trash["names"], trash["runs"]) == (["old"], [1])
    assert "old" not in ui.get("experiments")["names"]


def test_an_unknown_view_is_refused(ui: Ui) -> None:
    assert ui.refused("experiments", view="sideways") == "INVALID_PARAMETER_VALUE"

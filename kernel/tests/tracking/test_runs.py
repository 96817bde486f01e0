"""The life of runs through the fluent API."""

from __future__ import annotations

import asyncio
import math
import threading
from contextlib import suppress
from pathlib import Path

import pytest

import drupe
from drupe.errors import InvalidName, InvalidValue, NoActiveRun, ParamConflict, RunNotFound, ValueTooLong, WrongLifecycle


def test_a_run_as_a_context_manager_keeps_what_was_logged_and_ends_finished() -> None:
    with drupe.start_run(run_name="first", tags={"team": "x"}, description="why") as run:
        drupe.log_param("lr", 0.1)
        drupe.log_params({"depth": 3, "flag": True})
        drupe.log_metric("loss", 0.5, step=0)
        drupe.log_metrics({"loss": 0.25, "acc": 0.75}, step=1)
        drupe.set_tag("note", "hello")
        drupe.set_tags({"a": 1, "b": None})
    found = drupe.get_run(run.info.run_id)
    assert found.info.status == "FINISHED"
    assert found.info.run_name == "first"
    assert found.info.end_time is not None
    assert found.info.end_time >= found.info.start_time
    assert found.data.params == {"lr": "0.1", "depth": "3", "flag": "True"}
    assert found.data.metrics == {"loss": 0.25, "acc": 0.75}
    assert found.data.summaries["loss"].first == 0.5
    assert {key: found.data.tags[key] for key in ("team", "note", "a", "b", "mlflow.note.content", "mlflow.runName")} == {
        "team": "x",
        "note": "hello",
        "a": "1",
        "b": "None",
        "mlflow.note.content": "why",
        "mlflow.runName": "first",
    }
    assert drupe.active_run() is None
    assert drupe.last_active_run().info.run_id == run.info.run_id


def test_the_last_active_run_is_the_active_one_else_the_one_that_ended_last() -> None:
    with drupe.start_run(run_name="outer"):
        with drupe.start_run(run_name="inner", nested=True):
            assert drupe.last_active_run().info.run_name == "inner"
        assert drupe.last_active_run().info.run_name == "outer"
    assert drupe.last_active_run().info.run_name == "outer"


@pytest.mark.parametrize(("fault", "status"), [(None, "FINISHED"), (ValueError("x"), "FAILED"), (KeyboardInterrupt(), "KILLED")])
def test_runs_that_were_left_open_in_a_block_end_with_it(fault: BaseException | None, status: str) -> None:
    opened = []
    with suppress(ValueError, KeyboardInterrupt), drupe.start_run(run_name="before"), drupe.start_run(nested=True) as outer:
        opened = [outer, drupe.start_run(nested=True), drupe.start_run(nested=True)]
        if fault is not None:
            raise fault
    assert [drupe.get_run(run.info.run_id).info.status for run in opened] == [status] * 3
    assert drupe.active_run() is None


def test_a_second_interrupt_while_a_run_ends_does_not_leave_it_running(monkeypatch: pytest.MonkeyPatch) -> None:
    run = drupe.start_run()

    def interrupted(run_id: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("drupe.tracking.fluent.finish_capture", interrupted)
    with pytest.raises(KeyboardInterrupt):
        drupe.end_run("KILLED")
    assert drupe.get_run(run.info.run_id).info.status == "KILLED"


def test_a_parent_has_to_be_there_and_not_deleted() -> None:
    with pytest.raises(RunNotFound):
        drupe.start_run(parent_run_id="f" * 32)
    with drupe.start_run() as parent:
        pass
    drupe.delete_run(parent.info.run_id)
    with pytest.raises(WrongLifecycle, match="drupe runs restore"):
        drupe.start_run(parent_run_id=parent.info.run_id)
    assert drupe.active_run() is None


def test_logging_without_a_run_starts_one_in_the_default_experiment() -> None:
    drupe.log_metric("loss", 1)
    run = drupe.active_run()
    assert run is not None
    assert run.info.experiment_id == "0"
    drupe.end_run()
    assert drupe.get_run(run.info.run_id).info.status == "FINISHED"


@pytest.mark.parametrize(
    ("fault", "status"),
    [(ValueError("x"), "FAILED"), (KeyboardInterrupt(), "KILLED"), (SystemExit(1), "FAILED"), (SystemExit(0), "FINISHED")],
)
def test_an_exception_ends_the_run_with_the_status_that_it_means(fault: BaseException, status: str) -> None:
    with pytest.raises(type(fault)), drupe.start_run() as run:
        raise fault
    assert drupe.get_run(run.info.run_id).info.status == status


def test_a_second_run_must_say_that_it_is_nested() -> None:
    with drupe.start_run() as outer:
        with pytest.raises(NoActiveRun, match="nested=True"):
            drupe.start_run()
        with drupe.start_run(nested=True) as inner:
            assert drupe.active_run() is inner
        assert drupe.active_run() is outer
    assert drupe.get_run(inner.info.run_id).data.tags["mlflow.parentRunId"] == outer.info.run_id
    assert drupe.get_parent_run(inner.info.run_id).info.run_id == outer.info.run_id
    assert drupe.get_parent_run(outer.info.run_id) is None


def test_a_run_is_taken_up_again_by_its_id() -> None:
    with drupe.start_run() as run:
        drupe.log_param("a", 1)
    with drupe.start_run(run_id=run.info.run_id, tags={"again": "yes"}) as same:
        assert drupe.get_run(run.info.run_id).info.status == "RUNNING"
        drupe.log_metric("m", 1)
    found = drupe.get_run(run.info.run_id)
    assert same.info.run_id == run.info.run_id
    assert (found.info.status, found.data.tags["again"], found.data.metrics["m"]) == ("FINISHED", "yes", 1.0)


def test_a_deleted_run_cannot_be_taken_up_until_it_is_restored() -> None:
    with drupe.start_run() as run:
        pass
    drupe.delete_run(run.info.run_id)
    with pytest.raises(WrongLifecycle, match="drupe runs restore"):
        drupe.start_run(run_id=run.info.run_id)
    drupe.restore_run(run.info.run_id)
    with drupe.start_run(run_id=run.info.run_id):
        pass


def test_taking_up_an_unknown_run_or_one_of_another_experiment_is_refused() -> None:
    with pytest.raises(RunNotFound):
        drupe.start_run(run_id="0" * 32)
    with drupe.start_run() as run:
        pass
    other = drupe.create_experiment("other")
    with pytest.raises(InvalidValue, match="belongs to experiment 0"):
        drupe.start_run(run_id=run.info.run_id, experiment_id=other)


def test_the_environment_names_the_run_for_the_first_start_only(monkeypatch: pytest.MonkeyPatch) -> None:
    with drupe.start_run() as run:
        pass
    drupe.tracking.chosen.reset()
    drupe.settings.reset()
    monkeypatch.setenv("MLFLOW_RUN_ID", run.info.run_id)
    with drupe.start_run() as again:
        assert again.info.run_id == run.info.run_id
    with drupe.start_run() as another:
        assert another.info.run_id != run.info.run_id


def test_each_thread_has_its_own_active_run() -> None:
    seen: dict[str, str | None] = {}

    def work(name: str) -> None:
        seen[name + " before"] = drupe.active_run() and drupe.active_run().info.run_id
        with drupe.start_run(run_name=name) as run:
            barrier.wait(60)
            drupe.log_param("who", name)
            seen[name] = run.info.run_id

    barrier = threading.Barrier(3)
    with drupe.start_run(run_name="main") as outer:
        threads = [threading.Thread(target=work, args=(name,)) for name in ("a", "b", "c")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert drupe.active_run() is outer
    assert [seen[name + " before"] for name in "abc"] == [None, None, None]
    assert len({seen["a"], seen["b"], seen["c"], outer.info.run_id}) == 4
    assert [drupe.get_run(str(seen[name])).data.params["who"] for name in "abc"] == ["a", "b", "c"]


def test_each_async_task_has_its_own_active_run() -> None:
    async def work(name: str) -> str:
        with drupe.start_run(run_name=name, nested=True) as run:
            await asyncio.sleep(0)
            drupe.log_param("who", name)
            await asyncio.sleep(0)
            assert drupe.active_run() is run
        return run.info.run_id

    async def both() -> list[str]:
        return await asyncio.gather(work("a"), work("b"))

    ids = asyncio.run(both())
    assert [drupe.get_run(run_id).data.params for run_id in ids] == [{"who": "a"}, {"who": "b"}]


def test_a_run_stays_with_its_store_when_the_address_changes(workspace: Path) -> None:
    drupe.set_tracking_uri(f"sqlite:///{workspace}/one.db")
    with drupe.start_run() as run:
        drupe.set_tracking_uri(f"sqlite:///{workspace}/two.db")
        drupe.log_metric("m", 1)
    assert drupe.Client(f"sqlite:///{workspace}/one.db").get_run(run.info.run_id).data.metrics == {"m": 1.0}
    assert drupe.search_runs(search_all_experiments=True, output_format="list") == []


def test_a_param_never_changes_and_the_error_says_both_values() -> None:
    with drupe.start_run() as run:
        drupe.log_param("lr", 0.1)
        drupe.log_param("lr", 0.1)
        with pytest.raises(ParamConflict, match=r"0\.1.*0\.2"):
            drupe.log_params({"new": 1, "lr": 0.2})
        assert drupe.get_run(run.info.run_id).data.params == {"lr": "0.1"}


@pytest.mark.parametrize("key", [math.nan, None, "", "a//b", "../a", "a;b", "x" * 251, "/a"])
def test_a_bad_name_is_one_clear_error_and_nothing_is_written(key: object) -> None:
    with drupe.start_run() as run:
        for log in (drupe.log_param, drupe.log_metric, drupe.set_tag):
            with pytest.raises((InvalidName, ValueTooLong)):
                log(key, 1)  # type: ignore[operator]
        found = drupe.get_run(run.info.run_id)
        assert found.data.params == {}
        assert found.data.metrics == {}


def test_a_tag_of_ten_megabytes_is_refused_with_a_way_out() -> None:
    with drupe.start_run() as run:
        with pytest.raises(ValueTooLong, match="log_text"):
            drupe.set_tag("big", "x" * 10_000_000)
        drupe.set_tag("long", "x" * 9000)
        assert drupe.get_run(run.info.run_id).data.tags["long"] == "x" * 8000


@pytest.mark.parametrize("value", ["high", None, [1], object()])
def test_a_metric_that_is_not_a_number_is_refused(value: object) -> None:
    with drupe.start_run(), pytest.raises(InvalidValue, match="needs a number"):
        drupe.log_metric("m", value)  # type: ignore[arg-type]


def test_nan_and_infinities_are_values() -> None:
    with drupe.start_run() as run:
        drupe.log_metrics({"a": math.nan, "b": math.inf, "c": -math.inf})
    metrics = drupe.get_run(run.info.run_id).data.metrics
    assert math.isnan(metrics["a"])
    assert (metrics["b"], metrics["c"]) == (math.inf, -math.inf)


def test_history_and_series_give_every_point() -> None:
    with drupe.start_run() as run:
        for step in range(5):
            drupe.log_metric("loss", 1 / (step + 1), step=step, timestamp=1000 + step)
    history = drupe.get_metric_history(run.info.run_id, "loss")
    assert [(point.step, point.timestamp, point.value) for point in history] == [
        (0, 1000, 1.0),
        (1, 1001, 0.5),
        (2, 1002, 1 / 3),
        (3, 1003, 0.25),
        (4, 1004, 0.2),
    ]
    (series,) = drupe.Client().get_metric_series([run.info.run_id], ["loss"])
    assert list(series.points.values) == [1.0, 0.5, 1 / 3, 0.25, 0.2]

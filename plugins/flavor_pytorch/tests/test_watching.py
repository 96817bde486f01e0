"""Plain loops: what is logged at which step, what is kept, and what a step costs."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

import drupe
from drupe.entities import RunStatus
from drupe.errors import InvalidValue


@pytest.fixture(autouse=True, scope="module")
def _late(with_torch: None) -> None:
    """Imported by the first of these tests, not whenever tests are collected."""
    global torch, Net
    import torch
    from nets_of_torch_tests import Net


def points(run_id: str, key: str) -> list[tuple[int, float]]:
    return [(point.step, point.value) for point in drupe.get_metric_history(run_id, key)]


@pytest.fixture
def model() -> Any:
    torch.manual_seed(0)
    return Net()


def test_a_loop_is_logged_with_rates_norms_epochs_and_checkpoints(drupe_workspace: Path, model: Any) -> None:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1)
    watched = drupe.pytorch.watch(
        model, optimizer, scheduler=scheduler, log_every_n_step=2, gradient_norms=True, checkpoint="epoch", monitor="val_loss", keep_best=1
    )
    with watched as training:
        for epoch in training.epochs(3):
            for _ in range(2):
                loss = model(torch.ones(4, 3)).square().sum()
                loss.backward()
                optimizer.step()
                training.step(loss=loss, rows=4)
                optimizer.zero_grad()
            scheduler.step()
            training.end_epoch(val_loss=[0.3, 0.1, 0.2][epoch])
    run = drupe.get_run(training.run_id)
    assert run.info.status == RunStatus.FINISHED
    assert {run.data.params[name] for name in ("optimizer_name", "lr", "momentum")} == {"SGD", "0.5", "0.9"}
    assert [step for step, _ in points(training.run_id, "loss")] == [2, 4, 6]
    assert points(training.run_id, "learning_rate") == [(2, 0.5), (4, 0.05), (6, pytest.approx(0.005))]
    assert all(value > 0 for _, value in points(training.run_id, "gradient_norm"))
    assert points(training.run_id, "val_loss") == [(0, 0.3), (1, 0.1), (2, 0.2)]
    assert {"epoch_seconds", "steps_per_s", "rows_per_s"} <= set(run.data.metrics)
    kept = drupe.pytorch.list_checkpoints(training.run_id)
    assert [(one.epoch, one.global_step) for one in kept] == [(2, 4), (3, 6)]
    summary = Path(drupe.download_artifacts(run_id=training.run_id, artifact_path="model_summary.txt")).read_text()
    assert "26 parameters" in summary


def test_a_loop_joins_the_active_run_and_leaves_its_params(drupe_workspace: Path, model: Any) -> None:
    with drupe.start_run() as run:
        drupe.log_param("lr", "mine")
        with drupe.pytorch.watch(model, torch.optim.SGD(model.parameters(), lr=0.5)) as training:
            training.step(loss=1)
        assert drupe.active_run() is run
    assert training.run_id == run.info.run_id
    assert drupe.get_run(run.info.run_id).data.params["lr"] == "mine"


def test_a_loop_that_fails_fails_its_run(drupe_workspace: Path, model: Any) -> None:
    with pytest.raises(ZeroDivisionError), drupe.pytorch.watch(model) as training:
        training.step(loss=1 / 0)
    assert drupe.get_run(training.run_id).info.status == RunStatus.FAILED


def test_a_step_costs_little(drupe_workspace: Path, model: Any) -> None:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    with drupe.pytorch.watch(model, optimizer) as training:
        best = 1.0
        for _ in range(20):
            begun = perf_counter()
            for _ in range(100):
                training.step(loss=0.5)
            best = min(best, (perf_counter() - begun) / 100)
    assert best < 0.001  # some 10 µs on an idle machine; a call to a store would be more than this


@pytest.mark.parametrize("given", [{"log_every_n_step": 0}, {"checkpoint": "step"}, {"checkpoint": 0}])
def test_bad_wishes_are_told(given: dict[str, Any], model: Any) -> None:
    with pytest.raises(InvalidValue, match=next(iter(given))):
        drupe.pytorch.watch(model, **given)

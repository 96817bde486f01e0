"""What is logged of a fit of Lightning: params, metrics of steps and epochs, checkpoints, summary, model; and what is put back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import drupe
from drupe.errors import InvalidSettings
from drupe.tracking.autolog.switch import reset

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")


@pytest.fixture(autouse=True, scope="module")
def _late(with_lightning: None) -> None:
    """Imported by the first of these tests, not whenever tests are collected."""
    global EarlyStopping, Regression, X, fit, loader
    from lightning.pytorch.callbacks import EarlyStopping
    from lightning_net_of_tests import Regression, X, fit, loader


@pytest.fixture(autouse=True)
def _off_again() -> Any:
    yield
    reset()


def points(run_id: str, key: str) -> list[int]:
    return [point.step for point in drupe.get_metric_history(run_id, key)]


def the_run() -> Any:
    (run,) = drupe.search_runs(output_format="list", search_all_experiments=True)
    return run


def test_a_fit_is_logged_with_steps_epochs_checkpoints_and_model(workspace: Path) -> None:
    drupe.pytorch.autolog(log_every_n_step=2)
    early = EarlyStopping("val_loss", patience=3)
    trainer, module = fit(max_epochs=2, callbacks=[early])
    trainer.test(module, loader())
    run = the_run()
    run_id = run.info.run_id
    shown = {name: run.data.params[name] for name in ("epochs", "optimizer_name", "lr", "monitor", "patience")}
    assert shown == {"epochs": "2", "optimizer_name": "SGD", "lr": "0.1", "monitor": "val_loss", "patience": "3"}
    assert (points(run_id, "train_loss_step"), points(run_id, "train_loss_epoch"), points(run_id, "val_loss")) == (
        [2, 4, 6],
        [0, 1],
        [0, 1],
    )
    assert "test_loss" in run.data.metrics
    (made,) = run.outputs.model_outputs
    measured = {one.key: one.step for one in drupe.get_logged_model(made.model_id).metrics}
    assert (measured["val_loss"], measured["test_loss"]) == (1, 0)
    assert trainer.callbacks.count(early) == 1
    assert [type(one).__name__ for one in trainer.callbacks] == ["EarlyStopping"]
    assert not module._forward_pre_hooks
    (kept,) = drupe.pytorch.list_checkpoints(run_id)  # the best alone
    again = drupe.pytorch.load_checkpoint(Regression, run_id, epoch=kept.epoch)
    assert again.hparams["hidden"] == 4
    summary = Path(drupe.download_artifacts(run_id=run_id, artifact_path="model_summary.txt")).read_text()
    assert "21 parameters" in summary
    loaded = drupe.load_model(f"runs:/{run_id}/model")
    assert loaded.config["serialization_format"] == "pt2"
    np.testing.assert_allclose(loaded.predict(X.numpy()), module.eval()(X).detach().numpy(), atol=1e-6)


def test_every_checkpoint_is_kept_on_request_and_the_latest_without_the_monitor(workspace: Path) -> None:
    drupe.pytorch.autolog(log_models=False, checkpoint_save_best_only=False, checkpoint_save_weights_only=True, checkpoint_save_freq=2)
    fit(max_epochs=2)
    kept = drupe.pytorch.list_checkpoints(the_run().info.run_id)
    assert [(one.global_step, one.path) for one in kept] == [
        (step, f"checkpoints/global_step_{step}/checkpoint.weights.pth") for step in (2, 4, 6)
    ]
    drupe.pytorch.autolog(log_models=False, checkpoint_monitor="accuracy", silent=True)
    with drupe.start_run() as run:
        fit(max_epochs=2)
    assert [one.epoch for one in drupe.pytorch.list_checkpoints(run.info.run_id)] == [1]


@pytest.mark.parametrize("given", [{"checkpoint_mode": "least"}, {"checkpoint_save_freq": "step"}, {"log_every_n_epoch": 0}])
def test_bad_options_are_told(given: dict[str, Any]) -> None:
    with pytest.raises(InvalidSettings, match=next(iter(given))):
        drupe.pytorch.autolog(**given)

"""Checkpoints are whole or absent, load as weights only, and a training that was killed goes on from the last as if nothing had happened."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import drupe
from drupe.artifacts.repos import repo_for
from drupe.errors import ArtifactCorrupt, ArtifactNotFound, InvalidValue, UntrustedModel
from drupe.uris import ArtifactPath


@pytest.fixture(autouse=True, scope="module")
def _late(with_torch: None) -> None:
    """Imported by the first of these tests, not whenever tests are collected."""
    global torch, Net, seal
    import torch
    from nets_of_torch_tests import Net

    from drupe_flavor_pytorch.checkpoints import seal


def trained() -> tuple[Any, Any]:
    model = Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    model(torch.ones(2, 3)).sum().backward()
    optimizer.step()
    return model, optimizer


def steps(found: Any) -> list[int]:
    return [one.global_step for one in found]


def test_a_checkpoint_brings_model_optimizer_and_random_numbers_back(drupe_workspace: Path) -> None:
    model, optimizer = trained()
    with drupe.start_run() as run:
        drupe.pytorch.log_checkpoint(model, optimizer, epoch=2, global_step=7, metrics={"loss": torch.tensor(0.5)}, extra={"seen": [1, 2]})
        expected = torch.rand(1)
    found = drupe.pytorch.load_checkpoint(run_id=run.info.run_id)
    assert (found.epoch, found.global_step, dict(found.metrics)) == (2, 7, {"loss": 0.5})
    again, other = Net(), torch.optim.Adam(Net().parameters(), lr=1.0)
    assert found.restore(again, other) == {"seen": [1, 2]}
    assert torch.equal(torch.rand(1), expected)
    assert all(torch.equal(one, two) for one, two in zip(model.parameters(), again.parameters(), strict=True))
    assert other.param_groups[0]["lr"] == 0.01
    assert drupe.get_run(run.info.run_id).data.tags["mlflow.latest_checkpoint_artifact"] == "checkpoints/global_step_7/checkpoint.pth"
    with drupe.start_run(run_id=run.info.run_id):
        assert isinstance(drupe.pytorch.load_checkpoint(Net, epoch=2), Net)


def test_the_best_and_the_last_are_kept(tmp_path: Path) -> None:
    model, _ = trained()
    for step, loss in enumerate([0.9, 0.3, 0.5, float("nan"), 0.4, 0.8]):
        drupe.pytorch.save_checkpoint(tmp_path, model, global_step=step, metrics={"loss": loss}, monitor="loss", keep_best=2, keep_last=1)
    assert steps(drupe.pytorch.list_checkpoints(path=tmp_path)) == [1, 4, 5]
    assert drupe.pytorch.load_checkpoint(path=tmp_path, monitor="loss").global_step == 1
    assert sorted(folder.name for folder in tmp_path.iterdir()) == ["global_step_1", "global_step_4", "global_step_5"]
    with pytest.raises(ArtifactNotFound, match="there is global_step_1, global_step_4, global_step_5"):
        drupe.pytorch.load_checkpoint(path=tmp_path, global_step=2)


def test_half_a_checkpoint_is_none(tmp_path: Path) -> None:
    model, _ = trained()
    drupe.pytorch.save_checkpoint(tmp_path, model, epoch=1)
    drupe.pytorch.save_checkpoint(tmp_path, model, epoch=2)
    (tmp_path / "epoch_2" / "checkpoint_metrics.json").unlink()
    assert [one.epoch for one in drupe.pytorch.list_checkpoints(path=tmp_path)] == [1]
    file = tmp_path / "epoch_1" / "checkpoint.pth"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(ArtifactCorrupt, match=r"epoch_1/checkpoint\.pth"):
        drupe.pytorch.load_checkpoint(path=tmp_path).state()


TRAINING = """
import os, signal, sys
import drupe, torch
torch.manual_seed(0)
model = torch.nn.Linear(3, 1)
optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
die_at, run_id = int(sys.argv[1]), sys.argv[2] or None
with drupe.start_run(run_id=run_id) as run:
    print(run.info.run_id, flush=True)
    with drupe.pytorch.watch(model, optimizer, checkpoint=2, resume=True) as training:
        while training.global_step < 9:
            optimizer.zero_grad()
            loss = (model(torch.rand(8, 3)) - 1).square().mean()
            loss.backward()
            optimizer.step()
            training.step(loss=loss)
            if training.global_step == die_at:
                os.kill(os.getpid(), signal.SIGKILL)
print(loss.item())
"""


@pytest.mark.usefixtures("quick_nets")
def test_a_killed_training_goes_on_and_ends_as_if_it_had_not_been(
    drupe_workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done = subprocess.run([sys.executable, "-c", TRAINING, "5", ""], capture_output=True, text=True, check=False)
    assert done.returncode == -9, done.stderr
    run_id = done.stdout.strip()

    def train(in_run: str) -> str:
        monkeypatch.setattr(sys, "argv", ["", "0", in_run])
        exec(TRAINING, {})
        return capsys.readouterr().out.split()[-1]

    assert train(run_id) == train("")
    history = {point.step: point.value for point in drupe.get_metric_history(run_id, "loss")}
    assert sorted(history) == [1, 2, 3, 4, 5, 6, 7, 8, 9]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "needs epoch= or global_step="),
        ({"epoch": -1}, "epoch is a whole number from 0"),
        ({"epoch": 1, "mode": "least"}, "'min' .* or 'max'"),
        ({"epoch": 1, "keep_best": 1}, "keep_best needs monitor="),
        ({"epoch": 1, "keep_last": 0}, "keep_last is a whole number from 1"),
        ({"epoch": 1, "metrics": {"loss": "low"}}, "the metric 'loss' of a checkpoint is a number"),
        ({"epoch": 1, "extra": Path("x")}, "holds tensors and plain values"),
    ],
)
def test_bad_wishes_are_told(given: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match=words):
        drupe.pytorch.save_checkpoint(tmp_path / "c", Net(), **given)
    assert not (tmp_path / "c").exists()


def test_what_a_checkpoint_lacks_or_does_not_fit_is_told(tmp_path: Path) -> None:
    drupe.pytorch.save_checkpoint(tmp_path, Net(), epoch=1)
    found = drupe.pytorch.load_checkpoint(path=tmp_path)
    with pytest.raises(InvalidValue, match="was written without optimizer; it has model, random"):
        found.restore(Net(), torch.optim.SGD(Net().parameters()))
    with pytest.raises(InvalidValue, match="does not fit this Net"):
        found.restore(Net(5))
    with pytest.raises(InvalidValue, match="no run is active"):
        drupe.pytorch.list_checkpoints()


def test_state_dicts_under_mlflows_names(drupe_workspace: Path, tmp_path: Path) -> None:
    with drupe.start_run() as run:
        drupe.pytorch.log_state_dict({"model": Net().state_dict(), "epoch": 3}, artifact_path="state")
    assert drupe.pytorch.load_state_dict(f"runs:/{run.info.run_id}/state")["epoch"] == 3
    drupe.pytorch.save_state_dict({"place": tmp_path}, tmp_path / "s")
    with pytest.raises(UntrustedModel, match="weights_only=False loads it"):
        drupe.pytorch.load_state_dict(tmp_path / "s")
    assert drupe.pytorch.load_state_dict(tmp_path / "s", weights_only=False) == {"place": tmp_path}
    with pytest.raises(InvalidValue, match="a state dict is a dict"):
        drupe.pytorch.save_state_dict([1], tmp_path / "t")


class Unpickles:
    """What Lightning's modules do with a file of this machine."""

    @classmethod
    def load_from_checkpoint(cls, file: Path, weights_only: bool | None = None) -> Any:
        return torch.load(file, weights_only=bool(weights_only))


class Touches:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return Path.touch, (self.marker,)


def test_a_module_that_reads_its_own_checkpoints_is_given_weights_only(tmp_path: Path) -> None:
    """Among the artifacts of a run is what anybody has put there who may write to it."""
    marker, file = tmp_path / "marker", tmp_path / "checkpoint.pth"
    torch.save({"state_dict": {}, "callbacks": Touches(marker)}, file)
    seal(repo_for(tmp_path / "kept"), ArtifactPath(), file, 1, None, None)
    with pytest.raises(UntrustedModel, match="holds more than weights"):
        drupe.pytorch.load_checkpoint(Unpickles, path=tmp_path / "kept")
    assert not marker.exists()
    drupe.pytorch.load_checkpoint(Unpickles, path=tmp_path / "kept", kwargs={"weights_only": False})  # whoever asks for it
    assert marker.exists()


def test_such_a_module_is_given_no_other_file_than_was_written(tmp_path: Path) -> None:
    file = tmp_path / "checkpoint.pth"
    torch.save({"state_dict": {}}, file)
    seal(repo_for(tmp_path / "kept"), ArtifactPath(), file, 1, None, None)
    assert drupe.pytorch.load_checkpoint(Unpickles, path=tmp_path / "kept") == {"state_dict": {}}
    kept = tmp_path / "kept" / "epoch_1" / "checkpoint.pth"
    kept.write_bytes(kept.read_bytes().replace(b"state_dict", b"STATE_DICT"))
    with pytest.raises(ArtifactCorrupt):
        drupe.pytorch.load_checkpoint(Unpickles, path=tmp_path / "kept")

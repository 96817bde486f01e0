"""Checkpoints: the state of a training among the artifacts of its run, or in a folder, to go on from after a crash.

Each is a folder of two files under MLflow's names: the state, which loads as weights only, and after it a JSON file with epoch, step, metrics
and the state's digest. A checkpoint without its JSON file does not exist, so a process that dies while it writes leaves none behind.
`drupe.pytorch.log_checkpoint`, `save_checkpoint`, `list_checkpoints` and `load_checkpoint` come from here.
"""

from __future__ import annotations

import hashlib
import json
import math
import pickle
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from attrs import field, frozen

from drupe.artifacts.repos import repo_for
from drupe.errors import ArtifactCorrupt, ArtifactNotFound, InvalidValue, UntrustedModel
from drupe.extend import ArtifactRepo
from drupe.tracking.active import top
from drupe.tracking.chosen import client_of
from drupe.tracking.fluent import start_run
from drupe.uris import ArtifactPath
from drupe_flavor_pytorch.written import what_it_holds

__all__ = ["LATEST_TAG", "Checkpoint", "list_checkpoints", "load_checkpoint", "log_checkpoint", "save_checkpoint", "seal"]

LATEST_TAG = "mlflow.latest_checkpoint_artifact"
_FOLDER = "checkpoints"
_STATE = "checkpoint.pth"
_NOTES = "checkpoint_metrics.json"
_ROOT = ArtifactPath()


@frozen
class Checkpoint:
    """A checkpoint that was written: how far the training was, its metrics then, and where it lies."""

    epoch: int | None
    global_step: int | None
    metrics: Mapping[str, float]
    path: str
    size_bytes: int
    sha256: str = field(repr=False)
    _repo: ArtifactRepo = field(repr=False, eq=False)

    def state(self, map_location: Any = "cpu") -> dict[str, Any]:
        """What was kept: `model`, `optimizer`, `scheduler`, `random`, `extra`; read as weights only.

        Raises ArtifactCorrupt when the file is not what was written, UntrustedModel when it holds more than weights and plain values.
        """
        with tempfile.TemporaryDirectory(prefix="drupe-checkpoint-") as place:
            state: dict[str, Any] = self._weights_in(self._fetched(Path(place)), map_location)
        return state

    def restore(
        self, model: torch.nn.Module, optimizer: Any = None, scheduler: Any = None, *, random: bool = True, map_location: Any = "cpu"
    ) -> Any:
        """Put the state back into the model, the optimizer and the scheduler that are given, and return `extra`.

        `random` puts torch's random numbers for the processor back too, so that the training goes on as if it had never stopped. Raises
        InvalidValue when the checkpoint lacks what is asked for or it does not fit.
        """
        state = self.state(map_location)
        for name, part in (("model", model), ("optimizer", optimizer), ("scheduler", scheduler)):
            if part is None:
                continue
            if state.get(name) is None:
                raise InvalidValue(
                    f"the checkpoint {self.path} was written without {name}; it has {', '.join(sorted(part for part in state if state[part] is not None))}"
                )
            try:
                part.load_state_dict(state[name])
            except (RuntimeError, ValueError, KeyError) as fault:
                raise InvalidValue(f"the checkpoint {self.path} does not fit this {type(part).__name__}: {fault}") from fault
        if random and state.get("random") is not None:
            torch.set_rng_state(state["random"])
        return state.get("extra")

    def _fetched(self, place: Path) -> Path:
        """Its file in that folder. Raises ArtifactCorrupt."""
        file = place / self.path.rpartition("/")[2]
        self._repo.get_file(ArtifactPath.parse(self.path), file)
        with file.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
        if found != self.sha256:
            raise ArtifactCorrupt(f"the checkpoint {self.path} is not what was written: its SHA-256 is {found}, not {self.sha256}")
        return file

    def _weights_in(self, file: Path, map_location: Any) -> Any:
        try:
            return torch.load(file, map_location=map_location, weights_only=True)
        except pickle.UnpicklingError as fault:
            raise UntrustedModel(f"the checkpoint {self.path} holds more than weights: {what_it_holds(fault)}") from fault


def log_checkpoint(
    model: torch.nn.Module,
    optimizer: Any = None,
    *,
    scheduler: Any = None,
    epoch: int | None = None,
    global_step: int | None = None,
    metrics: Mapping[str, Any] | None = None,
    extra: Any = None,
    run_id: str | None = None,
    monitor: str | None = None,
    mode: str = "min",
    keep_best: int | None = None,
    keep_last: int | None = None,
) -> Checkpoint:
    """Keep the state of a training among the artifacts of the active run (one is started when none is), or of the run `run_id`.

    One of `epoch` and `global_step` at least says how far it is; a checkpoint of the same place is replaced. When it returns, the
    checkpoint is stored whole. `keep_last` keeps only so many of the newest, and `keep_best` as many of the best by the metric
    `monitor` besides; unset, all stay. `extra` is plain values and tensors of your own. Raises InvalidValue.
    """
    if run_id is None:
        run_id = str((top() or start_run()).info.run_id)
    client = client_of(run_id)
    repo = client.artifact_repo(run_id)
    state = _state_of(model, optimizer, scheduler, extra)
    written = _write(repo, ArtifactPath((_FOLDER,)), state, epoch, global_step, metrics, (monitor, mode, keep_best, keep_last))
    client.set_tag(run_id, LATEST_TAG, written.path)
    return written


def save_checkpoint(
    path: str | Path,
    model: torch.nn.Module,
    optimizer: Any = None,
    *,
    scheduler: Any = None,
    epoch: int | None = None,
    global_step: int | None = None,
    metrics: Mapping[str, Any] | None = None,
    extra: Any = None,
    monitor: str | None = None,
    mode: str = "min",
    keep_best: int | None = None,
    keep_last: int | None = None,
) -> Checkpoint:
    """The same in a folder of this machine (or any artifact address) instead of a run; `path` holds a folder for each checkpoint."""
    state = _state_of(model, optimizer, scheduler, extra)
    return _write(_repo_at(path), _ROOT, state, epoch, global_step, metrics, (monitor, mode, keep_best, keep_last))


def list_checkpoints(run_id: str | None = None, *, path: str | Path | None = None) -> list[Checkpoint]:
    """The checkpoints of the active run, of the run `run_id`, or in the folder `path`; the furthest training last."""
    repo, root = _place(run_id, path)
    found = []
    for info in repo.list(root):
        notes = ArtifactPath.parse(info.path) / _NOTES
        if info.is_dir and repo.is_file(notes):
            found += _read_notes(repo, notes)
    return sorted(found, key=_place_in_training)


def load_checkpoint(
    model_class: Any = None,
    run_id: str | None = None,
    epoch: int | None = None,
    global_step: int | None = None,
    kwargs: Mapping[str, Any] | None = None,
    *,
    path: str | Path | None = None,
    monitor: str | None = None,
    mode: str = "min",
) -> Any:
    """A checkpoint of the active run, of `run_id` or of the folder `path`: the furthest, or that of `epoch` or `global_step`, or the best by
    the metric `monitor`.

    Without `model_class` the Checkpoint itself, whose `restore` fills a model and its optimizer. With one, a model of that class, called with
    `kwargs`, in eval mode; a Lightning module is made by its own `load_from_checkpoint`, from what autologging kept, once it is known to hold
    weights and plain values only; `kwargs={"weights_only": False}` reads one that holds more, which runs code.
    Raises ArtifactNotFound that says which there are, ArtifactCorrupt, UntrustedModel.
    """
    if sum(part is not None for part in (epoch, global_step, monitor)) > 1:
        raise InvalidValue("give one of epoch, global_step and monitor")
    there = list_checkpoints(run_id, path=path)
    fitting = [one for one in there if epoch in (None, one.epoch) and global_step in (None, one.global_step)]
    if monitor is not None:
        fitting = _ranked(fitting, monitor, mode)[:1]
    if not fitting:
        known = ", ".join(one.path.rpartition("/")[0].rpartition("/")[2] for one in there) or "none at all"
        raise ArtifactNotFound(f"there is no such checkpoint{f' of run {run_id}' if run_id else ''}; there is {known}")
    found = fitting[-1]
    if model_class is None:
        return found
    if hasattr(model_class, "load_from_checkpoint"):
        with tempfile.TemporaryDirectory(prefix="drupe-checkpoint-") as place:
            file = found._fetched(Path(place))
            if (kwargs or {}).get("weights_only") is not False:  # Lightning itself unpickles whatever lies on this machine
                found._weights_in(file, "meta")
            return model_class.load_from_checkpoint(file, **(kwargs or {}))
    model = model_class(**(kwargs or {}))
    found.restore(model, random=False)
    return model.eval()


def seal(
    repo: ArtifactRepo,
    root: ArtifactPath,
    file: Path,
    epoch: int | None,
    global_step: int | None,
    metrics: Mapping[str, Any] | None,
    keep: Any = None,
    *,
    name: str | None = None,
) -> Checkpoint:
    """Store a file as a checkpoint, its notes last, and drop those that need not be kept; `keep` is monitor, mode, best and last."""
    monitor, mode, keep_best, keep_last = _checked(keep or (None, "min", None, None))
    name = name or (f"global_step_{global_step}" if global_step is not None else f"epoch_{epoch}")
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    folder = root / name
    written = Checkpoint(epoch, global_step, _numbers(metrics or {}), str(folder / file.name), file.stat().st_size, digest, repo)
    if repo.is_file(folder / _NOTES):
        repo.delete(folder / _NOTES)  # until the new one is whole, there is none
    repo.put_file(file, folder / file.name)
    notes = {
        **written.metrics,
        "epoch": epoch,
        "global_step": global_step,
        "checkpoint": {"file": file.name, "size_bytes": written.size_bytes, "sha256": digest},
    }
    repo.put_bytes(json.dumps(notes, indent=1).encode(), folder / _NOTES)
    if keep_best is not None or keep_last is not None:
        _drop_others(repo, root, written, monitor, mode, keep_best or 0, 1 if keep_last is None else keep_last)
    return written


def _write(
    repo: ArtifactRepo, root: ArtifactPath, state: Any, epoch: int | None, step: int | None, metrics: Any, keep: tuple[Any, ...]
) -> Checkpoint:
    for name, value in (("epoch", epoch), ("global_step", step)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
            raise InvalidValue(f"{name} is a whole number from 0, not {value!r}")
    if epoch is None and step is None:
        raise InvalidValue("a checkpoint needs epoch= or global_step=, to say how far the training is")
    _checked(keep)
    with tempfile.TemporaryDirectory(prefix="drupe-checkpoint-") as place:
        file = Path(place) / _STATE
        torch.save(state, file)
        try:
            torch.load(file, weights_only=True, map_location="meta")
        except pickle.UnpicklingError as fault:
            raise InvalidValue(
                f"a checkpoint holds tensors and plain values (numbers, texts, lists, dicts), so that it loads as weights only; this one holds {what_it_holds(fault)}"
            ) from fault
        return seal(repo, root, file, epoch, step, metrics, keep)


def _state_of(model: torch.nn.Module, optimizer: Any, scheduler: Any, extra: Any) -> dict[str, Any]:
    parts = {"model": model, "optimizer": optimizer, "scheduler": scheduler}
    states = {name: None if part is None else part.state_dict() for name, part in parts.items()}
    return {**states, "random": torch.get_rng_state(), "extra": extra}


def _checked(keep: Sequence[Any]) -> Sequence[Any]:
    monitor, mode, keep_best, keep_last = keep
    if mode not in ("min", "max"):
        raise InvalidValue(f"mode is {mode!r}; it must be 'min' (lower is better) or 'max'")
    for name, count in (("keep_best", keep_best), ("keep_last", keep_last)):
        if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 1):
            raise InvalidValue(f"{name} is a whole number from 1, not {count!r}; leave it out to keep all")
    if keep_best is not None and monitor is None:
        raise InvalidValue("keep_best needs monitor=, the metric that says which is best")
    return keep


def _numbers(metrics: Mapping[str, Any]) -> dict[str, float]:
    found = {}
    for name, value in metrics.items():
        try:
            found[str(name)] = float(value.item() if isinstance(value, torch.Tensor) else value)
        except (TypeError, ValueError, RuntimeError) as fault:
            raise InvalidValue(f"the metric {name!r} of a checkpoint is a number, not {value!r:.80}") from fault
    return found


def _drop_others(repo: ArtifactRepo, root: ArtifactPath, newest: Checkpoint, monitor: Any, mode: str, best: int, last: int) -> None:
    there = []
    for info in repo.list(root):
        notes = ArtifactPath.parse(info.path) / _NOTES
        there += _read_notes(repo, notes) if info.is_dir and repo.is_file(notes) else []
    there.sort(key=_place_in_training)
    kept = {
        newest.path,
        *(one.path for one in there[-last:]),
        *(one.path for one in (_ranked(there, monitor, mode)[:best] if monitor else ())),
    }
    for one in there:
        if one.path not in kept:
            folder = ArtifactPath.parse(one.path).parent
            repo.delete(folder / _NOTES)  # first, so that half of one is none
            repo.delete(folder)


def _ranked(checkpoints: Sequence[Checkpoint], monitor: str, mode: str) -> list[Checkpoint]:
    """Those that have the metric, the best first; a metric that is no number is worse than any."""
    sign = -1.0 if mode == "max" else 1.0
    having = [one for one in checkpoints if monitor in one.metrics]
    return sorted(having, key=lambda one: math.inf if math.isnan(one.metrics[monitor]) else sign * one.metrics[monitor])


def _place_in_training(one: Checkpoint) -> tuple[int, int]:
    return (-1 if one.global_step is None else one.global_step, -1 if one.epoch is None else one.epoch)


def _place(run_id: str | None, path: str | Path | None) -> tuple[ArtifactRepo, ArtifactPath]:
    if path is not None:
        if run_id is not None:
            raise InvalidValue("give run_id or path, not both")
        return _repo_at(path), _ROOT
    if run_id is None:
        active = top()
        if active is None:
            raise InvalidValue("no run is active; say whose checkpoints with run_id=, or where they are with path=")
        run_id = str(active.info.run_id)
    return client_of(run_id).artifact_repo(run_id), ArtifactPath((_FOLDER,))


def _repo_at(path: str | Path) -> ArtifactRepo:
    return repo_for(path if ":/" in str(path) else Path(path).absolute())


def _read_notes(repo: ArtifactRepo, notes: ArtifactPath) -> list[Checkpoint]:
    """The checkpoint that these notes are of; none when they are no notes of ours (MLflow's say nothing of the file)."""
    with tempfile.TemporaryDirectory(prefix="drupe-checkpoint-") as place:
        file = Path(place) / _NOTES
        repo.get_file(notes, file)
        try:
            kept = json.loads(file.read_bytes())
            about = kept.pop("checkpoint")
            epoch, step = kept.pop("epoch"), kept.pop("global_step")
            path = str(notes.parent / ArtifactPath.parse(about["file"]).name)
            return [Checkpoint(epoch, step, _numbers(kept), path, int(about["size_bytes"]), str(about["sha256"]), repo)]
        except (ValueError, KeyError, AttributeError, TypeError):
            return []

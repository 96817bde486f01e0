"""Runs and versions by the dozen, drawn from a seed, for comparing many random searches over one population."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from drupe.entities import Dataset, DatasetInput, InputTag, LifecycleStage, LogBatch, NewRun, Points, RunStatus
from drupe.extend.registry_store import RegistryStore
from drupe.extend.tracking_store import TrackingStore
from drupe.testing.random_queries import TEXTS, VALUES

__all__ = ["fill_registry", "fill_tracking"]


def fill_tracking(store: TrackingStore, *, runs: int, seed: int = 0) -> None:
    """Put `runs` runs with ids r0, r1, … into experiments 0 to 2; half of what a run can have is missing from it, some are deleted."""
    chance = Random(seed)
    for name in ("fruit", "stone"):
        store.create_experiment(name)
    for number in range(runs):
        _add_run(store, f"r{number}", chance)


def _add_run(store: TrackingStore, run_id: str, chance: Random) -> None:
    name, user = chance.choice(TEXTS[1:]), chance.choice(TEXTS)
    store.create_run(NewRun(str(chance.randrange(3)), run_id, name, user, chance.randrange(4)))
    metrics = {
        key: Points.of((chance.randrange(-2, 5), chance.randrange(4), chance.choice(VALUES)) for _ in range(chance.randrange(1, 6)))
        for key in _some(chance, ["loss", "acc", "a/b", "loss.min"])
    }
    params = {key: chance.choice(TEXTS) for key in _some(chance, ["p", "q"])}
    tags = {key: chance.choice(TEXTS) for key in _some(chance, ["t", "u"])}
    store.log_batch(run_id, LogBatch(metrics, params, tags))
    store.log_inputs(
        run_id,
        [
            DatasetInput(Dataset(chance.choice("ab"), digest), tuple(InputTag("mlflow.data.context", context) for context in contexts))
            for digest in _some(chance, ["1", "ab"])
            for contexts in [_some(chance, ["a"])]
        ],
    )
    end_time = chance.choice([None, 0, 1, 2, 3])
    store.update_run(run_id, status=chance.choice(list(RunStatus)), end_time=end_time)
    if chance.random() < 0.2:
        store.set_run_stage(run_id, LifecycleStage.DELETED)


def fill_registry(store: RegistryStore, *, versions: int, seed: int = 0) -> None:
    """Put `versions` versions into five models, one of them a prompt; some are deleted again."""
    chance = Random(seed)
    names = ["a", "b", "A", "ab", "prompt"]
    prompt = {"mlflow.prompt.is_prompt": "true"}
    for name in names:
        tags = {key: chance.choice(TEXTS) for key in _some(chance, ["t", "u"])}
        store.create_registered_model(name, tags=tags | (prompt if name == "prompt" else {}))
    for _ in range(versions):
        name = chance.choice(names)
        tags = {key: chance.choice(TEXTS) for key in _some(chance, ["t", "u"])}
        made = store.create_model_version(
            name, chance.choice(TEXTS), run_id=chance.choice([None, "r0", "r1"]), tags=tags | (prompt if name == "prompt" else {})
        )
        if chance.random() < 0.2:
            store.delete_model_version(name, made.version)


def _some(chance: Random, things: list[str]) -> Iterator[str]:
    return (thing for thing in things if chance.random() < 0.5)

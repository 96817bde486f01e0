"""The contract of an import source: another tool's store of runs and models, which is read and never written.

A source says what there is; what becomes of it here is decided in `drupe.migrate`. Everything in a source is untrusted: it may be damaged, or made
to do harm. The conformance kit is `drupe.testing.import_source`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from drupe.entities import Experiment, LoggedModel, WholeModel, WholeRun
from drupe.extend.artifact_repo import ArtifactRepo
from drupe.uris import Uri

__all__ = ["FoundExperiment", "FoundLoggedModel", "FoundRun", "ImportSource", "Loss"]


@frozen
class Loss:
    """Something of a source that does not arrive as it is there: what and which one it is, why, and how many such things.

    `is_damage` when the source is at fault and a reader should look into it; otherwise there is no place for it here, or what is here was kept.
    """

    what: str
    name: str
    why: str
    count: int = 1
    is_damage: bool = False


@frozen
class FoundExperiment:
    """An experiment of a source. `folders` are paths below its artifact location with files that belong to no run, such as those of models."""

    experiment: Experiment
    folders: tuple[str, ...] = ()
    losses: tuple[Loss, ...] = ()


@frozen
class FoundRun:
    """A run of a source, and what of it could not be read."""

    whole: WholeRun
    losses: tuple[Loss, ...] = ()


@frozen
class FoundLoggedModel:
    """A logged model of a source, and what of it could not be read. Its metrics name the runs that logged them, and need not be the latest."""

    model: LoggedModel
    is_deleted: bool = False
    losses: tuple[Loss, ...] = ()


class ImportSource(ABC):
    """A store of another tool. Methods may be called from several threads at once.

    A Loss in the place of a thing says that it is there and cannot be read; the rest goes on. What concerns the source as a whole is raised:
    StoreUnavailable, StoreCorrupt, StoreSchema.
    """

    uri: Uri

    @classmethod
    @abstractmethod
    def open(cls, uri: Uri, settings: Any = None) -> ImportSource:
        """The source at `uri`; `settings` is an instance of the offer's settings class. Nothing is written there, no lock is held."""

    @abstractmethod
    def close(self) -> None:
        """Let go of files and connections. Closing twice is harmless."""

    @abstractmethod
    def description(self) -> str:
        """What it is, for messages: `MLflow file store /data/mlruns`. Never holds a password."""

    @abstractmethod
    def experiments(self) -> Iterator[FoundExperiment | Loss]:
        """Every experiment, deleted ones too, each id and name once."""

    @abstractmethod
    def run_ids(self, experiment_id: str) -> Iterator[str]:
        """The ids of the runs of one experiment, deleted ones too, in an order that stays."""

    @abstractmethod
    def read_runs(self, experiment_id: str, run_ids: Sequence[str]) -> Iterator[FoundRun | Loss]:
        """These runs of one experiment with their whole series, in this order; one that has gone is left out.

        Names and sizes need not be checked, and points may come in any order and twice. The logged models that a run uses and has made are named
        in its inputs and outputs, and read with `logged_models`.
        """

    def logged_models(self, experiment_id: str) -> Iterator[FoundLoggedModel | Loss]:
        """The logged models of one experiment, each once; deleted ones too, where they can be seen. Asked for after the runs of all experiments."""
        yield from ()

    @abstractmethod
    def models(self) -> Iterator[WholeModel | Loss]:
        """Every registered model with its versions; deleted versions are left out and count for `highest`."""

    def leftovers(self) -> Iterator[Loss]:
        """What else is there and has no place in drupe, one Loss for each kind of thing. Asked for last."""
        yield from ()

    def roots(self) -> Sequence[tuple[str, Path]]:
        """Where local addresses of this source lie now, as (address, folder): what is below the address is looked for below the folder.

        Only files below these folders, and below those that the user names, are read. Asked for when all experiments were.
        """
        return ()

    def repo_at(self, address: str, run_id: str | None) -> ArtifactRepo | None:
        """A repository for reading the artifacts at an address that only this source can serve; None for any other.

        `run_id` names the run whose artifacts they are, if they are a run's.
        """
        return None

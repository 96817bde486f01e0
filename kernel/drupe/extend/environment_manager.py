"""The contract of an environment manager: how a Python environment with given packages is made on this machine.

A manager makes one environment in one folder. Which environment a model needs, where environments are kept, who makes one when two ask,
and what is run inside is for `drupe.models.environments`. The conformance kit is `drupe.testing.environment_manager`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from attrs import frozen

from drupe.errors import UnsupportedFeature

__all__ = ["EnvironmentManager", "EnvironmentSpec"]


@frozen(kw_only=True)
class EnvironmentSpec:
    """What an environment must hold.

    `python`        the release of Python that is wished for, such as `3.11.7`; another patch release of the same minor one will do
    `requirements`  lines of a requirements file, options such as `--index-url` included
    `constraints`   lines of a constraints file
    `hashes`        True when `requirements` is a lock: every line has hashes, and nothing else may be installed for them
    `beside`        paths of wheels and further lines that are installed after these, with what they depend on; they may not change them
    """

    python: str
    requirements: Sequence[str] = ()
    constraints: Sequence[str] = ()
    hashes: bool = False
    beside: Sequence[str] = ()


class EnvironmentManager(ABC):
    """Makes environments. Stateless: one instance may serve several threads, each with a folder of its own."""

    name: ClassVar[str]
    """What `--env-manager` calls it, e.g. `uv`."""

    @classmethod
    def open(cls, settings: Any = None) -> EnvironmentManager:
        """The manager with the options of its offer's settings class. Raises UnsupportedFeature where its tool cannot work."""
        return cls()

    @abstractmethod
    def create(self, wanted: EnvironmentSpec, folder: Path, *, tell: Callable[[str], None]) -> None:
        """Make the environment in `folder`, which does not exist; its parent does.

        The folder is renamed afterwards: interpreter and scripts must work at another place. Nothing of the calling process's own
        packages may be seen inside. `tell` takes lines for the user, such as which release of Python was found. Raises EnvironmentUnusable
        that says what cannot be had and what would work; what is left of `folder` is removed by the caller.
        """

    def python(self, folder: Path) -> Path:
        """The interpreter of the environment in `folder`."""
        return folder / "bin" / "python"

    def lock(self, wanted: EnvironmentSpec) -> list[str]:
        """Every package that `wanted` comes to, as lines `name==version --hash=…`, for this machine and the release of Python wished for.

        The index's address is not in it. Raises EnvironmentUnusable, UnsupportedFeature.
        """
        raise UnsupportedFeature(f"the environment manager {self.name} cannot lock requirements; uv can")

    def wheel(self, source: Path, target: Path) -> Path:
        """Build the project in the folder `source` into a wheel in the folder `target`, and return it.

        Raises EnvironmentUnusable, UnsupportedFeature.
        """
        raise UnsupportedFeature(f"the environment manager {self.name} cannot build wheels; uv can")

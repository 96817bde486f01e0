"""What another place needs to make a model's environment without this machine: a lock or requirements, and wheels of what no index has.

Images are built from it. The names of the files are fixed, so that a recipe can be written before them.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from logging import getLogger
from pathlib import Path

from attrs import evolve, frozen

from drupe.errors import UnsupportedFeature
from drupe.models.environments.kept import kept_root
from drupe.models.environments.own import own_entries, own_requirements
from drupe.models.environments.preparing import builder_of, manager_of, plan_environment
from drupe.models.gate import Admitted

__all__ = ["BESIDE", "CONSTRAINTS", "REQUIREMENTS", "WHEELS", "PackedEnvironment", "pack_environment"]

log = getLogger("drupe.models")

REQUIREMENTS, CONSTRAINTS, BESIDE, WHEELS = "requirements.txt", "constraints.txt", "beside.txt", "wheels"


@frozen
class PackedEnvironment:
    """`python` is the release that the model was made with; `locked` says that every requirement has hashes."""

    python: str
    locked: bool


def pack_environment(
    model: str | Path | Admitted,
    target: Path,
    *,
    env_manager: str = "uv",
    also: Sequence[str] = (),
    tell: Callable[[str], None] | None = None,
) -> PackedEnvironment:
    """Write what the environment of the model is made of into the folder `target`, which exists.

    `requirements.txt` (a lock with hashes where the manager can make one, or the model has one), `constraints.txt`, `wheels/`, and
    `beside.txt` with what is installed after the requirements, paths relative to `target`. Raises as `plan_environment` does.
    """
    tell = tell or log.info
    plan = plan_environment(model, env_manager=env_manager, also=also)
    manager = manager_of(env_manager)
    lines, locked = list(plan.spec.requirements), plan.spec.hashes
    if not locked:
        try:
            lines = manager.lock(evolve(plan.spec, requirements=[*lines, *own_requirements(plan.own)]))
            locked = True
        except UnsupportedFeature as reason:
            tell(f"the environment is not locked: {reason.message}")
    wheels = target / WHEELS
    wheels.mkdir()
    beside = []
    for entry in own_entries(plan.own, kept_root() / "wheels", builder_of(manager)):
        wheel = Path(entry)
        if wheel.suffix == ".whl":
            shutil.copyfile(wheel, wheels / wheel.name)
            beside.append(f"./{WHEELS}/{wheel.name}")
        elif not locked:  # a lock has these
            beside.append(entry)
    for name, content in ((REQUIREMENTS, lines), (CONSTRAINTS, [] if locked else plan.spec.constraints), (BESIDE, beside)):
        (target / name).write_text("".join(f"{line}\n" for line in content), encoding="utf-8")
    return PackedEnvironment(plan.spec.python, locked)

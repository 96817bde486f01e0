"""From a model folder to the environment that it needs: planned, found among those that are kept or made, and used to run Python modules.

`run_in_environment` is what commands with `--env-manager` call. The word `local` means the environment that runs already.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from logging import getLogger
from pathlib import Path
from types import FrameType
from typing import Any

from attrs import evolve, frozen

from drupe.errors import EnvironmentUnusable, InvalidValue, NoProvider
from drupe.extend import EnvironmentManager, EnvironmentSpec
from drupe.loading import catalog
from drupe.models.environments.declared import declared_environment, project_of
from drupe.models.environments.kept import kept_root, used_environment
from drupe.models.environments.own import Own, own_distributions, own_entries, own_requirements
from drupe.models.gate import admit

__all__ = ["LOCAL", "OF_THE_CALLER", "Plan", "lock_requirements", "plan_environment", "prepared_environment", "run_in_environment"]

log = getLogger("drupe.models")

LOCAL = "local"
_HOOK = "drupe_environment_managers"
_LAYOUT = 1  # part of every key: environments that older releases laid out otherwise are not used
OF_THE_CALLER = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")
"""Variables that would let the calling Python's packages be seen in an environment."""


@frozen
class Plan:
    """What will be made: by which `manager`, holding what (`spec` without ours), and which distributions of drupe; `key` is what it is kept by."""

    manager: str
    spec: EnvironmentSpec
    own: Sequence[Own]

    @property
    def key(self) -> str:
        """A digest of all that makes this environment what it is."""
        facts = [_LAYOUT, self.manager, self.spec.python, list(self.spec.requirements), list(self.spec.constraints), self.spec.hashes]
        facts += [[one.identity for one in self.own], sysconfig.get_platform(), platform.libc_ver()]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:24]

    @property
    def about(self) -> Mapping[str, Any]:
        """What a list of environments shows of it."""
        return {
            "manager": self.manager,
            "python": self.spec.python,
            "requirements": list(self.spec.requirements),
            "locked": self.spec.hashes,
            "drupe": [one.identity for one in self.own],
        }


def plan_environment(folder: Path, *, env_manager: str = "uv", also: Sequence[str] = ()) -> Plan:
    """What the environment of the model in the local `folder` must hold; `also` names distributions of ours that it needs besides.

    Raises InvalidModelFolder, NoProvider, MissingRequirement, and what the gate of models raises.
    """
    _manager(env_manager)
    admitted = admit(folder)
    declared = declared_environment(folder, admitted.model)
    own = own_distributions(admitted.model, also)
    names = {one.name for one in own}
    spec = EnvironmentSpec(
        python=declared.python,
        requirements=[line for line in declared.lock or declared.lines if project_of(line) not in names],
        constraints=declared.constraints if declared.lock is None else (),
        hashes=declared.lock is not None,
    )
    return Plan(env_manager, spec, own)


@contextmanager
def prepared_environment(
    folder: Path, *, env_manager: str = "uv", also: Sequence[str] = (), fresh: bool = False, tell: Callable[[str], None] | None = None
) -> Iterator[tuple[Path, bool]]:
    """The interpreter of the model's environment while the block lasts, and whether the environment was made for it.

    It is made once and kept; `fresh` makes one that is gone afterwards. `tell` takes lines for the user (default: the log).
    Raises EnvironmentUnusable, and as `plan_environment` does.
    """
    tell = tell or log.info
    plan = plan_environment(folder, env_manager=env_manager, also=also)
    manager = _manager(env_manager)
    root = kept_root()

    def make(place: Path) -> None:
        tell(f"making an environment with Python {plan.spec.python} and {len(plan.spec.requirements)} requirements by {env_manager}")
        beside = own_entries(plan.own, root / "wheels", _builder(manager))
        manager.create(evolve(plan.spec, beside=beside), place, tell=tell)

    if fresh:
        from tempfile import TemporaryDirectory  # here: only this way needs it

        root.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".fresh-", dir=root) as apart:
            make(Path(apart) / "environment")
            yield manager.python(Path(apart) / "environment"), True
        return
    with used_environment(plan.key, plan.about, make, tell=tell, root=root) as (place, is_new):
        yield manager.python(place), is_new


def run_in_environment(
    folder: Path,
    module: str,
    arguments: Sequence[str] = (),
    *,
    env_manager: str = "uv",
    also: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
    tell: Callable[[str], None] | None = None,
) -> int:
    """Run `python -m module arguments…` in the environment of the model in the local `folder`, and return its exit code.

    Standard input and output are those of this process; SIGTERM, SIGINT and SIGHUP are passed on. `also` names distributions of ours that
    `module` needs besides the kernel and the model's flavors, such as `drupe-serving`. `environ` is added to the environment variables.
    With `local`, the interpreter of this process is used. Raises EnvironmentUnusable, and as `plan_environment` does.

        run_in_environment(local_folder(uri), "drupe_serving", ["--model", str(folder)], env_manager="uv", also=["drupe-serving"])
    """
    if env_manager == LOCAL:
        return _run([sys.executable, "-m", module, *arguments], environ)
    with prepared_environment(folder, env_manager=env_manager, also=also, tell=tell) as (python, _):
        return _run([str(python), "-s", "-P", "-m", module, *arguments], environ, clean=True)


def lock_requirements(folder: Path, *, env_manager: str = "uv", also: Sequence[str] = ()) -> list[str]:
    """Every package that the model in the local `folder` comes to, with hashes: the lines of a `requirements.lock`.

    What drupe itself needs to load the model is in it. Raises EnvironmentUnusable, UnsupportedFeature, and as `plan_environment` does.
    """
    plan = plan_environment(folder, env_manager=env_manager, also=also)
    if plan.spec.hashes:
        raise InvalidValue("the model has a lock already: requirements.lock in its folder")
    wanted = evolve(plan.spec, requirements=[*plan.spec.requirements, *own_requirements(plan.own)])
    return _manager(env_manager).lock(wanted)


def _manager(name: str) -> EnvironmentManager:
    if name == LOCAL:
        raise InvalidValue("env_manager='local' is the environment that runs already; there is nothing to prepare")
    try:
        found: EnvironmentManager = catalog().load(_HOOK, name).open(None)
    except NoProvider as fault:
        if name == "conda":
            known = sorted(key for entry in catalog().offers(_HOOK) for key in entry.offer.keys)
            raise NoProvider(f"no plugin offers environments made by conda; use one of {', '.join([*known, LOCAL])}", key=name) from fault
        raise
    return found


def _builder(manager: EnvironmentManager) -> Callable[[Path, Path], Path]:
    """What builds wheels: the manager, or another one that can where it cannot."""
    if type(manager).wheel is not EnvironmentManager.wheel:
        return manager.wheel
    for entry in catalog().offers(_HOOK):
        if entry.state == "ready" and entry.load().wheel is not EnvironmentManager.wheel:
            builder: EnvironmentManager = entry.load().open(None)
            return builder.wheel
    return manager.wheel


def _run(command: Sequence[str], environ: Mapping[str, str] | None, *, clean: bool = False) -> int:
    variables = {key: value for key, value in os.environ.items() if not (clean and key in OF_THE_CALLER)} | dict(environ or {})
    try:
        child = subprocess.Popen(command, env=variables)
    except OSError as fault:
        raise EnvironmentUnusable(f"{command[0]} cannot be started: {fault}") from fault

    def pass_on(number: int, frame: FrameType | None) -> None:
        child.send_signal(number)

    before = {}
    try:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            before[number] = signal.signal(number, pass_on)
    except ValueError:  # not the main thread: signals are not ours to handle
        pass
    try:
        return child.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if child.poll() is None:
            child.kill()
            child.wait()

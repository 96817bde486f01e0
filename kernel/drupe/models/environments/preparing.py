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

from drupe.errors import EnvironmentUnusable, InvalidValue, NoProvider, UntrustedModel
from drupe.extend import EnvironmentManager, EnvironmentSpec
from drupe.loading import catalog
from drupe.models.environment import LOCK_FILE
from drupe.models.environments.declared import declared_environment, project_of
from drupe.models.environments.kept import kept_root, used_environment
from drupe.models.environments.own import Own, own_distributions, own_entries, own_requirements
from drupe.models.gate import Admitted, allow, vouched_by
from drupe.models.handed_over import note_for_child
from drupe.models.mlmodel import Model
from drupe.models.opening import admit_uri, read_safely
from drupe.uris import redact

__all__ = [
    "LOCAL",
    "LOCKS_WITH",
    "OF_THE_CALLER",
    "Plan",
    "builder_of",
    "lock_requirements",
    "manager_of",
    "plan_environment",
    "prepared_environment",
    "run_in_environment",
    "vouched_model",
    "write_lock",
]

log = getLogger("drupe.models")

LOCAL = "local"
LOCKS_WITH = "uv"
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


def vouched_model(model: str | Path | Admitted, *, trust: bool | str | None = None) -> Admitted:
    """The model, brought to this machine and through the whole gate: what is made for it and from it may run its code.

    `model` is an address, a local folder, or what this has given before; `trust` is as for `load_model`. Raises as `load_model` does.
    """
    if isinstance(model, Admitted):
        return model
    admitted = admit_uri(model)
    allow(admitted, reads_safely=read_safely(admitted), trust=trust)
    return evolve(admitted, is_trusted=bool(trust))


def plan_environment(model: str | Path | Admitted, *, env_manager: str = "uv", also: Sequence[str] = ()) -> Plan:
    """What the environment of the model must hold; `also` names distributions of ours that it needs besides.

    `model` is an address, a local folder, or what `vouched_model` gave. Raises InvalidModelFolder, NoProvider, MissingRequirement, and
    UntrustedModel for a model that nobody vouches for whose code would run, or whose requirements lead elsewhere.
    """
    manager_of(env_manager)
    admitted = vouched_model(model)
    plan = _planned(admitted.folder, admitted.model, env_manager, also)
    foreign = declared_environment(admitted.folder, admitted.model).foreign
    if foreign and vouched_by(admitted) is None:
        raise UntrustedModel(
            f"the requirements of {redact(admitted.origin.address)} lead to other places than this machine's index, and nobody vouches for "
            f"them: {'; '.join(redact(line) for line in foreign[:3])}; look at them (drupe models scan), then trust the model (drupe models trust)",
            digest=admitted.digest,
        )
    return plan


def _planned(folder: Path, model: Model, env_manager: str, also: Sequence[str]) -> Plan:
    declared = declared_environment(folder, model)
    own = own_distributions(model, also)
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
    model: str | Path | Admitted,
    *,
    env_manager: str = "uv",
    also: Sequence[str] = (),
    fresh: bool = False,
    tell: Callable[[str], None] | None = None,
) -> Iterator[tuple[Path, bool]]:
    """The interpreter of the model's environment while the block lasts, and whether the environment was made for it.

    It is made once and kept; `fresh` makes one that is gone afterwards. `tell` takes lines for the user (default: the log).
    Raises EnvironmentUnusable, and as `plan_environment` does.
    """
    tell = tell or log.info
    plan = plan_environment(model, env_manager=env_manager, also=also)
    manager = manager_of(env_manager)
    root = kept_root()

    def make(place: Path) -> None:
        tell(f"making an environment with Python {plan.spec.python} and {len(plan.spec.requirements)} requirements by {env_manager}")
        beside = own_entries(plan.own, root / "wheels", builder_of(manager))
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
    model: str | Path | Admitted,
    module: str,
    arguments: Sequence[str] = (),
    *,
    env_manager: str = "uv",
    also: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
    tell: Callable[[str], None] | None = None,
) -> int:
    """Run `python -m module arguments…` in the environment of the model, and return its exit code.

    `model` is an address, a local folder, or what `vouched_model` gave: its `folder` is what arguments name. It has passed the gate here, and
    passes the one in there as long as its files are the same; other files are refused.

    Standard input and output are those of this process; SIGTERM, SIGINT and SIGHUP are passed on, but for what a terminal tells both. `also` names distributions of ours that
    `module` needs besides the kernel and the model's flavors, such as `drupe-serving`. `environ` is added to the environment variables.
    With `local`, the interpreter of this process is used. Raises EnvironmentUnusable, and as `plan_environment` does.

        model = vouched_model(uri)
        run_in_environment(model, "drupe_serving", ["--model", str(model.folder)], env_manager="uv", also=["drupe-serving"])
    """
    if env_manager == LOCAL:
        return _run([sys.executable, "-m", module, *arguments], environ)
    admitted = vouched_model(model)
    variables = {**note_for_child(admitted.folder, admitted.digest), **(environ or {})}
    with prepared_environment(admitted, env_manager=env_manager, also=also, tell=tell) as (python, _):
        return _run([str(python), "-s", "-P", "-m", module, *arguments], variables, clean=True)


def lock_requirements(model: str | Path | Admitted, *, env_manager: str = "uv", also: Sequence[str] = ()) -> list[str]:
    """Every package that the model comes to, with hashes: the lines of a `requirements.lock`.

    What drupe itself needs to load the model is in it; a lock that the model has already is what comes back. Raises EnvironmentUnusable, UnsupportedFeature, and as `plan_environment` does.
    """
    plan = plan_environment(model, env_manager=env_manager, also=also)
    return list(plan.spec.requirements) if plan.spec.hashes else _locked(plan)


def write_lock(folder: Path, model: Model) -> None:
    """Write `requirements.lock` for the model that is being written to `folder`. Raises as `lock_requirements` does."""
    lines = _locked(_planned(folder, model, LOCKS_WITH, ()))
    (folder / LOCK_FILE).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _locked(plan: Plan) -> list[str]:
    wanted = evolve(plan.spec, requirements=[*plan.spec.requirements, *own_requirements(plan.own)])
    return manager_of(plan.manager).lock(wanted)


def manager_of(name: str) -> EnvironmentManager:
    """The environment manager of that name. Raises NoProvider, and InvalidValue for `local`, which is none."""
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


def builder_of(manager: EnvironmentManager) -> Callable[[Path, Path], Path]:
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
        if number != signal.SIGINT or not _is_in_front_of_a_terminal():
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


def _is_in_front_of_a_terminal() -> bool:
    """True where Ctrl-C reaches all that we have started by itself: told twice, a server would not finish what it answers."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:  # it has gone
        return False
    finally:
        os.close(terminal)

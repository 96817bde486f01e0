"""The folder that an image of a model is built from: Dockerfile, the model, and what its environment is made of."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from drupe.errors import InvalidValue
from drupe.models.environments import pack_environment, vouched_model
from drupe.models.gate import Admitted
from drupe.uris import redact
from drupe_deploy_docker.dockerfile import DOCKERFILE, write_dockerfile

__all__ = ["write_context"]

_SERVER = "drupe-serving"
_LABEL = "org.drupe.model"


def write_context(
    address: str | Path,
    target: Path,
    *,
    env_manager: str = "uv",
    base_image: str | None = None,
    tell: Callable[[str], None],
) -> None:
    """Write everything that the image of the model at `address` needs into the folder `target`, which is empty or not there.

    Without `base_image`, the slim image of the model's release of Python is the base. The model has passed the gate then, as whoever runs
    the image relies on. After a failure the folder is as it was.
    Raises InvalidValue, EnvironmentUnusable, UntrustedModel, and as `drupe.models.environments.pack_environment` does.
    """
    if target.is_file() or (target.is_dir() and any(target.iterdir())):
        raise InvalidValue(f"{target} is not empty; name a folder that is, or that does not exist yet", path=str(target))
    model = vouched_model(address)
    was_there = target.is_dir()
    try:
        _write(model, str(address), target, env_manager=env_manager, base_image=base_image, tell=tell)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        if was_there:
            target.mkdir(exist_ok=True)
        raise


def _write(model: Admitted, address: str, target: Path, *, env_manager: str, base_image: str | None, tell: Callable[[str], None]) -> None:
    (target / "environment").mkdir(parents=True)
    packed = pack_environment(model, target / "environment", env_manager=env_manager, also=[_SERVER], tell=tell)
    shutil.copytree(model.folder, target / "model", symlinks=True)
    for entry in (target / "model", *(target / "model").rglob("*")):
        entry.chmod(0o755 if entry.is_dir() else 0o644)  # the image's user is another one
    base = base_image or f"python:{'.'.join(packed.python.split('.')[:2])}-slim"
    labels = {f"{_LABEL}.uri": redact(address), f"{_LABEL}.python": packed.python} | _told_of(model)
    text = write_dockerfile(base=base, env_manager=env_manager, locked=packed.locked, labels=labels)
    (target / DOCKERFILE).write_text(text, encoding="utf-8")
    (target / ".dockerignore").write_text(f"{DOCKERFILE}\n.dockerignore\n", encoding="utf-8")


def _told_of(model: Admitted) -> dict[str, str]:
    facts = {"uuid": model.model.model_uuid, "run_id": model.model.run_id, "digest": f"sha256:{model.digest}"}
    return {f"{_LABEL}.{name}": str(value) for name, value in facts.items() if value}

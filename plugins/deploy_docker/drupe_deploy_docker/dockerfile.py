"""The text of the Dockerfile that makes an image of a model: what is in which layer, and why in that order.

The first stage has the tools that install, the second only what they made. Requirements come before drupe's own wheels, and both before the
model: a new version of a model with the same requirements changes the last layer alone.

Modules are compiled once, for all containers: these run with a disk that cannot be written to, and would compile what they import at every
start. Compiled files are taken by what they were made of and not by its time, which builders change.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

__all__ = ["DOCKERFILE", "PORT", "USER_ID", "write_dockerfile"]

DOCKERFILE = "Dockerfile"
PORT = 8080
USER_ID = 10001

_UV = "/tools/bin/uv pip install --python /opt/drupe/bin/python --no-cache"
_PIP = "python3 -m pip --python /opt/drupe/bin/python install --no-cache-dir --no-compile --disable-pip-version-check --root-user-action ignore"

_TEXT = """\
# A model as an image that answers /ping and /invocations on port {port}; written by drupe models generate-dockerfile.
FROM {base} AS built
RUN {tools}python3 -m venv --without-pip /opt/drupe
COPY environment/requirements.txt environment/constraints.txt /environment/
RUN {install} {hashes}-r /environment/requirements.txt -c /environment/constraints.txt
COPY environment/beside.txt /environment/
COPY environment/wheels /environment/wheels
RUN cd /environment && {install} -r beside.txt \\
 && find /opt/drupe -path '*/tests/*' -name 'test_*' -type f -delete \\
 && find /opt/drupe -name __pycache__ -type d -prune -exec rm -rf {{}} + \\
 && {{ /opt/drupe/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/drupe/lib > /dev/null || true; }}

FROM {base}
RUN useradd --system --uid {user} --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin drupe
COPY --from=built /opt/drupe /opt/drupe
ENV PATH=/opt/drupe/bin:$PATH \\
    HOME=/tmp \\
    PYTHONUNBUFFERED=1 \\
    PYTHONDONTWRITEBYTECODE=1 \\
    DRUPE_MODELS_TRUSTED_SOURCES=/model \\
    DRUPE_SERVING__HOST=0.0.0.0 \\
    DRUPE_SERVING__PORT={port} \\
    DRUPE_SERVING__OPEN_TO_ALL=true \\
    DRUPE_SERVING__ALLOWED_HOSTS=*
COPY model /model
LABEL {labels}
USER {user}
WORKDIR /tmp
EXPOSE {port}
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \\
  CMD ["python", "-c", "{check}"]
ENTRYPOINT ["python", "-m", "drupe_serving", "--model", "/model"]
"""
_CHECK = "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['DRUPE_SERVING__PORT'] + '/ping', timeout=4)"


def write_dockerfile(*, base: str, env_manager: str, locked: bool, labels: Mapping[str, str]) -> str:
    """The text. `locked` requirements are only installed with the hashes they have; `labels` are those of the image."""
    with_uv = env_manager == "uv"
    return _TEXT.format(
        base=base,
        tools="python3 -m pip install --target /tools --no-cache-dir --no-compile --disable-pip-version-check --root-user-action ignore 'uv>=0.7,<0.14' && "
        if with_uv
        else "",
        install=_UV if with_uv else _PIP,
        hashes="--require-hashes " if locked else "",
        labels=" \\\n      ".join(f"{key}={json.dumps(_one_line(value))}" for key, value in labels.items()),
        check=_CHECK,
        port=PORT,
        user=USER_ID,
    )


def _one_line(value: str) -> str:
    """A label is written by us and read by others: no line of it may become an instruction, no `$` a variable."""
    return " ".join(value.split()).replace("\\", "/").replace("$", "")

"""In which order tests run, and which of them in one process, so that the workers are busy to the end and start what is shared once.

Files whose tests share a slow fixture (real MLflow, a server of PostgreSQL, a browser, a Docker engine) go to one worker together; the longest come first, and what is
quick fills the gaps at the end.
"""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

__all__ = ["Together", "in_order"]

TOGETHER = ("tests/mlflow_", "plugins/store_postgres/", "plugins/ui_web/tests/browser/", "tests/operate/", "plugins/flavor_pytorch/")
"""Each is one piece of work for a worker."""

LONGEST = (
    *TOGETHER,
    *("plugins/deploy_docker/", "plugins/env_uv/", "plugins/serving/", "tests/hostile_models/", "plugins/evaluator_default/"),
    *("tests/docs/", "tests/torture/", "tests/hostile/", "tests/plugins/", "tests/benchmarks/", "tests/journeys/"),
    *("tests/addresses/", "tests/architecture/"),
    *("plugins/store_http/", "plugins/store_sqlite/", "plugins/server_rest/", "plugins/store_s3/", "plugins/import_mlflow/"),
    *("plugins/flavor_", "kernel/tests/tracking/", "kernel/tests/search/test_match.py", "kernel/tests/testing/"),
)
"""In this order, before all others."""


class Together(LoadFileScheduling):
    """`--dist loadfile` in the order of collection, with some folders as if they were one file."""

    def __init__(self, config: pytest.Config, log: Any = None) -> None:
        config.option.loadscopereorder = False  # by the number of tests, so that few that are slow would come last
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return next((folder for folder in TOGETHER if file.startswith(folder)), file)


def in_order(items: list[pytest.Item]) -> None:
    """Sort tests, those of one file as they were; what needs real MLflow is marked as slow."""
    for item in items:
        if item.nodeid.startswith("tests/mlflow_"):
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: next((place for place, start in enumerate(LONGEST) if item.nodeid.startswith(start)), len(LONGEST)))

"""What schemathesis makes of the OpenAPI document, sent to the running server: a bounded part with a fixed seed.

`make hostile` goes on for longer. That requests which fit the document are taken (`positive_data_acceptance`) is not asked: a document cannot
say which ids there are, nor what a filter's language is. That is `test_every_route`'s first test.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile.target import Target, target_in

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
    "allow_header_conformance",
    "use_after_free",
)
EXAMPLES = int(os.environ.get("DRUPE_HOSTILE_EXAMPLES", "1"))
SEED = os.environ.get("DRUPE_HOSTILE_SEED", "1")


@pytest.fixture
def own_target(tmp_path: Path) -> Iterator[Target]:
    """Of its own: among so many requests there are some that rightly delete what is there."""
    with target_in(tmp_path, is_intact=False) as target:
        yield target


@pytest.mark.slow
@pytest.mark.timeout(840 + 60 * EXAMPLES)  # it computes, beside whatever else runs
def test_the_server_answers_as_its_document_says(own_target: Target, tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("schemathesis")
    done = subprocess.run(
        [
            *(str(program), "run", f"{own_target.server.url}/api/openapi.json", "--seed", SEED, "--max-examples", str(EXAMPLES)),
            *("--phases", "coverage,fuzzing", "--checks", ",".join(CHECKS), "--continue-on-failure", "--no-color", "--warnings", "off"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    print(done.stdout[-2000:])
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2000:]

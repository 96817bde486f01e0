"""MLflow's clients with uploads in parts and downloads in ranges turned on: past a server with a bucket, and whole through one with a folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from plugins.store_s3.tests.own_storage import NoStorage, OwnStorage, own_storage
from tests.mlflow_clients.conftest import FLOWS, WAIT_S
from tests.real_mlflow.environments import without_settings

NEWEST = pytest.mark.parametrize("release", ["3.17.2"], indirect=True)
SCRIPT = FLOWS.with_name("large_files.py")
TURNED_ON = {
    "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD": "true",
    "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD": "true",
    "MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE": "5000000",
    "MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE": str(5 << 20),
    "MLFLOW_MULTIPART_DOWNLOAD_CHUNK_SIZE": str(4 << 20),
}


@pytest.fixture(scope="module")
def storage() -> Iterator[OwnStorage]:
    with ExitStack() as stack:
        try:
            running = stack.enter_context(own_storage())
        except NoStorage as reason:
            if os.environ.get("CI"):
                pytest.fail(str(reason))
            pytest.skip(str(reason))
        yield running


@pytest.fixture(scope="module")
def before_a_bucket(storage: OwnStorage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that keeps its files in a bucket."""
    command = [sys.executable, "-m", "drupe", "server", "--port", "0", "--artifacts", "s3://drupe/shared"]
    environ = {**without_settings(), **storage.environ}
    with subprocess.Popen(command, cwd=tmp_path_factory.mktemp("bucket"), env=environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield next(line.split()[1] for line in process.stdout if line.strip().startswith("at "))
        process.terminate()
        assert process.wait(WAIT_S) == 0


def moved(python: Path, server: str, folder: Path) -> str:
    """The run whose files went there and back."""
    environ = {
        **without_settings(),
        **TURNED_ON,
        "MLFLOW_TRACKING_URI": server,
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
        "HOME": str(folder),
    }
    done = subprocess.run([python, "-W", "ignore", SCRIPT], capture_output=True, text=True, cwd=folder, env=environ, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout.split()[-1]


@NEWEST
def test_parts_go_straight_to_the_bucket(mlflow_python: Path, before_a_bucket: str, storage: OwnStorage, tmp_path: Path) -> None:
    run_id = moved(mlflow_python, before_a_bucket, tmp_path)
    there = storage.client.head_object(Bucket="drupe", Key=f"shared/0/{run_id}/artifacts/model/weights of a model.bin")
    assert there["ETag"].endswith('-3"')
    assert "drupe-sha256" not in there["Metadata"]  # the server has not seen its bytes


@NEWEST
def test_a_server_with_a_folder_says_so_and_is_sent_files_whole(mlflow_python: Path, server: str, tmp_path: Path) -> None:
    moved(mlflow_python, server, tmp_path)

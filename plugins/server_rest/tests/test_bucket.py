"""A server before a bucket: files and ranges pass through it, parts go past it; and what a server before a folder says to that."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import urllib.request
from base64 import b64decode
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

import pytest

from plugins.server_rest.tests.served import Reply, Served, start
from plugins.store_s3.tests.own_storage import NoStorage, OwnStorage, own_storage

PARTS = "/api/2.0/mlflow-artifacts"
BIG = Random(5).randbytes(12_000_000)


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
def bucket(storage: OwnStorage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = start(
        tmp_path_factory.mktemp("served"),
        "--artifacts",
        "s3://drupe/team",
        "--signed-transfers",
        "--log-requests",
        env=dict(storage.environ),
    )
    yield served
    assert served.stop() == 0
    assert "Signature" not in served.printed


def call(server: Served, what: str, folder: str, **fields: Any) -> Reply:
    return server.ask("POST", f"{PARTS}/mpu/{what}/{folder}", json.dumps(fields).encode(), Content_Type="application/json")


def test_files_go_through_the_server_into_the_bucket_and_back_from_any_byte_on(bucket: Served, storage: OwnStorage) -> None:
    run_id = bucket.new_run()
    assert bucket.get("runs/get", run_id=run_id)["run"]["info"]["artifact_uri"] == f"mlflow-artifacts:/0/{run_id}/artifacts"
    where = f"0/{run_id}/artifacts/dir/a b.bin"
    assert bucket.put_file(where, BIG).status == 200
    assert storage.client.head_object(Bucket="drupe", Key=f"team/{where}")["ContentLength"] == len(BIG)
    whole = bucket.get_file(where, Want_Repr_Digest="sha-256=1")
    assert whole.body == BIG
    assert b64decode(whole.headers["repr-digest"].split(":")[1]) == hashlib.sha256(BIG).digest()
    for asked, expected in (
        ("bytes=5000000-5000009", BIG[5_000_000:5_000_010]),
        ("bytes=-7", BIG[-7:]),
        ("bytes=11999990-", BIG[11_999_990:]),
    ):
        part = bucket.get_file(where, Range=asked)
        assert (part.status, part.body) == (206, expected)
    assert bucket.call("GET", "artifacts/list", {"run_id": run_id}).json["files"] == [{"path": "dir", "is_dir": True}]
    assert bucket.get_file(f"0/{run_id}/artifacts/dir").status == 400
    assert bucket.get_file(f"0/{run_id}/artifacts/none").error == "RESOURCE_DOES_NOT_EXIST"
    assert bucket.ask("DELETE", f"{PARTS}/artifacts/0/{run_id}").json == {}
    assert bucket.get_file(where).status == 404


def test_parts_go_past_the_server_and_are_put_together_by_it(bucket: Served, storage: OwnStorage) -> None:
    begun = call(bucket, "create", "0/x", path="/home/me/big.bin", num_parts=2).json
    assert [one["part_number"] for one in begun["credentials"]] == [1, 2]
    parts = []
    for one, content in zip(begun["credentials"], (BIG[: 6 << 20], BIG[6 << 20 :]), strict=True):
        with urllib.request.urlopen(urllib.request.Request(one["url"], content, one["headers"], method="PUT")) as answer:
            parts.append({"part_number": one["part_number"], "etag": answer.headers["ETag"], "url": one["url"]})
    assert call(bucket, "complete", "0/x", path="C:\\me\\big.bin", upload_id=begun["upload_id"], parts=parts).json == {}
    assert bucket.get_file("0/x/big.bin").body == BIG
    told = bucket.ask("GET", f"{PARTS}/presigned/0/x/big.bin").json
    assert told["file_size"] == len(BIG)
    with urllib.request.urlopen(told["url"]) as answer:
        assert answer.read() == BIG
    given_up = call(bucket, "create", "0/x", path="no.bin").json
    assert call(bucket, "abort", "0/x", path="no.bin", upload_id=given_up["upload_id"]).json == {}
    assert storage.pending_uploads() == []
    assert bucket.ask("GET", "/api/3.0/mlflow/server-info").json["multipart_uploads_enabled"] is True


@pytest.mark.parametrize(
    ("what", "folder", "fields", "status"),
    [
        ("create", "0/x", {}, 400),
        ("create", "0/x", {"path": "dir/"}, 400),
        ("create", "0/x", {"path": ".."}, 400),
        ("create", "0/..", {"path": "a"}, 400),
        ("create", "..%2f..", {"path": "a"}, 400),
        ("create", "0/x", {"path": "a", "num_parts": 0}, 400),
        ("create", "0/x", {"path": "a", "num_parts": 20_000}, 400),
        ("create", "0/x", {"path": "a", "num_parts": "many"}, 400),
        ("complete", "0/x", {"path": "a", "upload_id": "none", "parts": [{"part_number": 1, "etag": "x"}]}, 404),
        ("complete", "0/x", {"path": "a", "upload_id": "none", "parts": []}, 400),
        ("complete", "0/x", {"path": "a", "upload_id": "none", "parts": [{"part_number": 1, "etag": "x"}] * 2}, 400),
        ("complete", "0/x", {"path": "a", "upload_id": "none", "parts": [7]}, 400),
    ],
)
def test_what_makes_no_sense_is_refused(bucket: Served, what: str, folder: str, fields: dict[str, Any], status: int) -> None:
    reply = call(bucket, what, folder, **fields)
    assert (reply.status, bool(reply.error)) == (status, True)


def test_signed_addresses_are_asked_as_the_protocol_says(bucket: Served) -> None:
    assert bucket.ask("GET", f"{PARTS}/mpu/create/0/x").status == 405
    assert bucket.ask("POST", f"{PARTS}/mpu/create/0/x", b'{"path": "a"}', Content_Type="text/plain").status == 400
    assert bucket.ask("GET", f"{PARTS}/presigned/0/none.bin").error == "RESOURCE_DOES_NOT_EXIST"


def test_a_folder_answers_with_the_error_by_which_clients_send_files_whole(server: Served) -> None:
    for reply in (call(server, "create", "0/x", path="a"), server.ask("GET", f"{PARTS}/presigned/0/x")):
        assert (reply.status, reply.error) == (501, "NOT_IMPLEMENTED")
    assert (
        call(server, "create", "0/x", path="a")
        .json["message"]
        .startswith("Multipart upload is not supported for the current artifact repository")
    )
    assert "multipart_uploads_enabled" not in server.ask("GET", "/api/3.0/mlflow/server-info").json


def test_a_bucket_that_is_not_there_is_told_at_the_start(storage: OwnStorage, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "drupe", "server", "--port", "0", "--artifacts", "s3://no-such-bucket/x"],
        cwd=tmp_path,
        env={**os.environ, **storage.environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "there is no bucket 'no-such-bucket'" in done.stderr
    assert "Traceback" not in done.stderr

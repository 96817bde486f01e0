"""Files through the proxy: kept whole or not at all, read from any byte on, and never from outside of the root."""

from __future__ import annotations

import http.client
import os
import time
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from drupe.extend import Staged
from drupe.uris import ArtifactPath
from drupe_server_rest.resuming import MOST_KEPT, KeptUploads, Upload
from plugins.server_rest.tests.served import Served, start

ROOT = "/api/2.0/mlflow-artifacts/artifacts"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[Served]:
    (home / "secret.txt").write_text("outside")
    served = start(home)
    yield served
    assert served.stop() == 0


def test_a_file_comes_back_byte_for_byte_under_its_name(server: Served) -> None:
    content = os.urandom(3_000_000)
    assert server.put_file("0/run/artifacts/100% & ü/model.bin", content).json == {}
    reply = server.get_file("0/run/artifacts/100% & ü/model.bin")
    assert reply.body == content
    assert reply.headers["content-type"] == "application/octet-stream"
    assert reply.headers["content-disposition"].startswith("attachment; filename")
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in reply.headers["content-security-policy"]


def test_listings_give_names_and_sizes_and_nothing_for_a_file(server: Served) -> None:
    server.put_file("listed/a.txt", b"abc")
    server.put_file("listed/inner/b.txt", b"")
    assert server.ask("GET", f"{ROOT}?path=listed").json == {
        "files": [{"path": "a.txt", "is_dir": False, "file_size": 3}, {"path": "inner", "is_dir": True}]
    }
    assert server.ask("GET", f"{ROOT}?path=listed/a.txt").json == {}
    assert server.ask("GET", f"{ROOT}?path=nothing").json == {}


def test_a_run_lists_its_files_from_its_own_root(server: Served) -> None:
    run_id = server.new_run()
    server.put_file(f"0/{run_id}/artifacts/dir/b.txt", b"x")
    found = server.call("GET", "artifacts/list", {"run_id": run_id, "path": "dir"}).json
    assert found["root_uri"] == f"mlflow-artifacts:/0/{run_id}/artifacts"
    assert found["files"] == [{"path": "dir/b.txt", "is_dir": False, "file_size": 1}]
    assert server.ask("GET", f"/get-artifact?run_id={run_id}&path=dir/b.txt").body == b"x"


def test_a_part_of_a_file_is_sent_where_it_is_asked_for(server: Served) -> None:
    server.put_file("parts.txt", b"0123456789")
    for asked, status, body in (
        ("bytes=2-4", 206, b"234"),
        ("bytes=7-", 206, b"789"),
        ("bytes=-2", 206, b"89"),
        ("bytes=x", 200, b"0123456789"),
    ):
        reply = server.get_file("parts.txt", Range=asked)
        assert (reply.status, reply.body) == (status, body)
    assert server.get_file("parts.txt", Range="bytes=2-4").headers["content-range"] == "bytes 2-4/10"
    assert server.get_file("parts.txt", Range="bytes=20-30").status == 400


def test_a_missing_file_is_404_a_folder_400_and_deleting_nothing_no_error(server: Served) -> None:
    server.put_file("folder/a.txt", b"x")
    assert server.get_file("folder/none.txt").error == "RESOURCE_DOES_NOT_EXIST"
    assert server.get_file("folder").status == 400
    assert server.ask("DELETE", f"{ROOT}/folder/a.txt").json == {}
    assert server.ask("DELETE", f"{ROOT}/folder/a.txt").json == {}
    assert server.get_file("folder/a.txt").status == 404


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt",
        "0/../../secret.txt",
        "%2e%2e/secret.txt",
        "%252e%252e/secret.txt",
        "..%2fsecret.txt",
        "0%2f..%2f..%2fsecret.txt",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "C:/secret.txt",
        "..\\secret.txt",
        "a/%00/b",
        "a//b",
        ".",
        "%ff",
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_nothing_outside_of_the_root_is_reached_by_any_spelling(server: Served, home: Path, method: str, path: str) -> None:
    connection = http.client.HTTPConnection(server.address.hostname or "", server.address.port)
    connection.putrequest(method, f"{ROOT}/{path}", skip_accept_encoding=True)
    connection.putheader("Content-Length", "1" if method == "PUT" else "0")
    connection.endheaders(b"x" if method == "PUT" else None)
    reply = connection.getresponse()
    assert 400 <= reply.status < 500
    assert b"outside" not in reply.read()
    assert (home / "secret.txt").read_text() == "outside"
    connection.close()


def test_a_link_below_the_root_leads_nowhere(server: Served, home: Path) -> None:
    server.put_file("links/a.txt", b"x")
    (home / "drupe-artifacts" / "links" / "out").symlink_to(home)
    (home / "drupe-artifacts" / "links" / "out.txt").symlink_to(home / "secret.txt")
    for path in ("links/out/secret.txt", "links/out.txt"):
        assert server.get_file(path).status in (400, 404)
    assert server.put_file("links/out/planted.txt", b"x").status == 400
    assert not (home / "planted.txt").exists()


def test_the_root_cannot_be_deleted(server: Served) -> None:
    server.put_file("kept.txt", b"x")
    for path in ("", "/", "%20", "%2e", "%00"):
        assert server.ask("DELETE", f"{ROOT}{'/' if path else ''}{path}").status == 400
    assert server.get_file("kept.txt").body == b"x"


def test_an_upload_that_is_cut_short_leaves_the_old_content(server: Served) -> None:
    server.put_file("cut.txt", b"old")
    connection = http.client.HTTPConnection(server.address.hostname or "", server.address.port)
    connection.putrequest("PUT", f"{ROOT}/cut.txt")
    connection.putheader("Content-Length", "1000000")
    connection.endheaders(b"new")
    connection.close()
    assert server.get_file("cut.txt").body == b"old"
    assert server.ask("GET", ROOT).json["files"] == sorted(server.ask("GET", ROOT).json["files"], key=lambda one: one["path"])


def test_forms_of_a_browser_upload_small_files_only(server: Served) -> None:
    run_id = server.new_run()
    where = f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run_id}&path=note.txt"
    assert server.ask("POST", where, b"hello").status == 200
    assert server.get_file(f"0/{run_id}/artifacts/note.txt").body == b"hello"
    assert server.ask("POST", where, b"x" * (10 * 2**20 + 1)).status == 413
    assert server.get_file(f"0/{run_id}/artifacts/note.txt").body == b"hello"


def test_a_folder_that_is_named_as_a_plain_path_is_the_root(tmp_path: Path) -> None:
    served = start(tmp_path, "--artifacts", str(tmp_path / "kept & 100% here?"))
    run_id = served.new_run()
    assert served.get("runs/get", run_id=run_id)["run"]["info"]["artifact_uri"] == f"mlflow-artifacts:/0/{run_id}/artifacts"
    served.put_file(f"0/{run_id}/artifacts/a.txt", b"x")
    assert served.ask("GET", f"/get-artifact?run_id={run_id}&path=a.txt").body == b"x"
    assert served.stop() == 0
    assert (tmp_path / "kept & 100% here?" / "0" / run_id / "artifacts" / "a.txt").read_bytes() == b"x"


def stretch(first: int, last: int, total: int, token: str = "ab" * 16, **also: str) -> dict[str, str]:
    return {
        "Content-Type": "application/octet-stream",
        "Drupe-Upload": token,
        "Content-Range": f"bytes {first}-{last}/{total}",
        "Content-Length": str(last - first + 1),
        **also,
    }


def test_an_upload_that_is_named_goes_on_where_it_was(server: Served) -> None:
    path, content = f"{ROOT}/resumed/a.bin", os.urandom(1000)
    named = {"Drupe-Upload": "ab" * 16}
    assert server.ask("HEAD", path, None, **named).headers["upload-offset"] == "0"
    reply = server.ask("PUT", path, content[:400], **stretch(0, 399, 1000))
    assert (reply.status, reply.headers["upload-offset"]) == (200, "400")
    assert server.get_file("resumed/a.bin").status == 404
    assert server.ask("HEAD", path, None, **named).headers["upload-offset"] == "400"
    wrong = server.ask("PUT", path, content[500:], **stretch(500, 999, 1000))
    assert (wrong.status, wrong.error, wrong.headers["upload-offset"]) == (409, "INVALID_STATE", "400")
    assert server.ask("PUT", path, content[400:], **stretch(400, 999, 1000)).headers["upload-offset"] == "1000"
    assert server.get_file("resumed/a.bin").body == content
    assert server.ask("HEAD", path, None, **named).headers["upload-offset"] == "0"  # it is over


@pytest.mark.parametrize(
    "headers",
    [
        stretch(0, 3, 4, token="x"),
        stretch(0, 3, 4, token="AB" * 16),
        stretch(0, 4, 4),
        {**stretch(3, 0, 4), "Content-Length": "4"},
        {**stretch(0, 3, 4), "Content-Range": "bytes */4"},
        {**stretch(0, 3, 4), "Content-Range": f"bytes 0-3/{'9' * 400}"},
        {**stretch(0, 2, 4), "Content-Length": "4"},
    ],
)
def test_an_upload_that_is_named_wrongly_is_refused(server: Served, headers: dict[str, str]) -> None:
    content = b"abcde"[: int(headers["Content-Length"])]  # for one that is not sent the server would wait
    reply = server.ask("PUT", f"{ROOT}/resumed/b.bin", content, **headers)
    assert (reply.status, reply.error) == (400, "INVALID_PARAMETER_VALUE")
    assert server.get_file("resumed/b.bin").status == 404


def test_an_upload_belongs_to_one_file(server: Served) -> None:
    token = "cd" * 16
    server.ask("PUT", f"{ROOT}/resumed/c.bin", b"ab", **stretch(0, 1, 4, token))
    for path, total in (("d.bin", 4), ("c.bin", 5)):
        reply = server.ask("PUT", f"{ROOT}/resumed/{path}", b"cd", **stretch(2, 3, total, token))
        assert (reply.status, reply.error) == (400, "INVALID_PARAMETER_VALUE")
    assert server.ask("PUT", f"{ROOT}/resumed/c.bin", b"cd", **stretch(2, 3, 4, token)).status == 200
    assert server.get_file("resumed/c.bin").body == b"abcd"


@pytest.mark.parametrize("how", [{}, stretch(0, 2, 3, "ef" * 16)])
def test_bytes_that_are_not_what_their_digest_says_are_not_kept(server: Served, how: dict[str, str]) -> None:
    told = {"Content-Type": "application/octet-stream", **how, "Repr-Digest": f"sha-256=:{b64encode(sha256(b'new').digest()).decode()}:"}
    server.put_file("digest/a.bin", b"old")
    reply = server.ask("PUT", f"{ROOT}/digest/a.bin", b"neW", **told)
    assert (reply.status, reply.error) == (400, "INVALID_PARAMETER_VALUE")
    assert server.get_file("digest/a.bin").body == b"old"
    assert server.ask("PUT", f"{ROOT}/digest/a.bin", b"new", **told).status == 200
    assert server.get_file("digest/a.bin").body == b"new"


def test_the_uploads_that_wait_are_bounded() -> None:
    kept, dropped = KeptUploads(), []
    for number in range(MOST_KEPT + 3):
        upload = Upload(ArtifactPath.parse("a"), Staged(lambda file: None), 1, seen_s=time.monotonic() + number)
        upload.rests.set()
        dropped += kept.keep(b"%d" % number, upload)
    assert len(kept.all()) == MOST_KEPT
    assert [one.seen_s for one in dropped] == sorted(one.seen_s for one in dropped)
    assert kept.find(b"2") is None
    assert kept.find(b"3") is not None
    for upload in (*dropped, *kept.all()):
        upload.incoming.drop()

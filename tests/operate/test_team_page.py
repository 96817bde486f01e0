"""The page on a server for a team, as it is written: two processes on PostgreSQL and a bucket behind nginx with TLS, logins and a path."""

from __future__ import annotations

import base64
import http.client
import json
import os
import shlex
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from requests import certs

from plugins.store_s3.tests.own_storage import NoStorage, OwnStorage, own_storage
from tests.mlflow_models.conftest import mlflow_python, release
from tests.operate.own_proxy import NoProxy, OwnProxy, own_proxy
from tests.operate.pages import ROOT, blocks

__all__ = ["mlflow_python", "release"]

pytestmark = pytest.mark.slow
WAIT_S = 60
ROOT_OF_FILES = "/tracking/api/2.0/mlflow-artifacts/artifacts"
LOGIN = {"Authorization": "Basic " + base64.b64encode(b"ada:rain in may").decode()}


class Team(NamedTuple):
    """All that the page sets up."""

    proxy: OwnProxy
    storage: OwnStorage
    database: Any
    servers: list[subprocess.Popen[str]]


def settings(page: str, **others: str) -> dict[str, str]:
    """The variables of the page, with those that are others here; each of them must be on the page."""
    told = dict(line.split("=", 1) for line in page.splitlines() if line)
    assert set(others) <= set(told)
    return {**told, **others}


def own_postgres(stack: ExitStack) -> Any:
    spec = spec_from_file_location("own_server", ROOT / "plugins/store_postgres/tests/own_server.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    try:
        return module, stack.enter_context(module.own_server())
    except module.NoServer as reason:
        return pytest.skip(str(reason))


def start(stack: ExitStack, environ: Mapping[str, str], folder: Path) -> tuple[subprocess.Popen[str], int]:
    """What the unit starts, on any port that is free; the process and its port."""
    (unit,) = blocks("team-server.md", "systemd")
    (command,) = [line.removeprefix("ExecStart=") for line in unit.splitlines() if line.startswith("ExecStart=")]
    program, *options = shlex.split(command.replace("%i", "0"))
    assert program.endswith("/bin/drupe")
    clean = {name: text for name, text in os.environ.items() if not name.startswith(("DRUPE_", "MLFLOW_", "AWS_", "PG"))}
    started = subprocess.Popen(
        [sys.executable, "-m", "drupe", *options],
        cwd=folder,
        env={**clean, **environ, "HOME": str(folder)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert started.stdout is not None
    stack.callback(started.communicate, timeout=WAIT_S)
    stack.callback(started.terminate)
    told = next((line.split()[1] for line in started.stdout if line.strip().startswith("at ")), None)
    assert told is not None, f"the server ended with {started.wait(WAIT_S)}"
    return started, urlsplit(told).port or 0


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    folder = tmp_path_factory.mktemp("team")
    with ExitStack() as stack:
        try:
            storage = stack.enter_context(own_storage())
        except NoStorage as reason:
            pytest.skip(str(reason))
        module, postgres = own_postgres(stack)
        (page,) = blocks("team-server.md", "ini")
        environ = settings(
            page,
            DRUPE_SERVER_REST__STORE=f"postgresql://127.0.0.1:{postgres.port}/{postgres.new_database()}",
            DRUPE_SERVER_REST__ARTIFACTS="s3://drupe/team",
            DRUPE_SERVER_REST__ALLOWED_HOSTS="localhost",
            PGUSER=module.USER,
            PGPASSWORD=module.PASSWORD,
            MLFLOW_S3_ENDPOINT_URL=storage.url,
            AWS_ACCESS_KEY_ID=storage.environ["AWS_ACCESS_KEY_ID"],
            AWS_SECRET_ACCESS_KEY=storage.environ["AWS_SECRET_ACCESS_KEY"],
        )
        servers, ports = zip(*(start(stack, environ, folder) for _ in range(2)), strict=True)
        (site,) = blocks("team-server.md", "nginx")
        changes = {f"127.0.0.1:{there}": f"127.0.0.1:{port}" for there, port in zip((5001, 5002), ports, strict=True)}
        try:
            proxy = stack.enter_context(own_proxy(site, changes, {"ada": "rain in may"}, folder))
        except NoProxy as reason:
            pytest.skip(str(reason))
        yield Team(proxy, storage, postgres, list(servers))
    assert [one.returncode for one in servers] == [0, 0]


def connected(team: Team) -> http.client.HTTPSConnection:
    trusted = ssl.create_default_context(cafile=str(team.proxy.authority))
    return http.client.HTTPSConnection("localhost", team.proxy.port, context=trusted, timeout=WAIT_S)


def ask(team: Team, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    connection = connected(team)
    connection.request(method, path, body, {**LOGIN, **{name.replace("_", "-"): text for name, text in headers.items()}})
    reply = connection.getresponse()
    told = reply.status, reply.read()
    connection.close()
    return told


def clients(team: Team, folder: Path) -> dict[str, str]:
    """The variables that the page names."""
    clean = {name: text for name, text in os.environ.items() if not name.startswith(("DRUPE_", "MLFLOW_", "AWS_", "PG", "PYTHON"))}
    told = {
        "MLFLOW_TRACKING_URI": f"{team.proxy.url}/tracking",
        "MLFLOW_TRACKING_USERNAME": "ada",
        "MLFLOW_TRACKING_PASSWORD": "rain in may",
        "MLFLOW_TRACKING_SERVER_CERT_PATH": str(team.proxy.authority),
    }
    page = (ROOT / "docs/how-to/team-server.md").read_text()
    assert [name for name in told if f"{name}=" not in page] == []
    elsewhere = {"REQUESTS_CA_BUNDLE": certs.where()}  # what a machine trusts besides must not come first
    return {
        **clean,
        **told,
        **elsewhere,
        "HOME": str(folder),
        "XDG_STATE_HOME": str(folder / "state"),
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    }


def run(command: list[str], environ: Mapping[str, str], folder: Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=dict(environ), check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout.split()[-1]


@pytest.mark.parametrize("release", ["3.17.2"], indirect=True)
def test_the_official_client_logs_through_it(team: Team, mlflow_python: Path, tmp_path: Path) -> None:
    script = ROOT / "tests/mlflow_clients/large_files.py"
    run_id = run([str(mlflow_python), "-W", "ignore", str(script)], clients(team, tmp_path), tmp_path)
    there = team.storage.client.list_objects_v2(Bucket="drupe", Prefix=f"team/0/{run_id}/")["Contents"]
    assert sorted(one["Key"].rpartition("/")[2] for one in there) == ["note.txt", "weights of a model.bin"]


def test_our_client_logs_through_it(team: Team, tmp_path: Path) -> None:
    script = Path(__file__).with_name("our_client.py")
    run_id = run([sys.executable, str(script)], clients(team, tmp_path), tmp_path)
    there = team.storage.client.list_objects_v2(Bucket="drupe", Prefix=f"team/0/{run_id}/artifacts/dir/")["Contents"]
    assert [one["Size"] for one in there] == [9_000_000]


def test_nobody_gets_in_without_a_login_but_health_checks(team: Team) -> None:
    assert ask(team, "GET", "/tracking/health", Authorization="")[:2] == (200, b"OK")
    for path, status in (("/tracking/version", 401), ("/tracking/api/2.0/mlflow/runs/get?run_id=x", 401)):
        assert ask(team, "GET", path, Authorization="Basic bm86bm8=")[0] == status
    assert ask(team, "GET", "/tracking/metrics")[0] == 403
    assert ask(team, "GET", "/tracking/version")[0] == 200
    assert ask(team, "GET", "/version")[0] == 404


def test_uploads_are_not_kept_by_the_proxy_and_odd_names_pass_it(team: Team) -> None:
    name, content = "0/50%25%20done%2525.txt", os.urandom(6_000_000)
    connection = connected(team)
    connection.putrequest("PUT", f"{ROOT_OF_FILES}/{name}")
    for header, text in {**LOGIN, "Content-Length": str(len(content))}.items():
        connection.putheader(header, text)
    connection.endheaders(content[:5_000_000])
    assert [file for file in (team.proxy.folder / "client_body").rglob("*") if file.is_file()] == []
    connection.send(content[5_000_000:])
    assert connection.getresponse().read() == b"{}"
    connection.close()
    assert ask(team, "GET", f"{ROOT_OF_FILES}/{name}", Range="bytes=5999000-")[1] == content[5_999_000:]
    listed = json.loads(ask(team, "GET", f"{ROOT_OF_FILES}?path=0")[1])["files"]
    assert {"path": "50% done%25.txt", "is_dir": False, "file_size": len(content)} in listed
    for path in ("0/..%2f..%2fx", "0/%2e%2e/x", "%2e%2e%2fx"):
        assert ask(team, "GET", f"{ROOT_OF_FILES}/{path}")[0] in (400, 404)


def test_the_stream_of_changes_is_told_at_once(team: Team) -> None:
    connection = connected(team)
    connection.request("GET", "/tracking/api/drupe/changes", headers=LOGIN)
    stream = connection.getresponse()
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert stream.readline() == b": listening\n"
    for number in range(2):  # one for each process
        body = json.dumps({"experiment_id": "0", "start_time": number}).encode()
        assert ask(team, "POST", "/tracking/api/2.0/mlflow/runs/create", body, Content_Type="application/json")[0] == 200
    told = [stream.readline() for _ in range(2)]
    assert any(line.startswith(b"data: ") for line in told), told
    connection.close()


def test_one_process_may_go_while_the_other_answers(team: Team) -> None:
    one = team.servers[0]
    one.send_signal(signal.SIGSTOP)
    one.send_signal(signal.SIGTERM)
    one.send_signal(signal.SIGCONT)
    assert one.wait(WAIT_S) == 0
    for _ in range(6):
        assert ask(team, "GET", "/tracking/version")[0] == 200


def test_the_unit_is_one_that_systemd_understands(tmp_path: Path) -> None:
    (unit,) = blocks("team-server.md", "systemd")
    (tmp_path / "drupe@.service").write_text(unit.replace("/opt/drupe/bin/drupe", sys.executable))
    try:
        told = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", str(tmp_path / "drupe@.service")], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        pytest.skip("systemd is not installed here")
    assert "drupe@" not in told.stderr, told.stderr

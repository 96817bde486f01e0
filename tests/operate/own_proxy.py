"""nginx with the configuration of a how-to page, on a free port of this machine, with a certificate of the tests' own authority."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import trustme

WAIT_S = 30


class NoProxy(Exception):
    """None can be started here; the reason is its text."""


class OwnProxy:
    """A running nginx. `authority` is the file by which its certificate is trusted."""

    def __init__(self, port: int, authority: Path, folder: Path) -> None:
        self.port, self.authority, self.folder = port, authority, folder
        self.url = f"https://localhost:{port}"


@contextmanager
def own_proxy(site: str, changes: Mapping[str, str], users: Mapping[str, str], folder: Path) -> Iterator[OwnProxy]:
    """Run nginx with the part of a page, in which the texts of `changes` are others here. Raises NoProxy with the reason."""
    program = _installed()
    port = _free_port()
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    authority.cert_pem.write_to_path(folder / "authority.pem")
    for at, blob in enumerate(certificate.cert_chain_pems):
        blob.write_to_path(folder / "site.pem", append=at > 0)
    certificate.private_key_pem.write_to_path(folder / "site.key")
    (folder / "users").write_text("".join(f"{name}:{_hashed(password)}\n" for name, password in users.items()))
    here = {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "/etc/nginx/tls/tracking.pem": str(folder / "site.pem"),
        "/etc/nginx/tls/tracking.key": str(folder / "site.key"),
        "/etc/nginx/drupe.htpasswd": str(folder / "users"),
        "tracking.example.org": "localhost",
        **changes,
    }
    for text, other in here.items():
        assert text in site, f"the page has no {text!r}"
        site = site.replace(text, other)
    temporary = "\n".join(f"{name}_temp_path {folder / name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"{user}\ndaemon off;\nworker_processes 1;\npid {folder / 'pid'};\nerror_log {folder / 'error.log'};\nevents {{}}\n"
        f"http {{\naccess_log {folder / 'access.log'};\n{temporary}\n{site}\n}}\n"
    )
    started = subprocess.Popen([program, "-p", str(folder), "-c", str(folder / "nginx.conf")], stderr=subprocess.PIPE, text=True)
    try:
        _wait(started, port)
        yield OwnProxy(port, folder / "authority.pem", folder)
    finally:
        if started.poll() is None:
            started.send_signal(signal.SIGTERM)
        started.communicate(timeout=WAIT_S)


def _free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait(started: subprocess.Popen[str], port: int) -> None:
    until = time.monotonic() + WAIT_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            if started.poll() is not None or time.monotonic() > until:
                assert started.stderr is not None
                raise NoProxy(f"nginx does not start: {started.stderr.read()[-800:]}") from None
            time.sleep(0.02)


def _hashed(password: str) -> str:
    return subprocess.run(["openssl", "passwd", "-apr1", password], capture_output=True, text=True, check=True).stdout.strip()


def _installed() -> str:
    where = f"{os.environ.get('PATH', '')}:/usr/sbin"
    if shutil.which("nginx", path=where) is None and os.geteuid() == 0 and shutil.which("apt-get"):
        environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update", "-q"], ["install", "-y", "-q", "--no-install-recommends", "nginx-light"]):
            subprocess.run(["apt-get", *command], env=environ, capture_output=True, check=False, timeout=280)
    found = shutil.which("nginx", path=where)
    if found is None:
        raise NoProxy("nginx is not installed here, and could not be: apt-get install nginx-light")
    return found

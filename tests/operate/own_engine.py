"""A Docker engine of the tests' own, in a temporary folder, and a base image made of this host's own packages where no registry is reached.

It leaves the firewall alone: published ports go through the engine's own proxy, and builds use the host's network.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

WAIT_S = 60
PACKAGES = [
    "base-files",
    "base-passwd",
    "bash",
    "dash",
    "coreutils",
    "libc-bin",
    "grep",
    "sed",
    "gzip",
    "tar",
    "findutils",
    "mawk",
    "diffutils",
    "hostname",
    "util-linux",
    "debianutils",
    "login",
    "passwd",
    "ca-certificates",
    "python3",
    "python3-venv",
    "python3-pip",
    "libstdc++6",  # the slim images have it, by way of apt
    "zlib1g",
    "netbase",
]
SHARED = ("doc", "man", "locale", "info", "lintian", "bug")
LINKS = (
    "/bin",
    "/lib",
    "/lib64",
    "/sbin",
    "/etc/alternatives",
    "/etc/passwd",
    "/etc/group",
    "/usr/bin/awk",
    "/etc/ld.so.conf",
    "/etc/ld.so.cache",
)
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"


class NoEngine(Exception):
    """None can be started here; the reason is its text."""


@contextmanager
def own_engine() -> Iterator[Mapping[str, str]]:
    """The variables that lead Docker's client to an engine that runs while the block does. Raises NoEngine with the reason."""
    if os.geteuid() != 0:
        raise NoEngine("only root can start a Docker engine")
    _install()
    if any(_name_of(process) == "dockerd" for process in Path("/proc").glob("[0-9]*")):
        raise NoEngine("another Docker engine runs here; these tests would disturb it")
    folder = Path(tempfile.mkdtemp(prefix="drupe-docker-"))
    options = [f"--data-root={folder}/data", f"--exec-root={folder}/exec", f"--pidfile={folder}/pid", f"--host=unix://{folder}/docker.sock"]
    options += ["--iptables=false", "--ip6tables=false", "--ip-forward=false", "--storage-driver=overlay2", "--shutdown-timeout=2"]
    environ = {**os.environ, "DOCKER_HOST": f"unix://{folder}/docker.sock", "DOCKER_BUILDKIT": "0", "DOCKER_CONFIG": str(folder / "config")}
    (folder / "data").mkdir()
    in_memory = [
        "mount",
        "-t",
        "tmpfs",
        "-o",
        "size=4g,mode=0711",
        "tmpfs",
        str(folder / "data"),
    ]  # layers are many small files, synced one by one
    subprocess.run(in_memory, capture_output=True, check=False)
    with (folder / "log").open("wb") as log:
        engine = subprocess.Popen(["dockerd", *options], stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        until = time.monotonic() + WAIT_S
        while subprocess.run(["docker", "info"], env=environ, capture_output=True, check=False).returncode:
            if engine.poll() is not None or time.monotonic() > until:
                raise NoEngine(f"the Docker engine does not start: {(folder / 'log').read_text(errors='replace')[-800:]}")
            time.sleep(0.1)
        yield environ
    finally:
        if engine.poll() is None:
            engine.send_signal(signal.SIGTERM)
            engine.wait(WAIT_S)
        for command in (
            ["ip", "link", "delete", "docker0"],
            ["umount", str(folder / "data")],
            ["umount", str(folder / "exec/netns/default")],
        ):
            subprocess.run(command, capture_output=True, check=False)
        shutil.rmtree(folder, ignore_errors=True)


def make_base(environ: Mapping[str, str], tag: str) -> None:
    """Make an image like Python's slim one out of files of Debian packages on this host. Raises NoEngine."""
    closure = _told("apt-cache", "depends", "--recurse", "--no-recommends", "--no-suggests", "--no-conflicts", "--no-breaks", "--no-replaces",
                    "--no-enhances", "--important", *PACKAGES).splitlines()  # fmt: skip
    names = sorted({line.partition(":")[0] for line in closure if line[:1].isalnum()})
    states = _told("dpkg-query", "-W", "-f", "${binary:Package} ${Status}\n", *names, lenient=True).splitlines()
    installed = [line.partition(" ")[0] for line in states if line.endswith(" installed")]
    files = {_merged(line) for line in _told("dpkg", "-L", *installed).splitlines() if _wanted(line)} | {*LINKS, AUTHORITIES}
    with tempfile.NamedTemporaryFile("w", prefix="drupe-base-") as listing:
        listing.write("".join(f"{name}\n" for name in sorted(files)))
        listing.flush()
        pack = ["tar", "-C", "/", "--hard-dereference", "--no-recursion", "--ignore-failed-read", "-cf", "-", "-T", listing.name]
        packed = subprocess.Popen(pack, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        known = f"ENV PIP_CERT={AUTHORITIES} SSL_CERT_FILE={AUTHORITIES} REQUESTS_CA_BUNDLE={AUTHORITIES} PIP_DISABLE_PIP_VERSION_CHECK=1"
        taken = subprocess.run(
            ["docker", "import", "--change", known, "-", tag],
            stdin=packed.stdout,
            env=dict(environ),
            capture_output=True,
            text=True,
            check=False,
        )
        assert packed.stdout is not None
        packed.stdout.close()
        packed.wait(WAIT_S)
    if taken.returncode:
        raise NoEngine(f"no base image could be made: {taken.stderr[-500:]}")


def _install() -> None:
    if shutil.which("dockerd") is None and shutil.which("apt-get"):
        environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update", "-q"], ["install", "-y", "-q", "--no-install-recommends", "docker.io", "iptables"]):
            subprocess.run(["apt-get", *command], env=environ, capture_output=True, check=False, timeout=280)
    if shutil.which("dockerd") is None:
        raise NoEngine("the Docker engine is not installed here, and could not be: apt-get install docker.io iptables")
    if shutil.which("dpkg-query") is None:
        raise NoEngine("a base image without a registry is made of Debian's packages, and this is no Debian")


def _name_of(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:  # it has ended meanwhile
        return ""


def _told(*command: str, lenient: bool = False) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode and not lenient:
        raise NoEngine(f"{command[0]}: {done.stderr[-300:]}")
    return done.stdout


def _wanted(line: str) -> bool:
    return line.startswith("/") and not any(line == f"/usr/share/{name}" or line.startswith(f"/usr/share/{name}/") for name in SHARED)


def _merged(name: str) -> str:
    """A file of a folder that is a link now, under the folder's own name: listed twice it would break the import."""
    top = name.split("/")[1]
    return f"/usr{name}" if top in ("bin", "sbin", "lib", "lib64", "lib32", "libx32") and name.count("/") > 1 else name

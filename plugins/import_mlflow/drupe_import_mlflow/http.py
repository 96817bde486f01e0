"""Questions to a tracking server over HTTP: reading alone, patient with faults that pass, bounded in what is taken for an answer."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from drupe.errors import ArtifactNotFound, DrupeError, InvalidValue, NotFound, StoreFull, StoreUnavailable
from drupe.uris import ArtifactPath, Uri, redact
from drupe_import_mlflow.settings import MlflowSettings

__all__ = ["Connection", "Refused"]

ANSWER_BYTES = 256 * 2**20
BLOCK_BYTES = 2**20
NO_SPACE = 28
PASSING = (408, 429, 502, 503, 504)


class Refused(InvalidValue):
    """The server has answered with an error of its own."""


class Connection:
    """One server. Every thread has connections of its own, which are kept open."""

    def __init__(self, uri: Uri, settings: MlflowSettings) -> None:
        netloc = f"{uri.scheme}://{uri.host}{quote(uri.path.rstrip('/'))}"
        self.place, self._base, self._settings = redact(netloc), netloc, settings
        user, _, password = uri.user_info.partition(":")
        environ = os.environ
        self._login = (
            unquote(user) or environ.get("MLFLOW_TRACKING_USERNAME", ""),
            unquote(password) or environ.get("MLFLOW_TRACKING_PASSWORD", ""),
        )
        self._token = "" if user else environ.get("MLFLOW_TRACKING_TOKEN", "")
        self._local = threading.local()
        self._sessions: list[requests.Session] = []
        self._lock = threading.Lock()

    def close(self) -> None:
        """Let go of all connections."""
        with self._lock:
            for session in self._sessions:
                session.close()
            self._sessions.clear()
            self._local = threading.local()

    def get(self, route: str, **asked: Any) -> dict[str, Any]:
        """The answer to a GET of a route below `/api/2.0/mlflow`. Raises StoreUnavailable, Refused, NotFound."""
        return self._json("GET", f"/api/2.0/mlflow/{route}", params=asked)

    def post(self, route: str, **asked: Any) -> dict[str, Any]:
        """The answer to a search that is asked by POST. Raises as `get`."""
        return self._json("POST", f"/api/2.0/mlflow/{route}", json=asked)

    def list_proxied(self, path: ArtifactPath) -> dict[str, Any]:
        """What the server's artifact proxy has in a folder."""
        return self._json("GET", "/api/2.0/mlflow-artifacts/artifacts", params={"path": str(path)})

    def fetch_of_run(self, run_id: str, path: ArtifactPath, target: Path) -> None:
        """Write an artifact of a run to a local file. Raises ArtifactNotFound, StoreUnavailable, StoreFull."""
        self._fetch("/get-artifact", {"run_id": run_id, "run_uuid": run_id, "path": str(path)}, target)

    def fetch_proxied(self, path: ArtifactPath, target: Path) -> None:
        """Write a file of the server's artifact proxy to a local file. Raises as `fetch_of_run`."""
        self._fetch(f"/api/2.0/mlflow-artifacts/artifacts/{quote(str(path))}", {}, target)

    def _json(self, method: str, path: str, **asked: Any) -> dict[str, Any]:
        with self._answer(method, path, **asked) as answer:
            raw = b""
            try:
                for block in answer.iter_content(BLOCK_BYTES):
                    raw += block
                    if len(raw) > ANSWER_BYTES:
                        raise StoreUnavailable(f"{self.place} answers {path} with more than {ANSWER_BYTES} bytes")
            except requests.RequestException as fault:
                raise StoreUnavailable(f"the connection to {self.place} broke: {redact(str(fault))}") from fault
        try:
            found = json.loads(raw or b"{}")
        except ValueError:
            found = None
        if answer.status_code == 200 and isinstance(found, dict):
            return found
        raise self._fault(answer.status_code, found, path)

    def _fetch(self, path: str, asked: dict[str, str], target: Path) -> None:
        try:
            with self._answer("GET", path, params=asked) as answer, target.open("wb") as stream:
                if answer.status_code != 200:
                    raise ArtifactNotFound(f"{self.place} answers {answer.status_code} for {asked.get('path', path)!r}", path=str(target))
                wanted, done = answer.headers.get("Content-Length", ""), 0
                for block in answer.iter_content(BLOCK_BYTES):
                    stream.write(block)
                    done += len(block)
                if wanted.isdecimal() and not answer.headers.get("Content-Encoding") and int(wanted) != done:
                    raise StoreUnavailable(f"{self.place} broke off after {done} of {wanted} bytes")
        except requests.RequestException as fault:
            raise StoreUnavailable(f"the connection to {self.place} broke: {redact(str(fault))}") from fault
        except OSError as fault:
            kind = StoreFull if fault.errno == NO_SPACE else StoreUnavailable
            raise kind(f"{target} cannot be written: {fault.strerror}", path=str(target)) from fault

    def _answer(self, method: str, path: str, **asked: Any) -> requests.Response:
        try:
            answer = self._session().request(
                method,
                self._base + path,
                stream=True,
                allow_redirects=False,
                timeout=(self._settings.connect_s, self._settings.read_s),
                verify=not self._settings.insecure_tls,
                **asked,
            )
        except requests.RequestException as fault:
            raise StoreUnavailable(f"{self.place} cannot be reached: {redact(str(fault))[:300]}") from fault
        if answer.is_redirect:
            answer.close()
            leads = redact(answer.headers.get("Location", ""))[:200]
            raise StoreUnavailable(f"{self.place} leads to {leads}, which is not followed; give that address if it is right")
        return answer

    def _fault(self, status: int, found: Any, path: str) -> DrupeError:
        told = str(found.get("message", ""))[:300] if isinstance(found, dict) else "no JSON"
        if status == 200:
            return StoreUnavailable(f"{self.place} is no MLflow server: it answers {path} with {told}")
        if status in (401, 403):
            return StoreUnavailable(
                f"{self.place} answers {status}: give a user in the address, or set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or "
                "MLFLOW_TRACKING_TOKEN"
            )
        if status == 404:
            return NotFound(f"{self.place} answers 404 to {path}: {told}")
        kind = Refused if status < 500 else StoreUnavailable
        return kind(f"{self.place} answers {status} to {path}: {told}")

    def _session(self) -> requests.Session:
        found: requests.Session | None = getattr(self._local, "session", None)
        if found is None:
            found = self._local.session = requests.Session()
            retry = Retry(total=5, connect=1, backoff_factor=0.5, status_forcelist=PASSING, allowed_methods=None, raise_on_status=False)
            for scheme in ("http://", "https://"):
                found.mount(scheme, HTTPAdapter(max_retries=retry))
            found.headers["User-Agent"] = "drupe-import-mlflow"
            if self._token:
                found.headers["Authorization"] = f"Bearer {self._token}"
            elif self._login[0]:
                found.auth = self._login
            with self._lock:
                self._sessions.append(found)
        return found

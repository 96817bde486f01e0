"""Servers behind TLS: an authority of one's own is trusted when it is named, and a server may want to see the client's certificate."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import certifi
import pytest
import trustme

import drupe
from drupe.errors import StoreUnavailable
from drupe.loading import catalog
from drupe.uris import Uri
from plugins.store_http.tests.cutting import Cutter
from plugins.store_http.tests.serving import Served


class Authority:
    """An authority, a server's address that it vouches for, and files for a client."""

    def __init__(self, served: Served, folder: Path, *, asks_client: bool) -> None:
        self.asks_client, authority = asks_client, trustme.CA()
        self.trusted, self.client = folder / "authority.pem", folder / "client.pem"
        authority.cert_pem.write_to_path(str(self.trusted))
        authority.issue_cert("ada@example.org").private_key_and_cert_chain_pem.write_to_path(str(self.client))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        if asks_client:
            context.verify_mode = ssl.CERT_REQUIRED
            authority.configure_trust(context)
        self.proxy = Cutter(urlsplit(served.url).port or 0, context)
        self.url = f"{self.proxy.url}{urlsplit(served.url).path}"


@pytest.fixture(params=[False, True], ids=["any client", "known clients"])
def authority(served: Served, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Authority]:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())  # what `requests` trusts otherwise is no reason to trust nobody else
    made = Authority(served, tmp_path, asks_client=request.param)
    yield made
    made.proxy.close()


def test_runs_and_files_go_to_a_server_whose_authority_is_named(
    authority: Authority, drupe_workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRUPE_TRACKING_SERVER_CERT_PATH", str(authority.trusted))
    monkeypatch.setenv("MLFLOW_TRACKING_CLIENT_CERT_PATH", str(authority.client))
    drupe.set_tracking_uri(authority.url)
    with drupe.start_run() as run:
        drupe.log_metric("loss", 0.5)
        drupe.log_text("kept", "note.txt")
    assert drupe.get_run(run.info.run_id).data.metrics == {"loss": 0.5}
    assert Path(drupe.download_artifacts(run_id=run.info.run_id, artifact_path="note.txt")).read_text() == "kept"


def test_a_server_that_nobody_vouches_for_is_not_spoken_to(authority: Authority, drupe_workspace: Path) -> None:
    with pytest.raises(StoreUnavailable, match="no trusted connection"):
        catalog().open("drupe_tracking_stores", Uri.parse(f"{authority.url}?retry_s=0.01", query=True))


def test_a_server_that_wants_to_know_its_clients_refuses_others(authority: Authority, drupe_workspace: Path) -> None:
    address = Uri.parse(f"{authority.url}?retry_s=0.01&server_cert={authority.trusted}", query=True)
    if authority.asks_client:
        with pytest.raises(StoreUnavailable):
            catalog().open("drupe_tracking_stores", address)
    else:
        catalog().open("drupe_tracking_stores", address).close()

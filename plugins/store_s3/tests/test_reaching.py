"""Addresses, settings and MLflow's variables; what is said when a bucket cannot be reached or used, without a word of what is secret."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, NoCredentialsError, ProfileNotFound, SSLError

from drupe.artifacts.repos import repo_for
from drupe.errors import (
    ArtifactNotFound,
    DrupeError,
    InvalidPath,
    InvalidSettings,
    InvalidUri,
    StoreBusy,
    StoreError,
    StoreFull,
    StoreReadOnly,
    StoreUnavailable,
    UnsupportedFeature,
)
from drupe.uris import ArtifactPath, Uri, join_segments
from drupe_store_s3.bucket import Bucket
from drupe_store_s3.faults import told
from drupe_store_s3.repo import S3ArtifactRepo
from drupe_store_s3.settings import S3Settings, with_environment
from plugins.store_s3.tests.conftest import Open
from plugins.store_s3.tests.own_storage import KEY_ID, READER_ID, READER_SECRET, SECRET, OwnStorage

P = ArtifactPath.parse


@pytest.mark.parametrize(
    "address", ["s3:///prefix", "s3://bucket//x", "s3://bucket/a/../b", "s3://bucket/./a", "s3://bucket/a//b", "s3://bucket:80/a", "s3:/a"]
)
def test_an_address_that_is_no_bucket_and_prefix_is_refused(address: str) -> None:
    with pytest.raises(InvalidUri):
        S3ArtifactRepo.open(Uri.parse(address))


def test_credentials_in_an_address_are_refused_and_not_shown() -> None:
    with pytest.raises(InvalidUri) as caught:
        S3ArtifactRepo.open(Uri.parse("s3://bucket/a?secret_access_key=hush", query=True), S3Settings(secret_access_key="hush"))
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "a\x00b"])
def test_names_that_could_leave_the_prefix_are_refused_even_unchecked(name: str) -> None:
    repo = S3ArtifactRepo.open(Uri.parse("s3://bucket/prefix"))
    for ask in (repo.list, repo.delete, repo.digest):
        with pytest.raises((InvalidPath, ArtifactNotFound)):
            ask(ArtifactPath((name,)))


def test_a_key_is_at_most_1024_bytes() -> None:
    repo = S3ArtifactRepo.open(Uri.parse("s3://bucket/prefix"))
    with pytest.raises(InvalidPath, match="longer"):
        repo.put_bytes(b"x", join_segments(["ü" * 100] * 6))


def test_names_of_repositories_are_refused(repo: S3ArtifactRepo) -> None:
    for name in (".drupe-sha256", ".drupe-partial-1"):
        with pytest.raises(InvalidPath, match="belongs to repositories"):
            repo.put_bytes(b"x", P(f"dir/{name}"))
        assert not repo.is_file(P(name))


def test_mlflows_variables_stand_in_where_nothing_is_set() -> None:
    environ = {
        "MLFLOW_S3_ENDPOINT_URL": "https://s3.example",
        "MLFLOW_S3_IGNORE_TLS": "true",
        "MLFLOW_S3_UPLOAD_EXTRA_ARGS": '{"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "k"}',
        "MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE": "path",
        "MLFLOW_S3_EXPECTED_BUCKET_OWNER": "123",
        "MLFLOW_EXPERIMENTAL_S3_SIGNATURE_VERSION": "UNSIGNED",
    }
    found = with_environment(S3Settings(), environ)
    assert (found.endpoint_url, found.ignore_tls, found.addressing_style, found.expected_owner, found.anonymous) == (
        "https://s3.example",
        True,
        "path",
        "123",
        True,
    )
    bucket = Bucket("b", found)
    assert bucket.common == {"ExpectedBucketOwner": "123"}
    assert bucket.for_uploads == {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "k"}
    own = with_environment(S3Settings(endpoint_url="http://own", ignore_tls=False, addressing_style="virtual"), environ)
    assert (own.endpoint_url, own.ignore_tls, own.addressing_style) == ("http://own", False, "virtual")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("MLFLOW_S3_IGNORE_TLS", "perhaps"),
        ("MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE", "sideways"),
        ("MLFLOW_S3_UPLOAD_EXTRA_ARGS", "{"),
        ("MLFLOW_S3_UPLOAD_EXTRA_ARGS", "[]"),
        ("MLFLOW_S3_UPLOAD_EXTRA_ARGS", '{"Body": "x"}'),
    ],
)
def test_a_variable_that_says_nothing_sensible_is_named(name: str, text: str) -> None:
    with pytest.raises(InvalidSettings, match=r"MLFLOW_S3_IGNORE_TLS|STYLE|upload_extra_args"):
        with_environment(S3Settings(), {name: text})


def test_secrets_are_not_shown_with_settings() -> None:
    shown = repr(S3Settings(access_key_id="AKIA", secret_access_key="hush", session_token="hush"))
    assert "hush" not in shown
    assert "AKIA" not in shown


def test_settings_from_the_environment_reach_the_storage(storage: OwnStorage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, text in storage.environ.items():
        monkeypatch.setenv(name, text)
    monkeypatch.setenv("MLFLOW_S3_UPLOAD_EXTRA_ARGS", json.dumps({"Metadata": {"team": "pears"}, "ContentType": "text/x-own"}))
    repo = repo_for(storage.new_root())
    assert isinstance(repo, S3ArtifactRepo)
    repo.put_bytes(b"x", P("a.txt"))
    there = storage.client.head_object(Bucket="drupe", Key=repo._key(P("a.txt")))
    assert (there["ContentType"], there["Metadata"]["team"]) == ("text/x-own", "pears")
    assert len(there["Metadata"]["drupe-sha256"]) == 64


def test_a_missing_bucket_wrong_credentials_and_missing_rights_are_told_apart(storage: OwnStorage, open_repo: Open, tmp_path: Path) -> None:
    faults: list[DrupeError] = []
    for kind, address, settings in (
        (StoreUnavailable, "s3://no-such-bucket/x", {}),
        (StoreUnavailable, None, {"secret_access_key": "wrong-and-hush"}),
        (StoreUnavailable, None, {"endpoint_url": "http://127.0.0.1:9", "tries": 1}),
        (StoreReadOnly, None, {"access_key_id": READER_ID, "secret_access_key": READER_SECRET}),
    ):
        with pytest.raises(kind) as caught:
            open_repo(address, **settings).put_bytes(b"x", P("a.txt"))
        faults.append(caught.value)
    assert [
        word in str(fault)
        for fault, word in zip(faults, ("no-such-bucket", "SignatureDoesNotMatch", "reached", "s3:PutObject"), strict=True)
    ] == [True] * 4
    for fault in faults:
        chain = f"{fault} {fault.__cause__} {fault.details}"
        assert not any(secret in chain for secret in (SECRET, KEY_ID, READER_SECRET, "hush"))


def answered(code: str, status: int = 400, **headers: str) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": "said"}, "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers}}, "PutObject"
    )


@pytest.mark.parametrize(
    ("fault", "kind", "text"),
    [
        (answered("PermanentRedirect", 301, **{"x-amz-bucket-region": "eu-west-1"}), StoreUnavailable, "it is in eu-west-1"),
        (answered("AuthorizationHeaderMalformed"), StoreUnavailable, "another region"),
        (answered("SlowDown", 503), StoreBusy, "slow down"),
        (answered("QuotaExceeded"), StoreFull, "no room"),
        (answered("BadDigest"), StoreError, "changed meanwhile"),
        (answered("KeyTooLongError"), InvalidPath, "longer"),
        (answered("InternalError", 500), StoreError, "InternalError"),
        (NoCredentialsError(), StoreUnavailable, "AWS_ACCESS_KEY_ID"),
        (ProfileNotFound(profile="x"), InvalidSettings, "profile"),
        (SSLError(endpoint_url="https://x", error="self-signed"), StoreUnavailable, "ca_bundle"),
        (ValueError("Invalid endpoint: x"), StoreUnavailable, "reached"),
    ],
)
def test_every_fault_says_what_would_work(fault: Exception, kind: type[DrupeError], text: str) -> None:
    known = told(fault, "storing 'a'", "b", S3Settings(endpoint_url="http://s"), "a", writes=True)
    assert type(known) is kind
    assert text in known.message


def test_keys_of_the_customers_are_never_put_into_addresses(storage: OwnStorage, open_repo: Open) -> None:
    repo = open_repo(upload_extra_args=json.dumps({"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}))
    with pytest.raises(UnsupportedFeature, match="key of the customer's"):
        repo._signed("get_object", {"Key": "a"})

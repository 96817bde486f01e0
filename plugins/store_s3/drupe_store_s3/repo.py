"""The S3 artifact repository: the five verbs on a bucket, and signed addresses for others.

How a bucket is talked to is in `bucket`, what is kept of each object in `sums`, how bytes move in `uploads` and `downloads`, and how faults are
told in `faults`. Folders are what keys have in common; a bucket knows none.
"""

from __future__ import annotations

import builtins
import contextlib
import errno
import mimetypes
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from threading import Lock
from typing import Any, ClassVar, Self

from attrs import evolve

from drupe.artifacts.bookkeeping import is_bookkeeping
from drupe.artifacts.local_files import opened
from drupe.entities import FileInfo
from drupe.errors import (
    ArtifactNotFound,
    InvalidPath,
    InvalidUri,
    InvalidValue,
    NotFound,
    StoreBusy,
    StoreFull,
    StoreReadOnly,
    UnsupportedFeature,
)
from drupe.extend import ArtifactRepo, Feature, OpenArtifact, PartedUpload, SignedAddress, Support
from drupe.uris import ArtifactPath, Uri, join_segments
from drupe_store_s3.bucket import Bucket
from drupe_store_s3.downloads import Replaced, S3Opened, fetch, look
from drupe_store_s3.faults import code_of
from drupe_store_s3.settings import S3Settings, with_environment
from drupe_store_s3.sums import MOST_PARTS, sums_of, sums_of_bytes
from drupe_store_s3.uploads import Section, put_object

__all__ = ["S3ArtifactRepo"]

MOST_KEY_BYTES = 1024
PAGE = 1000
AT_ONCE = 1000  # keys that one request deletes
TRIES = 5
KNOWN_FOLDERS = 10_000
_ROOT = ArtifactPath()
_SECRETS = ("access_key_id", "secret_access_key", "session_token")
_ONE_BY_ONE = {"NotImplemented", "MissingContentMD5", "InvalidRequest", "MethodNotAllowed"}


class S3ArtifactRepo(ArtifactRepo):
    """Files below one prefix of a bucket. It holds no connection of its own, so it may be shared by threads and outlives a fork."""

    features: ClassVar[Mapping[Feature, Support]] = {
        Feature.ATOMIC_PUT: Support.FULL,
        Feature.CONCURRENT_PROCESSES: Support.FULL,
        Feature.DIGESTS: Support.FULL,
        Feature.SIGNED_TRANSFERS: Support.FULL,
    }

    def __init__(self, root: Uri, bucket: Bucket, prefix: str) -> None:
        self.root, self._bucket, self._prefix = root, bucket, prefix
        self._folders: set[str] = set()
        self._lock = Lock()

    @classmethod
    def open(cls, uri: Uri, settings: S3Settings | None = None) -> Self:
        """Open `s3://bucket/prefix`. Nothing is asked of the storage yet. Raises InvalidUri, InvalidSettings."""
        if uri.scheme != "s3" or not uri.host or ":" in uri.host:
            raise InvalidUri(f"{uri.scheme}://{uri.host}{uri.path} is not the address of a bucket; the form is s3://bucket/prefix")
        secret = [name for name in _SECRETS if name in uri.query]
        if secret:
            raise InvalidUri(
                f"{', '.join(secret)} does not belong in an address, which is shown and kept; set AWS_ACCESS_KEY_ID and its kin"
            )
        segments = uri.path.strip("/").split("/") if uri.path.strip("/") else []
        if any(part in ("", ".", "..") for part in segments) or uri.path.startswith("//"):
            raise InvalidUri(f"s3://{uri.host}{uri.path} has an empty, . or .. part; give the plain prefix")
        prefix = "".join(f"{part}/" for part in segments)
        return cls(evolve(uri, query={}), Bucket(uri.host, with_environment(settings or S3Settings())), prefix)

    # --- the five verbs

    def put_file(self, source: Path, path: ArtifactPath) -> None:
        """See ArtifactRepo.put_file."""
        key = self._key_of_file(path)
        with opened(source) as descriptor:
            sums = sums_of(descriptor, self._bucket.settings.part_mb << 20)
            self._check_free(path, key)

            def body(number: int) -> Any:
                start = (number - 1) * sums.part_bytes
                return Section(descriptor, start, min(start + sums.part_bytes, sums.size))

            put_object(self._bucket, key, str(path), sums, body, _kind(path))

    def put_bytes(self, content: bytes, path: ArtifactPath) -> None:
        """See ArtifactRepo.put_bytes."""
        key = self._key_of_file(path)
        if len(content) > self._bucket.settings.part_mb << 20:
            super().put_bytes(content, path)
            return
        self._check_free(path, key)
        put_object(self._bucket, key, str(path), sums_of_bytes(content), lambda number: content, _kind(path))

    def get_file(self, path: ArtifactPath, target: Path) -> None:
        """See ArtifactRepo.get_file."""
        key = self._key_to_read(path)
        with _partial(target) as (descriptor, finish):
            for _ in range(TRIES):
                try:
                    os.ftruncate(descriptor, 0)
                    fetch(self._bucket, key, str(path), descriptor)
                except Replaced:
                    continue
                finish()
                return
        raise StoreBusy(f"{str(path)!r} is replaced again and again while it is read")

    def list(self, path: ArtifactPath = _ROOT) -> builtins.list[FileInfo]:
        """See ArtifactRepo.list. Names that no artifact may have are left out."""
        found: dict[str, FileInfo] = {}
        prefix = self._folder(path)
        for page in self._pages(path, Prefix=prefix, Delimiter="/"):
            for one in page.get("CommonPrefixes", ()):
                _note(found, path, one["Prefix"][len(prefix) : -1], None)
            for one in page.get("Contents", ()):
                _note(found, path, one["Key"][len(prefix) :], int(one["Size"]))
        return sorted(found.values(), key=lambda info: info.path)

    def delete(self, path: ArtifactPath) -> None:
        """See ArtifactRepo.delete."""
        if path.is_root:
            raise InvalidPath(f"the root {self.root} cannot be deleted; delete what is in it by name")
        key = self._key(path)
        self._bucket.call("delete_object", f"deleting {str(path)!r}", str(path), writes=True, Key=key)
        folders: set[str] = set()
        for page in self._pages(path, Prefix=f"{key}/"):
            keys = [one["Key"] for one in page.get("Contents", ())]
            folders.update(folder for one in keys for folder in _folders_of(one, key))
            self._delete_keys(path, keys)
        self._delete_keys(path, sorted(folders, reverse=True))  # markers of folders, which some tools make and some storages have
        with self._lock:
            self._folders.clear()

    def is_file(self, path: ArtifactPath) -> bool:
        """See ArtifactRepo.is_file."""
        if path.is_root or any(map(is_bookkeeping, path.segments)):
            return False
        try:
            look(self._bucket, self._key(path), str(path))
        except ArtifactNotFound:
            return False
        return True

    # --- more than the verbs

    def digest(self, path: ArtifactPath) -> str | None:
        """See ArtifactRepo.digest: what is kept with the object; where its ETag is another than when it was put, its bytes are fetched."""
        key = self._key_to_read(path)
        for _ in range(TRIES):
            found = look(self._bucket, key, str(path))
            if found.is_as_put:
                return found.sha256
            with contextlib.suppress(Replaced), tempfile.TemporaryFile(prefix="drupe-") as spool:
                return fetch(self._bucket, key, str(path), spool.fileno()).sha256
        raise StoreBusy(f"{str(path)!r} is replaced again and again while it is read")

    def open_file(self, path: ArtifactPath) -> OpenArtifact:
        """See ArtifactRepo.open_file: nothing is fetched before it is read."""
        key = self._key_to_read(path)
        return S3Opened(self._bucket, key, str(path), look(self._bucket, key, str(path)))

    def start_parts(self, path: ArtifactPath, count: int) -> PartedUpload:
        """See ArtifactRepo.start_parts."""
        if not 1 <= count <= MOST_PARTS:
            raise InvalidValue(f"an upload has 1 to {MOST_PARTS} parts, not {count}")
        key = self._key_of_file(path)
        self._check_free(path, key)
        given = {"ContentType": _kind(path), **self._bucket.for_uploads}
        what = f"storing {str(path)!r}"
        upload_id = self._bucket.call("create_multipart_upload", what, str(path), writes=True, Key=key, **given)["UploadId"]
        parts = []
        for number in range(1, count + 1):
            asked = {"Key": key, "UploadId": upload_id, "PartNumber": number}
            parts.append(SignedAddress(self._signed("upload_part", asked), part=number))
        return PartedUpload(str(upload_id), tuple(parts))

    def finish_parts(self, path: ArtifactPath, upload_id: str, etags: Mapping[int, str]) -> None:
        """See ArtifactRepo.finish_parts."""
        if not etags:
            raise InvalidValue(f"storing {str(path)!r}: no part was sent")
        parts = {"Parts": [{"PartNumber": number, "ETag": etags[number]} for number in sorted(etags)]}
        given = {"Key": self._key_of_file(path), "UploadId": upload_id, "MultipartUpload": parts}
        self._bucket.call("complete_multipart_upload", f"storing {str(path)!r}", str(path), writes=True, **given)

    def drop_parts(self, path: ArtifactPath, upload_id: str) -> None:
        """See ArtifactRepo.drop_parts."""
        given = {"Key": self._key_of_file(path), "UploadId": upload_id}
        with contextlib.suppress(NotFound):
            self._bucket.call("abort_multipart_upload", f"giving up {str(path)!r}", str(path), writes=True, **given)

    def signed_download(self, path: ArtifactPath) -> SignedAddress:
        """See ArtifactRepo.signed_download."""
        key = self._key_to_read(path)
        found = look(self._bucket, key, str(path))
        return SignedAddress(self._signed("get_object", {"Key": key}), size=found.size)

    # --- how

    def _signed(self, operation: str, asked: Mapping[str, Any]) -> str:
        if self._bucket.for_bytes:
            raise UnsupportedFeature(
                "addresses cannot be signed where objects are encrypted with a key of the customer's, which would have to be told"
            )
        given = {"Bucket": self._bucket.name, **asked}
        with self._bucket.asking("signing an address"):
            return str(self._bucket.client.generate_presigned_url(operation, Params=given, ExpiresIn=self._bucket.settings.signed_for_s))

    def _pages(self, path: ArtifactPath, **asked: Any) -> Iterator[Mapping[str, Any]]:
        more: dict[str, Any] = {}
        while True:
            page = self._bucket.call("list_objects_v2", f"listing {str(path)!r}", str(path), MaxKeys=PAGE, **asked, **more)
            yield page
            if not page.get("IsTruncated"):
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def _delete_keys(self, path: ArtifactPath, keys: builtins.list[str]) -> None:
        what = f"deleting {str(path)!r}"
        for first in range(0, len(keys), AT_ONCE):
            objects = [{"Key": key} for key in keys[first : first + AT_ONCE]]
            with self._bucket.asking(what, str(path), writes=True):
                try:
                    asked = {"Objects": objects, "Quiet": True}
                    left = self._bucket.client.delete_objects(Bucket=self._bucket.name, **self._bucket.common, Delete=asked).get(
                        "Errors", ()
                    )
                except Exception as fault:
                    if code_of(fault) not in _ONE_BY_ONE:
                        raise
                    left = objects  # a storage without this request: each by itself
            for one in left:
                self._bucket.call("delete_object", what, str(path), writes=True, Key=one["Key"])

    def _check_free(self, path: ArtifactPath, key: str) -> None:
        """Raises InvalidPath where a folder is there, or a file lies on the way; folders that were seen are not looked for again."""
        for depth in range(len(path.segments) - 1, 0, -1):
            folder = ArtifactPath(path.segments[:depth])
            with self._lock:
                if str(folder) in self._folders:
                    break
            if self.is_file(folder):
                raise InvalidPath(f"{str(path)!r} leads through the file {str(folder)!r}", path=str(path))
        page = self._bucket.call("list_objects_v2", f"storing {str(path)!r}", str(path), writes=True, Prefix=f"{key}/", MaxKeys=1)
        if page.get("Contents"):
            raise InvalidPath(f"{str(path)!r} is a folder; a file cannot take its place", path=str(path))
        with self._lock:
            if len(self._folders) > KNOWN_FOLDERS:
                self._folders.clear()
            self._folders.update(str(ArtifactPath(path.segments[:depth])) for depth in range(1, len(path.segments)))

    def _key_of_file(self, path: ArtifactPath) -> str:
        if path.is_root:
            raise InvalidPath(f"a file cannot take the place of the root {self.root}; give it a name")
        for name in path.segments:
            if is_bookkeeping(name):
                raise InvalidPath(f"artifact path {str(path)!r} is refused: the name {name!r} belongs to repositories", path=str(path))
        return self._key(path)

    def _key_to_read(self, path: ArtifactPath) -> str:
        if path.is_root or any(map(is_bookkeeping, path.segments)):
            raise ArtifactNotFound(f"no file {str(path)!r} that was put into {self.root}", path=str(path))
        return self._key(path)

    def _folder(self, path: ArtifactPath) -> str:
        return self._prefix if path.is_root else f"{self._key(path)}/"

    def _key(self, path: ArtifactPath) -> str:
        """The key below the prefix; paths are checked once more, because storages and what lies before them may resolve dots."""
        for name in path.segments:
            if name in ("", ".", "..") or "/" in name or "\x00" in name:
                raise InvalidPath(f"{name!r} is not the name of a file or folder", path=str(path))
        key = self._prefix + "/".join(path.segments)
        if len(key.encode()) > MOST_KEY_BYTES:
            raise InvalidPath(f"artifact path '{str(path)[:60]}…' is longer than a bucket takes", path=str(path))
        return key


def _note(found: dict[str, FileInfo], folder: ArtifactPath, name: str, size: int | None) -> None:
    if not name or is_bookkeeping(name):  # the marker of the folder itself
        return
    with contextlib.suppress(InvalidPath):  # put there by another tool
        path = str(ArtifactPath(folder.segments + join_segments((name,)).segments))
        if size is None or path not in found:
            found[path] = FileInfo(path, size is None, size)


def _folders_of(key: str, top: str) -> Iterator[str]:
    """The folders from `top` down in which a key lies, as keys of their markers."""
    while len(key) > len(top):
        key = key.rstrip("/").rpartition("/")[0]
        if len(key) >= len(top):
            yield f"{key}/"


def _kind(path: ArtifactPath) -> str:
    return mimetypes.guess_type(path.name)[0] or "application/octet-stream"


@contextmanager
def _partial(target: Path) -> Iterator[tuple[int, Any]]:
    """An empty file beside `target`, and a function that puts it in its place; without that call it is removed. Raises StoreFull."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            raise InvalidPath(f"{target} cannot be written: a folder is there")
        place = target.with_name(f".drupe-partial-{token_hex(8)}")
        descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        try:
            yield descriptor, lambda: os.replace(place, target)
        finally:
            os.close(descriptor)
            place.unlink(missing_ok=True)
    except OSError as fault:
        if fault.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreFull(f"{target} cannot be written: no space is left there") from fault
        raise StoreReadOnly(f"{target} cannot be written: {fault.strerror}") from fault

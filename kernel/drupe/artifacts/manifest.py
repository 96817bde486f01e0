"""The digest manifest of a model folder: what it held when it was finished, so that damage and tampering show before anything is parsed.

`manifest.json` lies beside MLmodel and is written last: a folder without it is either unfinished or written by another tool.

    {"format": "drupe.manifest/1",
     "executes_code": ["model.pkl"],
     "files": [{"path": "MLmodel", "size": 812, "sha256": "9f86d0…"}, …]}

`files` holds every file of the folder but the manifest itself, sorted by path (`/` between the parts, relative to the folder).
`executes_code` names the files or folders whose loading runs code. The file is UTF-8 JSON; unknown keys are ignored. Whether
a folder may be loaded is not decided here: a manifest vouches for nothing by itself, its `digest` can be vouched for.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from secrets import token_hex
from typing import Any

from attrs import field, frozen

from drupe.artifacts.bookkeeping import PARTIAL_PREFIX, is_bookkeeping
from drupe.errors import ArtifactCorrupt, InvalidModelFolder, InvalidPath
from drupe.uris import ArtifactPath

__all__ = ["MANIFEST_FILE", "Manifest", "ManifestFile", "read_manifest", "verify_manifest", "write_manifest"]

MANIFEST_FILE = "manifest.json"
_FORMAT = "drupe.manifest/"
_FORMAT_NUMBER = 1
_MODEL_FILE = "MLmodel"
_COMPILED = "__pycache__"
"""Left beside sources by whoever imports them (MLflow does); not looked at here, and never read by `drupe.models`."""
_MAX_MANIFEST_BYTES = 64 * 2**20
_PARALLEL_FROM_BYTES = 32 * 2**20
_NAMED_FAULTS = 20


@frozen(order=True)
class ManifestFile:
    """One file: `path` relative to the folder, `size` in bytes, `sha256` in lower-case hex."""

    path: str
    size: int
    sha256: str


@frozen
class Manifest:
    """A folder's files, sorted by path. `digest` is the SHA-256 of manifest.json itself and so stands for the whole folder."""

    files: tuple[ManifestFile, ...]
    executes_code: tuple[str, ...] = ()
    digest: str = field(default="", eq=False)

    @property
    def size_bytes(self) -> int:
        """The size of all files together."""
        return sum(file.size for file in self.files)


def write_manifest(folder: Path, *, executes_code: Sequence[str] = ()) -> Manifest:
    """Write `manifest.json` into a finished model folder, replacing an earlier one, and return what it says.

    `executes_code` names files or folders, relative to `folder`. Raises InvalidModelFolder when there is no MLmodel, when a name in
    `executes_code` is not there, or when the folder holds links or special files; InvalidPath when a file's name cannot be an artifact.
    """
    if not folder.is_dir():
        raise InvalidModelFolder(f"no manifest can be written for {folder}: it is not a folder", folder=str(folder))
    found, faults = _walk(folder)
    if _MODEL_FILE not in found:
        faults.append(f"{_MODEL_FILE} is missing")
    names = tuple(sorted({str(ArtifactPath.parse(name)) for name in executes_code}))
    faults += [f"{name} is said to execute code, but is not there" for name in names if not _holds(found, name)]
    for path in found:
        ArtifactPath.parse(path)
    if faults:
        raise InvalidModelFolder(f"no manifest can be written for {folder}: {'; '.join(faults)}", folder=str(folder))
    digests = _digests(folder, found)
    files = tuple(ManifestFile(path, found[path], digests[path]) for path in sorted(found))
    entries = [{"path": file.path, "size": file.size, "sha256": file.sha256} for file in files]
    text = json.dumps({"format": f"{_FORMAT}{_FORMAT_NUMBER}", "executes_code": names, "files": entries}, ensure_ascii=False, indent=1)
    payload = (text + "\n").encode()
    _write_whole(folder / MANIFEST_FILE, payload)
    return Manifest(files, names, hashlib.sha256(payload).hexdigest())


def read_manifest(folder: Path) -> Manifest | None:
    """What the folder's manifest says, without looking at the files; None when it has none, or a `manifest.json` that is not ours.

    Raises ArtifactCorrupt when it cannot be read, InvalidModelFolder when a newer release wrote it.
    """
    file = folder / MANIFEST_FILE
    try:
        kind = file.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISREG(kind.st_mode) or kind.st_size > _MAX_MANIFEST_BYTES:
        raise ArtifactCorrupt(f"{file} is not a manifest: it is a link, no ordinary file, or far too large", path=str(file))
    payload = file.read_bytes()
    try:
        outside = json.loads(payload)
    except (ValueError, RecursionError) as fault:
        raise ArtifactCorrupt(f"{file} cannot be read as JSON: {fault}", path=str(file)) from fault
    if not isinstance(outside, dict) or not str(outside.get("format", "")).startswith(_FORMAT):
        return None
    number = outside["format"].removeprefix(_FORMAT)
    if number != str(_FORMAT_NUMBER):
        raise InvalidModelFolder(
            f"{file} has format {number}, this release reads {_FORMAT_NUMBER}: pip install --upgrade drupe", path=str(file)
        )
    try:
        return _from_outside(outside, hashlib.sha256(payload).hexdigest())
    except (KeyError, TypeError, ValueError, InvalidPath) as fault:
        raise ArtifactCorrupt(f"{file} is damaged: {fault!r}", path=str(file)) from fault


def verify_manifest(folder: Path) -> Manifest | None:
    """Compare a folder with its manifest and return it; None when there is no manifest (a folder that another tool wrote).

    Raises ArtifactCorrupt that names every file which was changed, is missing, or was added (links count as added or changed);
    `details` holds them as lists `changed`, `missing`, `added`. Files that artifact stores keep for themselves are not looked at.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        return None
    found, odd = _walk(folder)
    expected = {file.path: file for file in manifest.files}
    missing = sorted(expected.keys() - found.keys())
    added = sorted(found.keys() - expected.keys())
    same_size = {path: size for path, size in found.items() if path in expected and expected[path].size == size}
    digests = _digests(folder, same_size)
    changed = sorted(path for path in expected.keys() & found.keys() if path not in digests or digests[path] != expected[path].sha256)
    if missing or added or changed or odd:
        faults = [
            *(f"{path} was changed ({_difference(expected[path], found[path], digests.get(path))})" for path in changed),
            *(f"{path} is missing" for path in missing),
            *(f"{path} was added" for path in added),
            *odd,
        ]
        shown = "; ".join(faults[:_NAMED_FAULTS]) + (f"; and {len(faults) - _NAMED_FAULTS} more" if len(faults) > _NAMED_FAULTS else "")
        raise ArtifactCorrupt(
            f"the folder {folder} is not what its manifest describes: {shown}. Fetch or save the model again",
            folder=str(folder),
            changed=changed,
            missing=missing,
            added=added,
        )
    return manifest


def _from_outside(outside: Mapping[str, Any], digest: str) -> Manifest:
    files = []
    for entry in outside["files"]:
        path, size, sha256 = entry["path"], entry["size"], entry["sha256"]
        if not isinstance(size, int) or size < 0 or len(bytes.fromhex(sha256)) != hashlib.sha256().digest_size:
            raise ValueError(f"size or digest of {path!r}")
        files.append(ManifestFile(str(ArtifactPath.parse(path)), size, sha256.lower()))
    if len({file.path for file in files}) != len(files):
        raise ValueError("a path is listed twice")
    names = tuple(str(ArtifactPath.parse(name)) for name in outside["executes_code"])
    return Manifest(tuple(sorted(files)), names, digest)


def _holds(found: Mapping[str, int], name: str) -> bool:
    return name in found or any(path.startswith(f"{name}/") for path in found)


def _walk(folder: Path) -> tuple[dict[str, int], list[str]]:
    """Every ordinary file below `folder` with its size, and what is neither file nor folder, in words."""
    found: dict[str, int] = {}
    odd: list[str] = []
    for path, entry in _entries(folder):
        if entry.is_symlink():
            odd.append(f"{path} is a link; a model folder holds the files themselves")
        elif entry.is_file(follow_symlinks=False):
            found[path] = entry.stat(follow_symlinks=False).st_size
        else:
            odd.append(f"{path} is neither a file nor a folder")
    return found, odd


def _entries(folder: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    waiting = [(str(folder), "")]
    while waiting:
        place, prefix = waiting.pop()
        with os.scandir(place) as entries:
            for entry in entries:
                path = prefix + entry.name
                if path == MANIFEST_FILE or is_bookkeeping(entry.name):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    if entry.name == _COMPILED:
                        continue
                    waiting.append((entry.path, f"{path}/"))
                else:
                    yield path, entry


def _digests(folder: Path, files: Mapping[str, int]) -> dict[str, str]:
    if sum(files.values()) < _PARALLEL_FROM_BYTES:
        return {path: _digest(folder / path) for path in files}
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:  # hashing large buffers lets go of the interpreter
        return dict(zip(files, pool.map(lambda path: _digest(folder / path), files), strict=True))


def _digest(file: Path) -> str:
    with open(file, "rb", buffering=0, opener=_without_following) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _without_following(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0))  # not every system has the flag


def _difference(expected: ManifestFile, size: int, digest: str | None) -> str:
    if digest is None:
        return f"{expected.size} bytes expected, {size} found"
    return f"sha-256 {expected.sha256[:12]}… expected, {digest[:12]}… found"


def _write_whole(target: Path, payload: bytes) -> None:
    partial = target.with_name(PARTIAL_PREFIX + token_hex(8))
    try:
        with open(partial, "xb") as stream:
            stream.write(payload)
        partial.replace(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise

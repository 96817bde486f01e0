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
import stat
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import Any

from attrs import frozen

from drupe.artifacts.bookkeeping import PARTIAL_PREFIX
from drupe.artifacts.survey import Seen, Survey, listing_digest, survey, walk
from drupe.errors import ArtifactCorrupt, InvalidModelFolder, InvalidPath
from drupe.extend import ArtifactRepo
from drupe.uris import ArtifactPath

__all__ = [
    "MANIFEST_FILE",
    "SIGNATURE_FILE",
    "Manifest",
    "ManifestFile",
    "compare",
    "fetch_manifest",
    "read_manifest",
    "survey_model",
    "verify_manifest",
    "write_manifest",
]

MANIFEST_FILE = "manifest.json"
SIGNATURE_FILE = "model.sig"
"""Where a signature over the files lies, under the name that OpenSSF's tool gives it; made after the manifest, so not listed by it."""
_FORMAT = "drupe.manifest/"
_FORMAT_NUMBER = 1
_MODEL_FILE = "MLmodel"
_MAX_MANIFEST_BYTES = 64 * 2**20
_KEPT_MAX_BYTES = 64 * 2**10
_NAMED_FAULTS = 20
_UNLISTED = (MANIFEST_FILE, SIGNATURE_FILE)


@frozen(order=True)
class ManifestFile:
    """One file: `path` relative to the folder, `size` in bytes, `sha256` in lower-case hex."""

    path: str
    size: int
    sha256: str


@frozen
class Manifest:
    """A folder's files, sorted by path."""

    files: tuple[ManifestFile, ...]
    executes_code: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Stands for the names and contents of all files, and so for the model; the same for a folder that has no manifest."""
        return listing_digest((file.path, file.size, file.sha256) for file in self.files)

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
    found, faults = walk(folder, leave_out=_UNLISTED)
    if _MODEL_FILE not in found:
        faults.append(f"{_MODEL_FILE} is missing")
    names = tuple(sorted({str(ArtifactPath.parse(name)) for name in executes_code}))
    faults += [f"{name} is said to execute code, but is not there" for name in names if not _holds(found, name)]
    for path in found:
        ArtifactPath.parse(path)
    if faults:
        raise InvalidModelFolder(f"no manifest can be written for {folder}: {'; '.join(faults)}", folder=str(folder))
    files = tuple(ManifestFile(path, seen.size, seen.sha256) for path, seen in survey(folder, leave_out=_UNLISTED).files.items())
    entries = [{"path": file.path, "size": file.size, "sha256": file.sha256} for file in files]
    text = json.dumps({"format": f"{_FORMAT}{_FORMAT_NUMBER}", "executes_code": names, "files": entries}, ensure_ascii=False, indent=1)
    _write_whole(folder / MANIFEST_FILE, (text + "\n").encode())
    return Manifest(files, names)


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
    return _kept(payload, file) if len(payload) <= _KEPT_MAX_BYTES else _parsed(payload, file)


@lru_cache(maxsize=64)
def _kept(payload: bytes, file: Path) -> Manifest | None:
    """What these very bytes say: a value that nobody can change, so that models which are loaded again do not have them parsed again."""
    return _parsed(payload, file)


def _parsed(payload: bytes, file: Path) -> Manifest | None:
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
        return _from_outside(outside)
    except (KeyError, TypeError, ValueError, InvalidPath) as fault:
        raise ArtifactCorrupt(f"{file} is damaged: {fault!r}", path=str(file)) from fault


def fetch_manifest(repo: ArtifactRepo, path: ArtifactPath) -> Manifest | None:
    """The manifest of the model at `path` of a repository; the model's other files are not fetched. Raises as `read_manifest` does."""
    if not repo.is_file(path / MANIFEST_FILE):
        return None
    with TemporaryDirectory(prefix="drupe-") as place:
        repo.get_file(path / MANIFEST_FILE, Path(place) / MANIFEST_FILE)
        return read_manifest(Path(place))


def survey_model(folder: Path, manifest: Manifest | None) -> Survey:
    """What a model folder with this manifest holds now: every file is read once, but for the manifest and the signature.

    A `manifest.json` of another tool is a file like any other.
    """
    return survey(folder, leave_out=(SIGNATURE_FILE,) if manifest is None else _UNLISTED)


def verify_manifest(folder: Path) -> Manifest | None:
    """Compare a folder with its manifest and return it; None when there is no manifest (a folder that another tool wrote).

    Raises as `compare` does. Files that artifact stores keep for themselves are not looked at.
    """
    manifest = read_manifest(folder)
    if manifest is not None:
        compare(manifest, survey_model(folder, manifest))
    return manifest


def compare(manifest: Manifest, found: Survey) -> None:
    """Hold what a folder has against its manifest.

    Raises ArtifactCorrupt that names every file which was changed, is missing, or was added (links count as added or changed); `details` holds
    them as lists `changed`, `missing`, `added`.
    """
    expected = {file.path: file for file in manifest.files}
    missing = sorted(expected.keys() - found.files.keys())
    added = sorted(found.files.keys() - expected.keys())
    both = sorted(expected.keys() & found.files.keys())
    changed = [path for path in both if (expected[path].size, expected[path].sha256) != (found.files[path].size, found.files[path].sha256)]
    if missing or added or changed or found.odd:
        faults = [
            *(f"{path} was changed ({_difference(expected[path], found.files[path])})" for path in changed),
            *(f"{path} is missing" for path in missing),
            *(f"{path} was added" for path in added),
            *found.odd,
        ]
        shown = "; ".join(faults[:_NAMED_FAULTS]) + (f"; and {len(faults) - _NAMED_FAULTS} more" if len(faults) > _NAMED_FAULTS else "")
        raise ArtifactCorrupt(
            f"the folder {found.folder} is not what its manifest describes: {shown}. Fetch or save the model again",
            folder=str(found.folder),
            changed=changed,
            missing=missing,
            added=added,
        )


def _from_outside(outside: Mapping[str, Any]) -> Manifest:
    files = []
    for entry in outside["files"]:
        path, size, sha256 = entry["path"], entry["size"], entry["sha256"]
        if not isinstance(size, int) or size < 0 or len(bytes.fromhex(sha256)) != hashlib.sha256().digest_size:
            raise ValueError(f"size or digest of {path!r}")
        files.append(ManifestFile(str(ArtifactPath.parse(path)), size, sha256.lower()))
    if len({file.path for file in files}) != len(files):
        raise ValueError("a path is listed twice")
    names = tuple(str(ArtifactPath.parse(name)) for name in outside["executes_code"])
    return Manifest(tuple(sorted(files, key=lambda file: file.path)), names)


def _holds(found: Mapping[str, int], name: str) -> bool:
    return name in found or any(path.startswith(f"{name}/") for path in found)


def _difference(expected: ManifestFile, found: Seen) -> str:
    if expected.size != found.size:
        return f"{expected.size} bytes expected, {found.size} found"
    return f"sha-256 {expected.sha256[:12]}… expected, {found.sha256[:12]}… found"


def _write_whole(target: Path, payload: bytes) -> None:
    partial = target.with_name(PARTIAL_PREFIX + token_hex(8))
    try:
        with open(partial, "xb") as stream:
            stream.write(payload)
        partial.replace(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise

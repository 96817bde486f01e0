"""Signatures over whole models: made with a key, kept beside the manifest as `model.sig`, checked against the keys of those one allows.

How signatures are made is a plugin's work, see `drupe.extend.model_signer`; here files are listed and compared. A signature that does not
fit never stops a model that may be loaded anyway: it only fails to vouch for one that may not.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from attrs import frozen

from drupe.artifacts.manifest import MANIFEST_FILE, SIGNATURE_FILE
from drupe.artifacts.survey import Survey
from drupe.errors import ArtifactCorrupt, InvalidValue, PluginError
from drupe.extend import ArtifactRepo, ModelSigner, Signed, SignedFile
from drupe.loading import catalog
from drupe.uris import ArtifactPath

__all__ = ["SignatureCheck", "check_signature", "put_signature", "sign_folder", "signer_of"]

DEFAULT_SIGNER = "openssf"
_HOOK = "drupe_model_signers"
_MOST_BYTES = 64 * 2**20


@frozen
class SignatureCheck:
    """What came of a signature: `signer` when it is by an allowed key over exactly these files, else the `fault`; both None without one."""

    signer: str | None = None
    fault: str | None = None


def sign_folder(found: Survey, key: Path, *, method: str = DEFAULT_SIGNER, model_name: str = "model", password: str | None = None) -> bytes:
    """A signature over all files of a model, manifest included. Raises InvalidValue, NoProvider."""
    signer: ModelSigner = catalog().load(_HOOK, method)()
    files = [SignedFile(path, sha256) for path, sha256 in sorted(_listed(found).items())]
    return signer.sign(files, key, model_name=model_name, password=password)


def put_signature(repo: ArtifactRepo, path: ArtifactPath, signature: bytes) -> None:
    """Store a signature beside the manifest of the model at `path`, replacing an earlier one."""
    with tempfile.TemporaryDirectory(prefix="drupe-") as place:
        file = Path(place) / SIGNATURE_FILE
        file.write_bytes(signature)
        repo.put_file(file, path / SIGNATURE_FILE)


def check_signature(found: Survey, keys: Sequence[Path]) -> SignatureCheck:
    """Hold the signature in a model folder against the files and these public keys. Raises InvalidValue for a file that is no key."""
    signature = _read(found.folder / SIGNATURE_FILE)
    if signature is None:
        return SignatureCheck()
    try:
        signed = _verified(signature, keys)
    except ArtifactCorrupt as fault:
        return SignatureCheck(fault=fault.message)
    if signed is None:
        return SignatureCheck(
            fault=f"it was made with none of the {len(keys)} allowed keys" if keys else "no key is given to check it with"
        )
    there, wanted = _listed(found), {file.path: file.sha256 for file in signed.files}
    if there == wanted:
        return SignatureCheck(signer=signed.signer)
    changed = sorted(path for path in there.keys() & wanted.keys() if there[path] != wanted[path])
    parts = [
        ("changed since", changed),
        ("not signed", sorted(there.keys() - wanted.keys())),
        ("missing", sorted(wanted.keys() - there.keys())),
    ]
    return SignatureCheck(
        fault="it does not fit the files: " + "; ".join(f"{', '.join(paths[:10])} {what}" for what, paths in parts if paths)
    )


def signer_of(found: Survey, keys: Sequence[Path]) -> str | None:
    """Who of the allowed signers signed exactly these files; None when nobody did, or nobody is allowed."""
    return check_signature(found, keys).signer if keys else None


def _verified(signature: bytes, keys: Sequence[Path]) -> Signed | None:
    is_known = False
    for entry in catalog().offers(_HOOK):
        with suppress(PluginError):  # one that is not installed whole cannot vouch for anything
            signer: ModelSigner = catalog().load(_HOOK, entry.offer.keys[0])()
            if signer.recognises(signature):
                is_known = True
                signed = signer.verify(signature, keys)
                if signed is not None:
                    return signed
    if not is_known:
        raise ArtifactCorrupt(f"{SIGNATURE_FILE} is in no format that an installed plugin reads; signer-openssf reads that of OpenSSF")
    return None


def _listed(found: Survey) -> dict[str, str]:
    """All files with their digests; the manifest is one of them, since it is signed too."""
    files = {path: seen.sha256 for path, seen in found.files.items()}
    manifest = _read(found.folder / MANIFEST_FILE)
    if manifest is not None:
        files[MANIFEST_FILE] = hashlib.sha256(manifest).hexdigest()
    return files


def _read(file: Path) -> bytes | None:
    if file.is_symlink() or not file.is_file():
        return None
    if file.stat().st_size > _MOST_BYTES:
        raise InvalidValue(f"{file} is larger than {_MOST_BYTES // 2**20} MB, which no such file is")
    return file.read_bytes()

"""Makes and checks signatures of OpenSSF Model Signing v1.0 with elliptic-curve keys of one's own: a DSSE envelope in a Sigstore bundle.

What the tool `model_signing sign key` writes is read here, and the other way round. Signatures by certificates or through Sigstore's servers are
recognised and made by none of the keys. Format: https://github.com/sigstore/model-transparency, https://github.com/secure-systems-lab/dsse.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from drupe.errors import InvalidValue
from drupe.extend import ModelSigner, Signed, SignedFile

__all__ = ["OpenssfSigner"]

_BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
_PAYLOAD = "application/vnd.in-toto+json"
_STATEMENT = "https://in-toto.io/Statement/v1"
_PREDICATE = "https://model_signing/signature/v1.0"
_HASHES: dict[str, hashes.HashAlgorithm] = {"secp256r1": hashes.SHA256(), "secp384r1": hashes.SHA384(), "secp521r1": hashes.SHA512()}
_CURVES = ", ".join(_HASHES)
# what the tool leaves out of its own accord; told to it, so that it looks at the same files
_IGNORED = ["model.sig", ".git", ".gitattributes", ".github", ".gitignore"]


class OpenssfSigner(ModelSigner):
    """Elliptic-curve keys in PEM files, the private one with or without a password."""

    name = "openssf"

    def recognises(self, signature: bytes) -> bool:
        """True for a JSON text that names Sigstore's bundle."""
        return signature.lstrip()[:1] == b"{" and b"application/vnd.dev.sigstore.bundle" in signature

    def sign(self, files: Sequence[SignedFile], key: Path, *, model_name: str, password: str | None = None) -> bytes:
        """See ModelSigner.sign: an ECDSA signature with the hash that belongs to the key's curve."""
        private = _private_key(key, password)
        public = private.public_key()
        listed = sorted(files)
        root = hashlib.sha256(b"".join(bytes.fromhex(file.sha256) for file in listed)).hexdigest()
        statement = {
            "_type": _STATEMENT,
            "subject": [{"name": model_name, "digest": {"sha256": root}}],
            "predicateType": _PREDICATE,
            "predicate": {
                "serialization": {"method": "files", "hash_type": "sha256", "allow_symlinks": False, "ignore_paths": _IGNORED},
                "resources": [{"name": file.path, "algorithm": "sha256", "digest": file.sha256} for file in listed],
            },
        }
        payload = json.dumps(statement, indent=2, ensure_ascii=False).encode()
        made = private.sign(_authenticated(payload), ec.ECDSA(_HASHES[public.curve.name]))
        bundle = {
            "mediaType": _BUNDLE,
            "verificationMaterial": {"publicKey": {"hint": _hint(public)}, "tlogEntries": []},
            "dsseEnvelope": {"payload": _base64(payload), "payloadType": _PAYLOAD, "signatures": [{"sig": _base64(made), "keyid": ""}]},
        }
        return (json.dumps(bundle) + "\n").encode()

    def verify(self, signature: bytes, keys: Sequence[Path]) -> Signed | None:
        """See ModelSigner.verify: the first of `keys` that made it; the signer is named by the key's file and fingerprint."""
        publics = [(key, _public_key(key)) for key in keys]
        try:
            envelope = json.loads(signature)["dsseEnvelope"]
            payload = base64.b64decode(envelope["payload"], validate=True)
            signatures = [base64.b64decode(one["sig"], validate=True) for one in envelope["signatures"]]
            is_in_toto = envelope["payloadType"] == _PAYLOAD
        except (ValueError, KeyError, TypeError, RecursionError) as fault:
            raise InvalidValue(f"the signature is no Sigstore bundle with a DSSE envelope: {type(fault).__name__}: {fault}") from fault
        if not is_in_toto:
            raise InvalidValue(f"the signature is over {envelope['payloadType']!r}, not over {_PAYLOAD}")
        for key, public in publics:
            if any(_made(one, payload, public) for one in signatures):
                return Signed(f"{key.name} (key {_hint(public)[:16]})", _files_of(payload))
        return None


def _files_of(payload: bytes) -> tuple[SignedFile, ...]:
    """What the statement lists; only looked at once the signature over it is known to be right."""
    try:
        statement: Mapping[str, Any] = json.loads(payload)
        if statement["_type"] != _STATEMENT or statement["predicateType"] != _PREDICATE:
            raise InvalidValue(f"the signature states {statement['predicateType']!r}, not {_PREDICATE}; sign the model again")
        resources = statement["predicate"]["resources"]
        if any(entry["algorithm"] != "sha256" for entry in resources):
            raise InvalidValue(
                "the signature was made with another hash than SHA-256, or over parts of files; sign whole files with sha256"
            )
        files = tuple(sorted(SignedFile(str(entry["name"]), bytes.fromhex(entry["digest"]).hex()) for entry in resources))
        root = hashlib.sha256(b"".join(bytes.fromhex(entry["digest"]) for entry in resources)).hexdigest()
        (subject,) = statement["subject"]
        is_whole = subject["digest"]["sha256"] == root and len({file.path for file in files}) == len(files)
    except (ValueError, KeyError, TypeError, RecursionError) as fault:
        raise InvalidValue(f"what was signed is no list of a model's files: {type(fault).__name__}: {fault}") from fault
    if not is_whole:
        raise InvalidValue("what was signed does not fit together: its digest is not that of the files that it lists")
    return files


def _made(signature: bytes, payload: bytes, public: ec.EllipticCurvePublicKey) -> bool:
    try:
        public.verify(signature, _authenticated(payload), ec.ECDSA(_HASHES[public.curve.name]))
    except InvalidSignature:
        return False
    return True


def _authenticated(payload: bytes) -> bytes:
    """DSSE's encoding of what is signed: type and payload, each with its length."""
    return b"DSSEv1 %d %s %d %s" % (len(_PAYLOAD), _PAYLOAD.encode(), len(payload), payload)


def _hint(public: ec.EllipticCurvePublicKey) -> str:
    return hashlib.sha256(public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _private_key(file: Path, password: str | None) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(_read(file), password.encode() if password else None)
    except TypeError as fault:  # cryptography's way to say that a password is missing, or is not needed
        raise InvalidValue(f"{file}: {'it has no password' if password else 'it has a password, which must be given'}") from fault
    except (ValueError, UnsupportedAlgorithm) as fault:
        raise InvalidValue(f"{file} is no private key in a PEM file, or the password is wrong") from fault
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name not in _HASHES:
        raise InvalidValue(f"{file} is a key of another kind; models are signed with one on {_CURVES}")
    return key


def _public_key(file: Path) -> ec.EllipticCurvePublicKey:
    try:
        key = serialization.load_pem_public_key(_read(file))
    except (ValueError, UnsupportedAlgorithm) as fault:
        raise InvalidValue(f"{file} is no public key in a PEM file") from fault
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in _HASHES:
        raise InvalidValue(f"{file} is a key of another kind; models are signed with one on {_CURVES}")
    return key


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as fault:
        raise InvalidValue(f"the key {file} cannot be read: {fault.strerror}", path=str(file)) from fault

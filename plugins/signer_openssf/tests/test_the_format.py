"""The format is OpenSSF's: what its tool has signed is accepted, what is not of it is refused in words."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from drupe.errors import InvalidValue
from drupe.extend import SignedFile
from drupe_signer_openssf.signer import OpenssfSigner

MakePair = Callable[..., tuple[Path, Path]]
OFFICIAL = Path(__file__).with_name("made_by_model_signing")
FILES = [SignedFile("MLmodel", "ab" * 32), SignedFile("data/x.bin", "cd" * 32)]


def test_a_signature_by_the_official_tool_is_accepted() -> None:
    signed = OpenssfSigner().verify((OFFICIAL / "model.sig").read_bytes(), [OFFICIAL / "key.pub"])
    assert signed is not None
    assert signed.files == (
        SignedFile("MLmodel", "87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7"),
        SignedFile("data/x.bin", "a81c31ac62620b9215a14ff00544cb07a55b765594f3ab3be77e70923ae27cf1"),
    )


def test_a_password_is_asked_for_and_used(make_pair: MakePair) -> None:
    private, public = make_pair("closed", None, "secret")
    with pytest.raises(InvalidValue, match="it has a password, which must be given"):
        OpenssfSigner().sign(FILES, private, model_name="m")
    with pytest.raises(InvalidValue, match="or the password is wrong"):
        OpenssfSigner().sign(FILES, private, model_name="m", password="other")
    assert OpenssfSigner().verify(OpenssfSigner().sign(FILES, private, model_name="m", password="secret"), [public]) is not None


@pytest.mark.parametrize("key", [rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256K1())], ids=["rsa", "k1"])
def test_keys_of_another_kind_are_refused_by_name(make_pair: MakePair, key: Any) -> None:
    private, public = make_pair("other", key)
    with pytest.raises(InvalidValue, match="models are signed with one on secp256r1"):
        OpenssfSigner().sign(FILES, private, model_name="m")
    with pytest.raises(InvalidValue, match="models are signed with one on secp256r1"):
        OpenssfSigner().verify(b"{}", [public])


def resigned(private: Path, change: Callable[[dict[str, Any]], None], monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A signature that is right over a statement that is not."""
    real = json.dumps

    def dumps(value: Any, **given: Any) -> str:
        if "predicate" in value:
            change(value)
        return real(value, **given)

    with monkeypatch.context() as patched:
        patched.setattr("drupe_signer_openssf.signer.json.dumps", dumps)
        return OpenssfSigner().sign(FILES, private, model_name="m")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s["predicate"]["resources"].pop(), "does not fit together"),
        (lambda s: s["predicate"]["resources"][0].update(algorithm="blake3"), "another hash than SHA-256"),
        (lambda s: s.update(predicateType="https://slsa.dev/provenance/v1"), "not https://model_signing/signature/v1.0"),
        (lambda s: s["predicate"]["resources"][0].update(digest="xyz"), "no list of a model's files"),
    ],
    ids=["a file less", "another hash", "another statement", "no digest"],
)
def test_a_statement_that_is_not_whole_is_refused(
    make_pair: MakePair, monkeypatch: pytest.MonkeyPatch, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    private, public = make_pair("team")
    signature = resigned(private, change, monkeypatch)
    with pytest.raises(InvalidValue, match=message):
        OpenssfSigner().verify(signature, [public])


def test_what_is_signed_is_the_bytes_and_not_what_they_mean(make_pair: MakePair) -> None:
    private, public = make_pair("team")
    bundle = json.loads(OpenssfSigner().sign(FILES, private, model_name="m"))
    statement = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()  # the same, spaced otherwise
    assert OpenssfSigner().verify(json.dumps(bundle).encode(), [public]) is None

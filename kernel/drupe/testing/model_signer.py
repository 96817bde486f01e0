"""The conformance kit of model signers: what every implementation of `drupe.extend.ModelSigner` must do.

A plugin's test module subclasses the kit and gives it the signer and a way to make keys; nothing else is needed:

    class TestMySigner(ModelSignerKit):
        @pytest.fixture
        def signer(self):
            return MySigner()

        @pytest.fixture
        def pair(self, tmp_path):
            return lambda name: make_keys(tmp_path / name)

What a format has of its own (passwords, other tools) is for the plugin's own tests.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from drupe.errors import InvalidValue
from drupe.extend import ModelSigner, Signed, SignedFile
from drupe.testing.kit import in_threads

__all__ = ["ModelSignerKit"]

Pair = Callable[[str], tuple[Path, Path]]
FILES = (SignedFile("MLmodel", "0a" * 32), SignedFile("data/größe.bin", "1b" * 32), SignedFile("manifest.json", "2c" * 32))


class ModelSignerKit:
    """Subclass it as `Test…` and override the fixtures `signer` and `pair`.

    `cannot` names tests that this signer does not pass, each with the reason; they are skipped and the reason shown.
    """

    cannot: ClassVar[Mapping[str, str]] = {}

    @pytest.fixture
    def signer(self) -> ModelSigner:
        """The signer under test."""
        raise NotImplementedError(f"{type(self).__name__} needs a fixture `signer` that gives the signer")

    @pytest.fixture
    def pair(self) -> Pair:
        """A function (name) that makes a new pair of keys and gives the files of the private and the public one."""
        raise NotImplementedError(f"{type(self).__name__} needs a fixture `pair` that gives a function (name) → (private, public)")

    @pytest.fixture(autouse=True)
    def _leave_out_what_the_signer_cannot(self, request: pytest.FixtureRequest) -> None:
        reason = self.cannot.get(getattr(request.function, "__name__", ""))
        if reason:
            pytest.skip(reason)

    def test_what_is_left_out_are_tests_of_this_kit(self) -> None:
        assert [name for name in self.cannot if not callable(getattr(self, name, None))] == []

    def test_its_name_can_be_a_key(self, signer: ModelSigner) -> None:
        assert re.fullmatch(r"[a-z][a-z0-9_-]*", signer.name)

    def test_what_was_signed_comes_back_with_who_signed_it(self, signer: ModelSigner, pair: Pair) -> None:
        private, public = pair("team")
        signed = signer.verify(signer.sign(FILES, private, model_name="churn"), [public])
        assert isinstance(signed, Signed)
        assert signed.files == tuple(sorted(FILES))
        assert signed.signer.strip()

    def test_the_order_of_files_does_not_matter(self, signer: ModelSigner, pair: Pair) -> None:
        private, public = pair("team")
        signed = signer.verify(signer.sign(FILES[::-1], private, model_name="churn"), [public])
        assert signed is not None
        assert signed.files == tuple(sorted(FILES))

    def test_it_recognises_what_it_made_and_nothing_else(self, signer: ModelSigner, pair: Pair) -> None:
        assert signer.recognises(signer.sign(FILES, pair("team")[0], model_name="churn"))
        for other in (b"", b"{}", b"\x00\x01", b"-----BEGIN PGP SIGNATURE-----\n"):
            assert not signer.recognises(other)

    def test_the_key_of_another_has_not_signed_it(self, signer: ModelSigner, pair: Pair) -> None:
        signature = signer.sign(FILES, pair("team")[0], model_name="churn")
        assert signer.verify(signature, [pair("other")[1]]) is None

    def test_without_keys_nobody_has_signed_it(self, signer: ModelSigner, pair: Pair) -> None:
        assert signer.verify(signer.sign(FILES, pair("team")[0], model_name="churn"), []) is None

    def test_the_right_one_of_several_keys_is_named(self, signer: ModelSigner, pair: Pair) -> None:
        (one, public_one), (_, public_two) = pair("one"), pair("two")
        signature = signer.sign(FILES, one, model_name="churn")
        alone, among = signer.verify(signature, [public_one]), signer.verify(signature, [public_two, public_one])
        assert alone is not None
        assert alone == among

    def test_a_signature_that_was_changed_anywhere_is_by_nobody(self, signer: ModelSigner, pair: Pair) -> None:
        private, public = pair("team")
        signature = signer.sign(FILES, private, model_name="churn")
        taken = [
            place for place in range(0, len(signature), max(1, len(signature) // 60)) if _is_changed_taken(signer, signature, place, public)
        ]
        assert taken == [], f"bytes at {taken} can be changed, and the files that come back are others"

    def test_a_signature_that_ends_early_is_refused_or_by_nobody(self, signer: ModelSigner, pair: Pair) -> None:
        private, public = pair("team")
        signature = signer.sign(FILES, private, model_name="churn")
        for part in (signature[: len(signature) // 2], signature[: len(signature) // 4]):
            assert _verified(signer, part, public) is None

    def test_what_is_no_signature_is_refused_in_words(self, signer: ModelSigner, pair: Pair) -> None:
        with pytest.raises(InvalidValue):
            signer.verify(b"no signature at all", [pair("team")[1]])

    def test_a_file_that_is_no_key_is_named(self, signer: ModelSigner, pair: Pair, tmp_path: Path) -> None:
        private, _ = pair("team")
        wrong = tmp_path / "wrong.key"
        signature = signer.sign(FILES, private, model_name="churn")
        for content in (None, b"", b"no key"):
            if content is not None:
                wrong.write_bytes(content)
            with pytest.raises(InvalidValue, match=re.escape(wrong.name)):
                signer.sign(FILES, wrong, model_name="churn")
            with pytest.raises(InvalidValue, match=re.escape(wrong.name)):
                signer.verify(signature, [wrong])

    def test_a_public_key_signs_nothing(self, signer: ModelSigner, pair: Pair) -> None:
        with pytest.raises(InvalidValue):
            signer.sign(FILES, pair("team")[1], model_name="churn")

    def test_a_signature_says_nothing_of_the_private_key_and_its_place(self, signer: ModelSigner, pair: Pair, tmp_path: Path) -> None:
        private, _ = pair("team")
        signature = signer.sign(FILES, private, model_name="churn")
        assert str(tmp_path).encode() not in signature
        assert private.read_bytes() not in signature

    def test_one_instance_serves_several_threads(self, signer: ModelSigner, pair: Pair) -> None:
        private, public = pair("team")

        def sign_and_verify() -> None:
            assert signer.verify(signer.sign(FILES, private, model_name="churn"), [public]) is not None

        assert in_threads([sign_and_verify] * 4) == []


def _is_changed_taken(signer: ModelSigner, signature: bytes, place: int, public: Path) -> bool:
    changed = bytearray(signature)
    changed[place] ^= 1
    signed = _verified(signer, bytes(changed), public)
    return signed is not None and signed.files != tuple(sorted(FILES))  # what is not signed, such as hints, may be changed


def _verified(signer: ModelSigner, signature: bytes, public: Path) -> Signed | None:
    try:
        return signer.verify(signature, [public])
    except InvalidValue:
        return None

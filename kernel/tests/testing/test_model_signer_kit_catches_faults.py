"""Every promise of the kit for model signers has teeth: for each way to get it wrong, a named test of the kit fails."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from drupe.errors import InvalidValue
from drupe.extend import ModelSigner, Signed, SignedFile
from drupe.testing.model_signer import ModelSignerKit

from .kit_runner import Faults, call, check_mistyped_names_are_noticed, promises_of


class Correct(ModelSigner):
    """Private key and public key are one secret with different words before it; the broken ones below differ in one thing each."""

    name = "toy"

    def secret(self, file: Path, word: bytes) -> bytes:
        if not file.is_file() or not file.read_bytes().startswith(word):
            raise InvalidValue(f"{file} is no key")
        return file.read_bytes().removeprefix(word)

    def recognises(self, signature: bytes) -> bool:
        return signature.startswith(b"toy\n")

    def listed(self, files: Sequence[SignedFile]) -> bytes:
        return json.dumps([[file.path, file.sha256] for file in sorted(files)]).encode()

    def mac(self, secret: bytes, listed: bytes) -> bytes:
        return hmac.new(secret, listed, hashlib.sha256).hexdigest().encode()

    def sign(self, files: Sequence[SignedFile], key: Path, *, model_name: str, password: str | None = None) -> bytes:
        listed = self.listed(files)
        return b"\n".join([b"toy", self.mac(self.secret(key, b"private:"), listed), listed])

    def verify(self, signature: bytes, keys: Sequence[Path]) -> Signed | None:
        secrets = [self.secret(key, b"public:") for key in keys]
        if not self.recognises(signature) or signature.count(b"\n") != 2:
            raise InvalidValue("no signature")
        _, made, listed = signature.split(b"\n")
        for key, secret in zip(keys, secrets, strict=True):
            if hmac.compare_digest(made, self.mac(secret, listed)):
                return Signed(key.name, tuple(SignedFile(*entry) for entry in json.loads(listed)))
        return None


class TestCorrect(ModelSignerKit):
    @pytest.fixture
    def signer(self) -> ModelSigner:
        return Correct()

    @pytest.fixture
    def pair(self, tmp_path: Path) -> Callable[[str], tuple[Path, Path]]:
        return pairs_in(tmp_path)


def pairs_in(folder: Path) -> Callable[[str], tuple[Path, Path]]:
    def make(name: str) -> tuple[Path, Path]:
        private, public = folder / f"{name}.private", folder / f"{name}.public"
        private.write_bytes(b"private:" + name.encode())
        public.write_bytes(b"public:" + name.encode())
        return private, public

    return make


BROKEN = Faults()
caught_by = BROKEN.caught_by


@caught_by("test_its_name_can_be_a_key")
class HasNoName(Correct):
    name = "My signer!"


@caught_by("test_what_was_signed_comes_back_with_who_signed_it")
class LosesNamesBeyondAscii(Correct):
    def listed(self, files: Sequence[SignedFile]) -> bytes:
        return super().listed([SignedFile(file.path.encode("ascii", "ignore").decode(), file.sha256) for file in files])


@caught_by("test_the_order_of_files_does_not_matter")
class KeepsTheOrder(Correct):
    def listed(self, files: Sequence[SignedFile]) -> bytes:
        return json.dumps([[file.path, file.sha256] for file in files]).encode()


@caught_by("test_it_recognises_what_it_made_and_nothing_else")
class RecognisesAll(Correct):
    def recognises(self, signature: bytes) -> bool:
        return True


@caught_by("test_the_key_of_another_has_not_signed_it")
class TakesAnyKey(Correct):
    def mac(self, secret: bytes, listed: bytes) -> bytes:
        return super().mac(b"", listed)


@caught_by("test_without_keys_nobody_has_signed_it")
class NeedsNoKey(Correct):
    def verify(self, signature: bytes, keys: Sequence[Path]) -> Signed | None:
        return super().verify(signature, keys) if keys else Signed("somebody", ())


@caught_by("test_the_right_one_of_several_keys_is_named")
class NamesTheFirstKey(Correct):
    def verify(self, signature: bytes, keys: Sequence[Path]) -> Signed | None:
        signed = super().verify(signature, keys)
        return signed and Signed(keys[0].name, signed.files)


@caught_by("test_a_signature_that_was_changed_anywhere_is_by_nobody")
class SignsThePathsOnly(Correct):
    def mac(self, secret: bytes, listed: bytes) -> bytes:
        try:
            paths = [entry[0] for entry in json.loads(listed)]
        except ValueError:
            return b"none"
        return super().mac(secret, json.dumps(paths).encode())


@caught_by("test_a_signature_that_ends_early_is_refused_or_by_nobody")
class BelievesWhatItCannotRead(Correct):
    def verify(self, signature: bytes, keys: Sequence[Path]) -> Signed | None:
        if self.recognises(signature) and not signature.endswith(b"]"):
            return Signed("somebody", ())
        return super().verify(signature, keys)


@caught_by("test_what_is_no_signature_is_refused_in_words")
class SaysNothingOfRubbish(Correct):
    def verify(self, signature: bytes, keys: Sequence[Path]) -> Signed | None:
        return super().verify(signature, keys) if self.recognises(signature) else None


@caught_by("test_a_file_that_is_no_key_is_named")
class DoesNotNameTheKey(Correct):
    def secret(self, file: Path, word: bytes) -> bytes:
        try:
            return super().secret(file, word)
        except InvalidValue:
            raise InvalidValue("no key") from None


@caught_by("test_a_public_key_signs_nothing")
class SignsWithAnything(Correct):
    def secret(self, file: Path, word: bytes) -> bytes:
        return super().secret(file, b"p").rpartition(b":")[2]


@caught_by("test_a_signature_says_nothing_of_the_private_key_and_its_place")
class TellsWhereTheKeyIs(Correct):
    def sign(self, files: Sequence[SignedFile], key: Path, *, model_name: str, password: str | None = None) -> bytes:
        return super().sign(files, key, model_name=model_name, password=password).replace(b"toy", b"toy\n" + str(key).encode(), 1)


@caught_by("test_one_instance_serves_several_threads")
class IsForOneThread(Correct):
    calls = 0

    def mac(self, secret: bytes, listed: bytes) -> bytes:
        self.calls += 1
        if self.calls > 2:
            raise RuntimeError("busy")
        return super().mac(secret, listed)


@BROKEN.each()
def test_a_broken_signer_is_caught_by_the_named_test(kind: type[Correct], test: str, tmp_path: Path) -> None:
    known: dict[str, Any] = {"signer": kind(), "pair": pairs_in(tmp_path), "tmp_path": tmp_path}
    with pytest.raises((Exception, pytest.fail.Exception)):
        call(TestCorrect, test, **known)


def test_every_test_of_the_kit_catches_something() -> None:
    assert promises_of(ModelSignerKit) == BROKEN.tests


def test_leaving_out_a_test_that_does_not_exist_is_noticed() -> None:
    check_mistyped_names_are_noticed(TestCorrect)

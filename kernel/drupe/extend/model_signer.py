"""The contract of a model signer: how a signature over the files of a model is made with a key, and checked with the keys of others.

A signer deals with keys and signatures only. Which files there are and what their digests are is found by `drupe.models.signing`, which also
compares them with what was signed. The conformance kit is `drupe.testing.model_signer`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from attrs import frozen

__all__ = ["ModelSigner", "Signed", "SignedFile"]


@frozen(order=True)
class SignedFile:
    """One file of a model: `path` relative to the folder, `sha256` in lower-case hex."""

    path: str
    sha256: str


@frozen
class Signed:
    """What a signature says: `signer` is how people call the key that made it, `files` what was signed, sorted by path."""

    signer: str
    files: tuple[SignedFile, ...]


class ModelSigner(ABC):
    """Signs models in one format. Stateless: one instance may serve several threads."""

    name: ClassVar[str]
    """How the format is called, e.g. `openssf`."""

    @abstractmethod
    def recognises(self, signature: bytes) -> bool:
        """True when this may be a signature of this format; a cheap look, nothing is checked."""

    @abstractmethod
    def sign(self, files: Sequence[SignedFile], key: Path, *, model_name: str, password: str | None = None) -> bytes:
        """A signature over all of `files`, made with the private key in the file `key`.

        `model_name` is noted in it where the format has a place for that. Raises InvalidValue: no such file, no key that this format takes, or
        a password that is missing or wrong.
        """

    @abstractmethod
    def verify(self, signature: bytes, keys: Sequence[Path]) -> Signed | None:
        """Who signed what; None when it was made with none of the public `keys`, or was changed since.

        Raises InvalidValue: what cannot be read as a signature of this format, or a file of `keys` that is no public key.
        """

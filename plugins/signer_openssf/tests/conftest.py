"""A workspace of its own for every test, and pairs of keys."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from drupe.testing.plugin import drupe_workspace

__all__ = ["drupe_workspace"]

MakePair = Callable[..., tuple[Path, Path]]


@pytest.fixture
def make_pair(tmp_path: Path) -> MakePair:
    """A function (name, key, password) that writes NAME.pem and NAME.pub and gives both paths."""

    def make(
        name: str, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = None, password: str | None = None
    ) -> tuple[Path, Path]:
        made = key or ec.generate_private_key(ec.SECP256R1())
        closed = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
        private, public = tmp_path / f"{name}.pem", tmp_path / f"{name}.pub"
        private.write_bytes(made.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, closed))
        public.write_bytes(made.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
        return private, public

    return make

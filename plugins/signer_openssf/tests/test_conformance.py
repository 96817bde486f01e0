"""The signer passes the published kit, on every curve."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from drupe.testing.model_signer import ModelSignerKit
from drupe.testing.plugin import check_front_door
from drupe_signer_openssf.signer import OpenssfSigner


class TestOpenssfSigner(ModelSignerKit):
    @pytest.fixture
    def signer(self) -> OpenssfSigner:
        return OpenssfSigner()

    @pytest.fixture
    def pair(self, make_pair: Callable[..., tuple[Path, Path]]) -> Callable[[str], tuple[Path, Path]]:
        return make_pair


class TestOnALargerCurve(TestOpenssfSigner):
    @pytest.fixture
    def pair(self, make_pair: Callable[..., tuple[Path, Path]]) -> Callable[[str], tuple[Path, Path]]:
        return lambda name: make_pair(name, ec.generate_private_key(ec.SECP521R1()))


def test_the_front_door_keeps_the_rules() -> None:
    check_front_door("drupe_signer_openssf")

"""Both managers keep the contract, on real tools; packages come from a folder, no index is reached."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from drupe.errors import EnvironmentUnusable, UnsupportedFeature
from drupe.extend import EnvironmentManager, EnvironmentSpec
from drupe.testing.environment_manager import EnvironmentManagerKit, write_wheel
from drupe_env_uv.manager import UvManager
from drupe_env_uv.with_pip import PipManager


class TestUv(EnvironmentManagerKit):
    @pytest.fixture(scope="class")
    @classmethod
    def manager(cls) -> EnvironmentManager:
        return UvManager.open()


class TestPip(EnvironmentManagerKit):
    cannot: ClassVar[Mapping[str, str]] = {
        "test_no_secret_of_an_index_is_told": "each environment of pip takes seconds; told by the same code as uv's failures",
        "test_a_file_whose_hash_is_another_is_refused": "each environment of pip takes seconds; pip's own promise",
    }

    @pytest.fixture(scope="class")
    @classmethod
    def manager(cls) -> EnvironmentManager:
        return PipManager.open()


def test_another_patch_release_is_used_with_a_word(tmp_path: Path) -> None:
    release = ".".join(platform.python_version().split(".")[:2])
    told: list[str] = []
    UvManager().create(EnvironmentSpec(python=f"{release}.999"), tmp_path / "environment", tell=told.append)
    assert told == [f"Python {release}.999 is not here, so another release of {release} is used"]


def test_what_is_beside_may_not_change_what_the_model_requires(tmp_path: Path) -> None:
    write_wheel(tmp_path, "drupe-kit-stone", "1.0")
    write_wheel(tmp_path, "drupe-kit-stone", "2.0")
    leaf = write_wheel(tmp_path, "drupe-kit-leaf", "1.0", needs=["drupe-kit-stone>=2"])
    lines = ["--no-index", f"--find-links {tmp_path}", "drupe-kit-stone==1.0"]
    with pytest.raises(EnvironmentUnusable, match=r"drupe_kit_leaf-1\.0 cannot be installed beside the model's requirements"):
        UvManager().create(
            EnvironmentSpec(python=platform.python_version(), requirements=lines, beside=[str(leaf)]),
            tmp_path / "environment",
            tell=lambda line: None,
        )


def test_a_folder_becomes_a_wheel(tmp_path: Path) -> None:
    project = Path(__file__).parents[1]
    built = UvManager().wheel(project, tmp_path)
    assert built == tmp_path / "drupe_env_uv-0.1.0-py3-none-any.whl"
    assert built.stat().st_size > 1000


def test_pip_says_who_can_lock() -> None:
    with pytest.raises(UnsupportedFeature, match="virtualenv cannot lock requirements; uv can"):
        PipManager().lock(EnvironmentSpec(python="3.11.7"))

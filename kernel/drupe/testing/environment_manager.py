"""The conformance kit of environment managers: what every implementation of `drupe.extend.EnvironmentManager` must do.

A plugin's test module subclasses the kit and opens the manager; nothing else is needed:

    class TestMyManager(EnvironmentManagerKit):
        @pytest.fixture(scope="class")
        @classmethod
        def manager(cls):
            return MyManager.open()

Packages come from a folder of tiny wheels that the kit writes: no index is reached. One environment serves most tests, since making one
takes seconds.
"""

from __future__ import annotations

import base64
import hashlib
import os
import platform
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from drupe.errors import EnvironmentUnusable, UnsupportedFeature
from drupe.extend import EnvironmentManager, EnvironmentSpec

__all__ = ["EnvironmentManagerKit", "make_environment", "write_index", "write_wheel"]

SECRET = "open-sesame"


class EnvironmentManagerKit:
    """Subclass it as `Test…` and override the fixture `manager`, in the scope `class`.

    `cannot` names tests that this manager does not pass, each with the reason; they are skipped and the reason shown.
    """

    cannot: ClassVar[Mapping[str, str]] = {}

    @pytest.fixture(scope="class")
    @classmethod
    def manager(cls) -> EnvironmentManager:
        """The opened manager."""
        raise NotImplementedError(f"{cls.__name__} needs a fixture `manager` that gives an opened manager")

    @pytest.fixture(scope="class")
    @classmethod
    def index(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """A folder of wheels: `drupe-kit-pip` 1.0 and 2.0, which needs `drupe-kit-stone`, and `drupe-kit-leaf`."""
        return write_index(tmp_path_factory.mktemp("index"))

    @pytest.fixture(scope="class")
    @classmethod
    def made(cls, manager: EnvironmentManager, index: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """An environment that was renamed after it was made, as the cache does."""
        return make_environment(manager, index, tmp_path_factory.mktemp("environments"))

    @pytest.fixture(autouse=True)
    def _leave_out_what_the_manager_cannot(self, request: pytest.FixtureRequest) -> None:
        reason = self.cannot.get(getattr(request.function, "__name__", ""))
        if reason:
            pytest.skip(reason)

    def test_what_is_left_out_are_tests_of_this_kit(self) -> None:
        assert [name for name in self.cannot if not callable(getattr(self, name, None))] == []

    def test_what_is_required_and_what_that_needs_can_be_imported(self, manager: EnvironmentManager, made: Path) -> None:
        assert (
            _told(manager, made, "import drupe_kit_pip, drupe_kit_stone as stone; print(drupe_kit_pip.version, stone.version)") == "1.0 3.0"
        )

    def test_what_is_beside_can_be_imported_too(self, manager: EnvironmentManager, made: Path) -> None:
        assert _told(manager, made, "import drupe_kit_leaf; print(drupe_kit_leaf.version)") == "1.5"

    def test_constraints_are_kept(self, manager: EnvironmentManager, made: Path) -> None:
        assert _told(manager, made, "import drupe_kit_pip; print(drupe_kit_pip.version)") == "1.0"

    def test_it_is_of_the_wanted_python(self, manager: EnvironmentManager, made: Path) -> None:
        found = _told(manager, made, "import platform; print(platform.python_version())")
        assert found.split(".")[:2] == platform.python_version().split(".")[:2]

    def test_the_interpreter_lives_where_the_environment_was_renamed_to(self, manager: EnvironmentManager, made: Path) -> None:
        assert _told(manager, made, "import sys; print(sys.prefix)") == str(made)

    def test_scripts_work_where_the_environment_was_renamed_to(self, made: Path) -> None:
        done = subprocess.run([made / "bin/drupe-kit-pip"], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout.split()) == (0, ["1.0", str(made)])

    def test_nothing_of_the_calling_process_is_seen_inside(self, manager: EnvironmentManager, made: Path) -> None:
        assert _told(manager, made, "from importlib.util import find_spec; print(find_spec('drupe'), find_spec('pytest'))") == "None None"

    def test_a_requirement_that_cannot_be_had_is_named(self, manager: EnvironmentManager, index: Path, tmp_path: Path) -> None:
        lines = ["--no-index", f"--find-links {index}", "drupe-kit-plum==9"]
        with pytest.raises(EnvironmentUnusable, match="drupe-kit-plum"):
            manager.create(_wanted(requirements=lines), tmp_path / "environment", tell=lambda line: None)

    def test_no_secret_of_an_index_is_told(self, manager: EnvironmentManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PIP_RETRIES", "0")
        monkeypatch.setenv("UV_HTTP_RETRIES", "0")
        lines = [f"--index-url http://fruit:{SECRET}@127.0.0.1:9/simple", "drupe-kit-plum"]
        with pytest.raises(EnvironmentUnusable) as raised:
            manager.create(_wanted(requirements=lines), tmp_path / "environment", tell=lambda line: None)
        assert SECRET not in str(raised.value)

    def test_a_python_that_cannot_be_had_is_named(
        self, manager: EnvironmentManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("UV_PYTHON_DOWNLOADS", "never")
        with pytest.raises(EnvironmentUnusable, match=r"3\.99"):
            manager.create(EnvironmentSpec(python="3.99.1"), tmp_path / "environment", tell=lambda line: None)

    def test_a_file_whose_hash_is_another_is_refused(self, manager: EnvironmentManager, index: Path, tmp_path: Path) -> None:
        lines = ["--no-index", f"--find-links {index}", f"drupe-kit-stone==3.0 --hash=sha256:{'0' * 64}"]
        with pytest.raises(EnvironmentUnusable, match=r"(?i)hash"):
            manager.create(_wanted(requirements=lines, hashes=True), tmp_path / "environment", tell=lambda line: None)

    def test_a_lock_names_everything_with_its_hash_and_can_be_installed(
        self, manager: EnvironmentManager, index: Path, tmp_path: Path
    ) -> None:
        options = ["--no-index", f"--find-links {index}"]
        try:
            lock = manager.lock(_wanted(requirements=[*options, "drupe-kit-pip>1"]))
        except UnsupportedFeature as reason:
            pytest.skip(str(reason))
        pinned = {line.split(" --hash=")[0]: line.split(" --hash=sha256:")[1:] for line in lock if not line.startswith("--")}
        digest = hashlib.sha256((index / "drupe_kit_pip-2.0-py3-none-any.whl").read_bytes()).hexdigest()
        assert sorted(pinned) == ["drupe-kit-pip==2.0", "drupe-kit-stone==3.0"]
        assert pinned["drupe-kit-pip==2.0"] == [digest]
        manager.create(_wanted(requirements=[*options, *lock], hashes=True), tmp_path / "environment", tell=lambda line: None)
        assert _told(manager, tmp_path / "environment", "import drupe_kit_pip; print(drupe_kit_pip.version)") == "2.0"


def write_index(folder: Path) -> Path:
    """Write the wheels that the kit's tests install."""
    for version in ("1.0", "2.0"):
        write_wheel(folder, "drupe-kit-pip", version, needs=["drupe-kit-stone"])
    write_wheel(folder, "drupe-kit-stone", "3.0")
    write_wheel(folder, "drupe-kit-leaf", "1.5", needs=["drupe-kit-stone"])
    return folder


def make_environment(manager: EnvironmentManager, index: Path, place: Path) -> Path:
    """Make the environment that most of the kit's tests look at in the folder `place`, and rename it."""
    wanted = EnvironmentSpec(
        python=platform.python_version(),
        requirements=["--no-index", f"--find-links {index}", "drupe-kit-pip"],
        constraints=["drupe-kit-pip<2"],
        beside=[str(index / "drupe_kit_leaf-1.5-py3-none-any.whl")],
    )
    manager.create(wanted, place / "draft", tell=lambda line: None)
    (place / "draft").rename(place / "kept")
    return place / "kept"


def _wanted(*, requirements: list[str], hashes: bool = False) -> EnvironmentSpec:
    return EnvironmentSpec(python=platform.python_version(), requirements=requirements, hashes=hashes)


def _told(manager: EnvironmentManager, folder: Path, code: str) -> str:
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [str(manager.python(folder)), "-c", code]
    done = subprocess.run(command, cwd=folder.parent, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def write_wheel(folder: Path, name: str, version: str, needs: list[str] | None = None) -> Path:
    """Write a wheel with one module that knows its `version`, and one script that prints it and where it runs."""
    module = name.replace("-", "_")
    meta = f"{module}-{version}.dist-info"
    files = {
        f"{module}.py": f"import sys\nversion = {version!r}\ndef main():\n    print(version, sys.prefix)\n",
        f"{meta}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        + "".join(f"Requires-Dist: {n}\n" for n in needs or ()),
        f"{meta}/WHEEL": "Wheel-Version: 1.0\nGenerator: drupe\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{meta}/entry_points.txt": f"[console_scripts]\n{name} = {module}:main\n",
    }
    record = "".join(f"{path},sha256={_digest(text)},{len(text)}\n" for path, text in files.items()) + f"{meta}/RECORD,,\n"
    wheel = folder / f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in {**files, f"{meta}/RECORD": record}.items():
            archive.writestr(path, text)
    return wheel


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()

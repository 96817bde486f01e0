"""Every promise of the kit for environment managers has teeth: for each way to get it wrong, a named test of the kit fails."""

from __future__ import annotations

import inspect
import shutil
import site
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve

from drupe.errors import EnvironmentUnusable
from drupe.extend import EnvironmentSpec
from drupe.testing.environment_manager import EnvironmentManagerKit, make_environment, write_index
from drupe_env_uv.manager import UvManager

Tell = Callable[[str], None]
BROKEN: list[tuple[type[UvManager], str]] = []


def caught_by(test: str) -> Callable[[type[UvManager]], type[UvManager]]:
    def note(kind: type[UvManager]) -> type[UvManager]:
        BROKEN.append((kind, test))
        return kind

    return note


@caught_by("test_what_is_required_and_what_that_needs_can_be_imported")
class InstallsNothing(UvManager):
    def create(self, wanted: EnvironmentSpec, folder: Path, *, tell: Tell) -> None:
        super().create(EnvironmentSpec(python=wanted.python), folder, tell=tell)


@caught_by("test_what_is_beside_can_be_imported_too")
class ForgetsWhatIsBeside(UvManager):
    def create(self, wanted: EnvironmentSpec, folder: Path, *, tell: Tell) -> None:
        super().create(evolve(wanted, beside=()), folder, tell=tell)


@caught_by("test_constraints_are_kept")
class ForgetsConstraints(UvManager):
    def create(self, wanted: EnvironmentSpec, folder: Path, *, tell: Tell) -> None:
        super().create(evolve(wanted, constraints=()), folder, tell=tell)


@caught_by("test_scripts_work_where_the_environment_was_renamed_to")
class CannotBeRenamed(UvManager):
    def create(self, wanted: EnvironmentSpec, folder: Path, *, tell: Tell) -> None:
        super().create(wanted, folder, tell=tell)
        script = folder / "bin/drupe-kit-pip"
        script.write_text(f"#!{folder}/bin/python\nfrom drupe_kit_pip import main\nmain()\n")


@caught_by("test_nothing_of_the_calling_process_is_seen_inside")
class ShowsTheCallersPackages(UvManager):
    def create(self, wanted: EnvironmentSpec, folder: Path, *, tell: Tell) -> None:
        super().create(wanted, folder, tell=tell)
        (packages,) = folder.glob("lib/python*/site-packages")
        (packages / "caller.pth").write_text("\n".join(site.getsitepackages()) + "\n")


@caught_by("test_a_requirement_that_cannot_be_had_is_named")
class DoesNotSayWhatFailed(UvManager):
    def create(self, wanted: EnvironmentSpec, folder: Path, *, tell: Tell) -> None:
        try:
            super().create(wanted, folder, tell=tell)
        except EnvironmentUnusable as fault:
            raise EnvironmentUnusable("it does not work") from fault


@caught_by("test_no_secret_of_an_index_is_told")
class RepeatsWhatItWasGiven(UvManager):
    def create(self, wanted: EnvironmentSpec, folder: Path, *, tell: Tell) -> None:
        try:
            super().create(wanted, folder, tell=tell)
        except EnvironmentUnusable as fault:
            raise EnvironmentUnusable(f"{wanted.requirements} cannot be installed") from fault


@caught_by("test_a_python_that_cannot_be_had_is_named")
class TakesAnyPython(UvManager):
    def create(self, wanted: EnvironmentSpec, folder: Path, *, tell: Tell) -> None:
        super().create(evolve(wanted, python="3.11"), folder, tell=tell)


@caught_by("test_a_file_whose_hash_is_another_is_refused")
class LooksAtNoHash(UvManager):
    def create(self, wanted: EnvironmentSpec, folder: Path, *, tell: Tell) -> None:
        lines = [line.partition(" --hash=")[0] for line in wanted.requirements]
        super().create(evolve(wanted, requirements=lines, hashes=False), folder, tell=tell)


@caught_by("test_a_lock_names_everything_with_its_hash_and_can_be_installed")
class LocksWithoutHashes(UvManager):
    def lock(self, wanted: EnvironmentSpec) -> list[str]:
        return [line.partition(" --hash=")[0] for line in super().lock(wanted)]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_index(tmp_path_factory.mktemp("index"))


@pytest.mark.parametrize(("kind", "test"), BROKEN, ids=[kind.__name__ for kind, _ in BROKEN])
def test_the_kit_catches_a_manager_that(
    kind: type[UvManager], test: str, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    function = getattr(EnvironmentManagerKit(), test)
    fixtures = {
        "manager": kind,
        "index": lambda: index,
        "tmp_path": lambda: tmp_path,
        "monkeypatch": lambda: monkeypatch,
        "made": lambda: make_environment(kind(), index, tmp_path),
    }
    with pytest.raises((AssertionError, pytest.fail.Exception, OSError, IndexError, EnvironmentUnusable)):
        function(**{name: fixtures[name]() for name in inspect.signature(function).parameters})
    shutil.rmtree(tmp_path, ignore_errors=True)

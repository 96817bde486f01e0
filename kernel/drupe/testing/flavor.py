"""The conformance kit of model flavors: what every implementation of `drupe.extend.Flavor` must do.

A plugin's test module subclasses the kit and gives it the flavor and a small fitted model; nothing else is needed:

    class TestMyFlavor(FlavorKit):
        @pytest.fixture
        def flavor(self):
            return MyFlavor()

        @pytest.fixture
        def case(self):
            model = MyLibrary().fit(X, y)
            return FlavorCase(model, X[:3], model.predict(X[:3]))

Several subclasses, one for each way to save, cover the flavor's options. What the library's own objects can do is for the plugin's own
tests.
"""

from __future__ import annotations

import copy
import hashlib
import inspect
import pickle
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml
from attrs import field, frozen

from drupe.errors import DrupeError, InvalidModelFolder, InvalidValue
from drupe.extend import Flavor, FlavorRecord
from drupe.lazy import load
from drupe.loading import catalog
from drupe.models import load_model, save_model
from drupe.models.namespace import FlavorNamespace
from drupe.testing.kit import in_threads

__all__ = ["FlavorCase", "FlavorKit", "same_values"]

_READ_ELSEWHERE = """
import importlib.util, pickle, sys
from pathlib import Path
sys.path[1:1] = sys.argv[1:]
job = pickle.loads(sys.stdin.buffer.read())
if importlib.util.find_spec(job["module"].partition(".")[0]) is None:  # a flavor that a test module defines
    spec = importlib.util.spec_from_file_location(job["module"], job["file"])
    sys.modules[job["module"]] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[job["module"]])
flavor = getattr(importlib.import_module(job["module"]), job["name"])()
model = flavor.load(Path(job["folder"]), job["config"], model_config=job["config"].get("config"))
sys.stdout.buffer.write(pickle.dumps(flavor.predict(model, job["inputs"], job["params"], job["config"])))
"""


def same_values(one: Any, other: Any) -> bool:
    """True when two predictions hold the same values: equal, or arrays and tables that are equal element by element (NaN equals NaN)."""
    if hasattr(one, "equals"):
        return bool(one.equals(other))
    if hasattr(one, "dtype") or hasattr(other, "dtype"):
        same_shape = getattr(one, "shape", None) == getattr(other, "shape", None) and getattr(one, "dtype", None) == getattr(
            other, "dtype", None
        )
        return same_shape and bool(((one == other) | ((one != one) & (other != other))).all())
    return bool(one == other)


@frozen
class FlavorCase:
    """A model as its library knows it, inputs that it can predict for, and the outputs that it then gives.

    `options` are passed to `save`, `params` to `predict`; `same` compares outputs, for libraries that are not exact.
    """

    model: Any
    inputs: Any
    outputs: Any
    options: Mapping[str, Any] = field(factory=dict)
    params: Mapping[str, Any] = field(factory=dict)
    same: Callable[[Any, Any], bool] = same_values


class FlavorKit:
    """Subclass it as `Test…` and override the fixtures `flavor` and `case`.

    `cannot` names tests that this flavor does not pass, each with the reason; they are skipped and the reason shown.
    """

    cannot: ClassVar[Mapping[str, str]] = {}

    @pytest.fixture
    def flavor(self) -> Flavor:
        """The flavor under test."""
        raise NotImplementedError(f"{type(self).__name__} needs a fixture `flavor` that gives the flavor")

    @pytest.fixture
    def case(self) -> FlavorCase:
        """A small fitted model with inputs and outputs."""
        raise NotImplementedError(f"{type(self).__name__} needs a fixture `case` that gives a FlavorCase")

    @pytest.fixture(autouse=True)
    def _leave_out_what_the_flavor_cannot(self, request: pytest.FixtureRequest) -> None:
        reason = self.cannot.get(getattr(request.function, "__name__", ""))
        if reason:
            pytest.skip(reason)

    def test_what_is_left_out_are_tests_of_this_kit(self) -> None:
        assert [name for name in self.cannot if not callable(getattr(self, name, None))] == []

    # --- what the flavor says

    def test_its_name_can_be_a_key_of_mlmodel(self, flavor: Flavor) -> None:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", flavor.name)
        assert flavor.model_argument.isidentifier()

    def test_its_further_functions_are_there_and_hide_none_that_every_flavor_has(self, flavor: Flavor) -> None:
        for name, place in flavor.functions.items():
            assert name.isidentifier()
            assert not hasattr(FlavorNamespace, name)
            assert callable(load(place))

    def test_its_keys_are_plain_values_that_yaml_can_hold(self, flavor: Flavor, case: FlavorCase, tmp_path: Path) -> None:
        record = _saved(flavor, case, tmp_path)
        for keys in (record.config, record.pyfunc):
            assert yaml.safe_load(yaml.safe_dump(dict(keys))) == dict(keys)
            assert all(isinstance(key, str) for key in keys)

    def test_its_keys_say_nothing_of_the_folder_they_were_made_in(self, flavor: Flavor, case: FlavorCase, tmp_path: Path) -> None:
        record = _saved(flavor, case, tmp_path)
        assert str(tmp_path / "model") not in yaml.safe_dump([dict(record.config), dict(record.pyfunc)])

    def test_it_can_load_what_it_saved_and_does_not_claim_an_empty_map(self, flavor: Flavor, case: FlavorCase, tmp_path: Path) -> None:
        assert flavor.loads(_config(_saved(flavor, case, tmp_path)))
        assert not flavor.loads({})

    def test_mlflow_is_told_which_module_loads_it(self, flavor: Flavor, case: FlavorCase, tmp_path: Path) -> None:
        record = _saved(flavor, case, tmp_path)
        if record.pyfunc:
            assert re.fullmatch(r"[a-z_][\w.]*", str(record.pyfunc.get("loader_module")))

    def test_its_requirements_are_pinned_to_what_is_installed(self, flavor: Flavor, case: FlavorCase, tmp_path: Path) -> None:
        record = _saved(flavor, case, tmp_path)
        assert record.requirements
        for line in record.requirements:
            name, equals, pin = line.partition("==")
            assert equals
            assert pin == version(name).partition("+")[0]

    def test_it_owns_up_to_files_that_run_code_when_loaded(self, flavor: Flavor, case: FlavorCase, tmp_path: Path) -> None:
        record = _saved(flavor, case, tmp_path)
        if any(_runs_code(file) for file in (tmp_path / "model").rglob("*") if file.is_file()):
            assert record.executes_code

    def test_an_unknown_option_is_refused_by_name(self, flavor: Flavor, case: FlavorCase, tmp_path: Path) -> None:
        (tmp_path / "model").mkdir()
        with pytest.raises(InvalidValue, match="no_such_option_at_all"):
            flavor.save(case.model, tmp_path / "model", {**case.options, "no_such_option_at_all": 1})

    # --- there and back

    def test_a_model_comes_back_and_predicts_the_same(self, flavor: Flavor, case: FlavorCase, tmp_path: Path) -> None:
        config = _config(_saved(flavor, case, tmp_path))
        assert case.same(_predicted(flavor, case, tmp_path / "model", config), case.outputs)

    def test_a_folder_can_be_moved(self, flavor: Flavor, case: FlavorCase, tmp_path: Path) -> None:
        config = _config(_saved(flavor, case, tmp_path))
        moved = tmp_path / "else where" / "größe"
        moved.parent.mkdir()
        (tmp_path / "model").rename(moved)
        assert case.same(_predicted(flavor, case, moved, config), case.outputs)

    def test_another_process_can_load_it(self, flavor: Flavor, case: FlavorCase, tmp_path: Path) -> None:
        config = _config(_saved(flavor, case, tmp_path))
        job = {
            "module": type(flavor).__module__,
            "name": type(flavor).__name__,
            "file": inspect.getsourcefile(type(flavor)),
            "folder": str(tmp_path / "model"),
            "config": config,
            "inputs": case.inputs,
            "params": dict(case.params),
        }
        command = [sys.executable, "-c", _READ_ELSEWHERE, *filter(None, sys.path)]
        done = subprocess.run(command, input=pickle.dumps(job), capture_output=True, cwd=tmp_path, check=False)
        assert done.returncode == 0, done.stderr.decode()
        assert case.same(pickle.loads(done.stdout), case.outputs)

    def test_it_writes_into_its_folder_only(
        self, flavor: Flavor, case: FlavorCase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        work = tmp_path / "work"
        work.mkdir()
        monkeypatch.chdir(work)
        _saved(flavor, case, tmp_path)
        assert list(work.iterdir()) == []
        assert sorted(entry.name for entry in tmp_path.iterdir()) == ["model", "work"]
        assert any((tmp_path / "model").iterdir())

    def test_saving_leaves_the_model_as_it_was(self, flavor: Flavor, case: FlavorCase, tmp_path: Path) -> None:
        _saved(flavor, case, tmp_path)
        again = tmp_path / "again"
        again.mkdir()
        config = _config(flavor.save(case.model, again, case.options))
        assert case.same(_predicted(flavor, case, again, config), case.outputs)

    def test_loading_and_predicting_leave_the_folder_as_it_was(self, flavor: Flavor, case: FlavorCase, tmp_path: Path) -> None:
        config = _config(_saved(flavor, case, tmp_path))
        before = _digests(tmp_path / "model")
        _predicted(flavor, case, tmp_path / "model", config)
        assert _digests(tmp_path / "model") == before

    def test_predicting_leaves_the_input_as_it_was(self, flavor: Flavor, case: FlavorCase, tmp_path: Path) -> None:
        config = _config(_saved(flavor, case, tmp_path))
        before = copy.deepcopy(case.inputs)
        _predicted(flavor, case, tmp_path / "model", config)
        assert same_values(case.inputs, before)

    def test_predicting_twice_gives_the_same(self, flavor: Flavor, case: FlavorCase, tmp_path: Path) -> None:
        config = _config(_saved(flavor, case, tmp_path))
        model = _loaded(flavor, tmp_path / "model", config)
        for _ in range(2):
            assert case.same(flavor.predict(model, case.inputs, dict(case.params), config), case.outputs)

    def test_one_instance_serves_several_threads(self, flavor: Flavor, case: FlavorCase, tmp_path: Path) -> None:
        config = _config(_saved(flavor, case, tmp_path))

        def load_and_predict() -> None:
            assert case.same(_predicted(flavor, case, tmp_path / "model", config), case.outputs)

        assert in_threads([load_and_predict] * 4) == []

    def test_the_generic_model_predicts_the_same(self, flavor: Flavor, case: FlavorCase, tmp_path: Path) -> None:
        if not any(flavor.name in entry.offer.keys for entry in catalog().offers("drupe_model_flavors")):
            pytest.skip(f"no installed plugin offers the flavor {flavor.name}; install the distribution to run this test")
        save_model(case.model, tmp_path / "model", flavor=flavor.name, **case.options)
        loaded = load_model(tmp_path / "model")
        given = flavor.predict(loaded.native, case.inputs, dict(case.params), loaded.config)
        assert loaded.flavor == flavor.name
        assert case.same(given, case.outputs)

    # --- folders that are not as they should be

    def test_a_name_that_leads_out_of_the_folder_is_refused(self, flavor: Flavor, case: FlavorCase, tmp_path: Path) -> None:
        config = _config(_saved(flavor, case, tmp_path))
        folder = tmp_path / "model"
        for keys, name in _file_names(folder, config):
            outside = tmp_path / "outside"
            shutil.copy(folder / name, outside)
            for spelling in ("../outside", str(outside)):
                with pytest.raises(InvalidModelFolder):
                    _loaded(flavor, folder, _changed(config, keys, spelling))

    def test_a_link_that_leads_out_of_the_folder_is_refused(self, flavor: Flavor, case: FlavorCase, tmp_path: Path) -> None:
        config = _config(_saved(flavor, case, tmp_path))
        folder = tmp_path / "model"
        for _, name in _file_names(folder, config):
            (folder / name).rename(tmp_path / "outside")
            (folder / name).symlink_to(tmp_path / "outside")
            with pytest.raises(InvalidModelFolder):
                _loaded(flavor, folder, config)
            (folder / name).unlink()
            (tmp_path / "outside").rename(folder / name)

    def test_a_missing_file_is_told_as_an_invalid_folder(self, flavor: Flavor, case: FlavorCase, tmp_path: Path) -> None:
        config = _config(_saved(flavor, case, tmp_path))
        folder = tmp_path / "model"
        names = [name for _, name in _file_names(folder, config)]
        assert names, "a flavor's keys name its files, so that they can be found and checked"
        for name in names:
            (folder / name).rename(tmp_path / "kept")
            with pytest.raises(InvalidModelFolder):
                _loaded(flavor, folder, config)
            (tmp_path / "kept").rename(folder / name)

    def test_a_damaged_file_is_told_as_an_error_of_ours(self, flavor: Flavor, case: FlavorCase, tmp_path: Path) -> None:
        config = _config(_saved(flavor, case, tmp_path))
        folder = tmp_path / "model"
        for keys, name in _file_names(folder, config):
            if keys[0] == "artifacts":
                continue  # the user's own files; what they hold is for the model to read
            content = (folder / name).read_bytes()
            for damaged in (content[: len(content) // 2], b"", b"\x00 no model ("):
                (folder / name).write_bytes(damaged)
                with pytest.raises(DrupeError):
                    _loaded(flavor, folder, config)
            (folder / name).write_bytes(content)


def _saved(flavor: Flavor, case: FlavorCase, tmp_path: Path) -> FlavorRecord:
    (tmp_path / "model").mkdir()
    return flavor.save(case.model, tmp_path / "model", case.options)


def _config(record: FlavorRecord) -> dict[str, Any]:
    return {**record.pyfunc, **record.config}


def _loaded(flavor: Flavor, folder: Path, config: Mapping[str, Any]) -> Any:
    return flavor.load(folder, config, model_config=config.get("config"))


def _predicted(flavor: Flavor, case: FlavorCase, folder: Path, config: Mapping[str, Any]) -> Any:
    return flavor.predict(_loaded(flavor, folder, config), case.inputs, dict(case.params), config)


def _file_names(folder: Path, config: Mapping[str, Any]) -> list[tuple[tuple[str, ...], str]]:
    """(keys that lead to it, name) of every file that the flavor's map names; the same file once."""
    found: dict[str, tuple[str, ...]] = {}
    for keys, value in _texts(config, ()):
        if value and not value.startswith("/") and (folder / value).is_file():
            found.setdefault(value, keys)
    return [(keys, name) for name, keys in found.items()]


def _texts(value: Any, keys: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, str):
        yield keys, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(inner, (*keys, str(key)))


def _changed(config: Mapping[str, Any], keys: tuple[str, ...], spelling: str) -> dict[str, Any]:
    """`config` with the name at `keys` replaced, and everywhere else where the same name stands."""
    changed = copy.deepcopy(dict(config))
    place: Any = config
    for key in keys:
        place = place[key]

    def replace(inner: dict[str, Any]) -> None:
        for key, value in inner.items():
            if value == place:
                inner[key] = spelling
            elif isinstance(value, dict):
                replace(value)

    replace(changed)
    return changed


def _digests(folder: Path) -> dict[str, str]:
    files = (file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def _runs_code(file: Path) -> bool:
    """True for scripts and pickles, also inside zip archives: those known by how they begin."""
    if file.suffix == ".py":
        return True
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            return any(name.endswith((".py", ".pkl")) or _is_pickle(archive.read(name)) for name in archive.namelist())
    return _is_pickle(file.read_bytes())


def _is_pickle(content: bytes) -> bool:
    return len(content) > 2 and content[0] == 0x80 and 2 <= content[1] <= 5 and content.endswith(b".")

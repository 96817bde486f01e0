"""Every promise of the flavor kit has teeth: for each way to get it wrong, a named test of the kit fails."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
from attrs import define, evolve

from drupe.errors import InvalidModelFolder, InvalidValue
from drupe.extend import Flavor, FlavorRecord
from drupe.models import inside, pinned_requirements
from drupe.testing.flavor import FlavorCase, FlavorKit

from .kit_runner import Faults, call, check_mistyped_names_are_noticed, promises_of


@define
class Scale:
    """A model whose whole knowledge is one number."""

    factor: float


def read_factor(file: Path) -> float:
    try:
        return float(json.loads(file.read_text())["factor"])
    except (ValueError, KeyError, TypeError) as fault:
        raise InvalidModelFolder(f"{file.name} holds no factor") from fault


class Correct(Flavor):
    """Keeps to the contract; the broken ones below differ from it in one thing each."""

    name = "scale"

    def save(self, model: Any, folder: Path, options: Mapping[str, Any]) -> FlavorRecord:
        if options:
            raise InvalidValue(f"scale knows no options, got {', '.join(options)}")
        (folder / "scale.json").write_text(json.dumps({"factor": model.factor}))
        return FlavorRecord(
            config={"data": "scale.json"},
            pyfunc={"loader_module": "mlflow.scale", "data": "scale.json"},
            requirements=pinned_requirements(["attrs"]),
        )

    def load(self, folder: Path, config: Mapping[str, Any], *, model_config: Mapping[str, Any] | None = None) -> Any:
        return Scale(read_factor(inside(folder, config["data"])))

    def predict(self, model: Any, inputs: Any, params: Mapping[str, Any], config: Mapping[str, Any]) -> Any:
        return [model.factor * value for value in inputs]


def scale_case() -> FlavorCase:
    return FlavorCase(Scale(2.0), [1.0, 2.5], [2.0, 5.0])


class TestCorrect(FlavorKit):
    @pytest.fixture
    def flavor(self) -> Flavor:
        return Correct()

    @pytest.fixture
    def case(self) -> FlavorCase:
        return scale_case()


BROKEN = Faults()
caught_by = BROKEN.caught_by


@caught_by("test_its_name_can_be_a_key_of_mlmodel")
class NamedLikeASentence(Correct):
    name = "My Flavor"


@caught_by("test_its_further_functions_are_there_and_hide_none_that_every_flavor_has")
class HidesWhatEveryFlavorHas(Correct):
    functions: ClassVar[Mapping[str, str]] = {"log_model": "json:dumps"}


@caught_by("test_its_keys_are_plain_values_that_yaml_can_hold")
class PutsObjectsIntoTheKeys(Correct):
    def save(self, model: Any, folder: Path, options: Mapping[str, Any]) -> FlavorRecord:
        record = super().save(model, folder, options)
        return evolve(record, config={**record.config, "model": model})


@caught_by("test_its_keys_say_nothing_of_the_folder_they_were_made_in")
@caught_by("test_a_folder_can_be_moved")
class NotesWholePaths(Correct):
    def save(self, model: Any, folder: Path, options: Mapping[str, Any]) -> FlavorRecord:
        return evolve(super().save(model, folder, options), config={"data": str(folder / "scale.json")})

    def load(self, folder: Path, config: Mapping[str, Any], *, model_config: Mapping[str, Any] | None = None) -> Any:
        return Scale(read_factor(Path(config["data"])))


@caught_by("test_it_can_load_what_it_saved_and_does_not_claim_an_empty_map")
class ClaimsEveryFolder(Correct):
    def loads(self, config: Mapping[str, Any]) -> bool:
        return True


@caught_by("test_mlflow_is_told_which_module_loads_it")
class NamesNoLoader(Correct):
    def save(self, model: Any, folder: Path, options: Mapping[str, Any]) -> FlavorRecord:
        return evolve(super().save(model, folder, options), pyfunc={"data": "scale.json"})


@caught_by("test_its_requirements_are_pinned_to_what_is_installed")
class PinsNothing(Correct):
    def save(self, model: Any, folder: Path, options: Mapping[str, Any]) -> FlavorRecord:
        return evolve(super().save(model, folder, options), requirements=["attrs>=1"])


@caught_by("test_it_owns_up_to_files_that_run_code_when_loaded")
class PicklesInSilence(Correct):
    def save(self, model: Any, folder: Path, options: Mapping[str, Any]) -> FlavorRecord:
        (folder / "scale.pkl").write_bytes(pickle.dumps(model))
        return super().save(model, folder, options)


@caught_by("test_an_unknown_option_is_refused_by_name")
class TakesAnyOption(Correct):
    def save(self, model: Any, folder: Path, options: Mapping[str, Any]) -> FlavorRecord:
        return super().save(model, folder, {})


@caught_by("test_a_model_comes_back_and_predicts_the_same")
class RoundsWhatItKeeps(Correct):
    def save(self, model: Any, folder: Path, options: Mapping[str, Any]) -> FlavorRecord:
        return super().save(Scale(model.factor + 1e-9), folder, options)


@caught_by("test_another_process_can_load_it")
class RemembersInMemory(Correct):
    kept: ClassVar[dict[str, Any]] = {}

    def save(self, model: Any, folder: Path, options: Mapping[str, Any]) -> FlavorRecord:
        self.kept["model"] = model
        return super().save(model, folder, options)

    def load(self, folder: Path, config: Mapping[str, Any], *, model_config: Mapping[str, Any] | None = None) -> Any:
        return self.kept["model"]


@caught_by("test_it_writes_into_its_folder_only")
class LeavesADraftBehind(Correct):
    def save(self, model: Any, folder: Path, options: Mapping[str, Any]) -> FlavorRecord:
        Path("draft.json").write_text("{}")
        return super().save(model, folder, options)


@caught_by("test_saving_leaves_the_model_as_it_was")
class WearsTheModelOut(Correct):
    def save(self, model: Any, folder: Path, options: Mapping[str, Any]) -> FlavorRecord:
        record = super().save(model, folder, options)
        model.factor = 0.0
        return record


@caught_by("test_loading_and_predicting_leave_the_folder_as_it_was")
class WritesWhileLoading(Correct):
    def load(self, folder: Path, config: Mapping[str, Any], *, model_config: Mapping[str, Any] | None = None) -> Any:
        model = super().load(folder, config, model_config=model_config)
        (folder / "last_used").write_text("now")
        return model


@caught_by("test_predicting_leaves_the_input_as_it_was")
class ScalesInPlace(Correct):
    def predict(self, model: Any, inputs: Any, params: Mapping[str, Any], config: Mapping[str, Any]) -> Any:
        inputs[:] = super().predict(model, inputs, params, config)
        return list(inputs)


@caught_by("test_predicting_twice_gives_the_same")
class Drifts(Correct):
    def predict(self, model: Any, inputs: Any, params: Mapping[str, Any], config: Mapping[str, Any]) -> Any:
        outputs = super().predict(model, inputs, params, config)
        model.factor += 1
        return outputs


@caught_by("test_one_instance_serves_several_threads")
class KeepsTheModelInItself(Correct):
    def load(self, folder: Path, config: Mapping[str, Any], *, model_config: Mapping[str, Any] | None = None) -> Any:
        if getattr(self, "busy", False):
            raise RuntimeError("called from two threads")
        self.busy = True
        return super().load(folder, config)

    def predict(self, model: Any, inputs: Any, params: Mapping[str, Any], config: Mapping[str, Any]) -> Any:
        return super().predict(model, inputs, params, config)


@caught_by("test_a_name_that_leads_out_of_the_folder_is_refused")
class FollowsAnyName(Correct):
    def load(self, folder: Path, config: Mapping[str, Any], *, model_config: Mapping[str, Any] | None = None) -> Any:
        return Scale(read_factor(folder / config["data"]))


@caught_by("test_a_link_that_leads_out_of_the_folder_is_refused")
class FollowsLinks(Correct):
    def load(self, folder: Path, config: Mapping[str, Any], *, model_config: Mapping[str, Any] | None = None) -> Any:
        if ".." in config["data"] or os.path.isabs(config["data"]):
            raise InvalidModelFolder("outside")
        return Scale(read_factor(folder / config["data"]))


@caught_by("test_a_missing_file_is_told_as_an_invalid_folder")
class TracesOnAMissingFile(Correct):
    def load(self, folder: Path, config: Mapping[str, Any], *, model_config: Mapping[str, Any] | None = None) -> Any:
        if not (folder / config["data"]).exists():
            raise FileNotFoundError(config["data"])
        return super().load(folder, config)


@caught_by("test_a_missing_file_is_told_as_an_invalid_folder")
class NamesNoFile(Correct):
    def save(self, model: Any, folder: Path, options: Mapping[str, Any]) -> FlavorRecord:
        return evolve(super().save(model, folder, options), config={"kind": "json"}, pyfunc={})

    def load(self, folder: Path, config: Mapping[str, Any], *, model_config: Mapping[str, Any] | None = None) -> Any:
        return Scale(read_factor(inside(folder, "scale.json")))


@caught_by("test_a_damaged_file_is_told_as_an_error_of_ours")
class TracesOnADamagedFile(Correct):
    def load(self, folder: Path, config: Mapping[str, Any], *, model_config: Mapping[str, Any] | None = None) -> Any:
        return Scale(json.loads(inside(folder, config["data"]).read_text())["factor"])


@BROKEN.each()
def test_a_broken_flavor_is_caught_by_the_named_test(
    kind: type[Flavor], test: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises((Exception, pytest.fail.Exception)):
        run(test, kind(), tmp_path, monkeypatch)


def test_every_test_of_the_kit_catches_something() -> None:
    elsewhere = {"test_the_generic_model_predicts_the_same"}  # needs an installed plugin; below
    assert promises_of(FlavorKit) - elsewhere == BROKEN.tests


def test_leaving_out_a_test_that_does_not_exist_is_noticed() -> None:
    check_mistyped_names_are_noticed(TestCorrect)


def test_the_generic_model_is_asked_of_installed_plugins_and_skipped_for_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(pytest.skip.Exception, match="no installed plugin offers the flavor scale"):
        run("test_the_generic_model_predicts_the_same", Correct(), tmp_path, monkeypatch)


def test_the_generic_model_is_compared_with_the_expected_outputs(tmp_path: Path) -> None:
    from drupe.loading import catalog

    python = catalog().flavor("python_function")
    wrong = FlavorCase(len, [1, 2], 3)
    with pytest.raises(AssertionError):
        TestCorrect().test_the_generic_model_predicts_the_same(python, wrong, tmp_path)
    shutil.rmtree(tmp_path / "model")
    TestCorrect().test_the_generic_model_predicts_the_same(python, evolve(wrong, outputs=2), tmp_path)


def run(test: str, flavor: Flavor, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known: dict[str, Any] = {"flavor": flavor, "case": scale_case(), "tmp_path": folder, "monkeypatch": monkeypatch}
    call(TestCorrect, test, **known)

"""Every promise of the kit of autologgers has teeth: for each way to get it wrong, a named test of the kit fails."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from attrs import frozen

import drupe
from drupe.extend import Autologger, Call, Patches, Training, TrainingRun
from drupe.testing.autologger import AutologCase, AutologgerKit

from .toy import ToyAutologger, front_door


def trained() -> float:
    return float(importlib.import_module("toylib").Twice().fit([1, 2]).sum_)


def toy_case() -> AutologCase:
    return AutologCase(train=trained, fail=lambda: importlib.import_module("toylib").train([]))


class Kit(AutologgerKit):
    library = "toylib"


@pytest.mark.usefixtures("toy")
class TestToy(Kit):
    @pytest.fixture
    def case(self) -> AutologCase:
        return toy_case()


BROKEN: list[tuple[type[Autologger], str]] = []


def caught_by(*tests: str) -> Callable[[type[Autologger]], type[Autologger]]:
    def note(kind: type[Autologger]) -> type[Autologger]:
        BROKEN.extend((kind, test) for test in tests)
        return kind

    return note


def toylib() -> Any:
    return importlib.import_module("toylib")


@caught_by("test_its_class_and_its_offer_name_the_same_library")
class OfAnotherLibrary(ToyAutologger):
    library = "pears"


@caught_by("test_the_installed_release_is_one_that_it_was_tested_with")
class OfAnotherRelease(ToyAutologger):
    versions = ("0.1", "0.2")


class Logged(Training):
    """Logs by itself what the toy's training logs."""

    def __init__(self, call: Call) -> None:
        self.call = call

    def begin(self, run: TrainingRun) -> None:
        run.log_params({"rate": 1})

    def finish(self, run: TrainingRun, result: Any) -> None:
        run.log_metrics({"sum": result.sum_})


class Watching(Autologger):
    library = "toylib"
    distribution = "pytest"
    versions = ("7", "99")
    training: ClassVar[type[Training]] = Logged

    def install(self, patches: Patches, options: Any) -> None:
        for kind in (toylib().Model, toylib().Twice):
            patches.trains(kind, "fit", self.training)


@caught_by("test_a_training_is_one_run_of_its_own", "test_an_active_run_is_used_and_stays_active")
class LogsNoParams(Watching):
    class training(Logged):
        def begin(self, run: TrainingRun) -> None: ...


@caught_by("test_the_program_gets_what_it_gets_without", "test_two_trainings_in_one_run_do_no_harm")
class TrainsAgain(Watching):
    class training(Logged):
        def finish(self, run: TrainingRun, result: Any) -> None:
            result.sum_ += 1


@caught_by("test_exclusive_leaves_the_users_run_alone", "test_silent_says_nothing_of_faults")
class GoesAroundTheFramework(ToyAutologger):
    def install(self, patches: Patches, options: Any) -> None:
        def make(original: Any) -> Any:
            def fit(model: Any, xs: Any) -> Any:
                drupe.log_param("rate", 1)
                import logging

                logging.getLogger("drupe.autolog").warning("look at me")
                return original(model, xs)

            return fit

        patches.replaces(toylib().Twice, "fit", make)


@caught_by("test_threads_have_a_run_each")
class KeepsOneRunForAll(Watching):
    class training(Logged):
        seen: ClassVar[list[int]] = []

        def __init__(self, call: Call) -> None:
            super().__init__(call)
            self.seen.append(1)
            if len(self.seen) > 1:
                raise RuntimeError("only one at a time")


@caught_by("test_models_are_left_out_on_request")
class AlwaysLogsModels(Watching):
    class training(Logged):
        def finish(self, run: TrainingRun, result: Any) -> None:
            run.set_tags({"mlflow.log-model.history": "[]"})


@caught_by("test_a_model_has_the_metrics_of_the_end_of_its_training")
class LogsTheModelOfTheFirstStep(Watching):
    class training(Logged):
        def finish(self, run: TrainingRun, result: Any) -> None:
            for step in (0, 1):
                run.log_metrics({"sum": result.sum_}, step)
            drupe.log_model(lambda rows: rows, "model", run_id=run.run_id, step=0)


@caught_by("test_extra_tags_are_set_on_runs_that_it_starts")
class TakesTagsAway(Watching):
    class training(Logged):
        def finish(self, run: TrainingRun, result: Any) -> None:
            run.set_tags({"team": "mine"})


@caught_by("test_an_exception_of_the_library_is_raised_and_the_run_failed")
class SwallowsExceptions(ToyAutologger):
    def install(self, patches: Patches, options: Any) -> None:
        super().install(patches, options)

        def make(original: Any) -> Any:
            def train(xs: Any, rate: float = 1.0) -> Any:
                try:
                    return original(xs, rate)
                except ValueError:
                    return None

            return train

        patches.replaces(toylib(), "train", make)


@caught_by("test_faults_while_logging_are_kept_from_the_program", "test_a_run_that_cannot_be_started_does_not_stop_the_training")
class LogsBeforeItIsAsked(ToyAutologger):
    def install(self, patches: Patches, options: Any) -> None:
        def make(original: Any) -> Any:
            def fit(model: Any, xs: Any) -> Any:
                from drupe.tracking.autolog.guard import Faults
                from drupe.tracking.autolog.runs import Run

                Run.take("toy", Faults("toy")).log_params({"rate": 1})
                return original(model, xs)

            return fit

        patches.replaces(toylib().Twice, "fit", make)


@caught_by("test_an_unknown_release_warns_once_and_is_tried")
class RefusesOtherReleases(Watching):
    def install(self, patches: Patches, options: Any) -> None:
        if self.versions[0] != "0.0.1":
            super().install(patches, options)


@caught_by(
    "test_an_unknown_release_is_left_alone_on_request",
    "test_disabled_nothing_is_logged_and_everything_is_as_it_was",
    "test_turned_on_twice_it_logs_once",
)
class PatchesByHand(Autologger):
    library = "toylib"
    distribution = "pytest"
    versions = ("7", "99")

    def __init__(self) -> None:
        original = toylib().Twice.fit

        def fit(model: Any, xs: Any) -> Any:
            with drupe.start_run(nested=True):
                drupe.log_param("rate", 1)
            return original(model, xs)

        toylib().Twice.fit = fit

    def install(self, patches: Patches, options: Any) -> None: ...


@pytest.mark.parametrize(("kind", "test"), BROKEN, ids=[f"{kind.__name__}-{test}" for kind, test in BROKEN])
def test_a_broken_autologger_is_caught_by_the_named_test(
    kind: type[Autologger], test: str, library: str, use_plugin: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises((Exception, pytest.fail.Exception)):
        run(test, kind, use_plugin, monkeypatch, caplog)


def test_every_test_of_the_kit_catches_something() -> None:
    elsewhere = {
        "test_what_is_left_out_are_tests_of_this_kit",  # about the kit itself
        "test_turning_it_on_imports_nothing_of_the_library",  # needs an installed plugin; the one of flavor-sklearn passes it
        "test_its_options_begin_with_mlflows_in_mlflows_order",  # below
        "test_an_unknown_option_is_refused_by_name",  # below
    }
    tests = {name for name in dir(AutologgerKit) if name.startswith("test_")} - elsewhere
    assert tests == {test for _, test in BROKEN}


@frozen
class OptionsOfItsOwn:
    """Not those of autologgers, and everything is one."""

    silent: bool = False


def test_options_that_are_not_those_of_autologgers_are_caught(library: str, use_plugin: Any) -> None:
    use_plugin("toy-plugin", front_door(ToyAutologger, options=f"{__name__}:OptionsOfItsOwn"))
    with pytest.raises(AssertionError):
        Kit().test_its_options_begin_with_mlflows_in_mlflows_order()


def test_a_kit_without_an_unknown_option_to_refuse_would_be_noticed(toy: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drupe.testing.autologger.autolog_library", lambda *args, **options: None)
    with pytest.raises(pytest.fail.Exception):
        Kit().test_an_unknown_option_is_refused_by_name()


def test_leaving_out_a_test_that_does_not_exist_is_noticed() -> None:
    class Mistaken(Kit):
        cannot: ClassVar = {"test_with_a_typing_error": "no reason"}

    with pytest.raises(AssertionError):
        Mistaken().test_what_is_left_out_are_tests_of_this_kit()


def run(test: str, kind: type[Autologger], use_plugin: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("DRUPE_STRICT_AUTOLOG", "1")
    plugin = use_plugin("toy-plugin", front_door(kind))
    assert plugin.is_active
    method = getattr(Kit(), test)
    known: dict[str, Any] = {"case": toy_case(), "monkeypatch": monkeypatch, "caplog": caplog}
    method(**{name: known[name] for name in inspect.signature(method).parameters})

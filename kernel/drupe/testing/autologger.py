"""The conformance kit of autologgers: what every implementation of `drupe.extend.Autologger` must do.

The plugin's `conftest.py` imports the fixture `drupe_workspace` from `drupe.testing.plugin`; its test module subclasses the kit and says
which library is watched, how a small training goes, and how one fails:

    class TestMyAutologger(AutologgerKit):
        library = "mylibrary"

        @pytest.fixture
        def case(self):
            return AutologCase(train=lambda: mylibrary.fit(X, y).predict(X), fail=lambda: mylibrary.fit(None, y))

What is logged of a training is for the plugin's own tests.
"""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import pytest
from attrs import fields, frozen

from drupe.entities import Run, RunStatus
from drupe.errors import InvalidSettings
from drupe.extend import Autologger, AutologOptions
from drupe.loading import catalog
from drupe.models.fluent import get_logged_model
from drupe.testing.flavor import same_values
from drupe.testing.kit import in_threads
from drupe.tracking import fluent
from drupe.tracking.autolog import autolog_library
from drupe.tracking.autolog.releases import doubt
from drupe.tracking.autolog.runs import AUTOLOGGING_TAG, Run as Logged
from drupe.tracking.autolog.switch import HOOK

__all__ = ["AutologCase", "AutologgerKit"]


@frozen
class AutologCase:
    """`train` trains something small and returns what shows how it went (a prediction), the same each time it is called; `fail` makes the
    library raise from a watched function. `same` compares what `train` returns.
    """

    train: Callable[[], Any]
    fail: Callable[[], Any]
    same: Callable[[Any, Any], bool] = same_values


class AutologgerKit:
    """Subclass it as `Test…`, name the `library` (a key of the offer), and override the fixture `case`.

    `cannot` names tests that this autologger does not pass, each with the reason; they are skipped and the reason shown.
    """

    library: ClassVar[str]
    cannot: ClassVar[Mapping[str, str]] = {}

    @pytest.fixture
    def case(self) -> AutologCase:
        """A small training and one that fails."""
        raise NotImplementedError(f"{type(self).__name__} needs a fixture `case` that gives an AutologCase")

    @pytest.fixture(autouse=True)
    def _strict_in_a_workspace(self, drupe_workspace: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DRUPE_STRICT_AUTOLOG", "1")

    @pytest.fixture(autouse=True)
    def _leave_out_what_it_cannot(self, request: pytest.FixtureRequest) -> None:
        reason = self.cannot.get(getattr(request.function, "__name__", ""))
        if reason:
            pytest.skip(reason)

    def test_what_is_left_out_are_tests_of_this_kit(self) -> None:
        assert [name for name in self.cannot if not callable(getattr(self, name, None))] == []

    # --- what it says

    def test_its_class_and_its_offer_name_the_same_library(self) -> None:
        assert self.library in catalog().find(HOOK, self.library).offer.keys
        assert self._class().library in catalog().find(HOOK, self.library).offer.keys

    def test_its_options_begin_with_mlflows_in_mlflows_order(self) -> None:
        kind = catalog().find(HOOK, self.library).settings_class()
        assert kind is None or issubclass(kind, AutologOptions)
        shared = [field.name for field in fields(AutologOptions)][:8]
        assert [field.name for field in fields(kind or AutologOptions)][:8] == shared

    def test_the_installed_release_is_one_that_it_was_tested_with(self) -> None:
        assert doubt(self._class().distribution, self._class().versions) is None

    def test_turning_it_on_imports_nothing_of_the_library(self) -> None:
        if not any(plugin.distribution and plugin.name == self._plugin() for plugin in catalog().plugins):
            pytest.skip(f"no installed plugin offers to watch {self.library}; install the distribution to run this test")
        code = f"import sys, drupe\ndrupe.autolog()\nprint([name for name in sys.modules if name.partition('.')[0] == {self.library!r}])"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "[]"

    # --- a training

    def test_a_training_is_one_run_of_its_own(self, case: AutologCase) -> None:
        self._on()
        case.train()
        (run,) = _runs()
        assert run.info.status == RunStatus.FINISHED
        assert run.data.tags[AUTOLOGGING_TAG] == catalog().find(HOOK, self.library).offer.name
        assert run.data.params
        assert fluent.active_run() is None

    def test_the_program_gets_what_it_gets_without(self, case: AutologCase) -> None:
        without = case.train()
        self._on()
        assert case.same(case.train(), without)
        assert case.same(case.train(), without)

    def test_an_active_run_is_used_and_stays_active(self, case: AutologCase) -> None:
        self._on()
        with fluent.start_run() as mine:
            case.train()
            assert fluent.active_run() is mine
            assert fluent.get_run(mine.info.run_id).info.status == RunStatus.RUNNING
        (run,) = _runs()
        assert run.info.run_id == mine.info.run_id
        assert run.data.params

    def test_two_trainings_in_one_run_do_no_harm(self, case: AutologCase) -> None:
        without = case.train()
        self._on()
        with fluent.start_run():
            assert case.same(case.train(), without)
            assert case.same(case.train(), without)

    def test_exclusive_leaves_the_users_run_alone(self, case: AutologCase) -> None:
        self._on(exclusive=True)
        with fluent.start_run():
            case.train()
        (run,) = _runs()
        assert run.data.params == {}
        assert run.data.metrics == {}

    def test_threads_have_a_run_each(self, case: AutologCase) -> None:
        self._on()
        assert in_threads([case.train] * 3) == []
        assert [run.info.status for run in _runs()] == [RunStatus.FINISHED] * 3

    def test_models_are_left_out_on_request(self, case: AutologCase) -> None:
        self._on(log_models=False)
        case.train()
        (run,) = _runs()
        assert "mlflow.log-model.history" not in run.data.tags

    def test_a_model_has_the_metrics_of_the_end_of_its_training(self, case: AutologCase) -> None:
        self._on()
        case.train()
        (run,) = _runs()
        last = {key: summary.last_step for key, summary in run.data.summaries.items() if not key.startswith("system/")}
        for made in run.outputs.model_outputs:
            assert {metric.key: metric.step for metric in get_logged_model(made.model_id).metrics} == last

    def test_extra_tags_are_set_on_runs_that_it_starts(self, case: AutologCase) -> None:
        self._on(extra_tags={"team": "pears"})
        case.train()
        assert [run.data.tags["team"] for run in _runs()] == ["pears"]

    # --- when something goes wrong

    def test_an_exception_of_the_library_is_raised_and_the_run_failed(self, case: AutologCase) -> None:
        with pytest.raises(Exception) as without:
            case.fail()
        self._on()
        with pytest.raises(Exception) as fault:
            case.fail()
        assert (type(fault.value), str(fault.value)) == (type(without.value), str(without.value))
        assert [run.info.status for run in _runs()] == [RunStatus.FAILED]
        assert fluent.active_run() is None

    def test_faults_while_logging_are_kept_from_the_program(
        self, case: AutologCase, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        without = case.train()
        monkeypatch.delenv("DRUPE_STRICT_AUTOLOG")
        for part in ("log_params", "log_metrics", "set_tags", "log_files", "log_input"):
            monkeypatch.setattr(Logged, part, _broken)
        self._on()
        with caplog.at_level(logging.WARNING, "drupe.autolog"):
            assert case.same(case.train(), without)
        assert caplog.records
        assert [run.info.status for run in _runs()] == [RunStatus.FINISHED]

    def test_a_run_that_cannot_be_started_does_not_stop_the_training(
        self, case: AutologCase, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        without = case.train()
        monkeypatch.delenv("DRUPE_STRICT_AUTOLOG")
        monkeypatch.setattr(Logged, "take", _broken)
        self._on()
        with caplog.at_level(logging.WARNING, "drupe.autolog"):
            assert case.same(case.train(), without)
            assert case.same(case.train(), without)
        assert len(caplog.records) == 1
        assert _runs() == []

    def test_silent_says_nothing_of_faults(
        self, case: AutologCase, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.delenv("DRUPE_STRICT_AUTOLOG")
        monkeypatch.setattr(Logged, "log_params", _broken)
        self._on(silent=True)
        with caplog.at_level(logging.WARNING, "drupe.autolog"):
            case.train()
        assert caplog.records == []

    def test_an_unknown_release_warns_once_and_is_tried(
        self, case: AutologCase, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(self._class(), "versions", ("0.0.1", "0.0.2"))
        with caplog.at_level(logging.WARNING, "drupe.autolog"):
            self._on()
            case.train()
            case.train()
        assert ["tested are 0.0.1 to 0.0.2" in record.getMessage() for record in caplog.records] == [True]
        assert len(_runs()) == 2

    def test_an_unknown_release_is_left_alone_on_request(self, case: AutologCase, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(self._class(), "versions", ("0.0.1", "0.0.2"))
        self._on(disable_for_unsupported_versions=True)
        case.train()
        assert _runs() == []

    def test_an_unknown_option_is_refused_by_name(self) -> None:
        with pytest.raises(InvalidSettings, match="no_such_option_at_all"):
            self._on(no_such_option_at_all=1)

    # --- off again

    def test_disabled_nothing_is_logged_and_everything_is_as_it_was(self, case: AutologCase) -> None:
        case.train()
        before = _functions(self.library)
        self._on()
        case.train()
        self._on(disable=True)
        case.train()
        after = _functions(self.library)
        assert sorted(name for name, function in before.items() if after.get(name) is not function) == []
        assert len(_runs()) == 1

    def test_turned_on_twice_it_logs_once(self, case: AutologCase) -> None:
        self._on()
        case.train()
        self._on(log_models=False)
        case.train()
        assert len(_runs()) == 2

    def _on(self, **options: Any) -> None:
        autolog_library(catalog().find(HOOK, self.library).offer.name, **options)

    def _class(self) -> type[Autologger]:
        found: type[Autologger] = catalog().load(HOOK, self.library)
        return found

    def _plugin(self) -> str:
        return catalog().find(HOOK, self.library).plugin


def _broken(*args: Any, **kwargs: Any) -> Any:
    raise RuntimeError("made to fail by the kit")


def _runs() -> list[Run]:
    found: list[Run] = fluent.search_runs(output_format="list", search_all_experiments=True)
    return found


def _functions(library: str) -> dict[str, Any]:
    """Every function of the library's imported modules and of the classes in them, by its place."""
    found: dict[str, Any] = {}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] != library:
            continue
        for label, value in list(vars(module).items()):
            if isinstance(value, type) and value.__module__.partition(".")[0] == library:
                found |= {
                    f"{name}.{label}.{inner}": held
                    for inner, held in list(vars(value).items())
                    if callable(held) or hasattr(held, "__get__")
                }
            elif callable(value):
                found[f"{name}.{label}"] = value
    return {place: value for place, value in found.items() if not place.rpartition(".")[2].startswith("__")}

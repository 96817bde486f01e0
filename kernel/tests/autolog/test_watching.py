"""What users notice of watched functions: runs, and nothing else."""

from __future__ import annotations

import contextvars
import copy
import importlib
import inspect
import pickle
import threading
from abc import abstractmethod
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, ClassVar

import cloudpickle
import pytest

import drupe
from drupe.entities import Run, RunStatus
from drupe.errors import PluginUnusable
from drupe.extend import Autologger, Patches, Training, TrainingRun
from drupe.tracking.autolog import guard
from drupe.tracking.autolog.patches import watch

from .toy import front_door

Runs = Callable[[], list[Run]]


@pytest.fixture
def toylib(toy: None) -> Any:
    drupe.toy.autolog()
    return importlib.import_module("toylib")


def test_a_training_in_a_training_is_part_of_it(toylib: Any, runs: Runs) -> None:
    assert toylib.Twice().fit([1, 2]).sum_ == 6
    (run,) = runs()
    assert (run.data.params, run.data.metrics) == ({"rate": "2.0"}, {"sum": 6.0})


def test_a_training_in_a_thread_that_a_training_started_is_its_own(toylib: Any, runs: Runs) -> None:
    with guard.inside():
        worker = threading.Thread(target=toylib.train, args=([1],))
        worker.start()
        worker.join()
    assert len(runs()) == 1


def test_a_training_in_a_context_that_was_copied_inside_is_part_of_it(toylib: Any, runs: Runs) -> None:
    with guard.inside():
        context = contextvars.copy_context()
    context.run(toylib.train, [1])
    assert runs() == []


def test_the_exception_of_the_library_is_the_very_same(toylib: Any, runs: Runs) -> None:
    class Odd(list):  # type: ignore[type-arg]
        fault = KeyError("mine")

        def __bool__(self) -> bool:
            raise self.fault

    with pytest.raises(KeyError) as seen:
        toylib.train(Odd([1]))
    assert seen.value is Odd.fault
    assert seen.value.__cause__ is None
    assert [run.info.status for run in runs()] == [RunStatus.FAILED]


def test_ctrl_c_in_a_training_ends_the_run_as_killed(toylib: Any, runs: Runs) -> None:
    class Interrupted(list):  # type: ignore[type-arg]
        def __iter__(self) -> Any:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        toylib.train(Interrupted([1]))
    assert [run.info.status for run in runs()] == [RunStatus.KILLED]


def test_ctrl_c_while_we_log_reaches_the_user_and_leaves_no_run_open(toylib: Any, runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("drupe.tracking.autolog.runs.Run.log_metrics", interrupted)
    with pytest.raises(KeyboardInterrupt):
        toylib.train([1])
    assert [run.info.status for run in runs()] == [RunStatus.KILLED]
    assert drupe.active_run() is None


def test_params_that_a_users_run_has_stay_and_are_named(
    toylib: Any, runs: Runs, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with drupe.start_run():
        drupe.log_param("rate", "mine")
        toylib.train([1])
    (run,) = runs()
    assert run.data.params == {"rate": "mine"}
    assert run.data.metrics == {"sum": 1.0}
    assert [record.getMessage().startswith("autologging of toy: the run has other values of rate") for record in caplog.records] == [True]


def test_a_watched_method_looks_like_the_librarys_own(toylib: Any) -> None:
    fit = toylib.Model.fit
    assert (fit.__name__, fit.__doc__, fit.__module__) == ("fit", "Add up.", "toylib")
    assert str(inspect.signature(fit)) == "(self, xs)"
    assert inspect.isfunction(fit)
    assert inspect.ismethod(toylib.Model().fit)
    assert toylib.Model.fit is fit


def test_what_is_pickled_by_name_or_value_knows_nothing_of_us(toylib: Any) -> None:
    model = toylib.Model().fit([1])
    assert pickle.loads(pickle.dumps(model)).sum_ == 1
    assert copy.deepcopy(model).sum_ == 1
    assert pickle.loads(pickle.dumps(toylib.Model.fit)) is toylib.Model.fit
    mine = type("Mine", (toylib.Model,), {"__module__": "__main__", "fit": vars(toylib.Model)["fit"].raw})
    patch = watch(mine, "fit", lambda original, args, kwargs: original(*args, **kwargs))
    assert patch is not None
    assert b"autolog" not in cloudpickle.dumps(mine)
    assert cloudpickle.loads(cloudpickle.dumps(mine))().fit([2]).sum_ == 2


def test_somebody_who_wrapped_a_watched_method_keeps_it_when_we_leave(toylib: Any, runs: Runs) -> None:
    ours = toylib.Model.fit
    toylib.Model.fit = lambda self, xs: ours(self, [*xs, 10])
    drupe.toy.autolog(disable=True)
    assert toylib.train([1]).sum_ == 11
    assert runs() == []


def test_a_method_that_only_some_instances_have_stays_so(library: str) -> None:
    class Sometimes:
        def __get__(self, target: Any, owner: Any) -> Any:
            if target is None or target.has_it:
                return lambda *args: "there"
            raise AttributeError("not this one")

    class Model:
        predict = Sometimes()

        def __init__(self, has_it: bool) -> None:
            self.has_it = has_it

    seen: list[tuple[Any, ...]] = []

    def around(original: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        seen.append(args)
        return original(*args, **kwargs)

    patch = watch(Model, "predict", around)
    assert patch is not None
    assert not hasattr(Model(False), "predict")
    assert Model(True).predict(1) == "there"
    assert len(seen) == 1
    patch.undo()
    assert isinstance(vars(Model)["predict"], Sometimes)


@pytest.mark.parametrize("name", ["missing", "abstract", "fixed", "made"])
def test_what_is_no_method_of_the_class_is_left_alone(name: str) -> None:
    class Model:
        fixed = 3
        made = classmethod(lambda cls: cls)

        @abstractmethod
        def abstract(self) -> None: ...

    assert watch(Model, name, lambda *_: None) is None


class Sharp(Autologger):
    """Uses what the toy's does not: observations, replacements, derived classes, names that cannot be kept."""

    library = "toylib"
    distribution = "pytest"
    versions = ("7", "99")
    seen: list[Any] = []  # noqa: RUF012 - cleared by the tests

    def install(self, patches: Patches, options: Any) -> None:
        import toylib

        patches.observes(toylib.Model, "score", lambda call, result: self.seen.append((call.name, call.args[1], result)))
        patches.replaces(toylib, "train", lambda original: lambda xs, rate=1.0: original(xs, rate * 10))
        patches.derives(toylib.Model, lambda kind: self.seen.append(kind.__name__))
        patches.when_imported("colorsys", lambda module: self.seen.append(module.__name__))
        patches.trains(toylib.Model, "fit", Awkward)


class Awkward(Training):
    def __init__(self, call: Any) -> None:
        self.model = call.target

    def begin(self, run: TrainingRun) -> None:
        class Mute:
            def __str__(self) -> str:
                raise RuntimeError

        run.log_params({"step!__a b": 1, "long": "x" * 7000, "mute": Mute(), "../x": 1})

    def finish(self, run: TrainingRun, result: Any) -> None:
        run.log_metrics({"fine": 1, "text": "no"})  # type: ignore[dict-item]
        with run.child({"which": "first"}) as child:
            child.log_params({"n": 1})
        run.attempt("something", lambda: 1 / 0)


@pytest.fixture
def sharp(library: str, use_plugin: Callable[[str, Any], Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    Sharp.seen.clear()
    use_plugin("sharp-plugin", front_door(Sharp))
    drupe.toy.autolog()
    return importlib.import_module("toylib")


def test_calls_are_observed_replaced_and_new_classes_seen(sharp: Any) -> None:
    import colorsys  # noqa: F401

    class Mine(sharp.Model): ...  # type: ignore[name-defined,misc]

    assert sharp.train([1], rate=2).sum_ == 20
    assert Mine().fit([3]).score([1]) == 2
    assert Sharp.seen == ["colorsys", "Mine", ("score", [1], 2.0)]
    drupe.toy.autolog(disable=True)

    class Later(sharp.Model): ...  # type: ignore[name-defined,misc]

    assert sharp.train([1], rate=2).sum_ == 2
    assert Later().fit([3]).score([1]) == 2
    assert len(Sharp.seen) == 3


def test_names_and_values_are_mended_and_faults_said_once(sharp: Any, runs: Runs, caplog: pytest.LogCaptureFixture) -> None:
    sharp.Model().fit([1])
    sharp.Model().fit([2])
    found = runs()
    assert len(found) == 4
    parent = next(run for run in found if "long" in run.data.params)
    assert parent.data.params == {"step___a b": "1", "long": "x" * 6000, "mute": "<Awkward.begin.<locals>.Mute>"}
    assert parent.data.metrics == {"fine": 1.0}
    child = next(run for run in found if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id)
    assert (child.data.params, child.data.tags["which"], child.info.status) == ({"n": "1"}, "first", RunStatus.FINISHED)
    assert sorted(record.getMessage() for record in caplog.records) == [
        "autologging of toy: '../x' can be no name of a param or metric and is left out (said once; the program goes on)",
        "autologging of toy: something failed: ZeroDivisionError: division by zero (said once; the program goes on)",
    ]


def test_strictness_raises_faults_and_leaves_no_run_open(sharp: Any, runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRUPE_STRICT_AUTOLOG", "1")
    with pytest.raises(PluginUnusable, match="autologging of toy: something failed: ZeroDivisionError"):
        sharp.Model().fit([1])
    assert {run.info.status for run in runs()} == {RunStatus.FAILED, RunStatus.FINISHED}
    assert drupe.active_run() is None


def test_a_function_of_a_module_is_watched_too(library: str) -> None:
    module: Any = ModuleType("somewhere")
    module.train = lambda x: x + 1
    patch = watch(module, "train", lambda original, args, kwargs: original(*args) * 10)
    assert patch is not None
    assert module.train(1) == 20
    patch.undo()
    assert module.train(1) == 2


class WithCallback(Training):
    """Trains with another list than the user's, a step of 5, and notes what was called."""

    called: ClassVar[list[str]] = []

    def begin(self, run: TrainingRun) -> None:
        self.run = run

    def arguments(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
        self.called.append("arguments")
        self.run.log_metrics({"seen": 1.0}, step=5)
        return (args[0], [*args[1], 10]), kwargs

    def finish(self, run: TrainingRun, result: Any) -> None:
        self.called.append("finish")

    def close(self) -> None:
        self.called.append("close")


class BrokenCallback(WithCallback):
    def arguments(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        raise RuntimeError("no callback today")


class WatchingWithCallback(Autologger):
    library = "toylib"
    distribution = "pytest"
    versions = ("7", "99")
    training: ClassVar[type[Training]] = WithCallback

    def install(self, patches: Patches, options: Any) -> None:
        patches.trains(importlib.import_module("toylib").Model, "fit", lambda call: self.training())


class WatchingWithBrokenCallback(WatchingWithCallback):
    training = BrokenCallback


def test_a_training_may_be_given_a_callback_and_tidies_up_after_it(library: str, use_plugin: Any, runs: Runs) -> None:
    use_plugin("toy-plugin", front_door(WatchingWithCallback))
    WithCallback.called.clear()
    drupe.toy.autolog()
    model = importlib.import_module("toylib").Model()
    assert model.fit([1, 2]).sum_ == 13
    assert WithCallback.called == ["arguments", "finish", "close"]
    (run,) = runs()
    assert [(point.step, point.value) for point in drupe.MlflowClient().get_metric_history(run.info.run_id, "seen")] == [(5, 1.0)]
    with pytest.raises(TypeError, match="unsupported operand"):
        model.fit(["a"])
    assert WithCallback.called[3:] == ["arguments", "close"]
    assert {run.info.status for run in runs()} == {RunStatus.FINISHED, RunStatus.FAILED}


def test_a_callback_that_cannot_be_added_leaves_the_call_as_it_was(
    library: str, use_plugin: Any, runs: Runs, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DRUPE_STRICT_AUTOLOG", raising=False)
    use_plugin("toy-plugin", front_door(WatchingWithBrokenCallback))
    drupe.toy.autolog()
    assert importlib.import_module("toylib").Model().fit([1, 2]).sum_ == 3
    assert "adding a callback to fit failed: RuntimeError: no callback today" in caplog.text
    assert [run.info.status for run in runs()] == [RunStatus.FINISHED]

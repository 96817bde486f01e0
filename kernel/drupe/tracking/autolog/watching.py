"""What happens around a call of a watched function. The implementation of `drupe.extend.Patches`.

Whatever an autologger does, the library's function is called once, with the user's arguments, and its result or exception is what the user
gets. Where the call has side effects on autologging (a run, a param) is for the autologger and `runs`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from types import ModuleType
from typing import Any, TypeVar

from drupe.extend.autologger import AutologOptions, Call, Training, TrainingRun
from drupe.tracking import active
from drupe.tracking.autolog import guard, on_import
from drupe.tracking.autolog.deriving import on_derived
from drupe.tracking.autolog.guard import Faults
from drupe.tracking.autolog.patches import Patch, watch
from drupe.tracking.autolog.runs import Run

__all__ = ["Watching"]

T = TypeVar("T")
Original = Callable[..., Any]
_Begun = tuple[Training, Run, tuple[Any, ...], Mapping[str, Any]]
"""A training, its run, and what the library's function will be called with."""


class Watching:
    """All patches of one library, from `install` to `undo`."""

    def __init__(self, library: str, options: AutologOptions, others: frozenset[str] = frozenset()) -> None:
        self.library, self.options, self.others = library, options, others
        self.faults = Faults(library, is_silent=options.silent)
        self._patches: list[Patch] = []
        self._ends: list[Callable[[], None]] = []
        self._waits: list[tuple[str, Callable[[ModuleType], None]]] = []

    def undo(self) -> None:
        """Take everything back, in reverse order."""
        for name, then in self._waits:
            on_import.cancel(name, then)
        for end in reversed(self._ends):
            end()
        for patch in reversed(self._patches):
            patch.undo()
        self._waits, self._ends, self._patches = [], [], []

    # --- what an autologger may do; described in the contract

    def trains(self, owner: Any, name: str, make: Callable[[Call], Training | None]) -> None:
        """Log each call of this function to a run."""

        def around(original: Original, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            if guard.is_inside():
                return original(*args, **kwargs)
            call = _call(owner, name, original, args, kwargs)
            begun = self.faults.attempt(f"starting to log {name}", lambda: self._begin(make, call))
            if begun is None:
                with guard.inside():
                    return original(*args, **kwargs)
            return self._trained(begun, original, call)

        self._keep(watch(owner, name, around))

    def observes(self, owner: Any, name: str, note: Callable[[Call, Any], None]) -> None:
        """Tell `note` of each call and its result."""

        def around(original: Original, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            if guard.is_inside():
                return original(*args, **kwargs)
            call = _call(owner, name, original, args, kwargs)
            with guard.inside():
                result = original(*args, **kwargs)
                self.faults.attempt(f"taking note of {name}", lambda: note(call, result))
            return result

        self._keep(watch(owner, name, around))

    def replaces(self, owner: Any, name: str, make: Callable[[Original], Original]) -> None:
        """Put `make(original)` in the function's place."""
        made: list[Original] = []

        def around(original: Original, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            return made[0](*args, **kwargs)

        patch = watch(owner, name, around)
        if patch is not None:
            made.append(make(patch.original))
            self._keep(patch)

    def derives(self, owner: type, then: Callable[[type], None]) -> None:
        """Call `then` with each class that is derived from `owner` from now on."""

        def derived(kind: type) -> None:
            self.faults.attempt(f"watching {kind.__qualname__}", lambda: then(kind))

        self._ends.append(on_derived(owner, derived))

    def when_imported(self, module: str, then: Callable[[ModuleType], None]) -> None:
        """Call `then` with this module, now or as soon as it is imported."""

        def imported(found: ModuleType) -> None:
            self.faults.attempt(f"watching {module}", lambda: then(found))

        self._waits.append((module, imported))
        on_import.when_imported(module, imported)

    def inside(self) -> AbstractContextManager[None]:
        """A block whose calls count as made inside a watched call."""
        return guard.inside()

    def is_inside(self) -> bool:
        """True inside a watched call of this thread or task."""
        return guard.is_inside()

    def attempt(self, what: str, do: Callable[[], T]) -> T | None:
        """Do something that may fail; a fault becomes one warning."""
        return self.faults.attempt(what, do)

    def reopen(self, run_id: str) -> TrainingRun:
        """A run of an earlier training, to add to."""
        return Run(run_id, self.faults)

    # --- around a call that trains

    def _begin(self, make: Callable[[Call], Training | None], call: Call) -> _Begun | None:
        if self.options.exclusive and active.top() is not None:
            return None
        training = make(call)
        if training is None:
            return None
        run = Run.take(self.library, self.faults, self.options.extra_tags)
        given: tuple[tuple[Any, ...], Mapping[str, Any]] = (call.args, call.kwargs)
        try:
            with guard.inside():
                run.attempt(f"logging what {call.name} is given", lambda: training.begin(run))
                passed = run.attempt(f"adding a callback to {call.name}", lambda: training.arguments(*given))
        except BaseException as fault:  # Ctrl-C, or strictness: the run must not stay open
            run.end(fault)
            training.close()
            raise
        return training, run, *(passed or given)

    def _trained(self, begun: _Begun, original: Original, call: Call) -> Any:
        training, run, args, kwargs = begun
        try:
            return self._logged(training, run, call.name, lambda: original(*args, **kwargs))
        finally:
            self.faults.attempt(f"tidying up after {call.name}", training.close)

    def _logged(self, training: Training, run: Run, name: str, train: Callable[[], Any]) -> Any:
        try:
            with guard.inside():
                result = train()
        except BaseException as raised:
            fault = raised
            self.faults.attempt("ending the run of a training that failed", lambda: run.end(fault))
            raise
        try:
            with guard.inside():
                run.attempt(f"logging what came of {name}", lambda: training.finish(run, result))
        except BaseException as raised:  # Ctrl-C while we log, or strictness
            fault = raised
            self.faults.attempt("ending the run of a training", lambda: run.end(fault))
            raise
        self.faults.attempt("ending the run of a training", run.end)
        return result

    def _keep(self, patch: Patch | None) -> None:
        if patch is not None:
            self._patches.append(patch)


def _call(owner: Any, name: str, original: Original, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
    # 0 is this function, 1 the `around` that asked, 2 the patched function, 3 whoever called it
    caller = sys._getframe(3)
    return Call(name, None if isinstance(owner, ModuleType) else args[0], args, kwargs, original, caller)

"""The contract of an autologger: it watches the training functions of one library and logs what they were given and what came out.

An autologger says *where* to look (which functions train, which results are worth noting) and *what* to log. How functions are replaced and
put back, which run is used, that nothing is logged twice, and that no fault of an autologger reaches the user's code is the work of
`drupe.tracking.autolog`. The conformance kit is `drupe.testing.autologger`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from types import FrameType, ModuleType
from typing import Any, ClassVar, Protocol, TypeVar

from attrs import frozen

__all__ = ["AutologOptions", "Autologger", "Call", "Patches", "Training", "TrainingRun"]

T = TypeVar("T")


@frozen(kw_only=True)
class AutologOptions:
    """What can be asked of every autologger, in MLflow's order and under its names. A library's own class extends it.

    `exclusive` leaves runs alone that the user has started, `silent` says nothing about faults and unknown versions, `disable` puts the
    library back as it was, `extra_tags` are set on the runs that autologging starts.
    """

    log_input_examples: bool = False
    log_model_signatures: bool = True
    log_models: bool = True
    log_datasets: bool = True
    disable: bool = False
    exclusive: bool = False
    disable_for_unsupported_versions: bool = False
    silent: bool = False
    registered_model_name: str | None = None
    extra_tags: Mapping[str, str] | None = None


@frozen(eq=False)
class Call:
    """One call of a watched function: its `name`, the instance it was called on (None for a function of a module), and what it was given.

    `function` is the library's own, unbound, for a look at its signature; `caller` is the frame of the code that called it.
    """

    name: str
    target: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    function: Callable[..., Any]
    caller: FrameType | None = None


class TrainingRun(Protocol):
    """The run that a training is logged to, as an autologger sees it.

    `is_ours` is True when autologging started it. `last_steps` is the last step of each metric that was logged through it: what `log_model`
    takes as `metric_steps`, so that the trained model has the values of the end of its training. Names that a run cannot have are mended, values that are too long are cut, and params that
    the run has with another value are left as they are, with one warning.
    """

    run_id: str
    is_ours: bool
    last_steps: Mapping[str, int]

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Log params; what cannot be written as text is replaced by its type."""

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None, *, model_id: str | None = None) -> None:
        """Log one value each, at this step, and as measured on a logged model where one is named; what is no number is left out."""

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Set tags."""

    def log_input(self, dataset: Any, context: str) -> None:
        """Say which data set was used, and what for (`train`, `eval`)."""

    def log_files(self, files: Mapping[str, bytes]) -> None:
        """Keep these files, by name, among the run's artifacts."""

    def child(self, tags: Mapping[str, str]) -> AbstractContextManager[TrainingRun]:
        """A run nested in this one, which ends with the block."""

    def attempt(self, what: str, do: Callable[[], T]) -> T | None:
        """Do one part of the logging. A fault in it becomes one warning that names `what`; the other parts go on."""

    def warn(self, text: str) -> None:
        """Say something once per process, unless the user asked for silence."""


class Training(ABC):
    """What is logged about one call that trains. Made for that call, used once, in the thread of the call.

    No method can change what the user's code gets: the library's function is called once, and its result or exception passes through. After
    an exception `finish` is not called, and a run that was started for the training ends as FAILED.
    """

    @abstractmethod
    def begin(self, run: TrainingRun) -> None:
        """Log what is known before the training: params, tags. Data may still change; keep a copy of what you need unchanged."""

    def arguments(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
        """What the library's function is called with: as given, or with a callback beside the user's; asked for after `begin`.

        Give a new list in place of one of the user's rather than adding to theirs, and let a callback wrap what it does into `run.attempt`:
        it runs in the middle of their training. After a fault here the call is made as it was given.
        """
        return args, kwargs

    @abstractmethod
    def finish(self, run: TrainingRun, result: Any) -> None:
        """Log what came out. Wrap parts that can fail by themselves into `run.attempt`. `result` is what the user's code will get: leave it as it is."""

    def close(self) -> None:  # noqa: B027  (most trainings put nothing in place)
        """Take back what was put in place for the length of the call. Called last of all, after an exception too."""


class Patches(Protocol):
    """How an autologger gets between the user's code and the library. All of it is taken back when autologging is disabled.

    `owner` is a class or a module. A function that `owner` does not define itself, that is abstract, or that is watched already is left as
    it is. `others` are the libraries, as top-level modules, that have an autologger of their own.
    """

    others: frozenset[str]

    def trains(self, owner: Any, name: str, make: Callable[[Call], Training | None]) -> None:
        """Log each call of this function to a run, unless it is made inside another watched call (a pipeline's steps, the fits of a search).

        `make` looks at the call and returns what logs it, or None when this one is not to be logged.
        """

    def observes(self, owner: Any, name: str, note: Callable[[Call, Any], None]) -> None:
        """Tell `note` of each call with its result, after it, unless it is made inside another watched call."""

    def replaces(self, owner: Any, name: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
        """Put `make(original)` in the function's place. The sharp tool: nothing protects the user's code from faults of what is made."""

    def derives(self, owner: type, then: Callable[[type], None]) -> None:
        """Call `then` with each class that is derived from `owner` from now on, directly or not, after it was made."""

    def when_imported(self, module: str, then: Callable[[ModuleType], None]) -> None:
        """Call `then` with this module, now or as soon as somebody imports it. Nothing is imported for it."""

    def inside(self) -> AbstractContextManager[None]:
        """A block whose calls count as made inside a watched call; for worker threads of the library."""

    def is_inside(self) -> bool:
        """True inside a watched call of this thread or task."""

    def attempt(self, what: str, do: Callable[[], T]) -> T | None:
        """Do something that may fail; a fault becomes one warning that names `what`."""

    def reopen(self, run_id: str) -> TrainingRun:
        """A run of an earlier training, ended or not, to add to; every write is a call to its store."""


class Autologger(ABC):
    """Watches one library. Made anew, without arguments, whenever autologging is switched on or gets other options."""

    library: ClassVar[str]
    """The top-level module, e.g. `sklearn`; equal to a key of the offer."""

    distribution: ClassVar[str]
    """What is installed to get it, e.g. `scikit-learn`."""

    versions: ClassVar[tuple[str, str]]
    """The oldest and the newest release it was tested with, e.g. `("1.4", "1.9")`; the newest includes its bug-fix releases."""

    @abstractmethod
    def install(self, patches: Patches, options: Any) -> None:
        """Watch what is to be watched. `options` is an instance of the offer's settings class, or of AutologOptions.

        Called after the library's top-level module was imported; import no more of it than is imported already, and use
        `patches.when_imported` for the rest. What it raises takes back everything it did, with one warning.
        """

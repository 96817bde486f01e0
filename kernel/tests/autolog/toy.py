"""A small library with models that contain models, and an autologger for it that keeps to the contract."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from drupe.extend import Autologger, AutologOptions, Call, Offer, Patches, Training, TrainingRun, hookimpl

__all__ = ["LIBRARY", "ToyAutologger", "ToyOptions", "front_door"]

LIBRARY = '''
"""Sums."""
__version__ = "1.2.3"

class Model:
    def __init__(self, rate=1.0):
        self.rate = rate

    def fit(self, xs):
        """Add up."""
        if not xs:
            raise ValueError("no data")
        self.sum_ = sum(xs) * self.rate
        return self

    def score(self, xs):
        return self.sum_ - sum(xs)

class Twice:
    rate = 2.0

    def fit(self, xs):
        self.sum_ = Model().fit(xs).sum_ + Model().fit(xs).sum_
        return self

def train(xs, rate=1.0):
    return Model(rate).fit(xs)
'''


@frozen(kw_only=True)
class ToyOptions(AutologOptions):
    """`depth` is an option of its own."""

    depth: int = 1


class _Sum(Training):
    def __init__(self, call: Call) -> None:
        self.model = call.target

    def begin(self, run: TrainingRun) -> None:
        run.log_params({"rate": self.model.rate})

    def finish(self, run: TrainingRun, result: Any) -> None:
        run.attempt("the sum", lambda: run.log_metrics({"sum": self.model.sum_}))
        run.attempt("the file", lambda: run.log_files({"sum.txt": str(self.model.sum_).encode()}))


class ToyAutologger(Autologger):
    """Watches `fit` of both classes."""

    library = "toylib"
    distribution = "pytest"  # one that is certainly installed
    versions = ("7", "99")

    def install(self, patches: Patches, options: Any) -> None:
        import toylib  # type: ignore[import-not-found]

        patches.trains(toylib.Model, "fit", _Sum)
        patches.trains(toylib.Twice, "fit", _Sum)


def front_door(autologger: type[Autologger], *, keys: tuple[str, ...] = ("toylib",), options: str | None = None) -> Any:
    """A front door that offers it as `toy`."""

    class Front:
        DRUPE_API = "1.0"

        @hookimpl
        def drupe_autologgers(self) -> list[Offer]:
            settings = f"{__name__}:ToyOptions" if options is None else options or None
            load = f"{autologger.__module__}:{autologger.__qualname__}"
            return [Offer("toy", load=load, help="sums", keys=keys, settings=settings)]

    return Front()

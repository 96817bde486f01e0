"""Metrics of each iteration of a training, logged while it runs, and what they were at the best one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from drupe.extend import TrainingRun

__all__ = ["Iterations", "metric_key"]


def metric_key(data: str, metric: str) -> str:
    """MLflow's name of a metric of one data set, such as `train-ndcg_at_3`: no metric has an `@` in its name."""
    return f"{data}-{metric.replace('@', '_at_')}"


class Iterations:
    """The values of each iteration, by the name of the metric. `note` is called from the library's callback, in the middle of the training."""

    def __init__(self, run: TrainingRun) -> None:
        self.run = run
        self.seen: list[dict[str, float]] = []

    def note(self, iteration: int, values: Iterable[tuple[str, str, float]]) -> None:
        """Log the (data set, metric, value) of one iteration at its step; a fault is a warning and the training goes on."""
        self.run.attempt("the metrics of an iteration", lambda: self._note(iteration, values))

    def _note(self, iteration: int, values: Iterable[tuple[str, str, float]]) -> None:
        metrics = {metric_key(data, metric): float(value) for data, metric, value in values}
        self.seen.append(metrics)
        if metrics:
            self.run.log_metrics(metrics, step=iteration)

    def log_best(self, best: int, stopped: int, values: Mapping[str, float]) -> None:
        """Log where the training stopped and which iteration was the best, and the metrics of that one once more, as the last step."""
        self.run.log_metrics({"stopped_iteration": stopped, "best_iteration": best})
        if values:
            self.run.log_metrics(values, step=len(self.seen))

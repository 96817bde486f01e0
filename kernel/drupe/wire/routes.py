"""The table of routes: what is asked where, and what is answered.

Every route lies below `/api` and, for browsers, below `/ajax-api`. A part in braces is a field of the request that stands in the path.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from drupe.entities import Access
from drupe.wire import artifacts, logged_models, own, registry, run_columns, tracking, webhooks
from drupe.wire.series import PackedSeries
from drupe.wire.tracking import Nothing

__all__ = ["NOT_YET", "PREFIXES", "RESERVED", "ROUTES", "Route", "named"]

PREFIXES = ("/api", "/ajax-api")


@frozen
class Route:
    """One request. `name` is stable and tells it in logs and metrics; `path` begins with the protocol's version, as in `2.0/mlflow/runs/get`.

    `since` is the first release of MLflow's clients that uses it. `is_hot` marks what training sends in a loop.
    """

    name: str
    method: str
    path: str
    request: type
    reply: type
    access: Access
    group: str
    summary: str
    since: str = "2.0"
    is_hot: bool = False

    @property
    def paths(self) -> tuple[str, ...]:
        """All full paths."""
        return tuple(f"{prefix}/{self.path}" for prefix in PREFIXES)

    @property
    def has_body(self) -> bool:
        """True when fields come as JSON rather than as query parameters."""
        return self.method != "GET"


def _get(path: str, request: type, reply: type, summary: str, *, since: str = "2.0") -> Route:
    return _route("GET", path, request, reply, summary, Access.READ, since=since)


def _route(
    method: str, path: str, request: type, reply: type, summary: str, access: Access, *, since: str = "2.0", is_hot: bool = False
) -> Route:
    group = path.partition("/")[0]
    return Route(f"{method} {path}", method, f"2.0/mlflow/{path}", request, reply, access, group, summary, since, is_hot)


def _post(path: str, request: type, reply: type, summary: str, *, since: str = "2.0", is_hot: bool = False) -> Route:
    return _route("POST", path, request, reply, summary, Access.WRITE, since=since, is_hot=is_hot)


def _find(path: str, request: type, reply: type, summary: str, *, since: str = "2.0") -> Route:
    """A search that is asked with POST, since filters are long."""
    return _route("POST", path, request, reply, summary, Access.READ, since=since)


def _patch(path: str, request: type, reply: type, summary: str, *, since: str = "2.0") -> Route:
    return _route("PATCH", path, request, reply, summary, Access.WRITE, since=since)


def _delete(path: str, request: type, reply: type, summary: str, *, since: str = "2.0") -> Route:
    return _route("DELETE", path, request, reply, summary, Access.DELETE, since=since)


def _remove(path: str, request: type, reply: type, summary: str, *, since: str = "2.0") -> Route:
    """A deletion that is asked with POST."""
    return _route("POST", path, request, reply, summary, Access.DELETE, since=since)


_EXPERIMENTS = (
    _post("experiments/create", tracking.CreateExperiment, tracking.ExperimentCreated, "Create an experiment"),
    _get("experiments/get", tracking.OneExperiment, tracking.ExperimentFound, "Read an experiment"),
    _get("experiments/get-by-name", tracking.GetExperimentByName, tracking.ExperimentFound, "Read an experiment by its name"),
    _find("experiments/search", tracking.SearchExperiments, tracking.ExperimentsFound, "Search experiments"),
    _get("experiments/search", tracking.SearchExperiments, tracking.ExperimentsFound, "Search experiments"),
    _post("experiments/update", tracking.UpdateExperiment, Nothing, "Rename an experiment"),
    _remove("experiments/delete", tracking.OneExperiment, Nothing, "Move an experiment and its runs to the trash"),
    _post("experiments/restore", tracking.OneExperiment, Nothing, "Take an experiment and its runs out of the trash"),
    _post("experiments/set-experiment-tag", tracking.SetExperimentTag, Nothing, "Set a tag of an experiment"),
    _remove("experiments/delete-experiment-tag", tracking.DeleteExperimentTag, Nothing, "Remove a tag of an experiment", since="3.0"),
    _find("experiments/search-datasets", tracking.SearchDatasets, tracking.DatasetSummaries, "The datasets that runs use"),
)
_RUNS = (
    _post("runs/create", tracking.CreateRun, tracking.RunFound, "Create a run"),
    _get("runs/get", tracking.GetRun, tracking.RunFound, "Read a run"),
    _find("runs/search", tracking.SearchRuns, tracking.RunsFound, "Search runs"),
    _post("runs/update", tracking.UpdateRun, tracking.RunUpdated, "Change a run's name, status or end"),
    _remove("runs/delete", tracking.OneRun, Nothing, "Move a run to the trash"),
    _post("runs/restore", tracking.OneRun, Nothing, "Take a run out of the trash"),
    _post("runs/log-metric", tracking.LogMetric, Nothing, "Log one point of a metric", is_hot=True),
    _post("runs/log-parameter", tracking.LogParam, Nothing, "Log a param", is_hot=True),
    _post("runs/set-tag", tracking.SetTag, Nothing, "Set a tag of a run", is_hot=True),
    _remove("runs/delete-tag", tracking.DeleteTag, Nothing, "Remove a tag of a run"),
    _post("runs/log-batch", tracking.LogBatch, Nothing, "Log metrics, params and tags together", is_hot=True),
    _post("runs/log-inputs", tracking.LogInputs, Nothing, "Tie datasets and models to a run that uses them"),
    _post("runs/outputs", tracking.LogOutputs, Nothing, "Tie logged models to a run that has made them", since="3.0"),
    _post("runs/log-model", tracking.LogModel, Nothing, "Note a model among a run's artifacts"),
)
_METRICS = (
    _get("metrics/get-history", tracking.GetHistory, tracking.HistoryFound, "The points of a metric"),
    _get("metrics/get-history-bulk", tracking.GetHistoryBulk, tracking.HistoryFound, "The points of a metric of many runs"),
    _get(
        "metrics/get-history-bulk-interval",
        tracking.GetHistoryInterval,
        tracking.HistoryFound,
        "The points of a metric of many runs, thinned for a chart",
    ),
)
_ARTIFACTS = (_get("artifacts/list", artifacts.ListArtifacts, artifacts.RunFilesFound, "List files of a run"),)
_ONE_MODEL = "logged-models/{model_id}"
_LOGGED_MODELS = (
    _post("logged-models", logged_models.CreateLoggedModel, logged_models.LoggedModelFound, "Create a logged model", since="3.0"),
    _find("logged-models/search", logged_models.SearchLoggedModels, logged_models.LoggedModelsFound, "Search logged models", since="3.0"),
    _get(_ONE_MODEL, logged_models.GetLoggedModel, logged_models.LoggedModelFound, "Read a logged model", since="3.0"),
    _patch(
        _ONE_MODEL,
        logged_models.FinalizeLoggedModel,
        logged_models.LoggedModelFound,
        "Say whether a logged model's files are in place",
        since="3.0",
    ),
    _delete(_ONE_MODEL, logged_models.OneLoggedModel, Nothing, "Delete a logged model", since="3.0"),
    _patch(
        f"{_ONE_MODEL}/tags",
        logged_models.SetLoggedModelTags,
        logged_models.LoggedModelFound,
        "Set tags of a logged model",
        since="3.0",
    ),
    _delete(f"{_ONE_MODEL}/tags/{{tag_key}}", logged_models.DeleteLoggedModelTag, Nothing, "Remove a tag of a logged model", since="3.0"),
    _post(f"{_ONE_MODEL}/params", logged_models.LogLoggedModelParams, Nothing, "Add params to a logged model", since="3.0"),
    _get(
        f"{_ONE_MODEL}/artifacts/directories",
        logged_models.ListLoggedModelFiles,
        logged_models.LoggedModelFilesFound,
        "List files of a logged model",
        since="3.0",
    ),
)
_REGISTRY = (
    _post("registered-models/create", registry.CreateModel, registry.ModelFound, "Register a name for versions of a model"),
    _get("registered-models/get", registry.OneModel, registry.ModelFound, "Read a registered model"),
    _get("registered-models/search", registry.SearchModels, registry.ModelsFound, "Search registered models"),
    _patch("registered-models/update", registry.UpdateModel, registry.ModelFound, "Change a model's description"),
    _post("registered-models/rename", registry.RenameModel, registry.ModelFound, "Rename a registered model"),
    _delete("registered-models/delete", registry.OneModel, Nothing, "Delete a registered model with all that it has"),
    _post("registered-models/set-tag", registry.SetModelTag, Nothing, "Set a tag of a registered model"),
    _delete("registered-models/delete-tag", registry.DeleteModelTag, Nothing, "Remove a tag of a registered model"),
    _get("registered-models/get-latest-versions", registry.GetLatestVersions, registry.VersionsFound, "The newest version of each stage"),
    _find("registered-models/get-latest-versions", registry.GetLatestVersions, registry.VersionsFound, "The newest version of each stage"),
    _get("registered-models/alias", registry.OneAlias, registry.VersionFound, "The version that an alias points to"),
    _post("registered-models/alias", registry.SetAlias, Nothing, "Point an alias to a version"),
    _delete("registered-models/alias", registry.OneAlias, Nothing, "Delete an alias"),
    _post("model-versions/create", registry.CreateVersion, registry.VersionFound, "Add a version"),
    _get("model-versions/get", registry.OneVersion, registry.VersionFound, "Read a version"),
    _get("model-versions/search", registry.SearchVersions, registry.VersionsFound, "Search versions"),
    _get("model-versions/get-download-uri", registry.OneVersion, registry.DownloadUri, "Where a version's files are"),
    _patch("model-versions/update", registry.UpdateVersion, registry.VersionFound, "Change a version's description"),
    _post("model-versions/transition-stage", registry.TransitionStage, registry.VersionFound, "Move a version to a stage"),
    _delete("model-versions/delete", registry.OneVersion, Nothing, "Delete a version"),
    _post("model-versions/set-tag", registry.SetVersionTag, Nothing, "Set a tag of a version"),
    _delete("model-versions/delete-tag", registry.DeleteVersionTag, Nothing, "Remove a tag of a version"),
)


def _ours(path: str, request: type, reply: type, access: Access, summary: str, *, is_hot: bool = False) -> Route:
    """What MLflow has no words for, see `own`."""
    return Route(f"POST drupe/{path}", "POST", f"2.0/drupe/{path}", request, reply, access, "drupe", summary, is_hot=is_hot)


_OWN = (
    _ours("ship", own.Ship, own.Shipped, Access.WRITE, "Take a parcel of a journal, exactly once", is_hot=True),
    _ours("shipped-to", own.Writer, own.Position, Access.READ, "Up to where a writer's journal is here"),
    _ours("beat", own.Beats, Nothing, Access.WRITE, "Give signs of life of running runs"),
    _ours("heartbeats", own.AskBeats, own.Beats, Access.READ, "The latest signs of life"),
    _ours("log-columns", own.LogColumns, Nothing, Access.WRITE, "Log metrics in columns, params and tags together", is_hot=True),
    _ours("get-run", own.ReadRun, own.FullRun, Access.READ, "Read a run with the summaries of its metrics"),
    _ours("search-runs", own.FindRuns, own.FullRuns, Access.READ, "Search runs with the summaries of their metrics"),
    _ours("run-columns", run_columns.AskColumns, run_columns.ColumnsFound, Access.READ, "A few fields of many runs, in columns"),
    _ours("run-keys", run_columns.AskKeys, run_columns.KeysFound, Access.READ, "Which metrics, params and tags runs have"),
    _ours("search-logged-models", own.FindLoggedModels, logged_models.LoggedModelsFound, Access.READ, "Search logged models everywhere"),
    _ours("series", own.AskSeries, PackedSeries, Access.READ, "Metrics of many runs, thinned for charts, in columns"),
    _ours("move-runs", own.MoveRuns, Nothing, Access.WRITE, "Move runs to another experiment, with all that belongs to them"),
    _ours("set-experiment-tags", own.SetExperimentTags, Nothing, Access.WRITE, "Set several tags of an experiment"),
)

ROUTES: tuple[Route, ...] = (*_EXPERIMENTS, *_RUNS, *_METRICS, *_LOGGED_MODELS, *_ARTIFACTS, *_REGISTRY, *_OWN)
_BY_NAME: Mapping[str, Route] = {route.name: route for route in ROUTES}


def named(name: str) -> Route:
    """The route of that name, such as `POST runs/create`."""
    return _BY_NAME[name]


RESERVED: tuple[Route, ...] = (
    _post("webhooks", webhooks.CreateWebhook, webhooks.WebhookFound, "Have events sent somewhere", since="3.3"),
    _get("webhooks", webhooks.ListWebhooks, webhooks.WebhooksFound, "List webhooks", since="3.3"),
    _get("webhooks/{webhook_id}", webhooks.OneWebhook, webhooks.WebhookFound, "Read a webhook", since="3.3"),
    _patch("webhooks/{webhook_id}", webhooks.UpdateWebhook, webhooks.WebhookFound, "Change a webhook", since="3.3"),
    _delete("webhooks/{webhook_id}", webhooks.OneWebhook, Nothing, "Remove a webhook", since="3.3"),
    _post("webhooks/{webhook_id}/test", webhooks.TestWebhook, webhooks.WebhookTested, "Send an event now", since="3.3"),
)
"""Routes whose shapes are settled and that nobody answers yet; like those of `NOT_YET`."""

NOT_YET = (
    "2.0/mlflow/traces",
    "3.0/mlflow/traces",
    "3.0/mlflow/assessments",
    "3.0/mlflow/datasets",
    "3.0/mlflow/scorers",
    "2.0/mlflow/webhooks",
    "2.0/mlflow/prompts",
    "2.0/mlflow/promptlab",
    "3.0/mlflow/gateway",
    "2.0/mlflow/gateway-proxy",
    "2.0/mlflow/get-online-trace-details",
    "2.0/mlflow/unified-traces",
    "3.0/mlflow/issues",
    "3.0/mlflow/label-schemas",
    "3.0/mlflow/prompt-optimization",
    "3.0/mlflow/review-queues",
    "3.0/mlflow/workspaces",
)
"""Where paths begin that MLflow has and that are answered with NOT_IMPLEMENTED so far."""

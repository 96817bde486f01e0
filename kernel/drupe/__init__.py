"""The porch of drupe: every public name, and the room that it lives in. Importing it imports nothing else.

`drupe.sklearn`, `drupe.pyfunc` and the like are the model flavors that plugins offer.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # as typing has it; importing typing would cost ten times what the rest of this file does
if TYPE_CHECKING:
    from typing import Any

__version__ = "0.1.0"

_ROOMS = {
    "ActiveRun": "drupe.tracking.active",
    "Client": "drupe.client",
    "DrupeError": "drupe.errors",
    "MetricThreshold": "drupe.evaluation",
    "MlflowClient": "drupe.client",
    "RunStatus": "drupe.entities",
    "ViewType": "drupe.entities",
    "active_run": "drupe.tracking.fluent",
    "autolog": "drupe.tracking.autolog",
    "clear_active_model": "drupe.tracking.active_model",
    "create_experiment": "drupe.tracking.experiments",
    "create_external_model": "drupe.models",
    "delete_experiment": "drupe.tracking.experiments",
    "delete_experiment_tag": "drupe.tracking.experiments",
    "delete_logged_model_tag": "drupe.models",
    "delete_run": "drupe.tracking.fluent",
    "delete_tag": "drupe.tracking.fluent_logging",
    "disable_system_metrics_logging": "drupe.tracking.system_metrics",
    "download_artifacts": "drupe.artifacts.download",
    "enable_system_metrics_logging": "drupe.tracking.system_metrics",
    "end_run": "drupe.tracking.fluent",
    "evaluate": "drupe.evaluation",
    "finalize_logged_model": "drupe.models",
    "flush": "drupe.tracking.fluent_logging",
    "flush_async_logging": "drupe.tracking.fluent_logging",
    "get_active_model_id": "drupe.tracking.active_model",
    "get_artifact_uri": "drupe.tracking.fluent",
    "get_experiment": "drupe.tracking.experiments",
    "get_experiment_by_name": "drupe.tracking.experiments",
    "get_logged_model": "drupe.models",
    "get_metric_history": "drupe.tracking.fluent",
    "get_metric_series": "drupe.tracking.fluent",
    "get_parent_run": "drupe.tracking.fluent",
    "get_registry_uri": "drupe.tracking.address",
    "get_run": "drupe.tracking.fluent",
    "get_tracking_uri": "drupe.tracking.address",
    "infer_signature": "drupe.models",
    "initialize_logged_model": "drupe.models",
    "is_tracking_uri_set": "drupe.tracking.address",
    "last_active_run": "drupe.tracking.fluent",
    "last_logged_model": "drupe.models",
    "list_artifacts": "drupe.tracking.fluent",
    "load_model": "drupe.models",
    "load_table": "drupe.tracking.fluent",
    "log_artifact": "drupe.tracking.fluent_logging",
    "log_artifacts": "drupe.tracking.fluent_logging",
    "log_dict": "drupe.tracking.fluent_logging",
    "log_figure": "drupe.tracking.fluent_logging",
    "log_image": "drupe.tracking.fluent_logging",
    "log_input": "drupe.tracking.fluent_logging",
    "log_inputs": "drupe.tracking.fluent_logging",
    "log_metric": "drupe.tracking.fluent_logging",
    "log_metrics": "drupe.tracking.fluent_logging",
    "log_model": "drupe.models",
    "log_model_params": "drupe.models",
    "log_outputs": "drupe.models",
    "log_param": "drupe.tracking.fluent_logging",
    "log_params": "drupe.tracking.fluent_logging",
    "log_series": "drupe.tracking.fluent_logging",
    "log_table": "drupe.tracking.fluent_logging",
    "log_text": "drupe.tracking.fluent_logging",
    "make_metric": "drupe.evaluation",
    "move_runs": "drupe.tracking.fluent",
    "register_model": "drupe.registry.fluent",
    "rename_experiment": "drupe.tracking.experiments",
    "restore_experiment": "drupe.tracking.experiments",
    "restore_run": "drupe.tracking.fluent",
    "save_model": "drupe.models",
    "search_experiments": "drupe.tracking.experiments",
    "search_logged_models": "drupe.models",
    "search_model_versions": "drupe.registry.fluent",
    "search_registered_models": "drupe.registry.fluent",
    "search_runs": "drupe.tracking.fluent",
    "set_active_model": "drupe.models",
    "set_experiment": "drupe.tracking.experiments",
    "set_experiment_tag": "drupe.tracking.experiments",
    "set_experiment_tags": "drupe.tracking.experiments",
    "set_logged_model_tags": "drupe.models",
    "set_registry_uri": "drupe.tracking.address",
    "set_system_metrics_node_id": "drupe.tracking.system_metrics",
    "set_system_metrics_samples_before_logging": "drupe.tracking.system_metrics",
    "set_system_metrics_sampling_interval": "drupe.tracking.system_metrics",
    "set_tag": "drupe.tracking.fluent_logging",
    "set_tags": "drupe.tracking.fluent_logging",
    "set_tracking_uri": "drupe.tracking.address",
    "start_run": "drupe.tracking.fluent",
    "validate_evaluation_results": "drupe.evaluation",
}
_MODULES = (
    "artifacts",
    "cli",
    "client",
    "data",
    "entities",
    "errors",
    "evaluation",
    "extend",
    "lazy",
    "loading",
    "models",
    "registry",
    "search",
    "settings",
    "testing",
    "tracking",
    "uris",
)

__all__ = ["__version__", *_ROOMS]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        found = getattr(import_module(_ROOMS[name]), name)
    elif name in _MODULES:
        return import_module(f"drupe.{name}")  # the import itself sets the attribute
    elif name.startswith("_"):
        raise AttributeError(f"module 'drupe' has no attribute {name!r}")
    else:
        found = import_module("drupe.models.namespace").namespace(name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_ROOMS, *_MODULES})

from typing import Any

from drupe import (
    artifacts as artifacts,
    client as client,
    data as data,
    entities as entities,
    errors as errors,
    evaluation as evaluation,
    extend as extend,
    models as models,
    registry as registry,
    search as search,
    settings as settings,
    testing as testing,
    tracking as tracking,
    uris as uris,
)
from drupe.artifacts.download import download_artifacts as download_artifacts
from drupe.client import Client as Client, MlflowClient as MlflowClient
from drupe.entities import RunStatus as RunStatus, ViewType as ViewType
from drupe.errors import DrupeError as DrupeError
from drupe.evaluation import (
    MetricThreshold as MetricThreshold,
    evaluate as evaluate,
    make_metric as make_metric,
    validate_evaluation_results as validate_evaluation_results,
)
from drupe.models import (
    create_external_model as create_external_model,
    delete_logged_model_tag as delete_logged_model_tag,
    finalize_logged_model as finalize_logged_model,
    get_logged_model as get_logged_model,
    infer_signature as infer_signature,
    initialize_logged_model as initialize_logged_model,
    last_logged_model as last_logged_model,
    load_model as load_model,
    log_model as log_model,
    log_model_params as log_model_params,
    log_outputs as log_outputs,
    save_model as save_model,
    search_logged_models as search_logged_models,
    set_active_model as set_active_model,
    set_logged_model_tags as set_logged_model_tags,
)
from drupe.registry.fluent import (
    register_model as register_model,
    search_model_versions as search_model_versions,
    search_registered_models as search_registered_models,
)
from drupe.tracking.active import ActiveRun as ActiveRun
from drupe.tracking.active_model import (
    clear_active_model as clear_active_model,
    get_active_model_id as get_active_model_id,
)
from drupe.tracking.address import (
    get_registry_uri as get_registry_uri,
    get_tracking_uri as get_tracking_uri,
    is_tracking_uri_set as is_tracking_uri_set,
    set_registry_uri as set_registry_uri,
    set_tracking_uri as set_tracking_uri,
)
from drupe.tracking.autolog import autolog as autolog
from drupe.tracking.experiments import (
    create_experiment as create_experiment,
    delete_experiment as delete_experiment,
    delete_experiment_tag as delete_experiment_tag,
    get_experiment as get_experiment,
    get_experiment_by_name as get_experiment_by_name,
    rename_experiment as rename_experiment,
    restore_experiment as restore_experiment,
    search_experiments as search_experiments,
    set_experiment as set_experiment,
    set_experiment_tag as set_experiment_tag,
    set_experiment_tags as set_experiment_tags,
)
from drupe.tracking.fluent import (
    active_run as active_run,
    delete_run as delete_run,
    end_run as end_run,
    get_artifact_uri as get_artifact_uri,
    get_metric_history as get_metric_history,
    get_metric_series as get_metric_series,
    get_parent_run as get_parent_run,
    get_run as get_run,
    last_active_run as last_active_run,
    list_artifacts as list_artifacts,
    load_table as load_table,
    move_runs as move_runs,
    restore_run as restore_run,
    search_runs as search_runs,
    start_run as start_run,
)
from drupe.tracking.fluent_logging import (
    delete_tag as delete_tag,
    flush as flush,
    flush_async_logging as flush_async_logging,
    log_artifact as log_artifact,
    log_artifacts as log_artifacts,
    log_dict as log_dict,
    log_figure as log_figure,
    log_image as log_image,
    log_input as log_input,
    log_inputs as log_inputs,
    log_metric as log_metric,
    log_metrics as log_metrics,
    log_param as log_param,
    log_params as log_params,
    log_series as log_series,
    log_table as log_table,
    log_text as log_text,
    set_tag as set_tag,
    set_tags as set_tags,
)
from drupe.tracking.system_metrics import (
    disable_system_metrics_logging as disable_system_metrics_logging,
    enable_system_metrics_logging as enable_system_metrics_logging,
    set_system_metrics_node_id as set_system_metrics_node_id,
    set_system_metrics_samples_before_logging as set_system_metrics_samples_before_logging,
    set_system_metrics_sampling_interval as set_system_metrics_sampling_interval,
)

__version__: str
__all__: list[str]

def __getattr__(name: str) -> Any: ...
